//! `GET /api/v3/brokerage/market/products?product_type=SPOT` → instruments with their rules.

use std::borrow::Cow;

use serde::Deserialize;
use tradewind_model::InstrumentStatus;

use crate::error::VenueError;
use crate::rules::{ListedFor, Listings, Word, Words};
use crate::wire::json::parse;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    products: Vec<Listed<'a>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    #[serde(borrow)]
    product_type: Cow<'a, str>,
    #[serde(borrow)]
    base_currency_id: Cow<'a, str>,
    #[serde(borrow)]
    quote_currency_id: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    price_increment: Word<'a>,
    #[serde(borrow, default)]
    base_increment: Word<'a>,
    #[serde(borrow, default)]
    base_min_size: Word<'a>,
    #[serde(borrow, default)]
    base_max_size: Word<'a>,
    #[serde(borrow, default)]
    quote_min_size: Word<'a>,
    /// The product whose book this one shares.
    #[serde(borrow, default)]
    alias: Word<'a>,
    #[serde(default)]
    trading_disabled: bool,
    #[serde(default)]
    cancel_only: bool,
}

/// Reads the list of products. What is not spot is left out without a word: it was not requested.
///
/// # Errors
/// [`VenueError`] for an answer that is none.
pub fn decode_listings(body: &[u8], desk: ListedFor<'_>) -> Result<Listings, VenueError> {
    let answer: Answer<'_> = parse("instruments", body)?;
    let mut listings = Listings::default();
    for listed in answer.products {
        if listed.product_type != "SPOT" {
            continue;
        }
        if let Some(alias) = listed.alias.as_deref().filter(|alias| !alias.is_empty()) {
            let why = format!("its market data comes as that of {alias}");
            listings
                .left_out
                .push((listed.product_id.into_owned(), why));
            continue;
        }
        let words = Words {
            symbol: &listed.product_id,
            base: &listed.base_currency_id,
            quote: &listed.quote_currency_id,
            decimals: None,
            tick: listed.price_increment.clone(),
            step: listed.base_increment.clone(),
            quantity_min: listed.base_min_size.clone(),
            quantity_max: listed.base_max_size.clone(),
            market_quantity_max: None,
            notional_min: listed.quote_min_size.clone(),
            status: status(&listed),
        };
        listings.add(&words, desk);
    }
    Ok(listings)
}

/// Anything unknown takes no orders: that is the safe reading of a word we have never seen.
fn status(listed: &Listed<'_>) -> InstrumentStatus {
    match &*listed.status {
        "online" if listed.cancel_only => InstrumentStatus::CancelOnly,
        "online" if !listed.trading_disabled => InstrumentStatus::Trading,
        _ => InstrumentStatus::Halted,
    }
}
