//! A live desk that is killed again and again, while orders are on their way to an exchange in another process, and while
//! it starts. After each start its books are the exchange's.
//!
//! `make crash N=100 SEED=n` runs this test with N kills.

use std::env;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use crate::books::{Books, every_position_is_covered, nothing_was_sent_twice};
use crate::desk::{Desk, pause, reset, unused_address, within};
use crate::draws::Draws;
use crate::exchange::Exchange;
use crate::in_flight::OrderTimes;
use crate::lines::listen;
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
        trial.ready.push(desk.until_ready());
        let events = listen(desk.stream_after(&trial.times.last()).unwrap());
        trial.compare(&desk);
        if trial.kills.len() % REST_EVERY == REST_EVERY - 1 {
            trial.rest(&desk);
            lift(trial.folder.path(), &desk);
        }
        let (least, most) = LIFE;
        pause(trial.draws.time(least, most));
        trial.kill(&mut desk, false);
        trial.times.read(&events);
        reported = trial.report(reported);
    }
    let mut desk = trial.spawn();
    trial.ready.push(desk.until_ready());
    let events = listen(desk.stream_after(&trial.times.last()).unwrap());
    trial.compare(&desk);
    trial.rest(&desk);
    desk.crash();
    trial.times.read(&events);
    trial.report(reported);
    trial.sum_up();
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
        }
    }

    /// Starts the desk, in the exchange's next minute if this one has too little weight left.
    fn spawn(&self) -> Desk {
        while self.exchange.used_weight() > USED_MAX {
            pause(Duration::from_secs(1));
        }
        let folder = self.folder.path();
        Desk::spawn(folder, live(folder, &self.config))
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

    #[track_caller]
    fn sum_up(&self) {
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
        assert!(
            in_start >= self.kills.len() / 5,
            "only {in_start} of {} kills came during a start",
            self.kills.len()
        );
    }
}

fn median<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
