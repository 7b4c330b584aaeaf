//! Orders and executions in the venue's JSON: the bodies that REST and the WebSocket API share.

use serde::Serialize;
use tradewind_model::{Instrument, Liquidity, Side, Timestamp};
use tradewind_simx::{Execution, ListId, Order};

use super::Params;
use super::errors::ApiError;
use super::prevented::PreventedMatches;
use super::words::{
    expiry_reason, kind, list_id, self_trade, side, status, time_in_force, trailing_time,
};
use crate::decimals;
use crate::symbols::Symbols;

/// The unit of stamps in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TimeUnit {
    #[default]
    Milliseconds,
    Microseconds,
}

impl TimeUnit {
    /// Reads the unit's name, in either letter case.
    pub(crate) fn read(name: &str) -> Result<Self, ApiError> {
        match name {
            _ if name.eq_ignore_ascii_case("millisecond") => Ok(Self::Milliseconds),
            _ if name.eq_ignore_ascii_case("microsecond") => Ok(Self::Microseconds),
            _ => Err(ApiError::TIME_UNIT),
        }
    }

    /// The unit that the parameter `timeUnit` names.
    pub(crate) fn wanted(params: &Params) -> Result<Self, ApiError> {
        params
            .text("timeUnit")
            .map_or(Ok(Self::default()), Self::read)
    }

    /// The unit that a stamp of our time is in: microseconds have three digits more.
    pub(crate) const fn of(stamp: i64) -> Self {
        if stamp < 100_000_000_000_000 {
            Self::Milliseconds
        } else {
            Self::Microseconds
        }
    }

    /// Nanoseconds in one.
    pub(crate) const fn nanos(self) -> i64 {
        match self {
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
        }
    }

    /// `at` in this unit.
    pub(crate) const fn stamp(self, at: Timestamp) -> i64 {
        match self {
            Self::Milliseconds => at.as_millis(),
            Self::Microseconds => at.as_nanos().div_euclid(1_000),
        }
    }
}

/// What texts about an order are made with.
#[derive(Clone, Copy)]
pub(crate) struct Spelling<'a> {
    pub(crate) symbols: &'a Symbols,
    pub(crate) instrument: &'a Instrument,
    pub(crate) unit: TimeUnit,
    pub(crate) prevented: &'a PreventedMatches,
}

/// The least a new order is answered with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ack<'a> {
    symbol: &'a str,
    order_id: u64,
    order_list_id: i64,
    client_order_id: &'a str,
    transact_time: i64,
}

/// What a new order is answered with if its state is wanted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Placed<'a> {
    #[serde(flatten)]
    ack: Ack<'a>,
    #[serde(flatten)]
    state: State,
    #[serde(flatten)]
    terms: Terms,
    working_time: i64,
    self_trade_prevention_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<FillBody<'a>>>,
}

/// How far an order got.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    price: String,
    orig_qty: String,
    executed_qty: String,
    orig_quote_order_qty: String,
    // The venue's spelling.
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    side: &'static str,
}

/// One fill of a new order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FillBody<'a> {
    price: String,
    qty: String,
    commission: String,
    commission_asset: &'a str,
    trade_id: u64,
}

/// A cancelled order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cancelled<'a> {
    symbol: &'a str,
    orig_client_order_id: &'a str,
    order_id: u64,
    order_list_id: i64,
    client_order_id: &'a str,
    transact_time: i64,
    #[serde(flatten)]
    state: State,
    #[serde(flatten)]
    terms: Terms,
    self_trade_prevention_mode: &'static str,
}

/// An order that was asked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Queried<'a> {
    symbol: &'a str,
    order_id: u64,
    order_list_id: i64,
    client_order_id: &'a str,
    #[serde(flatten)]
    state: State,
    stop_price: String,
    iceberg_qty: &'static str,
    time: i64,
    update_time: i64,
    is_working: bool,
    working_time: i64,
    self_trade_prevention_mode: &'static str,
    #[serde(flatten)]
    terms: Terms,
}

/// An order that was made smaller.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Amended<'a> {
    symbol: &'a str,
    order_id: u64,
    order_list_id: i64,
    orig_client_order_id: &'a str,
    client_order_id: &'a str,
    price: String,
    qty: String,
    executed_qty: String,
    prevented_qty: &'static str,
    quote_order_qty: String,
    cumulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    side: &'static str,
    #[serde(flatten)]
    terms: Terms,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    self_trade_prevention_mode: &'static str,
}

/// Terms that are told only of orders that have them.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Terms {
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_type: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_match_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_quantity: Option<String>,
}

/// One of the account's trades.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnTrade<'a> {
    symbol: &'a str,
    id: u64,
    order_id: u64,
    order_list_id: i64,
    price: String,
    qty: String,
    quote_qty: String,
    commission: String,
    commission_asset: &'a str,
    time: i64,
    is_buyer: bool,
    is_maker: bool,
    is_best_match: bool,
}

/// What stands for a moment that has not come.
const NEVER: i64 = -1;
const ZERO: &str = "0.00000000";

