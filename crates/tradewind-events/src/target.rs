//! Targets of outside processes: what a house source sends, and how the desk shows it.

use serde::{Deserialize, Serialize};
use tradewind_model::{BotId, Decimal, InstrumentId, StandingTarget, Timestamp};

/// A target as a house source sent it. Names are the source's: the engine finds what they name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalTarget {
    /// The source that sent it.
    pub source: String,
    /// Name of the bot.
    pub bot: String,
    /// Full name of the instrument: `binance:BTC/USDT`.
    pub instrument: String,
    /// Signed share of the bot's budget; 1 is all of it long.
    pub exposure: Decimal,
    /// When it was decided, by the source.
    pub event_time: Timestamp,
    /// From then on it counts no more.
    pub expires: Timestamp,
    /// Its number, where the source gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// When the socket was read.
    pub received_at: Timestamp,
}

/// The newest target of a bot in an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    /// The bot.
    pub bot: BotId,
    /// The instrument.
    pub instrument: InstrumentId,
    /// The source that steers the bot.
    pub source: String,
    /// Its newest target; `None` before the first.
    pub target: Option<StandingTarget>,
    /// Whether it has expired.
    pub is_expired: bool,
}

/// What a source sent of targets, counted since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// The source.
    pub source: String,
    /// Whether it is connected and subscribed.
    pub is_live: bool,
    /// Targets that were taken.
    pub taken: u64,
    /// Targets that were not newer than the one there was.
    pub ignored: u64,
    /// Targets that were refused, unreadable ones among them.
    pub refused: u64,
    /// Why the last one was refused.
    pub last_refusal: Option<String>,
}
