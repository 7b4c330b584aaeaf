//! One test of every operation against a running venue, simulated or not. It runs only if these variables are set:
//! `TRADEWIND_VENUE=host:port` (plain text, so on this machine), `TRADEWIND_VENUE_KEY`, `TRADEWIND_VENUE_SECRET`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tradewind_model::{
    Clock, DeskClock, FeedHealth, Fill, InstrumentId, Interval, ReportKind, TradeId, VenueOrderId,
};
use tradewind_venues::binance::{ApiKey, Assets, BinanceConfig};
use tradewind_venues::execution::{CandleRange, OrderQuery};
use tradewind_venues::{
    BinanceVenue, OrderGate, RateBudget, SourceSettings, TcpConnector, Topic, client_config,
};

use crate::rig::{Running, exit_order};
use crate::websocket::Recorder;

const BTC: InstrumentId = InstrumentId(0);

fn system_clock() -> Arc<dyn Clock> {
    Arc::new(DeskClock::system())
}

fn venue() -> Option<BinanceVenue> {
    let from = |name: &str| std::env::var(name).ok();
    let Some(address) = from("TRADEWIND_VENUE") else {
        eprintln!("SKIPPED: TRADEWIND_VENUE is not set, so no venue was walked through");
        return None;
    };
    let key = ApiKey::new(
        from("TRADEWIND_VENUE_KEY")?,
        SecretString::from(from("TRADEWIND_VENUE_SECRET")?),
    );
    let config = BinanceConfig {
        rest_url: format!("http://{address}"),
        ws_url: format!("ws://{address}"),
        ws_api_url: format!("ws://{address}/ws-api/v3"),
        key: Some(key),
        ..BinanceConfig::default()
    };
    let clock = system_clock();
    let gate = OrderGate::new(Arc::default(), Arc::clone(&clock));
    let budget = Arc::new(Mutex::new(RateBudget::new(6_000)));
    let connector = TcpConnector::shared(client_config(None).unwrap());
    Some(
        BinanceVenue::new(
            config,
            connector,
            clock,
            gate,
            budget,
            Arc::new(Assets::default()),
        )
        .unwrap(),
    )
}

async fn line_with(recorder: &Recorder, wanted: &str) -> String {
    loop {
        let line = recorder.line().await;
        if line.contains(wanted) {
            return line;
        }
    }
}

async fn walk(venue: &BinanceVenue) {
    venue.server_time().await.unwrap();
    let instruments = venue.instruments(&["BTC/USDT", "ETH/USDT"]).await.unwrap();
    assert_eq!(instruments[0].name, "binance:BTC/USDT");
    let candles = venue
        .candles(BTC, Interval::Minute1, CandleRange::Latest(100))
        .await
        .unwrap();
    assert_eq!(candles.len(), 100);
    assert!(candles.iter().all(tradewind_model::Candle::is_sound));
    assert!(!venue.account().await.unwrap().is_empty());
    assert!(!venue.api_restrictions().await.unwrap().enable_withdrawals);

    let (market, account) = (Recorder::new(), Recorder::new());
    let topics = [Topic::Quotes(BTC), Topic::Trades(BTC)];
    let mut sources = venue.market_sources(&topics, &market, SourceSettings::default());
    let source = Running::start(sources.remove(0));
    let user = venue.user_source(&account, SourceSettings::default());
    let user = Running::start(user.unwrap());
    assert_eq!(account.line().await, "resync");
    line_with(&market, &format!("{:?}", FeedHealth::Live)).await;
    line_with(&market, "quote").await;

    // A sell at 61,837.63 or better: it fills at once or rests, and is cancelled if it does.
    let order = exit_order(std::process::id() % 1_000);
    let id = order.terms().client_id;
    let reports = venue.submit(&order).await;
    assert_eq!(reports[0].kind, ReportKind::Accepted, "{reports:?}");
    line_with(&account, "accepted").await;
    let rests = venue
        .open_orders()
        .await
        .unwrap()
        .iter()
        .any(|record| record.client_id == id);
    if rests {
        assert_eq!(venue.cancel(BTC, id).await[0].kind, ReportKind::Cancelled);
        line_with(&account, "cancelled").await;
    } else {
        line_with(&account, "filled").await;
    }
    let OrderQuery::Found(found) = venue.query(BTC, id).await.unwrap() else {
        panic!("the order is known")
    };
    let fills: Vec<&Fill> = found
        .iter()
        .filter_map(|report| match &report.kind {
            ReportKind::Filled(fill) => Some(fill),
            _ => None,
        })
        .collect();
    let trades = venue.my_trades(BTC, TradeId(0)).await.unwrap();
    assert!(fills.iter().all(|fill| trades.contains(fill)));
    let orders = venue.orders_since(BTC, VenueOrderId(0)).await.unwrap();
    let record = orders.iter().find(|record| record.client_id == id).unwrap();
    let filled: i64 = fills.iter().map(|fill| fill.quantity.0).sum();
    assert_eq!(record.filled.0, filled);
    source.stop().await;
    user.stop().await;
}

#[tokio::test]
async fn a_venue_that_is_there_is_walked_through() {
    if let Some(venue) = venue() {
        tokio::time::timeout(Duration::from_secs(60), walk(&venue))
            .await
            .expect("a minute is enough for all of it");
    }
}
