//! What venues say, put into the queues.

use std::sync::Arc;

use tokio::sync::Notify;
use tradewind_events::Input;
use tradewind_model::{
    AccountId, Amount, AssetId, Candle, Depth, ExecutionReport, FeedHealth, InstrumentId, Quote,
    Timestamp, Trade,
};
use tradewind_venues::{AccountSink, AssetBalance, MarketSink, Topic};

use crate::driver::InputQueues;

/// Market data into the queues: a quote goes from the codec into its slot by a call.
#[derive(Debug)]
pub(crate) struct MarketToQueues(pub Arc<InputQueues>);

impl MarketSink for MarketToQueues {
    fn quote(&self, quote: Quote) {
        self.0.quote(quote);
    }

    fn trade(&self, trade: Trade) {
        self.0.trade(trade);
    }

    fn candle(&self, candle: Candle) {
        self.0.candle(candle);
    }

    fn depth(&self, depth: Box<Depth>) {
        self.0.depth(depth);
    }

    fn health(&self, instrument: InstrumentId, health: FeedHealth, reason: &str) {
        tracing::debug!(
            instrument = instrument.0,
            ?health,
            reason,
            "A feed changed."
        );
        self.0.health(instrument, health);
    }

    fn failed(&self, topic: Topic, reason: &str) {
        tracing::error!(
            ?topic,
            reason,
            "A subscription failed for good; its bots stay without data."
        );
    }
}

/// An account's stream into the control lane.
#[derive(Debug)]
pub(crate) struct AccountToQueues {
    /// The queues.
    pub(crate) queues: Arc<InputQueues>,
    /// Rung whenever the stream is live, so that what was missed is read by request.
    pub(crate) resync: Arc<Notify>,
}

impl AccountSink for AccountToQueues {
    fn report(&self, report: ExecutionReport) {
        self.queues.control(Input::Report(Box::new(report)));
    }

    fn balances(&self, account: AccountId, balances: &[AssetBalance], _at: Timestamp) {
        tracing::trace!(
            account = account.0,
            changed = balances.len(),
            "Balances changed at the venue."
        );
    }

    fn transfer(&self, account: AccountId, asset: AssetId, amount: Amount, _at: Timestamp) {
        tracing::warn!(account = account.0, asset = asset.0, %amount, "Money moved at the venue by other hands.");
    }

    fn resync(&self, _account: AccountId) {
        self.resync.notify_one();
    }

    fn down(&self, account: AccountId, reason: &str) {
        tracing::warn!(account = account.0, reason, "The account's stream is down.");
    }
}
