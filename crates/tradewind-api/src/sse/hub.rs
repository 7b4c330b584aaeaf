//! The hub: the stream's one subscriber, which writes each event out once for all clients.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tradewind_bus::{Class, Received, SubscriptionOptions, TypeSet};
use tradewind_events::{Delivery, Event, EventType};

use super::frame::{Counts, Frame, Types, message};
use super::prices::{Batch, Prices};
use crate::desk::{Desk, StageTimes};
use crate::memory::EventMemory;
use crate::wire::Names;

/// Events kept for clients; a client that is further behind reads from the log.
const RING: usize = 1_024;
/// Events kept for chains of causes.
const REMEMBERED: usize = 8_192;
/// How often prices are handed out.
const PRICE_EVERY: Duration = Duration::from_millis(100);

/// Hands events to clients.
#[derive(Debug)]
pub(crate) struct Hub {
    events: broadcast::Sender<Arc<Frame>>,
    prices: watch::Sender<Arc<Batch>>,
    clients: AtomicUsize,
    clients_max: usize,
    counts: Mutex<Counts>,
    memory: Mutex<EventMemory>,
    /// From taking an event to handing its bytes to a socket.
    times: Mutex<StageTimes>,
}

/// A client's slot; released on drop.
#[derive(Debug)]
pub(crate) struct ClientSlot {
    pub(crate) hub: Arc<Hub>,
    pub(crate) events: broadcast::Receiver<Arc<Frame>>,
    /// Prices, for a client that requested them.
    pub(crate) prices: Option<watch::Receiver<Arc<Batch>>>,
    /// What was published before the client came.
    pub(crate) counts: Counts,
}

impl Drop for ClientSlot {
    fn drop(&mut self) {
        let _ = self.hub.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Hub {
    pub(crate) fn new(clients_max: usize) -> Self {
        Self {
            events: broadcast::Sender::new(RING),
            prices: watch::Sender::new(Arc::default()),
            clients: AtomicUsize::new(0),
            clients_max,
            counts: Mutex::default(),
            memory: Mutex::new(EventMemory::new(REMEMBERED)),
            times: Mutex::new(StageTimes {
                name: "sse".into(),
                ..StageTimes::default()
            }),
        }
    }

    /// A place among the clients; none if all are taken.
    pub(crate) fn seat(self: &Arc<Self>, types: &Types) -> Option<ClientSlot> {
        if self.clients.fetch_add(1, Ordering::Relaxed) >= self.clients_max {
            let _ = self.clients.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        // Under the lock that publishing takes, so that the counts are those at the first event received.
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        Some(ClientSlot {
            hub: Arc::clone(self),
            events: self.events.subscribe(),
            prices: types
                .has(EventType::PriceUpdate)
                .then(|| self.prices.subscribe()),
            counts: *counts,
        })
    }

    /// How many clients there are.
    pub(crate) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// The latest events.
    pub(crate) fn memory(&self) -> MutexGuard<'_, EventMemory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long events took from here to a socket's buffer.
    pub(crate) fn times(&self) -> StageTimes {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.clone()
    }

    pub(crate) fn took(&self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.record(micros);
    }

    /// Hands events on until the desk is gone or the server stops.
    pub(crate) async fn run(&self, desk: Arc<dyn Desk>, shutdown: CancellationToken) {
        let others = TypeSet::all().without(TypeSet::delivered(Delivery::Latest));
        let options = SubscriptionOptions::new("api.events", Class::Lossless, others);
        let mut events = desk.subscribe(options);
        let mut prices = Prices::default();
        let mut flush = tokio::time::interval(PRICE_EVERY);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                received = events.recv() => match received {
                    Some(Received::Event(event)) => self.publish(&event, &names(&*desk)),
                    Some(Received::Gap { dropped }) => self.count_dropped(dropped),
                    None => return,
                },
                _ = flush.tick() => self.hand_out_prices(&mut prices, &*desk).await,
                () = prices.receive() => {}
            }
        }
    }

    /// Publishes changed prices. While no client requested prices there is no subscription, so that the desk
    /// need not even make the events.
    async fn hand_out_prices(&self, prices: &mut Prices, desk: &dyn Desk) {
        if self.prices.receiver_count() == 0 {
            if prices.end() {
                let _ = self.prices.send_replace(Arc::new(prices.batch()));
            }
            return;
        }
        if !prices.is_live() {
            prices.begin(desk).await;
        }
        if prices.flush(&names(desk)) {
            let _ = self.prices.send_replace(Arc::new(prices.batch()));
        }
    }

    fn publish(&self, event: &Arc<Event>, names: &Names) {
        let event_type = event.kind.event_type();
        self.memory().record(Arc::clone(event));
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.add(event_type);
        // Without a client nothing is serialised.
        if self.events.receiver_count() == 0 {
            return;
        }
        let frame = Frame {
            id: event.id,
            event_type,
            counts: *counts,
            taken: Instant::now(),
            text: message(event, names),
        };
        // The last client may have disconnected since.
        drop(self.events.send(Arc::new(frame)));
    }

    /// The desk dropped events before they came here: clients learn of it with the next event.
    fn count_dropped(&self, count: u64) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.add_dropped(count);
    }
}

fn names(desk: &dyn Desk) -> Names {
    Names::new(desk.configuration())
}
