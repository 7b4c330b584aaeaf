//! Sets of event types.

use tradewind_events::{Delivery, EventType};

/// A set of event types; a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeSet(u64);

const _: () = assert!(EventType::ALL.len() <= 64, "a set has a bit for each type");

impl TypeSet {
    /// No type.
    pub const NONE: Self = Self(0);

    /// Every type.
    #[must_use]
    pub fn all() -> Self {
        EventType::ALL.iter().copied().collect()
    }

    /// The types that are delivered like this.
    #[must_use]
    pub fn delivered(delivery: Delivery) -> Self {
        let types = EventType::ALL.iter().copied();
        types
            .filter(|event_type| event_type.delivery() == delivery)
            .collect()
    }

    /// The set without the types of another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a type is in it.
    #[must_use]
    pub const fn contains(self, event_type: EventType) -> bool {
        self.0 & bit(event_type) != 0
    }

    /// The set as bits, for an atomic.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }
}

pub(crate) const fn bit(event_type: EventType) -> u64 {
    1 << event_type as u32
}

impl FromIterator<EventType> for TypeSet {
    fn from_iter<I: IntoIterator<Item = EventType>>(types: I) -> Self {
        Self(types.into_iter().fold(0, |bits, each| bits | bit(each)))
    }
}
