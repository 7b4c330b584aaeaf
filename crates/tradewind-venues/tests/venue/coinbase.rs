//! Coinbase: every message of the shared collection, and the dialogue of a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_model::{
    InstrumentId, InstrumentStatus, Interval, MarketEvent, Price, Quantity, Side, Timestamp,
    TradeId, VenueId,
};
use tradewind_venues::binance::Assets;
use tradewind_venues::book::{Levels, Loss};
use tradewind_venues::coinbase::{
    MarketProtocol, Said, decode_book, decode_candles, decode_listings, read,
};
use tradewind_venues::{
    Address, Ignored, Incoming, ListedFor, Protocol, Scheme, SymbolTable, Topic,
};

use crate::dialogue::{Dialogue, events};
use crate::known_answers::shared;
use crate::rig::instrument;

const BTC: InstrumentId = InstrumentId(0);

fn symbols() -> SymbolTable {
    SymbolTable::new([
        ("BTC-USD".to_owned(), instrument(0, 2, 8)),
        ("ETH-USD".to_owned(), instrument(1, 2, 8)),
    ])
    .unwrap()
}

fn dialogue() -> Dialogue<MarketProtocol> {
    let address = Address::parse("ws://127.0.0.1:9", Scheme::WebSocket).unwrap();
    Dialogue::open(MarketProtocol::new(address, Arc::new(symbols())))
}

