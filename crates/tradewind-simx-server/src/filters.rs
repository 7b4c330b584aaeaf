//! An instrument's rules as the venue lists them.

use serde::Serialize;
use tradewind_model::{Amount, Instrument, Quantity};
use tradewind_simx::Caps;

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
        avg_price_mins: u8,
    },
    TrailingDelta {
        min_trailing_above_delta: u16,
        max_trailing_above_delta: u16,
        min_trailing_below_delta: u16,
        max_trailing_below_delta: u16,
    },
    PercentPriceBySide {
        bid_multiplier_up: String,
        bid_multiplier_down: String,
        ask_multiplier_up: String,
        ask_multiplier_down: String,
        avg_price_mins: u8,
    },
    MaxNumOrders {
        max_num_orders: u32,
    },
    MaxNumOrderLists {
        max_num_order_lists: u32,
    },
    MaxNumAlgoOrders {
        max_num_algo_orders: u32,
    },
    MaxNumOrderAmends {
        max_num_order_amends: u8,
    },
}

/// The largest number the venue writes where it has no limit.
const NO_LIMIT: &str = "9000000000.00000000";

/// All filters of `instrument`: its own rules, and what the exchange limits beyond them.
pub(crate) fn of(instrument: &Instrument, caps: &Caps) -> Vec<FilterBody> {
    let mut filters = rules(instrument, caps);
    filters.extend(trailing(caps));
    filters.extend(price_band(caps));
    let counts = [
        (instrument.open_orders_max > 0).then_some(FilterBody::MaxNumOrders {
            max_num_orders: instrument.open_orders_max,
        }),
        (caps.order_lists_max > 0).then_some(FilterBody::MaxNumOrderLists {
            max_num_order_lists: caps.order_lists_max,
        }),
        (caps.algo_orders_max > 0).then_some(FilterBody::MaxNumAlgoOrders {
            max_num_algo_orders: caps.algo_orders_max,
        }),
        (caps.amendments_max > 0).then_some(FilterBody::MaxNumOrderAmends {
            max_num_order_amends: caps.amendments_max,
        }),
    ];
    filters.extend(counts.into_iter().flatten());
    filters
}

fn trailing(caps: &Caps) -> Option<FilterBody> {
    let (least, most) = (caps.trailing_min.0, caps.trailing_max.0);
    (most > 0).then_some(FilterBody::TrailingDelta {
        min_trailing_above_delta: least,
        max_trailing_above_delta: most,
        min_trailing_below_delta: least,
        max_trailing_below_delta: most,
    })
}

fn price_band(caps: &Caps) -> Option<FilterBody> {
    let bounds = [caps.buys.up, caps.buys.down, caps.sells.up, caps.sells.down];
    if bounds.iter().all(|bound| bound.0 == 0) {
        return None;
    }
    let [
        bid_multiplier_up,
        bid_multiplier_down,
        ask_multiplier_up,
        ask_multiplier_down,
    ] = bounds.map(|bound| Amount::ONE.share(bound).unwrap_or_default().to_string());
    Some(FilterBody::PercentPriceBySide {
        bid_multiplier_up,
        bid_multiplier_down,
        ask_multiplier_up,
        ask_multiplier_down,
        avg_price_mins: caps.average_minutes,
    })
}

fn rules(instrument: &Instrument, caps: &Caps) -> Vec<FilterBody> {
    let price = |price| decimals::price(instrument, price);
    let quantity = |quantity| decimals::quantity(instrument, quantity);
    let most = |limit: Quantity| {
        if limit.is_zero() {
            NO_LIMIT.to_owned()
        } else {
            quantity(limit)
        }
    };
    let notional_max = if caps.notional_max.is_zero() {
        NO_LIMIT.to_owned()
    } else {
        decimals::amount(caps.notional_max)
    };
    vec![
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
            max_notional: notional_max,
            apply_max_to_market: false,
            avg_price_mins: caps.average_minutes,
        },
    ]
}
