//! A subscriber of each class stalls for ten minutes of virtual time; nobody notices but itself (L01).

#[cfg(test)]
mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{MemoryLog, breaker, gap, price};
use tokio::time::{Instant, sleep};
use tradewind_bus::{
    Bus, Class, HandlerLoop, Publisher, Received, SubscriptionOptions, TypeSet, run_handler,
};
use tradewind_events::EventType;

const RATE: u32 = 50;
const SECONDS: u64 = 600;
const EVENTS: u64 = RATE as u64 * SECONDS * 2;

/// Publishes ten minutes' worth, a lossless event and a price at a time.
async fn publish(bus: Bus, log: Arc<MemoryLog>) {
    for number in 0..u64::from(RATE) * SECONDS {
        let instrument = (number % 25) as u32;
        // tidy: sleep: the clock is paused, this is what moves it
        sleep(Duration::from_secs(1) / RATE).await;
        let event = breaker(2 * number + 1);
        log.append(&event);
        bus.publish(&event);
        bus.publish(&price(2 * number + 2, instrument));
    }
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_stall_cost_the_publisher_nothing_and_the_lossless_nothing() {
    let log = Arc::new(MemoryLog::default());
    let bus = Bus::new(Arc::clone(&log) as _);
    let subscribe = |class| {
        bus.subscribe(SubscriptionOptions::new(
            format!("{class:?}"),
            class,
            TypeSet::all(),
        ))
    };
    let [mut lossless, mut dropping, mut latest] =
        [Class::Lossless, Class::Drop, Class::Latest].map(subscribe);
    let mut awake = subscribe(Class::Lossless);
    let started = Instant::now();
    let publisher = tokio::task::JoinSet::from_iter([publish(bus.clone(), Arc::clone(&log))]);
    let mut taken_awake = 0;
    while taken_awake < u64::from(RATE) * SECONDS {
        assert!(matches!(awake.recv().await, Some(Received::Event(_))));
        taken_awake += 1;
    }
    publisher.join_all().await;
    let late = started
        .elapsed()
        .saturating_sub(Duration::from_secs(SECONDS));
    // tokio's timers tick in milliseconds: the sleeps themselves add up to a little more.
    assert!(
        late < Duration::from_secs(SECONDS) / 10,
        "the publisher was {late:?} late"
    );

    let depths: Vec<_> = bus.stats().iter().map(|stats| stats.high_water).collect();
    assert_eq!(
        depths[..3],
        [1_000, 1_000, 26],
        "queues are as long as they may be, and no longer"
    );
    assert!(bus.stats()[0].lagging && bus.stats()[1].lagging && !bus.stats()[3].lagging);
    assert_eq!(bus.take_overflows().len(), 1);

    for number in 0..u64::from(RATE) * SECONDS {
        let Some(Received::Event(event)) = lossless.recv().await else {
            panic!("a lossless subscriber sees no gap");
        };
        assert_eq!(event.id.seq, 2 * number + 1);
    }
    let (mut events, mut lost) = (0, 0);
    while let Some(received) = dropping.try_recv() {
        match received {
            Received::Event(event) => {
                events += 1;
                assert!(event.id.seq <= 1_000, "the newest were dropped");
            }
            Received::Gap { dropped } => lost += dropped,
        }
    }
    assert_eq!((events, lost), (1_000, EVENTS - 1_000));
    while latest.try_recv().is_some() {}
    for stats in bus.stats() {
        let total = stats.total();
        assert_eq!(
            total.published,
            total.delivered + total.conflated + total.dropped,
            "{stats:?}"
        );
        assert!(stats.name != "Lossless" || total.dropped == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_or_hangs_is_alone_with_it() {
    let bus = Bus::new(Arc::new(MemoryLog::default()));
    let subscribe =
        |name: &str| bus.subscribe(SubscriptionOptions::new(name, Class::Drop, TypeSet::all()));
    let [panicking, hanging, sound] = ["panicking", "hanging", "sound"].map(subscribe);
    let mut handlers = tokio::task::JoinSet::new();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hang = |_: Received, _: Publisher| std::future::pending::<()>();
    let hanging = handlers.spawn(run_handler(bus.clone(), hanging, hang, |_| {}));
    let panics = |received: Received, _: Publisher| async move {
        assert!(matches!(&received, Received::Event(event) if event.id.seq % 2 == 0));
    };
    handlers.spawn(run_handler(bus.clone(), panicking, panics, |_| {}));
    let order = Arc::clone(&seen);
    let collect = move |received: Received, _: Publisher| {
        order.lock().unwrap().push(received);
        std::future::ready(())
    };
    handlers.spawn(run_handler(bus.clone(), sound, collect, |_| {}));
    (1..=10).for_each(|seq| bus.publish(&breaker(seq)));
    bus.close();
    let mut reports = [handlers.join_next().await, handlers.join_next().await]
        .map(|report| report.unwrap().unwrap());
    reports.sort_by_key(|report| report.panics);
    assert_eq!((reports[0].handled, reports[0].panics), (10, 0));
    assert_eq!((reports[1].handled, reports[1].panics), (10, 5));
    assert_eq!(seen.lock().unwrap().len(), 10);
    hanging.abort();
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_wakes_itself_comes_to_an_end() {
    let bus = Bus::new(Arc::new(MemoryLog::default()));
    let subscription = bus.subscribe(SubscriptionOptions::new(
        "echo",
        Class::Drop,
        TypeSet::all(),
    ));
    let stopper = subscription.stopper();
    let echo = move |received: Received, publisher: Publisher| {
        if let Received::Event(event) = received
            && publisher.publish(&breaker(event.id.seq + 1)).is_err()
        {
            stopper.stop();
        }
        std::future::ready(())
    };
    bus.publish(&breaker(1));
    let report = run_handler(bus.clone(), subscription, echo, |_| {}).await;
    assert_eq!(report.handled, 17);
}

/// L10: what is refused is counted, and is an alarm when it begins and whenever it has doubled.
#[tokio::test(start_paused = true)]
async fn a_handler_that_wakes_itself_is_an_alarm() {
    let bus = Bus::new(Arc::new(MemoryLog::default()));
    let subscribed = SubscriptionOptions::new("echo", Class::Drop, TypeSet::all());
    let subscription = bus.subscribe(subscribed);
    let stopper = subscription.stopper();
    let mut totals = Vec::new();
    let (alarms, counted) = (bus.clone(), &mut totals);
    let echo = move |received: Received, publisher: Publisher| {
        if let Received::Event(event) = received {
            let again = breaker(event.id.seq + 1);
            while counted.len() < 5 && publisher.publish(&again) == Err(HandlerLoop::TooManyHops) {
                let found = alarms.take_loops();
                counted.push(found.first().map(|found| found.refused));
            }
        }
        if counted.len() == 5 {
            stopper.stop();
        }
        std::future::ready(())
    };
    bus.publish(&breaker(1));
    run_handler(bus.clone(), subscription, echo, |_| {}).await;
    assert_eq!(totals, [Some(1), Some(2), None, Some(4), None]);
}

/// L10: a handler that publishes more and more for each event is slowed down long before its chain of events is deep.
#[tokio::test(start_paused = true)]
async fn a_handler_publishes_a_hundred_events_a_second_at_most() {
    let bus = Bus::new(Arc::new(MemoryLog::default()));
    // A type of which it publishes none: only the first event starts it.
    let types = TypeSet::from_iter([EventType::Gap]);
    let subscription = bus.subscribe(SubscriptionOptions::new("flood", Class::Drop, types));
    let stopper = subscription.stopper();
    let seen = bus.clone();
    let flood = move |_: Received, publisher: Publisher| {
        let (stopper, seen) = (stopper.clone(), seen.clone());
        async move {
            let count = || (0..1_000).filter(|n| publisher.publish(&breaker(*n)).is_ok());
            assert_eq!(count().count(), 100);
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            assert_eq!(count().count(), 100);
            assert_eq!(seen.stats()[0].refused, 1_800);
            stopper.stop();
        }
    };
    bus.publish(&gap(1));
    let report = run_handler(bus.clone(), subscription, flood, |_| {}).await;
    assert_eq!((report.handled, report.panics), (1, 0));
}
