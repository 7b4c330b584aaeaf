//! `GET /v5/market/instruments-info?category=spot` → instruments with their rules.

use std::borrow::Cow;

use serde::Deserialize;
use tradewind_model::InstrumentStatus;

use super::answers;
use crate::error::VenueError;
use crate::rules::{ListedFor, Listings, Word, Words};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    list: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(borrow)]
    symbol: Cow<'a, str>,
    #[serde(borrow)]
    base_coin: Cow<'a, str>,
    #[serde(borrow)]
    quote_coin: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    /// Derivatives have one.
    #[serde(borrow, default)]
    contract_type: Word<'a>,
    /// Options have one.
    #[serde(borrow, default)]
    options_type: Word<'a>,
    #[serde(borrow)]
    lot_size_filter: Lot<'a>,
    #[serde(borrow)]
    price_filter: Price<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lot<'a> {
    #[serde(borrow, default)]
    base_precision: Word<'a>,
    #[serde(borrow, default)]
    min_order_qty: Word<'a>,
    #[serde(borrow, default)]
    max_order_qty: Word<'a>,
    #[serde(borrow, default)]
    max_limit_order_qty: Word<'a>,
    #[serde(borrow, default)]
    max_market_order_qty: Word<'a>,
    #[serde(borrow, default)]
    min_order_amt: Word<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Price<'a> {
    #[serde(borrow, default)]
    tick_size: Word<'a>,
}

/// Reads the list of instruments. What is not spot is left out without a word: it was not requested.
///
/// # Errors
/// [`VenueError`] for an answer that is none, or a refusal in the venue's words.
pub fn decode_listings(body: &[u8], desk: ListedFor<'_>) -> Result<Listings, VenueError> {
    let (answer, _): (Answer<'_>, _) = answers::result("instruments", body)?;
    let mut listings = Listings::default();
    let is_spot =
        |listed: &&Listed<'_>| listed.contract_type.is_none() && listed.options_type.is_none();
    for listed in answer.list.iter().filter(is_spot) {
        let lot = &listed.lot_size_filter;
        let words = Words {
            symbol: &listed.symbol,
            base: &listed.base_coin,
            quote: &listed.quote_coin,
            decimals: None,
            tick: listed.price_filter.tick_size.clone(),
            step: lot.base_precision.clone(),
            quantity_min: lot.min_order_qty.clone(),
            quantity_max: lot
                .max_limit_order_qty
                .clone()
                .or_else(|| lot.max_order_qty.clone()),
            market_quantity_max: lot.max_market_order_qty.clone(),
            notional_min: lot.min_order_amt.clone(),
            status: status(&listed.status),
        };
        listings.add(&words, desk);
    }
    Ok(listings)
}

/// Anything unknown takes no orders: that is the safe reading of a word we have never seen.
fn status(status: &str) -> InstrumentStatus {
    match status {
        "Trading" => InstrumentStatus::Trading,
        _ => InstrumentStatus::Halted,
    }
}
