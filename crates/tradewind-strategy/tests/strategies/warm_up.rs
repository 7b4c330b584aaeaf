//! Warm-up counts are honest: enough, and no decision before.

use tradewind_model::{Interval, Ppm};
use tradewind_strategy::{WakesOn, WarmUp, catalogue};

use crate::laws::quick;
use crate::market::{Stage, exposure, text_of, walk};

/// Names of the strategies that read candles.
fn on_candles() -> impl Iterator<Item = &'static str> {
    let chosen = catalogue()
        .iter()
        .filter(|info| info.wakes_on == WakesOn::Candles);
    chosen.map(|info| info.name)
}

/// Feeds candles of every timeframe, live, and returns the requested exposures, by number of the shortest candle.
///
/// Longer candles are the walk's own, thinned out: what matters is that they are the same each time.
fn live(stage: &mut Stage, timeframes: &[WarmUp], walk: &[[i64; 4]]) -> Vec<(usize, Ppm)> {
    let mut requests = Vec::new();
    for (place, prices) in walk.iter().enumerate() {
        for longer in &timeframes[1..] {
            if place % 4 == 0 {
                stage.candle(longer.interval, *prices).unwrap();
            }
        }
        let decision = stage.candle(timeframes[0].interval, *prices).unwrap();
        requests.extend(exposure(&decision).map(|exposure| (place, exposure)));
    }
    requests
}

fn history(stage: &mut Stage, interval: Interval, walk: &[[i64; 4]]) {
    for prices in walk {
        stage.history(interval, *prices);
    }
}

#[test]
fn the_first_decision_comes_right_after_the_warm_up() {
    for name in on_candles() {
        let mut stage = Stage::new(name, quick(name));
        let timeframes = stage.strategy.timeframes();
        let candles = walk(7, 1_000);
        // The longest first, so that the shortest is what decides.
        for warm_up in timeframes.iter().rev() {
            for prices in candles.iter().take(warm_up.candles as usize) {
                let decision = stage.history(warm_up.interval, *prices);
                assert_eq!(exposure(&decision), None, "{name}");
            }
        }
        let decision = text_of(&stage.candle(timeframes[0].interval, candles[999]).unwrap());
        assert!(!decision.contains("warming up"), "{name}: {decision}");
    }
}

#[test]
fn more_history_than_needed_changes_no_decision() {
    for name in on_candles() {
        let run = |extra: usize| {
            let mut stage = Stage::new(name, &[]);
            let timeframes = stage.strategy.timeframes();
            for warm_up in &timeframes {
                let needed = warm_up.candles as usize;
                let past = walk(11, 2_000);
                history(
                    &mut stage,
                    warm_up.interval,
                    &past[2_000 - needed - extra..],
                );
            }
            live(&mut stage, &timeframes, &walk(13, 2_000))
        };
        let exact = run(0);
        let signals = exact.len();
        assert!(signals > 10, "{name} gave {signals} signals");
        assert_eq!(run(1), exact, "{name}");
        assert_eq!(run(1_000), exact, "{name}");
    }
}
