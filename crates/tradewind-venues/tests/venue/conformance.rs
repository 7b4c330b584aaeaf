//! The checks of house sources for the venues: run here where the protocols differ, otherwise by the test that a cell names.
//!
//! `docs/sources.md` has the table. A check that fails, a test that is gone and a cell that changed fail this test.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tradewind_model::{InstrumentId, MarketEvent, Price};
use tradewind_venues::{
    Address, Incoming, Protocol, Scheme, SymbolTable, binance, bybit, coinbase, kraken, okx,
};

use crate::dialogue::{Dialogue, frame};
use crate::rig::instrument;

/// A venue's protocol, its quotes by number, and what it answers to a ping.
struct Venue<P> {
    open: fn(Address, Arc<SymbolTable>) -> P,
    symbol: &'static str,
    quote: fn(u64) -> String,
    pong: Option<&'static str>,
}

impl<P: Protocol<Event = MarketEvent>> Venue<P> {
    fn dialogue(&self) -> Dialogue<P> {
        let listed = [(self.symbol.to_owned(), instrument(0, 1, 8))];
        let symbols = Arc::new(SymbolTable::new(listed).unwrap());
        let address = Address::parse("ws://127.0.0.1", Scheme::WebSocket).unwrap();
        Dialogue::open((self.open)(address, symbols))
    }

    /// The quote of this number is taken, once.
    #[track_caller]
    fn is_taken(&self, received: Vec<Incoming<MarketEvent>>) {
        let quote = |incoming| match incoming {
            Incoming::Event {
                event: MarketEvent::Quote(quote),
                ..
            } => Some((quote.instrument, quote.bid, quote.ask)),
            _ => None,
        };
        let quotes: Vec<_> = received.into_iter().filter_map(quote).collect();
        let wanted = (InstrumentId(0), Price(1_000), Price(1_010));
        assert_eq!(quotes, [wanted], "{}", self.symbol);
    }
}

/// Runs a check for one venue.
trait Checked {
    fn pings_are_answered(&self);
    fn bad_messages_are_ignored(&self);
    fn too_long_ends_it(&self);
    fn byte_by_byte(&self);
}

impl<P: Protocol<Event = MarketEvent>> Checked for Venue<P> {
    fn pings_are_answered(&self) {
        let mut dialogue = self.dialogue();
        let mut out = Vec::new();
        dialogue.protocol.ping(&mut out);
        assert!(!out.is_empty());
        let quote = dialogue.receives(&(self.quote)(1));
        assert!(!quote.contains(&Incoming::Pong), "data is no answer");
        let received = match self.pong {
            Some(text) => dialogue.receives(text),
            None => {
                assert_eq!(out[0], 0x89, "a ping of the WebSocket");
                dialogue.bytes(&[0x8a, 0])
            }
        };
        assert!(received.contains(&Incoming::Pong), "{received:?}");
    }

    fn bad_messages_are_ignored(&self) {
        let mut dialogue = self.dialogue();
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        let foreign = r#"{"channel":"weather","topic":"weather","arg":{"channel":"weather"},"stream":"a@b","data":{"c":1},"events":[]}"#;
        let quote = (self.quote)(1);
        for text in [
            "",
            "{",
            "nonsense",
            "[1,2",
            &deep,
            foreign,
            quote.get(..quote.len() / 2).unwrap(),
        ] {
            let received = dialogue.receives(text);
            let ignored = |one: &Incoming<MarketEvent>| matches!(one, Incoming::Ignored(_));
            assert!(
                received.iter().all(ignored),
                "{}: {text}: {received:?}",
                self.symbol
            );
        }
        // A text that is no text may end the connection, as the WebSocket demands; nothing is derived from it.
        let (now, mut out, mut received) = (dialogue.now, Vec::new(), Vec::new());
        let mut other = self.dialogue();
        let on = &mut |incoming| received.push(incoming);
        let _used = other
            .protocol
            .receive(&[0x81, 2, 0xff, 0xfe], now, &mut out, on);
        assert!(
            received
                .iter()
                .all(|one| matches!(one, Incoming::Ignored(_))),
            "{received:?}"
        );
        let received = dialogue.receives(&quote);
        self.is_taken(received);
    }

    fn too_long_ends_it(&self) {
        let mut dialogue = self.dialogue();
        let mut bytes = vec![0x81, 127];
        bytes.extend((1_u64 << 30).to_be_bytes());
        let (now, mut out) = (dialogue.now, Vec::new());
        let taken = dialogue
            .protocol
            .receive(&bytes, now, &mut out, &mut |_| ());
        assert!(taken.is_err(), "{}: {taken:?}", self.symbol);
    }

