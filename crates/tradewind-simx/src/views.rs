//! What the exchange can be asked. Nothing here changes anything.

use tradewind_model::{
    AccountId, Amount, AssetId, Depth, Instrument, InstrumentId, Level, Price, Quote, Side,
    Timestamp, Trade, TradeId,
};

use crate::account::Balance;
use crate::action::OrderRef;
use crate::config::ExchangeConfig;
use crate::exchange::Exchange;
use crate::fees::FeeChoice;
use crate::list::{ListRef, OrderList};
use crate::order::Order;
use crate::outbox::Execution;

impl Exchange {
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
    pub fn order(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        order: OrderRef,
    ) -> Option<Order> {
        self.orders.find(account, instrument, order)
    }

    /// An account's open orders, oldest first.
    pub fn open_orders(&self, account: AccountId) -> impl Iterator<Item = &Order> {
        self.orders.open_of(account)
    }

    /// An order list, open or remembered.
    #[must_use]
    pub fn order_list(&self, account: AccountId, list: ListRef) -> Option<OrderList> {
        self.orders.find_list(account, list)
    }

    /// An account's open lists, oldest first.
    pub fn open_lists(&self, account: AccountId) -> impl Iterator<Item = &OrderList> {
        self.orders.open_lists_of(account)
    }

    /// An account's lists that are done and remembered, in the order in which they were done.
    pub fn finished_lists(&self, account: AccountId) -> impl Iterator<Item = &OrderList> {
        self.orders.finished_lists_of(account)
    }

    /// What an account pays its fees in.
    #[must_use]
    pub fn fee_choice(&self, account: AccountId) -> FeeChoice {
        let choice = self.fee_choices.get(account.index());
        choice.copied().unwrap_or_default()
    }

    /// The volume-weighted average price that filters compare with: of the last minutes' trades, else the last price, else
    /// the middle of the touch.
    #[must_use]
    pub fn average_price(&self, now: Timestamp, instrument: InstrumentId) -> Option<Price> {
        let listing = self.listings.get(instrument.index())?;
        listing.average(now, self.config.caps.average_minutes)
    }

    /// An account's finished orders that are remembered, in the order in which they finished.
    pub fn finished_orders(&self, account: AccountId) -> impl Iterator<Item = &Order> {
        self.orders.finished_of(account)
    }

    /// An account's executions that are remembered, oldest first.
    pub fn executions(&self, account: AccountId) -> impl DoubleEndedIterator<Item = &Execution> {
        self.orders.executions_of(account)
    }

    /// Best bid and best ask of the visible book, the accounts' orders included.
    #[must_use]
    pub fn best(&self, instrument: InstrumentId) -> [Option<Level>; 2] {
        let listing = self.listings.get(instrument.index());
        [Side::Sell, Side::Buy].map(|taker| listing?.best(taker))
    }

    /// Best bid and ask of the visible book, the accounts' orders included, if both sides have one.
    ///
    /// Both of its times are when the book last changed.
    #[must_use]
    pub fn touch(&self, instrument: InstrumentId) -> Option<Quote> {
        self.listings.get(instrument.index())?.touch(instrument)
    }

    /// Writes the best `limit` levels of the visible book, the accounts' orders included, into `depth`.
    ///
    /// Its time is when the book last changed; for an unknown instrument it is left empty.
    pub fn depth(&self, instrument: InstrumentId, limit: usize, depth: &mut Depth) {
        depth.instrument = instrument;
        depth.bids.clear();
        depth.asks.clear();
        let Some(listing) = self.listings.get(instrument.index()) else {
            return;
        };
        depth.received_at = listing.changed_at();
        depth.bids.extend(listing.visible(Side::Sell).take(limit));
        depth.asks.extend(listing.visible(Side::Buy).take(limit));
    }

    /// Number of the visible book's last change, counted from 1; 0 before it and for an unknown instrument.
    #[must_use]
    pub fn update_id(&self, instrument: InstrumentId) -> u64 {
        self.listings
            .get(instrument.index())
            .map_or(0, |listing| listing.changes)
    }

    /// Number of the last print, or the one that the first will come after.
    #[must_use]
    pub fn last_trade_id(&self, instrument: InstrumentId) -> TradeId {
        let listing = self.listings.get(instrument.index());
        TradeId(listing.map_or(0, |listing| listing.prints))
    }

    /// The last print.
    #[must_use]
    pub fn last_trade(&self, instrument: InstrumentId) -> Option<Trade> {
        self.listings.get(instrument.index())?.last
    }
}
