//! Frame → event, by kind of frame: `cargo bench -p tradewind-venues --bench decode`.
//!
//! Beside it, in the same run, what stands on either side: the same quote read by a general JSON reader into borrowed
//! text and then into fixed point, and the least that can be done with a frame, one look at each of its bytes.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

#[path = "common/listing.rs"]
mod listing;

use std::hint::black_box;
use std::time::Instant;

use serde::Deserialize;
use tradewind_model::{MarketEvent, Price, Quantity, Quote, Timestamp};
use tradewind_venues::Incoming;
use tradewind_venues::binance::{SymbolTable, decode};

const ROUNDS: u32 = 1_000_000;
const RUNS: usize = 5;

const QUOTE: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#;
const TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#;
const CANDLE: &str = r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"61837.00","c":"61838.00","h":"61839.00","l":"61836.00","v":"1000","n":100,"x":true,"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}}"#;

fn main() {
    let symbols = listing::symbols();
    assert_eq!(general(QUOTE, &symbols), Some(quote_of(QUOTE, &symbols)));
    let json = median(|| general(black_box(QUOTE), &symbols));
    println!("ns a frame, median of {RUNS} runs of {ROUNDS}");
    println!("quote, serde_json borrowed and fixed point  {json:>6.1}");
    for (name, frame) in [("quote", QUOTE), ("trade", TRADE), ("candle", CANDLE)] {
        let scan = median(|| look(black_box(frame.as_bytes())));
        let ours = median(|| read(black_box(frame), &symbols));
        let to_scan = ours / scan;
        print!("{name:<6} ({} bytes) decoded {ours:>6.1}", frame.len());
        print!("  each byte looked at once {scan:>6.1} ({to_scan:.1} x)");
        match name {
            "quote" => println!("  serde_json takes {:.2} x ours", json / ours),
            _ => println!(),
        }
    }
}

fn median<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut run = || {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(work());
        }
        started.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
    };
    let mut runs: Vec<f64> = (0..RUNS).map(|_| run()).collect();
    runs.sort_by(f64::total_cmp);
    runs[RUNS / 2]
}

fn read(frame: &str, symbols: &SymbolTable) {
    decode(
        frame.as_bytes(),
        Timestamp::EPOCH,
        symbols,
        &mut |incoming| {
            black_box(incoming);
        },
    );
}

fn quote_of(frame: &str, symbols: &SymbolTable) -> Quote {
    let mut found = None;
    decode(
        frame.as_bytes(),
        Timestamp::EPOCH,
        symbols,
        &mut |incoming| {
            if let Incoming::Event {
                event: MarketEvent::Quote(quote),
                ..
            } = incoming
            {
                found = Some(quote);
            }
        },
    );
    found.expect("the frame is a quote")
}

/// One look at each byte, none of them skipped: what tells the end of a text from its inside needs as much.
fn look(frame: &[u8]) -> u32 {
    let mut quotation_marks = 0;
    for byte in frame {
        quotation_marks += u32::from(*black_box(byte) == b'"');
    }
    quotation_marks
}

#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    data: Ticker<'a>,
}

#[derive(Deserialize)]
struct Ticker<'a> {
    s: &'a str,
    b: &'a str,
    #[serde(rename = "B")]
    bid_quantity: &'a str,
    a: &'a str,
    #[serde(rename = "A")]
    ask_quantity: &'a str,
}

/// The same quote by way of a general reader.
fn general(frame: &str, symbols: &SymbolTable) -> Option<Quote> {
    let Combined { data } = serde_json::from_str(frame).ok()?;
    let instrument = symbols.find(data.s.as_bytes())?;
    let price = |text| fixed(text, instrument.price_decimals).map(Price);
    let quantity = |text| fixed(text, instrument.quantity_decimals).map(Quantity);
    Some(Quote {
        instrument: instrument.id,
        bid: price(data.b)?,
        ask: price(data.a)?,
        bid_quantity: quantity(data.bid_quantity)?,
        ask_quantity: quantity(data.ask_quantity)?,
        event_time: None,
        received_at: Timestamp::EPOCH,
    })
}

/// A decimal as a count of its last kept place; finer digits must be zeros.
fn fixed(text: &str, decimals: u8) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let kept = fraction.get(..usize::from(decimals))?;
    let finer = fraction.get(usize::from(decimals)..)?;
    if finer.bytes().any(|digit| digit != b'0') {
        return None;
    }
    let mut digits = whole.bytes().chain(kept.bytes());
    digits.try_fold(0_i64, |value, digit| {
        let digit = char::from(digit).to_digit(10)?;
        value.checked_mul(10)?.checked_add(i64::from(digit))
    })
}