impl<'a> Spelling<'a> {
    fn symbol(&self) -> &'a str {
        self.symbols.name(self.instrument.id)
    }

    pub(crate) fn ack(&self, order: &'a Order) -> Ack<'a> {
        Ack {
            symbol: self.symbol(),
            order_id: order.id.0,
            order_list_id: list_id(order.list),
            client_order_id: order.client_id.as_str(),
            transact_time: self.unit.stamp(order.updated_at),
        }
    }

    pub(crate) fn placed(&self, order: &'a Order, fills: Option<&'a [Execution]>) -> Placed<'a> {
        Placed {
            ack: self.ack(order),
            state: self.state(order),
            terms: self.terms(order),
            working_time: self.working_time(order),
            self_trade_prevention_mode: self_trade(order.self_trade),
            fills: fills.map(|fills| fills.iter().map(|fill| self.fill(fill)).collect()),
        }
    }

    pub(crate) fn cancelled(&self, order: &'a Order, cancel_id: &'a str) -> Cancelled<'a> {
        Cancelled {
            symbol: self.symbol(),
            orig_client_order_id: order.client_id.as_str(),
            order_id: order.id.0,
            order_list_id: list_id(order.list),
            client_order_id: cancel_id,
            transact_time: self.unit.stamp(order.updated_at),
            state: self.state(order),
            terms: self.terms(order),
            self_trade_prevention_mode: self_trade(order.self_trade),
        }
    }

    pub(crate) fn queried(&self, order: &'a Order) -> Queried<'a> {
        Queried {
            symbol: self.symbol(),
            order_id: order.id.0,
            order_list_id: list_id(order.list),
            client_order_id: order.client_id.as_str(),
            state: self.state(order),
            stop_price: self.stop_price(order).unwrap_or_else(|| ZERO.to_owned()),
            iceberg_qty: ZERO,
            time: self.unit.stamp(order.created_at),
            update_time: self.unit.stamp(order.updated_at),
            is_working: order.working_since.is_some(),
            working_time: self.working_time(order),
            self_trade_prevention_mode: self_trade(order.self_trade),
            terms: Terms {
                stop_price: None,
                ..self.terms(order)
            },
        }
    }

    pub(crate) fn amended(&self, order: &'a Order, former_id: &'a str) -> Amended<'a> {
        let state = self.state(order);
        Amended {
            symbol: self.symbol(),
            order_id: order.id.0,
            order_list_id: list_id(order.list),
            orig_client_order_id: former_id,
            client_order_id: order.client_id.as_str(),
            price: state.price,
            qty: state.orig_qty,
            executed_qty: state.executed_qty,
            prevented_qty: ZERO,
            quote_order_qty: state.orig_quote_order_qty,
            cumulative_quote_qty: state.cummulative_quote_qty,
            status: state.status,
            time_in_force: state.time_in_force,
            kind: state.kind,
            side: state.side,
            terms: self.terms(order),
            working_time: order.working_since.map(|at| self.unit.stamp(at)),
            self_trade_prevention_mode: self_trade(order.self_trade),
        }
    }

    fn working_time(&self, order: &Order) -> i64 {
        order.working_since.map_or(NEVER, |at| self.unit.stamp(at))
    }

    fn stop_price(&self, order: &Order) -> Option<String> {
        let stop = order.trigger?.price?;
        Some(decimals::price(self.instrument, stop))
    }

    fn terms(&self, order: &Order) -> Terms {
        let prevented = self.prevented.of(order);
        Terms {
            stop_price: self.stop_price(order),
            trailing_delta: order
                .trigger
                .and_then(|trigger| trigger.trailing)
                .map(|delta| delta.0),
            trailing_time: trailing_time(order)
                .map(|at| at.map_or(NEVER, |at| self.unit.stamp(at))),
            strategy_id: order.labels.strategy,
            strategy_type: order.labels.strategy_kind,
            expiry_reason: expiry_reason(order),
            prevented_match_id: prevented.map(|one| one.id),
            prevented_quantity: prevented
                .map(|_| decimals::quantity(self.instrument, order.remaining())),
        }
    }

    pub(crate) fn own_trade(&self, fill: &Execution, list: Option<ListId>) -> OwnTrade<'a> {
        OwnTrade {
            symbol: self.symbol(),
            id: fill.trade_id.0,
            order_id: fill.order_id.0,
            order_list_id: list_id(list),
            price: decimals::price(self.instrument, fill.price),
            qty: decimals::quantity(self.instrument, fill.quantity),
            quote_qty: decimals::amount(fill.quote),
            commission: decimals::amount(fill.fee.amount),
            commission_asset: self.symbols.asset(fill.fee.asset),
            time: self.unit.stamp(fill.at),
            is_buyer: fill.side == Side::Buy,
            is_maker: fill.liquidity == Liquidity::Maker,
            is_best_match: true,
        }
    }

    fn state(&self, order: &Order) -> State {
        State {
            price: order.kind.limit().map_or_else(
                || ZERO.to_owned(),
                |price| decimals::price(self.instrument, price),
            ),
            orig_qty: decimals::quantity(self.instrument, order.quantity),
            executed_qty: decimals::quantity(self.instrument, order.filled),
            orig_quote_order_qty: decimals::amount(order.quote_wanted),
            cummulative_quote_qty: decimals::amount(order.quote_filled),
            status: status(order),
            time_in_force: time_in_force(order.kind),
            kind: kind(order),
            side: side(order.side),
        }
    }

    fn fill(&self, fill: &Execution) -> FillBody<'a> {
        FillBody {
            price: decimals::price(self.instrument, fill.price),
            qty: decimals::quantity(self.instrument, fill.quantity),
            commission: decimals::amount(fill.fee.amount),
            commission_asset: self.symbols.asset(fill.fee.asset),
            trade_id: fill.trade_id.0,
        }
    }
}
