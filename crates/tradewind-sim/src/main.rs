//! Runs seeds of the simulator: `make sim`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use tradewind_sim::{Outcome, PLAN, Settings, rows, run};

/// Between two lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// Seeds after which a row that was never reached is a failure.
const ALL_ROWS_WITHIN: u64 = 1_000;
/// How far a shorter chaos is searched.
const SHORTEST: Duration = Duration::from_secs(5);

/// The whole desk under faults that seeds draw, in virtual time.
#[derive(Debug, Parser)]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    base: u64,
    /// How many.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// This seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Only these faults of it, by number: 3,7.
    #[arg(long, value_delimiter = ',')]
    faults: Option<Vec<usize>>,
    /// Seconds after which no more faults are added.
    #[arg(long, value_parser = seconds)]
    until: Option<Duration>,
    /// The plan of its time: 1 for seeds that were kept before the second.
    #[arg(long)]
    plan: Option<u32>,
    /// Of each seed one line with the hash of its trace, to compare two builds.
    #[arg(long)]
    hashes: bool,
    /// Tell its story.
    #[arg(long)]
    trace: bool,
    /// Look for fewer faults and a shorter run that fail the same way.
    #[arg(long)]
    shrink: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches('s').parse();
    number
        .map(Duration::from_secs)
        .map_err(|_| "a number of seconds, such as 120s".to_owned())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let passed = match arguments.seed {
        Some(seed) => one(seed, &arguments),
        None => many(&arguments),
    };
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn say(text: &str) {
    // Nobody is left to tell when the output is closed.
    drop(writeln!(stdout().lock(), "{text}"));
}

fn one(seed: u64, arguments: &Arguments) -> bool {
    let settings = Settings {
        faults: arguments.faults.clone(),
        until: arguments.until,
        trace: arguments.trace,
        plan: arguments.plan,
    };
    let outcome = run(seed, &settings);
    for line in &outcome.story {
        say(line);
    }
    for (number, fault) in &outcome.faults {
        say(&format!("fault {number}: {fault}"));
    }
    say(&format!(
        "seed {seed}: trace {:08x}, {:?}",
        outcome.trace_hash, outcome.reached
    ));
    let Some(failure) = &outcome.failure else {
        say("passed");
        return true;
    };
    say(&format!("FAILED {failure}"));
    say(&command(seed, &settings));
    if arguments.shrink {
        let (smaller, tries) = shrink(&outcome, settings);
        say(&format!("after {tries} tries: {}", command(seed, &smaller)));
    }
    false
}

/// What repeats a run.
fn command(seed: u64, settings: &Settings) -> String {
    let mut text = format!("make sim SEED={seed}");
    if let Some(plan) = settings.plan.filter(|plan| *plan != PLAN) {
        text.push_str(&format!(" PLAN={plan}"));
    }
    if let Some(faults) = &settings.faults {
        let numbers: Vec<String> = faults.iter().map(ToString::to_string).collect();
        text.push_str(&format!(" FAULTS={}", numbers.join(",")));
    }
    if let Some(until) = settings.until {
        text.push_str(&format!(" UNTIL={}s", until.as_secs()));
    }
    text
}

