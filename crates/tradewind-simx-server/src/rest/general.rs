//! The exchange itself: is it there, what time is it, what does it list and under which rules.

use serde::Serialize;
use tradewind_model::{Instrument, InstrumentKind, InstrumentStatus};

use super::errors::ApiError;
use super::weights::{ORDERS_PER_10_SECONDS, ORDERS_PER_DAY, WEIGHT_PER_MINUTE};
use super::{Call, Outcome, Params, body, find};
use crate::core::Core;
use crate::filters;

pub(super) fn ping(_: &mut Core, _: Call<'_>) -> Outcome {
    Ok("{}".to_owned())
}

pub(super) fn time(_: &mut Core, call: Call<'_>) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Time {
        server_time: i64,
    }
    body(&Time {
        server_time: call.unit.stamp(call.now),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExchangeInfo<'a> {
    timezone: &'static str,
    server_time: i64,
    rate_limits: [RateLimit; 3],
    exchange_filters: [(); 0],
    symbols: Vec<SymbolInfo<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    rate_limit_type: &'static str,
    interval: &'static str,
    interval_num: u32,
    limit: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SymbolInfo<'a> {
    symbol: &'a str,
    status: &'static str,
    base_asset: &'a str,
    base_asset_precision: u8,
    quote_asset: &'a str,
    quote_precision: u8,
    quote_asset_precision: u8,
    base_commission_precision: u8,
    quote_commission_precision: u8,
    order_types: [&'static str; 7],
    iceberg_allowed: bool,
    oco_allowed: bool,
    oto_allowed: bool,
    opo_allowed: bool,
    quote_order_qty_market_allowed: bool,
    allow_trailing_stop: bool,
    cancel_replace_allowed: bool,
    amend_allowed: bool,
    peg_instructions_allowed: bool,
    is_spot_trading_allowed: bool,
    is_margin_trading_allowed: bool,
    filters: Vec<filters::FilterBody>,
    permissions: [&'static str; 0],
    permission_sets: Vec<[&'static str; 1]>,
    default_self_trade_prevention_mode: &'static str,
    allowed_self_trade_prevention_modes: [&'static str; 4],
}

const ORDER_TYPES: [&str; 7] = [
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
];
const PREVENTION_MODES: [&str; 4] = ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"];

pub(super) fn exchange_info(core: &mut Core, call: Call<'_>) -> Outcome {
    const PLACES: u8 = 8;
    let params = call.params;
    let named = params.text("symbol").or(params.text("symbols"));
    let narrowed = params.text("permissions").or(params.text("symbolStatus"));
    if named.is_some() && narrowed.is_some() {
        return Err(ApiError::COMBINATION);
    }
    let mut listed =
        selected(core, params)?.unwrap_or_else(|| core.exchange.instruments().iter().collect());
    if !wants_spot(params)? {
        listed.clear();
    }
    let sets_shown = params.flag("showPermissionSets")?.unwrap_or(true);
    let symbol = |instrument: &'_ &Instrument| SymbolInfo {
        symbol: core.symbols.name(instrument.id),
        status: status(instrument.status),
        base_asset: core.symbols.asset(instrument.base),
        base_asset_precision: PLACES,
        quote_asset: core.symbols.asset(instrument.quote),
        quote_precision: PLACES,
        quote_asset_precision: PLACES,
        base_commission_precision: PLACES,
        quote_commission_precision: PLACES,
        order_types: ORDER_TYPES,
        iceberg_allowed: false,
        oco_allowed: true,
        oto_allowed: true,
        opo_allowed: false,
        quote_order_qty_market_allowed: true,
        allow_trailing_stop: true,
        cancel_replace_allowed: true,
        amend_allowed: true,
        peg_instructions_allowed: false,
        is_spot_trading_allowed: instrument.kind == InstrumentKind::Spot,
        is_margin_trading_allowed: false,
        filters: filters::of(instrument, &core.exchange.config().caps),
        permissions: [],
        permission_sets: if sets_shown { vec![["SPOT"]] } else { vec![] },
        default_self_trade_prevention_mode: "NONE",
        allowed_self_trade_prevention_modes: PREVENTION_MODES,
    };
    body(&ExchangeInfo {
        timezone: "UTC",
        server_time: call.unit.stamp(call.now),
        rate_limits: [
            rate_limit("REQUEST_WEIGHT", "MINUTE", 1, WEIGHT_PER_MINUTE),
            rate_limit("ORDERS", "SECOND", 10, ORDERS_PER_10_SECONDS),
            rate_limit("ORDERS", "DAY", 1, ORDERS_PER_DAY),
        ],
        exchange_filters: [],
        symbols: listed.iter().map(symbol).collect(),
    })
}

const fn rate_limit(
    kind: &'static str,
    interval: &'static str,
    interval_num: u32,
    limit: u32,
) -> RateLimit {
    RateLimit {
        rate_limit_type: kind,
        interval,
        interval_num,
        limit,
    }
}

const fn status(status: InstrumentStatus) -> &'static str {
    match status {
        InstrumentStatus::Trading => "TRADING",
        InstrumentStatus::CancelOnly => "CANCEL_ONLY",
        InstrumentStatus::Halted => "HALT",
        InstrumentStatus::NoData | InstrumentStatus::PricesOnly => "BREAK",
    }
}

/// The instruments a request names by `symbol` or `symbols`; `None` when it names none. With `symbolStatus` a single one
/// must have it, and of several only those are meant that do.
pub(super) fn selected<'c>(
    core: &'c Core,
    params: &Params,
) -> Result<Option<Vec<&'c Instrument>>, ApiError> {
    let wanted = wanted_status(params)?;
    let is_meant =
        |instrument: &&Instrument| wanted.is_none_or(|wanted| status(instrument.status) == wanted);
    match (params.text("symbol"), params.symbols()?) {
        (Some(_), Some(_)) => Err(ApiError::COMBINATION),
        (Some(_), None) => Ok(Some(vec![named(core, params)?])),
        (None, Some(symbols)) => {
            let found: Result<Vec<_>, _> =
                symbols.iter().map(|symbol| find(core, symbol)).collect();
            Ok(Some(found?.into_iter().filter(is_meant).collect()))
        }
        (None, None) if wanted.is_some() => {
            let all = core.exchange.instruments().iter();
            Ok(Some(all.filter(is_meant).collect()))
        }
        (None, None) => Ok(None),
    }
}

/// The instrument that `symbol` names, which must have the `symbolStatus` that goes with it, if one does.
pub(super) fn named<'c>(core: &'c Core, params: &Params) -> Result<&'c Instrument, ApiError> {
    let wanted = wanted_status(params)?;
    let instrument = find(core, params.required("symbol")?)?;
    match wanted {
        Some(wanted) if status(instrument.status) != wanted => Err(ApiError::OTHER_STATUS),
        _ => Ok(instrument),
    }
}

