//! `tradewind backtest`: a strategy over files of quotes, trades or candles, through the whole engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use tradewind_backtest::{FileOptions, Latency, Report, Setup, run_files};
use tradewind_data::UtcOffset;
use tradewind_events::{StrategyProcess, WakeRule};
use tradewind_model::{
    Amount, ExitPlan, Interval, OrderPolicy, Parameter, Ppm, Protections, Sizer, Stop,
    TakeProfitBy, Timestamp, Universe,
};
use tradewind_process::MODEL;
use tradewind_simx::{Fees, FillModel};

use super::backtest_process;
use super::config::ConfigFile;
use super::output::Output;
use crate::config::{Listing, RuleFile};
use crate::user_strategy::{INTERPRETER, Reference};

/// Arguments of `backtest`.
#[derive(Clone, Debug, Args)]
pub(super) struct BacktestArgs {
    /// Name of the strategy, such as rsi_reversion, or a file: python:FILE.py or python:FILE.py:Class
    #[arg(long, value_name = "NAME", required_unless_present_any = ["rules", "bot"])]
    strategy: Option<String>,

    /// A file of rules in place of a strategy: docs/rules.md
    #[arg(long, value_name = "FILE", conflicts_with_all = ["strategy", "bot", "share", "stop", "take_profit", "trailing"])]
    rules: Option<PathBuf>,

    /// A bot of the configuration in place of a strategy, with its budget, sizes, exits and orders
    #[arg(long, value_name = "NAME", conflicts_with_all = ["strategy", "share", "stop", "take_profit", "trailing"])]
    bot: Option<String>,

    #[command(flatten)]
    configuration: ConfigFile,

    /// Candles, trades, quotes or captures, one instrument a file: CSV or JSON of any source, .gz and .zip too; or catalogue:SERIES; may be repeated
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    data: Vec<PathBuf>,

    /// Data of another venue that the strategy reads and does not trade, such as okx=FILE or okx=catalogue:SERIES; may be repeated
    #[arg(long, value_name = "VENUE=FILE", value_parser = read_of)]
    reads: Vec<(String, PathBuf)>,

    /// Numbers that the strategy reads, by the name of their series, such as house:fear=fear.csv: a table of time and value, or catalogue:SERIES; may be repeated
    #[arg(long, value_name = "SERIES=FILE", value_parser = numbers_of)]
    numbers: Vec<(String, PathBuf)>,

    /// Targets that the strategy external follows: a table of time, instrument, exposure and expires, or catalogue:SERIES; may be repeated
    #[arg(long, value_name = "FILE")]
    targets: Vec<PathBuf>,
    /// The interpreter of a strategy in Python
    #[arg(long, value_name = "PROGRAM", default_value = INTERPRETER)]
    python: String,

    /// A parameter of the strategy, such as period=14; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, Parameter)>,

    /// The instrument, such as BTC/USDT, if the file's name does not contain it
    #[arg(long, value_name = "PRODUCT")]
    product: Option<String>,

    /// The candles' interval, if the file's name does not contain it
    #[arg(long, value_name = "INTERVAL")]
    interval: Option<Interval>,

    /// How far times without a zone are ahead of UTC, such as +02:00
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    utc_offset: Option<UtcOffset>,

    /// The first moment to play: a date or a time, such as 2024-10-01 or 2024-10-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = super::data::moment)]
    from: Option<Timestamp>,

    /// The first moment that is not played any more
    #[arg(long, value_name = "TIME", value_parser = super::data::moment)]
    to: Option<Timestamp>,

    /// Starting cash, in the quote currency
    #[arg(long, value_name = "AMOUNT", default_value = "10000")]
    cash: Amount,

    /// Share of the cash that a full position takes
    #[arg(long, value_name = "SHARE", default_value = "0.9", value_parser = share)]
    share: Ppm,

    /// Loss that closes a position, as a share of its entry price
    #[arg(long, value_name = "SHARE", value_parser = share)]
    stop: Option<Ppm>,

    /// Gain that closes a position, as a share of its entry price; where a candle holds both levels the stop wins
    #[arg(long, value_name = "SHARE", value_parser = share)]
    take_profit: Option<Ppm>,

    /// What takes that gain: market, or limit for an order that rests beside the stop
    #[arg(long, value_name = "ORDER", default_value = "market", value_parser = take_profit_by)]
    take_profit_order: TakeProfitBy,

    /// Fall from the best price that closes a position
    #[arg(long, value_name = "SHARE", value_parser = share)]
    trailing: Option<Ppm>,

    /// What trading costs, as a share of each fill
    #[arg(long, value_name = "SHARE", default_value = "0.001", value_parser = share)]
    fee: Ppm,

    /// Half of the spread around prices of candles and trades: what market orders and stops pay beyond them
    #[arg(long, value_name = "SHARE", default_value = "0.0001", value_parser = share)]
    half_spread: Ppm,

    /// How resting orders are filled: touch, queue or trade-through
    #[arg(long, value_name = "MODEL", default_value_t = FillModel::QuoteTouch)]
    fill: FillModel,

