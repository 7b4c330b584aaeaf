//! Kraken: every message of the shared collection, 4,269 recorded checksums, and the dialogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_model::{
    Amount, FeedHealth, InstrumentId, InstrumentStatus, Interval, Level, MarketEvent, Price,
    Quantity, Side, Timestamp, TradeId, VenueId,
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

fn message(name: &str) -> Option<String> {
    let path = shared(&format!("data/venue_messages/kraken/{name}.json"))?;
    Some(std::fs::read_to_string(path).unwrap())
}

fn said(text: &str, candles: &mut OpenCandles) -> Vec<Incoming<MarketEvent>> {
    let Ok(Said::Data(data)) = read(text.as_bytes()) else {
        panic!("no data: {text}");
    };
    let mut said = Vec::new();
    decode(
        &data,
        Timestamp::EPOCH,
        &symbols(),
        candles,
        &mut |incoming| said.push(incoming),
    );
    said
}

/// A frame in one line, for the table.
fn in_words(text: &str) -> String {
    let symbols = symbols();
    match read(text.as_bytes()) {
        Ok(Said::Data(data)) if data.is_book() => {
            let mut levels = Levels::default();
            match decode_book(&data, &symbols, &mut levels) {
                Ok((_, message)) => {
                    format!("{message:?} {} {}", levels.bids.len(), levels.asks.len())
                }
                Err((_, why)) => format!("{why:?}"),
            }
        }
        Ok(Said::Data(_)) => {
            let word = |incoming: &Incoming<MarketEvent>| match incoming {
                Incoming::Event { topic, .. } => format!("{topic:?}"),
                Incoming::Ignored(why) => format!("{why:?}"),
                other => format!("{other:?}"),
            };
            let said: Vec<String> = said(text, &mut OpenCandles::default())
                .iter()
                .map(word)
                .collect();
            said.join(", ")
        }
        Ok(Said::Granted {
            channel,
            symbol,
            minutes,
        }) => format!(
            "granted {} {} {minutes:?}",
            String::from_utf8_lossy(channel),
            String::from_utf8_lossy(symbol)
        ),
        Ok(Said::Refused { request, message }) => {
            format!("refused {request:?} {}", String::from_utf8_lossy(message))
        }
        Ok(said) => format!("{said:?}"),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn every_message_of_the_collection_is_understood_or_named() {
    let Some(folder) = shared("data/venue_messages/kraken") else {
        return;
    };
    let mut seen = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ws_") {
            seen.insert(name, in_words(&std::fs::read_to_string(&path).unwrap()));
        }
    }
    let wanted = [
        (
            "ws_book_snapshot",
            "Snapshot(Checked { checksum: 2439117997 }) 3 3",
        ),
        (
            "ws_book_update",
            "Update(Checked { checksum: 2114181697 }) 1 0",
        ),
        (
            "ws_ohlc_update",
            "Alive { topic: Candles(InstrumentId(0), Minute1) }",
        ),
        ("ws_pong", "Alive"),
        ("ws_subscribe_response", "granted ticker BTC/USD None"),
        ("ws_ticker_snapshot", "Quotes(InstrumentId(0))"),
        (
            "ws_trade_update",
            "Trades(InstrumentId(0)), Trades(InstrumentId(0))",
        ),
    ];
    for (name, words) in wanted {
        assert_eq!(seen.remove(name).as_deref(), Some(words), "{name}");
    }
    // What is left is about orders and single orders in the book, which this connection does not ask for.
    for (name, words) in seen {
        let is_trading = ["ws_add", "ws_amend", "ws_batch", "ws_cancel", "ws_l3"]
            .iter()
            .any(|start| name.starts_with(start));
        assert!(is_trading, "{name}");
        assert!(
            !words.contains("Quotes") && !words.contains("Trades") && !words.contains("Update("),
            "{name}: {words}"
        );
    }
}

