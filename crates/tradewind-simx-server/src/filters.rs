//! An instrument's rules as the venue lists them.

use serde::Serialize;
use tradewind_model::{Instrument, Quantity};

use crate::decimals;

/// One filter of `exchangeInfo`.
#[derive(Serialize)]
#[serde(
    tag = "filterType",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub(crate) enum FilterBody {
    PriceFilter {
        min_price: String,
        max_price: String,
        tick_size: String,
    },
    LotSize {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    MarketLotSize {
        min_qty: String,
        max_qty: String,
        step_size: String,
    },
    Notional {
        min_notional: String,
        apply_min_to_market: bool,
        max_notional: String,
        apply_max_to_market: bool,
        avg_price_mins: u32,
    },
    MaxNumOrders {
        max_num_orders: u32,
    },
}

/// The largest number the venue writes where it has no limit.
const NO_LIMIT: &str = "9000000000.00000000";

/// All filters of `instrument`.
pub(crate) fn of(instrument: &Instrument) -> Vec<FilterBody> {
    let price = |price| decimals::price(instrument, price);
    let quantity = |quantity| decimals::quantity(instrument, quantity);
    let most = |limit: Quantity| {
        if limit.is_zero() {
            NO_LIMIT.to_owned()
        } else {
            quantity(limit)
        }
    };
    let mut filters = vec![
        FilterBody::PriceFilter {
            min_price: price(instrument.price_min),
            max_price: price(instrument.price_max),
            tick_size: price(instrument.tick),
        },
        FilterBody::LotSize {
            min_qty: quantity(instrument.quantity_min),
            max_qty: most(instrument.quantity_max),
            step_size: quantity(instrument.step),
        },
        FilterBody::MarketLotSize {
            min_qty: quantity(Quantity::ZERO),
            max_qty: most(instrument.market_quantity_max),
            step_size: quantity(Quantity::ZERO),
        },
        FilterBody::Notional {
            min_notional: decimals::amount(instrument.notional_min),
            apply_min_to_market: true,
            max_notional: NO_LIMIT.to_owned(),
            apply_max_to_market: false,
            avg_price_mins: 0,
        },
    ];
    if instrument.open_orders_max > 0 {
        filters.push(FilterBody::MaxNumOrders {
            max_num_orders: instrument.open_orders_max,
        });
    }
    filters
}
