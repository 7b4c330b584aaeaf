//! Public trades of the past, page by page, oldest first. Source: rest-api.md, "Old trade lookup" and "Compressed/Aggregate trades
//! list".
//!
//! A page is requested by the id of its first trade. Only aggregates are found by time, so the first id comes from there: then
//! trades have the ids that the stream gave them.

use serde::Deserialize;
use tradewind_model::{Instrument, InstrumentId, Side, Timestamp, Trade, TradeId};

use super::answers;
use super::requests::Params;
use super::rest::{Call, Security};
use super::venue::{BinanceVenue, known};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::venue::TradesFrom;
use crate::wire::http::Method;

/// The most trades of a page.
const PAGE: u32 = 1_000;

#[derive(Deserialize)]
struct Aggregate {
    f: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Print {
    id: u64,
    price: String,
    qty: String,
    time: i64,
    is_buyer_maker: bool,
}

impl BinanceVenue {
    /// A page of public trades, oldest first; an empty one if there are none.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn past_trades(
        &self,
        instrument: InstrumentId,
        from: TradesFrom,
    ) -> Result<Vec<Trade>, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let first = match from {
            TradesFrom::Id(id) => id.0,
            TradesFrom::Time(at) => match self.first_since(symbol, at).await? {
                Some(first) => first,
                None => return Ok(Vec::new()),
            },
        };
        let params = Params::of("symbol", symbol)
            .with_number("fromId", first)
            .with_number("limit", PAGE);
        let body = self.page("/api/v3/historicalTrades", params, 25).await?;
        let prints: Vec<Print> = answers::read("trades", &body)?;
        prints.iter().map(|print| trade(print, rules)).collect()
    }

    /// The id of the first trade at a time or later.
    async fn first_since(&self, symbol: &str, at: Timestamp) -> Result<Option<u64>, VenueError> {
        let params = Params::of("symbol", symbol)
            .with_number("startTime", at.as_millis())
            .with_number("limit", 1);
        let body = self.page("/api/v3/aggTrades", params, 4).await?;
        let found: Vec<Aggregate> = answers::read("aggregate trades", &body)?;
        Ok(found.first().map(|aggregate| aggregate.f))
    }

    async fn page(
        &self,
        path: &'static str,
        params: Params,
        weight: u64,
    ) -> Result<Vec<u8>, VenueError> {
        let call = Call {
            method: Method::Get,
            path: path.into(),
            params,
            security: Security::Public,
            priority: Priority::Data,
            weight,
        };
        self.rest.read(&call).await
    }
}

fn trade(print: &Print, rules: &Instrument) -> Result<Trade, VenueError> {
    let at = Timestamp::from_millis(print.time);
    let unreadable = |error| VenueError::unreadable("trades", error);
    Ok(Trade {
        instrument: rules.id,
        taker: if print.is_buyer_maker {
            Side::Sell
        } else {
            Side::Buy
        },
        id: TradeId(print.id),
        price: rules.parse_price(&print.price).map_err(unreadable)?,
        quantity: rules.parse_quantity(&print.qty).map_err(unreadable)?,
        event_time: Some(at),
        received_at: at,
    })
}
