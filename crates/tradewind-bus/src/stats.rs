//! What became of the events: for every subscriber and type, `published = delivered + conflated + dropped + queued`.

use tradewind_events::EventType;

use crate::options::Class;

/// What became of one type's events at one subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Published while it was subscribed, or before that and read from the log on request.
    pub published: u64,
    /// Taken by the subscriber.
    pub delivered: u64,
    /// Replaced by a later one of the same key before they were taken.
    pub conflated: u64,
    /// Lost because the queue was full.
    pub dropped: u64,
}

/// A subscriber, as of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberStats {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Class,
    /// Events in its queue; those it will read from the log are not among them.
    pub depth: usize,
    /// The most there ever were.
    pub high_water: usize,
    /// Whether it is losing events, or reads from the log.
    pub lagging: bool,
    /// What became of its events, by type; types it never saw are left out.
    pub types: Vec<(EventType, Counts)>,
    /// Events that its handler was not allowed to publish: it causes the events that start it.
    pub refused: u64,
}

impl SubscriberStats {
    /// What became of all its events.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for (_, counts) in &self.types {
            total.published += counts.published;
            total.delivered += counts.delivered;
            total.conflated += counts.conflated;
            total.dropped += counts.dropped;
        }
        total
    }
}

/// A subscriber began to lose events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// Its name.
    pub subscriber: String,
    /// How many it lost since it began to.
    pub dropped: u64,
}

/// A subscriber's handler causes the events that start it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Its name.
    pub subscriber: String,
    /// How many of its events were not published, since it was subscribed.
    pub refused: u64,
}

/// [`Counts`] by type.
#[derive(Debug)]
pub(crate) struct TypeCounts([Counts; EventType::ALL.len()]);

impl Default for TypeCounts {
    fn default() -> Self {
        Self([Counts::default(); EventType::ALL.len()])
    }
}

impl TypeCounts {
    pub(crate) fn of(&mut self, event_type: EventType) -> &mut Counts {
        &mut self.0[event_type as usize]
    }

    pub(crate) fn types(&self) -> Vec<(EventType, Counts)> {
        let all = EventType::ALL.iter().copied().zip(self.0);
        all.filter(|(_, counts)| *counts != Counts::default())
            .collect()
    }
}
