//! Puts records that were received slightly out of order back into the order in which they happened.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::Timestamp;

/// No record arrives later than this after one that happened after it.
const HORIZON: Duration = Duration::from_secs(5);

/// Holds records until nothing earlier can come. Records of one time keep the order in which they came.
#[derive(Debug)]
pub(super) struct Reorder<T> {
    held: BTreeMap<(Timestamp, u64), T>,
    arrivals: u64,
    newest: Timestamp,
}

impl<T> Default for Reorder<T> {
    fn default() -> Self {
        Self {
            held: BTreeMap::new(),
            arrivals: 0,
            newest: Timestamp::from_nanos(i64::MIN),
        }
    }
}

impl<T> Reorder<T> {
    pub(super) fn push(&mut self, at: Timestamp, record: T) {
        self.held.insert((at, self.arrivals), record);
        self.arrivals += 1;
        self.newest = self.newest.max(at);
    }

    /// The earliest record, once it is certain to be that; `ended` says that no more will come.
    pub(super) fn pop(&mut self, ended: bool) -> Option<(Timestamp, T)> {
        let first = self.held.first_entry()?;
        let (at, _) = *first.key();
        (ended || at + HORIZON < self.newest).then(|| (at, first.remove()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_out_in_order_of_time_and_equal_times_in_order_of_arrival() {
        let mut reorder = Reorder::default();
        let mut seen = Vec::new();
        for (second, name) in [
            (10, 'a'),
            (9, 'b'),
            (12, 'c'),
            (12, 'd'),
            (16, 'e'),
            (11, 'f'),
            (30, 'g'),
        ] {
            reorder.push(Timestamp::from_secs(second), name);
            while let Some((_, name)) = reorder.pop(false) {
                seen.push(name);
            }
        }
        while let Some((_, name)) = reorder.pop(true) {
            seen.push(name);
        }
        assert_eq!(seen.iter().collect::<String>(), "bafcdeg");
    }
}
