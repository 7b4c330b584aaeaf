//! Bybit: every message of the shared collection, a recorded book against an independent rebuild, and the dialogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_model::{
    Amount, FeedHealth, InstrumentId, InstrumentStatus, Interval, MarketEvent, Price, Quantity,
    Side, Timestamp, TradeId, VenueId,
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

fn message(name: &str) -> Option<String> {
    let path = shared(&format!("data/venue_messages/bybit/{name}.json"))?;
    Some(std::fs::read_to_string(path).unwrap())
}

/// A frame in one line, for the table.
fn in_words(text: &str, symbols: &SymbolTable) -> String {
    match read(text.as_bytes()) {
        Ok(Said::Data(data)) if data.is_book() => {
            let mut levels = Levels::default();
            let Some(instrument) = symbols.find(data.symbol()) else {
                return "wrong symbol".to_owned();
            };
            match decode_book(&data, instrument, &mut levels) {
                Ok(message) => format!("{message:?} {} {}", levels.bids.len(), levels.asks.len()),
                Err(why) => format!("{why:?}"),
            }
        }
        Ok(Said::Data(data)) => {
            let mut said = Vec::new();
            decode(&data, Timestamp::EPOCH, symbols, &mut |incoming| {
                said.push(match incoming {
                    Incoming::Event { topic, .. } => format!("{topic:?}"),
                    Incoming::Ignored(why) => format!("{why:?}"),
                    other => format!("{other:?}"),
                });
            });
            said.join(", ")
        }
        Ok(Said::Refused { request, message }) => {
            format!("refused {request:?} {}", String::from_utf8_lossy(message))
        }
        Ok(said) => format!("{said:?}"),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn every_message_of_the_collection_is_understood_or_named() {
    let Some(folder) = shared("data/venue_messages/bybit") else {
        return;
    };
    let symbols = symbols();
    let mut seen = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ws_") && !name.starts_with("ws_account") {
            let text = std::fs::read_to_string(&path).unwrap();
            seen.insert(name, in_words(&text, &symbols));
        }
    }
    let wanted = [
        ("ws_auth_failure", "Other"),
        ("ws_auth_success", "Other"),
        (
            "ws_kline",
            "Alive { topic: Candles(InstrumentId(0), Minute5) }",
        ),
        ("ws_order_response", "Other"),
        // A change of the top of the book is what spot never sends.
        ("ws_orderbook_delta", "NotWanted"),
        ("ws_orderbook_snapshot", "Quotes(InstrumentId(0))"),
        // Named as the collection's own code names it, not as the venue does.
        ("ws_public_trade", "NotWanted"),
        ("ws_subscription_ack", "Granted { request: None }"),
        (
            "ws_subscription_failure",
            "refused None Invalid topic: invalid.topic.BTCUSDT",
        ),
        ("ws_ticker_linear", "NotWanted"),
        ("ws_ticker_option", "WrongSymbol"),
    ];
    let wanted = wanted.map(|(name, words)| (name.to_owned(), words.to_owned()));
    assert_eq!(seen, BTreeMap::from(wanted));
    let Some(folder) = shared("data/venue_messages/bybit") else {
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("ws_account") {
            let text = std::fs::read_to_string(&path).unwrap();
            let words = in_words(&text, &symbols);
            assert!(
                ["NoSymbol", "Other", "WrongSymbol"].contains(&words.as_str()),
                "{path:?}: {words}"
            );
        }
    }
}

#[test]
fn the_collections_book_and_trade_are_read_under_the_names_of_spot() {
    let (Some(delta), Some(snapshot), Some(trade)) = (
        message("ws_orderbook_delta"),
        message("ws_orderbook_snapshot"),
        message("ws_public_trade"),
    ) else {
        return;
    };
    let book = |text: &str| in_words(&text.replace("orderbook.1.", "orderbook.50."), &symbols());
    assert_eq!(
        book(&snapshot),
        "Snapshot(Next { number: 123456789, cross: 987654321 }) 2 2"
    );
    assert_eq!(
        book(&delta),
        "Update(Next { number: 123456790, cross: 987654322 }) 1 1"
    );
    let [MarketEvent::Trade(trade)] = events_of(&trade.replace("trade.linear", "publicTrade"))[..]
    else {
        panic!("one trade")
    };
    assert_eq!(
        (trade.taker, trade.id),
        (Side::Buy, TradeId(0x9dc7_5fca_4bdd_4773))
    );
    assert_eq!(
        (trade.price, trade.quantity),
        (Price(2_745_100), Quantity(10_000))
    );
    assert_eq!(
        trade.event_time,
        Some(Timestamp::from_millis(1_709_891_679_000))
    );
}

