//! Binance's recorded changes and snapshots: our books against an independent rebuild, and against the best bid and ask.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::Value;
use tradewind_model::{Instrument, Timestamp};
use tradewind_venues::binance::{SymbolTable, decode_book_snapshot, decode_book_update};
use tradewind_venues::book::{DiffBook, Levels, Outcome};

use crate::books::PlainBook;
use crate::known_answers::shared;
use crate::rig::instrument;

/// What the checks of one recording came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    snapshots: usize,
    /// Changes after which every level was compared.
    compared: usize,
    /// Best bids and asks that were compared with the book at the same update.
    tickers: usize,
}

/// One symbol's book, kept by us and in the plainest way.
struct Both {
    ours: DiffBook,
    plain: PlainBook,
    /// The last update in the plain book; `None` before its snapshot.
    last: Option<u64>,
    early: Vec<Value>,
    tickers: BTreeMap<u64, Value>,
}

impl Both {
    fn new(rules: &Instrument) -> Self {
        Self {
            ours: DiffBook::new(rules.id, 5_000),
            plain: PlainBook::default(),
            last: None,
            early: Vec::new(),
            tickers: BTreeMap::new(),
        }
    }

    fn snapshot(&mut self, json: &Value, text: &str, rules: &Instrument, at: Timestamp) {
        let mut levels = Levels::default();
        let last = decode_book_snapshot(text.as_bytes(), rules, &mut levels).unwrap();
        let outcome = self.ours.snapshot(last, &levels, at);
        assert_eq!(outcome, Outcome::Changed);
        self.plain = PlainBook::default();
        PlainBook::change(&mut self.plain.bids, &json["bids"]);
        PlainBook::change(&mut self.plain.asks, &json["asks"]);
        self.last = json["lastUpdateId"].as_u64();
        for early in std::mem::take(&mut self.early) {
            self.plain_change(&early);
        }
        self.plain.assert_same(self.ours.book(), rules, "snapshot");
    }

    fn plain_change(&mut self, data: &Value) {
        let Some(last) = self.last else {
            self.early.push(data.clone());
            return;
        };
        if data["u"].as_u64().unwrap() > last {
            PlainBook::change(&mut self.plain.bids, &data["b"]);
            PlainBook::change(&mut self.plain.asks, &data["a"]);
            self.last = data["u"].as_u64();
        }
    }

    fn change(
        &mut self,
        json: &Value,
        text: &str,
        symbols: &SymbolTable,
        rules: &Instrument,
        at: Timestamp,
        counts: &mut Counts,
    ) {
        let update = decode_book_update(text.as_bytes(), symbols).unwrap();
        let levels = Levels {
            bids: update.bids,
            asks: update.asks,
        };
        let outcome = self.ours.update(update.first, update.last, &levels, at);
        self.plain_change(&json["data"]);
        if outcome == Outcome::Waiting {
            return assert!(self.ours.asks_for_snapshot(at) || self.last.is_none());
        }
        assert!(!matches!(outcome, Outcome::Lost(_)), "{outcome:?}: {text}");
        if outcome == Outcome::Repeated {
            return;
        }
        self.plain.assert_same(self.ours.book(), rules, text);
        counts.compared += 1;
        let ticker = self.tickers.remove(&update.last);
        self.tickers = self.tickers.split_off(&update.last);
        if let Some(ticker) = ticker {
            let [bids, asks] = self.plain.levels(rules);
            let (bid, ask) = self.ours.book().best();
            assert_eq!((bid, ask), (bids.first().copied(), asks.first().copied()));
            let mut touch = PlainBook::default();
            PlainBook::change(
                &mut touch.bids,
                &serde_json::json!([[ticker["b"], ticker["B"]]]),
            );
            PlainBook::change(
                &mut touch.asks,
                &serde_json::json!([[ticker["a"], ticker["A"]]]),
            );
            let [bids, asks] = touch.levels(rules);
            assert_eq!(
                (bid, ask),
                (bids.first().copied(), asks.first().copied()),
                "{ticker}"
            );
            counts.tickers += 1;
        }
    }
}

