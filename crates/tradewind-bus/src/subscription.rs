//! The reading end of a queue: async, polling, or blocking.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tradewind_events::Event;

use crate::bus::Shared;
use crate::log::EventLog;
use crate::queue::{Popped, Queue};

/// Events read from the log at once.
const BATCH: usize = 256;

/// How long to wait before the log is read again for missing events.
const RETRY: Duration = Duration::from_millis(10);

/// What a subscriber receives.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// An event.
    Event(Arc<Event>),
    /// So many events were lost between the one before and the one after.
    Gap {
        /// How many.
        dropped: u64,
    },
}

/// A subscription. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    queue: Arc<Queue>,
    log: Arc<dyn EventLog>,
    bus: Weak<Shared>,
    /// Taken from the queue and not received yet.
    hand: VecDeque<Popped>,
    hops: u8,
}

/// Ends a subscription from elsewhere; what is queued can still be received.
#[derive(Clone, Debug)]
pub struct Stopper {
    queue: Weak<Queue>,
    bus: Weak<Shared>,
}

impl Stopper {
    /// Nothing more is queued; the subscriber receives what is there and then `None`.
    pub fn stop(&self) {
        if let Some(queue) = self.queue.upgrade() {
            end(&queue, &self.bus);
        }
    }
}

fn end(queue: &Arc<Queue>, bus: &Weak<Shared>) {
    queue.close();
    if let Some(bus) = bus.upgrade() {
        bus.remove(queue);
    }
}

impl Subscription {
    pub(crate) fn new(queue: Arc<Queue>, log: Arc<dyn EventLog>, bus: Weak<Shared>) -> Self {
        Self {
            queue,
            log,
            bus,
            hand: VecDeque::new(),
            hops: 0,
        }
    }

    /// The next event or gap; waits for it. `None` once it is stopped and empty.
    ///
    /// May be cancelled at any point without losing anything.
    pub async fn recv(&mut self) -> Option<Received> {
        loop {
            let patience = match self.next() {
                Popped::Event(item) => return Some(self.take(item)),
                Popped::Gap(dropped) => return Some(Received::Gap { dropped }),
                Popped::Closed => return None,
                Popped::Empty => None,
                Popped::ReadLog(after) => {
                    let log = Arc::clone(&self.log);
                    let read =
                        tokio::task::spawn_blocking(move || log.read_after(after, BATCH)).await;
                    let read = read.ok().and_then(Result::ok).unwrap_or_default();
                    if self.queue.extend(read, BATCH) {
                        continue;
                    }
                    Some(RETRY)
                }
            };
            self.queue.changed(patience).await;
        }
    }

    /// As [`recv`](Self::recv), for a thread of its own.
    pub fn recv_blocking(&mut self) -> Option<Received> {
        loop {
            let patience = match self.next() {
                Popped::Event(item) => return Some(self.take(item)),
                Popped::Gap(dropped) => return Some(Received::Gap { dropped }),
                Popped::Closed => return None,
                Popped::Empty => None,
                Popped::ReadLog(after) => {
                    let read = self.log.read_after(after, BATCH).unwrap_or_default();
                    if self.queue.extend(read, BATCH) {
                        continue;
                    }
                    Some(RETRY)
                }
            };
            self.queue.wait(patience);
        }
    }

    /// The next event or gap, if there is one now. A lossless subscriber that is behind reads the log here.
    pub fn try_recv(&mut self) -> Option<Received> {
        loop {
            match self.next() {
                Popped::Event(item) => return Some(self.take(item)),
                Popped::Gap(dropped) => return Some(Received::Gap { dropped }),
                Popped::Empty | Popped::Closed => return None,
                Popped::ReadLog(after) => {
                    let read = self.log.read_after(after, BATCH).unwrap_or_default();
                    if !self.queue.extend(read, BATCH) {
                        return None;
                    }
                }
            }
        }
    }

    /// A handle that ends this subscription.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper {
            queue: Arc::downgrade(&self.queue),
            bus: Weak::clone(&self.bus),
        }
    }

    /// The queue behind it.
    pub(crate) const fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// How many handlers the last event came through.
    pub(crate) const fn hops(&self) -> u8 {
        self.hops
    }

    fn next(&mut self) -> Popped {
        let in_hand = self.hand.pop_front();
        in_hand.unwrap_or_else(|| self.queue.pop(&mut self.hand))
    }

    fn take(&mut self, item: crate::queue::Item) -> Received {
        self.hops = item.hops;
        Received::Event(item.event)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        end(&self.queue, &self.bus);
    }
}
