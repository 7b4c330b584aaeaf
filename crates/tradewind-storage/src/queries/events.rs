//! Events and their chains of causes.

use rusqlite::{Connection, OptionalExtension as _};
use tradewind_events::Event;
use tradewind_model::{ClientOrderId, EventId};

use super::orders::{OrderRow, find};
use super::{Page, PageToken, clamp};
use crate::error::StorageError;
use crate::readers::Readers;

/// Causes followed at most; a chain of the desk has five or six.
const CHAIN_MAX: usize = 64;

/// An order, what became of it, and why it was placed.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderHistory {
    /// The order.
    pub order: OrderRow,
    /// Its events, oldest first.
    pub events: Vec<Event>,
    /// What led to the first of them, nearest cause first: it ends at a quote, a candle, a command or a timer's event.
    pub causes: Vec<Event>,
}

impl Readers {
    /// One event.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn event(&self, id: EventId) -> Result<Option<Event>, StorageError> {
        self.with(|connection| event(connection, id))
    }

    /// An event and what led to it, nearest cause first; empty if the event is not there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn chain(&self, id: EventId) -> Result<Vec<Event>, StorageError> {
        self.with(|connection| chain(connection, Some(id)))
    }

    /// An order with its whole history.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn order_history(
        &self,
        client_id: ClientOrderId,
    ) -> Result<Option<OrderHistory>, StorageError> {
        self.with(|connection| {
            let Some(order) = find(connection, client_id)? else {
                return Ok(None);
            };
            let sql = "SELECT body FROM events WHERE client_id = ? ORDER BY seq, idx";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([client_id.to_string()])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                events.push(parse(&row.get::<_, String>(0)?)?);
            }
            let first = events.first().and_then(|event: &Event| event.cause);
            Ok(Some(OrderHistory {
                order,
                causes: chain(connection, first)?,
                events,
            }))
        })
    }

    /// Events, the latest first; of one bot if it is named.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn events(
        &self,
        bot: Option<&str>,
        limit: u32,
        before: Option<PageToken>,
    ) -> Result<Page<Event>, StorageError> {
        let limit = clamp(limit);
        let PageToken(seq, idx) = before.unwrap_or(PageToken::NEWEST);
        let filter = if bot.is_some() {
            "bot = ?4"
        } else {
            "?4 IS NULL"
        };
        let sql = format!(
            "SELECT seq, idx, body FROM events WHERE (seq, idx) < (?1, ?2) AND {filter}
             ORDER BY seq DESC, idx DESC LIMIT ?3"
        );
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query((seq, idx, limit + 1, bot))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let token = PageToken(row.get(0)?, row.get(1)?);
                found.push((token, parse(&row.get::<_, String>(2)?)?));
            }
            Ok(Page::of(found, limit))
        })
    }
}

fn parse(body: &str) -> Result<Event, StorageError> {
    Ok(serde_json::from_str(body)?)
}

fn event(connection: &Connection, id: EventId) -> Result<Option<Event>, StorageError> {
    let body: Option<String> = connection
        .prepare_cached("SELECT body FROM events WHERE seq = ? AND idx = ?")?
        .query_row((id.seq.cast_signed(), id.index), |row| row.get(0))
        .optional()?;
    body.as_deref().map(parse).transpose()
}

fn chain(connection: &Connection, first: Option<EventId>) -> Result<Vec<Event>, StorageError> {
    let mut chain = Vec::new();
    let mut next = first;
    while let Some(id) = next.filter(|_| chain.len() < CHAIN_MAX) {
        let Some(found) = event(connection, id)? else {
            break;
        };
        next = found.cause;
        chain.push(found);
    }
    Ok(chain)
}
