//! The desk at a glance.

use serde::{Deserialize, Serialize};
use tradewind_events::{
    BotState as InnerState, CloseView, Configuration, Counters as InnerCounters, DeskView,
};
use utoipa::ToSchema;

use super::equity::{AccountEquity, Totals};
use super::names::Names;
use super::number::{Decimal, Instant};
use super::risk::Cause;
use super::words::TradingState;

/// The desk at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The last input the view contains.
    pub seq: u64,
    /// Time of that input, by the desk's clock.
    pub at: Instant,
    /// Version of Tradewind.
    pub version: String,
    /// Which program and which settings run.
    #[serde(default)]
    pub build: Build,
    /// When the desk started, by its clock.
    pub started_at: Instant,
    /// How long it has been up, in seconds of real time.
    pub uptime_seconds: u64,
    /// What it runs on, for the banner.
    pub mode: Mode,
    /// Whether every account is reconciled and the desk may trade.
    pub ready: bool,
    /// State of the desk as a whole.
    pub state: TradingState,
    /// Why it, or a part of it, is not active.
    pub causes: Vec<Cause>,
    /// Equity of all accounts.
    pub equity: Totals,
    /// Equity by account.
    pub accounts: Vec<AccountEquity>,
    /// Bots by state.
    pub bots: BotStates,
    /// Results of the last candle close; `null` before the first.
    pub last_close: Option<Close>,
    /// What was counted since the start.
    pub counters: Counters,
    /// Parts of the desk and how they are.
    pub components: Vec<Component>,
}

/// Which program and which settings run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Build {
    /// SHA-256 of the executable.
    pub binary: String,
    /// SHA-256 over all settings in force.
    pub configuration: String,
    /// What differs from the start before: `binary`, and keys of settings.
    pub changed: Vec<String>,
}

impl Build {
    fn of(configuration: &Configuration) -> Self {
        let build = configuration.build.as_deref();
        build.map_or_else(Self::default, |build| Self {
            binary: build.binary.clone(),
            configuration: build.configuration.clone(),
            changed: build.changed.clone(),
        })
    }
}

/// What the desk runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mode {
    /// `SIMULATED`, `RECORDED`, `PAPER` or `LIVE`.
    #[schema(examples("SIMULATED"))]
    pub name: String,
    /// The seed of the generated market.
    pub seed: Option<u64>,
    /// How much faster than real time the clock runs.
    pub speed: Decimal,
    /// The text of the dashboard's banner.
    #[schema(examples("Simulated market, seed 42. The strategies have no edge."))]
    pub note: String,
}

/// How many bots are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotStates {
    /// All.
    pub total: u32,
    /// Not running.
    pub stopped: u32,
    /// Waiting for their turn to start.
    pub starting: u32,
    /// Waiting for past candles.
    pub warming: u32,
    /// At work.
    pub running: u32,
    /// Paused.
    pub paused: u32,
    /// Failed.
    pub faulted: u32,
}

/// The results of a candle close, until the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Close {
    /// The moment the candles closed.
    pub at: Instant,
    /// Bots evaluated.
    pub woke: u32,
    /// Evaluations without a signal.
    pub held: u32,
    /// Signals.
    pub signals: u32,
    /// Orders denied, by rule.
    pub denied: Vec<Denials>,
    /// Orders filled to the end.
    pub filled: u32,
    /// Fills that left their order working.
    pub partly_filled: u32,
}

/// How often a risk check denied an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Denials {
    /// The code of the risk check.
    #[schema(examples("R13"))]
    pub rule: String,
    /// What the risk check limits.
    #[schema(examples("position"))]
    pub name: String,
    /// How often.
    pub count: u32,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counters {
    /// Bots evaluated.
    pub wakes: u64,
    /// Decisions to hold.
    pub holds: u64,
    /// Signals.
    pub signals: u64,
    /// Denials.
    pub denials: u64,
    /// Orders placed.
    pub orders: u64,
    /// Fills.
    pub fills: u64,
    /// Fills that left their order working.
    pub partial_fills: u64,
    /// Reports seen a second time and not applied.
    pub duplicate_reports: u64,
    /// Answers dropped as late or superseded.
    pub late_evaluations: u64,
    /// Alarms: what a person should look at, and that changes no state by itself.
    pub alarms: u64,
    /// Bot errors.
    pub bot_errors: u64,
}

/// A part of the desk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Whether it works.
    pub healthy: bool,
    /// Its state, as text.
    pub message: String,
    /// When it was started last; absent for what is no task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Instant>,
    /// When it ended; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Instant>,
    /// How often it was started again.
    #[serde(default)]
    pub restarts: u64,
    /// What its end means: "started again" or "ends the desk"; empty for what is no task.
    #[serde(default)]
    pub policy: String,
}

/// Fields of [`Status`] that are not in the view.
#[derive(Clone, Debug)]
pub(crate) struct StatusExtra {
    pub(crate) version: String,
    pub(crate) started_at: Instant,
    pub(crate) uptime_seconds: u64,
    pub(crate) mode: Mode,
    pub(crate) ready: bool,
    pub(crate) components: Vec<Component>,
}

impl Status {
    pub(crate) fn new(view: &DeskView, extra: StatusExtra, names: &Names) -> Self {
        let accounts = view.accounts.iter();
        let causes = view.causes.iter();
        let closed = view.last_close.at != tradewind_model::Timestamp::EPOCH;
        Self {
            seq: view.seq,
            at: view.at.into(),
            version: extra.version,
            build: Build::of(names.configuration()),
            started_at: extra.started_at,
            uptime_seconds: extra.uptime_seconds,
            mode: extra.mode,
            ready: extra.ready,
            state: view.state.into(),
            causes: causes.map(|cause| Cause::new(cause, names)).collect(),
            equity: Totals::of_desk(view, names),
            accounts: accounts.map(|one| AccountEquity::new(one, names)).collect(),
            bots: BotStates::of(view),
            last_close: closed.then(|| Close::new(&view.last_close)),
            counters: Counters::new(&view.counters),
            components: extra.components,
        }
    }
}

impl BotStates {
    /// The bots of a view by state.
    #[must_use]
    pub fn of(view: &DeskView) -> Self {
        let mut states = Self::default();
        for bot in &view.bots {
            states.total += 1;
            *match bot.state {
                InnerState::Stopped => &mut states.stopped,
                InnerState::Starting => &mut states.starting,
                InnerState::Warming => &mut states.warming,
                InnerState::Running => &mut states.running,
                InnerState::Paused => &mut states.paused,
                InnerState::Faulted => &mut states.faulted,
            } += 1;
        }
        states
    }
}

impl Close {
    fn new(view: &CloseView) -> Self {
        let denied = view.denied.iter();
        Self {
            at: view.at.into(),
            woke: view.woke,
            held: view.held,
            signals: view.signals,
            denied: denied
                .map(|(rule, count)| Denials {
                    rule: rule.to_string(),
                    name: rule.name().to_owned(),
                    count: *count,
                })
                .collect(),
            filled: view.filled,
            partly_filled: view.partly_filled,
        }
    }
}

impl Counters {
    const fn new(view: &InnerCounters) -> Self {
        Self {
            wakes: view.wakes,
            holds: view.holds,
            signals: view.signals,
            denials: view.denials,
            orders: view.orders,
            fills: view.fills,
            partial_fills: view.partial_fills,
            duplicate_reports: view.duplicate_reports,
            late_evaluations: view.late_evaluations,
            alarms: view.alarms,
            bot_errors: view.bot_errors,
        }
    }
}
