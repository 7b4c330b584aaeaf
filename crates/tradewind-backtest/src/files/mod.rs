//! A strategy over data files: what `tradewind backtest --strategy NAME --data FILE…` runs.
//!
//! Every file is read twice. The first reading finds bad lines before anything starts, and the price and quantity
//! decimals that the instruments need. The second one plays the file line by line. `docs/backtest.md` describes the
//! formats and rules; `tradewind_data` reads the tables, `tradewind_simx::recorded` the captures.

mod candle_feed;
mod desk;
mod house;
mod player;
mod rules;
mod survey;
mod tick_feed;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tradewind_data::{Span, UtcOffset};
use tradewind_engine::StrategySource;
use tradewind_events::{CandleSource, Configuration, StrategyProcess, WakeRule};
use tradewind_model::{
    Amount, Candle, ExitPlan, Instrument, Interval, MarketEvent, OrderPolicy, Parameter, Ppm,
    Protections, Sizer, Universe,
};
use tradewind_risk::Limits;
use tradewind_simx::{Fees, FillModel};

use crate::driver::run_with;
use crate::error::BacktestError;
use crate::report::Report;
use crate::setup::{Latency, Setup};
use crate::source::{HistoryEvent, Source as _};

/// What to run over which files. [`FileOptions::new`] has the defaults.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// Name of the strategy.
    pub strategy: String,
    /// The process that runs it, for a strategy of a user's own file.
    pub process: Option<StrategyProcess>,
    /// Its parameters; those not given take their defaults.
    pub parameters: BTreeMap<String, Parameter>,
    /// The files: captures, tables of candles, of quotes or of trades; or `catalogue:binance:BTC/USDT@1m` for a series of
    /// the catalogue.
    pub files: Vec<PathBuf>,
    /// Files of other venues that the bot only reads, each with the venue's name. They are played with the others by the time at which
    /// each event was received.
    pub reads: Vec<(String, PathBuf)>,
    /// Numbers of named series, each with the full name of its series (`house:fear`) and its file.
    pub numbers: Vec<(String, PathBuf)>,
    /// Files of targets, which the strategy `external` follows.
    pub targets: Vec<PathBuf>,
    /// Product of the files, as `BASE/QUOTE`, if their names do not contain it.
    pub product: Option<String>,
    /// Length of the candles, if neither the file names nor the rows show it.
    pub interval: Option<Interval>,
    /// How far times without a zone are ahead of UTC, if they are.
    pub utc_offset: Option<UtcOffset>,
    /// Which part of the data is played.
    pub span: Span,
    /// The folder of the catalogue, for data that is named `catalogue:SERIES`.
    pub catalogue: Option<PathBuf>,
    /// Time between two evaluations of a strategy that wakes by the clock.
    pub every: Duration,
    /// What wakes the bot, in place of what its strategy is usually woken by.
    pub wakes: Option<Vec<WakeRule>>,
    /// Products that it trades, as `BASE/QUOTE`; data of others it only reads. Empty for all.
    pub traded: Vec<String>,
    /// How many positions it may hold at once; `None` for one in each instrument.
    pub positions_max: Option<u32>,
    /// The account's starting balance, in the quote asset.
    pub cash: Amount,
    /// The part of `cash` that the bot may use; `None` for all of it.
    pub budget: Option<Amount>,
    /// The share of the account's equity that the bot may use, set anew each UTC day, in place of `budget`.
    pub budget_share: Option<Ppm>,
    /// How those instruments are chosen that the bot may enter; `None` for all.
    pub universe: Option<Universe>,
    /// How a target becomes a quantity.
    pub sizer: Sizer,
    /// How positions are guarded.
    pub exit: ExitPlan,
    /// When the bot opens no new position for a while.
    pub protections: Protections,
    /// How intents become orders.
    pub policy: OrderPolicy,
    /// What trading costs.
    pub fees: Fees,
    /// How orders meet the market.
    pub fill_model: FillModel,
    /// How long messages take.
    pub latency: Latency,
    /// Half of the spread of quotes made from candles or trades, as a share of the price; one tick at least.
    pub half_spread: Ppm,
    /// The limits of the desk; `None` for wide ones that keep sizes within the account.
    pub limits: Option<Limits>,
    /// How many of the newest fills the report keeps; 1,000 by default.
    pub fills_kept: usize,
}

impl FileOptions {
    /// This strategy over these files with 10,000 units of cash, 95 % of the budget for a full target, market orders,
    /// 0.1 % fees, the quote-book fill model, no latency, and a half spread of 0.01 %.
    #[must_use]
    pub fn new(strategy: &str, files: Vec<PathBuf>) -> Self {
        Self {
            strategy: strategy.to_owned(),
            process: None,
            parameters: BTreeMap::new(),
            files,
            reads: Vec::new(),
            numbers: Vec::new(),
            targets: Vec::new(),
            product: None,
            interval: None,
            utc_offset: None,
            span: Span::ALL,
            catalogue: None,
            every: Duration::from_secs(900),
            wakes: None,
            traded: Vec::new(),
            positions_max: None,
            cash: Amount::whole(10_000),
            budget: None,
            budget_share: None,
            universe: None,
            sizer: Sizer::Share(Ppm(950_000)),
            exit: ExitPlan::default(),
            protections: Protections::default(),
            policy: OrderPolicy::Market,
            fees: Fees {
                maker: Ppm(1_000),
                taker: Ppm(1_000),
            },
            fill_model: FillModel::QuoteTouch,
            latency: Latency::default(),
            half_spread: Ppm(100),
            limits: None,
            fills_kept: Setup::FILLS_KEPT,
        }
    }
}