fn message(name: &str) -> Option<Value> {
    let path = shared(&format!("data/venue_messages/coinbase/{name}.json"))?;
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// A message under a number of its connection.
fn numbered(mut message: Value, number: u64) -> String {
    message["sequence_num"] = number.into();
    message.to_string()
}

fn book(kind: &str, number: u64, levels: &[(&str, &str, &str)]) -> String {
    let level = |(side, price, quantity): &(&str, &str, &str)| json!({"side": side, "event_time": "2026-04-07T14:30:00Z", "price_level": price, "new_quantity": quantity});
    let updates: Vec<Value> = levels.iter().map(level).collect();
    let event = json!({"type": kind, "product_id": "BTC-USD", "updates": updates});
    let message = json!({"channel": "l2_data", "client_id": "", "timestamp": "2026-04-07T14:30:00.5Z", "events": [event]});
    numbered(message, number)
}

const SIDES: [(&str, &str, &str); 2] = [("bid", "68900.00", "1"), ("offer", "68901.00", "2")];

fn subscribed() -> Dialogue<MarketProtocol> {
    let mut dialogue = dialogue();
    let topics = [
        Topic::Quotes(BTC),
        Topic::Trades(BTC),
        Topic::Candles(BTC, Interval::Minute5),
        Topic::Depth(BTC),
    ];
    dialogue.does(|protocol, out| protocol.subscribe(1, &topics, out));
    dialogue
}

#[test]
fn every_message_of_the_collection_is_understood() {
    let (Some(snapshot), Some(update)) =
        (message("ws_l2_data_snapshot"), message("ws_l2_data_update"))
    else {
        return;
    };
    let mut dialogue = subscribed();
    let mut number = 0;
    let mut said = |message: Value| {
        let received = dialogue.receives(&numbered(message, number));
        number += 1;
        received
    };
    let (before, now) = (message("ws_ticker").unwrap(), message("ws_ticker").unwrap());
    let [MarketEvent::Quote(quote)] = events(said(before))[..] else {
        panic!("one quote")
    };
    assert_eq!((quote.bid, quote.ask), (Price(6_890_000), Price(6_890_100)));
    assert_eq!(quote.bid_quantity, Quantity(150_000_000));

    let shown = events(said(snapshot));
    let [MarketEvent::Depth(depth), MarketEvent::Quote(quote)] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert_eq!((depth.bids.len(), depth.asks.len()), (3, 3));
    assert_eq!(quote.bid_quantity, Quantity(150_000_000));
    let shown = events(said(update));
    let [MarketEvent::Depth(_), MarketEvent::Quote(quote)] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert_eq!(quote.ask, Price(6_890_150), "the best ask was removed");
    assert_eq!(quote.bid_quantity, Quantity(200_000_000));
    let topic = Topic::Quotes(BTC);
    assert_eq!(
        said(now),
        [Incoming::Alive { topic }],
        "the book knows better"
    );

    let trades = events(said(message("ws_market_trades").unwrap()));
    let [MarketEvent::Trade(first), MarketEvent::Trade(second)] = trades[..] else {
        panic!("{trades:?}")
    };
    // The venue names the maker's side.
    assert_eq!((first.id, first.taker), (TradeId(995_098_700), Side::Sell));
    assert_eq!((second.price, second.taker), (Price(6_890_000), Side::Buy));

    let candle = message("ws_candles").unwrap();
    let topic = Topic::Candles(BTC, Interval::Minute5);
    assert_eq!(said(candle.clone()), [Incoming::Alive { topic }]);
    let mut next = candle;
    next["events"][0]["candles"][0]["start"] = "1775522100".into();
    let [MarketEvent::Candle(closed)] = events(said(next))[..] else {
        panic!("one candle")
    };
    assert_eq!(closed.open_time, Timestamp::from_secs(1_775_521_800));
    assert_eq!(
        (closed.low, closed.close),
        (Price(6_885_000), Price(6_892_050))
    );
    assert_eq!(said(message("ws_heartbeats").unwrap()), [Incoming::Pong]);
    let user = said(message("ws_user").unwrap());
    assert_eq!(user, [Incoming::Ignored(Ignored::NotWanted)]);
}

#[test]
fn trades_and_candles_of_before_the_subscription_are_left_out() {
    let Some(mut trades) = message("ws_market_trades") else {
        return;
    };
    trades["events"][0]["type"] = "snapshot".into();
    let received = subscribed().receives(&trades.to_string());
    assert_eq!(received, [Incoming::Ignored(Ignored::NotWanted)]);
}

#[test]
fn trades_are_in_the_order_of_their_numbers_whatever_the_message_has() {
    let Some(mut trades) = message("ws_market_trades") else {
        return;
    };
    let rows = trades["events"][0]["trades"].as_array_mut().unwrap();
    rows.reverse();
    let ids = events(subscribed().receives(&trades.to_string()));
    let id = |event: &MarketEvent| match event {
        MarketEvent::Trade(trade) => trade.id.0,
        _ => 0,
    };
    assert_eq!(
        ids.iter().map(id).collect::<Vec<_>>(),
        [995_098_700, 995_098_701]
    );
}

#[test]
fn d01_a_jump_of_the_connections_numbers_loses_its_books() {
    let mut dialogue = subscribed();
    dialogue.receives(&book("snapshot", 5, &SIDES));
    let late = book("update", 4, &[("bid", "68900.00", "9")]);
    let repeated = [Incoming::Ignored(Ignored::Repeated)];
    assert_eq!(dialogue.receives(&late), repeated);
    let received = dialogue.receives(&book("update", 8, &[("bid", "68900.00", "9")]));
    let [
        Incoming::Gap { missing: 2 },
        Incoming::Lost { why: Loss::Gap, .. },
        Incoming::Ignored(Ignored::NotWanted),
    ] = &received[..]
    else {
        panic!("{received:?}")
    };
    let sent = dialogue.sent();
    assert!(
        sent[0].contains("\"unsubscribe\"") && sent[1].contains("\"subscribe\"") && sent.len() == 2,
        "{sent:?}"
    );
    let whole = dialogue.receives(&book("snapshot", 9, &SIDES));
    assert!(matches!(whole[0], Incoming::Whole { .. }), "{whole:?}");
}

/// A refusal has no number, and requesting a lost book again is two messages.
#[test]
fn the_refusals_of_a_lost_books_request_are_no_other_requests() {
    let mut dialogue = dialogue();
    let listed = |number: u64, subscriptions: Value| {
        let message = json!({"channel": "subscriptions", "client_id": "", "timestamp": "2026-04-07T14:30:00Z",
            "events": [{"subscriptions": subscriptions}]});
        numbered(message, number)
    };
    dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(BTC)], out));
    let granted = dialogue.receives(&listed(0, json!({"level2": ["BTC-USD"]})));
    assert_eq!(granted, [Incoming::Acked { request: 1 }]);
    dialogue.receives(&book("snapshot", 1, &SIDES));
    dialogue.receives(&book("update", 3, &[("bid", "68900.00", "9")]));
    dialogue.does(|protocol, out| protocol.subscribe(2, &[Topic::Quotes(BTC)], out));
    for _ in 0..2 {
        let refused = dialogue.receives(r#"{"type":"error","message":"rate limit"}"#);
        assert_eq!(refused, [Incoming::Ignored(Ignored::NotWanted)]);
    }
    let all = json!({"level2": ["BTC-USD"], "ticker": ["BTC-USD"]});
    let granted = dialogue.receives(&listed(4, all));
    assert_eq!(granted, [Incoming::Acked { request: 2 }]);
}

