//! The default desk for hours of its own time, on an exchange that misbehaves in all ways of `docs/faults.md` in turn, in an
//! order that a seed draws. In the end desk and exchange must know the same orders and executions, each once, no difference
//! may be unexplained, and memory may not grow.
//!
//! `make soak HOURS=6 SPEED=20 SEED=n` takes hours of it; every run of the tests some minutes. A person who looks every
//! desk minute clears what only a person may clear.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::amounts::exact;
use crate::desk::{
    CONTROL_TOKEN, Desk, are_at_rest, command, pause, tradewind, unused_address, within,
};
use crate::draws::Draws;
use crate::exchange::{Execution, symbol, told_by_desk, truth};
use crate::http;
use crate::meters::resident;

/// Where the kinds of faults are.
const PAGE: &str = include_str!("../../../../docs/faults.md");
/// Desk time of every test run.
const MINUTES: u64 = 10;
/// How much faster than real time.
const SPEED: u32 = 20;
const SEED: u64 = 1;
/// Desk time that a kind of fault lasts, and then without one.
const FAULT: (Duration, Duration) = (Duration::from_secs(40), Duration::from_secs(120));
const PEACE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(60));
/// Real time between two looks at the desk.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Real time between two lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(60);
/// Real time in which everything must be known once the faults are over.
const HEALED_WITHIN: Duration = Duration::from_secs(150);
/// Growth of the resident memory in an hour of desk time, at most, where the run is long enough to have a slope.
const SLOPE_MAX: f64 = 1024.0 * 1024.0;
const SLOPE_FROM: Duration = Duration::from_hours(2);

/// As in `scripts/run` and the unit for systemd: once a frame of 10 MiB was freed, glibc would take blocks of that size from its heaps
/// from then on, and hardly give them back.
const MALLOC: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "1048576");
/// Growth in one turn of a kind that is told.
const GROWN_MIN: f64 = SLOPE_MAX;

/// Kinds of faults that need a desk to start: what a key may do is read then.
const AT_STARTS: [&str; 1] = ["X07"];

fn setting(name: &str) -> Option<u64> {
    let set = env::var(name).ok().filter(|set| !set.is_empty())?;
    Some(set.parse().unwrap())
}

