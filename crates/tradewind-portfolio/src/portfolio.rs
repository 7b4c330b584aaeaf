//! Ledger and positions together: one fill changes both or neither.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    AccountId, Amount, AssetId, Fill, Instrument, InstrumentId, InstrumentKind, Money, OwnerId,
    Price, Quantity, Side, Timestamp,
};

use crate::ledger::{Entry, EntryKind, Ledger};
use crate::position::{Position, PositionChange};

/// Account, owner and instrument of a position.
pub type PositionKey = (AccountId, OwnerId, InstrumentId);

/// All that the desk owns and owes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portfolio {
    /// Balances.
    pub ledger: Ledger,
    positions: BTreeMap<PositionKey, Position>,
    realized: BTreeMap<(AccountId, OwnerId, AssetId), Amount>,
}

/// No fill is worth 10^17 units of anything; what claims to be would in the end overflow a sum.
const WORTH_MAX: i128 = 100_000_000_000_000_000 * Amount::ONE.0;
/// No balance and no profit passes 10^19 units of anything, so that sums of a few of them stay in range.
const SUM_MAX: i128 = 100 * WORTH_MAX;

/// What booking a fill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booking {
    /// To the position.
    pub change: PositionChange,
    /// The position afterwards; for a closed one as it was closed, with what it realised.
    pub position: Position,
}

impl Portfolio {
    /// Books a fill for `owner`: cash and asset to the ledger, quantity and cost to the position, the fee to both.
    ///
    /// `None`, with nothing changed, when the fill's value does not fit the number range.
    pub fn book(
        &mut self,
        instrument: &Instrument,
        owner: OwnerId,
        fill: &Fill,
    ) -> Option<Booking> {
        let value = instrument
            .notional(fill.price, fill.quantity)
            .filter(|value| value.0 <= WORTH_MAX)?;
        if !self.takes(instrument, owner, fill, value) {
            return None;
        }
        let key = (fill.account, owner, fill.instrument);
        let mut position = self.positions.get(&key).copied().unwrap_or_default();
        let (change, realized) = position.apply(
            instrument,
            fill.side,
            fill.price,
            fill.quantity,
            fill.event_time,
        )?;
        match instrument.kind {
            InstrumentKind::Spot => self.exchange(instrument, owner, fill, value),
            InstrumentKind::Linear | InstrumentKind::Inverse => {
                self.post(
                    EntryKind::Trade,
                    fill.account,
                    instrument.settlement,
                    owner,
                    realized,
                );
            }
        }
        self.pay_fee(instrument, owner, fill, &mut position);
        self.keep(key, instrument, position, change);
        Some(Booking { change, position })
    }

    /// Pays or receives `amount` of funding on a contract's position. False, with nothing changed, when it does not fit the
    /// number range.
    pub fn fund(
        &mut self,
        account: AccountId,
        owner: OwnerId,
        instrument: &Instrument,
        amount: Amount,
    ) -> bool {
        if !self.has_room(account, instrument.settlement, owner, amount) {
            return false;
        }
        self.post(
            EntryKind::Funding,
            account,
            instrument.settlement,
            owner,
            amount,
        );
        *self
            .realized
            .entry((account, owner, instrument.settlement))
            .or_default() += amount;
        if let Some(position) = self.positions.get_mut(&(account, owner, instrument.id)) {
            position.realized += amount;
        }
        true
    }

    /// Gives up a spot position that is too small to be sold: its asset goes to the dust book, its cost is lost.
    ///
    /// Returns the position as it was closed, with what it realised; `None` while flat.
    pub fn give_up(&mut self, instrument: &Instrument, key: PositionKey) -> Option<Position> {
        let mut position = self.positions.get(&key).copied()?;
        self.sweep(instrument, &key, position.quantity);
        position.abandon();
        self.keep(key, instrument, position, PositionChange::Closed);
        Some(position)
    }

    /// Takes `quantity` of a long spot position away at its cost, without profit or loss: somebody else sold or moved it.
    /// The ledger is not changed. Returns what is left of the position.
    pub fn take_away(&mut self, key: PositionKey, quantity: Quantity) -> Quantity {
        let Some(position) = self.positions.get_mut(&key) else {
            return Quantity::ZERO;
        };
        let quantity = quantity.min(position.quantity);
        if quantity.0 > 0 && position.take_away(quantity).is_none() {
            return position.quantity;
        }
        let left = position.quantity;
        if left.is_zero() {
            self.positions.remove(&key);
        }
        left
    }

