//! What a strategy keeps for each of its instruments.

use serde::{Deserialize, Serialize};

/// A value per instrument, found by [`View::slot`](crate::View::slot) and made from a template on first use.
///
/// ```
/// use tradewind_strategy::PerInstrument;
///
/// let mut counts = PerInstrument::new(0_u32, 2);
/// *counts.at(1) += 1;
/// assert_eq!((*counts.at(0), *counts.at(1)), (0, 1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerInstrument<T> {
    template: T,
    slots: Vec<T>,
}

impl<T: Clone> PerInstrument<T> {
    /// One copy of `template` for each of `instruments`; further slots are created on first use.
    #[must_use]
    pub fn new(template: T, instruments: usize) -> Self {
        let slots = vec![template.clone(); instruments];
        Self { template, slots }
    }

    /// The value of `slot`. Allocates only for a slot that was not announced to [`new`](Self::new).
    pub fn at(&mut self, slot: usize) -> &mut T {
        if slot >= self.slots.len() {
            self.slots.resize(slot + 1, self.template.clone());
        }
        &mut self.slots[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_starts_as_the_template_and_keeps_to_itself() {
        let mut numbers = PerInstrument::new(7, 1);
        *numbers.at(0) = 1;
        *numbers.at(3) = 2;
        let all: Vec<i32> = (0..5).map(|slot| *numbers.at(slot)).collect();
        assert_eq!(all, [1, 7, 7, 2, 7]);
    }
}
