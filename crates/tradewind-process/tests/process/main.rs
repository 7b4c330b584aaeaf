//! Real processes: strategies that decide, and strategies that spin, raise, allocate, print, exit and sleep.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod codec;
mod mistakes;
mod model;
mod offenders;
mod world;

use std::sync::Arc;
use std::time::Duration;

use tradewind_events::BotConfig;
use tradewind_model::{CarriedOut, Decision, LastEntry, PositionState, Ppm};
use tradewind_process::{History, Mode, ProcessStrategy, Processes};
use tradewind_strategy::{Reads, Strategy as _};
use world::World;

pub(crate) const CROSS: &str = r#"
from tradewind import Buy, Exit, Param, Strategy, ta

class Cross(Strategy):
    timeframe = "1m"
    warm_up = 4
    fast = Param(2, min=1, max=50)

    def indicators(self, df, ctx):
        df["fast"] = ta.sma(df["close"], self.fast)
        df["slow"] = ta.sma(df["close"], 4)
        return df

    def on_candle(self, candle, ctx):
        if ctx["fast"] > ctx["slow"] and not ctx.position:
            self.state["entries"] = self.state.get("entries", 0) + 1
            return Buy(0.5, tag=f"entry {self.state['entries']}", stop="5%")
        if ctx["fast"] < ctx["slow"] and ctx.position:
            return Exit(tag="back")
"#;

const CLOSES: [i64; 12] = [
    1000, 900, 800, 700, 900, 1200, 1100, 800, 600, 500, 900, 1400,
];

#[test]
fn a_backtest_decides_as_live_does() {
    let mut world = World::new(CROSS);
    let live = world.run(Mode::Live, &CLOSES);
    let past = world.backtest(&CLOSES);
    assert_eq!(live, past);
    let texts: Vec<&str> = live.iter().map(|(_, _, reason)| reason.as_str()).collect();
    assert_eq!(texts, ["entry 1", "back", "entry 2"]);
    assert_eq!(live.first().map(|one| (one.0, one.1)), Some((5, 500_000)));
}

#[test]
fn columns_decide_as_their_newest_row_does_live() {
    let source = r#"
from tradewind import Strategy, ta

class Rows(Strategy):
    timeframe = "1m"
    warm_up = 4

    def signals(self, df, ctx):
        fast, slow = ta.sma(df["close"], 2), ta.sma(df["close"], 4)
        up = [f > s for f, s in zip(fast, slow)]
        return {"enter": up, "exit": [f < s for f, s in zip(fast, slow)], "enter_tag": "up", "exit_tag": "down"}
"#;
    let mut world = World::new(source);
    let live = world.run(Mode::Live, &CLOSES);
    assert_eq!(live, world.backtest(&CLOSES));
    let texts: Vec<&str> = live.iter().map(|(_, _, reason)| reason.as_str()).collect();
    assert_eq!(texts, ["up", "down", "up"]);
    // Callbacks are called for a position only, and for entries.
    let called = source.to_owned()
        + r#"
    def on_entry(self, decision, ctx):
        return decision if ctx.position.quantity == 0 else 1 / 0

    def on_position(self, position, ctx):
        from tradewind import Exit
        return Exit(tag=f"early {position.bars} {len(ctx.closed_trades)}") if position.profit < -0.2 else None
"#;
    let mut world = World::new(&called);
    let live = world.run(Mode::Live, &CLOSES);
    assert_eq!(live, world.backtest(&CLOSES));
    let texts: Vec<&str> = live.iter().map(|(_, _, reason)| reason.as_str()).collect();
    assert_eq!(texts, ["up", "early 2 0", "up"]);
}

/// Live a process sees the position at each close. A backtest decides from its table and has to show it.
#[test]
fn trades_are_seen_in_a_backtest_whose_columns_decide() {
    let source = r#"
from tradewind import Strategy, ta

class Rows(Strategy):
    timeframe = "1m"
    warm_up = 4

    def signals(self, df, ctx):
        fast, slow = ta.sma(df["close"], 2), ta.sma(df["close"], 4)
        return {"enter": [f > s for f, s in zip(fast, slow)], "exit": [f < s for f, s in zip(fast, slow)]}

    def on_order(self, order, ctx):
        self.state["orders"] = self.state.get("orders", 0) + 1

    def on_entry(self, decision, ctx):
        from tradewind import Buy
        return Buy(tag=f"{len(ctx.closed_trades)} {self.state.get('orders', 0)}")
"#;
    let mut world = World::new(source);
    let live = world.run(Mode::Live, &CLOSES);
    assert_eq!(live, world.backtest(&CLOSES));
    let texts: Vec<&str> = live.iter().map(|(_, _, reason)| reason.as_str()).collect();
    assert_eq!(texts, ["0 0", "signal", "1 2"]);
}

