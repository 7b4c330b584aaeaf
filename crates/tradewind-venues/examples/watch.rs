//! Prints what an adapter hands on of one instrument, a JSON object a line, until it is stopped:
//! `watch okx http://127.0.0.1:9200 ws://127.0.0.1:9200 BTC/USDT 1m`. `binance-diffs` keeps books by their changes.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AccountId, Candle, Clock, Depth, DeskClock, Instrument, Interval, Level, Quote, Side, Trade,
    VenueId,
};
use tradewind_venues::execution::{RequestId, VenueResponse};
use tradewind_venues::{
    Assets, BookSource, HealthChange, MarketData, MarketSink, OrderEntry, OrderGate, RateBudget,
    Source, SourceSettings, TcpConnector, Topic, VenueContext, VenueKind, VenueSettings, build,
    build_feed, client_config,
};

/// Prints in the instrument's own decimals.
struct Printed(Instrument);

impl Printed {
    fn levels(&self, levels: &[Level]) -> Value {
        let level = |level: &Level| {
            let price = self.0.price_text(level.price);
            json!([price, self.0.quantity_text(level.quantity)])
        };
        levels.iter().map(level).collect()
    }
}

fn print(line: &Value) {
    // The reader may have gone.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

impl MarketSink for Printed {
    fn quote(&self, quote: Quote) {
        let (bid, ask) = (self.0.price_text(quote.bid), self.0.price_text(quote.ask));
        let quantities = [quote.bid_quantity, quote.ask_quantity];
        let [of_bid, of_ask] = quantities.map(|quantity| self.0.quantity_text(quantity));
        print(&json!({"quote": [bid, of_bid, ask, of_ask]}));
    }

    fn trade(&self, trade: Trade) {
        let side = match trade.taker {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let (price, quantity) = (
            self.0.price_text(trade.price),
            self.0.quantity_text(trade.quantity),
        );
        print(&json!({"trade": [trade.id.0.to_string(), side, price, quantity]}));
    }

    fn candle(&self, candle: Candle) {
        let prices = [candle.open, candle.high, candle.low, candle.close];
        let [open, high, low, close] = prices.map(|price| self.0.price_text(price));
        let (start, volume) = (candle.open_time.as_millis(), candle.volume.to_string());
        print(&json!({"candle": [start, open, high, low, close, volume]}));
    }

    fn depth(&self, depth: Box<Depth>) {
        let (bids, asks) = (self.levels(&depth.bids), self.levels(&depth.asks));
        print(&json!({"book": [bids, asks]}));
    }

    fn health(&self, change: &HealthChange) {
        print(&json!({"health": format!("{:?}", change.health), "reason": change.reason}));
    }

    fn failed(&self, topic: Topic, reason: &str) {
        print(&json!({"failed": format!("{topic:?}"), "reason": reason}));
    }
}

fn adapter(kind: &str, rest: &str, streams: &str) -> Result<Arc<dyn MarketData>, String> {
    let (kind, books) = match kind {
        "binance" => (VenueKind::Binance, BookSource::Top20),
        "binance-diffs" => (VenueKind::Binance, BookSource::Diffs),
        "okx" => (VenueKind::Okx, BookSource::Top20),
        "bybit" => (VenueKind::Bybit, BookSource::Top20),
        "kraken" => (VenueKind::Kraken, BookSource::Top20),
        "coinbase" => (VenueKind::Coinbase, BookSource::Top20),
        other => return Err(format!("no adapter {other}")),
    };
    let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
    let settings = VenueSettings {
        kind,
        venue: VenueId(0),
        name: "venue".to_owned(),
        account: AccountId(0),
        rest_url: rest.to_owned(),
        ws_url: streams.to_owned(),
        ws_api_url: format!("{streams}/ws-api/v3"),
        key: None,
        order_entry: OrderEntry::Rest,
        books,
        seed: 1,
    };
    let tls = client_config(None).map_err(|error| error.to_string())?;
    let context = VenueContext {
        connector: TcpConnector::shared(tls),
        gate: OrderGate::new(Arc::default(), Arc::clone(&clock)),
        clock,
        budget: Arc::new(Mutex::new(RateBudget::new(6_000))),
        assets: Arc::new(Assets::default()),
    };
    let adapter: Result<Arc<dyn MarketData>, _> = if kind.has_accounts() {
        let no_answers = Arc::new(|_: RequestId, _: VenueResponse| ());
        build(settings, context, no_answers).map(|venue| venue as _)
    } else {
        build_feed(settings, context)
    };
    adapter.map_err(|error| error.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, rest, streams, product, interval] = &arguments[..] else {
        return Err("watch KIND REST_URL WS_URL PRODUCT INTERVAL".to_owned());
    };
    let interval: Interval = interval.parse().map_err(|_| "no such interval")?;
    let adapter = adapter(kind, rest, streams)?;
    let listed = adapter.listings().await;
    let listed = listed.map_err(|error| error.to_string())?;
    let name = format!("venue:{product}");
    let found = listed.into_iter().find(|one| one.name == name);
    let instrument = found.ok_or("it is not listed")?;
    let used = adapter.use_instruments(std::slice::from_ref(&instrument));
    used.map_err(|error| error.to_string())?;
    let id = instrument.id;
    let topics = [
        Topic::Quotes(id),
        Topic::Trades(id),
        Topic::Depth(id),
        Topic::Candles(id, interval),
    ];
    let sink: Arc<dyn MarketSink> = Arc::new(Printed(instrument));
    let settings = SourceSettings {
        stale_after: Duration::from_secs(30),
        ..SourceSettings::default()
    };
    let mut tasks = JoinSet::new();
    for source in adapter.market_sources(&topics, &sink, settings) {
        tasks.spawn(forever(source));
    }
    while tasks.join_next().await.is_some() {}
    Ok(())
}

async fn forever(source: Box<dyn Source>) {
    source.run(CancellationToken::new()).await;
}
