//! Reads of past candles, each with its own patience. A read that is given up answers with no candles.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_model::{InstrumentId, Interval, Timestamp};

use super::waits::{Retries, Retry, Urgency};
use crate::error::VenueError;

/// Reads that wait or are under way.
pub const CANDLE_READS_MAX: usize = 10_000;
/// Reads sent and not answered at once.
pub const CANDLE_READS_AT_ONCE: usize = 32;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CandleRead {
    pub(super) instrument: InstrumentId,
    pub(super) interval: Interval,
    pub(super) count: u32,
}

/// The reads of one account.
#[derive(Debug, Default)]
pub(super) struct CandleReads {
    reads: BTreeMap<u64, (CandleRead, Retry)>,
    due: BTreeSet<(Timestamp, u64)>,
    last: u64,
}

impl CandleReads {
    /// Queues a read of candles; false if too many reads wait.
    pub(super) fn request(&mut self, read: CandleRead, now: Timestamp) -> bool {
        if self.reads.len() >= CANDLE_READS_MAX {
            return false;
        }
        self.last += 1;
        self.reads.insert(self.last, (read, Retry::default()));
        self.due.insert((now, self.last));
        true
    }

    /// The next read to send at `now`, with its number.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<(u64, CandleRead)> {
        self.wake_at().filter(|at| *at <= now)?;
        let (_, number) = self.due.pop_first()?;
        self.reads.get(&number).map(|(read, _)| (number, *read))
    }

    /// When [`next`](Self::next) has something to send.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let sent = self.reads.len() - self.due.len();
        let (at, _) = self.due.first()?;
        (sent < CANDLE_READS_AT_ONCE).then_some(*at)
    }

    /// A read has its candles.
    pub(super) fn done(&mut self, number: u64) -> Option<CandleRead> {
        self.reads.remove(&number).map(|(read, _)| read)
    }

    /// A read failed: it is tried again, or given up and returned.
    pub(super) fn failed(
        &mut self,
        number: u64,
        error: &VenueError,
        retries: &mut Retries,
        now: Timestamp,
    ) -> Option<CandleRead> {
        let (_, retry) = self.reads.get_mut(&number)?;
        match retries.after((retry, Urgency::Candles), error, now) {
            Some(wait) => {
                self.due.insert((now + wait, number));
                None
            }
            None => self.done(number),
        }
    }
}
