//! Exchange information → instruments with their rules. Source: rest-api.md "Exchange information" and filters.md, July 2026.

use serde::Deserialize;
use tradewind_model::{
    Amount, Instrument, InstrumentId, InstrumentStatus, Price, Quantity, StopOrders, VenueId,
};

use super::answers;
use super::assets::Assets;
use crate::error::VenueError;
use crate::rules::{Listing, Round, amount, check_places, count, places};

/// The content of exchange information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExchangeInfo {
    pub(super) listings: Vec<Listing>,
    /// Request weight per minute and address, if the venue reports it.
    pub(super) weight_limit: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    rate_limits: Vec<RateLimit>,
    symbols: Vec<Symbol>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RateLimit {
    rate_limit_type: String,
    interval: String,
    interval_num: u64,
    limit: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Symbol {
    symbol: String,
    status: String,
    base_asset: String,
    quote_asset: String,
    #[serde(default = "eight")]
    base_asset_precision: u8,
    #[serde(default = "eight")]
    quote_asset_precision: u8,
    #[serde(default)]
    order_types: Vec<String>,
    #[serde(default)]
    oco_allowed: bool,
    #[serde(default)]
    filters: Vec<Filter>,
}

const fn eight() -> u8 {
    8
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filter {
    filter_type: String,
    min_price: Option<String>,
    max_price: Option<String>,
    tick_size: Option<String>,
    min_qty: Option<String>,
    max_qty: Option<String>,
    step_size: Option<String>,
    min_notional: Option<String>,
    max_num_orders: Option<u32>,
    max_num_algo_orders: Option<u32>,
}

/// Reads exchange information into listings, in the venue's order.
///
/// # Errors
/// [`VenueError::Unreadable`] names the symbol and what is wrong with it.
pub fn decode_listings(
    body: &[u8],
    venue: VenueId,
    venue_name: &str,
    assets: &Assets,
) -> Result<Vec<Listing>, VenueError> {
    decode(body, venue, venue_name, assets).map(|info| info.listings)
}

pub(super) fn decode(
    body: &[u8],
    venue: VenueId,
    venue_name: &str,
    assets: &Assets,
) -> Result<ExchangeInfo, VenueError> {
    let answer: Answer = answers::read("exchange information", body)?;
    let is_weight = |limit: &&RateLimit| {
        limit.rate_limit_type == "REQUEST_WEIGHT"
            && limit.interval == "MINUTE"
            && limit.interval_num == 1
    };
    let weight_limit = answer
        .rate_limits
        .iter()
        .find(is_weight)
        .map(|limit| limit.limit);
    let listings = answer
        .symbols
        .iter()
        .map(|symbol| listing(symbol, venue, venue_name, assets));
    Ok(ExchangeInfo {
        listings: listings.collect::<Result<_, _>>()?,
        weight_limit,
    })
}

fn listing(
    symbol: &Symbol,
    venue: VenueId,
    venue_name: &str,
    assets: &Assets,
) -> Result<Listing, VenueError> {
    let rules = Rules::read(symbol).map_err(|why| {
        VenueError::unreadable("exchange information", format!("{}: {why}", symbol.symbol))
    })?;
    let product = format!("{}/{}", symbol.base_asset, symbol.quote_asset);
    let quote = assets.intern(&symbol.quote_asset);
    let instrument = Instrument {
        venue,
        price_decimals: rules.price_decimals,
        quantity_decimals: rules.quantity_decimals,
        tick: Price(rules.tick),
        price_min: Price(rules.price_min),
        price_max: Price(rules.price_max),
        step: Quantity(rules.step),
        quantity_min: Quantity(rules.quantity_min),
        quantity_max: Quantity(rules.quantity_max),
        market_quantity_max: Quantity(rules.market_quantity_max),
        notional_min: rules.notional_min,
        open_orders_max: rules.open_orders_max,
        status: status(&symbol.status),
        revision: 1,
        stop_orders: stop_orders(&symbol.order_types),
        algo_orders_max: rules.algo_orders_max,
        takes_pairs: symbol.oco_allowed,
        ..Instrument::spot(
            InstrumentId(0),
            format!("{venue_name}:{product}"),
            assets.intern(&symbol.base_asset),
            quote,
        )
    };
    Ok(Listing {
        symbol: symbol.symbol.clone(),
        product,
        instrument,
    })
}

/// Anything unknown takes no orders: that is the safe reading of a word we have never seen.
fn status(text: &str) -> InstrumentStatus {
    match text {
        "TRADING" => InstrumentStatus::Trading,
        "CANCEL_ONLY" => InstrumentStatus::CancelOnly,
        _ => InstrumentStatus::Halted,
    }
}

fn stop_orders(order_types: &[String]) -> StopOrders {
    let lists = |wanted: &str| order_types.iter().any(|listed| listed == wanted);
    if lists("STOP_LOSS") {
        StopOrders::Market
    } else if lists("STOP_LOSS_LIMIT") {
        StopOrders::Limit
    } else {
        StopOrders::None
    }
}

struct Rules {
    price_decimals: u8,
    quantity_decimals: u8,
    tick: i64,
    price_min: i64,
    price_max: i64,
    step: i64,
    quantity_min: i64,
    quantity_max: i64,
    market_quantity_max: i64,
    notional_min: Amount,
    open_orders_max: u32,
    algo_orders_max: u32,
}

impl Rules {
    fn read(symbol: &Symbol) -> Result<Self, String> {
        let find = |kind: &str| {
            symbol
                .filters
                .iter()
                .find(|filter| filter.filter_type == kind)
        };
        let none = Filter::default();
        let price = find("PRICE_FILTER").unwrap_or(&none);
        let lot = find("LOT_SIZE").unwrap_or(&none);
        let market = find("MARKET_LOT_SIZE").unwrap_or(&none);
        let notional = find("NOTIONAL")
            .or_else(|| find("MIN_NOTIONAL"))
            .unwrap_or(&none);
        let orders = find("MAX_NUM_ORDERS").unwrap_or(&none);
        let algo_orders = find("MAX_NUM_ALGO_ORDERS").unwrap_or(&none);
        let price_decimals = places(price.tick_size.as_deref(), symbol.quote_asset_precision)?;
        let quantity_decimals = places(lot.step_size.as_deref(), symbol.base_asset_precision)?;
        check_places(price_decimals, quantity_decimals)?;
        let in_price = |text: &Option<String>, round| count(text, price_decimals, round);
        let in_quantity = |text: &Option<String>, round| count(text, quantity_decimals, round);
        Ok(Self {
            price_decimals,
            quantity_decimals,
            tick: in_price(&price.tick_size, Round::Up)?.max(1),
            price_min: in_price(&price.min_price, Round::Up)?,
            price_max: in_price(&price.max_price, Round::Down)?,
            step: in_quantity(&lot.step_size, Round::Up)?.max(1),
            quantity_min: in_quantity(&lot.min_qty, Round::Up)?,
            quantity_max: in_quantity(&lot.max_qty, Round::Down)?,
            market_quantity_max: in_quantity(&market.max_qty, Round::Down)?,
            notional_min: Amount(amount(&notional.min_notional)?),
            open_orders_max: orders.max_num_orders.unwrap_or(0),
            algo_orders_max: algo_orders.max_num_algo_orders.unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BTC: &str = r#"{"timezone":"UTC","rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE",
        "intervalNum":1,"limit":6000}],"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC",
        "baseAssetPrecision":8,"quoteAsset":"USDT","quoteAssetPrecision":8,"futureField":[1],
        "orderTypes":["LIMIT","STOP_LOSS","STOP_LOSS_LIMIT"],"filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
        {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
        {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"118.80717527","stepSize":"0.00000000"},
        {"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.0"},
        {"filterType":"MAX_NUM_ORDERS","maxNumOrders":200},
        {"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5},{"filterType":"FROM_THE_FUTURE"}]}]}"#;

    #[test]
    fn filters_become_counts_of_the_instruments_own_units() {
        let assets = Assets::default();
        let info = decode(BTC.as_bytes(), VenueId(3), "binance", &assets).unwrap();
        assert_eq!(info.weight_limit, Some(6_000));
        let [listing] = &info.listings[..] else {
            panic!("one listing")
        };
        let rules = &listing.instrument;
        assert_eq!(
            (listing.symbol.as_str(), listing.product.as_str()),
            ("BTCUSDT", "BTC/USDT")
        );
        assert_eq!(rules.name, "binance:BTC/USDT");
        assert_eq!((rules.price_decimals, rules.quantity_decimals), (2, 5));
        assert_eq!((rules.tick, rules.step), (Price(1), Quantity(1)));
        assert_eq!(
            (rules.price_min, rules.price_max),
            (Price(1), Price(100_000_000))
        );
        assert_eq!(
            (rules.quantity_min, rules.quantity_max),
            (Quantity(1), Quantity(900_000_000))
        );
        assert_eq!(rules.market_quantity_max, Quantity(11_880_717));
        assert_eq!(rules.notional_min, Amount::whole(5));
        assert_eq!(rules.open_orders_max, 200);
        assert_eq!(rules.algo_orders_max, 5);
        assert_eq!(rules.stop_orders, StopOrders::Market);
        assert_eq!(assets.snapshot().name(rules.quote), "USDT");
    }

    #[test]
    fn a_stop_at_market_is_preferred_to_one_with_a_limit() {
        let check = |listed: &[&str], wanted| {
            let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
            assert_eq!(stop_orders(&listed), wanted, "{listed:?}");
        };
        check(
            &["LIMIT", "STOP_LOSS_LIMIT", "STOP_LOSS"],
            StopOrders::Market,
        );
        check(&["LIMIT", "STOP_LOSS_LIMIT"], StopOrders::Limit);
        check(&["LIMIT", "STOP_LOSS_SOMETHING"], StopOrders::None);
    }

    #[test]
    fn an_unknown_status_takes_no_orders() {
        assert_eq!(status("BREAK"), InstrumentStatus::Halted);
        assert_eq!(status("SOMETHING_NEW"), InstrumentStatus::Halted);
        assert_eq!(status("CANCEL_ONLY"), InstrumentStatus::CancelOnly);
    }

    #[test]
    fn nonsense_names_the_symbol() {
        let broken = BTC.replace("0.00001000\"}", "lots\"}");
        let error = decode(broken.as_bytes(), VenueId(0), "binance", &Assets::default());
        assert!(error.unwrap_err().to_string().contains("BTCUSDT: \"lots\""));
    }
}