    fn byte_by_byte(&self) {
        let mut dialogue = self.dialogue();
        let bytes = frame(&(self.quote)(1));
        let one = |byte: &u8| dialogue.bytes(std::slice::from_ref(byte));
        let received: Vec<_> = bytes.iter().flat_map(one).collect();
        self.is_taken(received);
        let received = dialogue.receives(&(self.quote)(2));
        self.is_taken(received);
    }
}

fn venues() -> [(&'static str, Box<dyn Checked>); 5] {
    let binance = Venue {
        open: binance::MarketProtocol::new,
        symbol: "BTCUSDT",
        quote: |number| {
            json!({"stream": "btcusdt@bookTicker",
                "data": {"u": number, "s": "BTCUSDT", "b": "100.0", "B": "1.0", "a": "101.0", "A": "2.0"}})
            .to_string()
        },
        pong: None,
    };
    let okx = Venue {
        open: |address, symbols| okx::MarketProtocol::new(address, okx::Endpoint::Public, symbols),
        symbol: "BTC-USDT",
        quote: |number| {
            json!({"arg": {"channel": "bbo-tbt", "instId": "BTC-USDT"}, "data": [{"asks": [["101", "1", "0", "1"]],
                "bids": [["100", "1", "0", "1"]], "ts": "1", "seqId": number}]})
            .to_string()
        },
        pong: Some("pong"),
    };
    let bybit = Venue {
        open: bybit::MarketProtocol::new,
        symbol: "BTCUSDT",
        quote: |number| {
            json!({"topic": "orderbook.1.BTCUSDT", "type": "snapshot", "ts": 1, "data": {
                "s": "BTCUSDT", "b": [["100", "1"]], "a": [["101", "1"]], "u": number, "seq": number}})
            .to_string()
        },
        pong: Some(r#"{"success":true,"ret_msg":"pong","conn_id":"x","op":"ping"}"#),
    };
    let kraken = Venue {
        open: kraken::MarketProtocol::new,
        symbol: "BTC/USD",
        quote: |number| {
            format!(
                r#"{{"channel":"ticker","type":"update","data":[{{"symbol":"BTC/USD","bid":100.0,"bid_qty":{number}.0,"ask":101.0,"ask_qty":1.0}}]}}"#
            )
        },
        pong: Some(
            r#"{"method":"pong","time_in":"2023-10-06T17:35:55.440295Z","time_out":"2023-10-06T17:35:55.440295Z"}"#,
        ),
    };
    let coinbase = Venue {
        open: coinbase::MarketProtocol::new,
        symbol: "BTC-USD",
        quote: |number| {
            json!({"channel": "ticker", "client_id": "", "timestamp": "2026-04-07T14:30:00Z", "sequence_num": number,
                "events": [{"type": "update", "tickers": [{"product_id": "BTC-USD", "best_bid": "100.0",
                    "best_bid_quantity": "1", "best_ask": "101.0", "best_ask_quantity": "1"}]}]})
            .to_string()
        },
        pong: None,
    };
    [
        ("Binance", Box::new(binance)),
        ("OKX", Box::new(okx)),
        ("Bybit", Box::new(bybit)),
        ("Kraken", Box::new(kraken)),
        ("Coinbase", Box::new(coinbase)),
    ]
}

/// How a check is held for the venues.
enum Cells {
    /// It is run here for each.
    Run(fn(&dyn Checked)),
    /// It is run here for each, as far as the protocol has it; the rest is one machine's, and this test holds it.
    RunAnd(fn(&dyn Checked), &'static str),
    /// One machine does it for all of them, and this test holds it.
    Shared(&'static str),
    /// Each has a test.
    Each([&'static str; 5]),
    /// It is not a venue's, and why.
    None(&'static str),
}

use Cells::{Each, Run, RunAnd, Shared};

const CHECKS: [(&str, Cells); 17] = [
    (
        "quotes and trades arrive exactly and in order",
        Each([
            "every_recorded_frame_is_read_as_an_independent_reader_does",
            "quotes_trades_and_candles_are_exact",
            "quotes_and_candles_are_exact",
            "numbers_are_read_from_their_digits",
            "trades_are_in_the_order_of_their_numbers_whatever_the_message_has",
        ]),
    ),
    (
        "numbers of series arrive exactly",
        Cells::None("no venue sends series"),
    ),
    (
        "waits grow from 1 to 60 s with jitter; only healthy data resets them",
        Shared("waits_double_to_sixty_seconds_though_connecting_succeeds"),
    ),
    (
        "subscriptions are restored on the next connection",
        Each([
            "frames_become_events_and_a_lost_connection_is_restored",
            "an_okx_source_lives_through_a_gap_and_a_cut",
            "a_bybit_source_lives_through_a_gap_and_a_cut",
            "a_kraken_source_lives_through_a_gap_and_a_cut",
            "a_coinbase_source_lives_through_a_gap_and_a_cut",
        ]),
    ),
    (
        "one request is under way for each key",
        Shared("a_topic_is_given_back_once_its_subscription_is_answered"),
    ),
    (
        "a subscription refused ten times is shown and tried on",
        Shared("n07_a_failure_is_reported_once_after_ten_attempts_and_tried_on_every_minute"),
    ),
    (
        "ten failed connects are shown and tried on",
        Shared("ten_failed_connects_in_a_row_are_reported_once_and_it_is_tried_on"),
    ),
    (
        "a missing heartbeat ends the connection",
        RunAnd(
            |venue| venue.pings_are_answered(),
            "n03_a_ping_goes_every_twenty_seconds_and_no_pong_in_ten_is_death",
        ),
    ),
    (
        "a quiet feed stays connected and is STALE",
        Shared("a_quiet_source_that_answers_is_live_until_its_own_limit"),
    ),
    (
        "a gap is announced, and filled where it can be",
        Each([
            "the_books_of_2024_equal_an_independent_rebuild_and_the_best_bid_and_ask",
            "d01_a_gap_is_announced_once_and_the_book_is_requested_again",
            "d01_a_gap_is_announced_and_the_book_requested_again",
            "d01_a_missing_change_is_noticed_by_the_checksum_of_the_next",
            "d01_a_jump_of_the_connections_numbers_loses_its_books",
        ]),
    ),
    (
        "what was missed while away is read or announced",
        Each([
            "frames_become_events_and_a_lost_connection_is_restored",
            "candles_that_a_stream_missed_are_read_and_come_in_order",
            "candles_that_a_stream_missed_are_read_and_come_in_order",
            "candles_that_a_stream_missed_are_read_and_come_in_order",
            "candles_that_a_stream_missed_are_read_and_come_in_order",
        ]),
    ),
    (
        "it stops at once in every phase and leaves nothing open",
        Shared("a_source_stops_at_once_and_starts_again"),
    ),
    (
        "one turn takes 64 KiB of a full stream",
        Shared("a_stream_that_never_ends_lets_others_run_after_64_kib"),
    ),
    (
        "malformed, nested, non-UTF-8 and foreign messages are ignored",
        Run(|venue| venue.bad_messages_are_ignored()),
    ),
    (
        "a bad message with a number is passed over",
        Each([
            "n02_of_a_frame_that_is_cut_anywhere_nothing_is_derived",
            "a_change_that_cannot_be_read_is_a_gap",
            "what_is_not_ours_or_cannot_be_exact_is_ignored",
            "every_message_of_the_collection_is_understood_or_named",
            "levels_of_unknown_sides_are_refused",
        ]),
    ),
    (
        "what is too long ends the connection before it came",
        Run(|venue| venue.too_long_ends_it()),
    ),
    (
        "a message byte by byte is taken once",
        Run(|venue| venue.byte_by_byte()),
    ),
];

/// The names of the crate's tests.
fn functions(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim_start) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let Some((_, rest)) = line.split_once("fn ") else {
                    continue;
                };
                if std::mem::take(&mut is_test) {
                    found.extend(rest.split('(').next().map(str::to_owned));
                }
            }
        }
    }
}

/// The table of the venues: every check for every one, with the test that holds it or the reason why there is none.
#[expect(clippy::print_stdout, reason = "the table is what the suite shows")]
#[test]
fn every_check_holds_for_every_venue() {
    let mut known = BTreeSet::new();
    for folder in ["src", "tests"] {
        functions(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut known,
        );
    }
    let venues = venues();
    let names = venues.each_ref().map(|(name, _)| *name).join(" | ");
    let mut table = format!("| check | {names} |\n|---|---|---|---|---|---|\n");
    for (title, cells) in &CHECKS {
        let cells = match cells {
            Run(check) => {
                venues.iter().for_each(|(_, venue)| check(&**venue));
                vec!["holds".to_owned(); 5]
            }
            RunAnd(check, test) => {
                assert!(known.contains(*test), "{test} is gone");
                venues.iter().for_each(|(_, venue)| check(&**venue));
                vec![format!("holds; `{test}`"); 5]
            }
            Shared(test) => {
                assert!(known.contains(*test), "{test} is gone");
                let shared = || "the same".to_owned();
                vec![format!("`{test}`"), shared(), shared(), shared(), shared()]
            }
            Each(tests) => {
                let named = |test: &&str| {
                    assert!(known.contains(*test), "{test} is gone");
                    format!("`{test}`")
                };
                tests.iter().map(named).collect()
            }
            Cells::None(why) => vec![format!("none: {why}"); 5],
        };
        table += &format!("| {title} | {} |\n", cells.join(" | "));
    }
    println!("{table}");
    let documented = include_str!("../../../../docs/sources.md");
    assert!(
        documented.contains(&table),
        "the table of docs/sources.md is another; it should be:\n\n{table}"
    );
}
