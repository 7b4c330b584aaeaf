//! The desk for a run over files: one account, and one bot on every instrument that has data.

use std::time::Duration;

use tradewind_events::{
    BotConfig, CandleSource, Configuration, ExternalControl, Lane, OnRestart, StrategyProcess,
    WakeRule,
};
use tradewind_model::{
    Account, AccountId, AccountMode, Amount, AssetTable, BotId, Instrument, InstrumentId,
    InstrumentStatus, Interval, OnExpiry, Ppm, Sizer, Timestamp, VenueId,
};
use tradewind_risk::{Limits, Rate};
use tradewind_simx::{ExchangeConfig, FeeSchedule};
use tradewind_strategy::{ReadUse, WakesOn};

use super::FileOptions;
use super::rules::{VENUE, full_name, instruments, one_quote, venues};
use super::survey::Survey;
use crate::error::BacktestError;
use crate::setup::{Setup, rest_take_profits};

/// The strategy that follows targets.
const EXTERNAL: &str = "external";
/// What the source of targets out of files is called.
pub(super) const TARGETS_FROM: &str = "file";

/// A run over files, decided.
pub(super) struct Plan {
    pub(super) setup: Setup,
    /// Each file with its instrument.
    pub(super) files: Vec<(Survey, Instrument)>,
    /// Intervals of the candles the strategy needs.
    pub(super) intervals: Vec<Interval>,
    pub(super) half_spread: Ppm,
}

/// What a strategy demands of the bot that runs it.
#[derive(Clone, Debug)]
pub(super) struct BotRules {
    version: u32,
    wakes_on: WakesOn,
    /// Candles it uses, shortest first.
    intervals: Vec<Interval>,
    /// Those of what it trades, which wake it.
    wakes: Vec<Interval>,
    reads: ReadUse,
    /// What wakes it, where that does not follow from the rest.
    rules: Option<Vec<WakeRule>>,
}

impl BotRules {
    /// Those of a strategy in a process, as its file declares them.
    pub(super) fn of_process(process: &StrategyProcess, wakes: &[WakeRule]) -> Self {
        let intervals = process.timeframes.iter().map(|(interval, _)| *interval);
        let intervals: Vec<Interval> = intervals.collect();
        Self {
            rules: Some(wakes.to_vec()),
            ..Self::candles(&intervals)
        }
    }

    /// Those of a built-in strategy with its parameters.
    pub(super) fn built_in(options: &FileOptions) -> Result<Self, BacktestError> {
        let (version, wakes_on) = if options.strategy == tradewind_rules::NAME {
            (tradewind_rules::VERSION, WakesOn::Anything)
        } else {
            let info = tradewind_strategy::info(&options.strategy);
            let info = info.map_err(|error| refused(&error))?;
            (info.version, info.wakes_on)
        };
        let instruments = options.files.len().max(1);
        let strategy = tradewind_rules::build(&options.strategy, &options.parameters, instruments)
            .map_err(|error| refused(&error))?;
        let timeframes = strategy.timeframes();
        let wakes: Vec<_> = timeframes.iter().map(|warm_up| warm_up.interval).collect();
        let reads = strategy.reads();
        let read = reads.candles.iter().map(|warm_up| warm_up.interval);
        let all: Vec<Interval> = wakes.iter().copied().chain(read).collect();
        Ok(Self {
            version,
            wakes_on,
            wakes,
            reads,
            ..Self::candles(&all)
        })
    }

    /// With the daily candles that a universe is chosen by.
    pub(super) fn with_universe(&self, options: &FileOptions) -> Self {
        let mut rules = self.clone();
        if options.universe.is_some() && !rules.intervals.contains(&Interval::Day1) {
            rules.intervals.push(Interval::Day1);
            rules.intervals.sort();
        }
        rules
    }

    /// Refuses a run without what the strategy compares with.
    fn need_reads(&self, reads: &[InstrumentId]) -> Result<(), BacktestError> {
        let is_other = self.wakes_on != WakesOn::Anything;
        if is_other && reads.is_empty() && self.reads != ReadUse::default() {
            return Err(BacktestError::Options(
                "the strategy compares with another venue, and none is read; name its data with --reads okx=FILE".to_owned(),
            ));
        }
        Ok(())
    }

    /// Those of a strategy that wakes on candles.
    pub(super) fn candles(intervals: &[Interval]) -> Self {
        let mut intervals = intervals.to_vec();
        intervals.sort();
        intervals.dedup();
        Self {
            version: 1,
            wakes_on: WakesOn::Candles,
            wakes: intervals.clone(),
            intervals,
            reads: ReadUse::default(),
            rules: None,
        }
    }
}

