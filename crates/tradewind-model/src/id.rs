//! Identities. Inside the desk they are dense numbers; names exist at the edges only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! dense_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// Position in the vector that holds its kind.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

dense_id!(
    /// An asset: index into the [`AssetTable`](crate::AssetTable).
    AssetId
);
dense_id!(
    /// A venue.
    VenueId
);
dense_id!(
    /// An account at a venue.
    AccountId
);
dense_id!(
    /// An instrument: index into the configuration's list.
    InstrumentId
);
dense_id!(
    /// A bot: index into the configuration's list; never reused, a removed bot leaves a gap.
    BotId
);

/// The owner of a ledger balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum OwnerId {
    /// A bot's own.
    Bot(BotId),
    /// The desk's, given to no bot.
    Unallocated,
    /// Remainders too small to be sold.
    Dust,
    /// Set aside to pay fees with.
    Fees,
    /// There before the desk, or paid in by others: never sold, never counted.
    External,
}

/// A client order id: 128 bits printed as 32 lower-case hexadecimal digits, which fits every venue.
///
/// From the top: 16 bits of tag (it is ours), 32 of instance (which data directory), 32 of epoch (which start of it),
/// 48 of sequence. Since every start takes a new epoch, an id is never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientOrderId(pub u128);

impl ClientOrderId {
    /// The tag that marks an order as Tradewind's: "TW" in ASCII.
    pub const TAG: u16 = 0x5457;

    /// Whether the id has our tag.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        (self.0 >> 112) as u16 == Self::TAG
    }

    /// The data directory that made it.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the field is 32 bits wide")]
    pub const fn instance(self) -> u32 {
        (self.0 >> 80) as u32
    }

    /// The start of that desk that made it.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the field is 32 bits wide")]
    pub const fn epoch(self) -> u32 {
        (self.0 >> 48) as u32
    }

    /// Its place among the orders of that start.
    #[must_use]
    pub const fn sequence(self) -> u64 {
        (self.0 & 0xFFFF_FFFF_FFFF) as u64
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no client order id of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not 32 lower-case hexadecimal digits")]
pub struct ClientOrderIdError;

impl FromStr for ClientOrderId {
    type Err = ClientOrderIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = text.len() == 32
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !plain {
            return Err(ClientOrderIdError);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| ClientOrderIdError)
    }
}

/// Makes client order ids for one start of the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientOrderIds {
    instance: u32,
    epoch: u32,
    next: u64,
    /// Instances of the data directories that this one was copied or restored from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    former: Vec<u32>,
}

impl ClientOrderIds {
    /// Ids of `epoch` of `instance`, from sequence 1.
    #[must_use]
    pub const fn new(instance: u32, epoch: u32) -> Self {
        Self {
            instance,
            epoch,
            next: 1,
            former: Vec::new(),
        }
    }

    /// The same ids of a directory that was copied or restored from those of the `former` instances.
    #[must_use]
    pub fn with_former(self, former: Vec<u32>) -> Self {
        Self { former, ..self }
    }

    /// The start whose ids they are.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether this start made the id.
    #[must_use]
    pub const fn made(&self, id: ClientOrderId) -> bool {
        id.is_ours()
            && id.instance() == self.instance
            && id.epoch() == self.epoch
            && id.sequence() < self.next
    }

    /// Whether this data directory made the id, at this start or an earlier one.
    #[must_use]
    pub const fn is_own(&self, id: ClientOrderId) -> bool {
        id.is_ours() && id.instance() == self.instance
    }

    /// Whether this data directory made the id at a later start than this one, or at this one and it is not known: the
    /// directory was restored from a backup, or another desk has the same identity.
    #[must_use]
    pub const fn is_beyond(&self, id: ClientOrderId) -> bool {
        let is_later = id.epoch() > self.epoch;
        let is_unmade = id.epoch() == self.epoch && id.sequence() >= self.next;
        self.is_own(id) && (is_later || is_unmade)
    }

    /// Whether the data directory made the id that this one was copied or restored from. It may be at work still.
    #[must_use]
    pub fn is_former(&self, id: ClientOrderId) -> bool {
        id.is_ours() && self.former.contains(&id.instance())
    }

    /// Whether a desk with another identity made the id, or one that has this identity, too.
    #[must_use]
    pub const fn is_foreign(&self, id: ClientOrderId) -> bool {
        id.is_ours() && (!self.is_own(id) || self.is_beyond(id))
    }