fn take(
    line: &str,
    at: Timestamp,
    symbol: Option<&str>,
    symbols: &SymbolTable,
    books: &mut BTreeMap<String, Both>,
    counts: &mut Counts,
) {
    let json: Value = serde_json::from_str(line).unwrap();
    let symbol = symbol.or_else(|| json["data"]["s"].as_str());
    let Some(symbol) = symbol.map(str::to_owned) else {
        return;
    };
    let rules = symbols.find(symbol.as_bytes()).unwrap();
    let both = books.entry(symbol).or_insert_with(|| Both::new(rules));
    if json.get("lastUpdateId").is_some() {
        both.snapshot(&json, line, rules, at);
        counts.snapshots += 1;
    } else if json["data"]["e"] == "depthUpdate" {
        both.change(&json, line, symbols, rules, at, counts);
    } else if json["stream"]
        .as_str()
        .is_some_and(|stream| stream.ends_with("@bookTicker"))
    {
        both.tickers
            .insert(json["data"]["u"].as_u64().unwrap(), json["data"].clone());
    }
}

#[test]
fn the_books_of_2024_equal_an_independent_rebuild_and_the_best_bid_and_ask() {
    let symbols = SymbolTable::new([
        ("BTCUSDT".to_owned(), instrument(0, 2, 5)),
        ("ETHUSDT".to_owned(), instrument(1, 2, 4)),
    ])
    .unwrap();
    for (name, symbol, least) in [
        ("btcusdt_20240808.gz", "BTCUSDT", [3_000, 500]),
        ("ethusdt_20240808.gz", "ETHUSDT", [3_000, 500]),
    ] {
        let Some(path) = shared(&format!("data/binance_spot_ws/{name}")) else {
            return;
        };
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(path).unwrap())
            .read_to_string(&mut text)
            .unwrap();
        let (mut books, mut counts) = (BTreeMap::new(), Counts::default());
        for line in text.lines() {
            let (nanos, frame) = line.split_once(' ').unwrap();
            let at = Timestamp::from_nanos(nanos.parse().unwrap());
            let whose = frame.starts_with("{\"lastUpdateId\"").then_some(symbol);
            take(frame, at, whose, &symbols, &mut books, &mut counts);
        }
        eprintln!("{name}: {counts:?}");
        assert_eq!(counts.snapshots, 1);
        assert!(
            counts.compared >= least[0] && counts.tickers >= least[1],
            "{counts:?}"
        );
    }
}

#[test]
fn the_books_of_2021_equal_an_independent_rebuild() {
    let names = ["NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"];
    let listed = (0..)
        .zip(names)
        .map(|(id, name)| (name.to_owned(), instrument(id, 8, 8)));
    let symbols = SymbolTable::new(listed).unwrap();
    let read = |name: &str| {
        let path = shared(&format!("data/raw_captures/{name}"))?;
        Some(std::fs::read_to_string(path).unwrap())
    };
    let (Some(rest), Some(stream)) = (read("BINANCE.http.0.0"), read("BINANCE.ws.1.0")) else {
        return;
    };
    // Snapshots and changes, in the order they were received.
    let mut lines: Vec<(f64, Option<String>, &str)> = Vec::new();
    for line in rest.lines().chain(stream.lines()) {
        let Some((head, body)) = line.split_once(": ") else {
            continue;
        };
        let (url, stamp) = head.split_once(" -> ").map_or(("", head), |found| found);
        let symbol = url
            .split_once("symbol=")
            .map(|(_, rest)| rest.split('&').next().unwrap().to_owned());
        if let Ok(stamp) = stamp.parse()
            && body.starts_with('{')
        {
            lines.push((stamp, symbol, body));
        }
    }
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut books, mut counts) = (BTreeMap::new(), Counts::default());
    for (at, (_, symbol, body)) in (0..).zip(&lines) {
        let at = Timestamp::from_millis(1_633_998_511_000 + at);
        take(
            body,
            at,
            symbol.as_deref(),
            &symbols,
            &mut books,
            &mut counts,
        );
    }
    eprintln!("2021: {counts:?}");
    assert!(counts.snapshots >= 4 && counts.compared >= 50, "{counts:?}");
}
