//! Bybit: every message of the shared collection, a recorded book against an independent rebuild, and the dialogue.

mod messages;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_model::{
    Amount, InstrumentId, InstrumentStatus, Interval, MarketEvent, Price, Quantity, Side,
    Timestamp, TradeId, VenueId,
};
use tradewind_venues::binance::Assets;
use tradewind_venues::book::{Levels, OrderBook, Outcome};
use tradewind_venues::bybit::{
    MarketProtocol, Said, decode, decode_book, decode_candles, decode_listings, read,
};
use tradewind_venues::{
    Address, Ignored, Incoming, ListedFor, Protocol, Scheme, Sequence, SymbolTable, Topic,
};

use crate::books::PlainBook;
use crate::dialogue::{Dialogue, events, frame};
use crate::known_answers::shared;
use crate::rig::instrument;

const BTC: InstrumentId = InstrumentId(0);

const XRP: InstrumentId = InstrumentId(1);

fn symbols() -> SymbolTable {
    SymbolTable::new([
        ("BTCUSDT".to_owned(), instrument(0, 2, 6)),
        ("XRPUSDT".to_owned(), instrument(1, 4, 0)),
    ])
    .unwrap()
}

fn dialogue() -> Dialogue<MarketProtocol> {
    let address = Address::parse("ws://127.0.0.1:9", Scheme::WebSocket).unwrap();
    Dialogue::open(MarketProtocol::new(address, Arc::new(symbols())))
}

fn trades(ids: &[&str]) -> String {
    let rows: Vec<Value> = ids
        .iter()
        .map(|id| json!({"T": 1, "s": "BTCUSDT", "S": "Sell", "v": "0.5", "p": "100.5", "i": id, "BT": false, "seq": 3}))
        .collect();
    json!({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1, "data": rows}).to_string()
}