fn events_of(text: &str) -> Vec<MarketEvent> {
    events(said(text))
}

fn said(text: &str) -> Vec<Incoming<MarketEvent>> {
    let mut said = Vec::new();
    let Ok(Said::Data(data)) = read(text.as_bytes()) else {
        panic!("no data: {text}");
    };
    decode(&data, Timestamp::EPOCH, &symbols(), &mut |incoming| {
        said.push(incoming)
    });
    said
}

#[test]
fn quotes_and_candles_are_exact() {
    let (Some(quote), Some(candle)) = (message("ws_orderbook_snapshot"), message("ws_kline"))
    else {
        return;
    };
    let [MarketEvent::Quote(quote)] = events_of(&quote)[..] else {
        panic!("one quote")
    };
    assert_eq!((quote.bid, quote.ask), (Price(2_745_000), Price(2_745_100)));
    assert_eq!(
        (quote.bid_quantity, quote.ask_quantity),
        (Quantity(500_000), Quantity(750_000))
    );
    assert_eq!(
        quote.event_time,
        Some(Timestamp::from_millis(1_709_891_679_000))
    );
    let closed = candle.replace("\"confirm\": false", "\"confirm\": true");
    let [MarketEvent::Candle(candle)] = events_of(&closed)[..] else {
        panic!("one candle")
    };
    assert_eq!(
        (candle.open, candle.close),
        (Price(1_664_950), Price(1_667_700))
    );
    assert_eq!(
        (candle.high, candle.low),
        (Price(1_667_700), Price(1_660_800))
    );
    assert_eq!(candle.volume, Amount(2_081_000_000_000_000_000));
    assert_eq!(
        events_of(&closed.replace("1672324800000", "1672324800001")),
        []
    );
}

fn trades(ids: &[&str]) -> String {
    let rows: Vec<Value> = ids
        .iter()
        .map(|id| json!({"T": 1, "s": "BTCUSDT", "S": "Sell", "v": "0.5", "p": "100.5", "i": id, "BT": false, "seq": 3}))
        .collect();
    json!({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1, "data": rows}).to_string()
}

#[test]
fn a_number_that_says_nothing_about_order_is_not_one() {
    let numbers = |ids: &[&str]| -> Vec<Option<Sequence>> {
        let number = |incoming: &Incoming<MarketEvent>| match incoming {
            Incoming::Event { sequence, .. } => *sequence,
            other => panic!("{other:?}"),
        };
        said(&trades(ids)).iter().map(number).collect()
    };
    let at = |number| Some(Sequence::Increasing(number));
    let growing = numbers(&["2290000000061666327", "2290000000061666328"]);
    assert_eq!(
        growing,
        [at(2_290_000_000_061_666_327), at(2_290_000_000_061_666_328)]
    );
    assert_eq!(numbers(&["8", "7", "9"]), [at(8), None, at(9)]);
    assert_eq!(numbers(&["9dc75fca-4bdd-4773-9f78-6f5d7ab2a110"]), [None]);
    assert_eq!(
        said(&trades(&["9dc75"])),
        [Incoming::Ignored(Ignored::Malformed)]
    );
}

