//! Features of models: what is a feature, and that rows are those of closed candles alone.

use std::collections::BTreeMap;

use tradewind_model::{Amount, Candle, InstrumentId, Interval, Price, Timestamp};
use tradewind_rules::{FeatureRows, Features};
use tradewind_strategy::View;

use crate::market::instrument;

fn features(all: &[(&str, &str)]) -> Result<Features, Vec<String>> {
    let all: BTreeMap<String, String> = all
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Features::compile(&all, Interval::Hour1)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn candle(interval: Interval, place: u32, close: i64) -> Candle {
    Candle {
        instrument: InstrumentId(0),
        interval,
        complete: true,
        open_time: Timestamp::EPOCH + interval.duration() * place,
        open: Price(close),
        high: Price(close),
        low: Price(close),
        close: Price(close),
        volume: Amount::ONE,
    }
}

/// Feeds a candle, and returns the row if it completes a close.
fn feed(rows: &mut FeatureRows, candle: &Candle) -> Option<Vec<f64>> {
    let instrument = instrument("x:BTC/USDT");
    let view = View::bare(candle.close_time(), &instrument);
    rows.feed(&view, candle);
    let complete = rows.complete(0) == Some(candle.close_time());
    complete.then(|| rows.row(&view))
}

#[test]
fn a_row_has_the_values_of_its_close_in_the_order_of_names() {
    let all = [
        ("b", "close - close[1]"),
        ("a", "sma(2)"),
        ("c", "hour"),
        ("d", "close > 1.5"),
    ];
    let mut rows = FeatureRows::new(features(&all).unwrap(), 1);
    assert_eq!(rows.features().names(), ["a", "b", "c", "d"]);
    let first = feed(&mut rows, &candle(Interval::Hour1, 0, 100)).unwrap();
    assert!(first[0].is_nan() && first[1].is_nan(), "{first:?}");
    let second = feed(&mut rows, &candle(Interval::Hour1, 1, 200)).unwrap();
    assert_eq!(second, [1.5, 1.0, 2.0, 1.0]);
}

#[test]
fn a_row_waits_for_the_longer_candle_of_its_close_and_for_no_later_one() {
    let all = [("a", "close"), ("long", "close - close@4h")];
    let mut rows = FeatureRows::new(features(&all).unwrap(), 1);
    for place in 0..3 {
        // No longer candle has come that closed by then.
        assert_eq!(feed(&mut rows, &candle(Interval::Hour1, place, 100)), None);
    }
    assert_eq!(feed(&mut rows, &candle(Interval::Hour1, 3, 500)), None);
    let row = feed(&mut rows, &candle(Interval::Hour4, 0, 300)).unwrap();
    assert_eq!(row, [5.0, 2.0]);
    let row = feed(&mut rows, &candle(Interval::Hour1, 4, 600)).unwrap();
    assert_eq!(row, [6.0, 3.0]);
}

#[test]
fn what_no_past_candle_has_is_no_feature() {
    let check = |text: &str, wanted: &str| {
        let errors = features(&[("x", text)]).unwrap_err();
        assert!(
            errors.iter().any(|error| error.contains(wanted)),
            "{text}: {errors:?}"
        );
    };
    check("bid", "a feature that no past candle has");
    check("position.profit", "a feature that no past candle has");
    check(
        "series(\"house.fear\")",
        "a feature that no past candle has",
    );
    check(
        "of(\"BTC/USDT\", close)",
        "features are of the instrument itself",
    );
    check("higest(close, 5)", "did you mean highest?");
    assert!(features(&[]).unwrap_err()[0].contains("write 1 to 500"));
}
