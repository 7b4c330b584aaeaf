//! What an order may wait for before it works: a stop price, or a price that trails the market.
//!
//! Every public trade's price counts, as at the venue, and nothing else: where no trades are told, nothing fires. A stop above the market (a buyer's stop-loss, a seller's
//! take-profit) fires when the price rises to it, one below when it falls. A trailing trigger remembers the best price
//! seen since it began to track and fires when the market comes back from it by so many basis points: a buyer's from the
//! lowest, a seller's from the highest (Binance's FAQ on trailing stops, state of July 2026). With a stop price it begins
//! to track once that is reached, without one at once.

use serde::{Deserialize, Serialize};
use tradewind_model::{Price, Side, Timestamp};

/// What the order is for; it decides on which side of the market its stop price lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// To get out, or in, when the market goes the wrong way.
    StopLoss,
    /// To get out, or in, when the market has come to a good price.
    TakeProfit,
}

/// Basis points: hundredths of a per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bips(pub u16);

/// A trigger's terms, and how far a trailing one has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// What the order is for.
    pub purpose: Purpose,
    /// The stop price; `None` only for a trailing trigger that tracks from the start.
    pub price: Option<Price>,
    /// How far the market must come back; `None` for a trigger that stands still.
    pub trailing: Option<Bips>,
    /// Since when a trailing trigger tracks, and the best price since.
    pub tracking: Option<Tracking>,
}

/// The state of a trailing trigger that tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Since when.
    pub since: Timestamp,
    /// The lowest price since then for a buyer, the highest for a seller.
    pub best: Price,
}

/// Which way the market must move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Up to the stop price.
    Rising,
    /// Down to the stop price.
    Falling,
}

impl Trigger {
    /// A trigger at a fixed stop price.
    #[must_use]
    pub const fn at(purpose: Purpose, price: Price) -> Self {
        Self {
            purpose,
            price: Some(price),
            trailing: None,
            tracking: None,
        }
    }

    /// A trigger that trails the market by `trailing`, from `price` on if there is one.
    #[must_use]
    pub const fn trailing(purpose: Purpose, trailing: Bips, price: Option<Price>) -> Self {
        Self {
            purpose,
            price,
            trailing: Some(trailing),
            tracking: None,
        }
    }

    /// Whether it names nothing to wait for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.price.is_none() && self.trailing.is_none()
    }

    /// Which way the market must move to reach the stop price of an order of this side.
    #[must_use]
    pub const fn direction(&self, side: Side) -> Direction {
        match (self.purpose, side) {
            (Purpose::StopLoss, Side::Buy) | (Purpose::TakeProfit, Side::Sell) => Direction::Rising,
            (Purpose::StopLoss, Side::Sell) | (Purpose::TakeProfit, Side::Buy) => {
                Direction::Falling
            }
        }
    }

    /// Whether `last` meets the stop price; always, if there is none.
    #[must_use]
    pub fn is_reached(&self, side: Side, last: Price) -> bool {
        self.price.is_none_or(|stop| match self.direction(side) {
            Direction::Rising => last >= stop,
            Direction::Falling => last <= stop,
        })
    }

    /// Takes note of the last price, and says whether the trigger fires.
    pub(crate) fn observe(&mut self, side: Side, now: Timestamp, last: Price) -> bool {
        let Some(bips) = self.trailing else {
            return self.is_reached(side, last);
        };
        let Some(tracking) = &mut self.tracking else {
            if self.is_reached(side, last) {
                self.tracking = Some(Tracking {
                    since: now,
                    best: last,
                });
            }
            return false;
        };
        tracking.best = match side {
            Side::Buy => tracking.best.min(last),
            Side::Sell => tracking.best.max(last),
        };
        came_back(side, tracking.best, last, bips)
    }
}

/// Whether `last` is at least `bips` on the wrong side of `best`.
fn came_back(side: Side, best: Price, last: Price, bips: Bips) -> bool {
    const ONE: i128 = 10_000;
    let moved = match side {
        Side::Buy => i128::from(last.0) - i128::from(best.0),
        Side::Sell => i128::from(best.0) - i128::from(last.0),
    };
    moved * ONE >= i128::from(best.0) * i128::from(bips.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1);

    /// Shows a trigger the prices one after the other and tells which one fired it.
    fn fires_at(mut trigger: Trigger, side: Side, prices: &[i64]) -> Option<i64> {
        prices
            .iter()
            .copied()
            .find(|price| trigger.observe(side, NOW, Price(*price)))
    }

    #[test]
    fn a_stop_fires_on_its_side_of_the_market() {
        use Purpose::{StopLoss, TakeProfit};
        use Side::{Buy, Sell};
        let check = |purpose, side, prices: &[i64], fires| {
            let trigger = Trigger::at(purpose, Price(100));
            assert_eq!(
                fires_at(trigger, side, prices),
                fires,
                "{purpose:?} {side:?}"
            );
        };
        check(StopLoss, Buy, &[90, 99, 100], Some(100));
        check(TakeProfit, Sell, &[90, 99, 105], Some(105));
        check(StopLoss, Sell, &[110, 101, 100], Some(100));
        check(TakeProfit, Buy, &[110, 101, 95], Some(95));
        check(StopLoss, Sell, &[110, 101], None);
    }

    #[test]
    fn a_trailing_stop_follows_the_good_side_and_fires_on_the_way_back() {
        let one_percent = Trigger::trailing(Purpose::StopLoss, Bips(100), None);
        assert_eq!(
            fires_at(one_percent, Side::Sell, &[10_000, 12_000, 11_881, 11_880]),
            Some(11_880)
        );
        assert_eq!(
            fires_at(one_percent, Side::Buy, &[10_000, 8_000, 8_079, 8_080]),
            Some(8_080)
        );
    }

    #[test]
    fn a_trailing_stop_with_a_price_begins_to_track_there() {
        let profit = Trigger::trailing(Purpose::TakeProfit, Bips(100), Some(Price(11_000)));
        let sold = fires_at(profit, Side::Sell, &[10_000, 9_000, 11_000, 11_500, 11_385]);
        assert_eq!(sold, Some(11_385), "the fall before 11,000 does not count");
    }
}
