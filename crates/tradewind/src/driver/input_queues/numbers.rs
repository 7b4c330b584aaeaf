//! The latest number of each named series.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::{Input, SeriesPoint};

use super::stats::{Counters, QueueStats};

/// Series that may wait; a further one is dropped and counted.
const SERIES_MAX: usize = 1_000;

/// One slot per series: a flood of one neither grows it nor takes another's place.
#[derive(Debug, Default)]
pub(super) struct NumberQueue {
    waiting: BTreeMap<String, Box<SeriesPoint>>,
    counters: Counters,
}

impl NumberQueue {
    /// Puts a number in its series' slot.
    pub(super) fn put(&mut self, point: Box<SeriesPoint>) {
        let is_full = self.waiting.len() == SERIES_MAX;
        if let Some(slot) = self.waiting.get_mut(&point.name) {
            // An older number that comes late must not take the place of a newer one.
            if point.event_time >= slot.event_time {
                *slot = point;
            }
            self.counters.conflated();
        } else if is_full {
            self.counters.dropped();
        } else {
            self.waiting.insert(point.name.clone(), point);
            self.counters.published(self.waiting.len());
        }
    }

    /// Takes everything out.
    pub(super) fn take(&mut self, into: &mut VecDeque<Input>) {
        let waiting = std::mem::take(&mut self.waiting);
        into.extend(waiting.into_values().map(Input::Series));
    }

    pub(super) fn stats(&self) -> QueueStats {
        let depth = self.waiting.len();
        self.counters
            .stats("lane.numbers", "latest", depth, SERIES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Decimal, Timestamp};

    fn point(name: &str, value: i64) -> Box<SeriesPoint> {
        Box::new(SeriesPoint {
            name: name.to_owned(),
            instrument: None,
            value: Decimal::whole(value),
            event_time: None,
            received_at: Timestamp::EPOCH,
            max_age: None,
        })
    }

    #[test]
    fn a_flood_of_one_series_is_one_input_and_takes_no_others_place() {
        let (mut queue, mut taken) = (NumberQueue::default(), VecDeque::new());
        queue.put(point("daily", 7));
        for value in 0..100_000 {
            queue.put(point("flood", value));
        }
        let mut late = point("late", 1);
        late.event_time = Some(Timestamp::EPOCH);
        let mut newer = point("late", 2);
        newer.event_time = Some(Timestamp::from_secs(1));
        queue.put(newer.clone());
        queue.put(late);
        queue.take(&mut taken);
        assert_eq!(taken.pop_back(), Some(Input::Series(newer)));
        let wanted = [point("daily", 7), point("flood", 99_999)].map(Input::Series);
        assert_eq!(taken, wanted);
        for series in 0..2_000 {
            queue.put(point(&series.to_string(), 1));
        }
        taken.clear();
        queue.take(&mut taken);
        assert_eq!(taken.len(), SERIES_MAX);
    }
}
