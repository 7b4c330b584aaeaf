//! A market that was recorded: whoever owns the file feeds its records in, here they get their turn.

use std::iter::Peekable;
use std::time::Duration;

use tradewind_model::Timestamp;

use super::event::{MarketEvent, MarketRecord, MarketSource};

/// Plays records in order at the times they carry, moved by a fixed span.
///
/// Times must not decrease; a record that lies before its predecessor is played right after it.
#[derive(Debug)]
pub struct Recorded<I: Iterator<Item = (Timestamp, MarketRecord)>> {
    records: Peekable<I>,
    shift: Duration,
    /// Time of the next record, shifted.
    next: Option<Timestamp>,
}

impl<I: Iterator<Item = (Timestamp, MarketRecord)>> Recorded<I> {
    /// Plays `records` with each time moved forward by `shift`; zero plays them when they happened.
    pub fn new(records: I, shift: Duration) -> Self {
        let mut source = Self {
            records: records.peekable(),
            shift,
            next: None,
        };
        source.look_ahead(Timestamp::from_nanos(i64::MIN));
        source
    }

    fn look_ahead(&mut self, last: Timestamp) {
        let shift = self.shift;
        self.next = self.records.peek().map(|(at, _)| (*at + shift).max(last));
    }
}

impl<I: Iterator<Item = (Timestamp, MarketRecord)>> MarketSource for Recorded<I> {
    fn next_at(&self) -> Option<Timestamp> {
        self.next
    }

    fn advance(&mut self, until: Timestamp, sink: &mut dyn FnMut(Timestamp, MarketEvent<'_>)) {
        while let Some(at) = self.next.filter(|at| *at <= until) {
            if let Some((_, record)) = self.records.next() {
                sink(at, record.as_event());
            }
            self.look_ahead(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Depth, InstrumentId};

    fn record(second: i64) -> (Timestamp, MarketRecord) {
        let at = Timestamp::from_secs(second);
        let depth = Depth {
            instrument: InstrumentId(0),
            bids: vec![],
            asks: vec![],
            received_at: at,
        };
        (at, MarketRecord::Levels(depth))
    }

    #[test]
    fn records_come_in_order_at_their_shifted_times_and_once() {
        let mut source = Recorded::new(
            [5, 7, 6, 9].map(record).into_iter(),
            Duration::from_secs(100),
        );
        let mut seen = Vec::new();
        assert_eq!(source.next_at(), Some(Timestamp::from_secs(105)));
        for until in [104, 107, 107, 200] {
            source.advance(Timestamp::from_secs(until), &mut |at, _| {
                seen.push(at.as_nanos() / 1_000_000_000)
            });
        }
        assert_eq!(seen, [105, 107, 107, 109]);
        assert_eq!(source.next_at(), None);
    }
}
