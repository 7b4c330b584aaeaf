//! Flat markets, huge prices and long series: the places where a float indicator goes wrong.

use tradewind_indicators::{
    Atr, Bands, Bollinger, IndicatorError, MAX_MAGNITUDE, Macd, MacdPeriods, Rsi, Sma,
    StandardDeviation, ratio,
};

use crate::{
    any::{Any, SPECS},
    series::{deviation, flat, is_close, mean, walk},
};

/// Prices whose binary form is not exact, from satoshi to the very large.
const PRICES: [f64; 5] = [1e-8, 0.1, 2.283e-5, 46_319.07, 1e15 / 3.0];

#[test]
fn a_flat_market_has_no_width_and_no_range() {
    for price in PRICES {
        let mut atr = Atr::new(14).unwrap();
        let mut spread = StandardDeviation::new(20).unwrap();
        let mut bollinger = Bollinger::new(20, 2.0).unwrap();
        for _ in 0..100 {
            atr.update(flat(price)).unwrap();
            spread.update(price).unwrap();
            bollinger.update(price).unwrap();
        }
        let lines = Bands {
            upper: price,
            middle: price,
            lower: price,
        };
        assert_eq!(atr.value(), Some(0.0));
        assert_eq!(spread.value(), Some(0.0));
        assert_eq!(bollinger.value(), Some(lines));
    }
}

#[test]
fn dividing_by_a_flat_markets_range_is_a_typed_error() {
    let mut atr = Atr::new(3).unwrap();
    for _ in 0..4 {
        atr.update(flat(10.0)).unwrap();
    }
    let stops_away = ratio(0.5, atr.value().unwrap(), "ATR");
    assert_eq!(
        stops_away,
        Err(IndicatorError::DivisionByZero { what: "ATR" })
    );
}

#[test]
fn rsi_of_no_movement_is_zero_and_says_so() {
    for price in PRICES {
        let mut rsi = Rsi::new(14).unwrap();
        assert!(!rsi.has_moved());
        for _ in 0..100 {
            rsi.update(price).unwrap();
        }
        assert_eq!((rsi.value(), rsi.has_moved()), (Some(0.0), false));
        rsi.update(price * 0.5).unwrap();
        assert_eq!((rsi.value(), rsi.has_moved()), (Some(0.0), true));
        rsi.update(price).unwrap();
        assert!(rsi.value().is_some_and(|value| value > 0.0));
    }
}

#[test]
fn macd_of_a_flat_market_is_zero_up_to_rounding() {
    for price in PRICES {
        let mut macd = Macd::new(MacdPeriods::default()).unwrap();
        for _ in 0..100 {
            macd.update(price).unwrap();
        }
        let value = macd.value().unwrap();
        assert!(value.line.abs() <= price * 1e-14 && value.histogram.abs() <= price * 1e-14);
    }
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    for spec in SPECS {
        let mut indicator = Any::parse(spec);
        for i in 0..200 {
            let price = if i % 3 == 0 {
                MAX_MAGNITUDE
            } else {
                -MAX_MAGNITUDE
            };
            let lines = indicator.update(flat(price)).unwrap();
            assert!(lines.into_iter().flatten().all(f64::is_finite), "{spec}");
        }
    }
}

#[test]
fn a_spike_leaves_nothing_behind_once_it_left_the_window() {
    let prices: Vec<f64> = walk(3).take(70).map(|bar| bar.close).collect();
    let mut sma = Sma::new(20).unwrap();
    let mut spread = StandardDeviation::new(20).unwrap();
    for (i, &price) in prices.iter().enumerate() {
        let price = if i == 30 { MAX_MAGNITUDE } else { price };
        let (average, width) = (sma.update(price).unwrap(), spread.update(price).unwrap());
        if i >= 50 {
            let window = &prices[i - 19..=i];
            assert!(is_close(average.unwrap(), mean(window), 1e-14), "row {i}");
            assert!(
                is_close(width.unwrap(), deviation(window), 1e-12),
                "row {i}"
            );
        }
    }
}

#[test]
fn a_million_values_leave_no_drift() {
    let prices: Vec<f64> = walk(4).take(1_000_000).map(|bar| bar.close).collect();
    let mut sma = Sma::new(50).unwrap();
    let mut spread = StandardDeviation::new(50).unwrap();
    for (i, &price) in prices.iter().enumerate() {
        let (average, width) = (sma.update(price).unwrap(), spread.update(price).unwrap());
        if i % 9_973 == 9_972 {
            let window = &prices[i - 49..=i];
            assert!(is_close(average.unwrap(), mean(window), 1e-14), "row {i}");
            assert!(
                is_close(width.unwrap(), deviation(window), 1e-12),
                "row {i}"
            );
        }
    }
}