#[test]
fn what_is_not_ours_or_cannot_be_exact_is_ignored() {
    let quote = r#"{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1,"data":{"s":"BTCUSDT","b":[["100.5","1"]],"a":[["101","1"]],"u":5,"seq":9},"cts":1}"#;
    let check = |text: &str, wanted: &str| assert_eq!(in_words(text, &symbols()), wanted, "{text}");
    check(quote, "Quotes(InstrumentId(0))");
    check(&quote.replace("BTCUSDT", "DOGEUSDT"), "WrongSymbol");
    check(&quote.replacen("BTCUSDT", "XRPUSDT", 1), "WrongSymbol");
    check(&quote.replace(r#""s":"BTCUSDT","#, ""), "NoSymbol");
    check(&quote.replace("100.5", "100.505"), "Malformed");
    check(&quote.replace("100.5", "NaN"), "Malformed");
    check(&quote.replace(r#"[["100.5","1"]]"#, "[]"), "Malformed");
    check(
        &quote.replace("orderbook.1.", "orderbook.200."),
        "NotWanted",
    );
    check(
        &quote.replace("orderbook.1.BTCUSDT", "orderbook"),
        "NoSymbol",
    );
    check(r#"{"topic":"publicTrade.BTCUSDT","data":{}}"#, "Malformed");
    check(r#"{"topic":"publicTrade.BTCUSDT"}"#, "Malformed");
    check("", "Malformed");
    check("{}", "Other");
    check(&"[".repeat(1_000_000), "Malformed");
}

fn desk(assets: &Assets) -> ListedFor<'_> {
    ListedFor {
        venue: VenueId(3),
        name: "bybit",
        assets,
    }
}

#[test]
fn the_list_of_instruments_has_their_rules() {
    let (Some(spot), Some(linear), Some(option)) = (
        message("http_get_instruments_spot"),
        message("http_get_instruments_linear"),
        message("http_get_instruments_option"),
    ) else {
        return;
    };
    let assets = Assets::default();
    let listings = decode_listings(spot.as_bytes(), desk(&assets)).unwrap();
    assert_eq!((listings.listings.len(), listings.left_out.len()), (2, 0));
    let bitcoin = &listings.listings[0];
    assert_eq!(
        (bitcoin.symbol.as_str(), bitcoin.product.as_str()),
        ("BTCUSDT", "BTC/USDT")
    );
    let rules = &bitcoin.instrument;
    assert_eq!((rules.price_decimals, rules.quantity_decimals), (1, 4));
    assert_eq!(
        (rules.tick, rules.step, rules.quantity_min),
        (Price(1), Quantity(1), Quantity(10))
    );
    assert_eq!(
        (rules.quantity_max, rules.notional_min),
        (Quantity(1_000_000), Amount::whole(10))
    );
    assert_eq!(rules.status, InstrumentStatus::Trading);
    for other in [linear, option] {
        assert_eq!(
            decode_listings(other.as_bytes(), desk(&assets))
                .unwrap()
                .listings,
            []
        );
    }
    let odd = spot.replacen("\"0.1\"", "\"0.000000000000001\"", 1);
    let listings = decode_listings(odd.as_bytes(), desk(&assets)).unwrap();
    assert_eq!(
        listings.listings.len(),
        1,
        "one odd instrument hides no other"
    );
    assert!(
        listings.left_out[0].1.contains("15 and 4 decimal places"),
        "{listings:?}"
    );
    let refused = decode_listings(
        br#"{"retCode":10006,"retMsg":"Too many visits!","result":{}}"#,
        desk(&assets),
    );
    assert!(refused.is_err());
    let Some(stocks) = message("http_get_instruments_spot_xstocks") else {
        return;
    };
    assert!(
        !decode_listings(stocks.as_bytes(), desk(&assets))
            .unwrap()
            .listings
            .is_empty()
    );
}

#[test]
fn candle_history_is_closed_candles_oldest_first() {
    let Some(text) = message("http_get_klines_linear") else {
        return;
    };
    let rules = instrument(0, 1, 4);
    let unaligned = decode_candles(text.as_bytes(), &rules, Interval::Minute1);
    assert!(unaligned.unwrap_err().to_string().contains("1709891679000"));
    let body = r#"{"retCode":0,"retMsg":"OK","result":{"category":"spot","symbol":"BTCUSDT","list":[
        ["1709891700000","3","3","3","3","1","1"],["1709891640000","2","2","2","2","1","1"],
        ["1709891580000","1","1","1","1","1","1"]]},"retExtInfo":{},"time":1709891759999}"#;
    let candles = decode_candles(body.as_bytes(), &rules, Interval::Minute1).unwrap();
    let opens: Vec<i64> = candles.iter().map(|candle| candle.open.0).collect();
    assert_eq!(opens, [10, 20], "the third closes a millisecond later");
    let later = body.replace("1709891759999", "1709891760000");
    assert_eq!(
        decode_candles(later.as_bytes(), &rules, Interval::Minute1)
            .unwrap()
            .len(),
        3
    );
}

/// The only file of a zip archive, which is stored as it is.
fn unzipped(bytes: &[u8]) -> &str {
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    assert_eq!(number(8), 0, "compressed");
    let (start, length) = (
        30 + number(26) + number(28),
        number(22) + (number(24) << 16),
    );
    std::str::from_utf8(&bytes[start..start + length]).unwrap()
}

#[test]
fn a_recorded_book_equals_an_independent_rebuild_at_every_frame() {
    let Some(path) = shared("data/bybit_v5/xrpusdt-ob500.data.zip") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let text = unzipped(&bytes);
    let symbols = symbols();
    let rules = symbols.instrument(XRP).unwrap();
    let mut dialogue = dialogue();
    dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(XRP)], out));
    let (mut plain, mut book) = (PlainBook::default(), OrderBook::new(XRP, 1_000));
    let (mut levels, mut seen, mut shown) = (Levels::default(), 0, 0);
    for line in text.lines() {
        // 500 levels, kept by linear; spot has other depths and the same form.
        let line = line.replace("orderbook.500.", "orderbook.50.");
        let json: Value = serde_json::from_str(&line).unwrap();
        if json["type"] == "snapshot" {
            plain = PlainBook::default();
        }
        PlainBook::change(&mut plain.bids, &json["data"]["b"]);
        PlainBook::change(&mut plain.asks, &json["data"]["a"]);
        let Ok(Said::Data(data)) = read(line.as_bytes()) else {
            panic!("no data")
        };
        let message = decode_book(&data, rules, &mut levels).unwrap();
        let outcome = book.take(message, &levels);
        assert!(
            matches!(outcome, Outcome::Changed | Outcome::Same),
            "{outcome:?}: {line}"
        );
        plain.assert_same(&book, rules, &line);
        let heard = events(dialogue.hears(&line));
        let [bids, asks] = plain.levels(rules);
        if let [MarketEvent::Depth(depth)] = &heard[..] {
            assert_eq!(depth.bids, bids[..20]);
            assert_eq!(depth.asks, asks[..20]);
            shown += 1;
        }
        seen += 1;
    }
    assert_eq!(seen, 50);
    assert!(shown >= 45, "{shown}");
    eprintln!("Bybit: {seen} frames, {shown} tops shown");
}

