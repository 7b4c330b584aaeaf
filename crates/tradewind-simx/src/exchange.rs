//! The exchange: its verbs, one for each thing a client, the operator or the market can do.
//!
//! Here are those that touch no book; submission is in `submission.rs`, the market's in `market_update.rs`, and what the
//! exchange can be asked in `views.rs`.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentId, InstrumentKind, InstrumentStatus,
    Timestamp,
};

use crate::account::Ledger;
use crate::action::{Action, Answer, CancelOrder};
use crate::config::ExchangeConfig;
use crate::listing::Listing;
use crate::market::MarketEvent;
use crate::matching::Step;
use crate::order::Order;
use crate::orders::Orders;
use crate::outbox::{OrderEvent, Outbox};
use crate::refusal::Refusal;
use crate::waiting::SlotId;

/// A spot exchange with price-time priority, accounts and fees.
///
/// Every verb takes the time, which must not decrease, and an [`Outbox`] it appends to. A verb that is refused has
/// changed nothing. The exchange is plain data: clone it, compare it, serialise it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    pub(crate) config: ExchangeConfig,
    /// The rules, by id; apart from the listings, which every quote touches.
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) listings: Vec<Listing>,
    pub(crate) ledger: Ledger,
    pub(crate) orders: Orders,
    /// Reports so far.
    pub(crate) reports: u64,
    /// Memory for plans, kept from order to order.
    #[serde(skip)]
    pub(crate) steps: Vec<Step>,
}

impl Exchange {
    /// An exchange that lists `instruments`; their ids must be their places in the list.
    ///
    /// # Panics
    /// If an id is not its place, or an instrument is not spot: both are mistakes of the program, not of a user.
    #[must_use]
    pub fn new(config: ExchangeConfig, instruments: Vec<Instrument>) -> Self {
        for (place, instrument) in instruments.iter().enumerate() {
            assert_eq!(
                instrument.id.index(),
                place,
                "{}: ids are places in the list",
                instrument.name
            );
            assert_eq!(
                instrument.kind,
                InstrumentKind::Spot,
                "{}: this exchange is spot only",
                instrument.name
            );
        }
        let assets = instruments
            .iter()
            .map(|instrument| instrument.base.max(instrument.quote).index() + 1)
            .max();
        Self {
            config,
            listings: instruments
                .iter()
                .map(|rules| Listing::new(rules, config.fill_model))
                .collect(),
            instruments,
            ledger: Ledger::new(assets.unwrap_or(0)),
            orders: Orders::new(config.history),
            reports: 0,
            steps: Vec::new(),
        }
    }

    /// Does what `action` says.
    ///
    /// # Errors
    /// Those of the verb.
    pub fn handle(
        &mut self,
        now: Timestamp,
        action: &Action,
        out: &mut Outbox,
    ) -> Result<Answer, Refusal> {
        match action {
            Action::OpenAccount => Ok(Answer::Account(self.open_account())),
            Action::Deposit {
                account,
                asset,
                amount,
            } => self
                .deposit(now, *account, *asset, *amount, out)
                .map(|()| Answer::Done),
            Action::Submit(order) => self.submit(now, order, out).map(Answer::Order),
            Action::Cancel(cancel) => self.cancel(now, cancel, out).map(Answer::Order),
            Action::CancelAll {
                account,
                instrument,
            } => self
                .cancel_all(now, *account, *instrument, out)
                .map(Answer::Cancelled),
            Action::SetStatus { instrument, status } => {
                self.set_status(*instrument, *status).map(|()| Answer::Done)
            }
            Action::SetRules(rules) => self.set_rules(rules).map(|()| Answer::Done),
        }
    }

    /// Lists one more instrument; it gets the next id, which comes back. Its assets may be new, too.
    ///
    /// # Panics
    /// If it is not spot, which is a mistake of the program, not of a user.
    pub fn list(&mut self, rules: Instrument) -> InstrumentId {
        assert_eq!(
            rules.kind,
            InstrumentKind::Spot,
            "{}: this exchange is spot only",
            rules.name
        );
        let id = u32::try_from(self.instruments.len())
            .map(InstrumentId)
            .expect("an exchange has fewer than 2^32 instruments");
        let rules = Instrument { id, ..rules };
        self.ledger.know_assets(rules.base.max(rules.quote));
        self.listings
            .push(Listing::new(&rules, self.config.fill_model));
        self.instruments.push(rules);
        self.orders.know_instruments(self.instruments.len());
        id
    }