#[test]
fn numbers_are_read_from_their_digits() {
    let (Some(quote), Some(trade)) = (message("ws_ticker_snapshot"), message("ws_trade_update"))
    else {
        return;
    };
    let none = &mut OpenCandles::default();
    let [MarketEvent::Quote(quote)] = events(said(&quote, none))[..] else {
        panic!("one quote")
    };
    assert_eq!((quote.bid, quote.ask), (Price(1_059_442), Price(1_059_443)));
    assert_eq!(
        (quote.bid_quantity, quote.ask_quantity),
        (Quantity(250_000_000), Quantity(320_000_000))
    );
    assert_eq!(
        quote.event_time,
        Some(Timestamp::from_nanos(1_671_960_659_123_456_000))
    );
    let small = trade.replace("0.00027625", "2.7625e-4");
    for text in [trade, small] {
        let [MarketEvent::Trade(first), MarketEvent::Trade(second)] = events(said(&text, none))[..]
        else {
            panic!("two trades")
        };
        assert_eq!((first.taker, second.taker), (Side::Buy, Side::Sell));
        assert_eq!(
            (first.id, second.id),
            (TradeId(10_218_208), TradeId(10_218_209))
        );
        assert_eq!(
            (first.price, first.quantity),
            (Price(1_059_442), Quantity(27_625))
        );
    }
}

fn bar(begin: &str, close: &str) -> String {
    format!(
        r#"{{"channel":"ohlc","type":"update","data":[{{"symbol":"BTC/USD","interval":1,"interval_begin":"{begin}","open":106038.2,"high":106044.3,"low":106038.1,"close":{close},"volume":30927.68066226,"vwap":106039.6,"trades":12}}]}}"#
    )
}

#[test]
fn a_candle_is_closed_by_the_next_ones_beginning() {
    let candles = &mut OpenCandles::default();
    let mut hear = |begin: &str, close: &str| events(said(&bar(begin, close), candles));
    assert_eq!(hear("2023-10-04T16:25:00.000000000Z", "106040.1"), []);
    assert_eq!(hear("2023-10-04T16:25:00.000000000Z", "106041.5"), []);
    let closed = hear("2023-10-04T16:26:00.000000000Z", "106042.0");
    let [MarketEvent::Candle(candle)] = closed[..] else {
        panic!("{closed:?}")
    };
    assert_eq!(
        (candle.open, candle.close),
        (Price(1_060_382), Price(1_060_415))
    );
    assert_eq!(candle.open_time, Timestamp::from_secs(1_696_436_700));
    assert_eq!(candle.volume, Amount(30_927_680_662_260_000_000_000));
    assert_eq!(
        hear("2023-10-04T16:26:30.000000000Z", "1.0"),
        [],
        "not the start of a minute"
    );
}

fn desk(assets: &Assets) -> ListedFor<'_> {
    ListedFor {
        venue: VenueId(4),
        name: "kraken",
        assets,
    }
}

#[test]
fn the_list_of_pairs_has_their_rules_under_the_new_names() {
    let Some(text) = message("http_asset_pairs") else {
        return;
    };
    let assets = Assets::default();
    let listings = decode_listings(text.as_bytes(), desk(&assets)).unwrap();
    assert_eq!(listings.left_out, []);
    let bitcoin = listings
        .listings
        .iter()
        .find(|listing| listing.symbol == "BTC/USDT")
        .unwrap();
    let rules = &bitcoin.instrument;
    assert_eq!((rules.price_decimals, rules.quantity_decimals), (1, 8));
    assert_eq!(
        (rules.tick, rules.step, rules.quantity_min),
        (Price(1), Quantity(1), Quantity(5_000))
    );
    assert_eq!(rules.notional_min, Amount(500_000_000_000_000_000));
    assert_eq!(
        (rules.status, rules.name.as_str()),
        (InstrumentStatus::Trading, "kraken:BTC/USDT")
    );
    let refused = decode_listings(
        br#"{"error":["EGeneral:Too many requests"]}"#,
        desk(&assets),
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("EGeneral:Too many requests")
    );
    let Some(path) = shared("data/raw_captures/KRAKEN.0") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let (_, body) = text.lines().next().unwrap().split_once(": ").unwrap();
    let json: Value = serde_json::from_str(body).unwrap();
    let listings = decode_listings(body.as_bytes(), desk(&assets)).unwrap();
    let count = listings.listings.len() + listings.left_out.len();
    assert_eq!(count, json["result"].as_object().unwrap().len());
    assert!(listings.listings.len() > 300);
    let named =
        |(_, why): &(String, String)| why.contains("no name") || why.contains("decimal places");
    assert!(
        listings.left_out.iter().all(named),
        "{:?}",
        listings.left_out
    );
}

