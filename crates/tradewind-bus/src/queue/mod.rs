//! One subscriber's queue: its policy, its counts, and waking its reader.
//!
//! The lock is held for a push or a pop only, so the publisher does not wait for readers.

mod bounded;
mod latest;
mod lossless;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tradewind_events::Event;
use tradewind_model::EventId;

use crate::filter::TypeSet;
use crate::handler::PublishRate;
use crate::options::{Class, SubscriptionOptions};
use crate::stats::{Loop, Overflow, SubscriberStats, TypeCounts};
use bounded::Bounded;
use latest::Latest;
use lossless::Lossless;

/// Events a reader takes at once.
const HANDFUL: usize = 64;

/// A shared event and how many handlers it came through.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) event: Arc<Event>,
    pub(crate) hops: u8,
}

/// What a reader finds.
#[derive(Debug)]
pub(crate) enum Popped {
    Event(Item),
    /// So many were lost here.
    Gap(u64),
    /// Nothing in the queue: read on from the log after this event.
    ReadLog(EventId),
    Empty,
    /// Nothing, and nothing will come.
    Closed,
}

#[derive(Debug)]
enum Policy {
    Lossless(Lossless),
    Drop(Bounded),
    Latest(Latest),
}

#[derive(Debug)]
struct State {
    policy: Policy,
    tally: TypeCounts,
    high_water: usize,
    closed: bool,
    /// A reader waits for `wake`.
    waiting: bool,
    /// Somebody waits for `parked`.
    parked: bool,
    /// What its handler published lately.
    published: PublishRate,
    /// Events of its handler that were not published, and how many of them are announced.
    refused: u64,
    announced: u64,
}

/// A subscriber's queue.
#[derive(Debug)]
pub(crate) struct Queue {
    name: String,
    class: Class,
    pub(crate) types: TypeSet,
    state: Mutex<State>,
    wake: Notify,
    unpark: Condvar,
}

impl Queue {
    pub(crate) fn new(options: SubscriptionOptions) -> Self {
        let policy = match options.class {
            Class::Lossless => Policy::Lossless(Lossless::new(options.capacity, options.after)),
            Class::Drop => Policy::Drop(Bounded::new(options.capacity)),
            Class::Latest => Policy::Latest(Latest::default()),
        };
        Self {
            name: options.name,
            class: options.class,
            types: options.types,
            state: Mutex::new(State {
                policy,
                tally: TypeCounts::default(),
                high_water: 0,
                closed: false,
                waiting: false,
                parked: false,
                published: PublishRate::default(),
                refused: 0,
                announced: 0,
            }),
            wake: Notify::new(),
            unpark: Condvar::new(),
        }
    }

    /// Adds the subscribed events, or applies the class's overflow policy.
    pub(crate) fn push(&self, events: &[Arc<Event>], hops: u8) {
        let wanted = |event: &&Arc<Event>| self.types.contains(event.kind.event_type());
        let mut wanted = events.iter().filter(wanted).peekable();
        if wanted.peek().is_none() {
            return;
        }
        let mut state = self.lock();
        if state.closed {
            return;
        }
        wanted.for_each(|event| state.push(event, hops));
        state.high_water = state.high_water.max(state.depth());
        self.wake_reader(state);
    }

    /// Moves a batch of events to the reader, so that the lock is taken less often; returns
    /// what else there is to do. Of `Latest` one at a time: what is in hand is not conflated any more.
    pub(crate) fn pop(&self, hand: &mut VecDeque<Popped>) -> Popped {
        let handful = match self.class {
            Class::Lossless | Class::Drop => HANDFUL,
            Class::Latest => 1,
        };
        let mut state = self.lock();
        while hand.len() < handful {
            match state.pop() {
                taken @ (Popped::Event(_) | Popped::Gap(_)) => hand.push_back(taken),
                other => return hand.pop_front().unwrap_or(other),
            }
        }
        hand.pop_front().unwrap_or(Popped::Empty)
    }

    /// Takes in what was read from the log; false if that was nothing although there must be more.
    pub(crate) fn extend(&self, read: Vec<Arc<Event>>, limit: usize) -> bool {
        let mut state = self.lock();
        let State { policy, tally, .. } = &mut *state;
        let Policy::Lossless(queue) = policy else {
            return false;
        };
        let nothing = read.is_empty();
        queue.extend(read, limit, self.types, tally);
        !(nothing && queue.is_behind())
    }

