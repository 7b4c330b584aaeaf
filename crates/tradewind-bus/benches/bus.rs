//! The bus beside tokio's channels, in the same run: `cargo bench -p tradewind-bus`.
//!
//! Not a statistical benchmark: ratios of medians, to see a change of kind. Each subscriber is a task that counts what it
//! gets; the publisher is a thread of its own that publishes in bursts and lets them be taken, since a desk does too.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tradewind_bus::{Bus, Class, EmptyLog, SubscriptionOptions, TypeSet};
use tradewind_events::{Event, EventKind};
use tradewind_model::{EventId, Timestamp};

const EVENTS: u64 = 200_000;
const BURST: u64 = 512;
const RUNS: usize = 3;

fn main() {
    println!(
        "published/s (bursts of {BURST}, median of {RUNS}); ratio to tokio broadcast and mpsc"
    );
    for subscribers in [1, 8, 48] {
        let ours = median(|| bus(subscribers, 1));
        let steps = median(|| bus(subscribers, 16));
        let broadcast = median(|| tokio_broadcast(subscribers));
        let mpsc = median(|| tokio_mpsc(subscribers));
        println!(
            "{subscribers:>3} subscribers: bus {:>6.2} M, 16 at once {:>6.2} M  broadcast {:>6.2} M ({:.1} x)  mpsc {:>6.2} M ({:.1} x)",
            ours / 1e6,
            steps / 1e6,
            broadcast / 1e6,
            ours / broadcast,
            mpsc / 1e6,
            ours / mpsc,
        );
    }
    stalled();
}

fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut rates: Vec<f64> = (0..RUNS).map(|_| run()).collect();
    rates.sort_by(f64::total_cmp);
    rates[RUNS / 2]
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built")
}

fn event(seq: u64) -> Arc<Event> {
    Arc::new(Event {
        id: EventId { seq, index: 0 },
        at: Timestamp::EPOCH,
        cause: None,
        kind: EventKind::DeskStopping,
    })
}

/// What each subscriber has received; a counter each, so that counting costs nobody anything.
#[derive(Clone, Default)]
struct Arrived(Arc<Vec<Counter>>);

/// A counter with a cache line to itself.
#[derive(Default)]
#[repr(align(128))]
struct Counter(AtomicU64);

impl Arrived {
    fn at(subscribers: usize) -> Self {
        Self(Arc::new(
            (0..subscribers).map(|_| Counter::default()).collect(),
        ))
    }

    fn one_more(&self, subscriber: usize) {
        let counter = &self.0[subscriber].0;
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    fn everywhere(&self, events: u64) -> bool {
        let mut counters = self.0.iter();
        counters.all(|counter| counter.0.load(Ordering::Relaxed) >= events)
    }
}

/// Publishes all events in bursts and waits after each until all have arrived; events per second.
fn drive(arrived: &Arrived, mut publish: impl FnMut(Vec<Arc<Event>>)) -> f64 {
    let started = Instant::now();
    for burst in 0..EVENTS / BURST {
        publish(
            (0..BURST)
                .map(|number| event(burst * BURST + number + 1))
                .collect(),
        );
        while !arrived.everywhere((burst + 1) * BURST) {
            std::thread::yield_now();
        }
    }
    (EVENTS / BURST * BURST) as f64 / started.elapsed().as_secs_f64()
}

fn bus(subscribers: usize, step: usize) -> f64 {
    let runtime = runtime();
    let bus = Bus::new(Arc::new(EmptyLog));
    let arrived = Arrived::at(subscribers);
    let mut tasks = JoinSet::new();
    for number in 0..subscribers {
        let options = SubscriptionOptions::new(format!("{number}"), Class::Drop, TypeSet::all());
        let mut subscription = bus.subscribe(options);
        let arrived = arrived.clone();
        let task = async move {
            while subscription.recv().await.is_some() {
                arrived.one_more(number);
            }
        };
        tasks.spawn_on(task, runtime.handle());
    }
    let rate = drive(&arrived, |events| {
        for step in events.chunks(step) {
            bus.publish_all(step);
        }
    });
    bus.close();
    runtime.block_on(tasks.join_all());
    rate
}

fn tokio_broadcast(subscribers: usize) -> f64 {
    let runtime = runtime();
    let (sender, _) = broadcast::channel::<Arc<Event>>(1_024);
    let arrived = Arrived::at(subscribers);
    let mut tasks = JoinSet::new();
    for number in 0..subscribers {
        let mut receiver = sender.subscribe();
        let arrived = arrived.clone();
        let task = async move {
            while receiver.recv().await.is_ok() {
                arrived.one_more(number);
            }
        };
        tasks.spawn_on(task, runtime.handle());
    }
    let rate = drive(&arrived, |events| {
        for event in events {
            sender.send(event).expect("the receivers are there");
        }
    });
    drop(sender);
    runtime.block_on(tasks.join_all());
    rate
}

fn tokio_mpsc(subscribers: usize) -> f64 {
    let runtime = runtime();
    let arrived = Arrived::at(subscribers);
    let mut tasks = JoinSet::new();
    let mut senders = Vec::new();
    for number in 0..subscribers {
        let (sender, mut receiver) = mpsc::channel::<Arc<Event>>(1_024);
        senders.push(sender);
        let arrived = arrived.clone();
        let task = async move {
            while receiver.recv().await.is_some() {
                arrived.one_more(number);
            }
        };
        tasks.spawn_on(task, runtime.handle());
    }
    let rate = drive(&arrived, |events| {
        for event in events {
            for sender in &senders {
                sender.try_send(Arc::clone(&event)).expect("there is room");
            }
        }
    });
    drop(senders);
    runtime.block_on(tasks.join_all());
    rate
}

/// How long one publish takes with 48 subscribers of which ten never read.
fn stalled() {
    let runtime = runtime();
    let bus = Bus::new(Arc::new(EmptyLog));
    let subscribe = |class| bus.subscribe(SubscriptionOptions::new("bench", class, TypeSet::all()));
    let classes = [Class::Lossless, Class::Drop, Class::Latest];
    let stalled: Vec<_> = (0..10)
        .map(|number| subscribe(classes[number % 3]))
        .collect();
    let mut tasks = JoinSet::new();
    for _ in 0..38 {
        let mut subscription = subscribe(Class::Drop);
        let task = async move { while subscription.recv().await.is_some() {} };
        tasks.spawn_on(task, runtime.handle());
    }
    let mut nanos: Vec<u128> = (1..=20_000)
        .map(|seq| {
            let event = event(seq);
            let started = Instant::now();
            bus.publish(&event);
            let taken = started.elapsed().as_nanos();
            // 10,000 events a second.
            while started.elapsed() < Duration::from_micros(100) {
                std::hint::spin_loop();
            }
            taken
        })
        .collect();
    nanos.sort_unstable();
    let at = |share: usize| nanos[nanos.len() * share / 1_000];
    println!(
        "publish with 48 subscribers, ten stalled, 10,000/s: p50 {} ns, p99 {} ns, p99.9 {} ns",
        at(500),
        at(990),
        at(999)
    );
    drop(stalled);
    bus.close();
    runtime.block_on(tasks.join_all());
}
