//! Orders and executions in the venue's JSON: the bodies that REST and the WebSocket API share.

use serde::Serialize;
use tradewind_model::{
    Instrument, Liquidity, OrderKind, OrderStatus, Side, TimeInForce, Timestamp,
};
use tradewind_simx::{EndReason, Execution, Order};

use super::errors::ApiError;
use crate::decimals;
use crate::symbols::Symbols;

/// The unit of stamps in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    stop_price: &'static str,
    iceberg_qty: &'static str,
    time: i64,
    update_time: i64,
    is_working: bool,
    working_time: i64,
    self_trade_prevention_mode: &'static str,
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

const NO_LIST: i64 = -1;
const NO_PREVENTION: &str = "NONE";
const ZERO: &str = "0.00000000";

impl<'a> Spelling<'a> {
    fn symbol(&self) -> &'a str {
        self.symbols.name(self.instrument.id)
    }

    pub(crate) fn ack(&self, order: &'a Order) -> Ack<'a> {
        Ack {
            symbol: self.symbol(),
            order_id: order.id.0,
            order_list_id: NO_LIST,
            client_order_id: order.client_id.as_str(),
            transact_time: self.unit.stamp(order.updated_at),
        }
    }

    pub(crate) fn placed(&self, order: &'a Order, fills: Option<&'a [Execution]>) -> Placed<'a> {
        Placed {
            ack: self.ack(order),
            state: self.state(order),
            working_time: self.unit.stamp(order.created_at),
            self_trade_prevention_mode: NO_PREVENTION,
            fills: fills.map(|fills| fills.iter().map(|fill| self.fill(fill)).collect()),
        }
    }

    pub(crate) fn cancelled(&self, order: &'a Order, cancel_id: &'a str) -> Cancelled<'a> {
        Cancelled {
            symbol: self.symbol(),
            orig_client_order_id: order.client_id.as_str(),
            order_id: order.id.0,
            order_list_id: NO_LIST,
            client_order_id: cancel_id,
            transact_time: self.unit.stamp(order.updated_at),
            state: self.state(order),
            self_trade_prevention_mode: NO_PREVENTION,
        }
    }

    pub(crate) fn queried(&self, order: &'a Order) -> Queried<'a> {
        Queried {
            symbol: self.symbol(),
            order_id: order.id.0,
            order_list_id: NO_LIST,
            client_order_id: order.client_id.as_str(),
            state: self.state(order),
            stop_price: ZERO,
            iceberg_qty: ZERO,
            time: self.unit.stamp(order.created_at),
            update_time: self.unit.stamp(order.updated_at),
            is_working: true,
            working_time: self.unit.stamp(order.created_at),
            self_trade_prevention_mode: NO_PREVENTION,
        }
    }

    pub(crate) fn own_trade(&self, fill: &Execution) -> OwnTrade<'a> {
        OwnTrade {
            symbol: self.symbol(),
            id: fill.trade_id.0,
            order_id: fill.order_id.0,
            order_list_id: NO_LIST,
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
            kind: kind(order.kind),
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

/// The venue's word for an order's status.
pub(crate) const fn status(order: &Order) -> &'static str {
    match order.status {
        OrderStatus::Pending | OrderStatus::Unknown | OrderStatus::Accepted => "NEW",
        OrderStatus::PartiallyFilled => "PARTIALLY_FILLED",
        OrderStatus::Filled => "FILLED",
        OrderStatus::Cancelled => "CANCELED",
        OrderStatus::Expired if matches!(order.end, Some(EndReason::SelfTrade)) => {
            "EXPIRED_IN_MATCH"
        }
        OrderStatus::Expired => "EXPIRED",
        OrderStatus::Rejected | OrderStatus::NotSent => "REJECTED",
    }
}

/// The venue's word for an order's type.
pub(crate) const fn kind(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Market => "MARKET",
        OrderKind::Limit { .. } => "LIMIT",
        OrderKind::PostOnly { .. } => "LIMIT_MAKER",
    }
}

/// The venue's word for how long an order stays; GTC for types that do not say.
pub(crate) const fn time_in_force(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Limit {
            time_in_force: TimeInForce::ImmediateOrCancel,
            ..
        } => "IOC",
        OrderKind::Limit {
            time_in_force: TimeInForce::FillOrKill,
            ..
        } => "FOK",
        OrderKind::Limit { .. } | OrderKind::Market | OrderKind::PostOnly { .. } => "GTC",
    }
}

/// BUY or SELL.
pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}
