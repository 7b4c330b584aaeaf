//! A running exchange, the adapter connected to it, and everything that was heard.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AccountId, Amount, AssetId, Candle, ClientOrderIds, Clock, Depth, DeskClock, ExecutionReport,
    Fill, Instrument, InstrumentId, OrderKind, Quantity, Quote, ReportKind, Side, Timestamp, Trade,
};
use tradewind_risk::ApprovedOrder;
use tradewind_simx::FillModel;
use tradewind_simx_server::{HISTORY, Limits, MarketChoice, Server, ServerOptions};
use tradewind_venues::binance::{ApiKey, Assets, BinanceConfig, OrderEntry};
use tradewind_venues::{
    AccountSink, AssetBalance, BinanceVenue, HealthChange, MarketSink, OrderGate, RateBudget,
    SourceHandle, SourceSettings, TcpConnector, Topic, UnlistedTrade, client_config,
};

use crate::orders::sealed;

pub(crate) const BTC: InstrumentId = InstrumentId(0);

/// Runs a walk to its end, or says that it hangs.
pub(crate) async fn within_a_minute(walk: impl Future<Output = ()>) {
    tokio::time::timeout(Duration::from_secs(60), walk)
        .await
        .expect("a minute is enough for all of it");
}

pub(crate) struct World {
    pub(crate) venue: Arc<BinanceVenue>,
    rules: Instrument,
    heard: Arc<Heard>,
    sources: [SourceHandle; 2],
    ids: Mutex<ClientOrderIds>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl World {
    /// An exchange with one account, and the adapter with its streams running.
    pub(crate) async fn start(order_entry: OrderEntry) -> Self {
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let server = Server::bind(ServerOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: None,
            accounts: vec!["key:secret:USDT=100000,BTC=1".parse().unwrap()],
            market: MarketChoice::Generated { seed: 7 },
            limits: Limits::Off,
            fill: FillModel::Book,
            history: HISTORY,
            clock: Arc::new(DeskClock::system()),
        })
        .unwrap();
        let address = server.local_addr();
        let stopped = stop.clone();
        tasks.spawn(async move { server.run(stopped).await.unwrap() });

        let venue = Arc::new(adapter(address, order_entry));
        venue.server_time().await.unwrap();
        let rules = venue.instruments(&["BTC/USDT"]).await.unwrap().remove(0);
        let (entry, stopped) = (Arc::clone(&venue), stop.clone());
        tasks.spawn(async move { entry.keep_order_entry(stopped).await });

        let heard = Arc::new(Heard::default());
        let mut sources = venue.market_sources(&crate::topics(), &heard, SourceSettings::default());
        let mut market = sources.remove(0);
        let mut account = venue
            .user_source(&heard, SourceSettings::default())
            .unwrap();
        let handles = [market.handle(), account.handle()];
        let stopped = stop.clone();
        tasks.spawn(async move { market.run(stopped).await });
        let stopped = stop.clone();
        tasks.spawn(async move { account.run(stopped).await });
        Self {
            venue,
            rules,
            heard,
            sources: handles,
            ids: Mutex::new(ClientOrderIds::new(1, 1)),
            stop,
            tasks,
        }
    }

    /// A new order as the risk gate passes it.
    pub(crate) fn order(&self, side: Side, kind: OrderKind, quantity: Quantity) -> ApprovedOrder {
        let id = self.ids.lock().unwrap().next_id();
        sealed(&self.rules, &self.quote(), id, (side, quantity, kind))
    }

    /// The latest quote; there must have been one.
    pub(crate) fn quote(&self) -> Quote {
        self.heard.quote.lock().unwrap().unwrap()
    }

    /// Waits until what was heard is as wanted.
    pub(crate) async fn heard(&self, mut wanted: impl FnMut(&Heard) -> bool) {
        loop {
            let news = self.heard.news.notified();
            if wanted(&self.heard) {
                return;
            }
            news.await;
        }
    }

