//! Class `Drop`: bounded. When full, the newest events are dropped and counted, and the reader gets the count.

use std::collections::VecDeque;

use super::{Item, Popped};

#[derive(Debug)]
enum Slot {
    Event(Item),
    Gap(u64),
}

/// A bounded queue that drops the newest.
#[derive(Debug)]
pub(super) struct Bounded {
    slots: VecDeque<Slot>,
    events: usize,
    capacity: usize,
    /// Lost since the last slot, and not in a slot yet.
    lost: u64,
    episode: Option<Episode>,
}

/// From the first loss until the queue is half empty again: one `queue_overflow`, however often it overflows meanwhile.
#[derive(Debug, Default)]
struct Episode {
    dropped: u64,
    reported: bool,
}

impl Bounded {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            slots: VecDeque::with_capacity(capacity.min(1_024)),
            events: 0,
            capacity,
            lost: 0,
            episode: None,
        }
    }

    /// Adds an event; false if it is lost.
    pub(super) fn push(&mut self, item: Item) -> bool {
        if self.events >= self.capacity {
            self.lost += 1;
            self.episode.get_or_insert_default().dropped += 1;
            return false;
        }
        if self.lost > 0 {
            self.slots.push_back(Slot::Gap(self.lost));
            self.lost = 0;
        }
        self.slots.push_back(Slot::Event(item));
        self.events += 1;
        true
    }

    pub(super) fn pop(&mut self) -> Popped {
        match self.slots.pop_front() {
            Some(Slot::Event(item)) => {
                self.events -= 1;
                if self.events <= self.capacity / 2 {
                    self.episode.take_if(|episode| episode.reported);
                }
                Popped::Event(item)
            }
            Some(Slot::Gap(lost)) => Popped::Gap(lost),
            None if self.lost > 0 => Popped::Gap(std::mem::take(&mut self.lost)),
            None => Popped::Empty,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.events
    }

    pub(super) const fn has_gap(&self) -> bool {
        self.lost > 0
    }

    pub(super) const fn is_overflowing(&self) -> bool {
        self.episode.is_some()
    }

    /// Losses of an episode that is not reported yet.
    pub(super) fn take_overflow(&mut self) -> Option<u64> {
        let episode = self.episode.as_mut().filter(|episode| !episode.reported)?;
        episode.reported = true;
        Some(episode.dropped)
    }
}