    /// Nothing more goes in; what is in can still be taken.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        (state.waiting, state.parked) = (true, true);
        self.wake_reader(state);
    }

    /// Waits until there may be something, or `patience` is over.
    pub(crate) async fn changed(&self, patience: Option<Duration>) {
        let woken = self.wake.notified();
        {
            let mut state = self.lock();
            if state.has_news() && patience.is_none() {
                return;
            }
            state.waiting = true;
        }
        match patience {
            None => woken.await,
            // Whether it was woken or timed out, the caller checks again.
            Some(patience) => drop(tokio::time::timeout(patience, woken).await),
        }
    }

    /// As [`changed`](Self::changed), for a thread.
    pub(crate) fn wait(&self, patience: Option<Duration>) {
        let mut state = self.lock();
        if state.has_news() && patience.is_none() {
            return;
        }
        state.parked = true;
        match patience {
            None => drop(self.unpark.wait(state)),
            Some(patience) => drop(self.unpark.wait_timeout(state, patience)),
        }
    }

    /// Whether it started to lose events since the last call, and how many it lost.
    pub(crate) fn take_overflow(&self) -> Option<Overflow> {
        let Policy::Drop(queue) = &mut self.lock().policy else {
            return None;
        };
        Some(Overflow {
            dropped: queue.take_overflow()?,
            subscriber: self.name.clone(),
        })
    }

    /// Counts an event that its handler publishes. False if those of this second are too many.
    pub(crate) fn count_published(&self, now: Instant) -> bool {
        self.lock().published.count(now)
    }

    /// Counts an event of its handler that is not published.
    pub(crate) fn count_refused(&self) {
        let mut state = self.lock();
        state.refused = state.refused.saturating_add(1);
    }

    /// Whether its handler's refused events are worth an alarm: at the first, and whenever there are twice as many.
    pub(crate) fn take_loop(&self) -> Option<Loop> {
        let mut state = self.lock();
        let refused = state.refused;
        let is_due = refused > 0 && refused >= state.announced.saturating_mul(2);
        state.announced = if is_due { refused } else { state.announced };
        drop(state);
        is_due.then(|| Loop {
            subscriber: self.name.clone(),
            refused,
        })
    }

    pub(crate) fn stats(&self) -> SubscriberStats {
        let state = self.lock();
        SubscriberStats {
            name: self.name.clone(),
            class: self.class,
            depth: state.depth(),
            high_water: state.high_water,
            lagging: match &state.policy {
                Policy::Lossless(queue) => queue.is_behind(),
                Policy::Drop(queue) => queue.is_overflowing(),
                Policy::Latest(_) => false,
            },
            types: state.tally.types(),
            refused: state.refused,
        }
    }

    fn wake_reader(&self, mut state: MutexGuard<'_, State>) {
        let waiting = std::mem::take(&mut state.waiting);
        let parked = std::mem::take(&mut state.parked);
        drop(state);
        if waiting {
            self.wake.notify_one();
        }
        if parked {
            self.unpark.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing between lock and unlock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, event: &Arc<Event>, hops: u8) {
        let counts = self.tally.of(event.kind.event_type());
        counts.published += 1;
        let item = Item {
            event: Arc::clone(event),
            hops,
        };
        match &mut self.policy {
            Policy::Lossless(queue) => queue.push(item),
            Policy::Drop(queue) => counts.dropped += u64::from(!queue.push(item)),
            Policy::Latest(queue) => {
                if let Some(replaced) = queue.push(item) {
                    self.tally.of(replaced.event.kind.event_type()).conflated += 1;
                }
            }
        }
    }

    fn pop(&mut self) -> Popped {
        let popped = match &mut self.policy {
            Policy::Lossless(queue) => queue.pop(),
            Policy::Drop(queue) => queue.pop(),
            Policy::Latest(queue) => queue.pop().map_or(Popped::Empty, Popped::Event),
        };
        match popped {
            Popped::Event(item) => {
                self.tally.of(item.event.kind.event_type()).delivered += 1;
                Popped::Event(item)
            }
            Popped::Empty if self.closed => Popped::Closed,
            other => other,
        }
    }

    fn depth(&self) -> usize {
        match &self.policy {
            Policy::Lossless(queue) => queue.len(),
            Policy::Drop(queue) => queue.len(),
            Policy::Latest(queue) => queue.len(),
        }
    }

    /// Whether a reader that looks now finds something.
    fn has_news(&self) -> bool {
        let more = match &self.policy {
            Policy::Lossless(queue) => queue.is_behind(),
            Policy::Drop(queue) => queue.has_gap(),
            Policy::Latest(_) => false,
        };
        more || self.closed || self.depth() > 0
    }
}