/// Decides how the files are played and by which desk.
pub(super) fn plan(
    options: &FileOptions,
    rules: &BotRules,
    surveys: &[Survey],
) -> Result<Plan, BacktestError> {
    let (instruments, assets) = instruments(surveys);
    let source = candle_source(surveys, &rules.intervals)?;
    let is_traded = |one: &&Instrument| one.status != InstrumentStatus::PricesOnly;
    let traded: Vec<Instrument> = instruments.iter().filter(is_traded).cloned().collect();
    let quote = one_quote(&traded, &assets)?;
    let files = surveys.iter().map(|survey| {
        let venue = survey.venue.as_deref().unwrap_or(VENUE);
        let name = full_name(venue, &survey.product);
        let found = instruments.iter().find(|known| known.name == name);
        found.map(|instrument| (survey.clone(), instrument.clone()))
    });
    let files: Option<Vec<_>> = files.collect();
    let files =
        files.ok_or_else(|| BacktestError::Options("a file has no instrument".to_owned()))?;
    let reads = instruments.iter().filter(|one| !is_traded(one));
    let reads: Vec<InstrumentId> = reads.map(|one| one.id).collect();
    rules.need_reads(&reads)?;
    let sizer = sizer(options, &traded, &assets)?;
    let bot = BotConfig {
        sizer,
        ..bot(options, rules, &traded, reads)
    };
    let mut configuration = Configuration {
        series: None,
        build: None,
        bots_revision: 0,
        bots_text: None,
        assets,
        report_asset: quote,
        venues: venues(surveys),
        accounts: vec![Account {
            id: AccountId(0),
            name: "backtest".to_owned(),
            venue: VenueId(0),
            mode: AccountMode::Paper,
            capital: None,
            adopts: false,
            adopts_external: false,
        }],
        instruments,
        bots: vec![bot],
        limits: options
            .limits
            .clone()
            .unwrap_or_else(|| limits(options.cash)),
        fee: options.fees.maker.max(options.fees.taker),
        stagger: Duration::ZERO,
        stale_after: stale_after(surveys),
        equity_every: equity_every(surveys),
        candles: source,
        announce_quotes: false,
        venue_stop_distance: None,
        on_restart: OnRestart::Keep,
        deadline_min: std::time::Duration::ZERO,
        own_gaps: false,
        references: Vec::new(),
    };
    rest_take_profits(&mut configuration);
    let setup = Setup {
        configuration,
        balances: vec![(AccountId(0), quote, options.cash)],
        exchange: ExchangeConfig {
            fill_model: options.fill_model,
            fees: FeeSchedule {
                rates: options.fees,
                ..FeeSchedule::default()
            },
            ..ExchangeConfig::backtest()
        },
        latency: options.latency,
        fills_kept: options.fills_kept,
        past: Vec::new(),
    };
    Ok(Plan {
        setup,
        files,
        intervals: rules.intervals.clone(),
        half_spread: options.half_spread,
    })
}

fn refused(error: &tradewind_strategy::BuildError) -> BacktestError {
    BacktestError::Options(error.to_string())
}

/// Candles come from tables of candles where there are such, else they are built from trades.
fn candle_source(surveys: &[Survey], wanted: &[Interval]) -> Result<CandleSource, BacktestError> {
    let longest = surveys.iter().filter_map(Survey::candles).max();
    let Some(longest) = longest else {
        if wanted.is_empty() || surveys.iter().all(|survey| survey.has_trades) {
            return Ok(CandleSource::Trades);
        }
        return Err(BacktestError::Options(
            "the strategy wakes on candles, and there is neither a table of candles nor trades to build them from".to_owned(),
        ));
    };
    let shifted = surveys.iter().find(|survey| survey.is_shifted());
    if let (Some(shifted), true) = (shifted, wanted.iter().any(|interval| *interval > longest)) {
        return Err(BacktestError::Options(format!(
            "{}: its candles do not begin when the longer ones do that the strategy wakes on",
            shifted.path.display()
        )));
    }
    match wanted
        .iter()
        .find(|interval| !is_folded_from(**interval, longest))
    {
        None => Ok(CandleSource::Venue),
        Some(interval) => Err(BacktestError::Options(format!(
            "the strategy wakes on {interval} candles, which cannot be put together from {longest} ones"
        ))),
    }
}

