//! State as data: saved at any input, written in slices while the engine handles inputs, and restored.

use proptest::prelude::*;
use tradewind_engine::{Engine, EngineState, Recorded, StrategySource, recover};
use tradewind_events::{BotConfig, Input, Lane, LaneState, Output, Outputs, Timer};
use tradewind_model::{BotId, Timestamp};
use tradewind_testkit::{Desk, Script, Storm, bot, configuration};

/// A storm of inputs, and the engine that handles them.
struct Weather {
    storm: Storm,
    engine: Engine,
}

impl Weather {
    fn new(seed: u64, inputs: u64) -> Self {
        Self {
            storm: Storm::new(seed, inputs),
            engine: Engine::new(StrategySource::built_in()),
        }
    }

    fn next(&mut self) -> (Timestamp, Input, Outputs) {
        let (at, input) = self.storm.next_input();
        let mut outputs = Outputs::new();
        self.engine.handle(at, &input, &mut outputs);
        self.storm.observe(&outputs);
        (at, input, outputs)
    }
}

fn restored(state: &EngineState) -> Engine {
    Engine::restore(StrategySource::built_in(), state).expect("this build wrote it")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_engine_restored_at_any_input_gives_the_same_outputs(seed in any::<u64>(), save_at in 0_u64..4_000) {
        let mut weather = Weather::new(seed, 5_000);
        for _ in 0..save_at {
            weather.next();
        }
        let state = weather.engine.save();
        let mut second = restored(&state);
        prop_assert_eq!(&second.save(), &state);
        for _ in save_at..5_000 {
            let (at, input, wanted) = weather.next();
            let mut outputs = Outputs::new();
            second.handle(at, &input, &mut outputs);
            prop_assert_eq!(outputs, wanted, "input {}: {:?}", second.seq(), input);
        }
        prop_assert_eq!(second.save().digest(), weather.engine.save().digest());
    }

    #[test]
    fn a_snapshot_written_in_slices_is_the_state_at_its_beginning(seed in any::<u64>(), begin_at in 3_u64..3_000) {
        let mut weather = Weather::new(seed, 4_000);
        for _ in 0..begin_at {
            weather.next();
        }
        let wanted = weather.engine.save();
        weather.engine.begin_snapshot();
        let mut slices = 0;
        let state = loop {
            // The engine handles an input between two slices, so that strategies change before they are written.
            weather.next();
            slices += 1;
            if let Some(state) = weather.engine.write_snapshot() {
                break state;
            }
        };
        prop_assert_eq!(state.digest(), wanted.digest());
        prop_assert_eq!(&state, &wanted);
        prop_assert!(slices > 1, "one slice holds all {} bytes", state.durable().len());
        prop_assert!(weather.engine.write_snapshot().is_none(), "it is written once");
        prop_assert_ne!(weather.engine.save().digest(), state.digest());
    }
}

#[test]
fn the_engine_knows_the_timers_its_driver_has_set() {
    let mut weather = Weather::new(8, 3_000);
    let mut set = std::collections::BTreeMap::new();
    for _ in 0..3_000 {
        let (at, input, outputs) = weather.next();
        if let Input::Timer(timer) = input
            && set.get(&timer).is_some_and(|due| *due <= at)
        {
            set.remove(&timer);
        }
        for output in outputs {
            match output {
                Output::SetTimer(at, timer) => drop(set.insert(timer, at)),
                Output::CancelTimer(timer) => drop(set.remove(&timer)),
                _ => {}
            }
        }
    }
    assert!(set.contains_key(&Timer::Equity));
    assert_eq!(
        weather.engine.timers().collect::<Vec<_>>(),
        Vec::from_iter(set.clone())
    );
    let second = restored(&weather.engine.save());
    assert_eq!(second.timers().collect::<Vec<_>>(), Vec::from_iter(set));
}

#[test]
fn a_lane_hands_its_strategy_in_and_gets_it_back_after_a_restore() {
    let mut remote = configuration();
    remote.bots = vec![BotConfig {
        lane: Lane::Thread,
        ..bot(0)
    }];
    let script = Script::default();
    let mut desk = Desk::started(remote, script.strategies());
    desk.quote(10_000, 10_001);
    let state = LaneState {
        bot: BotId(0),
        request: 1,
        state: vec![1, 2, 3],
    };
    let old = LaneState {
        request: 0,
        ..state.clone()
    };
    desk.input(&Input::LaneState(Box::new(state.clone())));
    desk.input(&Input::LaneState(Box::new(old)));
    let saved = desk.engine.save();
    let second = Engine::restore(script.strategies(), &saved).unwrap();
    assert_eq!(second.lane_states().collect::<Vec<_>>(), [state]);
}

#[test]
fn what_a_lane_handed_in_is_recovered_from_a_snapshot_and_from_the_records_behind_it() {
    let mut remote = configuration();
    remote.bots = vec![BotConfig {
        lane: Lane::Thread,
        ..bot(0)
    }];
    let script = Script::default();
    let mut desk = Desk::started(remote, script.strategies());
    desk.quote(10_000, 10_001);
    let state = |request, byte| LaneState {
        bot: BotId(0),
        request,
        state: vec![byte],
    };
    desk.input(&Input::LaneState(Box::new(state(1, 7))));
    let saved = desk.engine.save();
    let recovered = |tail: Vec<(u64, Timestamp, Recorded<'_>)>| {
        let engine = recover(script.strategies(), Some(&saved), tail).unwrap();
        engine.lane_states().collect::<Vec<_>>()
    };
    assert_eq!(recovered(Vec::new()), [state(1, 7)]);
    let (seq, at) = (desk.engine.seq() + 1, desk.engine.now());
    let later = Input::LaneState(Box::new(state(2, 8)));
    let tail = vec![(seq, at, Recorded::Input(&later))];
    assert_eq!(recovered(tail), [state(2, 8)]);
}
