//! The strategies that fail on purpose fail as they say.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tradewind_indicators::IndicatorError;
use tradewind_model::Interval::Minute1;
use tradewind_strategy::StrategyError;

use crate::market::{Stage, quote, text_of};

#[test]
fn one_panics_at_each_wake() {
    let mut stage = Stage::new("fault_panic", &[]);
    for _ in 0..3 {
        let wake = catch_unwind(AssertUnwindSafe(|| stage.candle(Minute1, [100; 4])));
        assert!(wake.is_err());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| stage.timer(None))).is_err());
}

#[test]
fn one_divides_by_the_range_of_a_flat_market() {
    let mut stage = Stage::new("fault_divide", &[]);
    let wanted = StrategyError::Indicator(IndicatorError::DivisionByZero { what: "ATR" });
    for price in [100, 250, 90] {
        assert_eq!(stage.candle(Minute1, [price; 4]), Err(wanted.clone()));
        assert_eq!(stage.quote(&quote(price, price + 1)), Err(wanted.clone()));
        assert_eq!(stage.timer(None), Err(wanted.clone()));
    }
}

#[test]
fn one_is_busy_for_as_long_as_it_is_told() {
    let mut stage = Stage::new("fault_slow", &[("iterations", "1000")]);
    let decision = stage.close(Minute1, 100);
    assert_eq!(text_of(&decision), "hold: was busy for 1000 iterations");
}