fn book_frame(kind: &str, number: u64, bid: &str, size: &str) -> String {
    json!({"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1, "cts": 1, "data": {
        "s": "BTCUSDT", "b": [[bid, size]], "a": [["101", "1"]], "u": number, "seq": number + 1_000}})
    .to_string()
}

#[test]
fn requests_are_granted_and_refused_as_a_whole() {
    let mut dialogue = dialogue();
    let topics = [
        Topic::Quotes(BTC),
        Topic::Trades(BTC),
        Topic::Depth(BTC),
        Topic::Candles(BTC, Interval::Hour1),
    ];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(7, &topics, out));
    let wanted = json!({"req_id": "7", "op": "subscribe", "args": [
        "orderbook.1.BTCUSDT", "publicTrade.BTCUSDT", "orderbook.50.BTCUSDT", "kline.60.BTCUSDT"]});
    assert_eq!(serde_json::from_str::<Value>(&sent[0]).unwrap(), wanted);
    let granted = r#"{"success":true,"ret_msg":"","conn_id":"x","req_id":"7","op":"subscribe"}"#;
    assert_eq!(dialogue.hears(granted), [Incoming::Acked { request: 7 }]);
    assert_eq!(
        dialogue.hears(granted),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    dialogue.does(|protocol, out| protocol.subscribe(8, &topics, out));
    let refused =
        r#"{"success":false,"ret_msg":"Invalid topic: x","conn_id":"x","op":"subscribe"}"#;
    let reason = "Invalid topic: x".to_owned();
    assert_eq!(
        dialogue.hears(refused),
        [Incoming::Refused { request: 8, reason }]
    );
    dialogue.does(|protocol, out| protocol.subscribe(9, &topics, out));
    let again = r#"{"success":false,"ret_msg":"error:already subscribed,topic:orderbook.1.BTCUSDT","req_id":"9","op":"subscribe"}"#;
    assert_eq!(dialogue.hears(again), [Incoming::Acked { request: 9 }]);
    let none = [Topic::Candles(BTC, Interval::Day3)];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(10, &none, out));
    assert!(sent[0].contains("kline.3d.BTCUSDT"), "{sent:?}");
    let pong = r#"{"success":true,"ret_msg":"pong","conn_id":"x","op":"ping"}"#;
    assert_eq!(dialogue.hears(pong), [Incoming::Pong]);
    assert_eq!(
        dialogue.does(|protocol, out| protocol.ping(out)),
        [r#"{"op":"ping"}"#]
    );
    assert_eq!(
        dialogue.hears(r#"{"op":"pong","args":["1"]}"#),
        [Incoming::Pong]
    );
}

#[test]
fn d01_a_gap_is_announced_and_the_book_asked_for_again() {
    let mut dialogue = dialogue();
    dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(BTC)], out));
    assert_eq!(
        events(dialogue.hears(&book_frame("snapshot", 5, "100", "1"))).len(),
        1
    );
    assert_eq!(
        events(dialogue.hears(&book_frame("delta", 6, "100", "2"))).len(),
        1
    );
    assert_eq!(
        dialogue.hears(&book_frame("delta", 6, "100", "2")),
        [Incoming::Ignored(Ignored::Repeated)]
    );
    let gap = events(dialogue.hears(&book_frame("delta", 8, "100", "3")));
    assert!(
        matches!(
            &gap[..],
            [MarketEvent::Health {
                health: FeedHealth::Gap,
                ..
            }]
        ),
        "{gap:?}"
    );
    let sent = dialogue.sent();
    assert!(
        sent[0].contains("unsubscribe") && sent[1].contains(r#""op":"subscribe""#),
        "{sent:?}"
    );
    let own = r#"{"success":true,"ret_msg":"","conn_id":"x","req_id":"0","op":"subscribe"}"#;
    assert_eq!(dialogue.hears(own), [Incoming::Ignored(Ignored::NotWanted)]);
    let whole = events(dialogue.hears(&book_frame("snapshot", 1, "100", "9")));
    let [
        MarketEvent::Health {
            health: FeedHealth::Live,
            ..
        },
        MarketEvent::Depth(depth),
    ] = &whole[..]
    else {
        panic!("{whole:?}")
    };
    assert_eq!(depth.bids[0].quantity, Quantity(9_000_000));
    assert_eq!(
        events(dialogue.hears(&book_frame("delta", 2, "100", "8"))).len(),
        1
    );
}