/// A kind of fault: its row, and its script.
pub(crate) type Kind = (&'static str, String);

/// All kinds of the page, for the account of the desk.
pub(crate) fn kinds() -> Vec<Kind> {
    let sections = PAGE.split("\n### ").skip(1);
    let mut kinds: Vec<Kind> = sections
        .map(|section| {
            let scripts = section.split("```toml\n").skip(1);
            let scripts = scripts.filter_map(|script| Some(script.split_once("```")?.0));
            let script: Vec<&str> = scripts.collect();
            let script = script.join("\n").replace("\"key\"", "\"paper-paper\"");
            (section.split_whitespace().next().unwrap(), script)
        })
        .collect();
    kinds.retain(|(row, script)| !script.is_empty() && !AT_STARTS.contains(row));
    kinds
}

struct Soak {
    folder: TempDir,
    desk: Desk,
    control: String,
    draws: Draws,
    speed: u32,
    span: Duration,
    began: Instant,
    said: Instant,
    /// Desk hours and bytes.
    memory: Vec<(f64, f64)>,
    struck: BTreeMap<&'static str, u64>,
    /// Bytes by which the resident memory grew in the turns of a kind, where it grew by much.
    grown: BTreeMap<&'static str, f64>,
    cleared: BTreeMap<String, u64>,
}

/// I01, I02, I03: hours of faults leave nothing unexplained.
#[test]
fn hours_of_random_faults_leave_nothing_unexplained() {
    let minutes = setting("TRADEWIND_SOAK_MINUTES").unwrap_or(MINUTES);
    let speed = setting("TRADEWIND_SPEED").map_or(SPEED, |speed| u32::try_from(speed).unwrap());
    let seed = setting("TRADEWIND_SEED").unwrap_or(SEED);
    eprintln!("soak: {minutes} minutes of desk time at {speed} x, seed {seed}");
    let mut soak = Soak::begin(Duration::from_secs(minutes * 60), speed, seed);
    soak.suffer();
    soak.sum_up();
    soak.judge();
}

impl Soak {
    fn begin(span: Duration, speed: u32, seed: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let control = unused_address();
        let arguments = ["run", "--speed", &speed.to_string(), "--control", &control];
        let mut command = tradewind(folder.path(), &arguments);
        command.env(MALLOC.0, MALLOC.1);
        let desk = Desk::start_from(folder.path(), command);
        let began = Instant::now();
        Self {
            folder,
            desk,
            control,
            draws: Draws::new(seed),
            speed,
            span,
            began,
            said: began,
            memory: Vec::new(),
            struck: BTreeMap::new(),
            grown: BTreeMap::new(),
            cleared: BTreeMap::new(),
        }
    }

    /// One kind after the other, each with the peace behind it, in a new order each time that all had their turn.
    fn suffer(&mut self) {
        let mut waiting = Vec::new();
        let peace = self.draw(PEACE);
        self.live(peace);
        while self.desk_time() < self.span {
            if waiting.is_empty() {
                waiting = kinds();
            }
            let place = self.draws.below(waiting.len());
            let (row, script) = waiting.swap_remove(place);
            let before = self.memory.last().map_or(0.0, |sample| sample.1);
            self.operate("POST /faults", &script);
            let lasts = self.draw(FAULT);
            self.live(lasts);
            *self.struck.entry(row).or_default() += self.hits();
            self.operate("DELETE /faults", "");
            let peace = self.draw(PEACE);
            self.live(peace);
            let grown = self.memory.last().map_or(0.0, |sample| sample.1) - before;
            if grown > GROWN_MIN {
                *self.grown.entry(row).or_default() += grown;
            }
        }
    }

    fn draw(&mut self, (least, most): (Duration, Duration)) -> Duration {
        self.draws.time(least, most)
    }

    fn desk_time(&self) -> Duration {
        self.began.elapsed() * self.speed
    }

    /// Lets desk time pass, and looks after the desk meanwhile.
    fn live(&mut self, span: Duration) {
        let end = Instant::now() + span / self.speed;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            pause(left.min(LOOK_EVERY));
            self.look();
        }
    }

    fn look(&mut self) {
        let hours = self.desk_time().as_secs_f64() / 3_600.0;
        #[expect(clippy::cast_precision_loss, reason = "a slope needs no exact bytes")]
        let bytes = resident(self.desk.pid()) as f64;
        self.memory.push((hours, bytes));
        let status = self.desk.get("status");
        for cause in status["causes"].as_array().unwrap() {
            if cause["clearing"] == "person" {
                self.clear(cause);
            }
        }
        if self.said.elapsed() < SAY_EVERY {
            return;
        }
        self.said = Instant::now();
        let orders = self.desk.items("orders");
        let unknown = orders.iter().filter(|order| order["status"] == "unknown");
        eprintln!(
            "soak: {hours:.2} desk hours, {} fills, {} orders open, {} of them unknown, {}, {:.1} MiB, {} kinds had their turn",
            status["counters"]["fills"],
            orders.len(),
            unknown.count(),
            status["state"].as_str().unwrap(),
            bytes / 1024.0 / 1024.0,
            self.struck.len(),
        );
    }

    fn clear(&mut self, cause: &Value) {
        let kind = cause["scope"]["kind"].as_str().unwrap();
        let scope = match cause["scope"]["name"].as_str() {
            Some(name) => format!("{kind}:{name}"),
            None => kind.to_owned(),
        };
        let arguments = ["risk", "clear", &scope, "--reason", "looked at"];
        // What is not over yet may be refused; the next look tries again.
        drop(command(self.folder.path(), &arguments));
        let reason = cause["reason"].as_str().unwrap();
        *self.cleared.entry(format!("{kind}: {reason}")).or_default() += 1;
    }

    #[track_caller]
    fn operate(&self, request: &str, body: &str) -> Value {
        let headers = format!("Authorization: Bearer {CONTROL_TOKEN}\r\n");
        let answer = http::ask(&self.control, request, &headers, body).unwrap();
        assert_eq!(answer.status, 200, "{request} {body}: {answer:?}");
        answer.json()
    }

    /// How often the present faults took effect.
    fn hits(&self) -> u64 {
        let state = self.operate("GET /state", "");
        let faults = state["conduct"]["faults"].as_array().unwrap().iter();
        faults.filter_map(|fault| fault["hits"].as_u64()).sum()
    }

    fn sum_up(&self) {
        let idle: Vec<_> = self.struck.iter().filter(|(_, hits)| **hits == 0).collect();
        eprintln!(
            "soak: {} kinds took effect {} times, {} had no occasion: {:?}",
            self.struck.len() - idle.len(),
            self.struck.values().sum::<u64>(),
            idle.len(),
            idle.iter().map(|(row, _)| **row).collect::<Vec<_>>(),
        );
        for (row, bytes) in &self.grown {
            let grown = bytes / 1024.0 / 1024.0;
            eprintln!("soak: the memory grew by {grown:.1} MiB under {row}");
        }
        for (what, count) in &self.cleared {
            eprintln!("soak: a person cleared {count} times: {what}");
        }
    }

    /// Stops the desk's trading, and compares.
    #[track_caller]
    fn judge(mut self) {
        let fills = self.desk.get("status")["counters"]["fills"].clone();
        let killed = command(self.folder.path(), &["kill", "--reason", "to compare"]);
        assert!(killed.status.success(), "{killed:?}");
        within(HEALED_WITHIN, "the end of every open order", || {
            let orders = self.desk.get("orders");
            are_at_rest(orders["items"].as_array()?).then_some(())
        });
        let rest = self.desk.get("orders")["seq"].as_u64().unwrap();
        let begun = Instant::now();
        loop {
            let last = self.desk.get("balances");
            if last["equal"] == true && last["seq"].as_u64() >= Some(rest) {
                break;
            }
            assert!(
                begun.elapsed() < HEALED_WITHIN,
                "not within {HEALED_WITHIN:?}: equal balances, but {last}"
            );
            pause(Duration::from_millis(250));
        }
        // What only a person may clear is what V17 does to the account, and nothing else.
        let explained = "instrument: what a bot held was sold or moved by somebody else";
        let unexplained: Vec<_> = self
            .cleared
            .keys()
            .filter(|what| *what != explained)
            .collect();
        assert!(unexplained.is_empty(), "{unexplained:?}");
        assert!(
            self.cleared.is_empty() || self.struck.contains_key("V17"),
            "nobody else has traded on the account: {:?}",
            self.cleared
        );
        let slope = slope(&self.memory);
        eprintln!(
            "soak: equal at the end, {fills} fills; resident memory {:.1} MiB, {:+.3} MiB in a desk hour",
            self.memory.last().unwrap().1 / 1024.0 / 1024.0,
            slope / 1024.0 / 1024.0,
        );
        within(HEALED_WITHIN, "a database that has everything", || {
            self.desk.is_stored().then_some(())
        });
        let told = closed_orders(&self.desk);
        let open = self.desk.items("orders");
        let fills = self.desk.all("fills");
        self.desk.signal("TERM");
        assert!(self.desk.ended(Duration::from_secs(30)).success());
        Books::of_desk(told.into_iter().chain(open), &fills).agree_with(self.folder.path());
        assert!(
            self.span < SLOPE_FROM || slope < SLOPE_MAX,
            "memory grows by {slope} bytes an hour"
        );
    }
}

