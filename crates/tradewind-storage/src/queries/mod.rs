//! Queries: lists, newest first, by key, never by offset, so that a page stays right while rows are added.

mod events;
mod fills;
mod operations;
mod orders;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

pub use events::OrderHistory;
pub use fills::{FillRow, FillsQuery, LedgerRow};
pub use operations::{BotErrorRow, BotStateRow, CommandRow, EquityRow, RiskEventRow};
pub use orders::{OrderRow, OrdersQuery};

/// Most rows of one page.
const LIMIT_MAX: u32 = 1_000;

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<PageToken>,
}

/// Where a page begins: the key of the last row before it. Opaque to clients; printed and parsed as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken(i64, i64);

impl PageToken {
    /// Before everything there is.
    const NEWEST: Self = Self(i64::MAX, i64::MAX);
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A text that is no page token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a page token that this desk gave out")]
pub struct PageTokenError;

impl FromStr for PageToken {
    type Err = PageTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = text.split_once('.').ok_or(PageTokenError)?;
        match (major.parse(), minor.parse()) {
            (Ok(major), Ok(minor)) => Ok(Self(major, minor)),
            _ => Err(PageTokenError),
        }
    }
}

impl Serialize for PageToken {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<T> Page<T> {
    /// Makes a page of up to `limit` rows out of up to one more, each with its key.
    fn of(mut rows: Vec<(PageToken, T)>, limit: u32) -> Self {
        let limit = limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(key, _)| *key);
        Self {
            items: rows.into_iter().map(|(_, row)| row).collect(),
            next,
        }
    }
}

/// The limit as it is applied.
fn clamp(limit: u32) -> u32 {
    limit.clamp(1, LIMIT_MAX)
}
