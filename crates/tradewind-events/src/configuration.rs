//! The first input: everything the engine must know, so that a journal needs no other file to be replayed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    Account, AccountId, Amount, AssetId, AssetTable, BotId, ExitPlan, Instrument, InstrumentId,
    Interval, OnExpiry, OrderPolicy, Parameter, Ppm, Protections, Sizer, Universe,
};
use tradewind_risk::Limits;

/// The desk as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    /// All assets.
    pub assets: AssetTable,
    /// The asset in which equity and limits are expressed.
    pub report_asset: AssetId,
    /// Venues by name, in the order of their ids.
    pub venues: Vec<String>,
    /// Accounts, in the order of their ids.
    pub accounts: Vec<Account>,
    /// Instruments with their filters, in the order of their ids.
    pub instruments: Vec<Instrument>,
    /// Bots, in the order of their ids.
    pub bots: Vec<BotConfig>,
    /// Limits.
    pub limits: Limits,
    /// Worst fee the venues take, as a share of an order's value.
    pub fee: Ppm,
    /// How long between two bots' starts.
    pub stagger: Duration,
    /// Silence after which an instrument is stale; the longest one where [`own_gaps`](Self::own_gaps) is set.
    pub stale_after: Duration,
    /// Whether each instrument is stale by its own gaps, and a quote that says nothing new is silence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_gaps: bool,
    /// How often an equity snapshot is taken.
    pub equity_every: Duration,
    /// Where candles come from.
    pub candles: CandleSource,
    /// Whether a `price_update` event is made of each quote, or only of those that led to a signal.
    pub announce_quotes: bool,
    /// Distance of the stops at the venue, as a multiple of the distance of the stop that the engine watches; `None`: no
    /// stop is placed at the venue.
    #[serde(default)]
    pub venue_stop_distance: Option<Ppm>,
    /// What becomes of entries that a restart finds resting.
    #[serde(default)]
    pub on_restart: OnRestart,
    /// The least time of a deadline of the engine, on a clock that runs faster than real time: sockets do not get faster with
    /// it. Zero in real time.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub deadline_min: Duration,
    /// Second sources of prices, at most one for each instrument.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<PriceReference>,
    /// Full names of the series of numbers that sources may send; `None` for any, as in journals of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<Vec<String>>,
    /// Which program and which settings this is; `None` outside of a desk, and in journals of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Box<Build>>,
    /// Number of the set of bots that was applied last; 0 before the first, and in journals of before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bots_revision: u32,
    /// The bots that were applied last, as written; `None` while the bots are those of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bots_text: Option<Box<str>>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Which program and which settings a desk runs with (P09). Settings are kept as hashes: the journal holds no value of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The version of the program.
    pub version: String,
    /// SHA-256 of the executable, in hexadecimal digits; empty if it cannot be read.
    pub binary: String,
    /// SHA-256 over all settings in force.
    pub configuration: String,
    /// By key, the beginning of the SHA-256 of each setting's value.
    pub settings: BTreeMap<String, String>,
    /// What differs from the start before: `binary`, and keys of settings.
    pub changed: Vec<String>,
}

/// A second source of an instrument's price, which entries are compared with (R11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceReference {
    /// What is traded.
    pub instrument: InstrumentId,
    /// Whose mid it is compared with.
    pub source: InstrumentId,
    /// How far the mids may be apart, as a share of the source's.
    pub within: Ppm,
}

impl Configuration {
    /// The instrument of a dense id.
    ///
    /// # Panics
    /// If there is none: ids come from this configuration.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> &Instrument {
        &self.instruments[id.index()]
    }
}

/// What becomes of entries that rest at a venue when the desk starts again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnRestart {
    /// They stay for as long as their policy says.
    #[default]
    Keep,
    /// They are cancelled.
    Cancel,
}

/// Where candles come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CandleSource {
    /// From the venue.
    #[default]
    Venue,
    /// Built by the engine from public trades.
    Trades,
}

