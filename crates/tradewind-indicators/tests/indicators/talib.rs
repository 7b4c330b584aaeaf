//! Equality with TA-Lib on real candles: the first value at the same row, every value to a relative
//! 1e-9. `scripts/talib_fixtures.py` writes the fixtures and describes their format; the candles are
//! read from `TRADEWIND_TEST_DATA`, and their hash must be the one TA-Lib was fed.

use std::env;

use tradewind_indicators::Ohlcv;

use crate::{any::Any, fixture::Fixture};

const TOLERANCE: f64 = 1e-9;

#[test]
fn btc_usdt_1m_with_the_customary_periods() {
    check("BTC_USDT-1m", 10);
}

#[test]
fn btc_usdt_5m_with_short_periods() {
    check("BTC_USDT-5m", 10);
}

#[test]
fn btc_usdt_1h_with_long_periods() {
    check("BTC_USDT-1h", 10);
}

#[test]
fn ada_btc_1m_whose_prices_are_tiny() {
    check("ADA_BTC-1m", 10);
}

#[test]
fn ada_btc_1h_whose_prices_are_tiny() {
    check("ADA_BTC-1h", 10);
}

#[test]
fn forty_five_thousand_candles_without_drift() {
    check("btc-perp-20211231-20220201_1m", 20);
}

fn check(name: &str, indicators: usize) {
    let Some(root) = test_data() else { return };
    let fixture = Fixture::read(name);
    let bars = fixture.candles(&root);
    assert_eq!(bars.len(), fixture.row_count, "{name}: rows");
    assert_eq!(fixture.columns.len(), indicators, "{name}: indicators");

    let errors: Vec<f64> = fixture
        .columns
        .iter()
        .flat_map(|(spec, columns)| errors(&fixture, &bars, spec, columns))
        .collect();
    assert!(
        errors.len() > 1_000,
        "{name}: only {} values compared",
        errors.len()
    );
    let worst = errors.iter().copied().fold(0.0, f64::max);
    eprintln!(
        "{name}: {} values, largest relative difference {worst:e}",
        errors.len()
    );
}

/// Runs one indicator over all candles; answers the relative error of each value the fixture holds.
fn errors(fixture: &Fixture, bars: &[Ohlcv], spec: &str, columns: &[usize]) -> Vec<f64> {
    let mut indicator = Any::parse(spec);
    let first = fixture.first[columns[0]];
    assert_eq!(indicator.warm_up(), first + 1, "warm-up of {spec}");
    let mut errors = Vec::new();
    for (row, &bar) in bars.iter().enumerate() {
        let lines = indicator
            .update(bar.bar())
            .expect("real candles are in order");
        assert_eq!(lines.is_some(), row >= first, "{spec} in row {row}");
        let (Some(lines), Some(cells)) = (lines, fixture.rows.get(&row)) else {
            continue;
        };
        assert_eq!(lines.len(), columns.len(), "lines of {spec}");
        for (&column, line) in columns.iter().zip(lines) {
            let expected = cells[column].expect("TA-Lib has a value from its first row on");
            let error = relative_error(line, expected);
            assert!(
                error <= TOLERANCE,
                "{spec} in row {row}: {line} is not {expected}"
            );
            errors.push(error);
        }
    }
    errors
}

fn relative_error(value: f64, expected: f64) -> f64 {
    let distance = (value - expected).abs();
    if distance > 0.0 {
        distance / expected.abs()
    } else {
        0.0
    }
}

pub(crate) fn test_data() -> Option<String> {
    let root = env::var("TRADEWIND_TEST_DATA").ok();
    if root.is_none() {
        let is_ci = env::var("CI").is_ok_and(|value| value == "true");
        assert!(
            !is_ci,
            "TRADEWIND_TEST_DATA is not set, and CI must not skip"
        );
        eprintln!("SKIPPED: TRADEWIND_TEST_DATA is not set, so no comparison with TA-Lib was made");
    }
    root
}
