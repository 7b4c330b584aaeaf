//! Class `Lossless`: a cursor over the event log, with a queue for a cache.
//!
//! While the reader keeps up, events go through the queue. Once it is full the reader is *behind*: nothing more goes in,
//! the reader empties the queue and reads on from the log, until it has read all that was published meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use tradewind_events::Event;
use tradewind_model::EventId;
use tradewind_model::mutation::{Mutation, is_on};

use super::{Item, Popped};
use crate::filter::TypeSet;
use crate::stats::TypeCounts;

/// A queue that nothing is lost from.
#[derive(Debug)]
pub(super) struct Lossless {
    items: VecDeque<Item>,
    capacity: usize,
    /// The last event that went in; behind it the log is read.
    cursor: EventId,
    /// The reader must get to here before events go into the queue again.
    behind: Option<EventId>,
    /// The first event published to it; earlier ones were requested.
    joined: Option<EventId>,
}

impl Lossless {
    pub(super) fn new(capacity: usize, after: Option<EventId>) -> Self {
        Self {
            items: VecDeque::with_capacity(capacity.min(1_024)),
            capacity,
            cursor: after.unwrap_or_default(),
            behind: after,
            joined: None,
        }
    }

    pub(super) fn push(&mut self, item: Item) {
        let id = item.event.id;
        self.joined.get_or_insert(id);
        if let Some(goal) = &mut self.behind {
            *goal = id;
        } else if self.items.len() >= self.capacity && is_on(Mutation::LosslessDrops) {
        } else if self.items.len() >= self.capacity {
            self.behind = Some(id);
        } else {
            self.cursor = id;
            self.items.push_back(item);
        }
    }

    pub(super) fn pop(&mut self) -> Popped {
        match self.items.pop_front() {
            Some(item) => Popped::Event(item),
            None if self.behind.is_some() => Popped::ReadLog(self.cursor),
            None => Popped::Empty,
        }
    }

    /// Takes in what the log had after the cursor, at most `limit` events of all types.
    pub(super) fn extend(
        &mut self,
        read: Vec<Arc<Event>>,
        limit: usize,
        types: TypeSet,
        tally: &mut TypeCounts,
    ) {
        let at_the_end = read.len() < limit;
        for event in read {
            self.cursor = event.id;
            let event_type = event.kind.event_type();
            if !types.contains(event_type) {
                continue;
            }
            if self.joined.is_none_or(|joined| event.id < joined) {
                tally.of(event_type).published += 1;
            }
            self.items.push_back(Item { event, hops: 0 });
        }
        // Published meanwhile and not read yet: the goal has moved, and the log is read again.
        self.behind
            .take_if(|goal| at_the_end && *goal <= self.cursor);
    }

    pub(super) const fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }
}