fn wanted_status(params: &Params) -> Result<Option<&str>, ApiError> {
    let wanted = params.text("symbolStatus");
    match wanted {
        None | Some("TRADING" | "HALT" | "BREAK") => Ok(wanted),
        Some(_) => Err(ApiError::SYMBOL_STATUS),
    }
}

/// Whether `permissions`, a name or a JSON array of names, leaves spot instruments in.
fn wants_spot(params: &Params) -> Result<bool, ApiError> {
    let Some(text) = params.text("permissions") else {
        return Ok(true);
    };
    let names: Vec<String> = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|_| ApiError::invalid("permissions"))?
    } else {
        vec![text.to_owned()]
    };
    Ok(names.iter().any(|name| name == "SPOT"))
}

/// Rules of execution beyond the filters: none.
pub(super) fn execution_rules(core: &mut Core, call: Call<'_>) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Rules<'a> {
        symbol_rules: Vec<SymbolRules<'a>>,
    }
    #[derive(Serialize)]
    struct SymbolRules<'a> {
        symbol: &'a str,
        rules: [(); 0],
    }
    let listed = selected(core, call.params)?
        .unwrap_or_else(|| core.exchange.instruments().iter().collect());
    let rules = |instrument: &&Instrument| SymbolRules {
        symbol: core.symbols.name(instrument.id),
        rules: [],
    };
    body(&Rules {
        symbol_rules: listed.iter().map(rules).collect(),
    })
}

/// No instrument here has a reference price.
pub(super) fn reference_price(core: &mut Core, call: Call<'_>) -> Outcome {
    call.instrument(core)?;
    Err(ApiError::NO_REFERENCE_PRICE)
}