    /// Takes an epoch above `seen`, unless it is above it already. The caller has made it durable.
    pub const fn raise_above(&mut self, seen: u32) {
        if seen >= self.epoch {
            (self.epoch, self.next) = (seen.saturating_add(1), 1);
        }
    }

    /// Notes that an id was used, if this start made it: later ones are greater.
    pub const fn note(&mut self, id: ClientOrderId) {
        let is_own = id.is_ours() && id.instance() == self.instance && id.epoch() == self.epoch;
        if is_own && id.sequence() >= self.next {
            self.next = id.sequence() + 1;
        }
    }

    /// The next id.
    ///
    /// # Panics
    /// After 2^48 orders in one start.
    pub fn next_id(&mut self) -> ClientOrderId {
        assert!(
            self.next < 1 << 48,
            "client order ids of this start are used up"
        );
        let id = u128::from(ClientOrderId::TAG) << 112
            | u128::from(self.instance) << 80
            | u128::from(self.epoch) << 48
            | u128::from(self.next);
        self.next += 1;
        ClientOrderId(id)
    }
}

/// The venue's own id of an order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct VenueOrderId(pub u64);

/// The venue's id of one execution; the two sides of a self-trade share it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct TradeId(pub u64);

/// An event's identity: the input that caused it and its place among that input's events. Printed `seq.index`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct EventId {
    /// Sequence number of the input; 0 before the first.
    pub seq: u64,
    /// Index among the events of that input, from 0.
    pub index: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.seq, self.index)
    }
}

/// A text that is no event id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an event id such as 1234.0")]
pub struct EventIdError;

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, index) = text.split_once('.').ok_or(EventIdError)?;
        Ok(Self {
            seq: seq.parse().map_err(|_| EventIdError)?,
            index: index.parse().map_err(|_| EventIdError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_order_ids_keep_their_fields_and_text() {
        let mut ids = ClientOrderIds::new(0xdead_beef, 7);
        let first = ids.next_id();
        let second = ids.next_id();
        assert_eq!(first.to_string(), "5457deadbeef00000007000000000001");
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(
            (second.instance(), second.epoch(), second.sequence()),
            (0xdead_beef, 7, 2)
        );
        assert!(first.is_ours() && first < second);
        assert!(ids.made(second) && !ClientOrderIds::new(0xdead_beef, 7).made(second));
        assert!(!ClientOrderId(5).is_ours());
        for bad in [
            "",
            "5457",
            "5457DEADBEEF00000007000000000001",
            "+457deadbeef00000007000000000001",
        ] {
            assert!(bad.parse::<ClientOrderId>().is_err(), "{bad}");
        }
    }

    /// S11, P05: what a backup does not know, and what another desk made.
    #[test]
    fn later_ids_of_this_directory_are_beyond_and_those_of_others_foreign() {
        let mut ids = ClientOrderIds::new(7, 3);
        let made = ids.next_id();
        let id = |instance, epoch, sequence: u64| {
            let mut others = ClientOrderIds::new(instance, epoch);
            (0..sequence).map(|_| others.next_id()).last().unwrap()
        };
        let check = |ids: &ClientOrderIds, id, wanted: (bool, bool)| {
            assert_eq!((ids.is_beyond(id), ids.is_foreign(id)), wanted, "{id}");
        };
        check(&ids, made, (false, false));
        check(&ids, id(7, 2, 9), (false, false));
        check(&ids, id(7, 3, 2), (true, true));
        check(&ids, id(7, 4, 1), (true, true));
        check(&ids, id(8, 1, 1), (false, true));
        check(&ids, ClientOrderId(5), (false, false));
        ids.raise_above(4);
        check(&ids, id(7, 4, 1), (false, false));
        let next = ids.next_id();
        assert_eq!((next.epoch(), next.sequence()), (5, 1));
        ids.raise_above(4);
        assert_eq!(ids.next_id().epoch(), 5);
    }

    #[test]
    fn event_ids_order_by_sequence_then_index() {
        let id: EventId = "12.3".parse().unwrap();
        assert_eq!(id, EventId { seq: 12, index: 3 });
        assert!(id < EventId { seq: 13, index: 0 });
        assert!("12".parse::<EventId>().is_err());
    }
}