/// Orders that have ended, from the desk's history.
fn closed_orders(desk: &Desk) -> Vec<Value> {
    let mut orders = Vec::new();
    let mut next = String::new();
    loop {
        let page = desk.get(&format!("orders?status=closed&limit=1000{next}"));
        orders.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(before) = page["next"].as_str() else {
            return orders;
        };
        next = format!("&before={before}");
    }
}

/// What the desk says about its orders.
struct Books {
    /// Client ids of all of them.
    known: BTreeSet<String>,
    /// Of those that the exchange took, as the desk knows it.
    taken: BTreeSet<String>,
    symbols: BTreeSet<String>,
    executions: BTreeSet<Execution>,
}

impl Books {
    #[track_caller]
    fn of_desk(orders: impl Iterator<Item = Value>, fills: &[Value]) -> Self {
        let mut symbols: BTreeSet<String> = fills.iter().map(symbol).collect();
        let (mut known, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for order in orders {
            symbols.insert(symbol(&order));
            let id = order["client_id"].as_str().unwrap().to_owned();
            if order["venue_order_id"].is_string() || exact(&order["filled"]) > 0 {
                taken.insert(id.clone());
            }
            known.insert(id);
        }
        let executions: BTreeSet<Execution> = fills.iter().map(told_by_desk).collect();
        assert_eq!(executions.len(), fills.len(), "a fill is told twice");
        Self {
            known,
            taken,
            symbols,
            executions,
        }
    }

    /// Every order of the desk at the exchange is known to the desk, and the reverse; so is every execution.
    #[track_caller]
    fn agree_with(&self, folder: &std::path::Path) {
        let (orders, executions) = truth(folder, &self.symbols);
        // "TW" begins the desk's own ids; the others are a person's.
        let is_own = |order: &&Value| order["clientOrderId"].as_str().unwrap().starts_with("5457");
        let own: Vec<&Value> = orders.iter().filter(is_own).collect();
        let ids: BTreeSet<String> = own
            .iter()
            .map(|order| order["clientOrderId"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.len(), own.len(), "an order was placed twice");
        let unknown: Vec<_> = ids.difference(&self.known).collect();
        assert!(unknown.is_empty(), "unknown to the desk: {unknown:?}");
        let invented: Vec<_> = self.taken.difference(&ids).collect();
        assert!(invented.is_empty(), "unknown to the exchange: {invented:?}");
        let numbers: BTreeSet<String> = own
            .iter()
            .map(|order| order["orderId"].to_string())
            .collect();
        let of_own = |execution: &&Execution| numbers.contains(&execution[2]);
        let made: BTreeSet<Execution> = executions.iter().filter(of_own).cloned().collect();
        let told: BTreeSet<Execution> = self.executions.iter().filter(of_own).cloned().collect();
        let missing: Vec<_> = made.difference(&told).collect();
        assert!(missing.is_empty(), "not in the desk's fills: {missing:?}");
        let invented: Vec<_> = self.executions.difference(&executions).collect();
        assert!(
            invented.is_empty(),
            "no executions of the exchange: {invented:?}"
        );
        eprintln!(
            "soak: {} orders and {} executions are the same on both sides, each once",
            ids.len(),
            made.len()
        );
    }
}

/// Bytes an hour, by least squares over the second half of the samples.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let half = &samples[samples.len() / 2..];
    #[expect(clippy::cast_precision_loss, reason = "there are few samples")]
    let count = half.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| half.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let up: f64 = half
        .iter()
        .map(|sample| (sample.0 - x) * (sample.1 - y))
        .sum();
    let down: f64 = half.iter().map(|sample| (sample.0 - x).powi(2)).sum();
    up / down
}

#[test]
fn a_slope_is_that_of_the_second_half() {
    let samples: Vec<(f64, f64)> = (0..100)
        .map(f64::from)
        .map(|hour| {
            (
                hour,
                if hour < 50.0 {
                    1_000.0 * hour
                } else {
                    2.0 * hour
                },
            )
        })
        .collect();
    assert!((slope(&samples) - 2.0).abs() < 1e-9);
}

/// Every row of the page has its script.
#[test]
fn every_kind_of_the_page_has_its_turn() {
    let kinds = kinds();
    assert!(kinds.len() > 40, "{}", kinds.len());
    let rows: BTreeSet<&str> = kinds.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows.len(), kinds.len());
}
