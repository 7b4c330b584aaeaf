//! A recorded session replayed and compared: `cargo bench -p tradewind --bench replay`.
//!
//! The session is an hour of the default desk, 45 bots on 25 instruments on the generated market, with a snapshot of the state each
//! minute, in files on disk. Beside it: the same files read, decoded and checked, and not replayed.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run panics")]

#[path = "handle/desk.rs"]
#[expect(dead_code, reason = "the benchmark `handle` counts orders and bots")]
mod desk;
#[path = "handle/world.rs"]
mod world;

use std::sync::Arc;
use std::time::Instant;

use desk::Desk;
use tradewind::replay::verify;
use tradewind_events::Input;
use tradewind_journal::{Disk, Reader};
use world::World;

const SECONDS: u32 = 3_600;
const RUNS: usize = 3;

fn main() {
    let (world, configuration) = World::new();
    let mut desk = Desk::start_recorded(configuration, 64, world);
    for second in 0..SECONDS {
        let news = desk.next_second();
        desk.quotes(&news.quotes);
        desk.ring(news.until);
        for candle in news.candles {
            desk.input(&Input::Candle(candle));
        }
        if second % 60 == 59 {
            let engine = desk.driver.engine();
            let (seq, at, state) = (engine.seq(), engine.now(), engine.save().to_bytes());
            let (journal, _) = desk.driver.journal().journal.as_ref().unwrap();
            let mut journal = journal.borrow_mut();
            journal.append_snapshot(seq, at, &state).unwrap();
        }
    }
    let Ok((_, mut inputs, _)) = desk.driver.finish();
    let (journal, dir) = inputs.journal.as_mut().unwrap();
    journal.get_mut().flush().unwrap();
    let reader = Reader::new(Arc::new(Disk), dir.path());
    println!(
        "M inputs in a second of processor time, {RUNS} runs of {SECONDS} s of the default desk"
    );
    for _ in 0..RUNS {
        let began = cpu();
        let count = reader
            .inputs()
            .unwrap()
            .filter(|found| found.is_ok())
            .count();
        let read = count as f64 / (cpu() - began) / 1e6;
        let (began, began_cpu) = (Instant::now(), cpu());
        let verdict = verify(&reader, &mut |_| {}).unwrap();
        let (took, took_cpu) = (began.elapsed().as_secs_f64(), cpu() - began_cpu);
        assert_eq!(verdict.difference, None, "{:?}", verdict.totals);
        let totals = verdict.totals;
        println!(
            "replayed and compared {:>5.2} ({:>5.2} by the clock)  only read {read:>5.2}  ({} inputs, {} intents and events, {} snapshots)",
            totals.inputs as f64 / took_cpu / 1e6,
            totals.inputs as f64 / took / 1e6,
            totals.inputs,
            totals.outcomes,
            totals.checkpoints
        );
    }
}

/// Processor time of this thread in seconds: other processes on the machine do not count.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos: f64 = stat.split_whitespace().next().unwrap().parse().unwrap();
    nanos / 1e9
}
