//! What holds for any file: an answer, and what is written is what is read.

use std::fmt::Write as _;

use proptest::prelude::*;
use tradewind_data::{CandleRow, Row, fuzzing};
use tradewind_model::{Amount, Timestamp, format_fixed};

use crate::{Input, rows};

fn candle(minute: i64, [low, open, close, high, volume]: [i64; 5], places: u8) -> CandleRow {
    let unit = 10_i128.pow(u32::from(18 - places));
    let price = |count: i64| Amount(i128::from(count) * unit);
    let low_price = low.max(1);
    CandleRow {
        open_time: Timestamp::from_secs(1_727_740_800 + minute * 60),
        open: price(low_price + open),
        high: price(low_price + open.max(close) + high),
        low: price(low_price),
        close: price(low_price + close),
        volume: Some(price(volume)),
    }
}

/// A way to write candles: name of the file, what stands before them, and a row.
type Format = (
    &'static str,
    &'static str,
    fn(&CandleRow) -> String,
    &'static str,
);

fn text(amount: Amount) -> String {
    format_fixed(amount.0, 18)
}

fn numbers(row: &CandleRow, separator: &str) -> String {
    let all = [
        row.open,
        row.high,
        row.low,
        row.close,
        row.volume.unwrap_or_default(),
    ];
    all.map(text).join(separator)
}

const FORMATS: [Format; 8] = [
    (
        "BTCUSDT-1m.csv",
        "",
        |row| format!("{},{}\n", row.open_time.as_millis(), numbers(row, ",")),
        "",
    ),
    (
        "XBTUSD_1.csv",
        "",
        |row| {
            format!(
                "{},{},5\n",
                row.open_time.as_nanos() / 1_000_000_000,
                numbers(row, ",")
            )
        },
        "",
    ),
    (
        "BTC_USDT-1m.csv",
        "time,open,high,low,close,Volume\n",
        |row| format!("{},{}\n", row.open_time, numbers(row, ",")),
        "",
    ),
    (
        "BTC_USDT-1m.csv",
        "\u{feff}time;open;high;low;close;volume\r\n",
        |row| format!("{};{}\r\n", row.open_time.as_nanos(), numbers(row, ";")),
        "",
    ),
    (
        "BTC_USDT-1m.csv",
        "date,open,high,low,close,volume\n",
        |row| format!("{}.0,{}\n", row.open_time.as_millis(), numbers(row, ",")),
        "",
    ),
    (
        "BTC_USDT-1m.csv",
        ",\"Open time\",Open,High,Low,Close,Volume\n",
        |row| {
            format!(
                "7,{},{}\n",
                row.open_time.as_nanos() / 1_000,
                numbers(row, ",")
            )
        },
        "",
    ),
    (
        "BTC_USDT-1m.json",
        "[",
        |row| format!("[{},{}],", row.open_time.as_millis(), numbers(row, ",")),
        "]",
    ),
    (
        "BTC_USDT-1m.tsv",
        "DATE\tTIME\tOPEN\tHIGH\tLOW\tCLOSE\tVOL\n",
        |row| {
            let at = row.open_time.to_string();
            format!(
                "{}\t{}\t{}\n",
                at.get(..10).unwrap_or_default().replace('-', "."),
                at.get(11..19).unwrap_or_default(),
                numbers(row, "\t")
            )
        },
        "",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_candle_reads_back_as_it_was_written_in_any_format(
        format in 0..FORMATS.len(),
        places in 0_u8..=12,
        minutes in proptest::collection::btree_map(0_i64..500, [1_i64..900_000, 0_i64..999, 0_i64..999, 0_i64..999, 0_i64..999_999], 2..40),
        newest_first in any::<bool>(),
    ) {
        let (name, head, line, foot) = FORMATS[format];
        let written: Vec<CandleRow> = minutes.iter().map(|(minute, parts)| candle(*minute, *parts, places)).collect();
        // Sparse rows would make the shortest step longer than a minute.
        prop_assume!(written.windows(2).any(|pair| pair[1].open_time.since(pair[0].open_time).as_secs() == 60));
        let mut content = head.to_owned();
        let mut order: Vec<&CandleRow> = written.iter().collect();
        if newest_first {
            order.reverse();
        }
        for row in order {
            content.write_str(&line(row)).unwrap();
        }
        if !foot.is_empty() {
            content.pop();
        }
        content.push_str(foot);
        let input = Input::new(name, &content);
        let read: Vec<CandleRow> = rows(&input.table()).into_iter().map(|row| match row {
            Row::Candle(row) => row,
            other => panic!("{other:?}"),
        }).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "[-0-9.,;:\\[\\]{}\"\nTZ eE]{0,300}") {
        let folder = tempfile::tempdir().unwrap();
        fuzzing::read(folder.path(), "BTC_USDT-1m.csv", &bytes);
        fuzzing::read(folder.path(), "BTC_USDT-1m.csv", text.as_bytes());
        for magic in [&b"\x1f\x8b\x08"[..], b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff", b"[[", b"time,open,high,low,close\n"] {
            fuzzing::read(folder.path(), "BTC_USDT-1m.csv", &[magic, &bytes].concat());
        }
    }

    /// A sound file with one byte changed is read, or refused in one line; a price is never made up.
    #[test]
    fn a_flipped_byte_has_an_answer(place in 0_usize..400, byte in any::<u8>()) {
        let mut bytes: Vec<u8> = "time,open,high,low,close,volume\n".into();
        for minute in 0..10 {
            bytes.extend(format!("{},100.5,102,99.5,101.25,3.5\n", 1_727_740_800 + minute * 60).bytes());
        }
        if let Some(changed) = bytes.get_mut(place) {
            *changed = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        fuzzing::read(folder.path(), "BTC_USDT-1m.csv", &bytes);
    }
}
