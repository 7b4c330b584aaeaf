//! A venue under test, its clock, and orders that passed the risk gate.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AccountId, Amount, AssetTable, ClientOrderIds, Clock, Instrument, InstrumentId, ManualClock,
    OrderKind, OrderTerms, Ppm, Price, Quantity, Side, TimeInForce, Timestamp,
};
use tradewind_risk::{
    AccountFacts, ApprovedOrder, Candidate, Context, KillLatch, Limits, PositionEffect,
    RecentOrders, TokenBucket, TradingState, check,
};
use tradewind_venues::binance::{ApiKey, Assets, BinanceConfig, OrderEntry};
use tradewind_venues::{
    BinanceVenue, Connector, DataSource, OrderGate, Protocol, RateBudget, SourceHandle, SourceSink,
    TcpConnector, client_config,
};

pub(crate) const SECRET: &str = "secret of the test";
pub(crate) const START_MS: i64 = 1_700_000_000_000;

pub(crate) struct Rig {
    pub(crate) venue: Arc<BinanceVenue>,
    pub(crate) latch: Arc<KillLatch>,
    pub(crate) clock: Arc<ManualClock>,
}

/// A source that runs as a task of its own.
pub(crate) struct Running<S> {
    handle: SourceHandle,
    stop: CancellationToken,
    task: JoinSet<S>,
}

impl<P, M, K> Running<DataSource<P, M, K>>
where
    P: Protocol,
    M: Fn() -> P + Send + 'static,
    K: SourceSink<P::Event>,
    DataSource<P, M, K>: Send + 'static,
{
    pub(crate) fn start(mut source: DataSource<P, M, K>) -> Self {
        let (handle, stop, mut task) = (source.handle(), CancellationToken::new(), JoinSet::new());
        let until = stop.clone();
        task.spawn(async move {
            source.run(until).await;
            source
        });
        Self { handle, stop, task }
    }

    pub(crate) const fn handle(&self) -> &SourceHandle {
        &self.handle
    }

    /// Stops it and gives the source back, to be run again.
    pub(crate) async fn stop(mut self) -> DataSource<P, M, K> {
        self.stop.cancel();
        let ended = self.task.join_next().await.unwrap();
        ended.expect("the source does not panic")
    }
}

/// A venue at these addresses, with two instruments in use and requests given up after `within`.
pub(crate) fn rig(rest: SocketAddr, ws: SocketAddr, within: Duration) -> Rig {
    rig_with(rest, ws, within, OrderEntry::Rest)
}

/// The same with new orders over the interface of one's choice.
pub(crate) fn rig_with(
    rest: SocketAddr,
    ws: SocketAddr,
    within: Duration,
    order_entry: OrderEntry,
) -> Rig {
    let config = BinanceConfig {
        rest_url: format!("http://{rest}"),
        ws_url: format!("ws://{ws}"),
        ws_api_url: format!("ws://{ws}/ws-api/v3"),
        request_timeout: within,
        order_timeout: within,
        order_entry,
        ..BinanceConfig::default()
    };
    rig_over(TcpConnector::shared(client_config(None).unwrap()), config)
}

/// The same over a network of one's choice.
pub(crate) fn rig_over(connector: Arc<dyn Connector>, config: BinanceConfig) -> Rig {
    let manual = Arc::new(ManualClock::new(Timestamp::from_millis(START_MS)));
    let clock: Arc<dyn Clock> = Arc::clone(&manual) as _;
    let latch = Arc::new(KillLatch::default());
    let gate = OrderGate::new(Arc::clone(&latch), Arc::clone(&clock));
    let config = BinanceConfig {
        key: Some(ApiKey::new("the key", SecretString::from(SECRET))),
        ..config
    };
    let venue = BinanceVenue::new(
        config,
        connector,
        clock,
        gate,
        Arc::new(Mutex::new(RateBudget::new(6_000))),
        Arc::new(Assets::new(AssetTable::default())),
    )
    .unwrap();
    venue
        .use_instruments([
            ("BTCUSDT".to_owned(), instrument(0, 2, 5)),
            ("ETHUSDT".to_owned(), instrument(1, 2, 4)),
        ])
        .unwrap();
    Rig {
        venue: Arc::new(venue),
        latch,
        clock: manual,
    }
}

pub(crate) fn instrument(id: u32, price_decimals: u8, quantity_decimals: u8) -> Instrument {
    Instrument {
        price_decimals,
        quantity_decimals,
        ..Instrument::spot(
            InstrumentId(id),
            format!("binance:{id}"),
            tradewind_model::AssetId(0),
            tradewind_model::AssetId(1),
        )
    }
}

/// A sell of 0.5 BTC at 61,837.63 or better, sealed by the real gate as an exit, which never grows too old.
pub(crate) fn exit_order(sequence: u32) -> ApprovedOrder {
    sealed(sequence, PositionEffect::Exit)
}

/// The same as an entry, good for two seconds.
pub(crate) fn entry_order(sequence: u32) -> ApprovedOrder {
    sealed(sequence, PositionEffect::Entry)
}

fn sealed(sequence: u32, purpose: PositionEffect) -> ApprovedOrder {
    let mut ids = ClientOrderIds::new(1, 1);
    let client_id = (0..=sequence).map(|_| ids.next_id()).last().unwrap();
    let side = match purpose {
        PositionEffect::Exit | PositionEffect::Protect => Side::Sell,
        PositionEffect::Entry => Side::Buy,
    };
    let terms = OrderTerms {
        account: AccountId(0),
        instrument: InstrumentId(0),
        client_id,
        side,
        quantity: Quantity(50_000),
        kind: OrderKind::Limit {
            price: Price(6_183_763),
            time_in_force: TimeInForce::GoodTillCancel,
        },
    };
    let candidate = Candidate {
        terms,
        bot: None,
        purpose,
        decided_on_quote: true,
        reference: None,
        stop: None,
        continues: false,
    };
    let rules = Instrument {
        open_orders_max: 200,
        ..instrument(0, 2, 5)
    };
    let limits = Limits {
        intent_ttl_quote: Some(Duration::from_secs(2)),
        ..Limits::wide()
    };
    let context = Context {
        now: Timestamp::from_millis(START_MS),
        limits: &limits,
        state: TradingState::Active,
        instrument: &rules,
        allowed: true,
        quote: Some(&quote()),
        depth: None,
        second_source: None,
        quote_rate: Some(Amount::ONE),
        equity: Amount::whole(1_000_000_000),
        fee: Ppm(1_000),
        free: Amount::whole(1_000_000_000),
        position: Quantity(50_000),
        working: Quantity::ZERO,
        account: AccountFacts::default(),
        rate: &TokenBucket::default(),
        recent: &RecentOrders::default(),
        same_side_entries: 0,
    };
    check(&candidate, &context).expect("the test's order is within generous limits")
}

fn quote() -> tradewind_model::Quote {
    tradewind_model::Quote {
        instrument: InstrumentId(0),
        bid: Price(6_183_763),
        ask: Price(6_183_764),
        bid_quantity: Quantity(100_000),
        ask_quantity: Quantity(100_000),
        event_time: None,
        received_at: Timestamp::from_millis(START_MS),
    }
}
