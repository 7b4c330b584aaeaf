//! What venues report, put into the input queues.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;
use tradewind_events::{ExternalTarget, Input, SeriesPoint, StreamBalance, StreamChange};
use tradewind_model::{
    Account, AccountId, Amount, AssetId, Candle, Depth, ExecutionReport, FeedHealth, Quote,
    Timestamp, Trade,
};
use tradewind_venues::house::{HouseNumber, HouseSink, HouseTarget, TargetError};
use tradewind_venues::{
    AccountSink, AssetBalance, CandleHole, HealthChange, MarketSink, RealTime, Topic, UnlistedTrade,
};

use crate::app::echoes::Echoes;
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

    fn health(&self, change: &HealthChange) {
        tracing::debug!(
            instrument = change.instrument.0,
            health = ?change.health,
            reason = change.reason,
            "A feed changed."
        );
        self.0
            .health(change.instrument, change.health, change.received_at);
    }

    fn candles_missing(&self, hole: &CandleHole) {
        self.0.control(Input::CandlesMissing {
            instrument: hole.instrument,
            interval: hole.interval,
            from: hole.from,
            to: hole.end,
        });
    }

    fn failed(&self, topic: Topic, reason: &str) {
        if let Some(instrument) = topic.instrument() {
            self.0.feed_failed(instrument, reason);
        }
        tracing::error!(
            ?topic,
            reason,
            "A subscription failed many times and is tried on; its bots are without data."
        );
    }
}

impl HouseSink for MarketToQueues {
    fn number(&self, number: HouseNumber) {
        self.0.control(Input::Series(Box::new(SeriesPoint {
            name: number.series.as_ref().to_owned(),
            instrument: None,
            value: number.value,
            event_time: Some(number.event_time),
            received_at: number.received_at,
            max_age: Some(number.max_age),
        })));
    }

    fn target(&self, source: &str, target: Result<HouseTarget, TargetError>) {
        self.0.control(match target {
            Ok(target) => Input::Target(Box::new(ExternalTarget {
                source: source.to_owned(),
                bot: target.bot,
                instrument: target.instrument,
                exposure: target.exposure,
                event_time: target.event_time,
                expires: target.expires,
                sequence: target.sequence,
                received_at: target.received_at,
            })),
            Err(error) => Input::TargetUnreadable {
                source: source.into(),
                reason: error.to_string().into(),
            },
        });
    }

    fn source_health(&self, source: &str, health: FeedHealth) {
        let source = source.into();
        self.0.control(Input::SourceHealth { source, health });
    }
}

/// Accounts' streams into the control queue: all that they report is an input.
#[derive(Debug)]
pub(crate) struct AccountToQueues {
    queues: Arc<InputQueues>,
    /// Orders that the streams must report.
    echoes: Arc<Echoes>,
    /// Accounts whose stream was live at least once.
    proved: watch::Sender<BTreeSet<AccountId>>,
}

impl AccountToQueues {
    /// A sink that begins with every stream of `accounts` not proved live.
    pub(crate) fn new(queues: Arc<InputQueues>, accounts: &[Account], echoes: Arc<Echoes>) -> Self {
        let sink = Self {
            queues,
            echoes,
            proved: watch::Sender::default(),
        };
        for account in accounts {
            sink.put(account.id, StreamChange::Connecting);
        }
        sink
    }

    /// Sees which accounts' streams were live at least once.
    pub(crate) fn proved(&self) -> watch::Receiver<BTreeSet<AccountId>> {
        self.proved.subscribe()
    }

    /// Resolves when an account's stream is to be connected anew. One that has not reported an order in time is unsure then.
    pub(crate) async fn missed(&self, account: AccountId, time: &dyn RealTime) {
        let Some(order) = self.echoes.missed(account, time).await else {
            tracing::warn!(
                account = account.0,
                "The account stream is doubted; it is connected anew."
            );
            return;
        };
        tracing::warn!(account = account.0, %order, "The account stream does not report an order that the venue has; it is connected anew.");
        let reason = "an order that the venue took was not reported within 2 s".to_owned();
        self.put(account, StreamChange::Unsure { reason });
    }

    fn put(&self, account: AccountId, change: StreamChange) {
        let change = Box::new(change);
        self.queues
            .control(Input::AccountStream { account, change });
    }
}

impl AccountSink for AccountToQueues {
    fn report(&self, report: ExecutionReport) {
        self.echoes.reported(report.account, report.client_id);
        self.queues.control(Input::Report(Box::new(report)));
    }

    fn balances(&self, account: AccountId, balances: &[AssetBalance], at: Timestamp) {
        let reported = |held: &AssetBalance| StreamBalance {
            asset: held.asset,
            free: held.free,
            locked: held.locked,
        };
        let balances = balances.iter().map(reported).collect();
        self.put(account, StreamChange::Balances { balances, at });
    }

    fn transfer(&self, account: AccountId, asset: AssetId, amount: Amount, at: Timestamp) {
        tracing::warn!(account = account.0, asset = asset.0, %amount, "The venue reports a deposit, a withdrawal or a transfer.");
        self.put(account, StreamChange::Transfer { asset, amount, at });
    }

    fn unlisted_trade(&self, trade: UnlistedTrade) {
        tracing::warn!(
            account = trade.account.0,
            symbol = trade.symbol,
            "Somebody traded an instrument of the account that the desk does not list."
        );
        let change = StreamChange::UnlistedTrade {
            symbol: trade.symbol,
            side: trade.side,
            quantity: trade.quantity,
            price: trade.price,
            client_id: Some(trade.client_id),
            at: trade.at,
        };
        self.put(trade.account, change);
    }

    fn resync(&self, account: AccountId) {
        self.echoes.set_live(account, true);
        self.put(account, StreamChange::Up);
        self.proved
            .send_if_modified(|proved| proved.insert(account));
    }

    fn down(&self, account: AccountId, reason: &str) {
        self.echoes.set_live(account, false);
        tracing::warn!(account = account.0, reason, "The account stream is down.");
        let reason = reason.to_owned();
        self.put(account, StreamChange::Down { reason });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{FeedHealth, InstrumentId};

    #[test]
    fn why_a_feed_failed_is_kept_until_it_is_live() {
        let queues = Arc::new(InputQueues::new(2));
        let sink = MarketToQueues(Arc::clone(&queues));
        let (failed, other) = (InstrumentId(0), InstrumentId(1));
        sink.failed(Topic::Quotes(failed), "not opened: refused");
        sink.failed(Topic::Trades(failed), "not opened: refused");
        sink.health(&HealthChange::new(other, FeedHealth::Live, "data"));
        sink.health(&HealthChange::new(failed, FeedHealth::Resync, "connected"));
        let problems = queues.feed_problems();
        assert_eq!(problems.get(&failed).unwrap(), "not opened: refused");
        assert_eq!(problems.len(), 1);
        sink.health(&HealthChange::new(failed, FeedHealth::Live, "data"));
        assert!(queues.feed_problems().is_empty());
    }
}
