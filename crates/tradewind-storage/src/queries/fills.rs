//! Fills and what they moved.

use rusqlite::{Row, named_params};
use serde::Serialize;
use tradewind_model::{EventId, Timestamp};

use super::{Page, PageToken, clamp};
use crate::error::StorageError;
use crate::readers::Readers;

/// A fill. Prices, quantities and money are exact decimal text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FillRow {
    /// Name of its account.
    pub account: String,
    /// Printed name of its instrument.
    pub instrument: String,
    /// The venue's id of the execution.
    pub trade_id: u64,
    /// The venue's id of the order.
    pub venue_order_id: u64,
    /// Our id of the order; one without our tag is of another program.
    pub client_id: String,
    /// Name of the bot it is for.
    pub bot: Option<String>,
    /// `buy` or `sell`.
    pub side: String,
    /// Price.
    pub price: String,
    /// Quantity, positive.
    pub quantity: String,
    /// Price times quantity, in the quote asset.
    pub notional: Option<String>,
    /// Fee paid, positive.
    pub fee: String,
    /// What it was paid in.
    pub fee_asset: String,
    /// `maker` or `taker`.
    pub liquidity: String,
    /// The venue's stamp.
    pub event_time: Timestamp,
    /// Its event; `None` for a fill found at a reconciliation.
    pub event: Option<EventId>,
}

/// An entry of the projected ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// `trade` or `fee`.
    pub kind: String,
    /// In which asset.
    pub asset: String,
    /// Name of the account.
    pub account: String,
    /// A bot's name, or `unallocated`.
    pub owner: String,
    /// Signed amount, exact decimal text.
    pub amount: String,
    /// When.
    pub at: Timestamp,
}

/// Which fills.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FillsQuery {
    /// Only of this account.
    pub account: Option<String>,
    /// Only of this bot.
    pub bot: Option<String>,
    /// Only of this instrument.
    pub instrument: Option<String>,
    /// Only of this order.
    pub client_id: Option<String>,
    /// How many at most; from 1 to 1,000.
    pub limit: u32,
    /// Where to begin: a [`Page::next`].
    pub before: Option<PageToken>,
}

const FILTER: &str = "(:account IS NULL OR account = :account) AND (:bot IS NULL OR bot = :bot)
    AND (:instrument IS NULL OR instrument = :instrument) AND (:client_id IS NULL OR client_id = :client_id)";

impl Readers {
    /// Fills, the latest by the venue's stamp first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn fills(&self, query: &FillsQuery) -> Result<Page<FillRow>, StorageError> {
        let limit = clamp(query.limit);
        let PageToken(time, id) = query.before.unwrap_or(PageToken::NEWEST);
        let sql = format!(
            "SELECT account, instrument, trade_id, venue_order_id, client_id, bot, side, price, quantity, notional, fee,
                    fee_asset, liquidity, event_time, event_seq, event_idx, id
             FROM fills WHERE (event_time, id) < (:time, :id) AND {FILTER}
             ORDER BY event_time DESC, id DESC LIMIT :limit"
        );
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let parameters = named_params! {
                ":time": time, ":id": id, ":account": query.account, ":bot": query.bot,
                ":instrument": query.instrument, ":client_id": query.client_id, ":limit": limit + 1,
            };
            let rows = statement.query_map(parameters, |row| {
                Ok((PageToken(row.get(13)?, row.get(16)?), read(row)?))
            })?;
            Ok(Page::of(rows.collect::<Result<_, _>>()?, limit))
        })
    }

    /// Ledger entries, the latest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn ledger(
        &self,
        limit: u32,
        before: Option<PageToken>,
    ) -> Result<Page<LedgerRow>, StorageError> {
        let limit = clamp(limit);
        let PageToken(fill, part) = before.unwrap_or(PageToken::NEWEST);
        // At most three entries a fill: their place among them is the lesser key.
        let sql = "SELECT * FROM (
                SELECT kind, asset, account, owner, amount, at, fill_id,
                       row_number() OVER (PARTITION BY fill_id ORDER BY kind, asset) AS part FROM ledger
                WHERE fill_id <= :fill)
            WHERE (fill_id, part) < (:fill, :part) ORDER BY fill_id DESC, part DESC LIMIT :limit";
        self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let parameters = named_params! { ":fill": fill, ":part": part, ":limit": limit + 1 };
            let rows = statement.query_map(parameters, |row| {
                let entry = LedgerRow {
                    kind: row.get(0)?,
                    asset: row.get(1)?,
                    account: row.get(2)?,
                    owner: row.get(3)?,
                    amount: row.get(4)?,
                    at: Timestamp::from_nanos(row.get(5)?),
                };
                Ok((PageToken(row.get(6)?, row.get(7)?), entry))
            })?;
            Ok(Page::of(rows.collect::<Result<_, _>>()?, limit))
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<FillRow> {
    let seq: Option<i64> = row.get(14)?;
    let index: Option<u32> = row.get(15)?;
    Ok(FillRow {
        account: row.get(0)?,
        instrument: row.get(1)?,
        trade_id: row.get::<_, i64>(2)?.cast_unsigned(),
        venue_order_id: row.get::<_, i64>(3)?.cast_unsigned(),
        client_id: row.get(4)?,
        bot: row.get(5)?,
        side: row.get(6)?,
        price: row.get(7)?,
        quantity: row.get(8)?,
        notional: row.get(9)?,
        fee: row.get(10)?,
        fee_asset: row.get(11)?,
        liquidity: row.get(12)?,
        event_time: Timestamp::from_nanos(row.get(13)?),
        event: seq.zip(index).map(|(seq, index)| EventId {
            seq: seq.cast_unsigned(),
            index,
        }),
    })
}
