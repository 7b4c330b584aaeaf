//! One line crossing another.

use serde::{Deserialize, Serialize};

/// Remembers on which side a line was.
///
/// A touch is no crossing, and neither is the first look: only a change of side is. Lines that are equal at the first
/// look count as not above, so that a market that was flat can still break upwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Crossing {
    above: Option<bool>,
}

/// Which way a line crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossed {
    /// From not above to above.
    Up,
    /// From above to below.
    Down,
}

impl Crossing {
    /// Takes how far the line is above the other, negative when below.
    pub(super) fn update(&mut self, distance: f64) -> Option<Crossed> {
        let was_above = self.above;
        if distance != 0.0 || was_above.is_none() {
            self.above = Some(distance > 0.0);
        }
        match (was_above, self.above) {
            (Some(false), Some(true)) => Some(Crossed::Up),
            (Some(true), Some(false)) => Some(Crossed::Down),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_side_is_a_crossing() {
        let check = |distances: &[f64], wanted: &[Option<Crossed>]| {
            let mut crossing = Crossing::default();
            let seen: Vec<_> = distances.iter().map(|d| crossing.update(*d)).collect();
            assert_eq!(seen, wanted, "{distances:?}");
        };
        check(&[1.0, 2.0], &[None, None]);
        check(
            &[-1.0, 1.0, -1.0],
            &[None, Some(Crossed::Up), Some(Crossed::Down)],
        );
        check(&[1.0, 0.0, 1.0], &[None, None, None]);
        check(&[1.0, 0.0, -1.0], &[None, None, Some(Crossed::Down)]);
        check(&[0.0, 0.0, 1.0], &[None, None, Some(Crossed::Up)]);
        check(&[0.0, -1.0], &[None, None]);
        check(&[f64::NAN, 1.0], &[None, Some(Crossed::Up)]);
    }
}
