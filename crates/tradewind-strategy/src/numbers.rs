//! Numbers of named series, such as an index or a funding rate, that strategies may read.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{Decimal, Timestamp};

/// Most series that are kept; a further one is refused.
const SERIES_MAX: usize = 1_000;

/// The latest number of each named series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers(BTreeMap<String, Kept>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    value: Decimal,
    at: Timestamp,
    max_age: Option<Duration>,
}

/// A number as a strategy reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub value: Decimal,
    /// How old it is.
    pub age: Duration,
}

static NONE: Numbers = Numbers(BTreeMap::new());

impl Numbers {
    /// No numbers.
    #[must_use]
    pub fn none() -> &'static Self {
        &NONE
    }

    /// Keeps a number that was so at a time, unless a later one is there already or too many series are.
    pub fn keep(
        &mut self,
        name: &str,
        value: Decimal,
        at: Timestamp,
        max_age: Option<Duration>,
    ) -> bool {
        let number = Kept { value, at, max_age };
        let is_full = self.0.len() == SERIES_MAX;
        match self.0.get_mut(name) {
            Some(kept) if kept.at > at => false,
            Some(kept) => {
                *kept = number;
                true
            }
            None if is_full => false,
            None => {
                self.0.insert(name.to_owned(), number);
                true
            }
        }
    }

    /// The latest number of a series, unless it is older than it may be.
    #[must_use]
    pub fn get(&self, name: &str, now: Timestamp) -> Option<Number> {
        let kept = self.0.get(name)?;
        let age = now.since(kept.at);
        let is_of_use = kept.max_age.is_none_or(|max_age| age <= max_age);
        is_of_use.then_some(Number {
            value: kept.value,
            age,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn the_latest_number_is_read_until_it_is_too_old() {
        let mut numbers = Numbers::default();
        let minute = Some(Duration::from_secs(60));
        assert!(numbers.keep("fear", Decimal::whole(1), at(10), minute));
        assert!(!numbers.keep("fear", Decimal::whole(2), at(9), minute));
        assert!(numbers.keep("fear", Decimal::whole(3), at(11), minute));
        let number = |now| numbers.get("fear", at(now));
        let age = Duration::from_secs(60);
        let value = Decimal::whole(3);
        assert_eq!(number(71), Some(Number { value, age }));
        assert_eq!(number(72), None);
        assert_eq!(numbers.get("greed", at(11)), None);
        assert_eq!(Numbers::none().get("fear", at(11)), None);
    }

    #[test]
    fn series_are_bounded() {
        let mut numbers = Numbers::default();
        for series in 0..SERIES_MAX {
            assert!(numbers.keep(&series.to_string(), Decimal::whole(1), at(0), None));
        }
        assert!(!numbers.keep("more", Decimal::whole(1), at(0), None));
        assert!(numbers.keep("0", Decimal::whole(2), at(0), None));
        assert!(numbers.get("0", at(i64::from(u32::MAX))).is_some());
    }
}
