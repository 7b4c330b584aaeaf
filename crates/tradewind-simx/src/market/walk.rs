//! One source of movement: the market as a whole, or what is an instrument's own.
//!
//! Three things add up: noise, as restless as [`Volatility`] says; a swing, a damped oscillation that noise keeps alive,
//! so that prices run for minutes and come back; and rare jumps. Logarithmic prices throughout.

use serde::{Deserialize, Serialize};

use super::dice::{Dice, bits};
use super::volatility::Volatility;

/// Squared angular frequency of the swing, a period of 40 minutes, and its damping; per minute.
const STIFFNESS: f64 = 0.024_7;
const DAMPING: f64 = 0.10;

/// How a walk walks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Gait {
    /// Usual deviation of the noise over a minute.
    pub(super) noise: f64,
    /// Usual speed of the swing, per minute.
    pub(super) swing: f64,
    /// Jumps a minute.
    pub(super) jumps: f64,
    /// Usual size of a jump.
    pub(super) jump: f64,
}

/// Where a walk is in its swing and how restless it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Walk {
    pub(super) volatility: Volatility,
    /// Displacement from the swing's middle, and its speed per minute.
    #[serde(with = "bits")]
    displacement: f64,
    #[serde(with = "bits")]
    speed: f64,
    /// Moved since the minute turned.
    #[serde(with = "bits")]
    moved: f64,
}

impl Walk {
    /// At rest.
    pub(super) const REST: Self = Self {
        volatility: Volatility::USUAL,
        displacement: 0.0,
        speed: 0.0,
        moved: 0.0,
    };

    /// Goes on for `minutes`, at most one, and says how far.
    pub(super) fn step(&mut self, gait: &Gait, minutes: f64, dice: &mut Dice) -> f64 {
        let root = minutes.sqrt();
        let noise = gait.noise * self.volatility.now() * root * dice.normal();
        // In balance the speed's variance is that of the kicks over twice the damping.
        let kick = gait.swing * (2.0 * DAMPING).sqrt() * root * dice.normal();
        self.speed += kick - (STIFFNESS * self.displacement + DAMPING * self.speed) * minutes;
        let swung = self.speed * minutes;
        self.displacement += swung;
        let jumped = if dice.uniform() < gait.jumps * minutes {
            jump(gait, dice)
        } else {
            0.0
        };
        let moved = noise + swung + jumped;
        self.moved += moved;
        moved
    }

    /// A minute has passed: what happened in it makes the next one wilder or calmer.
    pub(super) fn turn_minute(&mut self, gait: &Gait, dice: &mut Dice) {
        let usual = (gait.noise * gait.noise + gait.swing * gait.swing).sqrt();
        self.volatility.turn_minute(self.moved / usual, dice);
        self.moved = 0.0;
    }

    /// How strongly it runs one way, as a multiple of its usual speed.
    pub(super) fn run(&self, gait: &Gait) -> f64 {
        self.speed / gait.swing
    }
}

fn jump(gait: &Gait, dice: &mut Dice) -> f64 {
    let size = gait.jump * (0.5 + dice.exponential());
    if dice.uniform() < 0.5 { -size } else { size }
}
