//! The bus itself: who is subscribed, and handing each event to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use tradewind_events::{Event, EventType};

use crate::filter::bit;
use crate::log::EventLog;
use crate::options::SubscriptionOptions;
use crate::queue::Queue;
use crate::stats::{Loop, Overflow, SubscriberStats};
use crate::subscription::Subscription;

/// Publishes events to subscribers. Clones share the subscribers.
///
/// ```
/// use std::sync::Arc;
/// use tradewind_bus::{Bus, Class, EmptyLog, Received, SubscriptionOptions, TypeSet};
/// use tradewind_events::{Event, EventKind};
///
/// let bus = Bus::new(Arc::new(EmptyLog));
/// let everything = SubscriptionOptions::new("example", Class::Drop, TypeSet::all());
/// let mut subscription = bus.subscribe(everything);
/// let event = Arc::new(Event {
///     id: Default::default(),
///     at: Default::default(),
///     cause: None,
///     kind: EventKind::DeskStopping,
/// });
/// bus.publish(&event);
/// assert_eq!(subscription.try_recv(), Some(Received::Event(event)));
/// ```
#[derive(Clone, Debug)]
pub struct Bus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    queues: ArcSwap<Vec<Arc<Queue>>>,
    /// The subscribed types, as a [`TypeSet`](crate::TypeSet)'s bits.
    wanted: AtomicU64,
    log: Arc<dyn EventLog>,
}

impl Bus {
    /// A bus without subscribers whose lossless ones fall back on `log`.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            shared: Arc::new(Shared {
                queues: ArcSwap::default(),
                wanted: AtomicU64::new(0),
                log,
            }),
        }
    }

    /// Publishes an event to all subscribers of its type. Never waits for a subscriber and allocates nothing.
    ///
    /// Events are published in the order of their ids, by one thread, and after they are in the log.
    pub fn publish(&self, event: &Arc<Event>) {
        self.publish_hop(std::slice::from_ref(event), 0);
    }

    /// As [`publish`](Self::publish), for the events of one step at once, which costs less than one after the other.
    pub fn publish_all(&self, events: &[Arc<Event>]) {
        self.publish_hop(events, 0);
    }

    pub(crate) fn publish_hop(&self, events: &[Arc<Event>], hops: u8) {
        for queue in self.shared.queues.load().iter() {
            queue.push(events, hops);
        }
    }

    /// Subscribes.
    #[must_use]
    pub fn subscribe(&self, options: SubscriptionOptions) -> Subscription {
        let queue = Arc::new(Queue::new(options));
        self.shared.queues.rcu(|queues| {
            let mut queues = Vec::clone(queues);
            queues.push(Arc::clone(&queue));
            queues
        });
        self.shared.count_wanted();
        let log = Arc::clone(&self.shared.log);
        Subscription::new(queue, log, Arc::downgrade(&self.shared))
    }

    /// Whether a type has a subscriber; without one the event need not be built.
    #[must_use]
    pub fn is_wanted(&self, event_type: EventType) -> bool {
        self.shared.wanted.load(Ordering::Relaxed) & bit(event_type) != 0
    }

    /// Ends every subscription; what is queued can still be received.
    pub fn close(&self) {
        for queue in self.shared.queues.swap(Arc::default()).iter() {
            queue.close();
        }
        self.shared.count_wanted();
    }

    /// Subscribers that started to lose events since the last call: once per episode, for `queue_overflow`.
    #[must_use]
    pub fn take_overflows(&self) -> Vec<Overflow> {
        let queues = self.shared.queues.load();
        queues
            .iter()
            .filter_map(|queue| queue.take_overflow())
            .collect()
    }

    /// Subscribers whose handlers cause the events that start them, for an alarm (L10): once when it begins, and whenever twice as many
    /// of their events were refused.
    #[must_use]
    pub fn take_loops(&self) -> Vec<Loop> {
        let queues = self.shared.queues.load();
        queues
            .iter()
            .filter_map(|queue| queue.take_loop())
            .collect()
    }

    /// All subscribers, in the order in which they came.
    #[must_use]
    pub fn stats(&self) -> Vec<SubscriberStats> {
        let queues = self.shared.queues.load();
        queues.iter().map(|queue| queue.stats()).collect()
    }
}

impl Shared {
    pub(crate) fn remove(&self, gone: &Arc<Queue>) {
        self.queues.rcu(|queues| {
            let mut queues = Vec::clone(queues);
            queues.retain(|queue| !Arc::ptr_eq(queue, gone));
            queues
        });
        self.count_wanted();
    }

    fn count_wanted(&self) {
        let queues = self.queues.load();
        let wanted = queues
            .iter()
            .fold(0, |bits, queue| bits | queue.types.bits());
        self.wanted.store(wanted, Ordering::Relaxed);
    }
}
