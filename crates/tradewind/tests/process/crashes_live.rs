//! A live desk that is killed again and again, while orders are on their way to an exchange in another process, and while
//! it starts. After each start its books are the exchange's.
//!
//! One test kills it at random, the other at every named point of its work while the exchange misbehaves. `make crash N=100 SEED=n`
//! runs the second with N kills.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tempfile::TempDir;

use crate::books::{Books, every_position_is_covered, nothing_was_sent_twice};
use crate::crash_points::{POINTS, Plan, When};
use crate::desk::{Desk, pause, reset, tradewind, unused_address, within};
use crate::draws::Draws;
use crate::exchange::Exchange;
use crate::in_flight::OrderTimes;
use crate::lines::{Arrived, listen};
use crate::live::{come_to_rest, configuration, live};

/// Kills where the environment does not say how many.
const KILLS: usize = 8;
const SEED: u64 = 8;
/// One kill in so many comes before the desk is ready.
const IN_START: u64 = 3;
/// A desk stands still for a comparison of everything after so many kills, and at the end.
const REST_EVERY: usize = 10;
/// How long a desk trades before a kill.
const LIFE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(2_500));
/// Orders in flight at the median of all kills, at least.
const IN_FLIGHT_MIN: usize = 3;
/// How the exchange is reached. Orders take long, so that some are on their way all the time without more requests than the
/// desk's budget has.
const LATENCY: &str = "match=uniform(300ms,1200ms),report=uniform(20ms,100ms)";

/// Of the 6,000 that the exchange grants a minute, what may be used when a desk is started: one that is killed every few seconds, and a
/// test that compares all after each, would use up the rest, and the next start waits for the next minute, as it must.
const USED_MAX: usize = 2_500;

/// A kill that was done.
#[derive(Debug)]
struct Kill {
    at: Timestamp,
    in_start: bool,
}

/// How long the exchange misbehaves before a point is armed, and longest until the desk has reached it.
const UNDER_FAULT: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(3));
const REACHED_WITHIN: Duration = Duration::from_secs(15);

const SIGKILL: i32 = 9;

/// Desk and exchange over all lives.
struct Trial {
    folder: TempDir,
    config: String,
    exchange: Exchange,
    draws: Draws,
    books: Books,
    times: OrderTimes,
    kills: Vec<Kill>,
    ready: Vec<Duration>,
    plan: Option<Plan>,
    /// Whether the last death came after a kill by the operator was written.
    was_latched: bool,
    /// Kills at each point, and lives in which it was not reached.
    reached: BTreeMap<&'static str, (usize, usize)>,
    /// Kills under each fault.
    under: BTreeMap<&'static str, usize>,
}

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    let Ok(text) = env::var(name) else {
        return default;
    };
    let parsed = text.parse();
    parsed.unwrap_or_else(|_| panic!("{name}={text} is no number"))
}

/// I01, I02, I03, I11, I23, P01.
#[test]
fn sigkills_lose_nothing_and_repeat_nothing() {
    let count = setting("TRADEWIND_CRASHES", KILLS);
    let seed = setting("TRADEWIND_SEED", SEED);
    eprintln!("crash: {count} kills, seed {seed}");
    let at_venue = TempDir::new().unwrap();
    let mut trial = Trial::begin(at_venue.path(), seed);
    let mut reported = 0;
    while trial.kills.len() < count {
        let mut desk = trial.spawn();
        if trial.draws.one_in(IN_START) && trial.kill_in_start(&mut desk) {
            continue;
        }
        let events = trial.ready_desk(&mut desk);
        let (least, most) = LIFE;
        pause(trial.draws.time(least, most));
        trial.kill(&mut desk, false);
        trial.times.read(&events);
        reported = trial.report(reported);
    }
    trial.end(reported);
}

/// S01, P01, P08, I01, I02, I03, I11, I23: at every named point, while the exchange misbehaves.
#[test]
fn sigkills_at_named_points_under_faults_lose_nothing_and_repeat_nothing() {
    let count = setting("TRADEWIND_CRASHES", KILLS);
    let seed = setting("TRADEWIND_SEED", SEED);
    eprintln!("crash: {count} kills at named points, seed {seed}");
    let at_venue = TempDir::new().unwrap();
    let mut trial = Trial::begin(at_venue.path(), seed);
    trial.plan = Some(Plan::new());
    let mut reported = 0;
    while trial.kills.len() < count {
        if let Some(events) = trial.live_to_a_point() {
            trial.times.read(&events);
            reported = trial.report(reported);
        }
    }
    trial.end(reported);
}

