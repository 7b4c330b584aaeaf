//! The volume-weighted average price of the last minutes, which filters compare prices with.

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Quantity, Timestamp};

/// Minutes that are remembered.
const MINUTES: usize = 5;
const MINUTE_NANOS: i64 = 60_000_000_000;

/// What was traded in each of the last minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Average {
    minutes: [Minute; MINUTES],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Minute {
    number: i64,
    worth: Amount,
    volume: i64,
}

impl Average {
    /// Adds a print.
    pub(crate) fn record(&mut self, now: Timestamp, worth: Amount, quantity: Quantity) {
        let number = number(now);
        let minute = &mut self.minutes[place(number)];
        if minute.number != number {
            *minute = Minute {
                number,
                ..Minute::default()
            };
        }
        minute.worth.0 = minute.worth.0.saturating_add(worth.0);
        minute.volume = minute.volume.saturating_add(quantity.0);
    }

    /// What was traded in this minute and those before it, `minutes` in all: its worth and its quantity.
    pub(crate) fn traded(&self, now: Timestamp, minutes: u8) -> (Amount, Quantity) {
        let newest = number(now);
        let oldest = newest - i64::from(minutes) + 1;
        let inside = self
            .minutes
            .iter()
            .filter(|minute| (oldest..=newest).contains(&minute.number));
        inside.fold((Amount::ZERO, Quantity::ZERO), |(worth, volume), minute| {
            (
                Amount(worth.0.saturating_add(minute.worth.0)),
                Quantity(volume.0.saturating_add(minute.volume)),
            )
        })
    }
}

const fn number(at: Timestamp) -> i64 {
    at.as_nanos().div_euclid(MINUTE_NANOS)
}

fn place(number: i64) -> usize {
    usize::try_from(number.rem_euclid(MINUTES as i64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_minutes_asked_for_does_not_count() {
        let mut average = Average::default();
        let minute = |count: i64| Timestamp::from_secs(count * 60);
        for count in 0..7 {
            average.record(minute(count), Amount(10 * i128::from(count)), Quantity(1));
        }
        assert_eq!(average.traded(minute(6), 5), (Amount(200), Quantity(5)));
        assert_eq!(average.traded(minute(6), 1), (Amount(60), Quantity(1)));
        assert_eq!(average.traded(minute(8), 5), (Amount(150), Quantity(3)));
        assert_eq!(average.traded(minute(60), 5), (Amount::ZERO, Quantity(0)));
    }
}