    /// Latency in milliseconds, of requests to the exchange and of reports back
    #[arg(long, value_name = "MILLISECONDS", default_value = "0")]
    latency: u64,

    /// How many of the newest fills the report keeps, as JSON
    #[arg(long, value_name = "COUNT", default_value_t = Setup::FILLS_KEPT)]
    fills: usize,
}

fn read_of(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((venue, file)) if venue == "simx" => Err(format!(
            "{venue} is the venue that is traded on; name another before {file}"
        )),
        Some((venue, file)) if !venue.is_empty() && !file.is_empty() && !venue.contains(':') => {
            Ok((venue.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write the venue and the data, such as okx=BTC_USDT-quotes.csv".to_owned()),
    }
}

fn numbers_of(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if name.contains(':') && !file.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write the series and its file, such as house:fear=fear.csv".to_owned()),
    }
}

/// `0.02` or `2%`.
fn share(text: &str) -> Result<Ppm, String> {
    crate::config::parse_ratio(text).map_err(|error| format!("{error}; write a share such as 2%"))
}

fn take_profit_by(text: &str) -> Result<TakeProfitBy, String> {
    match text {
        "market" => Ok(TakeProfitBy::Market),
        "limit" => Ok(TakeProfitBy::Limit),
        _ => Err("write market or limit".to_owned()),
    }
}

/// Runs it and prints the report.
pub(super) fn run(args: BacktestArgs, data_dir: &Path, output: Output) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.take_profit_order == TakeProfitBy::Market || args.trailing.is_none(),
        "--take-profit-order limit cannot go with --trailing; leave one of them out"
    );
    let span = super::data::span(args.from, args.to);
    let mut chosen = chosen(&args)?;
    let mut parameters = std::mem::take(&mut chosen.parameters);
    parameters.extend(args.parameters);
    if chosen.strategy == tradewind_rules::NAME {
        // A stop that is a share may be made of a parameter.
        let rules = tradewind_rules::compile(&parameters)?;
        chosen.exit = rules.exit_plan();
        chosen.policy = rules.policy(chosen.policy);
    }
    let options = FileOptions {
        parameters,
        reads: args.reads,
        numbers: args.numbers,
        targets: args.targets,
        product: args.product,
        interval: args.interval,
        utc_offset: args.utc_offset,
        span,
        catalogue: Some(super::data::catalogue(data_dir)),
        cash: args.cash,
        budget: chosen.budget,
        budget_share: chosen.budget_share,
        universe: chosen.universe,
        wakes: chosen.wakes,
        traded: chosen.traded,
        positions_max: chosen.positions_max,
        policy: chosen.policy,
        sizer: chosen.sizer,
        exit: chosen.exit,
        fees: Fees {
            maker: args.fee,
            taker: args.fee,
        },
        half_spread: args.half_spread,
        fill_model: args.fill,
        latency: Latency {
            request: Duration::from_millis(args.latency),
            report: Duration::from_millis(args.latency),
        },
        fills_kept: args.fills,
        protections: chosen.protections,
        ..FileOptions::new(&chosen.strategy, args.data)
    };
    let began = Instant::now();
    anyhow::ensure!(
        chosen.process.is_some() || !chosen.strategy.starts_with("model:"),
        "a model predicts, and the rules of a bot decide; name one of the configuration with --bot"
    );
    let (report, warnings) = match Reference::parse(&chosen.strategy) {
        None if chosen.process.is_some() => {
            let process = chosen.process.context("the bot has a process")?;
            (super::backtest_model::run(&process, &options)?, Vec::new())
        }
        Some(reference) => backtest_process::run(&reference, &args.python, options)?,
        None => (run_files(&options)?, Vec::new()),
    };
    for warning in &warnings {
        output.complain(&format!("warning: {warning}"));
    }
    if output.is_json() {
        return Ok(output.value(&serde_json::to_value(&report)?)?);
    }
    lines(&report)
        .iter()
        .try_for_each(|line| output.line(line))?;
    Ok(output.line(&format!(
        "took        {:.2} s",
        began.elapsed().as_secs_f64()
    ))?)
}

/// What is run: a strategy by its name, a file of rules, or a bot of the configuration.
struct Chosen {
    strategy: String,
    parameters: BTreeMap<String, Parameter>,
    sizer: Sizer,
    exit: ExitPlan,
    protections: Protections,
    policy: OrderPolicy,
    budget: Option<Amount>,
    budget_share: Option<Ppm>,
    universe: Option<Universe>,
    wakes: Option<Vec<WakeRule>>,
    traded: Vec<String>,
    positions_max: Option<u32>,
    /// That of a model.
    process: Option<StrategyProcess>,
}