/// Ends the standstill of a comparison.
#[track_caller]
fn lift(folder: &Path, desk: &Desk) {
    reset(folder, &[]);
    within(Duration::from_secs(10), "a desk that may trade", || {
        (desk.get("status")["state"] == "ACTIVE").then_some(())
    });
}

impl Trial {
    fn begin(at_venue: &Path, seed: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let (address, control) = (unused_address(), unused_address());
        let arguments = [
            "--listen",
            &address,
            "--control",
            &control,
            "--limits",
            "off",
            "--latency",
            LATENCY,
        ];
        let exchange = Exchange::begun(at_venue, &arguments);
        let config = configuration(folder.path(), &exchange.address);
        Self {
            folder,
            config,
            exchange,
            draws: Draws::new(seed),
            books: Books::default(),
            times: OrderTimes::default(),
            kills: Vec::new(),
            ready: Vec::new(),
            plan: None,
            was_latched: false,
            reached: BTreeMap::new(),
            under: BTreeMap::new(),
        }
    }

    /// Starts the desk, in the exchange's next minute if this one has too little weight left.
    fn spawn(&self) -> Desk {
        while self.exchange.used_weight() > USED_MAX {
            pause(Duration::from_secs(1));
        }
        let folder = self.folder.path();
        let command = live(folder, &self.config);
        let command = match &self.plan {
            Some(plan) => plan.beneath(command),
            None => command,
        };
        Desk::spawn(folder, command)
    }

    /// One life up to a named point of it. Its fault ends with it. Returns the events of a life that traded.
    #[track_caller]
    fn live_to_a_point(&mut self) -> Option<Receiver<Arrived>> {
        let mut plan = self.plan.take().unwrap();
        let (point, fault) = plan.next(&mut self.draws);
        let in_start = point.when == When::Start;
        let row = fault.as_ref().map_or("none", |(row, _)| *row);
        let strike = |trial: &Self| {
            if let Some((_, script)) = &fault {
                trial.exchange.operate("POST /faults", script);
            }
        };
        if in_start {
            strike(self);
            plan.arm(point, &mut self.draws);
        }
        self.plan = Some(plan);
        let mut desk = self.spawn();
        let events = (!in_start).then(|| self.ready_desk(&mut desk));
        if in_start {
            desk.until_ready_or_dead();
        } else {
            strike(self);
            pause(self.draws.time(UNDER_FAULT.0, UNDER_FAULT.1));
            let plan = self.plan.as_ref().unwrap();
            plan.arm(point, &mut self.draws);
        }
        if point.when == When::Killing {
            // Its answer does not come.
            let kill = ["kill", "--reason", "in the midst of it"];
            drop(tradewind(self.folder.path(), &kill).output());
        }
        let since = Instant::now();
        while !desk.is_dead() && since.elapsed() < REACHED_WITHIN {
            pause(Duration::from_millis(10));
        }
        let end = desk.end();
        let was_reached = end.is_some();
        // Whoever ends by itself, be it by a panic or with an error, was not killed at its point.
        if let Some(end) = end.filter(|end| end.signal() != Some(SIGKILL)) {
            panic!("{end} instead of a kill at {}: {}", point.name, desk.said());
        }
        let count = self.reached.entry(point.name).or_default();
        *if was_reached {
            &mut count.0
        } else {
            &mut count.1
        } += 1;
        *self.under.entry(row).or_default() += 1;
        self.kill(&mut desk, in_start);
        self.plan.as_ref().unwrap().disarm();
        self.exchange.operate("DELETE /faults", "");
        self.was_latched = was_reached && point.name.starts_with("latch_");
        let place = if was_reached { "at" } else { "did not reach" };
        eprintln!(
            "crash: life {} {place} {}, fault {row}",
            self.kills.len(),
            point.name
        );
        events
    }

    /// Waits for a desk, and compares. One that is still killed is brought to rest, compared to the last digit, and trades again.
    #[track_caller]
    fn ready_desk(&mut self, desk: &mut Desk) -> Receiver<Arrived> {
        self.ready.push(desk.until_ready());
        let events = listen(desk.stream_after(&self.times.last()).unwrap());
        self.compare(desk);
        let is_killed = desk.get("status")["state"] == "KILLED";
        assert!(is_killed || !self.was_latched, "a written kill is gone");
        self.was_latched = false;
        if is_killed || self.kills.len() % REST_EVERY == REST_EVERY - 1 {
            self.rest(desk);
            lift(self.folder.path(), desk);
        }
        events
    }