#[test]
fn a_quote_said_again_has_its_old_number_and_one_after_a_restart_none() {
    let mut dialogue = dialogue();
    let mut number = |of: u64| {
        let text = format!(
            r#"{{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1,"data":{{"s":"BTCUSDT","b":[["100","1"]],"a":[["101","1"]],"u":{of},"seq":9}}}}"#
        );
        match &dialogue.hears(&text)[..] {
            [Incoming::Event { sequence, .. }] => *sequence,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(number(500), Some(Sequence::Increasing(500)));
    assert_eq!(number(500), Some(Sequence::Increasing(500)));
    assert_eq!(number(1), None);
    assert_eq!(number(2), None);
}

fn texts() -> Vec<String> {
    vec![
        book_frame("snapshot", 5, "100", "1"),
        book_frame("delta", 6, "100", "0"),
        trades(&["5", "6"]),
        r#"{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1,"data":{"s":"BTCUSDT","b":[["100","1"]],"a":[["101","1"]],"u":5,"seq":9}}"#.to_owned(),
        r#"{"topic":"kline.5.BTCUSDT","data":[{"start":1672324800000,"end":1672325099999,"interval":"5","open":"16649.5","close":"16677","high":"16677","low":"16608","volume":"2.081","turnover":"34666.4005","confirm":true,"timestamp":1672324988882}],"ts":1672324988882,"type":"snapshot"}"#.to_owned(),
        r#"{"success":true,"ret_msg":"","conn_id":"x","req_id":"1","op":"subscribe"}"#.to_owned(),
        r#"{"success":true,"ret_msg":"pong","conn_id":"x","op":"ping"}"#.to_owned(),
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
}