/// A frame of several events of books, each with its product.
fn events_of(number: u64, parts: &[(&str, &str, &str)]) -> String {
    let event = |(product, kind, quantity): &(&str, &str, &str)| {
        json!({"type": kind, "product_id": product, "updates": [{"side": "bid", "event_time": "2026-04-07T14:30:00Z",
            "price_level": "68900.00", "new_quantity": quantity}]})
    };
    let all: Vec<Value> = parts.iter().map(event).collect();
    numbered(
        json!({"channel": "l2_data", "client_id": "", "timestamp": "2026-04-07T14:30:00Z", "events": all}),
        number,
    )
}

#[test]
fn each_event_of_a_message_counts() {
    let best = |received: Vec<Incoming<MarketEvent>>| {
        let depths = events(received)
            .into_iter()
            .filter_map(|event| match event {
                MarketEvent::Depth(depth) => Some(depth.bids[0].quantity.0 / 100_000_000),
                _ => None,
            });
        depths.collect::<Vec<_>>()
    };
    let mut dialogue = subscribed();
    let both = events_of(
        1,
        &[("BTC-USD", "snapshot", "1"), ("BTC-USD", "update", "2")],
    );
    assert_eq!(best(dialogue.receives(&both)), [1, 2]);
    let behind_another = events_of(
        2,
        &[("DOGE-USD", "update", "9"), ("BTC-USD", "update", "3")],
    );
    assert_eq!(best(dialogue.receives(&behind_another)), [3]);
    let mut unreadable: Value = serde_json::from_str(&events_of(
        3,
        &[("", "update", "9"), ("BTC-USD", "update", "4")],
    ))
    .unwrap();
    unreadable["events"][0]
        .as_object_mut()
        .unwrap()
        .remove("product_id");
    let received = dialogue.receives(&unreadable.to_string());
    let lost = |one: &Incoming<MarketEvent>| matches!(one, Incoming::Lost { .. });
    assert!(received.iter().any(lost), "{received:?}");
}

#[test]
fn a_candle_closes_with_its_last_state_or_not_at_all() {
    let Some(message) = message("ws_candles") else {
        return;
    };
    let candle = |start: i64, close: &str| {
        let mut row = message["events"][0]["candles"][0].clone();
        row["start"] = start.to_string().into();
        row["close"] = close.into();
        row
    };
    let frame = |number: u64, rows: Vec<Value>| {
        let mut frame = message.clone();
        frame["events"][0]["candles"] = rows.into();
        numbered(frame, number)
    };
    let closes = |received: Vec<Incoming<MarketEvent>>| {
        let closed = events(received)
            .into_iter()
            .filter_map(|event| match event {
                MarketEvent::Candle(candle) => Some(candle.close.0 / 100),
                _ => None,
            });
        closed.collect::<Vec<_>>()
    };
    let mut dialogue = subscribed();
    dialogue.receives(&frame(1, vec![candle(1_775_521_800, "68901.00")]));
    // The newest first: the last state of the one that closes is behind the first of the next.
    let both = vec![
        candle(1_775_522_100, "68910.00"),
        candle(1_775_521_800, "68902.00"),
    ];
    assert_eq!(closes(dialogue.receives(&frame(2, both))), [68_902]);
    // Its last state may be in what is missing.
    let next = vec![candle(1_775_522_400, "68920.00")];
    assert_eq!(closes(dialogue.receives(&frame(9, next))), [0_i64; 0]);
}