const TARGETS: &str = r#"
from tradewind import Strategy

class Steps(Strategy):
    timeframe = "1m"
    warm_up = 1

    def signals(self, df, ctx):
        return {"target": [0.5 if c > 8 else 0.0 for c in df["close"]]}
"#;

#[test]
fn a_target_that_was_requested_is_not_requested_again_by_a_new_process() {
    let world = World::new(TARGETS);
    let mut first = world.strategy(Mode::Live);
    let is_target = |decision: Decision| matches!(decision, Decision::Target(_));
    assert!(is_target(world.candle(&mut first, 0, 1_000, 0).unwrap()));
    let kept = first.take_state().expect("the target is kept");
    let mut second = world.strategy(Mode::Live);
    second.restore(&kept).unwrap();
    // The position was stopped out in between.
    assert!(!is_target(world.candle(&mut second, 1, 1_000, 0).unwrap()));
    assert!(is_target(world.candle(&mut second, 2, 700, 0).unwrap()));
}

#[test]
fn a_target_that_was_not_carried_out_is_requested_again() {
    let world = World::new(TARGETS);
    let mut strategy = world.strategy(Mode::Live);
    for (place, carried_out) in (0..).zip([CarriedOut::Exits, CarriedOut::Exits, CarriedOut::All]) {
        let closed = tradewind_testkit::candle(place, 1_000);
        let view = world::shown(&closed, PositionState::default(), carried_out);
        let decision = strategy.on_candle(&view, &closed).unwrap();
        assert!(
            matches!(decision, Decision::Target(_)),
            "{place}: {decision:?}"
        );
    }
    let closed = tradewind_testkit::candle(3, 1_000);
    let mut view = world::shown(&closed, PositionState::default(), CarriedOut::All);
    view.last_entry = LastEntry::Denied;
    let decision = strategy.on_candle(&view, &closed).unwrap();
    assert!(
        matches!(decision, Decision::Target(_)),
        "denied: {decision:?}"
    );
    assert!(matches!(
        world.candle(&mut strategy, 4, 1_000, 0),
        Ok(Decision::Hold { .. })
    ));
}

#[test]
fn a_strategy_is_not_given_the_state_of_another() {
    let world = World::new(CROSS);
    let mut first = world.strategy(Mode::Live);
    let mut kept = Vec::new();
    for (place, close) in (0..).zip(CLOSES.iter().take(6)) {
        world.candle(&mut first, place, *close, 0).unwrap();
        kept = first.take_state().unwrap_or(kept);
    }
    // A file of its own, with a class of the same name.
    let other = World::new(CROSS);
    let mut second = other.strategy(Mode::Live);
    second.restore(&kept).unwrap();
    for (place, close) in (0..).zip(CLOSES.iter().take(5)) {
        other.feed(&mut second, place, *close);
    }
    let Decision::Target(target) = other.candle(&mut second, 5, 1200, 0).unwrap() else {
        panic!("no entry");
    };
    assert_eq!(target.reason.to_string(), "entry 1");
}

#[test]
fn a_candle_that_is_not_in_the_history_has_no_row() {
    let source = TARGETS.replace("\"target\"", "\"enter\"");
    let world = World::new(&source);
    let mut history = History::default();
    for place in [0, 1, 3] {
        history.push(&tradewind_testkit::candle(place, 1_000));
    }
    let mut strategy = world.strategy(Mode::Backtest(Arc::new(history)));
    let is_entry = |decision: Decision| matches!(decision, Decision::Target(_));
    assert!(is_entry(world.candle(&mut strategy, 1, 1_000, 0).unwrap()));
    assert!(!is_entry(world.candle(&mut strategy, 2, 1_000, 0).unwrap()));
    assert!(is_entry(world.candle(&mut strategy, 3, 1_000, 0).unwrap()));
}

