//! Real frames of August 2024, every one of them, against an independent reading; and invented frames.

use std::io::Read;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::{Value, json};
use tradewind_model::{InstrumentId, MarketEvent, Price, Quantity, Side, Timestamp, parse_fixed};
use tradewind_venues::binance::{SymbolTable, decode, decode_book_update};
use tradewind_venues::{Ignored, Incoming, Sequence, Topic};

use crate::known_answers::shared;
use crate::rig::instrument;

const BTC: InstrumentId = InstrumentId(0);

fn symbols() -> SymbolTable {
    SymbolTable::new([
        ("BTCUSDT".to_owned(), instrument(0, 2, 5)),
        ("ETHUSDT".to_owned(), instrument(1, 2, 4)),
    ])
    .unwrap()
}

fn one(frame: &[u8], symbols: &SymbolTable) -> Incoming<MarketEvent> {
    let mut all = Vec::new();
    decode(frame, Timestamp::EPOCH, symbols, &mut |incoming| {
        all.push(incoming)
    });
    assert_eq!(all.len(), 1, "one frame, one answer");
    all.remove(0)
}

fn recording(name: &str) -> Option<String> {
    let file = std::fs::File::open(shared(&format!("data/binance_spot_ws/{name}"))?).unwrap();
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text)
}

/// Counts units, finer digits cut: some levels are older than the present step.
fn count(value: &Value, decimals: u8) -> i64 {
    let exact = parse_fixed(value.as_str().unwrap(), 8).unwrap();
    i64::try_from(exact / 10_i128.pow(u32::from(8 - decimals))).unwrap()
}

/// Compares one event with what a general JSON reader makes of the frame.
fn agrees(incoming: &Incoming<MarketEvent>, json: &Value, places: u8) -> bool {
    let data = &json["data"];
    match incoming {
        Incoming::Event {
            sequence,
            event: MarketEvent::Quote(quote),
            ..
        } => {
            *sequence == Some(Sequence::Increasing(data["u"].as_u64().unwrap()))
                && quote.bid.0 == count(&data["b"], 2)
                && quote.ask.0 == count(&data["a"], 2)
                && quote.bid_quantity.0 == count(&data["B"], places)
                && quote.ask_quantity.0 == count(&data["A"], places)
                && quote.event_time.is_none()
        }
        Incoming::Event {
            event: MarketEvent::Trade(trade),
            ..
        } => {
            trade.id.0 == data["t"].as_u64().unwrap()
                && trade.price.0 == count(&data["p"], 2)
                && trade.quantity.0 == count(&data["q"], places)
                && (trade.taker == Side::Sell) == data["m"].as_bool().unwrap()
                && trade.event_time.unwrap().as_millis() == data["T"].as_i64().unwrap()
        }
        _ => false,
    }
}

#[test]
fn every_recorded_frame_is_read_as_an_independent_reader_does() {
    let symbols = symbols();
    let cases = [
        ("btcusdt_20240808.gz", 5, [28_040, 9_757, 3_451, 1]),
        ("ethusdt_20240808.gz", 4, [24_077, 6_106, 3_434, 1]),
    ];
    for (name, places, wanted) in cases {
        let Some(text) = recording(name) else {
            return;
        };
        let [mut quotes, mut trades, mut updates, mut others] = [0; 4];
        let (mut last_trade, mut last_update) = (None, None);
        for line in text.lines() {
            let (_, frame) = line.split_once(' ').unwrap();
            let incoming = one(frame.as_bytes(), &symbols);
            let json: Value = serde_json::from_str(frame).unwrap();
            match &incoming {
                Incoming::Event {
                    topic, sequence, ..
                } => {
                    assert!(agrees(&incoming, &json, places), "{frame}");
                    if let (Topic::Trades(_), Some(Sequence::Contiguous(id))) = (topic, sequence) {
                        assert!(last_trade.is_none_or(|last| last + 1 == *id));
                        last_trade = Some(*id);
                        trades += 1;
                    } else {
                        quotes += 1;
                    }
                }
                Incoming::Ignored(Ignored::NotWanted) => {
                    let update = decode_book_update(frame.as_bytes(), &symbols).unwrap();
                    assert!(last_update.is_none_or(|last| last + 1 == update.first));
                    last_update = Some(update.last);
                    let levels = json["data"]["b"].as_array().unwrap();
                    assert_eq!(update.bids.len(), levels.len());
                    if let (Some(level), Some(wanted)) = (update.bids.last(), levels.last()) {
                        assert_eq!(level.price.0, count(&wanted[0], 2));
                        assert_eq!(level.quantity.0, count(&wanted[1], places));
                    }
                    updates += 1;
                }
                Incoming::Ignored(Ignored::NoSymbol) => others += 1,
                other => panic!("{other:?}: {frame}"),
            }
        }
        assert_eq!([quotes, trades, updates, others], wanted, "{name}");
    }
}

fn text(count: i64, places: usize) -> String {
    let digits = format!("{count:0width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{whole}.{fraction}00")
}

