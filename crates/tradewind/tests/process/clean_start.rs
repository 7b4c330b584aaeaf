//! The first five minutes of a new desk: what the README promises, seen from outside.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, pause};
use crate::exchange;
use crate::meters;

/// Everything must have been seen by then.
const PATIENCE: Duration = Duration::from_secs(300);
/// Bots that have signalled by then, a third of all. How many do depends on the hour, as the market's volume does: from 19 in a quiet one to 26 within
/// two minutes were seen.
const SIGNALLED_MIN: u64 = 15;
/// Between two looks, and between two readings of the table of differences.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// What the desk with its exchange may take of memory: 80 MiB, whatever the profile.
const RESIDENT_MAX: u64 = 80 << 20;
/// What it may take of a core without much optimisation. The release build is held to less by `scripts/desk-cost`.
const CORE_SHARE_MAX: f64 = 0.15;
/// How long the desk's cost is measured, at the end of the run.
const MEASURED: Duration = Duration::from_secs(60);

#[test]
fn a_new_desk_keeps_its_promises_within_five_minutes() {
    let folder = TempDir::new().unwrap();
    let mut desk = Desk::start(folder.path());
    let mut cost = Cost::default();

    watch_until(&desk, Duration::from_secs(60), &mut cost);
    let bots = desk.get("status")["bots"].clone();
    assert_eq!(bots["total"], 45, "{bots}");
    assert!(bots["running"].as_u64() >= Some(25), "{bots}");
    assert_eq!(bots["faulted"], 0, "{bots}");

    watch_until(&desk, Duration::from_secs(100), &mut cost);
    let bots = desk.get("status")["bots"].clone();
    assert_eq!(bots["running"], 45, "{bots}");

    let mut missing = missing(&desk);
    while !missing.is_empty() {
        assert!(
            desk.started.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {missing:?}"
        );
        watch_until(&desk, desk.started.elapsed() + LOOK_EVERY, &mut cost);
        missing = self::missing(&desk);
    }
    eprintln!("all seen after {:?}", desk.started.elapsed());
    eprintln!(
        "{} comparisons with the exchange, all equal",
        cost.comparisons.len()
    );
    assert!(cost.comparisons.len() >= 10, "{}", cost.comparisons.len());
    cost.hold_to_limits();

    let fills = desk.all("fills");
    fills.iter().for_each(|fill| leads_to_a_price(&desk, fill));

    desk.signal("INT");
    assert!(desk.ended(Duration::from_secs(10)).success());
    let fills = reread(folder.path());
    let symbols = fills.iter().map(exchange::symbol).collect();
    let told: BTreeSet<_> = fills.iter().map(exchange::told_by_desk).collect();
    assert_eq!(told, exchange::executions(folder.path(), &symbols));
    assert_eq!(told.len(), fills.len(), "a fill was told twice");
}

/// The fills of a desk that was stopped, as its next start tells them: nothing can trade between.
fn reread(folder: &std::path::Path) -> Vec<Value> {
    let killed = crate::desk::command(folder, &["kill", "--reason", "only to be read"]);
    assert!(killed.status.success(), "{killed:?}");
    Desk::start(folder).all("fills")
}

/// What was promised and not seen yet.
fn missing(desk: &Desk) -> Vec<String> {
    let bots = desk.get("bots")["items"].clone();
    let with = |count: &str| -> Vec<&Value> {
        let bots = bots.as_array().into_iter().flatten();
        bots.filter(|bot| bot["counts"][count].as_u64() > Some(0))
            .collect()
    };
    let strategies: BTreeSet<_> = with("fills")
        .iter()
        .map(|bot| bot["strategy"].to_string())
        .collect();
    let counters = desk.get("status")["counters"].clone();
    let seen = [
        ("strategies that filled", strategies.len() as u64, 4),
        (
            "bots that signalled",
            with("signals").len() as u64,
            SIGNALLED_MIN,
        ),
        ("denials", counters["denials"].as_u64().unwrap(), 1),
        (
            "partial fills",
            counters["partial_fills"].as_u64().unwrap(),
            1,
        ),
    ];
    let missing = seen.iter().filter(|(_, count, wanted)| count < wanted);
    missing
        .map(|(what, count, wanted)| format!("{what}: {count} of {wanted}"))
        .collect()
}

/// A fill's chain of causes is complete and ends at a quote or a candle.
#[track_caller]
fn leads_to_a_price(desk: &Desk, fill: &Value) {
    let why = desk.get(&format!("events/{}", fill["event"].as_str().unwrap()));
    let chain = why["chain"].as_array().unwrap();
    assert_eq!(chain[0]["type"], "order_filled", "{why}");
    let end = chain.last().unwrap();
    assert!(
        end["type"] == "price_update" || end["type"] == "candle_closed",
        "{fill} ends at {end}"
    );
    assert_eq!(why["complete"], true, "{why}");
}

/// Looks every two seconds until the desk has run so long: the difference is always zero.
#[track_caller]
fn watch_until(desk: &Desk, age: Duration, cost: &mut Cost) {
    while desk.started.elapsed() < age {
        let table = desk.get("balances");
        if !table["equal"].is_null() {
            assert_eq!(table["equal"], true, "{table:#}");
            for item in table["items"].as_array().unwrap() {
                assert_eq!(item["difference"], "0", "{item}");
            }
            cost.comparisons.insert(table["seq"].as_u64().unwrap());
        }
        cost.sample(desk.pid());
        pause(LOOK_EVERY.min(age.saturating_sub(desk.started.elapsed())));
    }
}

/// What the process cost from look to look.
#[derive(Debug, Default)]
struct Cost {
    samples: Vec<(Instant, u64, Duration)>,
    /// Sequence numbers of the comparisons that were seen.
    comparisons: BTreeSet<u64>,
}

impl Cost {
    fn sample(&mut self, pid: u32) {
        let sample = (
            Instant::now(),
            meters::resident(pid),
            meters::processor(pid),
        );
        self.samples.push(sample);
    }

    #[track_caller]
    fn hold_to_limits(&self) {
        let (end, _, used_at_end) = *self.samples.last().unwrap();
        let begin = self.samples.iter().find(|(at, ..)| end - *at <= MEASURED);
        let (begin, _, used_at_begin) = *begin.unwrap();
        let share = (used_at_end - used_at_begin).as_secs_f64() / (end - begin).as_secs_f64();
        let resident = self
            .samples
            .iter()
            .map(|(_, resident, _)| *resident)
            .max()
            .unwrap();
        eprintln!(
            "at most {} MiB resident, {:.1} % of a core",
            resident >> 20,
            share * 100.0
        );
        assert!(resident < RESIDENT_MAX, "{resident} bytes resident");
        assert!(
            share < CORE_SHARE_MAX,
            "not within {CORE_SHARE_MAX} of a core: {share:.3}"
        );
    }
}
