//! `GET /api/v5/public/instruments?instType=SPOT` → instruments with their rules.

use std::borrow::Cow;

use serde::Deserialize;
use tradewind_model::InstrumentStatus;

use super::answers;
use crate::error::VenueError;
use crate::rules::{ListedFor, Listings, Word, Words};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    #[serde(borrow)]
    inst_type: Cow<'a, str>,
    #[serde(borrow)]
    inst_id: Cow<'a, str>,
    #[serde(borrow)]
    base_ccy: Cow<'a, str>,
    #[serde(borrow)]
    quote_ccy: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow, default)]
    tick_sz: Word<'a>,
    #[serde(borrow, default)]
    lot_sz: Word<'a>,
    #[serde(borrow, default)]
    min_sz: Word<'a>,
    #[serde(borrow, default)]
    max_lmt_sz: Word<'a>,
}

/// Reads the list of instruments. What is not spot is left out without a word: it was not requested.
///
/// # Errors
/// [`VenueError`] for an answer that is none, or a refusal in the venue's words.
pub fn decode_listings(body: &[u8], desk: ListedFor<'_>) -> Result<Listings, VenueError> {
    let listed: Vec<Listed<'_>> = answers::data("instruments", body)?;
    let mut listings = Listings::default();
    for listed in listed.iter().filter(|listed| listed.inst_type == "SPOT") {
        let words = Words {
            symbol: &listed.inst_id,
            base: &listed.base_ccy,
            quote: &listed.quote_ccy,
            decimals: None,
            tick: listed.tick_sz.clone(),
            step: listed.lot_sz.clone(),
            quantity_min: listed.min_sz.clone(),
            quantity_max: listed.max_lmt_sz.clone(),
            // The venue counts it in the quote currency.
            market_quantity_max: None,
            notional_min: None,
            status: status(&listed.state),
        };
        listings.add(&words, desk);
    }
    Ok(listings)
}

/// Anything unknown takes no orders: that is the safe reading of a word we have never seen.
fn status(state: &str) -> InstrumentStatus {
    match state {
        "live" => InstrumentStatus::Trading,
        _ => InstrumentStatus::Halted,
    }
}