#[test]
fn requests_go_channel_by_channel_and_the_list_of_all_grants_them() {
    let mut dialogue = dialogue();
    let topics = [
        Topic::Quotes(BTC),
        Topic::Quotes(InstrumentId(1)),
        Topic::Depth(BTC),
    ];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(7, &topics, out));
    let sent: Vec<Value> = sent
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    assert_eq!(
        sent,
        [
            json!({"type": "subscribe", "channel": "heartbeats"}),
            json!({"type": "subscribe", "channel": "ticker", "product_ids": ["BTC-USD", "ETH-USD"]}),
            json!({"type": "subscribe", "channel": "level2", "product_ids": ["BTC-USD"]}),
        ]
    );
    let listed = |number: u64, subscriptions: Value| {
        let message = json!({"channel": "subscriptions", "client_id": "", "timestamp": "2026-04-07T14:30:00Z",
            "events": [{"subscriptions": subscriptions}]});
        numbered(message, number)
    };
    let tickers = json!({"heartbeats": ["heartbeats"], "ticker": ["BTC-USD", "ETH-USD"]});
    assert_eq!(dialogue.receives(&listed(0, tickers.clone())), []);
    let all = json!({"ticker": ["BTC-USD", "ETH-USD"], "level2": ["BTC-USD"]});
    let granted = dialogue.receives(&listed(1, all.clone()));
    assert_eq!(granted, [Incoming::Acked { request: 7 }]);

    dialogue.does(|protocol, out| protocol.unsubscribe(8, &topics[2..], out));
    assert_eq!(dialogue.receives(&listed(2, all)), [], "it is still there");
    let granted = dialogue.receives(&listed(3, tickers));
    assert_eq!(granted, [Incoming::Acked { request: 8 }]);

    let none = [Topic::Candles(BTC, Interval::Hour1)];
    dialogue.does(|protocol, out| protocol.subscribe(9, &none, out));
    let refused = dialogue.receives(r#"{"type":"error","message":"invalid channel: candles_1h"}"#);
    let reason = "invalid channel: candles_1h".to_owned();
    assert_eq!(refused, [Incoming::Refused { request: 9, reason }]);
}

#[test]
fn instruments_and_candles_are_read() {
    let (Some(products), Some(candles)) = (message("http_products"), message("http_candles"))
    else {
        return;
    };
    let assets = Assets::default();
    let desk = ListedFor {
        venue: VenueId(3),
        name: "coinbase",
        assets: &assets,
    };
    let listings = decode_listings(products.to_string().as_bytes(), desk).unwrap();
    let [bitcoin] = &listings.listings[..] else {
        panic!("{listings:?}")
    };
    assert_eq!(bitcoin.symbol, "BTC-USD");
    let rules = &bitcoin.instrument;
    assert_eq!(rules.name, "coinbase:BTC/USD");
    assert_eq!((rules.price_decimals, rules.tick), (2, Price(1)));
    assert_eq!(
        (rules.quantity_decimals, rules.status),
        (8, InstrumentStatus::Trading)
    );
    let why = "its market data comes as that of BTC-USD".to_owned();
    assert_eq!(listings.left_out, [("BTC-USDC".to_owned(), why)]);

    let read = |now: i64| {
        let now = Timestamp::from_secs(now);
        let body = candles.to_string();
        decode_candles(body.as_bytes(), rules, Interval::Hour1, now).unwrap()
    };
    let open = |candles: Vec<tradewind_model::Candle>| -> Vec<i64> {
        candles
            .iter()
            .map(|candle| candle.open_time.as_millis() / 1_000)
            .collect()
    };
    assert_eq!(open(read(1_712_196_000)), [1_712_188_800, 1_712_192_400]);
    assert_eq!(
        open(read(1_712_195_999)),
        [1_712_188_800],
        "the newest is open"
    );
    assert!(
        decode_candles(
            b"{\"error\":\"x\"}",
            rules,
            Interval::Hour1,
            Timestamp::EPOCH
        )
        .is_err()
    );
}