/// Runs a strategy over data files.
///
/// # Errors
/// A file that cannot be read or played, with its line; a strategy that is unknown, cannot be built with these
/// parameters, or does not fit the data.
pub fn run_files(options: &FileOptions) -> Result<Report, BacktestError> {
    let rules = desk::BotRules::built_in(options)?;
    run_bot(options, &rules, StrategySource::built_in())
}

/// Runs a strategy that is not built in over data files. The bot wakes on closed candles of `intervals`; the name and
/// parameters in `options` are the bot's, and `strategies` builds it.
///
/// # Errors
/// A file that cannot be read or played, with its line; intervals that the files do not have.
pub fn run_files_with(
    options: &FileOptions,
    intervals: &[Interval],
    strategies: StrategySource,
) -> Result<Report, BacktestError> {
    run_bot(options, &desk::BotRules::candles(intervals), strategies)
}

/// Runs a strategy of a process over data files. `wakes` is what wakes it, and `strategies` is handed the desk and every candle of
/// the run before the first is played.
///
/// # Errors
/// As [`run_files_with`].
pub fn run_files_in_process(
    options: &FileOptions,
    process: &StrategyProcess,
    wakes: &[WakeRule],
    strategies: impl FnOnce(&Configuration, Vec<Candle>) -> StrategySource,
) -> Result<Report, BacktestError> {
    let rules = desk::BotRules::of_process(process, wakes);
    let (plan, surveys) = prepare(options, &rules)?;
    if plan.setup.configuration.candles == CandleSource::Trades {
        return Err(BacktestError::Options(
            "a strategy in a process is handed all candles before the run, and this data has none; add a file of candles".to_owned(),
        ));
    }
    let all = candles(options, &plan)?;
    let strategies = strategies(&plan.setup.configuration, all);
    play(options, plan, &surveys, strategies)
}

/// The instruments of data files, and their candles of these intervals in the order in which they close.
///
/// # Errors
/// As [`run_files_with`], and data without candles.
pub fn candles_of_files(
    options: &FileOptions,
    intervals: &[Interval],
) -> Result<(Vec<Instrument>, Vec<Candle>), BacktestError> {
    let (plan, _) = prepare(options, &desk::BotRules::candles(intervals))?;
    if plan.setup.configuration.candles == CandleSource::Trades {
        return Err(BacktestError::Options(
            "this data has no candles; name files of candles".to_owned(),
        ));
    }
    let candles = candles(options, &plan)?;
    Ok((plan.setup.configuration.instruments, candles))
}

fn candles(options: &FileOptions, plan: &desk::Plan) -> Result<Vec<Candle>, BacktestError> {
    let mut all = Vec::new();
    let house = house::read(options, &plan.setup.configuration)?;
    let mut player = player::Player::open(plan, house)?;
    while let Some((_, event)) = player.next_event()? {
        if let HistoryEvent::Market(MarketEvent::Candle(candle)) = event {
            all.push(candle);
        }
    }
    Ok(all)
}

/// Data of the traded venue's other products is read only.
fn read_or_traded(
    survey: survey::Survey,
    options: &FileOptions,
) -> Result<survey::Survey, BacktestError> {
    let product = format!("{}/{}", survey.product.base(), survey.product.quote());
    let is_traded = options.traded.is_empty() || options.traded.contains(&product);
    let venue = (!is_traded).then(|| rules::VENUE.to_owned());
    Ok(survey::Survey { venue, ..survey })
}

fn run_bot(
    options: &FileOptions,
    rules: &desk::BotRules,
    strategies: StrategySource,
) -> Result<Report, BacktestError> {
    let (plan, surveys) = prepare(options, rules)?;
    play(options, plan, &surveys, strategies)
}

/// Reads all files once, and decides how they are played.
fn prepare(
    options: &FileOptions,
    rules: &desk::BotRules,
) -> Result<(desk::Plan, Vec<survey::Survey>), BacktestError> {
    if options.files.is_empty() {
        return Err(BacktestError::Options(
            "there is no file to run over".to_owned(),
        ));
    }
    let traded = options
        .files
        .iter()
        .map(|path| read_or_traded(survey::survey(path, options)?, options));
    let read = options.reads.iter().map(|(venue, path)| {
        let survey = survey::survey(path, options)?;
        Ok(survey::Survey {
            venue: Some(venue.clone()),
            ..survey
        })
    });
    let surveys: Vec<_> = traded.chain(read).collect::<Result<_, BacktestError>>()?;
    let plan = desk::plan(options, &rules.with_universe(options), &surveys)?;
    Ok((plan, surveys))
}

fn play(
    options: &FileOptions,
    plan: desk::Plan,
    surveys: &[survey::Survey],
    strategies: StrategySource,
) -> Result<Report, BacktestError> {
    let house = house::read(options, &plan.setup.configuration)?;
    let mut player = player::Player::open(&plan, house)?;
    let mut report = run_with(plan.setup, strategies, &mut player)?;
    report.data_notes = surveys.iter().flat_map(survey::Survey::notes).collect();
    Ok(report)
}