fn frames() -> Vec<String> {
    [
        json!({"stream": "btcusdt@bookTicker", "data": {"u": 1, "s": "BTCUSDT", "b": "1.5", "B": "2", "a": "1.6", "A": "3"}}),
        json!({"e": "trade", "E": 1, "s": "BTCUSDT", "t": 5, "p": "1.5", "q": "2", "T": 3, "m": false, "M": true}),
        json!({"e": "kline", "E": 1, "s": "BTCUSDT", "k": {"t": 1, "i": "1m", "o": "1", "h": "2", "l": "1", "c": "2", "v": "3", "x": true}}),
        json!({"stream": "btcusdt@depth20", "data": {"lastUpdateId": 160, "bids": [["0.24", "10"]], "asks": [["0.26", "100"]]}}),
        json!({"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": 1, "u": 2, "b": [["1", "2"]], "a": []}),
        json!({"result": null, "id": 1}),
        json!({"error": {"code": 2, "msg": "Invalid request"}, "id": 1}),
        json!({"e": "serverShutdown", "E": 1}),
    ]
    .iter()
    .map(Value::to_string)
    .collect()
}

#[test]
fn each_kind_of_frame_is_recognised() {
    let symbols = symbols();
    let name = |frame: &String| match one(frame.as_bytes(), &symbols) {
        Incoming::Event { topic, .. } => format!("{topic:?}"),
        Incoming::Refused { request, reason } => format!("refused {request}: {reason}"),
        other => format!("{other:?}"),
    };
    let names: Vec<String> = frames().iter().map(name).collect();
    assert_eq!(
        names,
        [
            "Quotes(InstrumentId(0))",
            "Trades(InstrumentId(0))",
            "Candles(InstrumentId(0), Minute1)",
            "Depth(InstrumentId(0))",
            "Ignored(NotWanted)",
            "Acked { request: 1 }",
            "refused 1: 2 Invalid request",
            "ClosingSoon",
        ]
    );
}

#[test]
fn what_is_not_ours_or_cannot_be_exact_is_ignored() {
    let check = |frame: &str, wanted: Ignored| {
        assert_eq!(
            one(frame.as_bytes(), &symbols()),
            Incoming::Ignored(wanted),
            "{frame}"
        );
    };
    let ticker = r#"{"u":1,"s":"BTCUSDT","b":"1.5","B":"2","a":"1.6","A":"3"}"#;
    check(&ticker.replace("BTCUSDT", "DOGEUSDT"), Ignored::WrongSymbol);
    check(&ticker.replace(r#""s":"BTCUSDT","#, ""), Ignored::NoSymbol);
    check(&ticker.replace("1.6", "1.612"), Ignored::OffGrid);
    check(&ticker.replace("1.6", "1e5"), Ignored::Content);
    check(&ticker.replace("1.6", "-1.6"), Ignored::Content);
    check(&ticker.replace(r#""1.6""#, "1.6"), Ignored::Content);
    check(
        &ticker.replace("1.6", "99999999999999999999"),
        Ignored::Content,
    );
    check(
        &format!(r#"{{"stream":"ethusdt@bookTicker","data":{ticker}}}"#),
        Ignored::WrongSymbol,
    );
    check(r#"{"e":"aggTrade","s":"BTCUSDT"}"#, Ignored::NotWanted);
    check("", Ignored::Malformed);
    check("[]", Ignored::Malformed);
    check(
        r#"{"lastUpdateId":160,"bids":[],"asks":[]}"#,
        Ignored::NoSymbol,
    );
    check(&"[".repeat(1_000_000), Ignored::Malformed);
    let deep = format!(r#"{{"x":{}"#, r#"{"y":"#.repeat(40));
    check(&deep, Ignored::Malformed);
}

proptest! {
    #[test]
    fn a_quote_is_read_as_it_was_written(
        update: u64,
        bid in 0..i64::MAX / 100,
        ask in 0..i64::MAX / 100,
        sizes in any::<[u32; 2]>(),
    ) {
        let update = update >> 1;
        let frame = json!({"u": update, "s": "BTCUSDT", "b": text(bid, 2), "B": text(sizes[0].into(), 5),
            "a": text(ask, 2), "A": text(sizes[1].into(), 5)}).to_string();
        let Incoming::Event { topic, sequence, event: MarketEvent::Quote(quote) } = one(frame.as_bytes(), &symbols())
        else {
            return Err(TestCaseError::fail(frame));
        };
        prop_assert_eq!((topic, sequence), (Topic::Quotes(BTC), Some(Sequence::Increasing(update))));
        prop_assert_eq!((quote.bid, quote.ask), (Price(bid), Price(ask)));
        prop_assert_eq!((quote.bid_quantity, quote.ask_quantity), (Quantity(sizes[0].into()), Quantity(sizes[1].into())));
    }

    #[test]
    fn any_bytes_give_one_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        one(&bytes, &symbols());
    }

    #[test]
    fn a_damaged_frame_gives_one_answer(which in 0_usize..8, at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut frame = frames()[which].clone().into_bytes();
        let place = at.index(frame.len());
        frame[place] = byte;
        one(&frame, &symbols());
        frame.truncate(cut.index(frame.len()));
        one(&frame, &symbols());
    }
}
