//! `GET /0/public/AssetPairs` → instruments with their rules.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use tradewind_model::{InstrumentStatus, format_fixed};

use super::answers;
use crate::error::VenueError;
use crate::rules::{ListedFor, Listings, Word, Words};

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    altname: Cow<'a, str>,
    /// Such as `XBT/USD`; pairs that are not traded have none.
    #[serde(borrow, default)]
    wsname: Word<'a>,
    pair_decimals: u8,
    lot_decimals: u8,
    #[serde(borrow, default)]
    tick_size: Word<'a>,
    #[serde(borrow, default)]
    ordermin: Word<'a>,
    #[serde(borrow, default)]
    costmin: Word<'a>,
    /// Missing in answers before 2022.
    #[serde(borrow, default)]
    status: Word<'a>,
}

/// Reads the list of pairs. WebSocket v2 has names of its own for two assets: BTC for XBT and DOGE for XDG.
///
/// # Errors
/// [`VenueError`] for an answer that is none, or a refusal in the venue's words.
pub fn decode_listings(body: &[u8], desk: ListedFor<'_>) -> Result<Listings, VenueError> {
    let pairs: BTreeMap<&str, Listed<'_>> = answers::result("instruments", body)?;
    let mut listings = Listings::default();
    for listed in pairs.values() {
        let name = listed.wsname.as_deref().unwrap_or_default();
        let Some((base, quote)) = name.split_once('/') else {
            let why = "it has no name on the WebSocket".to_owned();
            listings.left_out.push((listed.altname.to_string(), why));
            continue;
        };
        let (base, quote) = (asset(base), asset(quote));
        let unit = |decimals: u8| Some(Cow::Owned(format_fixed(1, decimals)));
        let words = Words {
            symbol: &format!("{base}/{quote}"),
            base,
            quote,
            decimals: Some((listed.pair_decimals, listed.lot_decimals)),
            tick: listed
                .tick_size
                .clone()
                .or_else(|| unit(listed.pair_decimals)),
            step: unit(listed.lot_decimals),
            quantity_min: listed.ordermin.clone(),
            quantity_max: None,
            market_quantity_max: None,
            notional_min: listed.costmin.clone(),
            status: status(listed.status.as_deref()),
        };
        listings.add(&words, desk);
    }
    Ok(listings)
}

/// The name of a pair in requests over REST, which know Bitcoin and Dogecoin by their old names.
pub(crate) fn rest_name(symbol: &str) -> String {
    let old = |asset: &str| match asset {
        "BTC" => "XBT".to_owned(),
        "DOGE" => "XDG".to_owned(),
        asset => asset.to_owned(),
    };
    symbol.split('/').map(old).collect()
}

fn asset(name: &str) -> &str {
    match name {
        "XBT" => "BTC",
        "XDG" => "DOGE",
        name => name,
    }
}

/// Anything unknown takes no orders: that is the safe reading of a word we have never seen.
fn status(status: Option<&str>) -> InstrumentStatus {
    match status {
        Some("online") => InstrumentStatus::Trading,
        Some("cancel_only") => InstrumentStatus::CancelOnly,
        _ => InstrumentStatus::Halted,
    }
}
