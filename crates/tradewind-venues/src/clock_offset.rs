//! How far the venue's clock is from ours, and how sure we are.
//!
//! A machine without I/O. Of the samples of the last ten minutes the one with the shortest round trip is used, since
//! the truth lies within half a round trip of its middle; quartz drift is added for the sample's age. Samples whose
//! intervals do not meet cannot both be true: one of the clocks was set between them, and the older one is forgotten.

use std::collections::VecDeque;
use std::time::Duration;

use tradewind_model::Timestamp;

/// One exchange of times with the venue, all in the desk's time but the venue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetSample {
    /// When the question left.
    pub sent_at: Timestamp,
    /// The time of the venue's clock.
    pub venue_time: Timestamp,
    /// When the answer was there.
    pub received_at: Timestamp,
}

impl OffsetSample {
    fn round_trip_nanos(&self) -> i64 {
        self.received_at.as_nanos() - self.sent_at.as_nanos()
    }

    fn offset_nanos(&self) -> i64 {
        let middle = self.sent_at.as_nanos() + self.round_trip_nanos() / 2;
        self.venue_time.as_nanos().saturating_sub(middle)
    }

    /// Whether one offset can explain both this sample and a later one, as far as clocks drift apart meanwhile.
    fn meets(&self, later: &Self) -> bool {
        let apart = self.offset_nanos().abs_diff(later.offset_nanos());
        let reach = uncertainty_nanos(self, later.received_at)
            .saturating_add(later.round_trip_nanos() / 2)
            .saturating_add(1);
        apart <= reach.unsigned_abs()
    }
}

/// The venue's clock relative to ours.
#[derive(Clone, Debug, Default)]
pub struct ClockOffset {
    samples: VecDeque<OffsetSample>,
}

const SAMPLES_MAX: usize = 64;
const SAMPLE_AGE_MAX: Duration = Duration::from_secs(600);
/// A cheap quartz drifts by up to 200 parts in a million.
const DRIFT_PPM: i64 = 200;

impl ClockOffset {
    /// Takes in a sample and forgets those that a step of one of the clocks made wrong. A sample that ended before it
    /// began is a clock that was set and is thrown away with all before it.
    pub fn add(&mut self, sample: OffsetSample) {
        if sample.round_trip_nanos() < 0 {
            self.samples.clear();
            return;
        }
        let fresh = |old: &OffsetSample| {
            sample.received_at.since(old.received_at) <= SAMPLE_AGE_MAX
                && old.received_at <= sample.received_at
                && old.meets(&sample)
        };
        self.samples.retain(fresh);
        if self.samples.len() == SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// The time of the venue's clock at `now` of ours; `now` itself before the first sample.
    #[must_use]
    pub fn venue_time(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_nanos(now.as_nanos().saturating_add(self.offset_nanos(now)))
    }

    /// The venue's clock minus ours, in nanoseconds.
    #[must_use]
    pub fn offset_nanos(&self, now: Timestamp) -> i64 {
        self.best(now).map_or(0, OffsetSample::offset_nanos)
    }

    /// How far the offset may be wrong: half the round trip and the drift since; `None` while nothing is known.
    #[must_use]
    pub fn uncertainty(&self, now: Timestamp) -> Option<Duration> {
        let nanos = uncertainty_nanos(self.best(now)?, now);
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)))
    }

    fn best(&self, now: Timestamp) -> Option<&OffsetSample> {
        self.samples
            .iter()
            .min_by_key(|sample| uncertainty_nanos(sample, now))
    }
}

