//! What each class does with more than its subscriber takes.

#[cfg(test)]
mod common;

use std::sync::Arc;

use common::{MemoryLog, breaker, event, gap, price};
use proptest::prelude::*;
use tradewind_bus::{
    Bus, Class, EmptyLog, Received, SubscriberStats, SubscriptionOptions, TypeSet,
};
use tradewind_events::{Event, EventKind, EventType};
use tradewind_model::EventId;

fn options(class: Class) -> SubscriptionOptions {
    SubscriptionOptions::new("test", class, TypeSet::all())
}

fn id(received: &Option<Received>) -> u64 {
    match received {
        Some(Received::Event(event)) => event.id.seq,
        other => panic!("no event but {other:?}"),
    }
}

#[test]
fn events_arrive_in_order_and_only_of_the_wanted_types() {
    let bus = Bus::new(Arc::new(EmptyLog));
    let types = TypeSet::from_iter([EventType::Gap, EventType::DeskStopping]);
    let mut subscription = bus.subscribe(SubscriptionOptions::new("test", Class::Drop, types));
    assert!(bus.is_wanted(EventType::Gap) && !bus.is_wanted(EventType::PriceUpdate));
    bus.publish(&gap(1));
    bus.publish(&price(2, 0));
    bus.publish(&gap(3));
    bus.publish(&event(4, EventKind::DeskStopping));
    for seq in [1, 3, 4] {
        assert_eq!(id(&subscription.try_recv()), seq);
    }
    assert_eq!(subscription.try_recv(), None);
    drop(subscription);
    assert!(bus.stats().is_empty() && !bus.is_wanted(EventType::Gap));
}

#[test]
fn the_newest_are_dropped_and_the_gap_is_reported_before_the_next_event() {
    let bus = Bus::new(Arc::new(EmptyLog));
    let mut subscription = bus.subscribe(options(Class::Drop).capacity(3));
    (1..=5).for_each(|seq| bus.publish(&gap(seq)));
    let overflow = bus.take_overflows();
    assert_eq!((overflow.len(), overflow[0].dropped), (1, 2));
    // A reader takes what there is at once, so there is room again before it has looked at all of it.
    assert_eq!(id(&subscription.try_recv()), 1);
    let more: Vec<_> = (6..=9).map(gap).collect();
    bus.publish_all(&more);
    assert_eq!(id(&subscription.try_recv()), 2);
    assert_eq!(id(&subscription.try_recv()), 3);
    assert_eq!(subscription.try_recv(), Some(Received::Gap { dropped: 2 }));
    assert_eq!(bus.take_overflows().len(), 1, "the next episode");
    (10..=12).for_each(|seq| bus.publish(&gap(seq)));
    assert_eq!(bus.take_overflows(), [], "one report an episode");
    for seq in 6..=8 {
        assert_eq!(id(&subscription.try_recv()), seq);
    }
    // The last gap is reported at once, not only when something follows it.
    assert_eq!(subscription.try_recv(), Some(Received::Gap { dropped: 4 }));
    assert_eq!(subscription.try_recv(), None);
}

#[test]
fn the_latest_of_each_key_is_kept_in_the_order_of_the_keys() {
    let bus = Bus::new(Arc::new(EmptyLog));
    let mut subscription = bus.subscribe(options(Class::Latest));
    for (seq, instrument) in [(1, 7), (2, 3), (3, 7), (4, 7), (5, 3)] {
        bus.publish(&price(seq, instrument));
    }
    assert_eq!(bus.stats()[0].depth, 2);
    assert_eq!(id(&subscription.try_recv()), 4);
    assert_eq!(id(&subscription.try_recv()), 5);
    assert_eq!(subscription.try_recv(), None);
    assert_eq!(bus.stats()[0].total().conflated, 3);
}

#[test]
fn a_lossless_subscriber_reads_on_from_the_log() {
    let log = Arc::new(MemoryLog::default());
    let bus = Bus::new(Arc::clone(&log) as _);
    let mut subscription = bus.subscribe(options(Class::Lossless).capacity(4));
    let publish = |seq| {
        let event = breaker(seq);
        log.append(&event);
        bus.publish(&event);
        bus.publish(&price(seq, 0));
    };
    (1..=2_000).for_each(publish);
    for seq in 1..=1_000 {
        assert_eq!(id(&subscription.try_recv()), seq);
    }
    (2_001..=2_100).for_each(publish);
    for seq in 1_001..=2_100 {
        assert_eq!(id(&subscription.try_recv()), seq);
    }
    assert_eq!(subscription.try_recv(), None);
    let reads = log.reads();
    publish(2_101);
    assert_eq!(id(&subscription.try_recv()), 2_101);
    assert_eq!(log.reads(), reads, "it has caught up: the queue is enough");
    let total = bus.stats()[0].total();
    assert_eq!(
        (total.published, total.delivered, total.dropped),
        (2_101, 2_101, 0)
    );
}

