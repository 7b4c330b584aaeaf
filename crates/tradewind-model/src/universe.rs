//! A universe: which of many instruments a bot may enter, chosen anew each day from closed daily candles.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::candle::Candle;
use crate::instrument::Instrument;
use crate::time::Timestamp;

/// How members are chosen of a bot's instruments, its candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Universe {
    /// How many members there are at most, from 1.
    pub top: u32,
    /// What candidates are ordered by, largest first; equal ones in the order of the candidates.
    pub by: Ranking,
    /// How old a candidate's first known daily candle must be; zero for any age.
    pub min_age: Duration,
}

impl Universe {
    /// How long after 00:00 UTC the members of the day are chosen: the candles of the day before are on their way until then.
    pub const AFTER: Duration = Duration::from_secs(60);

    /// How many closed daily candles of each candidate the choice needs.
    #[must_use]
    pub fn candles(&self) -> u32 {
        let days = self.min_age.as_secs().div_ceil(86_400);
        let days = u32::try_from(days).unwrap_or(u32::MAX);
        self.by.candles().max(days)
    }
}

/// What is measured over the last days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// The sum of volume times (high + low + close) / 3, in the quote asset.
    Volume,
    /// The sample standard deviation of close / close before - 1.
    Volatility,
    /// The last close / the close so many days before it - 1.
    Change,
}

const MEASURES: [(Measure, &str); 3] = [
    (Measure::Volume, "volume"),
    (Measure::Volatility, "volatility"),
    (Measure::Change, "change"),
];

/// A measure over a number of days: `volume 7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranking {
    /// What is measured.
    pub measure: Measure,
    /// Over how many days, from 1 to [`Ranking::DAYS_MAX`].
    pub days: u32,
}

impl Ranking {
    /// The most days of a ranking.
    pub const DAYS_MAX: u32 = 365;

    /// Daily candles that it needs: changes need the close before the first day.
    #[must_use]
    pub const fn candles(&self) -> u32 {
        match self.measure {
            Measure::Volume => self.days,
            Measure::Volatility | Measure::Change => self.days + 1,
        }
    }

    /// The value of a candidate, of its last [`candles`](Self::candles) days, oldest first; `None` if they are not as many or
    /// make no number.
    #[must_use]
    pub fn value(&self, days: &[Day]) -> Option<f64> {
        if days.len() != self.candles() as usize {
            return None;
        }
        let value = match self.measure {
            Measure::Volume => days.iter().map(|day| day.turnover).sum(),
            Measure::Volatility => deviation(days)?,
            Measure::Change => days.last()?.close / days.first()?.close - 1.0,
        };
        value.is_finite().then_some(value)
    }
}

/// The sample standard deviation of the changes from close to close.
#[expect(clippy::cast_precision_loss, reason = "there are few days")]
fn deviation(days: &[Day]) -> Option<f64> {
    let pairs = days.iter().zip(days.iter().skip(1));
    let changes: Vec<f64> = pairs
        .map(|(before, day)| day.close / before.close - 1.0)
        .collect();
    let count = changes.len() as f64;
    let mean = changes.iter().sum::<f64>() / count;
    let squares = changes.iter().map(|one| (one - mean) * (one - mean));
    (changes.len() > 1).then(|| (squares.sum::<f64>() / (count - 1.0)).sqrt())
}

/// A closed day of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// When it began, 00:00 UTC.
    pub open_time: Timestamp,
    /// What was traded, in the quote asset.
    pub turnover: f64,
    /// The last price.
    pub close: f64,
}

impl Day {
    /// The day of a daily candle.
    #[must_use]
    pub fn of(candle: &Candle, instrument: &Instrument) -> Self {
        let price = |price| instrument.price_f64(price);
        let (high, low, close) = (price(candle.high), price(candle.low), price(candle.close));
        Self {
            open_time: candle.open_time,
            turnover: candle.volume.to_f64() * (high + low + close) / 3.0,
            close,
        }
    }
}

impl fmt::Display for Ranking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = MEASURES.iter();
        let name = names.find(|(measure, _)| *measure == self.measure);
        write!(f, "{} {}d", name.map_or("", |(_, name)| name), self.days)
    }
}

/// A text that names no ranking.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no ranking {0:?}; there are volume, volatility and change over days, such as \"volume 7d\""
)]
pub struct RankingError(String);

impl FromStr for Ranking {
    type Err = RankingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (name, days) = text.split_once(' ')?;
            let (measure, _) = MEASURES.iter().find(|(_, known)| *known == name)?;
            let days = days.strip_suffix('d')?;
            let is_plain = days.bytes().all(|byte| byte.is_ascii_digit());
            let days: u32 = days.parse().ok().filter(|_| is_plain)?;
            // One change has no deviation.
            let least = if *measure == Measure::Volatility {
                2
            } else {
                1
            };
            let is_in_range = (least..=Self::DAYS_MAX).contains(&days);
            is_in_range.then_some(Self {
                measure: *measure,
                days,
            })
        };
        read().ok_or_else(|| RankingError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(closes: &[f64]) -> Vec<Day> {
        let day = |(index, close): (i64, &f64)| Day {
            open_time: Timestamp::from_secs(index * 86_400),
            turnover: *close * 2.0,
            close: *close,
        };
        (0..).zip(closes).map(day).collect()
    }

    #[test]
    fn each_measure_follows_its_formula() {
        let check = |text: &str, closes: &[f64], wanted: Option<f64>| {
            let ranking: Ranking = text.parse().unwrap();
            let value = ranking.value(&days(closes));
            let is_near = match (value, wanted) {
                (Some(value), Some(wanted)) => (value - wanted).abs() < 1e-12,
                (value, wanted) => value == wanted,
            };
            assert!(is_near, "{text}: {value:?}, not {wanted:?}");
            assert_eq!(ranking.to_string(), text);
        };
        check("volume 3d", &[1.0, 2.0, 4.0], Some(14.0));
        check("volume 3d", &[1.0, 2.0], None);
        check("change 2d", &[1.0, 5.0, 1.5], Some(0.5));
        check("change 2d", &[1.0, 5.0], None);
        // Changes of 10 % and -10 %: the mean is 0, the sum of squares 0.02, over one degree of freedom.
        check(
            "volatility 2d",
            &[100.0, 110.0, 99.0],
            Some(0.02_f64.sqrt()),
        );
        check("change 1d", &[0.0, 1.0], None);
    }

    #[test]
    fn what_is_no_ranking_is_refused() {
        let check = |text: &str| assert!(text.parse::<Ranking>().is_err(), "{text}");
        ["volume", "volume 7", "volume 0d", "volume +7d", "price 7d"].map(check);
        ["volume 366d", "volatility 1d", "volume 7h", " 7d", ""].map(check);
    }

    #[test]
    fn the_candles_reach_back_as_far_as_the_longer_of_age_and_ranking() {
        let check = |by: &str, days: u64, wanted: u32| {
            let universe = Universe {
                top: 1,
                by: by.parse().unwrap(),
                min_age: Duration::from_secs(days * 86_400),
            };
            assert_eq!(universe.candles(), wanted, "{by} {days}");
        };
        check("volume 7d", 90, 90);
        check("volume 7d", 0, 7);
        check("change 30d", 10, 31);
    }
}