    /// Gives an owner of a spot instrument `quantity` of it, as if bought at `cost` a unit; another owner loses it. No money
    /// moves. Returns the position as it is then; `None`, with nothing changed, when the other has less or the value does
    /// not fit the number range.
    pub fn give(
        &mut self,
        instrument: &Instrument,
        (from, to): (PositionKey, OwnerId),
        (quantity, cost): (Quantity, Price),
        at: Timestamp,
    ) -> Option<Booking> {
        let value = instrument
            .notional(cost, quantity)
            .filter(|value| value.0 <= WORTH_MAX)?;
        let (account, amount) = (from.0, instrument.quantity_amount(quantity));
        let has = self.ledger.balance(account, instrument.base, from.1);
        let has_room = self.has_room(account, instrument.base, to, amount)
            && self.has_room(account, instrument.quote, to, value);
        if has < amount || !has_room {
            return None;
        }
        let key = (account, to, from.2);
        let (change, position) = self.with(instrument, &key, (quantity, cost), at)?;
        let asset = instrument.base;
        self.transfer(account, Money { asset, amount }, from.1, to);
        self.take_away(from, quantity);
        self.keep(key, instrument, position, change);
        Some(Booking { change, position })
    }

    /// A position as it would be with `quantity` more of it, bought at `cost` a unit; `None` where that does not fit.
    #[must_use]
    pub fn with(
        &self,
        instrument: &Instrument,
        key: &PositionKey,
        (quantity, cost): (Quantity, Price),
        at: Timestamp,
    ) -> Option<(PositionChange, Position)> {
        let mut position = self.positions.get(key).copied().unwrap_or_default();
        let (change, _) = position.apply(instrument, Side::Buy, cost, quantity, at)?;
        Some((change, position))
    }

    /// Moves an amount from one owner to another.
    pub fn transfer(&mut self, account: AccountId, money: Money, from: OwnerId, to: OwnerId) {
        self.ledger.post(&Entry {
            kind: EntryKind::Transfer,
            account,
            asset: money.asset,
            owner: to,
            against: Some(from),
            amount: money.amount,
        });
    }

    /// Takes in (or gives out) what came from (or went) elsewhere. False, with nothing changed, when it does not fit the
    /// number range.
    pub fn deposit(&mut self, account: AccountId, money: Money, owner: OwnerId) -> bool {
        if !self.has_room(account, money.asset, owner, money.amount) {
            return false;
        }
        self.post(
            EntryKind::Transfer,
            account,
            money.asset,
            owner,
            money.amount,
        );
        true
    }

    /// A position; flat if there is none.
    #[must_use]
    pub fn position(&self, key: &PositionKey) -> Position {
        self.positions.get(key).copied().unwrap_or_default()
    }

    /// Positions that are not flat, by account, owner and instrument.
    pub fn positions(&self) -> impl Iterator<Item = (&PositionKey, &Position)> {
        self.positions.iter()
    }

    /// Profit and loss an owner has realised in an asset, open positions' part included.
    #[must_use]
    pub fn realized(&self, account: AccountId, owner: OwnerId, asset: AssetId) -> Amount {
        self.realized
            .get(&(account, owner, asset))
            .copied()
            .unwrap_or_default()
    }

    /// The same for every owner of an account.
    pub fn realized_all(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (OwnerId, AssetId, Amount)> + '_ {
        self.realized
            .iter()
            .filter(move |((of, _, _), _)| *of == account)
            .map(|(&(_, owner, asset), &amount)| (owner, asset, amount))
    }

    /// How much of a position can be sold: for spot no more than the owner really has, cut down to the step.
    #[must_use]
    pub fn closable(&self, instrument: &Instrument, key: &PositionKey) -> Quantity {
        let held = self.position(key).quantity.abs();
        if instrument.kind != InstrumentKind::Spot || is_on(Mutation::SizedBeforeFee) {
            return held;
        }
        // An owner whose exits were filled twice has less than nothing, and nothing to sell.
        let owned = self.ledger.balance(key.0, instrument.base, key.1);
        let owned = owned.max(Amount::ZERO);
        instrument.floor_quantity(held.min(instrument.floor_amount(owned)))
    }

    /// Whether what a fill moves fits the number range: the base, its value, and the fee.
    fn takes(&self, instrument: &Instrument, owner: OwnerId, fill: &Fill, value: Amount) -> bool {
        let base = instrument.quantity_amount(fill.quantity);
        let Money { asset, amount } = fill.fee;
        let payer = payer(has_asset(instrument, asset), owner);
        let has_room = |asset, owner, amount| self.has_room(fill.account, asset, owner, amount);
        has_room(instrument.base, owner, base)
            && has_room(instrument.quote, owner, value)
            && (instrument.settlement == instrument.quote
                || has_room(instrument.settlement, owner, value))
            && (amount.is_zero() || has_room(asset, payer, amount))
    }

