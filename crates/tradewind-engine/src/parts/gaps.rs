//! How long an instrument is usually silent: the times between two changes of its quote, counted in a histogram of bounded size.
//!
//! A busy instrument is stale within seconds, a quiet one after a minute. All is in whole milliseconds and counts, so that the same
//! quotes give the same limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Silence that no instrument is stale for, however busy it is.
pub(crate) const LEAST: Duration = Duration::from_secs(2);
/// Silence that no instrument is live after, however quiet it is.
const MOST: Duration = Duration::from_secs(60);
/// The limit while little is known.
const UNKNOWN: Duration = Duration::from_secs(10);
/// The weight of a new gap. Halved ten times it is still there, so that a tail of single gaps is not rounded away.
const ONE: u32 = 1_024;
/// Gaps that say enough for a limit below [`UNKNOWN`].
const ENOUGH: u32 = 1_000 * ONE;
/// Gaps that say enough for a longer one.
const FEW: u32 = 50 * ONE;
/// The limit is this multiple of the gap that one in a thousand exceeds.
const TIMES: u32 = 5;
/// With so many gaps counted, all weights are halved: older ones count less.
const HALVED_AT: u32 = 10_000 * ONE;
/// Four buckets an octave, up to 65.535 s.
const BUCKETS: usize = 60;
const LONGEST_MS: u64 = 65_535;

/// Weights of gaps by their length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gaps {
    /// Empty until the first gap.
    weights: Vec<u32>,
    total: u32,
}

impl Gaps {
    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Counts a gap.
    pub(crate) fn note(&mut self, gap: Duration) {
        if self.weights.is_empty() {
            self.weights = vec![0; BUCKETS];
        }
        self.weights[bucket(gap)] += ONE;
        self.total += ONE;
        if self.total >= HALVED_AT {
            self.weights.iter_mut().for_each(|weight| *weight /= 2);
            self.total = self.weights.iter().sum();
        }
    }

    /// Silence after which the instrument is stale.
    pub(crate) fn limit(&self) -> Duration {
        let own = (self.rare() * TIMES).clamp(LEAST, MOST);
        match self.total {
            ENOUGH.. => own,
            FEW.. => own.max(UNKNOWN),
            _ => UNKNOWN,
        }
    }

    /// The gap that one in a thousand exceeds, rounded up to the end of its bucket; the longest while there are fewer.
    fn rare(&self) -> Duration {
        let (beyond, mut seen) = (self.total / 1_000, 0);
        for (index, weight) in self.weights.iter().enumerate().rev() {
            seen += weight;
            if seen > beyond {
                return Duration::from_millis(end(index));
            }
        }
        Duration::ZERO
    }
}

/// The bucket of a gap.
fn bucket(gap: Duration) -> usize {
    let ms = u64::try_from(gap.as_millis())
        .unwrap_or(LONGEST_MS)
        .min(LONGEST_MS);
    let index = match ms.checked_ilog2() {
        None | Some(0 | 1) => ms,
        Some(octave) => u64::from(octave - 1) * 4 + ((ms >> (octave - 2)) & 3),
    };
    usize::try_from(index)
        .unwrap_or(BUCKETS - 1)
        .min(BUCKETS - 1)
}

/// The longest gap of a bucket, in milliseconds.
const fn end(index: usize) -> u64 {
    let index = index as u64;
    if index < 4 {
        return index;
    }
    ((index % 4 + 5) << (index / 4 - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn gaps(of: &[(u64, u32)]) -> Gaps {
        let mut gaps = Gaps::default();
        for (gap, count) in of {
            (0..*count).for_each(|_| gaps.note(ms(*gap)));
        }
        gaps
    }

    #[test]
    fn every_gap_is_in_a_bucket_that_ends_at_most_a_quarter_later() {
        let mut before = 0;
        for gap in 0..=LONGEST_MS {
            let index = bucket(ms(gap));
            assert!(index == before || index == before + 1, "{gap}");
            assert!(gap <= end(index) && end(index) <= gap + gap / 4, "{gap}");
            before = index;
        }
        assert_eq!((before, bucket(Duration::MAX)), (BUCKETS - 1, BUCKETS - 1));
    }

    #[test]
    fn the_limit_is_five_times_the_gap_that_one_in_a_thousand_exceeds() {
        let limit = |of: &[(u64, u32)]| gaps(of).limit();
        assert_eq!(limit(&[]), UNKNOWN);
        assert_eq!(limit(&[(13_000, 49)]), UNKNOWN, "too few to say");
        // 13 s are in the bucket that ends at 14.335 s.
        assert_eq!(limit(&[(13_000, 50)]), MOST);
        assert_eq!(limit(&[(100, 999)]), UNKNOWN, "too few for a shorter one");
        assert_eq!(limit(&[(100, 1_000)]), LEAST);
        // Two of 2,000 may exceed it, three may not: 700 ms are in the bucket that ends at 767 ms.
        assert_eq!(limit(&[(100, 1_998), (700, 2)]), LEAST);
        assert_eq!(limit(&[(100, 1_997), (700, 3)]), ms(5 * 767));
        assert_eq!(limit(&[(60_000, 2_000)]), MOST);
    }

    #[test]
    fn old_gaps_fade_and_the_size_is_bounded() {
        let mut gaps = gaps(&[(13_000, 5_000)]);
        assert_eq!(gaps.limit(), MOST);
        for _ in 0..200_000 {
            gaps.note(ms(10));
            assert!(gaps.total < HALVED_AT && gaps.weights.len() == BUCKETS);
        }
        assert_eq!(gaps.limit(), LEAST);
    }

    /// One gap in 500 is of 1 s to 12 s, evenly: one in 1,000 exceeds 6.5 s, in the bucket that ends at 7.167 s.
    #[test]
    fn a_tail_over_many_buckets_outlasts_the_halvings() {
        let mut gaps = Gaps::default();
        for number in 0..100_000_u64 {
            let rare = 1_000 + number / 500 * 6_800 % 11_000;
            gaps.note(ms(if number % 500 == 499 { rare } else { 100 }));
            let limit = gaps.limit();
            assert!(
                number < 5_000 || (ms(25_000)..ms(45_000)).contains(&limit),
                "{limit:?} after {number}"
            );
        }
    }
}
