//! Strategies that do what they must not. Each is named by its error, within its deadline, and a good one beside it decides.

use std::time::{Duration, Instant};

use tradewind_process::Mode;

use crate::CROSS;
use crate::world::World;

const DEADLINE: Duration = Duration::from_millis(800);

/// Runs a strategy whose third candle does `body`, beside a good one.
fn check(body: &str, wanted: &str) {
    let source = format!(
        "import os, sys, threading, time\nfrom tradewind import Strategy\n\n\
         class Bad(Strategy):\n    timeframe = \"1m\"\n\n    \
         def on_candle(self, candle, ctx):\n        if candle.close == 30:\n            {body}\n"
    );
    let mut world = World::new(&source);
    world.process.deadline = DEADLINE;
    world.process.memory_bytes = 512 << 20;
    let good = World::new(CROSS);
    let (mut bad, mut fine) = (world.strategy(Mode::Live), good.strategy(Mode::Live));
    for (place, close) in [(0, 1_000), (1, 2_000)] {
        world.candle(&mut bad, place, close, 0).unwrap();
        good.candle(&mut fine, place, close, 0).unwrap();
    }
    let began = Instant::now();
    let error = world.candle(&mut bad, 2, 3_000, 0).unwrap_err().to_string();
    let took = began.elapsed();
    assert!(
        error.starts_with("its process ") && error.contains(wanted),
        "{error}"
    );
    assert!(took < DEADLINE + Duration::from_secs(2), "{took:?}");
    good.candle(&mut fine, 2, 3_000, 0).unwrap();
    // The next use starts it again.
    world.candle(&mut bad, 3, 1_000, 0).unwrap();
}

#[test]
fn one_that_spins_is_killed() {
    check(
        "while True: pass",
        "was killed after 800ms without an answer",
    );
}

#[test]
fn one_that_sleeps_past_the_deadline_is_killed() {
    check(
        "time.sleep(3600)",
        "was killed after 800ms without an answer",
    );
}

#[test]
fn one_that_raises_is_named_with_its_line() {
    check(
        "raise ValueError('no')",
        "raised ValueError: no (line 9, in on_candle)",
    );
}

#[test]
fn one_that_allocates_without_end_meets_its_limit() {
    check(
        "x = []\n            while True: x.append(bytearray(1 << 24))",
        "raised MemoryError",
    );
}

#[test]
fn one_that_prints_without_end_is_killed() {
    check(
        "while True: print('x' * 1000)",
        "was killed after 800ms without an answer",
    );
}

#[test]
fn one_that_exits_is_named_with_its_status() {
    check("os._exit(3)", "ended: exit status: 3");
    check("sys.exit(4)", "ended: exit status: 4");
}

#[test]
fn one_that_breaks_its_connection_is_killed() {
    let close = "[os.close(one) for one in range(3, 64) if os.path.exists(f'/proc/self/fd/{one}')]\n            time.sleep(60)";
    check(close, "ended: it closed its connection");
}

#[test]
fn one_that_ignores_signals_and_starts_others_is_killed_with_them() {
    let body = "import signal, subprocess\n            signal.signal(signal.SIGTERM, signal.SIG_IGN)\n            \
                subprocess.Popen(['sleep', '3600'])\n            time.sleep(3600)";
    check(body, "was killed after 800ms without an answer");
}

#[test]
fn a_process_finds_nothing_of_the_desk_in_its_environment() {
    let source = "import os\nfrom tradewind import Hold, Strategy\n\n\
                  class Look(Strategy):\n    timeframe = \"1m\"\n\n    \
                  def on_candle(self, candle, ctx):\n        \
                  return Hold(' '.join(sorted(os.environ)) + f' nice {os.nice(0)}')\n";
    let world = World::new(source);
    let mut strategy = world.strategy(Mode::Live);
    let decision = format!("{:?}", world.candle(&mut strategy, 0, 1_000, 0).unwrap());
    let wanted = "LANG MKL_NUM_THREADS OMP_NUM_THREADS OPENBLAS_NUM_THREADS PATH PYTHONDONTWRITEBYTECODE \
                  PYTHONHASHSEED PYTHONUNBUFFERED nice 10";
    assert!(
        decision.replace("LC_CTYPE ", "").contains(wanted),
        "{decision}"
    );
}