#[test]
fn candle_history_ends_with_the_last_closed_one() {
    let Some(text) = message("http_ohlc") else {
        return;
    };
    let candles = decode_candles(text.as_bytes(), &instrument(0, 1, 8), Interval::Minute1).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let rows = json["result"]["XBTUSDT"].as_array().unwrap();
    let last = json["result"]["last"].as_i64().unwrap();
    let closed = rows
        .iter()
        .filter(|row| row[0].as_i64().unwrap() <= last)
        .count();
    assert_eq!(candles.len(), closed);
    assert!(
        closed > 100 && closed < rows.len(),
        "{closed} of {}",
        rows.len()
    );
    assert_eq!(
        candles.last().unwrap().open_time,
        Timestamp::from_secs(last)
    );
    assert!(
        candles
            .windows(2)
            .all(|pair| pair[0].close_time() == pair[1].open_time)
    );
}

/// The levels of a frame of 2021's wire, for the plain book and for ours.
fn levels_of(side: &Value, places: (u8, u8)) -> Vec<Level> {
    let mut plain = Vec::new();
    for level in side.as_array().unwrap() {
        let count = |at: usize, decimals: u8| {
            let value =
                tradewind_model::parse_fixed(level[at].as_str().unwrap(), decimals).unwrap();
            i64::try_from(value).unwrap()
        };
        plain.push(Level {
            price: Price(count(0, places.0)),
            quantity: Quantity(count(1, places.1)),
        });
    }
    plain
}

#[test]
fn every_recorded_checksum_is_that_of_our_book() {
    let Some(path) = shared("data/raw_captures/KRAKEN.ws.50.0") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut books: BTreeMap<String, (OrderBook, PlainBook, (u8, u8))> = BTreeMap::new();
    let (mut checked, mut snapshots) = (0, 0);
    for text in frames(&text) {
        let json: Value = serde_json::from_str(text).unwrap();
        let Some(parts) = json.as_array() else {
            continue;
        };
        let pair = parts.last().unwrap().as_str().unwrap();
        let found = |name: &str| {
            parts[1..parts.len() - 2]
                .iter()
                .find_map(|part| part.get(name))
        };
        let none = json!([]);
        if let (Some(asks), Some(bids)) = (found("as"), found("bs")) {
            let decimals = |text: &Value| {
                let (_, fraction) = text.as_str().unwrap().split_once('.').unwrap();
                u8::try_from(fraction.len()).unwrap()
            };
            let places = (decimals(&asks[0][0]), decimals(&asks[0][1]));
            let mut book = OrderBook::of_depth(InstrumentId(0), 1_000);
            let levels = Levels {
                bids: levels_of(bids, places),
                asks: levels_of(asks, places),
            };
            // Snapshots of that wire have no checksum: ours is taken, and the next one proves it.
            let mut unchecked = OrderBook::new(InstrumentId(0), 2_000);
            unchecked.take(Message::Snapshot(Step::Span { first: 0, last: 0 }), &levels);
            let checksum = unchecked.checksum();
            let outcome = book.take(Message::Snapshot(Step::Checked { checksum }), &levels);
            assert_eq!(outcome, Outcome::Changed, "{pair}");
            let mut plain = PlainBook::default();
            PlainBook::change(&mut plain.bids, bids);
            PlainBook::change(&mut plain.asks, asks);
            books.insert(pair.to_owned(), (book, plain, places));
            snapshots += 1;
            continue;
        }
        let (book, plain, places) = books.get_mut(pair).unwrap();
        let (asks, bids) = (found("a").unwrap_or(&none), found("b").unwrap_or(&none));
        let levels = Levels {
            bids: levels_of(bids, *places),
            asks: levels_of(asks, *places),
        };
        let checksum = found("c").unwrap().as_str().unwrap().parse().unwrap();
        let outcome = book.take(Message::Update(Step::Checked { checksum }), &levels);
        assert!(
            matches!(outcome, Outcome::Changed | Outcome::Same),
            "{outcome:?}: {text}"
        );
        PlainBook::change(&mut plain.bids, bids);
        PlainBook::change(&mut plain.asks, asks);
        while plain.bids.len() > 1_000 {
            plain.bids.pop_first();
        }
        while plain.asks.len() > 1_000 {
            plain.asks.pop_last();
        }
        plain.assert_same(book, &instrument(0, places.0, places.1), text);
        checked += 1;
    }
    assert_eq!((checked, snapshots), (4_269, 10));
    eprintln!("Kraken: {checked} checksums of {snapshots} books");
}

