//! Orders.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params};
use serde::Serialize;
use tradewind_model::{ClientOrderId, EventId, Timestamp};

use super::{Page, PageToken, clamp};
use crate::error::StorageError;
use crate::readers::Readers;

/// An order as it is now. Prices and quantities are exact decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderRow {
    /// Our id.
    pub client_id: String,
    /// Name of its account.
    pub account: String,
    /// Printed name of its instrument.
    pub instrument: String,
    /// Name of its bot; none for a person's.
    pub bot: Option<String>,
    /// `buy` or `sell`.
    pub side: String,
    /// `market`, `limit` or `post_only`.
    pub kind: String,
    /// `gtc`, `ioc` or `fok`, for a limit order.
    pub time_in_force: Option<String>,
    /// Its limit.
    pub price: Option<String>,
    /// Its quantity.
    pub quantity: String,
    /// How much is filled.
    pub filled: String,
    /// `entry` or `exit`, where it is known.
    pub purpose: Option<String>,
    /// Where it is, by [`OrderStatus::name`](tradewind_model::OrderStatus::name).
    pub status: String,
    /// Why it ended, if there is a reason.
    pub reason: Option<String>,
    /// The event that announced it.
    pub placed_by: EventId,
    /// When that was.
    pub placed_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersQuery {
    /// Only open ones, or only closed ones.
    pub open: Option<bool>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this bot.
    pub bot: Option<String>,
    /// Only of this instrument.
    pub instrument: Option<String>,
    /// How many at most; from 1 to 1,000.
    pub limit: u32,
    /// Where to begin: a [`Page::next`].
    pub before: Option<PageToken>,
}

const COLUMNS: &str = "client_id, account, instrument, bot, side, kind, time_in_force, price, quantity, filled, \
     purpose, status, reason, placed_seq, placed_idx, placed_at, updated_at";

impl Readers {
    /// Orders, the latest placed first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn orders(&self, query: &OrdersQuery) -> Result<Page<OrderRow>, StorageError> {
        let limit = clamp(query.limit);
        let PageToken(seq, idx) = query.before.unwrap_or(PageToken::NEWEST);
        let sql = format!(
            "SELECT {COLUMNS} FROM orders
             WHERE (placed_seq, placed_idx) < (:seq, :idx)
               AND (:open IS NULL OR is_open = :open) AND (:account IS NULL OR account = :account)
               AND (:bot IS NULL OR bot = :bot) AND (:instrument IS NULL OR instrument = :instrument)
             ORDER BY placed_seq DESC, placed_idx DESC LIMIT :limit"
        );
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let parameters = named_params! {
                ":seq": seq, ":idx": idx, ":open": query.open, ":account": query.account,
                ":bot": query.bot, ":instrument": query.instrument, ":limit": limit + 1,
            };
            let rows = statement.query_map(parameters, |row| {
                Ok((PageToken(row.get(13)?, row.get(14)?), read(row)?))
            })?;
            Ok(Page::of(rows.collect::<Result<_, _>>()?, limit))
        })
    }

    /// One order.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn order(&self, client_id: ClientOrderId) -> Result<Option<OrderRow>, StorageError> {
        self.with(|connection| find(connection, client_id))
    }
}

pub(super) fn find(
    connection: &Connection,
    client_id: ClientOrderId,
) -> Result<Option<OrderRow>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM orders WHERE client_id = ?");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row([client_id.to_string()], read)
        .optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<OrderRow> {
    Ok(OrderRow {
        client_id: row.get(0)?,
        account: row.get(1)?,
        instrument: row.get(2)?,
        bot: row.get(3)?,
        side: row.get(4)?,
        kind: row.get(5)?,
        time_in_force: row.get(6)?,
        price: row.get(7)?,
        quantity: row.get(8)?,
        filled: row.get(9)?,
        purpose: row.get(10)?,
        status: row.get(11)?,
        reason: row.get(12)?,
        placed_by: EventId {
            seq: row.get::<_, i64>(13)?.cast_unsigned(),
            index: row.get(14)?,
        },
        placed_at: Timestamp::from_nanos(row.get(15)?),
        updated_at: Timestamp::from_nanos(row.get(16)?),
    })
}
