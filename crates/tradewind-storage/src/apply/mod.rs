//! What each event does to the tables.

mod events;
mod fills;
mod operations;
mod orders;

use rusqlite::Transaction;
use tradewind_events::{Event, EventKind};

use crate::error::StorageError;
use crate::names::Names;

pub(crate) use fills::fill;

/// Writes one event's rows. The caller has made sure that it was not applied before.
pub(crate) fn event(
    transaction: &Transaction<'_>,
    names: Names<'_>,
    event: &Event,
) -> Result<(), StorageError> {
    if let EventKind::EquitySnapshot { .. } = event.kind {
        // By far the most frequent, the cause of nothing, and in a table of its own.
        return operations::equity(transaction, names, event);
    }
    events::insert(transaction, names, event)?;
    orders::apply(transaction, names, event)?;
    operations::apply(transaction, names, event)
}
