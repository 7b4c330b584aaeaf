//! What is refused, and that a refusal changes nothing.

use tradewind_indicators::{
    Atr, Bar, Bollinger, Donchian, Ema, Highest, IndicatorError, Lowest, MAX_DEVIATIONS,
    MAX_MAGNITUDE, MAX_PERIOD, Macd, MacdPeriods, Rsi, Sma, StandardDeviation, ratio,
};

use crate::{
    any::{Any, SPECS},
    series::{flat, walk},
};

#[test]
fn a_period_of_zero_or_beyond_the_longest_is_refused() {
    for period in [0, MAX_PERIOD + 1, u32::MAX] {
        let refused = Some(IndicatorError::PeriodOutOfRange { period });
        assert_eq!(Sma::new(period).err(), refused);
        assert_eq!(Ema::new(period).err(), refused);
        assert_eq!(Rsi::new(period).err(), refused);
        assert_eq!(Atr::new(period).err(), refused);
        assert_eq!(StandardDeviation::new(period).err(), refused);
        assert_eq!(Bollinger::new(period, 2.0).err(), refused);
        assert_eq!(Donchian::new(period).err(), refused);
        assert_eq!(Highest::new(period).err(), refused);
        assert_eq!(Lowest::new(period).err(), refused);
        assert_eq!(
            Macd::new(MacdPeriods {
                signal: period,
                ..Default::default()
            })
            .err(),
            refused
        );
    }
    assert_eq!(Sma::new(MAX_PERIOD).unwrap().warm_up(), 100_000);
}

#[test]
fn macd_needs_a_faster_fast_average() {
    for (fast, slow) in [(26, 12), (12, 12)] {
        let refused = Macd::new(MacdPeriods {
            fast,
            slow,
            signal: 9,
        })
        .err();
        assert_eq!(
            refused,
            Some(IndicatorError::FastNotBelowSlow { fast, slow })
        );
    }
}

#[test]
fn bands_need_a_positive_distance() {
    for deviations in [0.0, -2.0, f64::NAN, f64::INFINITY, MAX_DEVIATIONS * 1.001] {
        let refused = Bollinger::new(20, deviations);
        assert!(
            matches!(refused, Err(IndicatorError::DeviationsOutOfRange { .. })),
            "{deviations}"
        );
    }
    assert!(Bollinger::new(20, MAX_DEVIATIONS).is_ok());
}

#[test]
fn an_unusable_number_is_refused_and_changes_nothing() {
    let unusable = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        MAX_MAGNITUDE * 1.001,
        f64::MIN,
    ];
    for spec in SPECS {
        let mut indicator = Any::parse(spec);
        for (i, bar) in walk(1).take(40).enumerate() {
            let before = indicator.clone();
            let refused = indicator.update(flat(unusable[i % unusable.len()]));
            assert!(
                matches!(refused, Err(IndicatorError::InputOutOfRange { .. })),
                "{spec}"
            );
            assert_eq!(indicator, before, "{spec}");
            indicator.update(bar).unwrap();
        }
    }
}

#[test]
fn a_bar_out_of_order_is_refused_and_changes_nothing() {
    let malformed = [
        Bar {
            high: 1.0,
            low: 2.0,
            close: 1.5,
        },
        Bar {
            high: 2.0,
            low: 1.0,
            close: 2.5,
        },
        Bar {
            high: 2.0,
            low: 1.0,
            close: 0.5,
        },
    ];
    for spec in ["atr:3", "donchian:3"] {
        let mut indicator = Any::parse(spec);
        for bar in walk(2).take(10) {
            indicator.update(bar).unwrap();
        }
        let before = indicator.clone();
        for bar in malformed {
            let refused = indicator.update(bar);
            assert!(
                matches!(refused, Err(IndicatorError::MalformedBar { .. })),
                "{spec}"
            );
        }
        assert_eq!(indicator, before, "{spec}");
    }
}

#[test]
fn a_ratio_names_what_was_zero() {
    let zero = Err(IndicatorError::DivisionByZero { what: "ATR" });
    assert_eq!(ratio(1.0, 0.0, "ATR"), zero);
    assert_eq!(ratio(0.0, -0.0, "ATR"), zero);
    assert_eq!(
        ratio(1.0, 0.0, "ATR").unwrap_err().to_string(),
        "division by zero: ATR is 0"
    );
    assert_eq!(ratio(-3.0, 2.0, "ATR"), Ok(-1.5));
    assert_eq!(
        ratio(1e100, 1e-300, "width"),
        Err(IndicatorError::Overflow { what: "width" })
    );
    for unusable in [f64::NAN, f64::INFINITY, 1e101] {
        assert!(matches!(
            ratio(unusable, 1.0, "x"),
            Err(IndicatorError::InputOutOfRange { .. })
        ));
        assert!(matches!(
            ratio(1.0, unusable, "x"),
            Err(IndicatorError::InputOutOfRange { .. })
        ));
    }
}