    /// The fills that the account's stream told.
    pub(crate) fn fills(&self) -> Vec<Fill> {
        self.heard.fills()
    }

    /// Stops everything; nothing may have been heard that could not be read.
    pub(crate) async fn stop(&mut self) {
        for source in &self.sources {
            let counted = source.stats().snapshot();
            assert!(counted.messages > 0);
            let unread = [
                counted.malformed,
                counted.no_symbol,
                counted.wrong_symbol,
                counted.missing,
            ];
            assert_eq!(unread, [0; 4], "{counted:?}");
        }
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

fn adapter(address: std::net::SocketAddr, order_entry: OrderEntry) -> BinanceVenue {
    let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
    let config = BinanceConfig {
        rest_url: format!("http://{address}"),
        ws_url: format!("ws://{address}"),
        ws_api_url: format!("ws://{address}/ws-api/v3"),
        key: Some(ApiKey::new("key", SecretString::from("secret"))),
        order_entry,
        ..BinanceConfig::default()
    };
    BinanceVenue::new(
        config,
        TcpConnector::shared(client_config(None).unwrap()),
        Arc::clone(&clock),
        OrderGate::new(Arc::default(), clock),
        Arc::new(Mutex::new(RateBudget::new(6_000_000))),
        Arc::new(Assets::default()),
    )
    .unwrap()
}

/// Counts what comes, by kind, and keeps quotes and fills.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    quote: Mutex<Option<Quote>>,
    fills: Mutex<Vec<Fill>>,
    kinds: Mutex<std::collections::BTreeMap<&'static str, AtomicU64>>,
    news: Notify,
}

impl Heard {
    /// How often something of this kind was heard.
    pub(crate) fn count(&self, kind: &str) -> u64 {
        let kinds = self.kinds.lock().unwrap();
        kinds
            .get(kind)
            .map_or(0, |count| count.load(Ordering::SeqCst))
    }

    pub(crate) fn fills(&self) -> Vec<Fill> {
        self.fills.lock().unwrap().clone()
    }

    fn note(&self, kind: &'static str) {
        let mut kinds = self.kinds.lock().unwrap();
        kinds
            .entry(kind)
            .or_default()
            .fetch_add(1, Ordering::SeqCst);
        self.news.notify_waiters();
    }
}

impl MarketSink for Heard {
    fn quote(&self, quote: Quote) {
        *self.quote.lock().unwrap() = Some(quote);
        self.note("quote");
    }

    fn trade(&self, _trade: Trade) {
        self.note("trade");
    }

    fn candle(&self, _candle: Candle) {
        self.note("candle");
    }

    fn depth(&self, _depth: Box<Depth>) {
        self.note("depth");
    }

    fn health(&self, _change: &HealthChange) {
        self.note("health");
    }

    fn failed(&self, topic: Topic, reason: &str) {
        panic!("{topic:?} failed: {reason}");
    }
}

impl AccountSink for Heard {
    fn report(&self, report: ExecutionReport) {
        self.note(match report.kind {
            ReportKind::Filled(fill) => {
                self.fills.lock().unwrap().push(fill);
                "filled"
            }
            ReportKind::Accepted => "accepted",
            ReportKind::Cancelled => "cancelled",
            ReportKind::Expired => "expired",
            other => panic!("the exchange's own words are all known: {other:?}"),
        });
    }

    fn balances(&self, _account: AccountId, _balances: &[AssetBalance], _at: Timestamp) {
        self.note("balances");
    }

    fn transfer(&self, _account: AccountId, _asset: AssetId, _amount: Amount, _at: Timestamp) {
        self.note("transfer");
    }

    fn unlisted_trade(&self, _trade: UnlistedTrade) {
        self.note("unlisted trade");
    }

    fn resync(&self, _account: AccountId) {
        self.note("resync");
    }

    fn down(&self, _account: AccountId, reason: &str) {
        panic!("the stream stays up: {reason}");
    }
}
