//! Draws from a seed: the only chance there is in this crate.
//!
//! Every draw is built from the generator's integers, the four operations, square roots and `libm`, all of which give the
//! same bits on every platform.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// What draws are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Live events.
    Live = 1,
    /// Returns of history.
    Past = 2,
    /// What candles of history add to their returns: extremes, volume.
    PastShape = 3,
    /// How long things take.
    Latency = 100,
    /// Whether a scripted fault strikes.
    Fault = 101,
}

/// A stream of draws.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// The stream of this seed for one purpose, one walk and one stretch of time; no two of them share draws.
    pub(crate) fn new(seed: u64, purpose: Purpose, walk: u64, stretch: u64) -> Self {
        let mixed = scramble(scramble(scramble(purpose as u64) ^ walk) ^ stretch);
        Self(Xoshiro256PlusPlus::seed_from_u64(scramble(seed ^ mixed)))
    }

    /// Evenly from above 0 to below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        unit(self.0.next_u64())
    }

    /// From the standard normal distribution, by Marsaglia's polar method.
    pub(crate) fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// From the exponential distribution with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log(self.uniform())
    }
}

/// The number that 64 random bits stand for, above 0 and below 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
pub(super) const fn unit(bits: u64) -> f64 {
    ((bits >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}

/// Turns a number into one that looks random: the finaliser of `SplitMix64` (Steele, Lea, Flood 2014).
pub(super) const fn scramble(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Serialises an `f64` as its bits: text would not bring every number back.
pub(super) mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::market) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(in crate::market) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_moments_they_should() {
        let mut dice = Dice::new(1, Purpose::Live, 2, 3);
        let count = 100_000;
        let (mut sum, mut square, mut wait) = (0.0, 0.0, 0.0);
        for _ in 0..count {
            let normal = dice.normal();
            sum += normal;
            square += normal * normal;
            wait += dice.exponential();
        }
        let count = f64::from(count);
        assert!(
            (sum / count).abs() < 0.02
                && (square / count - 1.0).abs() < 0.02
                && (wait / count - 1.0).abs() < 0.02
        );
    }

    #[test]
    fn streams_repeat_and_differ() {
        let first = |seed, purpose, walk, stretch| {
            Dice::new(seed, purpose, walk, stretch).uniform().to_bits()
        };
        let one = first(7, Purpose::Live, 1, 1);
        assert_eq!(one, first(7, Purpose::Live, 1, 1));
        for (seed, purpose, walk, stretch) in [
            (8, Purpose::Live, 1, 1),
            (7, Purpose::Past, 1, 1),
            (7, Purpose::Live, 2, 1),
            (7, Purpose::Live, 1, 2),
        ] {
            assert_ne!(one, first(seed, purpose, walk, stretch));
        }
    }
}
