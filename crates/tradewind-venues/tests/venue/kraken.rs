//! Kraken: every message of the shared collection, 4,269 recorded checksums, and the dialogue.

mod messages;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_model::{
    Amount, InstrumentId, InstrumentStatus, Interval, Level, MarketEvent, Price, Quantity, Side,
    Timestamp, TradeId, VenueId,
};
use tradewind_venues::binance::Assets;
use tradewind_venues::book::{Levels, Loss, Message, OrderBook, Outcome, Step};
use tradewind_venues::kraken::{
    MarketProtocol, OpenCandles, Said, decode, decode_book, decode_candles, decode_listings, read,
};
use tradewind_venues::{
    Address, Ignored, Incoming, ListedFor, Protocol, Scheme, SymbolTable, Topic,
};

use crate::books::{PlainBook, frames};
use crate::dialogue::{Dialogue, events, frame};
use crate::known_answers::shared;
use crate::rig::instrument;

const BTC: InstrumentId = InstrumentId(0);

fn symbols() -> SymbolTable {
    SymbolTable::new([
        ("BTC/USD".to_owned(), instrument(0, 1, 8)),
        ("ETH/USD".to_owned(), instrument(1, 2, 8)),
    ])
    .unwrap()
}

fn dialogue() -> Dialogue<MarketProtocol> {
    let address = Address::parse("ws://127.0.0.1:9", Scheme::WebSocket).unwrap();
    Dialogue::open(MarketProtocol::new(address, Arc::new(symbols())))
}

fn bar(begin: &str, close: &str) -> String {
    format!(
        r#"{{"channel":"ohlc","type":"update","data":[{{"symbol":"BTC/USD","interval":1,"interval_begin":"{begin}","open":106038.2,"high":106044.3,"low":106038.1,"close":{close},"volume":30927.68066226,"vwap":106039.6,"trades":12}}]}}"#
    )
}
