//! What led to an outcome: events followed back to the input that began it.

use tradewind_events::Event;
use tradewind_journal::{JournalError, Reader, Record, Stamped, StoreKind};
use tradewind_model::{EventId, Timestamp};

/// The longest chain that is followed; real ones have about five links.
const LINKS_MAX: usize = 16;

/// One link of a chain: an event, or the input at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// `input` or `event`.
    pub kind: &'static str,
    /// The event's id; the index is 0 for an input.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// The record as JSON.
    pub text: String,
}

/// The chain from event `cause` back to the input it began with. `seq` is the input at hand.
pub(super) fn chain(
    reader: &Reader,
    seq: u64,
    cause: Option<EventId>,
) -> Result<Vec<Link>, JournalError> {
    let mut chain = Vec::new();
    let (mut first, mut next) = (seq, cause);
    while let Some(id) = next.take().filter(|_| chain.len() < LINKS_MAX) {
        first = first.min(id.seq);
        let Some(event) = event(reader, id)? else {
            break;
        };
        // A cause lies before its effect: anything else would run in a circle.
        next = event.cause.filter(|cause| *cause < id);
        chain.push(Link {
            kind: "event",
            id,
            at: event.at,
            text: json(serde_json::to_string(&event)),
        });
    }
    for store in [StoreKind::Truth, StoreKind::Market] {
        chain.extend(input(reader, store, first)?);
    }
    Ok(chain)
}

/// The event of this id.
pub(super) fn event(reader: &Reader, id: EventId) -> Result<Option<Event>, JournalError> {
    for found in reader.records_after(StoreKind::Truth, id.seq.saturating_sub(1))? {
        match found? {
            Stamped {
                record: Record::Event(event),
                ..
            } if event.id == id => return Ok(Some(event)),
            Stamped {
                seq,
                record: Record::Input(_) | Record::Intent(_) | Record::Event(_),
                ..
            } if seq > id.seq => break,
            _ => {}
        }
    }
    Ok(None)
}

/// Input `seq`, if it lies in that store.
fn input(reader: &Reader, store: StoreKind, seq: u64) -> Result<Option<Link>, JournalError> {
    for found in reader.records_after(store, seq.saturating_sub(1))? {
        let found = found?;
        match &found.record {
            Record::Input(input) if found.seq == seq => {
                return Ok(Some(Link {
                    kind: "input",
                    id: EventId { seq, index: 0 },
                    at: found.at,
                    text: json(serde_json::to_string(input)),
                }));
            }
            Record::Input(_) if found.seq > seq => break,
            _ => {}
        }
    }
    Ok(None)
}

/// A record as JSON, put together as text: some numbers are wider than a JSON value holds.
pub(super) fn json(written: serde_json::Result<String>) -> String {
    written.unwrap_or_else(|error| error.to_string())
}