fn level(price: i64, quantity: i64) -> Level {
    Level {
        price: Price(price),
        quantity: Quantity(quantity),
    }
}

/// A frame of the book with the checksum of what the book is after it.
fn book_frame(kind: &str, change: &Levels, after: &OrderBook) -> String {
    let side = |levels: &[Level]| -> String {
        let level = |level: &Level| {
            let (price, quantity) = (level.price.0, level.quantity.0);
            format!(
                r#"{{"price":{}.{},"qty":{}.{:08}}}"#,
                price / 10,
                price % 10,
                quantity / 100_000_000,
                quantity % 100_000_000
            )
        };
        levels.iter().map(level).collect::<Vec<_>>().join(",")
    };
    format!(
        r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{}],"asks":[{}],"checksum":{},"timestamp":"2023-10-06T17:35:55.440295Z"}}]}}"#,
        side(&change.bids),
        side(&change.asks),
        after.checksum()
    )
}

fn plain_book() -> OrderBook {
    OrderBook::of_depth(BTC, 10)
}

/// A venue's book of depth 10, and what it sends.
fn first() -> (OrderBook, Levels) {
    let levels = Levels {
        bids: (0..10).map(|at| level(1_000 - at, 5)).collect(),
        asks: (0..10).map(|at| level(1_001 + at, 5)).collect(),
    };
    let mut book = plain_book();
    book.take(Message::Snapshot(Step::Span { first: 0, last: 0 }), &levels);
    (book, levels)
}

fn change(book: &mut OrderBook, number: u64, bids: Vec<Level>) -> (Levels, String) {
    let change = Levels { bids, asks: vec![] };
    book.take(
        Message::Update(Step::Span {
            first: number,
            last: number,
        }),
        &change,
    );
    let text = book_frame("update", &change, book);
    (change, text)
}