#[test]
fn a_book_of_many_levels_is_taken_in_one_message() {
    let mut dialogue = subscribed();
    let prices: Vec<String> = (1..20_000).map(|price| format!("{price}.00")).collect();
    let levels: Vec<(&str, &str, &str)> =
        prices.iter().map(|price| ("bid", &**price, "1")).collect();
    let text = book("snapshot", 1, &levels);
    assert!(text.len() > 1_024 * 1_024);
    let shown = events(dialogue.receives(&text));
    let [MarketEvent::Depth(depth)] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert_eq!(depth.bids[0].price, Price(1_999_900));
}

#[test]
fn levels_of_unknown_sides_are_refused() {
    let text = book("update", 1, &[("middle", "1.00", "1")]);
    let frame = read(text.as_bytes()).unwrap();
    let Said::Data(data) = frame.said else {
        panic!("data")
    };
    let event = data.events().next().unwrap().unwrap();
    let read = decode_book(
        &event,
        Some(1),
        &instrument(0, 2, 8),
        &mut Levels::default(),
    );
    assert_eq!(read, Err(Ignored::Malformed));
}

proptest! {
    #[test]
    fn any_text_gives_an_answer(text in ".{0,200}") {
        prop_assert!(!subscribed().receives(&text).is_empty());
    }

    #[test]
    fn a_damaged_text_is_survived(at: prop::sample::Index, byte in 32_u8..127, cut: prop::sample::Index) {
        let mut dialogue = subscribed();
        dialogue.receives(&book("snapshot", 1, &SIDES));
        let mut text = book("update", 2, &SIDES).into_bytes();
        let place = at.index(text.len());
        text[place] = byte;
        dialogue.receives(std::str::from_utf8(&text).unwrap());
        text.truncate(cut.index(text.len()));
        dialogue.receives(std::str::from_utf8(&text).unwrap());
    }

    /// Messages are dropped, said again and moved to the end: the book is the venue's at some moment, or not shown.
    #[test]
    fn whatever_the_wire_does_a_shown_book_was_the_venues(
        moves in proptest::collection::vec((1_u8..9, 0_u8..4), 1..30),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..6), 0..20),
    ) {
        let mut bids: BTreeMap<u8, u8> = BTreeMap::from([(5, 1)]);
        let moment = |bids: &BTreeMap<u8, u8>| -> Vec<(i64, i64)> {
            bids.iter().rev().map(|(price, quantity)| (i64::from(*price) * 100, i64::from(*quantity) * 100_000_000)).collect()
        };
        let mut moments = vec![moment(&bids)];
        let mut sent = Vec::new();
        for (number, (price, quantity)) in (2..).zip(&moves) {
            let texts = (price.to_string(), quantity.to_string());
            sent.push(book("update", number, &[("bid", &texts.0, &texts.1)]));
            match quantity {
                0 => bids.remove(price),
                _ => bids.insert(*price, *quantity),
            };
            moments.push(moment(&bids));
        }
        for (at, what) in &order {
            if sent.is_empty() { break; }
            let at = at.index(sent.len());
            match what {
                0 => { sent.remove(at); }
                1 => sent.insert(at, sent[at].clone()),
                2 => { let moved = sent.remove(at); sent.push(moved); }
                _ => {}
            }
        }
        let mut dialogue = subscribed();
        let mut shown = events(dialogue.receives(&book("snapshot", 1, &[("bid", "5", "1")])));
        for text in &sent {
            shown.extend(events(dialogue.receives(text)));
        }
        for event in shown {
            if let MarketEvent::Depth(depth) = event {
                let bids: Vec<(i64, i64)> = depth.bids.iter().map(|level| (level.price.0, level.quantity.0)).collect();
                prop_assert!(moments.contains(&bids), "{:?}", bids);
            }
        }
    }
}
