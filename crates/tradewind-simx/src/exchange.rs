//! The exchange: its verbs, one for each thing a client, the operator or the market can do, and what it can be asked.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, Amount, AssetId, Depth, Instrument, InstrumentId, InstrumentStatus, Quote, Timestamp, Trade,
};

use crate::account::{Balance, Ledger};
use crate::action::{Action, Answer, CancelOrder, NewOrder, OrderRef};
use crate::config::ExchangeConfig;
use crate::market::MarketEvent;
use crate::order::Order;
use crate::outbox::{Execution, Outbox};
use crate::refusal::Refusal;

/// A spot exchange with price-time priority, accounts and fees.
///
/// Every verb takes the time, which must not decrease, and an [`Outbox`] it appends to. A verb that is refused has
/// changed nothing. The exchange is plain data: clone it, compare it, serialise it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    config: ExchangeConfig,
    instruments: Vec<Instrument>,
    ledger: Ledger,
}

impl Exchange {
    /// An exchange that lists `instruments`; their ids must be their places in the list.
    ///
    /// # Panics
    /// If an id is not its place, or an instrument is not spot: both are mistakes of the program, not of a user.
    #[must_use]
    pub fn new(config: ExchangeConfig, instruments: Vec<Instrument>) -> Self {
        let assets = instruments.iter().map(|instrument| instrument.base.max(instrument.quote).index() + 1).max();
        Self { config, instruments, ledger: Ledger::new(assets.unwrap_or(0)) }
    }

    /// Does what `action` says.
    ///
    /// # Errors
    /// Those of the verb.
    pub fn handle(&mut self, now: Timestamp, action: &Action, out: &mut Outbox) -> Result<Answer, Refusal> {
        match action {
            Action::OpenAccount => Ok(Answer::Account(self.open_account())),
            Action::Deposit { account, asset, amount } => {
                self.deposit(now, *account, *asset, *amount, out).map(|()| Answer::Done)
            }
            Action::Submit(order) => self.submit(now, order, out).map(Answer::Order),
            Action::Cancel(cancel) => self.cancel(now, cancel, out).map(Answer::Order),
            Action::CancelAll { account, instrument } => {
                self.cancel_all(now, *account, *instrument, out).map(Answer::Cancelled)
            }
            Action::SetStatus { instrument, status } => {
                self.set_status(*instrument, *status).map(|()| Answer::Done)
            }
            Action::SetRules(rules) => self.set_rules(rules).map(|()| Answer::Done),
        }
    }

    /// Opens an account without balances.
    pub fn open_account(&mut self) -> AccountId {
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

    /// Takes a new order, trades it as far as it goes and lets the rest wait or expire, as its kind says.
    ///
    /// Reports the acceptance, each fill on both sides, and the end if it ended. Gives the order as it then stands.
    ///
    /// # Errors
    /// Any [`Refusal`] but [`UnknownOrder`](Refusal::UnknownOrder).
    pub fn submit(&mut self, _now: Timestamp, _order: &NewOrder, _out: &mut Outbox) -> Result<Order, Refusal> {
        Err(Refusal::MarketClosed)
    }

    /// Ends an open order and frees what it held.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] unless the account has this order open in this instrument.
    pub fn cancel(&mut self, _now: Timestamp, _cancel: &CancelOrder, _out: &mut Outbox) -> Result<Order, Refusal> {
        Err(Refusal::UnknownOrder)
    }

    /// Ends all open orders of an account in an instrument, oldest first, and says how many.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] if there is none.
    pub fn cancel_all(
        &mut self,
        _now: Timestamp,
        _account: AccountId,
        _instrument: InstrumentId,
        _out: &mut Outbox,
    ) -> Result<usize, Refusal> {
        Err(Refusal::UnknownOrder)
    }

    /// Opens or closes an instrument to new orders; waiting orders stay and can be cancelled.
    ///
    /// # Errors
    /// [`Refusal::UnknownInstrument`].
    pub fn set_status(&mut self, instrument: InstrumentId, status: InstrumentStatus) -> Result<(), Refusal> {
        let listed = self.instruments.get_mut(instrument.index()).ok_or(Refusal::UnknownInstrument)?;
        listed.status = status;
        Ok(())
    }

    /// Puts new filters in force for orders to come. Assets and decimals cannot change.
    ///
    /// # Errors
    /// [`Refusal::UnknownInstrument`] if there is none with this id, assets and decimals.
    pub fn set_rules(&mut self, rules: &Instrument) -> Result<(), Refusal> {
        let listed = self.instruments.get_mut(rules.id.index()).ok_or(Refusal::UnknownInstrument)?;
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

    /// The market's best bid and ask are now these.
    pub fn quote(&mut self, _now: Timestamp, _quote: &Quote, _out: &mut Outbox) {}

    /// Somebody in the market took this much at this price.
    pub fn trade(&mut self, _now: Timestamp, _trade: &Trade, _out: &mut Outbox) {}

    /// The market's visible levels are now these.
    pub fn levels(&mut self, _now: Timestamp, _depth: &Depth, _out: &mut Outbox) {}

    /// What was chosen when it was built.
    #[must_use]
    pub const fn config(&self) -> &ExchangeConfig {
        &self.config
    }

    /// The instruments with their rules as they are now, by id.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// How many accounts there are; their ids count from 0.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.ledger.accounts()
    }

    /// What an account has of an asset; nothing for unknown ones.
    #[must_use]
    pub fn balance(&self, account: AccountId, asset: AssetId) -> Balance {
        self.ledger.balance(account, asset)
    }

    /// What an account has, by asset id; empty for an unknown account.
    #[must_use]
    pub fn balances(&self, account: AccountId) -> &[Balance] {
        self.ledger.balances(account)
    }

    /// Fees taken so far in an asset.
    #[must_use]
    pub fn fees(&self, asset: AssetId) -> Amount {
        self.ledger.fees(asset)
    }

    /// What everybody, the market and the fees included, has of an asset beyond what was deposited: zero, always.
    #[must_use]
    pub fn imbalance(&self, asset: AssetId) -> Amount {
        self.ledger.imbalance(asset)
    }

    /// An order, open or remembered.
    #[must_use]
    pub fn order(&self, _account: AccountId, _instrument: InstrumentId, _order: OrderRef) -> Option<Order> {
        None
    }

    /// An account's open orders, oldest first.
    pub fn open_orders(&self, _account: AccountId) -> impl Iterator<Item = &Order> {
        std::iter::empty()
    }

    /// An account's finished orders that are remembered, by id.
    pub fn finished_orders(&self, _account: AccountId) -> impl Iterator<Item = &Order> {
        std::iter::empty()
    }

    /// An account's executions that are remembered, oldest first.
    pub fn executions(&self, _account: AccountId) -> impl Iterator<Item = &Execution> {
        std::iter::empty()
    }

    /// Best bid and ask of the visible book, the accounts' orders included, if both sides have one.
    ///
    /// Both of its times are when the book last changed.
    #[must_use]
    pub fn touch(&self, _instrument: InstrumentId) -> Option<Quote> {
        None
    }

    /// Writes the best `limit` levels of the visible book, the accounts' orders included, into `depth`.
    pub fn depth(&self, _instrument: InstrumentId, _limit: usize, _depth: &mut Depth) {}

    /// Number of the visible book's last change, counted from 1; 0 for an unknown instrument.
    #[must_use]
    pub fn update_id(&self, _instrument: InstrumentId) -> u64 {
        0
    }

    /// The last print.
    #[must_use]
    pub fn last_trade(&self, _instrument: InstrumentId) -> Option<Trade> {
        None
    }
}
