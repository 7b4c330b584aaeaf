//! Options of a subscription.

use tradewind_model::EventId;

use crate::filter::TypeSet;

/// What happens when events come faster than they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing is lost: what does not fit is read from the log later. Takes no types that are delivered as `Latest`,
    /// which are not in the log.
    Lossless,
    /// The newest are lost, counted, and the gap is announced.
    Drop,
    /// Of each key only the latest is kept: price updates by instrument, candles by instrument and interval, and so on.
    Latest,
}

/// A subscription, to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionOptions {
    pub(crate) name: String,
    pub(crate) types: TypeSet,
    pub(crate) class: Class,
    pub(crate) capacity: usize,
    pub(crate) after: Option<EventId>,
}

impl SubscriptionOptions {
    /// Default capacity of a queue, in events.
    pub const CAPACITY: usize = 1_000;

    /// A subscription called `name`, in statistics and in `queue_overflow`.
    #[must_use]
    pub fn new(name: impl Into<String>, class: Class, types: TypeSet) -> Self {
        let types = match class {
            Class::Lossless => {
                types.without(TypeSet::delivered(tradewind_events::Delivery::Latest))
            }
            Class::Drop | Class::Latest => types,
        };
        Self {
            name: name.into(),
            types,
            class,
            capacity: Self::CAPACITY,
            after: None,
        }
    }

    /// Capacity in events, at least one. `Latest` ignores it and holds one event per key.
    #[must_use]
    pub fn capacity(mut self, events: usize) -> Self {
        self.capacity = events.max(1);
        self
    }

    /// Begins with the first event after this one instead of the next that is published; `Lossless` only.
    #[must_use]
    pub const fn after(mut self, event: EventId) -> Self {
        self.after = Some(event);
        self
    }
}
