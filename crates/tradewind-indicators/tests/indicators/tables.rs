//! Small series worked by hand from the formulas.

use tradewind_indicators::Bar;

use crate::{
    any::Any,
    series::{flat, is_close},
};

/// Feeds the bars and expects the lines of each step, from the first value on.
fn check_bars(spec: &str, bars: &[Bar], expected: &[&[f64]]) {
    let mut indicator = Any::parse(spec);
    let got: Vec<_> = bars
        .iter()
        .filter_map(|&bar| indicator.update(bar).expect("a bar in order"))
        .collect();
    assert_eq!(got.len(), expected.len(), "{spec}: {got:?}");
    for (lines, wanted) in got.iter().zip(expected) {
        let equal = lines
            .iter()
            .zip(*wanted)
            .all(|(&line, &want)| is_close(line, want, 1e-14));
        assert!(
            equal && lines.len() == wanted.len(),
            "{spec}: {lines:?} is not {wanted:?}"
        );
    }
}

fn check(spec: &str, values: &[f64], expected: &[&[f64]]) {
    let bars: Vec<_> = values.iter().map(|&value| flat(value)).collect();
    check_bars(spec, &bars, expected);
}

fn bar(high: f64, low: f64, close: f64) -> Bar {
    Bar { high, low, close }
}

#[test]
fn sma_is_the_mean_of_the_last_n() {
    check(
        "sma:3",
        &[1.0, 2.0, 3.0, 4.0, 10.0],
        &[&[2.0], &[3.0], &[17.0 / 3.0]],
    );
    check("sma:1", &[5.0, -7.0], &[&[5.0], &[-7.0]]);
}

#[test]
fn ema_starts_from_the_mean_of_the_first_n() {
    check(
        "ema:3",
        &[2.0, 4.0, 6.0, 8.0, 4.0],
        &[&[4.0], &[6.0], &[5.0]],
    );
}

#[test]
fn rsi_is_the_share_of_smoothed_rises() {
    // Changes +2 -1 0 +3; rises 1, 1/2, 7/4; falls 1/2, 1/4, 1/8.
    let expected: [&[f64]; 3] = [&[200.0 / 3.0], &[200.0 / 3.0], &[280.0 / 3.0]];
    check("rsi:2", &[10.0, 12.0, 11.0, 11.0, 14.0], &expected);
    check("rsi:2", &[1.0, 2.0, 3.0], &[&[100.0]]);
    check("rsi:2", &[3.0, 2.0, 1.0], &[&[0.0]]);
}

#[test]
fn atr_reaches_back_to_the_close_before() {
    // True ranges: none, 2, 2 (gap up), 8 (from 12 to 20), 7 (from 16 down to 9).
    let bars = [
        bar(10.0, 8.0, 9.0),
        bar(11.0, 9.0, 10.0),
        bar(12.0, 11.0, 12.0),
        bar(20.0, 15.0, 16.0),
        bar(10.0, 9.0, 9.0),
    ];
    check_bars("atr:2", &bars, &[&[2.0], &[5.0], &[6.0]]);
}

#[test]
fn deviation_is_that_of_the_population() {
    let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
    check("deviation:8", &values, &[&[2.0]]);
    check("bollinger:8:2", &values, &[&[9.0, 5.0, 1.0]]);
    check("deviation:1", &[3.0, 8.0], &[&[0.0], &[0.0]]);
}

#[test]
fn macd_seeds_its_fast_average_late() {
    // Slow (3): 7/3, 31/6, 127/12. Fast (2), seeded with 2 and 4: 3, 19/3, 115/9.
    let expected: [&[f64]; 2] = [
        &[7.0 / 6.0, 11.0 / 12.0, 0.25],
        &[79.0 / 36.0, 191.0 / 108.0, 23.0 / 54.0],
    ];
    check("macd:2:3:2", &[1.0, 2.0, 4.0, 8.0, 16.0], &expected);
}

#[test]
fn extremes_forget_what_left_the_window() {
    let values = [5.0, 9.0, 1.0, 2.0, 3.0, 3.0];
    check("highest:3", &values, &[&[9.0], &[9.0], &[3.0], &[3.0]]);
    check("lowest:3", &values, &[&[1.0], &[1.0], &[1.0], &[2.0]]);
}

#[test]
fn of_two_zeros_the_newer_is_both_extremes() {
    for spec in ["highest:2", "lowest:2"] {
        for (older, newer) in [(0.0, -0.0), (-0.0, 0.0_f64)] {
            let mut indicator = Any::parse(spec);
            indicator.update(flat(older)).unwrap();
            let lines = indicator.update(flat(newer)).unwrap().unwrap();
            assert_eq!(lines[0].to_bits(), newer.to_bits(), "{spec}");
        }
    }
}

#[test]
fn donchian_takes_highs_and_lows() {
    let bars = [
        bar(10.0, 8.0, 9.0),
        bar(11.0, 9.0, 10.0),
        bar(10.5, 7.0, 8.0),
        bar(9.0, 8.0, 8.0),
    ];
    check_bars(
        "donchian:2",
        &bars,
        &[&[11.0, 8.0], &[11.0, 7.0], &[10.5, 7.0]],
    );
}
