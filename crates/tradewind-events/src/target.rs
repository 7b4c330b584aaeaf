//! Targets of outside processes: what a house source sends, and how the desk shows it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{BotId, Decimal, InstrumentId, StandingTarget, Timestamp};

/// A target from further ahead of the clock is refused: it would keep newer ones away.
const AHEAD_MAX: Duration = Duration::from_secs(5);
/// Longest time for which a target counts after it was read.
const COUNTS_MAX: Duration = Duration::from_secs(7 * 86_400);

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

/// What makes a target invalid for every bot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetFault {
    /// More than all of the budget, either way.
    #[error("the exposure {0} is beyond 1")]
    Beyond(Decimal),
    /// Decided in the future.
    #[error("its time is more than 5 s in the future")]
    Future,
    /// It never counts.
    #[error("it expires before its own time")]
    NeverValid,
    /// It counts for too long.
    #[error("it expires more than 7 days ahead")]
    CountsLong,
}

impl ExternalTarget {
    /// Whether its exposure and its times are in their ranges, whatever bot it names.
    ///
    /// # Errors
    /// [`TargetFault`]: the first that is not.
    pub fn check(&self) -> Result<(), TargetFault> {
        let range = Decimal::whole(-1)..=Decimal::whole(1);
        if !range.contains(&self.exposure) {
            return Err(TargetFault::Beyond(self.exposure));
        }
        if self.event_time > self.received_at + AHEAD_MAX {
            return Err(TargetFault::Future);
        }
        if self.expires <= self.event_time {
            return Err(TargetFault::NeverValid);
        }
        if self.expires > self.received_at + COUNTS_MAX {
            return Err(TargetFault::CountsLong);
        }
        Ok(())
    }
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
