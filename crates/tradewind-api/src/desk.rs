//! The interface to the desk that the API needs.
//!
//! The API depends on neither engine nor driver nor venues. The binary implements [`Desk`] over them; tests implement it over a
//! view they made up. Events come from the bus and its log, history from the projection.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tradewind_bus::{EventLog, Subscription, SubscriptionOptions};
use tradewind_events::{Command, CommandId, CommandResult, Configuration, DeskView, Principal};
use tradewind_model::{AccountId, Amount, AssetId, Candle, InstrumentId, Interval, Timestamp};
use tradewind_storage::Readers;

use crate::wire::{Component, LogLine, Mode, Queue};

/// A boxed future, so that `dyn Desk` can have async methods.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The desk as the API sees it.
pub trait Desk: Debug + Send + Sync + 'static {
    /// What the desk is and since when; the same for as long as it runs.
    fn about(&self) -> About;

    /// The configuration in force, with the venue's current filters.
    fn configuration(&self) -> Arc<Configuration>;

    /// Now, by the desk's clock.
    fn now(&self) -> Timestamp;

    /// A snapshot of the engine's state after some input: the newest, or one at most 100 ms old.
    fn view(&self) -> Answer<'_, Result<Arc<DeskView>, DeskError>>;

    /// Carries out a command, waiting at most 5 s for the engine's answer. For a kill the latch is set before the
    /// command is handed to the engine, so an error here does not mean that the kill did not hold.
    fn command(&self, command: Command) -> Answer<'_, Result<CommandResult, DeskError>>;

    /// Puts the bots of a text in place of those in force, or says what that would change.
    fn apply_bots(&self, request: BotsToApply) -> Answer<'_, Result<BotsApplied, ApplyBotsError>> {
        drop(request);
        Box::pin(async { Err(ApplyBotsError::Unavailable) })
    }

    /// A subscription to the desk's bus.
    fn subscribe(&self, options: SubscriptionOptions) -> Subscription;

    /// The event log, from which a stream resumes after a break.
    fn log(&self) -> Arc<dyn EventLog>;

    /// History: orders, fills, equity, events, as the projection has them.
    fn history(&self) -> Arc<Readers>;

    /// The newest closed candles from the venue, oldest first.
    fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        limit: u32,
    ) -> Answer<'_, Result<Vec<Candle>, DeskError>>;

    /// The balances of each account as last read from its venue; empty before the first reading.
    fn venue_balances(&self) -> Vec<VenueBalances>;

    /// Queues as they are now.
    fn queues(&self) -> Vec<Queue>;

    /// Why instruments have no data although their source is tried on: it cannot be reached, or refuses.
    fn feed_problems(&self) -> BTreeMap<InstrumentId, String> {
        BTreeMap::new()
    }

    /// How the parts of the desk are.
    fn health(&self) -> Health;

    /// The newest lines of the log, newest first.
    fn logs(&self, limit: usize) -> Vec<LogLine>;
}

/// Why the desk has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// Not in time; a command may still be carried out.
    #[error("the desk did not answer in time")]
    Timeout,
    /// The engine, the venue or the history cannot be reached now.
    #[error("{0} cannot be reached")]
    Unavailable(String),
}

/// Bots to be put in place of those in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotsToApply {
    /// The command's identity.
    pub id: CommandId,
    /// Who wants it.
    pub principal: Principal,
    /// When it was requested.
    pub issued_at: Timestamp,
    /// After which it is refused.
    pub expires_at: Option<Timestamp>,
    /// What errors call the text.
    pub file: String,
    /// `[[bots]]` as TOML, alone or in a whole configuration.
    pub text: String,
    /// Whether only the difference is wanted.
    pub dry_run: bool,
}

/// Bots that were put in place of those in force, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotsApplied {
    /// Number of the set of bots that is in force then.
    pub revision: u32,
    /// What differs from the bots before, a line for each bot; empty if nothing does.
    pub changes: Vec<String>,
}

