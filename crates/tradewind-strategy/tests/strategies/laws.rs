//! Laws for every strategy that is not broken on purpose, in any sound market.

use proptest::prelude::*;
use tradewind_model::{Decision, PositionState, Quantity};
use tradewind_strategy::{StrategyInfo, WakesOn, build, catalogue};

use crate::market::{Orders, START, Stage, exposure, parameters, quote};

/// Parameters that warm up within a few candles, so that short markets reach every rule.
pub(crate) fn quick(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "ma_cross" => &[("fast", "2"), ("slow", "4")],
        "rsi_reversion" => &[("period", "2"), ("entry", "45")],
        "bollinger_reversion" => &[("period", "4"), ("deviations", "0.8")],
        "macd" => &[("fast", "2"), ("slow", "3"), ("signal", "2")],
        "donchian_breakout" => &[
            ("entry_period", "3"),
            ("exit_period", "2"),
            ("atr_period", "1"),
            ("margin", "0.1"),
        ],
        "rsi_trend" => &[
            ("interval", "1m"),
            ("trend_interval", "3m"),
            ("period", "2"),
            ("trend_period", "2"),
        ],
        "momentum_timer" => &[("lookback", "2"), ("full_rise", "0.5")],
        "fault_slow" => &[("iterations", "1")],
        _ => &[],
    }
}

/// One step of a market: prices, and what the position is made to be, if something else changes it.
#[derive(Clone, Debug)]
struct Step {
    prices: [i64; 4],
    position: Option<i64>,
}

fn any_step() -> impl Strategy<Value = Step> {
    let scale = prop_oneof![5 => 9_900_i64..10_100, 1 => 1_i64..50, 1 => 1_i64..i64::MAX / 4];
    let prices = scale.prop_flat_map(|base| prop::array::uniform4(base..=base + base / 50));
    let position = prop_oneof![8 => Just(None), 1 => (-50_i64..200).prop_map(Some)];
    (prices, position).prop_map(|(prices, position)| {
        let [open, close, first, second] = prices;
        let high = open.max(close).max(first);
        let low = open.min(close).min(second);
        Step {
            prices: [open, high, low, close],
            position,
        }
    })
}

fn any_market() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any_step(), 1..120)
}

fn sound() -> impl Iterator<Item = &'static StrategyInfo> {
    catalogue().iter().filter(|info| !info.for_tests)
}

fn stage(info: &StrategyInfo, orders: Orders) -> Stage {
    let mut stage = Stage::new(info.name, quick(info.name));
    stage.orders = orders;
    stage
}

/// Wakes the strategy as it wants to be woken and answers what it decided, one entry a wake.
fn play(stage: &mut Stage, info: &StrategyInfo, steps: &[Step], first: usize) -> Vec<Decision> {
    let mut decisions = Vec::new();
    let timeframes = stage.strategy.timeframes();
    for (place, step) in steps.iter().enumerate().skip(first) {
        if let Some(quantity) = step.position {
            stage.position = position(quantity);
        }
        let [_, high, low, _] = step.prices;
        let quote = quote(low, high + 1);
        match info.wakes_on {
            WakesOn::Quotes => decisions.push(stage.quote(&quote).unwrap()),
            WakesOn::Timer => decisions.push(stage.timer(Some(&quote)).unwrap()),
            WakesOn::Candles | WakesOn::Anything => {
                for (rank, warm_up) in timeframes.iter().enumerate() {
                    if rank == 0 || place % 3 == 2 {
                        decisions.push(stage.candle(warm_up.interval, step.prices).unwrap());
                    }
                }
            }
        }
    }
    decisions
}

fn position(quantity: i64) -> PositionState {
    PositionState {
        quantity: Quantity(quantity),
        entry_price: None,
        opened_at: (quantity != 0).then_some(START),
    }
}

proptest! {
    /// Unwrapping in `play` is the law that a sound market gives no error.
    #[test]
    fn a_sound_market_gives_decisions_and_the_same_ones_each_time(market in any_market()) {
        for info in sound() {
            for orders in [Orders::Fill, Orders::Fail] {
                let first = play(&mut stage(info, orders), info, &market, 0);
                let second = play(&mut stage(info, orders), info, &market, 0);
                prop_assert_eq!(first, second, "{}", info.name);
            }
        }
    }

    #[test]
    fn a_restored_strategy_goes_on_as_if_nothing_had_happened(market in any_market(), cut in 0_usize..120) {
        let cut = cut.min(market.len());
        for info in sound() {
            let mut whole = stage(info, Orders::Fill);
            play(&mut whole, info, &market[..cut], 0);
            let state = whole.strategy.save();

            let mut restored = build(info.name, &parameters(quick(info.name)), 1).unwrap();
            restored.restore(&state).unwrap();
            prop_assert_eq!(restored.save(), state, "{}", info.name);
            let mut other = whole.fork(restored);

            let goes_on = play(&mut whole, info, &market, cut);
            prop_assert_eq!(play(&mut other, info, &market, cut), goes_on, "{}", info.name);
            prop_assert_eq!(other.strategy.save(), whole.strategy.save(), "{}", info.name);
        }
    }

    #[test]
    fn targets_are_long_or_flat_and_never_the_same_twice_unless_leaving(market in any_market()) {
        for info in sound() {
            let mut last = None;
            for decision in play(&mut stage(info, Orders::Fail), info, &market, 0) {
                let Some(exposure) = exposure(&decision) else { continue };
                prop_assert!((0..=1_000_000).contains(&exposure.0), "{}", info.name);
                let repeats = last == Some(exposure) && exposure.0 > 0;
                let moved = market.iter().any(|step| step.position.is_some());
                prop_assert!(!repeats || moved, "{} repeats {exposure}", info.name);
                last = Some(exposure);
            }
        }
    }

    #[test]
    fn a_flat_market_gives_no_signal(price in 1_i64..i64::MAX / 4, length in 1_usize..200) {
        let step = Step { prices: [price; 4], position: None };
        let market = vec![step; length];
        for info in sound() {
            let decisions = play(&mut stage(info, Orders::Fill), info, &market, 0);
            prop_assert!(decisions.iter().all(|decision| exposure(decision).is_none()), "{}", info.name);
        }
    }
}
