//! A position, folded from fills: quantity and cost are kept, the average price is only shown.

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, Instrument, Price, Quantity, Side, SideMode, Timestamp};

/// Quantity held and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Signed quantity.
    pub quantity: Quantity,
    /// What the quantity held now cost, in the quote asset; negative for a short position (what it brought in).
    pub cost: Amount,
    /// Profit and loss realised since the position was opened, in the quote asset.
    pub realized: Amount,
    /// When it was opened; meaningless while flat.
    pub opened_at: Timestamp,
    /// Which of the account's positions in the instrument it is.
    #[serde(default)]
    pub side_mode: SideMode,
    /// What the venue holds as security for it, in the settlement asset; zero for spot, and not filled in yet.
    #[serde(default)]
    pub margin: Amount,
}

/// What a fill did to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionChange {
    /// From flat.
    Opened,
    /// Made larger.
    Increased,
    /// Made smaller, not flat.
    Reduced,
    /// To flat.
    Closed,
    /// Through flat to the other side.
    Turned,
}

impl Position {
    /// Applies a fill and returns the change and the realised profit.
    ///
    /// On a partial close the released cost is rounded half to even and the rest stays, so that the sum of all
    /// realised amounts is exact once the position is flat.
    ///
    /// `None`, and no change, when the value does not fit.
    pub fn apply(
        &mut self,
        instrument: &Instrument,
        side: Side,
        price: Price,
        quantity: Quantity,
        at: Timestamp,
    ) -> Option<(PositionChange, Amount)> {
        let signed = side.signed(quantity);
        let value = instrument.notional(price, quantity)?;
        let before = self.quantity;
        // What could come of it fits, or nothing is changed.
        before.0.checked_add(signed.0)?;
        let moved = value
            .0
            .checked_abs()?
            .checked_add(self.cost.0.checked_abs()?)?;
        moved.checked_add(self.realized.0.checked_abs()?)?;
        if before.is_zero() || before.0.signum() == signed.0.signum() {
            return Some(self.enlarge(signed, value, at));
        }
        let closing = quantity.0.min(before.0.saturating_abs());
        let closed_value = value.mul_div(i128::from(closing), i128::from(quantity.0))?;
        let released = self.release(Quantity(closing))?;
        let realized = match side {
            Side::Sell => closed_value - released,
            Side::Buy => -(closed_value + released),
        };
        self.realized += realized;
        let left = quantity.0 - closing;
        if left > 0 {
            self.quantity = Quantity::ZERO;
            let kept = self.realized;
            self.enlarge(side.signed(Quantity(left)), value - closed_value, at);
            self.realized = kept;
            return Some((PositionChange::Turned, realized));
        }
        let change = if self.quantity.is_zero() {
            PositionChange::Closed
        } else {
            PositionChange::Reduced
        };
        Some((change, realized))
    }

    fn enlarge(
        &mut self,
        signed: Quantity,
        value: Amount,
        at: Timestamp,
    ) -> (PositionChange, Amount) {
        let opened = self.quantity.is_zero();
        if opened {
            *self = Self {
                opened_at: at,
                side_mode: self.side_mode,
                ..Self::default()
            };
        }
        self.quantity += signed;
        self.cost += if signed.0 < 0 { -value } else { value };
        (
            if opened {
                PositionChange::Opened
            } else {
                PositionChange::Increased
            },
            Amount::ZERO,
        )
    }

    /// Takes `quantity` (positive) out of the position and returns the cost that goes with it.
    fn release(&mut self, quantity: Quantity) -> Option<Amount> {
        let held = self.quantity.0.saturating_abs();
        let released = if quantity.0 == held {
            self.cost
        } else {
            self.cost
                .mul_div(i128::from(quantity.0), i128::from(held))?
        };
        self.cost -= released;
        self.quantity -= Quantity(quantity.0 * self.quantity.0.signum());
        Some(released)
    }

    /// Takes `quantity` (positive, no more than is held) away at its cost, without profit or loss: it was sold or moved by
    /// somebody else. `None`, and no change, when the cost does not fit.
    pub fn take_away(&mut self, quantity: Quantity) -> Option<Amount> {
        self.release(quantity)
    }

    /// Gives up what is left of the position and realises its cost as a loss: a remainder too small to be sold.
    pub fn abandon(&mut self) -> Amount {
        let lost = -self.cost;
        self.realized += lost;
        self.quantity = Quantity::ZERO;
        self.cost = Amount::ZERO;
        lost
    }

    /// Profit or loss if it were closed at `price`; `None` when that does not fit.
    #[must_use]
    pub fn unrealized(&self, instrument: &Instrument, price: Price) -> Option<Amount> {
        let value = instrument.notional(price, self.quantity)?;
        value.0.checked_sub(self.cost.0).map(Amount)
    }

    /// Average entry price, for display; `None` while flat.
    #[must_use]
    pub fn entry_price(&self, instrument: &Instrument) -> Option<Price> {
        if self.quantity.is_zero() {
            return None;
        }
        instrument.average_price(self.cost, self.quantity)
    }
}