/// Fewer faults and a shorter chaos that break the same invariant.
fn shrink(outcome: &Outcome, mut settings: Settings) -> (Settings, u32) {
    settings.trace = false;
    let what = outcome.failure.as_ref().map(|failure| failure.what.clone());
    let mut tries = 0;
    let mut fails = |settings: &Settings| {
        tries += 1;
        run(outcome.seed, settings)
            .failure
            .map(|failure| failure.what)
            == what
    };
    let mut kept: Vec<usize> = outcome.faults.iter().map(|(number, _)| *number).collect();
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < kept.len() {
            let mut fewer = kept.clone();
            fewer.drain(at..(at + size).min(kept.len()));
            let smaller = Settings {
                faults: Some(fewer.clone()),
                ..settings.clone()
            };
            if fails(&smaller) {
                kept = fewer;
            } else {
                at += size;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    settings.faults = Some(kept);
    let mut shortest = Duration::ZERO;
    let mut until = settings.until.unwrap_or(Duration::from_secs(300));
    while until - shortest > SHORTEST {
        let middle = Duration::from_secs((until + shortest).as_secs() / 2);
        let smaller = Settings {
            until: Some(middle),
            ..settings.clone()
        };
        if fails(&smaller) {
            until = middle;
        } else {
            shortest = middle;
        }
    }
    settings.until = Some(until);
    (settings, tries)
}

/// What many runs came to.
#[derive(Debug, Default)]
struct Totals {
    done: u64,
    simulated: Duration,
    deaths: u64,
    fills: usize,
    seconds: Vec<u64>,
    orders: Vec<usize>,
    rows: BTreeMap<&'static str, u64>,
    hash: u32,
    failed: BTreeSet<u64>,
}

impl Totals {
    fn take(&mut self, outcome: &Outcome) {
        let reached = &outcome.reached;
        self.done += 1;
        self.simulated += reached.simulated;
        self.deaths += reached.deaths;
        self.fills += reached.fills;
        self.seconds.push(reached.simulated.as_secs());
        self.orders.push(reached.orders);
        // Seeds end in any order.
        self.hash ^= outcome
            .trace_hash
            .rotate_left(u32::try_from(outcome.seed % 32).unwrap_or_default());
        for (row, times) in &reached.rows {
            *self.rows.entry(row).or_default() += times;
        }
        if let Some(failure) = &outcome.failure {
            self.failed.insert(outcome.seed);
            say(&format!(
                "make sim SEED={} # FAILED {failure}",
                outcome.seed
            ));
        }
    }
}

fn many(arguments: &Arguments) -> bool {
    let (base, seeds) = (arguments.base, arguments.seeds);
    let settings = Settings {
        plan: arguments.plan,
        ..Settings::default()
    };
    let began = Instant::now();
    let (next, end) = (AtomicU64::new(base), base + seeds);
    let (sender, outcomes) = mpsc::channel();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut totals = Totals::default();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, next, settings) = (sender.clone(), &next, &settings);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || sender.send(run(seed, settings)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut said = Instant::now();
        while let Ok(outcome) = outcomes.recv() {
            totals.take(&outcome);
            if arguments.hashes {
                say(&format!("hash {} {:08x}", outcome.seed, outcome.trace_hash));
            }
            if said.elapsed() > SAY_EVERY {
                said = Instant::now();
                say(&format!(
                    "{} of {seeds} seeds in {:?}, {} failed; continue with BASE={}",
                    totals.done,
                    began.elapsed(),
                    totals.failed.len(),
                    base + totals.done.saturating_sub(workers as u64),
                ));
            }
        }
    });
    report(&mut totals, base, began.elapsed(), workers)
}

fn median<T: Copy + Ord + Default>(numbers: &mut [T]) -> T {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

fn report(totals: &mut Totals, base: u64, took: Duration, workers: usize) -> bool {
    let mut passed = totals.failed.is_empty();
    say("row   reached  verdict");
    for row in rows() {
        let times = totals.rows.get(row).copied().unwrap_or_default();
        let is_missing = times == 0 && totals.done >= ALL_ROWS_WITHIN;
        passed &= !is_missing;
        let verdict = match times {
            0 if is_missing => "NEVER REACHED",
            0 => "not reached yet",
            _ => "reached",
        };
        say(&format!("{row:<5} {times:>7}  {verdict}"));
    }
    let rate = totals.simulated.as_secs_f64() / took.as_secs_f64() / workers as f64;
    say(&format!(
        "seeds {base} to {}: {} passed, {} failed; trace {:08x}",
        base + totals.done - 1,
        totals.done - totals.failed.len() as u64,
        totals.failed.len(),
        totals.hash,
    ));
    say(&format!(
        "median seed: {} s simulated, {} orders; {} deaths, {} fills; {took:.1?}, {rate:.0} simulated seconds per second and thread",
        median(&mut totals.seconds),
        median(&mut totals.orders),
        totals.deaths,
        totals.fills,
    ));
    if !totals.failed.is_empty() {
        say(&format!("failed: {:?}", totals.failed));
    }
    passed
}
