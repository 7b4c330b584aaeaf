//! Numbers of named series, such as an index or a funding rate, that strategies may read.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::{Decimal, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most series that are kept; a further one is refused.
const SERIES_MAX: usize = 1_000;

/// The latest number of each named series. A copy shares them until one of both changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(Arc<BTreeMap<String, Kept>>);

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(from).map(|all| Self(Arc::new(all)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    value: Decimal,
    at: Timestamp,
    #[serde(default)]
    received_at: Timestamp,
    max_age: Option<Duration>,
}

/// A number of a named series, as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesNumber<'a> {
    /// The series' full name: `house:fear`.
    pub name: &'a str,
    /// The number.
    pub value: Decimal,
    /// When it was so.
    pub at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// Age from which on it is of no use; `None` for any.
    pub max_age: Option<Duration>,
}

impl SeriesNumber<'_> {
    /// How old it is.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Duration {
        now.since(self.at)
    }

    /// Whether it is too old to be of use.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.max_age.is_some_and(|max_age| self.age(now) > max_age)
    }
}

/// A number as a strategy reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// The number.
    pub value: Decimal,
    /// How old it is.
    pub age: Duration,
}

static NONE: LazyLock<Numbers> = LazyLock::new(Numbers::default);

impl Numbers {
    /// No numbers.
    #[must_use]
    pub fn none() -> &'static Self {
        &NONE
    }

    /// Keeps a number that was so at a time, unless a later one is there already or too many series are.
    pub fn keep(&mut self, number: SeriesNumber<'_>) -> bool {
        let SeriesNumber { name, at, .. } = number;
        let is_later = |kept: &Kept| kept.at > at;
        if self.0.get(name).is_some_and(is_later) {
            return false;
        }
        if self.0.len() == SERIES_MAX && !self.0.contains_key(name) {
            return false;
        }
        let number = Kept {
            value: number.value,
            at,
            received_at: number.received_at,
            max_age: number.max_age,
        };
        let all = Arc::make_mut(&mut self.0);
        match all.get_mut(name) {
            Some(kept) => {
                *kept = number;
                true
            }
            None => {
                all.insert(name.to_owned(), number);
                true
            }
        }
    }

    /// Drops the series that are not wanted, by their full names.
    pub fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        if !self.0.keys().all(|name| is_wanted(name)) {
            Arc::make_mut(&mut self.0).retain(|name, _| is_wanted(name));
        }
    }

    /// The latest number of a series, unless it is older than it may be.
    #[must_use]
    pub fn get(&self, name: &str, now: Timestamp) -> Option<Number> {
        let number = kept(name, self.0.get(name)?);
        (!number.is_stale(now)).then(|| Number {
            value: number.value,
            age: number.age(now),
        })
    }

    /// The latest number of every series, however old, by name.
    pub fn iter(&self) -> impl Iterator<Item = SeriesNumber<'_>> {
        self.0.iter().map(|(name, number)| kept(name, number))
    }

    /// Whether no series has a number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn kept<'a>(name: &'a str, kept: &Kept) -> SeriesNumber<'a> {
    SeriesNumber {
        name,
        value: kept.value,
        at: kept.at,
        received_at: kept.received_at,
        max_age: kept.max_age,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_all_numbers_until_one_of_both_changes() {
        let number = |at| SeriesNumber {
            name: "house:fear",
            value: Decimal::new(1, 0),
            at: Timestamp::from_secs(at),
            received_at: Timestamp::from_secs(at),
            max_age: None,
        };
        let mut numbers = Numbers::default();
        assert!(numbers.keep(number(5)));
        let copy = numbers.clone();
        assert!(!numbers.keep(number(4)));
        numbers.retain(|name| name == "house:fear");
        assert!(Arc::ptr_eq(&numbers.0, &copy.0));
        assert!(numbers.keep(number(6)));
        let at = |of: &Numbers| of.iter().next().map(|number| number.at);
        assert_eq!(at(&copy), Some(Timestamp::from_secs(5)));
        assert_eq!(at(&numbers), Some(Timestamp::from_secs(6)));
        numbers.retain(|name| name == "house:greed");
        assert!(numbers.is_empty() && !copy.is_empty());
    }

    fn number(
        name: &str,
        value: i64,
        at: Timestamp,
        max_age: Option<Duration>,
    ) -> SeriesNumber<'_> {
        SeriesNumber {
            name,
            value: Decimal::whole(value),
            at,
            received_at: at,
            max_age,
        }
    }

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn the_latest_number_is_read_until_it_is_too_old() {
        let mut numbers = Numbers::default();
        let minute = Some(Duration::from_secs(60));
        assert!(numbers.keep(number("fear", 1, at(10), minute)));
        assert!(!numbers.keep(number("fear", 2, at(9), minute)));
        assert!(numbers.keep(number("fear", 3, at(11), minute)));
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
            assert!(numbers.keep(number(&series.to_string(), 1, at(0), None)));
        }
        assert!(!numbers.keep(number("more", 1, at(0), None)));
        assert!(numbers.keep(number("0", 2, at(0), None)));
        assert!(numbers.get("0", at(i64::from(u32::MAX))).is_some());
    }
}
