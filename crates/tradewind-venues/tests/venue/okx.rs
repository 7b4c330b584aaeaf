//! OKX: every message of the shared collection, a recorded feed against an independent rebuild, and the dialogue.

mod messages;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_model::{
    Amount, InstrumentId, InstrumentStatus, Interval, MarketEvent, Price, Quantity, Side,
    Timestamp, TradeId, VenueId,
};
use tradewind_venues::binance::Assets;
use tradewind_venues::book::{Levels, OrderBook, Outcome};
use tradewind_venues::okx::{
    Endpoint, MarketProtocol, Said, decode, decode_book, decode_candles, decode_listings, read,
};
use tradewind_venues::{
    Address, Ignored, Incoming, ListedFor, Protocol, Scheme, Sequence, SymbolTable, Topic,
};

use crate::books::{PlainBook, frames};
use crate::dialogue::{Dialogue, events, frame};
use crate::known_answers::shared;
use crate::rig::instrument;

const BTC: InstrumentId = InstrumentId(0);

fn symbols() -> SymbolTable {
    SymbolTable::new([
        ("BTC-USDT".to_owned(), instrument(0, 2, 8)),
        ("BTC-USD".to_owned(), instrument(1, 1, 8)),
        ("BTC-USD-220527".to_owned(), instrument(2, 1, 0)),
        ("UNI-USD-SWAP".to_owned(), instrument(3, 3, 0)),
    ])
    .unwrap()
}

fn address() -> Address {
    Address::parse("ws://127.0.0.1:9", Scheme::WebSocket).unwrap()
}

fn dialogue(endpoint: Endpoint) -> Dialogue<MarketProtocol> {
    Dialogue::open(MarketProtocol::new(
        address(),
        endpoint,
        Arc::new(symbols()),
    ))
}