#[test]
fn d01_a_missing_change_is_noticed_by_the_checksum_of_the_next() {
    let (mut venue, snapshot) = first();
    let mut dialogue = dialogue();
    let sent = dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(BTC)], out));
    assert_eq!(
        serde_json::from_str::<Value>(&sent[0]).unwrap(),
        json!({"method": "subscribe", "req_id": 1, "params": {"channel": "book", "depth": 10, "symbol": ["BTC/USD"]}})
    );
    let shown = events(dialogue.hears(&book_frame("snapshot", &snapshot, &venue)));
    assert!(matches!(&shown[..], [MarketEvent::Depth(_)]), "{shown:?}");
    // A level that falls out of the depth is not said to go.
    let (_, inserted) = change(
        &mut venue,
        1,
        vec![level(995, 7), level(1_000, 0), level(1_000, 9)],
    );
    assert_eq!(events(dialogue.hears(&inserted)).len(), 1);
    let (_, lost) = change(&mut venue, 2, vec![level(999, 1)]);
    let (_, next) = change(&mut venue, 3, vec![level(998, 1)]);
    let heard = events(dialogue.hears(&next));
    let [
        MarketEvent::Health {
            health: FeedHealth::Gap,
            reason,
            ..
        },
    ] = &heard[..]
    else {
        panic!("{heard:?}")
    };
    assert_eq!(*reason, Loss::Checksum.to_string());
    let sent = dialogue.sent();
    assert!(
        sent[0].contains("unsubscribe") && sent[1].contains(r#""method":"subscribe""#),
        "{sent:?}"
    );
    assert_eq!(
        dialogue.hears(&lost),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    let whole = Levels {
        bids: venue.bids().collect(),
        asks: venue.asks().collect(),
    };
    let whole = events(dialogue.hears(&book_frame("snapshot", &whole, &venue)));
    assert!(matches!(
        &whole[..],
        [
            MarketEvent::Health {
                health: FeedHealth::Live,
                ..
            },
            MarketEvent::Depth(_)
        ]
    ));
    // The last change once more: the book has it already.
    assert_eq!(events(dialogue.hears(&next)), []);
    assert!(dialogue.sent().is_empty());
}

#[test]
fn requests_go_channel_by_channel_and_are_granted_topic_by_topic() {
    let mut dialogue = dialogue();
    let topics = [
        Topic::Quotes(BTC),
        Topic::Quotes(InstrumentId(1)),
        Topic::Trades(BTC),
        Topic::Candles(BTC, Interval::Hour1),
    ];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(7, &topics, out));
    let sent: Vec<Value> = sent
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    assert_eq!(
        sent,
        [
            json!({"method": "subscribe", "req_id": 7, "params": {"channel": "ticker", "event_trigger": "bbo", "symbol": ["BTC/USD", "ETH/USD"]}}),
            json!({"method": "subscribe", "req_id": 7, "params": {"channel": "trade", "snapshot": false, "symbol": ["BTC/USD"]}}),
            json!({"method": "subscribe", "req_id": 7, "params": {"channel": "ohlc", "interval": 60, "snapshot": false, "symbol": ["BTC/USD"]}}),
        ]
    );
    let granted = |channel: &str, symbol: &str| {
        json!({"method": "subscribe", "result": {"channel": channel, "symbol": symbol, "interval": 60}, "success": true, "req_id": 7}).to_string()
    };
    for (channel, symbol) in [
        ("ticker", "BTC/USD"),
        ("ticker", "ETH/USD"),
        ("ohlc", "BTC/USD"),
    ] {
        assert_eq!(
            dialogue.hears(&granted(channel, symbol)),
            [Incoming::Ignored(Ignored::NotWanted)]
        );
    }
    assert_eq!(
        dialogue.hears(&granted("trade", "BTC/USD")),
        [Incoming::Acked { request: 7 }]
    );
    dialogue.does(|protocol, out| protocol.subscribe(8, &topics, out));
    let refused = r#"{"error":"Currency pair not supported ETH/USD","method":"subscribe","req_id":8,"success":false,"symbol":"ETH/USD"}"#;
    let reason = "Currency pair not supported ETH/USD".to_owned();
    assert_eq!(
        dialogue.hears(refused),
        [Incoming::Refused { request: 8, reason }]
    );
    dialogue.does(|protocol, out| protocol.subscribe(9, &topics[..1], out));
    let again = r#"{"error":"Already subscribed","method":"subscribe","req_id":9,"success":false,"symbol":"BTC/USD"}"#;
    assert_eq!(dialogue.hears(again), [Incoming::Acked { request: 9 }]);
    let none = [Topic::Candles(BTC, Interval::Hour2)];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(10, &none, out));
    assert!(sent[0].contains(r#""interval":120"#), "{sent:?}");
    assert_eq!(
        dialogue.hears(r#"{"channel":"heartbeat"}"#),
        [Incoming::Pong]
    );
    let sent = dialogue.does(|protocol, out| protocol.unsubscribe(11, &topics[2..3], out));
    assert!(!sent[0].contains("snapshot"), "{sent:?}");
}

fn texts() -> Vec<String> {
    let (mut venue, snapshot) = first();
    let snapshot = book_frame("snapshot", &snapshot, &venue);
    let (_, update) = change(&mut venue, 1, vec![level(999, 1)]);
    vec![
        snapshot,
        update,
        bar("2023-10-04T16:25:00.000000000Z", "106041.5"),
        bar("2023-10-04T16:26:00.000000000Z", "106042.5"),
        r#"{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,"ask":105944.30,"ask_qty":3.2,"last":105899.40}]}"#.to_owned(),
        r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,"qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"}]}"#.to_owned(),
        r#"{"method":"pong","req_id":42}"#.to_owned(),
    ]
}