    /// Whether an amount may be added to, or taken from, an owner's balance and profit in an asset.
    fn has_room(&self, account: AccountId, asset: AssetId, owner: OwnerId, amount: Amount) -> bool {
        let fits = |sum: Amount| {
            let moved = amount.0.saturating_abs();
            sum.0.saturating_abs().saturating_add(moved) <= SUM_MAX
        };
        fits(self.ledger.balance(account, asset, owner))
            && fits(self.ledger.total(account, asset))
            && fits(self.realized(account, owner, asset))
    }

    fn exchange(&mut self, instrument: &Instrument, owner: OwnerId, fill: &Fill, value: Amount) {
        let base = instrument.quantity_amount(fill.quantity);
        let (base, quote) = match fill.side {
            Side::Buy => (base, -value),
            Side::Sell => (-base, value),
        };
        self.post(EntryKind::Trade, fill.account, instrument.base, owner, base);
        self.post(
            EntryKind::Trade,
            fill.account,
            instrument.quote,
            owner,
            quote,
        );
    }

    /// The fee in its own asset. One in the quote asset counts as realised at once; one in the base asset makes what
    /// can be sold smaller and shows when the position is closed; one in a third asset is paid by FEES.
    fn pay_fee(
        &mut self,
        instrument: &Instrument,
        owner: OwnerId,
        fill: &Fill,
        position: &mut Position,
    ) {
        let Money { asset, amount } = fill.fee;
        if amount.is_zero() || is_on(Mutation::FeeNotBooked) {
            return;
        }
        let own = has_asset(instrument, asset);
        let payer = payer(own, owner);
        self.post(EntryKind::Fee, fill.account, asset, payer, -amount);
        if own && asset != instrument.base {
            position.realized -= amount;
        }
    }

    /// Whether a bot's long spot position is a remainder that cannot be sold: below the smallest quantity, or worth less
    /// than the least value both at its cost and at `price`. One price alone, which may be wrong, makes no dust.
    #[must_use]
    pub fn is_remainder(
        &self,
        instrument: &Instrument,
        key: &PositionKey,
        price: Option<Price>,
    ) -> bool {
        let position = self.position(key);
        let is_bots = matches!(key.1, OwnerId::Bot(_)) && !is_on(Mutation::DustKept);
        if !is_bots || instrument.kind != InstrumentKind::Spot || position.quantity.0 <= 0 {
            return false;
        }
        let quantity = self.closable(instrument, key);
        if quantity < instrument.quantity_min || quantity.0 <= 0 {
            return true;
        }
        let value = price.and_then(|price| instrument.notional(price, quantity));
        let too_little = |worth: Amount| worth < instrument.notional_min;
        too_little(position.cost) && value.is_some_and(too_little)
    }

    /// Moves what is left of a position, and no more of its owner's asset than that, to the dust book.
    fn sweep(&mut self, instrument: &Instrument, key: &PositionKey, left: Quantity) {
        let owned = self.ledger.balance(key.0, instrument.base, key.1);
        let amount = owned.min(instrument.quantity_amount(left));
        let asset = instrument.base;
        self.transfer(key.0, Money { asset, amount }, key.1, OwnerId::Dust);
    }

    fn keep(
        &mut self,
        key: PositionKey,
        instrument: &Instrument,
        position: Position,
        change: PositionChange,
    ) {
        let before = self
            .positions
            .get(&key)
            .map(|known| known.realized)
            .unwrap_or_default();
        let since = if change == PositionChange::Opened {
            position.realized
        } else {
            position.realized - before
        };
        *self
            .realized
            .entry((key.0, key.1, instrument.settlement))
            .or_default() += since;
        if position.quantity.is_zero() {
            self.positions.remove(&key);
        } else {
            self.positions.insert(key, position);
        }
    }

    fn post(
        &mut self,
        kind: EntryKind,
        account: AccountId,
        asset: AssetId,
        owner: OwnerId,
        amount: Amount,
    ) {
        self.ledger.post(&Entry {
            kind,
            account,
            asset,
            owner,
            against: None,
            amount,
        });
    }

    /// When a position was opened, if it is not flat.
    #[must_use]
    pub fn opened_at(&self, key: &PositionKey) -> Option<Timestamp> {
        self.positions.get(key).map(|position| position.opened_at)
    }
}

/// Whether an asset is one of those that an instrument trades in.
fn has_asset(instrument: &Instrument, asset: AssetId) -> bool {
    [instrument.base, instrument.quote, instrument.settlement].contains(&asset)
}

/// Who pays a fee: the owner of the fill in an asset of its instrument, FEES in any other.
const fn payer(own_asset: bool, owner: OwnerId) -> OwnerId {
    if own_asset { owner } else { OwnerId::Fees }
}

#[cfg(test)]
mod tests;