    /// Opens an account without balances.
    pub fn open_account(&mut self) -> AccountId {
        self.orders.open_account(self.listings.len());
        self.ledger.open_account()
    }

    /// Puts `amount` into an account, or takes it out if it is negative.
    ///
    /// # Errors
    /// An unknown account or asset, or more taken out than is free.
    pub fn deposit(
        &mut self,
        _now: Timestamp,
        account: AccountId,
        asset: AssetId,
        amount: Amount,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.ledger.deposit(account, asset, amount)?;
        self.ledger.publish(&mut out.balances);
        Ok(())
    }

    /// Ends an open order and frees what it held.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] unless the account has this order open in this instrument.
    pub fn cancel(
        &mut self,
        now: Timestamp,
        cancel: &CancelOrder,
        out: &mut Outbox,
    ) -> Result<Order, Refusal> {
        let CancelOrder {
            account,
            instrument,
            order,
            cancel_id,
        } = *cancel;
        let slot = self
            .orders
            .find_open(account, instrument, order)
            .ok_or(Refusal::UnknownOrder)?;
        let order = self.end(now, slot, OrderEvent::Cancelled { cancel_id }, out);
        self.ledger.publish(&mut out.balances);
        Ok(order)
    }

    /// Ends all open orders of an account in an instrument, oldest first, and says how many.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] if there is none.
    pub fn cancel_all(
        &mut self,
        now: Timestamp,
        account: AccountId,
        instrument: InstrumentId,
        out: &mut Outbox,
    ) -> Result<usize, Refusal> {
        let open = self
            .orders
            .open_of(account)
            .filter(|(_, order)| order.instrument == instrument);
        let slots: Vec<SlotId> = open.map(|(slot, _)| slot).collect();
        if slots.is_empty() {
            return Err(Refusal::UnknownOrder);
        }
        for slot in &slots {
            self.end(now, *slot, OrderEvent::Cancelled { cancel_id: None }, out);
        }
        self.ledger.publish(&mut out.balances);
        Ok(slots.len())
    }

    /// Opens or closes an instrument to new orders; waiting orders stay and can be cancelled.
    ///
    /// # Errors
    /// [`Refusal::UnknownInstrument`].
    pub fn set_status(
        &mut self,
        instrument: InstrumentId,
        status: InstrumentStatus,
    ) -> Result<(), Refusal> {
        let listed = self
            .instruments
            .get_mut(instrument.index())
            .ok_or(Refusal::UnknownInstrument)?;
        listed.status = status;
        Ok(())
    }

    /// Puts new filters in force for orders to come. Assets and decimals cannot change.
    ///
    /// # Errors
    /// [`Refusal::UnknownInstrument`] if there is none with this id, assets and decimals.
    pub fn set_rules(&mut self, rules: &Instrument) -> Result<(), Refusal> {
        let listed = self
            .instruments
            .get_mut(rules.id.index())
            .ok_or(Refusal::UnknownInstrument)?;
        let fixed = |rules: &Instrument| {
            (
                rules.kind,
                rules.base,
                rules.quote,
                rules.price_decimals,
                rules.quantity_decimals,
            )
        };
        if fixed(listed) != fixed(rules) {
            return Err(Refusal::UnknownInstrument);
        }
        *listed = rules.clone();
        Ok(())
    }

    /// Takes what the market does. Nothing the market does is refused; what makes no sense (a crossed quote, an unknown
    /// instrument) is ignored.
    pub fn market(&mut self, now: Timestamp, event: MarketEvent<'_>, out: &mut Outbox) {
        match event {
            MarketEvent::Quote(quote) => self.quote(now, &quote, out),
            MarketEvent::Trade(trade) => self.trade(now, &trade, out),
            MarketEvent::Levels(depth) => self.levels(now, depth, out),
        }
    }
}