/// A bot: a strategy over a set of instruments, with a budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotConfig {
    /// Its dense id.
    pub id: BotId,
    /// Its name in the configuration, what people and the API call it.
    pub name: String,
    /// Name of its strategy.
    pub strategy: String,
    /// Version of the strategy, so that saved state is not fed to another.
    pub strategy_version: u32,
    /// Parameters of the strategy; those not given take the strategy's defaults.
    pub parameters: BTreeMap<String, Parameter>,
    /// Account it trades on.
    pub account: AccountId,
    /// Instruments it trades.
    pub instruments: Vec<InstrumentId>,
    /// Instruments it reads besides.
    pub reads: Vec<InstrumentId>,
    /// What wakes it.
    pub wakes: Vec<WakeRule>,
    /// What it may use, in the quote asset of its instruments; zero where it is a share.
    pub budget: Amount,
    /// What it may use, as a share of its account's equity: anew each UTC day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_share: Option<Ppm>,
    /// How many positions it may hold at once.
    pub positions_max: u32,
    /// How a target becomes a quantity.
    pub sizer: Sizer,
    /// How its positions are guarded.
    pub exit: ExitPlan,
    /// How its intents become orders.
    pub policy: OrderPolicy,
    /// Where its strategy runs.
    pub lane: Lane,
    /// Whether it starts with the desk.
    pub starts: bool,
    /// Grows with each change of the bot.
    pub revision: u32,
    /// The outside process that steers it, for the strategy `external`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalControl>,
    /// When it opens no new position for a while.
    #[serde(default, skip_serializing_if = "Protections::is_empty")]
    pub protections: Protections,
    /// The process that its strategy runs in, for a strategy of the user's own file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Box<StrategyProcess>>,
    /// How those of its instruments are chosen that it may enter; all of them where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub universe: Option<Universe>,
}

/// The process of a strategy that a user's file holds. The journal keeps it, so that a replay needs no file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyProcess {
    /// `python`, `freqtrade`, or `model`.
    pub kind: String,
    /// The file; of a model the folder of its version.
    pub file: String,
    /// The strategy's class in it.
    pub class: String,
    /// SHA-256 of the file, in hexadecimal digits.
    pub hash: String,
    /// The interpreter, as configured.
    pub interpreter: String,
    /// The candles that the strategy is fed, each with the number of closed ones before its first decision. It decides on the first.
    pub timeframes: Vec<(Interval, u32)>,
    /// Whether it answers by columns.
    pub has_signals: bool,
    /// How long an evaluation may take before the process is killed.
    pub deadline: Duration,
    /// What the process may map, in bytes.
    pub memory_bytes: u64,
    /// Bots of one group share a process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl StrategyProcess {
    /// The kind of a process that holds a model.
    pub const MODEL: &'static str = "model";

    /// The interval of the candles that it decides on.
    #[must_use]
    pub fn base(&self) -> Interval {
        let first = self.timeframes.first();
        first.map_or(Interval::Minute5, |(interval, _)| *interval)
    }
}

/// How an outside process steers a bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalControl {
    /// The source whose targets the bot follows. Those of others are refused.
    pub source: String,
    /// What becomes of a position when its target expires.
    pub on_expiry: OnExpiry,
}

/// What wakes a bot, for each of its instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WakeRule {
    /// Each quote.
    Quotes,
    /// The close of each candle; without `decide` the strategy is fed but not evaluated.
    Candles(Interval),
    /// An interval of its own, aligned to the clock: every 15 minutes is :00, :15, :30, :45.
    Every(Duration),
    /// The same, so much later: every day at 00:05.
    EveryAt {
        /// The interval.
        every: Duration,
        /// How long after each multiple of it, less than the interval.
        offset: Duration,
    },
}

/// Where a strategy's code runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lane {
    /// In the engine's own thread: built-in, bounded strategies.
    #[default]
    Inline,
    /// In a thread of its own: trusted code that may be slow.
    Thread,
    /// In a process of its own: a strategy of the user's own file.
    Process,
}

/// The second input: which start of which desk this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// The data directory's own number, drawn when it was made.
    pub instance: u32,
    /// Counts the starts of this instance, from 1; never used twice.
    pub epoch: u32,
    /// Whether the kill latch was set on disk.
    pub killed: bool,
    /// The numbers of the data directories that this one was copied or restored from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<u32>,
}
