//! What a strategy refuses, without harm: malformed candles, wakes it is not made for, state that is not its own.

use tradewind_model::Interval::{Hour1, Minute1};
use tradewind_strategy::{StrategyError, build, catalogue};

use crate::laws::quick;
use crate::market::{Stage, parameters, quote, walk};

#[test]
fn a_malformed_candle_is_an_error_that_leaves_the_state_alone() {
    for name in [
        "rsi_reversion",
        "bollinger_reversion",
        "macd",
        "donchian_breakout",
        "rsi_trend",
    ] {
        let mut stage = Stage::new(name, quick(name));
        for prices in walk(1, 30) {
            stage.candle(Minute1, prices).unwrap();
        }
        let before = stage.strategy.save();
        for prices in [
            [0; 4],
            [10, 5, 20, 10],
            [-1, 10, -5, 3],
            [10, 10, 1, 11],
            [i64::MIN; 4],
        ] {
            let error = stage.candle(Minute1, prices).unwrap_err();
            let is_malformed = matches!(error, StrategyError::MalformedCandle { .. });
            assert!(is_malformed, "{name} {prices:?}: {error}");
        }
        assert_eq!(stage.strategy.save(), before, "{name}");
    }
}

#[test]
fn the_error_says_which_candle_it_was() {
    let mut stage = Stage::new("macd", &[]);
    let error = stage.candle(Minute1, [0; 4]).unwrap_err().to_string();
    assert!(
        error.starts_with("malformed 1m candle of 2026-01-01T00:00:00"),
        "{error}"
    );
}

#[test]
fn a_wake_it_is_not_made_for_is_an_error() {
    let unsupported = |what| Err(StrategyError::Unsupported(what));
    let mut stage = Stage::new("macd", &[]);
    assert_eq!(stage.quote(&quote(1, 2)), unsupported("quotes"));
    assert_eq!(stage.timer(None), unsupported("a timer"));
    assert_eq!(
        stage.candle(Hour1, [100; 4]),
        unsupported("candles of this interval")
    );
    let mut stage = Stage::new("ma_cross", &[]);
    assert_eq!(stage.candle(Minute1, [100; 4]), unsupported("candles"));
}

#[test]
fn state_of_another_strategy_version_or_setting_is_refused() {
    for info in catalogue() {
        let mut strategy = build(info.name, &parameters(quick(info.name)), 2).unwrap();
        let before = strategy.save();
        for other in catalogue().iter().filter(|other| other.name != info.name) {
            let state = build(other.name, &parameters(&[]), 2).unwrap().save();
            let error = strategy.restore(&state).unwrap_err();
            assert!(error.0.contains(other.name), "{error}");
        }
        if !quick(info.name).is_empty() {
            let state = build(info.name, &parameters(&[]), 2).unwrap().save();
            let error = strategy.restore(&state).unwrap_err();
            assert_eq!(
                error.0, "it was saved with other parameters",
                "{}",
                info.name
            );
        }
        assert_eq!(strategy.save(), before, "{}", info.name);
    }
}

#[test]
fn broken_state_is_refused_at_every_length() {
    for info in catalogue() {
        let mut strategy = build(info.name, &parameters(quick(info.name)), 1).unwrap();
        let state = strategy.save();
        for length in 0..state.len() {
            assert!(
                strategy.restore(&state[..length]).is_err(),
                "{} {length}",
                info.name
            );
        }
        assert_eq!(strategy.save(), state);
        strategy.restore(&state).unwrap();
    }
}
