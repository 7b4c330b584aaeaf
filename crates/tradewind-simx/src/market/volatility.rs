//! How restless a price is: large moves follow large moves, and some minutes are wild.
//!
//! Three clocks, from slow to fast. A regime, calm or usual or wild, lasts for hours. In it the variance follows a GARCH(1,1) recursion (Bollerslev 1986) from minute to minute, which clusters it; and each
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

/// What a walk is in the mood for, for hours at a time: a chain without memory but its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Regime {
    Calm,
    Usual,
    Wild,
}

impl Regime {
    /// Volatility in it, as a multiple of the usual; weighted by how long they last, the mean square is 1.
    const fn factor(self) -> f64 {
        match self {
            Self::Calm => 0.75,
            Self::Usual => 1.0,
            Self::Wild => 1.75,
        }
    }

    /// How long it lasts on average.
    const fn minutes(self) -> f64 {
        match self {
            Self::Calm => 300.0,
            Self::Usual => 360.0,
            Self::Wild => 60.0,
        }
    }

    /// The one of the next minute. What is not usual ends in the usual; the usual ends either way.
    const fn next(self, chance: f64) -> Self {
        let ends = 1.0 / self.minutes();
        match self {
            Self::Usual if chance < ends / 2.0 => Self::Calm,
            Self::Usual if chance < ends => Self::Wild,
            Self::Calm | Self::Wild if chance < ends => Self::Usual,
            same => same,
        }
    }
}

/// Volatility relative to the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Volatility {
    regime: Regime,
    #[serde(with = "bits")]
    variance: f64,
    #[serde(with = "bits")]
    gust: f64,
}

impl Volatility {
    /// As usual.
    pub(super) const USUAL: Self = Self {
        regime: Regime::Usual,
        variance: 1.0,
        gust: 1.0,
    };

    /// A minute has passed in which the price moved by this multiple of its usual one-minute move.
    pub(super) fn turn_minute(&mut self, moved: f64, dice: &mut Dice) {
        let moved = moved / self.regime.factor();
        let variance = (1.0 - ALPHA - BETA) + ALPHA * moved * moved + BETA * self.variance;
        self.variance = variance.clamp(VARIANCE.0, VARIANCE.1);
        self.gust = if dice.uniform() < WILD {
            GUST.1
        } else {
            GUST.0
        };
        self.regime = self.regime.next(dice.uniform());
    }

    /// How many times the usual deviation the price has this minute.
    pub(super) fn now(&self) -> f64 {
        self.regime.factor() * self.variance.sqrt() * self.gust
    }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Purpose;
    use super::*;

    #[test]
    fn regimes_last_for_hours_and_leave_the_usual_volatility_what_it_is() {
        let mut dice = Dice::new(1, Purpose::Live, 2, 3);
        let (mut regime, mut minutes, mut changes, mut squares) =
            (Regime::Usual, [0.0; 3], 0.0, 0.0);
        let count = 500_000;
        for _ in 0..count {
            let next = regime.next(dice.uniform());
            changes += f64::from(u8::from(next != regime));
            regime = next;
            minutes[regime as usize] += 1.0 / f64::from(count);
            squares += regime.factor() * regime.factor() / f64::from(count);
        }
        let hours = f64::from(count) / changes / 60.0;
        let [calm, usual, wild] = minutes;
        assert!((2.0..8.0).contains(&hours), "{hours} hours each");
        assert!(usual > calm && calm > wild && wild > 0.02, "{minutes:?}");
        assert!((squares - 1.0).abs() < 0.05, "{squares}");
    }
}
