//! How restless a price is: large moves follow large moves, and some minutes are wild.
//!
//! The variance follows a GARCH(1,1) recursion (Bollerslev 1986) from minute to minute, which clusters it; on top, each
//! minute draws a gust, calm or strong, which gives one-minute returns their heavy tails. The live market takes many
//! steps a minute and history takes one, but both turn the minute here, so both have the same law.

use serde::{Deserialize, Serialize};

use super::dice::{Dice, bits};

/// Share of the last squared move, and of the last variance, in the next variance; the rest pulls towards 1.
const ALPHA: f64 = 0.12;
const BETA: f64 = 0.84;
/// The variance stays between these multiples of the usual one.
const VARIANCE: (f64, f64) = (0.25, 9.0);
/// How often a minute is wild, and the two multipliers; their mean square is 1.
const WILD: f64 = 0.06;
const GUST: (f64, f64) = (0.844_5, 2.345);

/// Volatility relative to the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Volatility {
    #[serde(with = "bits")]
    variance: f64,
    #[serde(with = "bits")]
    gust: f64,
}

impl Volatility {
    /// As usual.
    pub(super) const USUAL: Self = Self {
        variance: 1.0,
        gust: 1.0,
    };

    /// A minute has passed in which the price moved by this multiple of its usual one-minute move.
    pub(super) fn turn_minute(&mut self, moved: f64, dice: &mut Dice) {
        let variance = (1.0 - ALPHA - BETA) + ALPHA * moved * moved + BETA * self.variance;
        self.variance = variance.clamp(VARIANCE.0, VARIANCE.1);
        self.gust = if dice.uniform() < WILD {
            GUST.1
        } else {
            GUST.0
        };
    }

    /// How many times the usual deviation the price has this minute.
    pub(super) fn now(&self) -> f64 {
        self.variance.sqrt() * self.gust
    }
}