/// Of two instruments that are only read, the first has no quote, and both have decimals of their own.
#[test]
fn quotes_of_read_instruments_have_their_names_and_scales() {
    let source = r#"
from tradewind import Hold, Strategy

class Reads(Strategy):
    timeframe = "1m"
    def on_candle(self, candle, ctx):
        return Hold(" ".join(f"{name}={quote.bid:g}" for name, quote in ctx.reads.items()))
"#;
    let world = World::new(source);
    let instruments = world::with_reads();
    let bot = BotConfig {
        reads: vec![instruments[1].id, instruments[2].id],
        ..world.bot()
    };
    let mut strategy = ProcessStrategy::new(&bot, &instruments, &Processes::default(), Mode::Live);
    let closed = tradewind_testkit::candle(0, 1_000);
    let quote = tradewind_testkit::quote(instruments[2].id, 123_456, 123_457, closed.close_time());
    let market = world::OneQuote(&instruments, quote);
    let mut view = world::shown(&closed, PositionState::default(), CarriedOut::All);
    view.reads = Reads::new(&bot.reads, &market);
    let Decision::Hold { reason } = strategy.on_candle(&view, &closed).unwrap() else {
        panic!("no decision");
    };
    assert_eq!(reason.to_string(), "b:BTC/USDT=12.3456");
}

#[test]
fn state_survives_the_process() {
    let world = World::new(CROSS);
    let mut first = world.strategy(Mode::Live);
    let mut last = Vec::new();
    for (place, close) in (0..).zip(CLOSES.iter().take(6)) {
        world.candle(&mut first, place, *close, 0).unwrap();
        last = first.take_state().unwrap_or(last);
    }
    assert!(!last.is_empty(), "the entry changed the state");
    drop(first);
    let mut second = world.strategy(Mode::Live);
    second.restore(&last).unwrap();
    for (place, close) in (0..).zip(CLOSES.iter().take(5)) {
        world.feed(&mut second, place, *close);
    }
    let decision = world.candle(&mut second, 5, 1200, 0).unwrap();
    let Decision::Target(target) = decision else {
        panic!("{decision:?}");
    };
    assert_eq!(target.reason.to_string(), "entry 2");
    assert_eq!(target.exposure, Ppm(500_000));
}

#[test]
fn bots_of_a_group_share_a_process_and_its_end() {
    let source = r#"
import os, time
from tradewind import Hold, Strategy

class Shared(Strategy):
    timeframe = "1m"
    def on_candle(self, candle, ctx):
        if candle.close > 50:
            time.sleep(60)
        return Hold(str(os.getpid()))
"#;
    let mut world = World::new(source);
    world.process.group = Some("pool".to_owned());
    world.process.deadline = Duration::from_millis(500);
    let (mut one, mut other) = (world.strategy(Mode::Live), world.strategy(Mode::Live));
    let pid = |decision: Decision| match decision {
        Decision::Hold { reason } => reason.to_string(),
        other => panic!("{other:?}"),
    };
    let first = pid(world.candle(&mut one, 0, 1_000, 0).unwrap());
    assert_eq!(first, pid(world.candle(&mut other, 0, 1_000, 0).unwrap()));
    let error = world
        .candle(&mut one, 1, 10_000, 0)
        .unwrap_err()
        .to_string();
    assert!(error.contains("was killed after 500ms"), "{error}");
    let error = world
        .candle(&mut other, 1, 1_000, 0)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("group \"pool\"") && error.contains("bot-0 was killed"),
        "{error}"
    );
    assert_ne!(first, pid(world.candle(&mut other, 2, 1_000, 0).unwrap()));
}

#[test]
fn a_strategy_sees_its_exposure_and_the_fee_and_may_move_its_stop() {
    let source = r#"
from tradewind import MoveStop, Strategy

class Shown(Strategy):
    timeframe = "1m"
    warm_up = 1

    def on_candle(self, candle, ctx):
        return MoveStop(9.5, f"{ctx.exposure} {ctx.fee}")
"#;
    let world = World::new(source);
    let mut strategy = world.strategy(Mode::Live).with_fee(Ppm(2_500));
    let decision = world.candle(&mut strategy, 0, 1_000, 100_000).unwrap();
    let Decision::MoveStop { stop, reason } = decision else {
        panic!("{decision:?}");
    };
    assert_eq!((stop.0, reason.to_string().as_str()), (950, "0.4 0.0025"));
}
