//! Lists that come in pages: read to the end, and only an empty page is the end.
//!
//! V05: a venue may return fewer entries than the limit, from a shortened window or an archive. A short page is
//! therefore never taken for the last: reading continues after it. A page that is out of order, or starts before the
//! requested entry, is an error: reading on from it would skip entries.

use std::ops::ControlFlow;

use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{InstrumentId, Timestamp};

use super::requests::Params;
use super::venue::{BinanceVenue, known};
use crate::error::VenueError;

/// Entries of a list in one answer.
pub(super) const PAGE: usize = 1_000;
/// The longest span of time the venue looks through for one request, in milliseconds.
const WINDOW_MS: i64 = 24 * 3600 * 1_000;

/// A list of one symbol's entries, each with a number that grows.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) path: &'static str,
    /// The parameter that names the first entry wanted.
    pub(super) from: &'static str,
    /// What it is called in an error.
    pub(super) what: &'static str,
    numbers: Numbers,
}

/// Whether two entries of a list can have one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// Each has its own.
    Distinct,
    /// Both sides of a trade with oneself have that trade's.
    Shared,
}

/// The account's orders.
pub(super) const ORDERS: List = List {
    path: "/api/v3/allOrders",
    from: "orderId",
    what: "orders",
    numbers: Numbers::Distinct,
};
/// The account's trades.
pub(super) const TRADES: List = List {
    path: "/api/v3/myTrades",
    from: "fromId",
    what: "trades",
    numbers: Numbers::Shared,
};

const WEIGHT: u64 = 20;

impl BinanceVenue {
    /// Reads a list from entry `from` on. `take` reads a page and returns the numbers of its entries, or breaks where nothing
    /// further is of interest.
    pub(super) async fn pages(
        &self,
        list: List,
        instrument: InstrumentId,
        from: u64,
        mut take: impl FnMut(&[u8]) -> Result<(Vec<u64>, ControlFlow<()>), VenueError>,
    ) -> Result<(), VenueError> {
        let symbols = self.symbols();
        let (symbol, _) = known(&symbols, instrument)?;
        let mut next = from;
        loop {
            let params = Params::of("symbol", symbol)
                .with_number(list.from, next)
                .with_number("limit", PAGE);
            let body = self.query_list(list.path, params, WEIGHT).await?;
            let (numbers, flow) = take(&body)?;
            let Some(last) = numbers.last() else {
                return Ok(());
            };
            let grows = match list.numbers {
                Numbers::Distinct => numbers.is_sorted_by(|one, other| one < other),
                Numbers::Shared => numbers.is_sorted(),
            };
            if !grows || numbers.first().is_some_and(|first| *first < next) {
                return Err(VenueError::unreadable(list.what, "a page out of order"));
            }
            let is_short = numbers.len() < PAGE;
            if flow.is_break() || is_on(Mutation::ShortPageIsLast) && is_short {
                return Ok(());
            }
            next = last + 1;
        }
    }

    /// The number of the first entry at or after `start` and before `end`, looked for day by day, which is as far as the
    /// venue looks at once. `number` reads the first entry of a page.
    pub(super) async fn first_between(
        &self,
        list: List,
        instrument: InstrumentId,
        (start, end): (Timestamp, Timestamp),
        number: impl Fn(&[u8]) -> Result<Option<u64>, VenueError>,
    ) -> Result<Option<u64>, VenueError> {
        let symbols = self.symbols();
        let (symbol, _) = known(&symbols, instrument)?;
        let (mut from, end) = (start.as_millis(), end.as_millis());
        while from < end {
            let until = (from + WINDOW_MS).min(end);
            let params = Params::of("symbol", symbol)
                .with_number("startTime", from)
                .with_number("endTime", until - 1)
                .with_number("limit", 1);
            let body = self.query_list(list.path, params, WEIGHT).await?;
            if let Some(first) = number(&body)? {
                return Ok(Some(first));
            }
            from = until;
        }
        Ok(None)
    }
}