fn subscribed() -> Dialogue<MarketProtocol> {
    let mut dialogue = dialogue();
    dialogue
        .does(|protocol, out| protocol.subscribe(1, &[Topic::Trades(BTC), Topic::Depth(BTC)], out));
    dialogue
}

proptest! {
    #[test]
    fn any_text_gives_an_answer(text in ".{0,200}") {
        prop_assert!(!subscribed().hears(&text).is_empty());
    }

    #[test]
    fn a_damaged_text_gives_an_answer(which in 0_usize..7, at: prop::sample::Index, byte in 32_u8..127, cut: prop::sample::Index) {
        let mut text = texts()[which].clone().into_bytes();
        let place = at.index(text.len());
        text[place] = byte;
        subscribed().hears(std::str::from_utf8(&text).unwrap());
        text.truncate(cut.index(text.len()));
        prop_assert!(!subscribed().hears(std::str::from_utf8(&text).unwrap()).is_empty());
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_messages(cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let all: Vec<u8> = texts().iter().flat_map(|text| frame(text)).collect();
        let whole = subscribed().bytes(&all);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).collect();
        cuts.sort_unstable();
        let (mut pieces, mut from, mut heard) = (subscribed(), 0, Vec::new());
        for cut in cuts {
            heard.extend(pieces.bytes(&all[from..cut]));
            from = cut;
        }
        heard.extend(pieces.bytes(&all[from..]));
        prop_assert_eq!(heard, whole);
    }

    /// Changes are dropped, said again and moved to the end: the book is the venue's at some moment, or not shown.
    #[test]
    fn whatever_the_wire_does_a_shown_book_was_the_venues(
        moves in proptest::collection::vec((990_i64..1_001, 0_i64..4), 1..30),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..6), 0..20),
    ) {
        let (mut venue, snapshot) = first();
        let mut moments = vec![venue.bids().collect::<Vec<_>>()];
        let mut sent = Vec::new();
        let start = book_frame("snapshot", &snapshot, &venue);
        for (at, (price, quantity)) in (1..).zip(&moves) {
            let (_, text) = change(&mut venue, at, vec![level(*price, *quantity)]);
            sent.push(text);
            moments.push(venue.bids().collect());
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
        let mut shown = events(dialogue.hears(&start));
        for text in &sent {
            shown.extend(events(dialogue.hears(text)));
        }
        for event in shown {
            if let MarketEvent::Depth(depth) = event {
                prop_assert!(moments.contains(&depth.bids), "{:?}", depth.bids);
            }
        }
    }
}