/// Whether candles of `long` are put together from those of `short`.
pub(super) fn is_folded_from(long: Interval, short: Interval) -> bool {
    long.duration()
        .as_nanos()
        .is_multiple_of(short.duration().as_nanos())
}

fn bot(
    options: &FileOptions,
    rules: &BotRules,
    instruments: &[Instrument],
    reads: Vec<InstrumentId>,
) -> BotConfig {
    let candles = rules.wakes.iter().copied().map(WakeRule::Candles);
    let wakes = match rules.wakes_on {
        _ if rules.rules.is_some() => rules.rules.clone().unwrap_or_default(),
        _ if options.wakes.is_some() => options.wakes.clone().unwrap_or_default(),
        WakesOn::Quotes => vec![WakeRule::Quotes],
        WakesOn::Timer => candles.chain([WakeRule::Every(options.every)]).collect(),
        WakesOn::Candles | WakesOn::Anything => candles.collect(),
    };
    BotConfig {
        budget_share: options.budget_share,
        universe: options.universe,
        id: BotId(0),
        name: options.strategy.clone(),
        strategy: options.strategy.clone(),
        strategy_version: rules.version,
        parameters: options.parameters.clone(),
        account: AccountId(0),
        instruments: instruments.iter().map(|instrument| instrument.id).collect(),
        reads,
        wakes,
        budget: match options.budget_share {
            Some(_) => Amount::ZERO,
            None => options.budget.unwrap_or(options.cash),
        },
        positions_max: options
            .positions_max
            .unwrap_or_else(|| u32::try_from(instruments.len()).unwrap_or(u32::MAX)),
        sizer: options.sizer,
        exit: options.exit.clone(),
        policy: options.policy,
        lane: Lane::Inline,
        starts: true,
        revision: 1,
        protections: options.protections.clone(),
        external: (options.strategy == EXTERNAL).then(|| ExternalControl {
            source: TARGETS_FROM.to_owned(),
            on_expiry: OnExpiry::Flat,
        }),
        process: options.process.clone().map(Box::new),
    }
}

/// The sizer; of rules what they say, for the assets of what is traded.
fn sizer(
    options: &FileOptions,
    traded: &[Instrument],
    assets: &AssetTable,
) -> Result<Sizer, BacktestError> {
    if options.strategy != tradewind_rules::NAME {
        return Ok(options.sizer);
    }
    let rules = tradewind_rules::compile(&options.parameters).map_err(|error| refused(&error))?;
    let mut sizer = options.sizer;
    for instrument in traded {
        let (base, quote) = (assets.name(instrument.base), assets.name(instrument.quote));
        let read = rules.sizer(base, quote);
        sizer = read.map_err(|error| BacktestError::Options(error.to_string()))?;
    }
    Ok(sizer)
}

/// Wide limits: sizes are held to the account, everything else as the desk has it by default.
fn limits(cash: Amount) -> Limits {
    let rate = |count, per, burst| Rate {
        count,
        per: Duration::from_secs(per),
        burst,
    };
    Limits {
        intent_ttl_quote: Some(Duration::from_secs(2)),
        intent_ttl_candle: Some(Duration::from_secs(15)),
        order_value_max: Some(cash),
        order_equity_max: Some(Ppm::ONE),
        collar: Some(Ppm(20_000)),
        market_slippage_max: Some(Ppm(5_000)),
        balance_use_max: Some(Ppm(990_000)),
        position_equity_max: Some(Ppm::ONE),
        open_entries_instrument: Some(Ppm(200_000)),
        open_entries_account: Some(Ppm(800_000)),
        bot_order_rate: Some(rate(2, 1, 5)),
        account_order_rate: Some(rate(80, 10, 45)),
        duplicate_window: Some(Duration::from_secs(1)),
        ..Limits::wide()
    }
}

/// Silence counts as staleness after ten seconds, or after a candle's length where candles are all there is.
fn stale_after(surveys: &[Survey]) -> Duration {
    let lengths = surveys
        .iter()
        .filter_map(Survey::candles)
        .map(Interval::duration);
    lengths
        .max()
        .unwrap_or_default()
        .max(Duration::from_secs(10))
}

/// About a thousand samples of equity, ten seconds apart at least.
fn equity_every(surveys: &[Survey]) -> Duration {
    let first = surveys.iter().map(|survey| survey.first).min();
    let last = surveys.iter().map(|survey| survey.last).max();
    let (first, last): (Timestamp, Timestamp) =
        (first.unwrap_or_default(), last.unwrap_or_default());
    (last.since(first) / 1_000).max(Duration::from_secs(10))
}