#[test]
fn a_resumed_subscriber_begins_in_the_log_and_goes_over_to_the_queue() {
    let log = Arc::new(MemoryLog::default());
    let bus = Bus::new(Arc::clone(&log) as _);
    (1..=600).for_each(|seq| log.append(&breaker(seq)));
    let after = EventId { seq: 40, index: 0 };
    let mut subscription = bus.subscribe(options(Class::Lossless).after(after));
    for seq in 41..=50 {
        assert_eq!(id(&subscription.try_recv()), seq);
    }
    let event = breaker(601);
    log.append(&event);
    bus.publish(&event);
    for seq in 51..=601 {
        assert_eq!(id(&subscription.try_recv()), seq);
    }
    assert_eq!(subscription.try_recv(), None);
    assert!(!bus.stats()[0].lagging);
    assert_eq!(bus.stats()[0].total().published, 561);
}

#[test]
fn a_log_that_is_behind_is_asked_again() {
    let log = Arc::new(MemoryLog::default());
    let bus = Bus::new(Arc::clone(&log) as _);
    let mut subscription = bus.subscribe(options(Class::Lossless).capacity(1));
    let events: Vec<_> = (1..=3).map(breaker).collect();
    events.iter().for_each(|event| bus.publish(event));
    assert_eq!(id(&subscription.try_recv()), 1);
    assert_eq!(subscription.try_recv(), None);
    events.iter().for_each(|event| log.append(event));
    assert_eq!(id(&subscription.try_recv()), 2);
    assert_eq!(id(&subscription.try_recv()), 3);
}

#[test]
fn what_is_queued_is_received_after_the_end() {
    let bus = Bus::new(Arc::new(EmptyLog));
    let mut subscription = bus.subscribe(options(Class::Drop));
    bus.publish(&gap(1));
    bus.close();
    bus.publish(&gap(2));
    assert_eq!(subscription.recv_blocking().map(|_| ()), Some(()));
    assert_eq!(subscription.recv_blocking(), None);
}

#[test]
fn a_thread_waits_for_what_comes() {
    let bus = Bus::new(Arc::new(EmptyLog));
    let mut subscription = bus.subscribe(options(Class::Drop));
    let reader = std::thread::spawn(move || {
        let mut count = 0;
        while subscription.recv_blocking().is_some() {
            count += 1;
        }
        count
    });
    (1..=500).for_each(|seq| bus.publish(&gap(seq)));
    bus.close();
    assert_eq!(reader.join().unwrap(), 500);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(u8, u32),
    Take(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let publish =
        (0_u8..3, 0_u32..4).prop_map(|(kind, instrument)| Step::Publish(kind, instrument));
    proptest::collection::vec(
        prop_oneof![4 => publish, 1 => (0_usize..12).prop_map(Step::Take)],
        0..400,
    )
}

fn balance(stats: &SubscriberStats) -> Result<(), TestCaseError> {
    let total = stats.total();
    prop_assert_eq!(
        total.published,
        total.delivered + total.conflated + total.dropped,
        "{:?}",
        stats
    );
    for (event_type, counts) in &stats.types {
        let sum = counts.delivered + counts.conflated + counts.dropped;
        prop_assert_eq!(counts.published, sum, "{:?}", event_type);
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_published_is_delivered_conflated_or_dropped(steps in steps(), capacity in 1_usize..20) {
        let log = Arc::new(MemoryLog::default());
        let bus = Bus::new(Arc::clone(&log) as _);
        let classes = [Class::Lossless, Class::Drop, Class::Latest];
        let mut subscriptions = classes.map(|class| bus.subscribe(options(class).capacity(capacity)));
        let mut lossless: Vec<Arc<Event>> = Vec::new();
        let mut reported = [0_u64; 3];
        let mut take = |reported: &mut [u64; 3], most: usize| {
            for (at, subscription) in subscriptions.iter_mut().enumerate() {
                for _ in 0..most {
                    match subscription.try_recv() {
                        Some(Received::Event(event)) if at == 0 => lossless.push(event),
                        Some(Received::Event(_)) => {}
                        Some(Received::Gap { dropped }) => reported[at] += dropped,
                        None => break,
                    }
                }
            }
        };
        let mut published = Vec::new();
        for (seq, step) in (1..).zip(&steps) {
            match *step {
                Step::Publish(kind, instrument) => {
                    let event = match kind {
                        0 => price(seq, instrument),
                        1 => breaker(seq),
                        _ => gap(seq),
                    };
                    if kind > 0 {
                        log.append(&event);
                        published.push(Arc::clone(&event));
                    }
                    bus.publish(&event);
                }
                Step::Take(most) => take(&mut reported, most),
            }
        }
        take(&mut reported, usize::MAX);
        let stats = bus.stats();
        stats.iter().try_for_each(balance)?;
        prop_assert_eq!(lossless, published);
        prop_assert_eq!(stats[0].total().dropped, 0);
        prop_assert_eq!(reported, [0, stats[1].total().dropped, 0]);
        prop_assert!(stats[1].high_water <= capacity);
    }
}
