//! The exchange: its verbs, one for each thing a client, the operator or the market can do.
//!
//! Here are those that touch no book; submission is in `submission.rs`, order lists in `lists.rs`, amendments in `amend.rs`,
//! the market's verbs in `market_update.rs`, and what the exchange can be asked in `views.rs`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, Price,
    Quantity, Timestamp, TradeId, VenueOrderId,
};

use crate::account::Ledger;
use crate::action::{Action, Answer, CancelOrder};
use crate::client_id::ClientId;
use crate::config::ExchangeConfig;
use crate::fees::FeeChoice;
use crate::list::ListId;
use crate::listing::Listing;
use crate::market::MarketEvent;
use crate::matching::Step;
use crate::order::{EndReason, Order};
use crate::orders::Orders;
use crate::outbox::{OrderEvent, Outbox};
use crate::refusal::Refusal;
use crate::settlement::SpokenFor;

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
    /// What each account pays its fees in.
    pub(crate) fee_choices: Vec<FeeChoice>,
    /// What the incoming order that is being carried out still has to pay; nothing between orders.
    #[serde(skip)]
    pub(crate) spoken_for: Option<SpokenFor>,
    /// Prices printed in the verb that is being carried out, as far as somebody waits for one; empty between verbs.
    #[serde(skip)]
    pub(crate) printed: VecDeque<Price>,
    /// Memory for plans, kept from order to order.
    #[serde(skip)]
    pub(crate) steps: Vec<Step>,
    /// Lists of which an order filled in the verb that is being carried out; empty between verbs.
    #[serde(skip)]
    pub(crate) dues: VecDeque<ListId>,
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
            fee_choices: Vec::new(),
            spoken_for: None,
            printed: VecDeque::new(),
            steps: Vec::new(),
            dues: VecDeque::new(),
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
            Action::SubmitList(list) => self.submit_list(now, list, out).map(Answer::List),
            Action::Cancel(cancel) => self.cancel(now, cancel, out).map(Answer::Order),
            Action::CancelList(cancel) => self.cancel_list(now, cancel, out).map(Answer::List),
            Action::Amend(amend) => self.amend(now, amend, out).map(Answer::Order),
            Action::CancelAll {
                account,
                instrument,
                cancel_id,
            } => self
                .cancel_all(now, *account, *instrument, *cancel_id, out)
                .map(Answer::Cancelled),
            Action::SetStatus { instrument, status } => {
                self.set_status(*instrument, *status).map(|()| Answer::Done)
            }
            Action::ExpireAll { instrument } => {
                Ok(Answer::Cancelled(self.expire_all(now, *instrument, out)))
            }
            Action::SetRules(rules) => self.set_rules(rules).map(|()| Answer::Done),
            Action::PayFeesIn { account, choice } => {
                self.pay_fees_in(*account, *choice).map(|()| Answer::Done)
            }
        }
    }

    /// Lets each instrument's prints go on behind `id`, if they are not there yet: an exchange numbers them from 1, one whose
    /// market has a past leaves room for it.
    pub fn number_trades_after(&mut self, id: TradeId) {
        for listing in &mut self.listings {
            listing.prints = listing.prints.max(id.0);
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
        self.fee_choices.push(FeeChoice::default());
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

    /// Ends an open order and frees what it held. If it belongs to a list, the whole list ends.
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
        cancel_id: Option<ClientId>,
        out: &mut Outbox,
    ) -> Result<usize, Refusal> {
        let open = self.orders.open_of(account);
        let ids: Vec<VenueOrderId> = open
            .filter(|order| order.instrument == instrument)
            .map(|order| order.id)
            .collect();
        if ids.is_empty() {
            return Err(Refusal::UnknownOrder);
        }
        let event = OrderEvent::Cancelled { cancel_id };
        self.end_each(now, &ids, event, out);
        Ok(ids.len())
    }

    /// Ends all open orders in an instrument, whosever they are, as a venue does before maintenance; says how many.
    pub fn expire_all(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        out: &mut Outbox,
    ) -> usize {
        let open = self.orders.open_in(instrument);
        let ids: Vec<VenueOrderId> = open.map(|order| order.id).collect();
        self.end_each(now, &ids, OrderEvent::Expired(EndReason::Venue), out);
        ids.len()
    }

    /// Ends orders; one that its list took with it is ended already.
    fn end_each(
        &mut self,
        now: Timestamp,
        ids: &[VenueOrderId],
        event: OrderEvent,
        out: &mut Outbox,
    ) {
        for id in ids {
            if let Some(slot) = self.orders.slot(*id) {
                self.end(now, slot, event, out);
            }
        }
        self.ledger.publish(&mut out.balances);
    }

    /// Chooses what an account pays its fees in from now on.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`].
    pub fn pay_fees_in(&mut self, account: AccountId, choice: FeeChoice) -> Result<(), Refusal> {
        let chosen = self
            .fee_choices
            .get_mut(account.index())
            .ok_or(Refusal::UnknownAccount)?;
        *chosen = choice;
        Ok(())
    }

    /// Opens or closes an instrument. While it is closed no order is taken or made smaller, its market stands still and so
    /// nothing trades; waiting orders stay and can be cancelled.
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

    /// Puts new filters in force for orders to come. Assets and decimals cannot change. A tick or step of zero is one count:
    /// that is as fine as numbers are.
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
        *listed = Instrument {
            tick: rules.tick.max(Price(1)),
            step: rules.step.max(Quantity(1)),
            ..rules.clone()
        };
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
