//! Seeds of every test run: the first ones, and those that found bugs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::{iter, thread};

use crate::{Outcome, Settings, run};

/// Seeds that found bugs: a number and the bug's name a line.
const KEPT: &str = include_str!("../../seeds.txt");

/// The outcomes of these seeds, on all processors.
fn outcomes(seeds: &[u64]) -> Vec<Outcome> {
    let next = AtomicU64::new(0);
    let some = || {
        let places = iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let seeds = places.map_while(|place| seeds.get(usize::try_from(place).ok()?));
        let outcomes: Vec<Outcome> = seeds.map(|seed| run(*seed, &Settings::default())).collect();
        outcomes
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(some)).collect();
        let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        ended.flat_map(Result::unwrap).collect()
    })
}

fn assert_passed(outcomes: &[Outcome]) {
    let failed = outcomes.iter().filter_map(|outcome| {
        let failure = outcome.failure.as_ref()?;
        Some(format!("make sim SEED={}: {failure}", outcome.seed))
    });
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Whatever goes wrong, all is in order once it is over.
fn seeds_pass(first: u64) {
    let seeds: Vec<u64> = (first..first + 100).collect();
    let outcomes = outcomes(&seeds);
    assert_passed(&outcomes);
    let any = |of: fn(&Outcome) -> bool| outcomes.iter().any(of);
    let all = [
        any(|outcome| outcome.reached.deaths > 0),
        any(|outcome| outcome.reached.fills > 0),
        any(|outcome| outcome.reached.unknown > 0),
        any(|outcome| outcome.reached.pairs > 0),
        any(|outcome| outcome.reached.rows.len() > 5),
    ];
    assert_eq!(all, [true; 5]);
}

#[test]
fn the_first_hundred_seeds_pass() {
    seeds_pass(1);
}

#[test]
fn the_second_hundred_seeds_pass() {
    seeds_pass(101);
}

#[test]
fn seeds_that_found_bugs_pass() {
    let lines = KEPT.lines().filter(|line| !line.starts_with('#'));
    let numbers = lines.map(|line| line.split_once(' ').unwrap().0.parse().unwrap());
    assert_passed(&outcomes(&numbers.collect::<Vec<u64>>()));
}

#[test]
fn a_seed_is_the_same_twice_and_one_fault_less_is_another_run() {
    let whole = outcomes(&[7, 7]);
    assert_eq!(whole[0].trace_hash, whole[1].trace_hash);
    assert!(whole[0].faults.len() > 3);
    let none = Settings {
        faults: Some(Vec::new()),
        ..Settings::default()
    };
    let calm = run(7, &none);
    assert!(calm.faults.is_empty() && calm.is_passed());
    assert_ne!(calm.trace_hash, whole[0].trace_hash);
}

#[test]
fn a_story_is_told_in_the_order_of_time() {
    let settings = Settings {
        until: Some(std::time::Duration::from_secs(30)),
        trace: true,
        ..Settings::default()
    };
    let story = run(7, &settings).story;
    let has = |who: &str| story.iter().any(|line| line.contains(who));
    assert!(has(" wire ") && has(" event ") && has(" world "));
    let times = story
        .iter()
        .map(|line| line.split_whitespace().next().unwrap());
    let times: Vec<f64> = times.map(|time| time.parse().unwrap()).collect();
    assert!(times.is_sorted());
}