/// Why bots were not applied. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyBotsError {
    /// All that is wrong with them, each with its place and what to write.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
    /// The engine's refusal.
    #[error("{0}")]
    Refused(String),
    /// The engine cannot be reached.
    #[error("the engine cannot be reached")]
    Unavailable,
}

/// The balances of one account at its venue, and the view to compare them with.
#[derive(Clone, Debug)]
pub struct VenueBalances {
    /// Which account.
    pub account: AccountId,
    /// When it was read, by the desk's clock.
    pub read_at: Timestamp,
    /// The desk at the same point: no fill lies between the two.
    pub view: Arc<DeskView>,
    /// The venue's figures.
    pub balances: Vec<VenueBalance>,
}

/// The balance of one asset at a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueBalance {
    /// Which asset.
    pub asset: AssetId,
    /// Free.
    pub free: Amount,
    /// Locked in open orders.
    pub locked: Amount,
}

/// What the desk is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Version of Tradewind.
    pub version: String,
    /// When it started, by its own clock.
    pub started_at: Timestamp,
    /// What it runs on, for the banner.
    pub mode: Mode,
}

/// How the desk is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// Whether the desk is reconciled and may trade.
    pub ready: bool,
    /// Its parts.
    pub components: Vec<Component>,
    /// How long things take.
    pub stages: Vec<StageTimes>,
    /// How much of each rate budget is used.
    pub rates: Vec<RateUse>,
    /// Processor time that the engine's thread has used, if the system counts it.
    pub engine_thread_time: Option<Duration>,
    /// How far the journal's writer is behind the engine, in microseconds.
    pub journal_lag_us: u64,
    /// Messages received per feed: quotes, trades, candles, reports.
    pub feed_messages: Vec<(String, u64)>,
}

/// How long one stage takes: a histogram with bounds that double from 1 µs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// `receive`, `engine`, `evaluate`, `risk`, `send`, `ack` or `sse`.
    pub name: String,
    /// How often it took up to 2^i microseconds, and more than 2^(i-1); the last counts all above.
    pub buckets: [u64; Self::BUCKETS],
    /// All the time it took, in microseconds.
    pub sum_us: u64,
    /// The longest, in microseconds.
    pub max_us: u64,
}

/// How much of a rate budget is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateUse {
    /// Whose: `binance request weight`.
    pub name: String,
    /// Used in the running window.
    pub used: u64,
    /// Allowed in a window.
    pub limit: u64,
}

impl StageTimes {
    /// Bounds from 1 µs to 2^23 µs, about 8 s, and one bucket above.
    pub const BUCKETS: usize = 25;

    /// Counts one run of the stage.
    pub fn record(&mut self, micros: u64) {
        let bits = u64::BITS - micros.saturating_sub(1).leading_zeros();
        let bucket = (bits as usize).min(Self::BUCKETS - 1);
        self.buckets[bucket] += 1;
        self.sum_us = self.sum_us.saturating_add(micros);
        self.max_us = self.max_us.max(micros);
    }

    /// How often it ran.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The time within which `percent` of the runs were done, rounded up to the bucket's bound.
    #[must_use]
    pub fn percentile_us(&self, percent: u64) -> u64 {
        let wanted = (self.count() * percent).div_ceil(100);
        let mut seen = 0;
        for (power, count) in (0_u32..).zip(&self.buckets) {
            seen += count;
            if seen >= wanted {
                return (1_u64 << power).min(self.max_us);
            }
        }
        self.max_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_counts_into_buckets_that_double() {
        let mut stage = StageTimes::default();
        for micros in [0, 1, 2, 3, 4, 1_000, 60_000_000] {
            stage.record(micros);
        }
        assert_eq!(stage.buckets[..3], [2, 1, 2]);
        assert_eq!(stage.buckets[10], 1);
        assert_eq!(stage.buckets[StageTimes::BUCKETS - 1], 1);
        assert_eq!((stage.count(), stage.max_us), (7, 60_000_000));
        assert_eq!(stage.percentile_us(50), 4);
        assert_eq!(stage.percentile_us(99), 1 << 24);
    }
}