fn chosen(args: &BacktestArgs) -> anyhow::Result<Chosen> {
    let plain = Chosen {
        strategy: args.strategy.clone().unwrap_or_default(),
        parameters: BTreeMap::new(),
        sizer: Sizer::Share(args.share),
        exit: ExitPlan {
            stop: args.stop.map_or(Stop::None, Stop::Distance),
            take_profit: args.take_profit,
            take_profit_by: args.take_profit_order,
            trailing: args.trailing,
            ..ExitPlan::default()
        },
        protections: Protections::default(),
        policy: OrderPolicy::Market,
        budget: None,
        budget_share: None,
        universe: None,
        wakes: None,
        traded: Vec::new(),
        positions_max: None,
        process: None,
    };
    if let Some(file) = &args.rules {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the rules {name}"))?;
        let usual = args.interval.or_else(|| interval_of(&args.data));
        let rules = RuleFile::read(&name, &text, usual)?;
        return Ok(Chosen {
            strategy: tradewind_rules::NAME.to_owned(),
            parameters: rules.parameters,
            exit: rules.exit,
            policy: rules.policy,
            wakes: Some(rules.wakes),
            ..plain
        });
    }
    let Some(name) = &args.bot else {
        return Ok(plain);
    };
    let config = args.configuration.load(Listing::Unknown)?;
    let mut bots = config.bots.iter();
    let bot = bots.find(|bot| bot.id == *name).with_context(|| {
        let names: Vec<&str> = config.bots.iter().map(|bot| bot.id.as_str()).collect();
        format!(
            "{} has no bot {name:?}; it has {}",
            config.file,
            names.join(", ")
        )
    })?;
    let product = |name: &String| match name.split_once(':') {
        Some((_, product)) => product.to_owned(),
        None => name.clone(),
    };
    Ok(Chosen {
        strategy: bot.strategy.name.clone(),
        parameters: bot.strategy.parameters.clone(),
        sizer: bot.sizer,
        exit: bot.exit.clone(),
        protections: bot.protections.clone(),
        policy: bot.policy,
        budget: Some(bot.budget),
        budget_share: bot.budget_share,
        universe: bot.universe.as_ref().map(|one| one.rule),
        wakes: Some(bot.strategy.wakes.clone()),
        traded: bot.instruments.iter().map(product).collect(),
        positions_max: Some(bot.positions_max),
        process: bot
            .strategy
            .process
            .clone()
            .filter(|process| process.kind == MODEL),
    })
}

/// The length of candles that the name of the first file has at its end: `BTC_USDT-5m.csv`.
fn interval_of(files: &[PathBuf]) -> Option<Interval> {
    let name = files.first()?.file_name()?.to_str()?;
    let parts = name.split(['-', '_', '.', '@']);
    parts.filter_map(|part| part.parse().ok()).next_back()
}

fn lines(report: &Report) -> Vec<String> {
    let asset = &report.report_asset;
    let mut lines = vec![
        format!("from        {} until {}", report.from, report.until),
        format!(
            "models      fills: {}, requests take {:?}, reports {:?}",
            report.models.fill, report.models.request, report.models.report
        ),
        format!(
            "played      {} quotes, {} trades, {} candles",
            report.quotes, report.trades, report.candles
        ),
        format!(
            "traded      {} signals, {} orders, {} fills of which {} in parts, {} positions closed, {} with a gain",
            report.signals,
            report.orders,
            report.fills,
            report.partial_fills,
            report.positions_closed,
            report.positions_won
        ),
        format!(
            "equity      {} {asset} at the start, {} {asset} at the end",
            report.equity_start, report.equity_end
        ),
        format!(
            "profit      {} {asset} realised, {} {asset} open",
            report.realized, report.unrealized
        ),
        format!(
            "ambiguous   {} candles hold stop and take-profit: profit {} {asset} with the stop first, {} {asset} with the other",
            report.ambiguous_candles, report.profit_worst_order, report.profit_best_order
        ),
        format!("drawdown    {} of the peak at worst", report.drawdown_max),
    ];
    for (asset, fee) in &report.fees {
        lines.push(format!("fees        {fee} {asset}"));
    }
    for (rule, count) in &report.denials {
        lines.push(format!("denied      {rule}: {count}"));
    }
    if let Some(last) = report.universe.last() {
        lines.push(format!(
            "universe    {} changes; {} members since {}",
            report.universe.len(),
            last.members,
            last.at
        ));
    }
    let words = [
        ("denied last", &report.last_denial),
        ("error", &report.last_error),
    ];
    lines.extend(
        report
            .data_notes
            .iter()
            .map(|note| format!("data        {note}")),
    );
    lines.extend(
        words
            .iter()
            .filter_map(|(name, said)| said.as_ref().map(|said| format!("{name:<12}{said}"))),
    );
    lines
}

fn parameter(text: &str) -> Result<(String, Parameter), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write NAME=VALUE, such as period=14")?;
    let value = match value {
        "true" => Parameter::Flag(true),
        "false" => Parameter::Flag(false),
        number => number
            .parse()
            .map_or_else(|_| Parameter::Text(number.to_owned()), Parameter::Number),
    };
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbers_flags_or_words() {
        let check = |text, wanted| assert_eq!(parameter(text), Ok(wanted));
        check(
            "period=14",
            (
                "period".to_owned(),
                Parameter::Number("14".parse().unwrap()),
            ),
        );
        check("fast=false", ("fast".to_owned(), Parameter::Flag(false)));
        check(
            "trend=1h",
            ("trend".to_owned(), Parameter::Text("1h".to_owned())),
        );
        assert!(parameter("period").is_err());
    }
}
