//! Where a source's events go: traits that the driver's lanes implement, so that a quote travels from the codec into its
//! lane by a call, with no queue in between.
//!
//! Calls come from the source's task and must not block.

use std::collections::VecDeque;
use std::sync::Arc;

use tradewind_model::{
    AccountId, Amount, AssetId, Candle, ClientOrderId, Depth, ExecutionReport, InstrumentId,
    Interval, MarketEvent, Quote, ReportKind, Side, Timestamp, Trade,
};

use crate::health::HealthChange;
use crate::protocol::Topic;

/// Takes market data. Implemented by the driver's lanes.
pub trait MarketSink: Send + Sync + 'static {
    /// A quote.
    fn quote(&self, quote: Quote);
    /// A public print.
    fn trade(&self, trade: Trade);
    /// A closed candle.
    fn candle(&self, candle: Candle);
    /// The top of a book.
    fn depth(&self, depth: Box<Depth>);
    /// An instrument's data became better or worse.
    fn health(&self, change: &HealthChange);
    /// A subscription has failed many times and is tried on; the instrument's bots are not ready.
    fn failed(&self, topic: Topic, reason: &str);
    /// A price was finer than its instrument's, or a book's checksum wrong: the venue may have other rules than were read.
    fn off_grid(&self) {}
    /// Candles that the stream missed are not to be had from the venue either.
    fn candles_missing(&self, _hole: &CandleHole) {}
}

/// Candles that are missing in a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandleHole {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Of which length.
    pub interval: Interval,
    /// When the first one opened.
    pub from: Timestamp,
    /// When the last one closed.
    pub end: Timestamp,
}

/// An asset's balance on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssetBalance {
    /// Which asset.
    pub asset: AssetId,
    /// What can be used.
    pub free: Amount,
    /// What open orders hold.
    pub locked: Amount,
}

/// An event of an account's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserEvent {
    /// Something happened to an order.
    Report(Box<ExecutionReport>),
    /// Balances that may have changed; assets not named did not.
    Balances {
        /// Which account.
        account: AccountId,
        /// The new balances.
        balances: Vec<AssetBalance>,
        /// The venue's stamp.
        at: Timestamp,
    },
    /// A deposit, a withdrawal or a transfer.
    Transfer {
        /// Which account.
        account: AccountId,
        /// Of what.
        asset: AssetId,
        /// How much; negative leaves the account.
        amount: Amount,
        /// The venue's stamp.
        at: Timestamp,
    },
    /// Somebody traded an instrument that the desk does not list.
    UnlistedTrade(Box<UnlistedTrade>),
}

/// A trade in an instrument that the desk does not list. Numbers are the venue's texts: the desk has no scale for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlistedTrade {
    /// Which account.
    pub account: AccountId,
    /// The venue's name for the instrument.
    pub symbol: String,
    /// The order's client id.
    pub client_id: ClientOrderId,
    /// The venue's number of the trade.
    pub trade_id: i64,
    /// Bought or sold.
    pub side: Side,
    /// How much.
    pub quantity: String,
    /// At what price.
    pub price: String,
    /// The venue's stamp.
    pub at: Timestamp,
}

/// Takes what happens on an account.
pub trait AccountSink: Send + Sync + 'static {
    /// Something happened to an order. The same execution may come over REST too: the engine tells them apart by id.
    fn report(&self, report: ExecutionReport);
    /// Balances that may have changed.
    fn balances(&self, account: AccountId, balances: &[AssetBalance], at: Timestamp);
    /// A deposit or a withdrawal.
    fn transfer(&self, account: AccountId, asset: AssetId, amount: Amount, at: Timestamp);
    /// Somebody traded an instrument that the desk does not list.
    fn unlisted_trade(&self, trade: UnlistedTrade);
    /// The stream is (again) live; what happened before it must be read by request.
    fn resync(&self, account: AccountId);
    /// The stream is down, or the subscription failed: no new events arrive.
    fn down(&self, account: AccountId, reason: &str);
}

impl MarketSink for Arc<dyn MarketSink> {
    fn quote(&self, quote: Quote) {
        (**self).quote(quote);
    }

    fn trade(&self, trade: Trade) {
        (**self).trade(trade);
    }

    fn candle(&self, candle: Candle) {
        (**self).candle(candle);
    }

    fn depth(&self, depth: Box<Depth>) {
        (**self).depth(depth);
    }

    fn health(&self, change: &HealthChange) {
        (**self).health(change);
    }

    fn failed(&self, topic: Topic, reason: &str) {
        (**self).failed(topic, reason);
    }

    fn off_grid(&self) {
        (**self).off_grid();
    }

    fn candles_missing(&self, hole: &CandleHole) {
        (**self).candles_missing(hole);
    }
}