fn uncertainty_nanos(sample: &OffsetSample, now: Timestamp) -> i64 {
    let age = now.as_nanos().saturating_sub(sample.received_at.as_nanos());
    sample.round_trip_nanos() / 2 + age.max(0) / 1_000_000 * DRIFT_PPM
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn sample(sent: i64, venue: i64, received: i64) -> OffsetSample {
        OffsetSample {
            sent_at: ms(sent),
            venue_time: ms(venue),
            received_at: ms(received),
        }
    }

    #[test]
    fn the_shortest_round_trip_is_believed() {
        let mut offset = ClockOffset::default();
        assert_eq!(
            (offset.venue_time(ms(5)), offset.uncertainty(ms(5))),
            (ms(5), None)
        );
        offset.add(sample(1_000, 6_400, 1_800));
        offset.add(sample(2_000, 7_010, 2_020));
        offset.add(sample(3_000, 8_900, 4_000));
        assert_eq!(offset.venue_time(ms(4_000)), ms(9_000));
        let uncertainty = offset.uncertainty(ms(4_000)).unwrap();
        assert_eq!(uncertainty.as_micros(), 10_000 + 396);
    }

    #[test]
    fn an_hour_of_skew_is_corrected_like_any_other() {
        let mut offset = ClockOffset::default();
        offset.add(sample(1_000, 1_000 - 3_600_000, 1_000));
        assert_eq!(offset.venue_time(ms(2_000)), ms(2_000 - 3_600_000));
    }

    /// T01: after a step of either clock the next sample counts at once, and its claim is honest.
    #[test]
    fn a_step_is_followed_by_the_next_sample() {
        for step in [500, -500, 5_000, -5_000, 3_600_000, -3_600_000] {
            let mut offset = ClockOffset::default();
            for minute in 0..5 {
                let sent = minute * 60_000;
                offset.add(sample(sent, sent + 10, sent + 20));
            }
            // The sample after the step has a longer round trip than those before.
            offset.add(sample(300_000, 300_000 + step + 40, 300_050));
            let now = ms(300_050);
            let error = (offset.offset_nanos(now) / 1_000_000 - step).unsigned_abs();
            let claim = offset.uncertainty(now).unwrap();
            assert_eq!(claim, Duration::from_millis(25), "{step}");
            assert!(u128::from(error) <= claim.as_millis(), "{step}: {error} ms");
        }
    }

    /// T01: a drift of 200 parts in a million is no step, and stays within the claim.
    #[test]
    fn drift_is_followed_without_forgetting() {
        for drift in [200, -200] {
            let mut offset = ClockOffset::default();
            for minute in 0..30_i64 {
                let sent = minute * 60_000;
                let truth = sent * drift / 1_000_000;
                offset.add(sample(sent, sent + 10 + truth, sent + 20));
                assert_eq!(
                    offset.samples.len(),
                    usize::try_from(minute + 1).unwrap().min(11)
                );
                let now = sent + 59_000;
                let truth = now * drift / 1_000_000;
                let error = (offset.offset_nanos(ms(now)) / 1_000_000 - truth).unsigned_abs();
                let claim = offset.uncertainty(ms(now)).unwrap().as_millis();
                assert!(
                    u128::from(error) <= claim + 1,
                    "{drift}: {error} ms, {claim} claimed"
                );
            }
        }
    }

    #[test]
    fn a_clock_set_back_starts_over() {
        let mut offset = ClockOffset::default();
        offset.add(sample(1_000, 6_000, 1_010));
        offset.add(sample(2_000, 7_000, 1_900));
        assert_eq!(offset.uncertainty(ms(2_000)), None);
    }

    proptest! {
        #[test]
        fn the_true_offset_lies_within_the_uncertainty(
            truth in -10_000_i64..10_000,
            trips in proptest::collection::vec((0_i64..500, 0_i64..500), 1..20),
        ) {
            let mut offset = ClockOffset::default();
            let mut now = 1_000_000;
            for (out, back) in trips {
                offset.add(sample(now, now + out + truth, now + out + back));
                now += 1_000;
            }
            let error = offset.offset_nanos(ms(now)) / 1_000_000 - truth;
            let allowed = offset.uncertainty(ms(now)).unwrap().as_millis();
            prop_assert!(u128::from(error.unsigned_abs()) <= allowed + 1);
        }
    }
}