    /// Kills a desk within the time that starts took so far. False if it was ready by then, so that it goes on.
    fn kill_in_start(&mut self, desk: &mut Desk) -> bool {
        let most = median(&self.ready).unwrap_or(Duration::from_secs(1));
        pause(self.draws.time(Duration::ZERO, most));
        let starts = !desk.is_ready();
        if starts {
            self.kill(desk, true);
        }
        starts
    }

    fn kill(&mut self, desk: &mut Desk, in_start: bool) {
        let at = Timestamp::now();
        desk.crash();
        self.kills.push(Kill { at, in_start });
    }

    /// Everything that must hold while the desk trades on.
    #[track_caller]
    fn compare(&mut self, desk: &Desk) {
        self.books.agree(desk, &self.exchange);
        every_position_is_covered(desk, &self.exchange);
        nothing_was_sent_twice(&self.exchange);
    }

    /// Sets the kill switch, waits until nothing moves, and compares to the last digit.
    #[track_caller]
    fn rest(&mut self, desk: &Desk) {
        come_to_rest(self.folder.path(), desk);
        self.books.are_equal(desk, &self.exchange);
    }

    /// Prints a line for each kill since the last report. Returns how many were reported.
    fn report(&self, reported: usize) -> usize {
        for (number, kill) in self.kills.iter().enumerate().skip(reported) {
            let place = if kill.in_start {
                "in its start"
            } else {
                "trading"
            };
            eprintln!(
                "crash: kill {} {place}, {} orders in flight; {} orders, {} executions so far",
                number + 1,
                self.times.in_flight(kill.at),
                self.times.len(),
                self.books.executions(),
            );
        }
        self.kills.len()
    }

    /// A last life without a kill, everything compared at rest.
    #[track_caller]
    fn end(&mut self, reported: usize) {
        let mut desk = self.spawn();
        let events = self.ready_desk(&mut desk);
        self.rest(&desk);
        desk.crash();
        self.times.read(&events);
        self.report(reported);
        self.sum_up();
    }

    #[track_caller]
    fn sum_up(&self) {
        for (name, (reached, missed)) in &self.reached {
            eprintln!("crash: point {name} killed {reached} missed {missed}");
        }
        for (row, kills) in &self.under {
            eprintln!("crash: fault {row} kills {kills}");
        }
        let in_flight: Vec<usize> = self
            .kills
            .iter()
            .map(|kill| self.times.in_flight(kill.at))
            .collect();
        let in_start = self.kills.iter().filter(|kill| kill.in_start).count();
        let flying = median(&in_flight).unwrap();
        eprintln!(
            "crash: {} kills, {in_start} of them in a start; {flying} orders in flight at the median; {} orders sent, \
             {} executions, none twice and none lost; ready after {:?} at the median, {:?} at most",
            self.kills.len(),
            nothing_was_sent_twice(&self.exchange),
            self.books.executions(),
            median(&self.ready).unwrap(),
            self.ready.iter().max().unwrap(),
        );
        assert!(flying >= IN_FLIGHT_MIN, "too few in flight: {in_flight:?}");
        let missed: usize = self.reached.values().map(|(_, missed)| missed).sum();
        assert!(missed <= self.kills.len() / 4, "{:?}", self.reached);
        let of_points = self.kills.len() >= POINTS.len() && self.plan.is_some();
        assert!(
            !of_points || points_hit(&self.reached) == POINTS.len(),
            "{:?}",
            self.reached
        );
        let ready_max = setting("TRADEWIND_READY_MS", u64::MAX);
        let slowest = self.ready.iter().max().unwrap();
        assert!(
            *slowest <= Duration::from_millis(ready_max),
            "a start took {slowest:?}"
        );
        assert!(
            self.plan.is_some() || in_start >= self.kills.len() / 5,
            "only {in_start} of {} kills came during a start",
            self.kills.len()
        );
    }
}

/// Points at which a desk was killed at least once, of kills and misses at each.
fn points_hit(reached: &BTreeMap<&'static str, (usize, usize)>) -> usize {
    let hit = reached.values().filter(|(killed, _)| *killed > 0);
    hit.count()
}

#[test]
fn a_point_that_was_only_missed_is_not_hit() {
    let reached = BTreeMap::from([("one", (2, 1)), ("other", (0, 3))]);
    assert_eq!(points_hit(&reached), 1);
}

fn median<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
