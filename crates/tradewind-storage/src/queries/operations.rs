//! Equity, risk events, bots' states and errors, commands.

use rusqlite::{Row, named_params};
use serde::Serialize;
use tradewind_model::{EventId, Timestamp};

use super::{Page, PageToken, clamp};
use crate::error::StorageError;
use crate::readers::Readers;

/// Equity of an account at a moment. Money is exact decimal text in the report asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EquityRow {
    /// When.
    pub at: Timestamp,
    /// Value of all the desk owns there.
    pub equity: String,
    /// Realised since that start of the desk.
    pub realized: String,
    /// Unrealised.
    pub unrealized: String,
    /// Assets left out because they have no price.
    pub unpriced: u32,
}

/// A refusal, a stop, or the end of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RiskEventRow {
    /// The event.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// Its type's name.
    pub event_type: String,
    /// The rule that refused, such as `R08`.
    pub rule: Option<String>,
    /// Name of the bot.
    pub bot: Option<String>,
    /// Printed name of the instrument.
    pub instrument: Option<String>,
    /// What happened, as text.
    pub text: String,
}

/// A failure of a bot's strategy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BotErrorRow {
    /// The event.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// Name of the bot.
    pub bot: String,
    /// What went wrong.
    pub error: String,
    /// Faults within the five minutes before.
    pub faults: u32,
}

/// The state a bot was last seen in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BotStateRow {
    /// Name of the bot.
    pub bot: String,
    /// Its state's name.
    pub state: String,
    /// The reason.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// A command and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandRow {
    /// Its event.
    pub event: EventId,
    /// When.
    pub at: Timestamp,
    /// The command's id, 32 hexadecimal digits.
    pub id: String,
    /// By whom.
    pub principal: String,
    /// The action, as JSON.
    pub action: String,
    /// Whether it was carried out.
    pub accepted: bool,
    /// The order it made, or why it was refused.
    pub text: Option<String>,
}

impl Readers {
    /// Equity of an account since an instant, oldest first, at most `max_points`: the last of each equal stretch.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn equity(
        &self,
        account: &str,
        since: Timestamp,
        max_points: u32,
    ) -> Result<Vec<EquityRow>, StorageError> {
        const RANGE: &str = "SELECT min(at), max(at) FROM equity WHERE account = ? AND at >= ?";
        const POINTS: &str = "SELECT max(at), equity, realized, unrealized, unpriced FROM equity
            WHERE account = :account AND at >= :first GROUP BY (at - :first) / :width ORDER BY 1";
        self.with(|connection| {
            let range: (Option<i64>, Option<i64>) = connection
                .prepare_cached(RANGE)?
                .query_row((account, since.as_nanos()), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let (Some(first), Some(last)) = range else {
                return Ok(Vec::new());
            };
            // One nanosecond more than the stretch, so that the last point falls into the last part.
            let width = (last - first) / i64::from(max_points.max(1)) + 1;
            let mut statement = connection.prepare_cached(POINTS)?;
            let parameters =
                named_params! { ":account": account, ":first": first, ":width": width };
            let rows = statement.query_map(parameters, |row| {
                Ok(EquityRow {
                    at: Timestamp::from_nanos(row.get(0)?),
                    equity: row.get(1)?,
                    realized: row.get(2)?,
                    unrealized: row.get(3)?,
                    unpriced: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Refusals, stops and their ends, the latest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn risk_events(
        &self,
        limit: u32,
        before: Option<PageToken>,
    ) -> Result<Page<RiskEventRow>, StorageError> {
        let columns = "type, rule, bot, instrument, text";
        self.page(("risk_events", columns), limit, before, |row, id, at| {
            Ok(RiskEventRow {
                id,
                at,
                event_type: row.get(3)?,
                rule: row.get(4)?,
                bot: row.get(5)?,
                instrument: row.get(6)?,
                text: row.get(7)?,
            })
        })
    }

    /// Failures of strategies, the latest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn bot_errors(
        &self,
        limit: u32,
        before: Option<PageToken>,
    ) -> Result<Page<BotErrorRow>, StorageError> {
        let columns = "bot, error, faults";
        self.page(("bot_errors", columns), limit, before, |row, id, at| {
            Ok(BotErrorRow {
                id,
                at,
                bot: row.get(3)?,
                error: row.get(4)?,
                faults: row.get(5)?,
            })
        })
    }

    /// Commands, the latest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn audit(
        &self,
        limit: u32,
        before: Option<PageToken>,
    ) -> Result<Page<CommandRow>, StorageError> {
        let columns = "id, principal, action, accepted, text";
        self.page(("commands", columns), limit, before, |row, event, at| {
            Ok(CommandRow {
                event,
                at,
                id: row.get(3)?,
                principal: row.get(4)?,
                action: row.get(5)?,
                accepted: row.get(6)?,
                text: row.get(7)?,
            })
        })
    }

    /// The state each bot was last seen in, by name.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn bot_states(&self) -> Result<Vec<BotStateRow>, StorageError> {
        self.with(|connection| {
            let sql = "SELECT bot, state, reason, at FROM bot_states ORDER BY bot";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(BotStateRow {
                    bot: row.get(0)?,
                    state: row.get(1)?,
                    reason: row.get(2)?,
                    at: Timestamp::from_nanos(row.get(3)?),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A page of a table that is keyed by event. The names of table and columns are the code's own.
    fn page<T>(
        &self,
        (table, columns): (&str, &str),
        limit: u32,
        before: Option<PageToken>,
        read: impl Fn(&Row<'_>, EventId, Timestamp) -> rusqlite::Result<T>,
    ) -> Result<Page<T>, StorageError> {
        let limit = clamp(limit);
        let PageToken(seq, idx) = before.unwrap_or(PageToken::NEWEST);
        let sql = format!(
            "SELECT seq, idx, at, {columns} FROM {table} WHERE (seq, idx) < (?, ?)
             ORDER BY seq DESC, idx DESC LIMIT ?"
        );
        self.with(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map((seq, idx, limit + 1), |row| {
                let token = PageToken(row.get(0)?, row.get(1)?);
                let id = EventId {
                    seq: token.0.cast_unsigned(),
                    index: row.get(1)?,
                };
                Ok((token, read(row, id, Timestamp::from_nanos(row.get(2)?))?))
            })?;
            Ok(Page::of(rows.collect::<Result<_, _>>()?, limit))
        })
    }
}