impl AccountSink for Arc<dyn AccountSink> {
    fn report(&self, report: ExecutionReport) {
        (**self).report(report);
    }

    fn balances(&self, account: AccountId, balances: &[AssetBalance], at: Timestamp) {
        (**self).balances(account, balances, at);
    }

    fn transfer(&self, account: AccountId, asset: AssetId, amount: Amount, at: Timestamp) {
        (**self).transfer(account, asset, amount, at);
    }

    fn unlisted_trade(&self, trade: UnlistedTrade) {
        (**self).unlisted_trade(trade);
    }

    fn resync(&self, account: AccountId) {
        (**self).resync(account);
    }

    fn down(&self, account: AccountId, reason: &str) {
        (**self).down(account, reason);
    }
}

/// Takes what a source of any kind yields. [`ToMarketSink`] and [`ToAccountSink`] are the two there are.
pub trait SourceSink<E>: Send + 'static {
    /// An event that is new.
    fn event(&mut self, event: E);
    /// An instrument's data became better or worse.
    fn health(&mut self, change: HealthChange);
    /// Everything wanted is subscribed.
    fn ready(&mut self);
    /// No connection is up.
    fn down(&mut self, reason: &str);
    /// A subscription has failed many times; it is tried on.
    fn failed(&mut self, topic: Topic, reason: &str);
    /// A price was finer than its instrument's, or a book's checksum wrong.
    fn off_grid(&mut self) {}
    /// Messages of the whole source are missing.
    fn gap(&mut self) {}
}

/// Hands market events to a [`MarketSink`].
#[derive(Debug)]
pub struct ToMarketSink<S>(pub std::sync::Arc<S>);

impl<S: MarketSink> SourceSink<MarketEvent> for ToMarketSink<S> {
    fn event(&mut self, event: MarketEvent) {
        match event {
            MarketEvent::Quote(quote) => self.0.quote(quote),
            MarketEvent::Trade(trade) => self.0.trade(trade),
            MarketEvent::Candle(candle) => self.0.candle(candle),
            MarketEvent::Depth(depth) => self.0.depth(depth),
            MarketEvent::Health {
                instrument,
                health,
                reason,
            } => self
                .0
                .health(&HealthChange::new(instrument, health, reason)),
        }
    }

    fn health(&mut self, change: HealthChange) {
        self.0.health(&change);
    }

    fn ready(&mut self) {}

    fn down(&mut self, _reason: &str) {}

    fn off_grid(&mut self) {
        self.0.off_grid();
    }

    fn failed(&mut self, topic: Topic, reason: &str) {
        self.0.failed(topic, reason);
    }
}

/// Number of recent events that are kept, to recognise one that arrives twice.
const RECENT_MAX: usize = 256;

/// Passes each of an account's events to an [`AccountSink`] once. While a connection replaces another, both deliver the
/// same events (N05). Such duplicates are equal in every field, execution id and timestamp included.
#[derive(Debug)]
pub struct ToAccountSink<S> {
    sink: std::sync::Arc<S>,
    account: AccountId,
    recent: VecDeque<UserEvent>,
}

impl<S> ToAccountSink<S> {
    /// The events of `account` into `sink`.
    #[must_use]
    pub const fn new(sink: std::sync::Arc<S>, account: AccountId) -> Self {
        Self {
            sink,
            account,
            recent: VecDeque::new(),
        }
    }

    fn is_repeated(&mut self, event: &UserEvent) -> bool {
        // Two reports that were not understood may look the same and not be it.
        if matches!(event, UserEvent::Report(report) if report.kind == ReportKind::Unknown) {
            return false;
        }
        if self.recent.contains(event) {
            return true;
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(event.clone());
        false
    }
}

impl<S: AccountSink> SourceSink<UserEvent> for ToAccountSink<S> {
    fn event(&mut self, event: UserEvent) {
        if self.is_repeated(&event) {
            return;
        }
        match event {
            UserEvent::Report(report) => self.sink.report(*report),
            UserEvent::Balances {
                account,
                balances,
                at,
            } => self.sink.balances(account, &balances, at),
            UserEvent::Transfer {
                account,
                asset,
                amount,
                at,
            } => self.sink.transfer(account, asset, amount, at),
            UserEvent::UnlistedTrade(trade) => self.sink.unlisted_trade(*trade),
        }
    }

    fn health(&mut self, _change: HealthChange) {}

    fn ready(&mut self) {
        self.sink.resync(self.account);
    }

    fn down(&mut self, reason: &str) {
        self.sink.down(self.account, reason);
    }

    fn failed(&mut self, _topic: Topic, reason: &str) {
        self.sink.down(self.account, reason);
    }
}
