//! The venue's words for what an order and a list are.

use tradewind_model::{OrderKind, OrderStatus, Side, TimeInForce, Timestamp};
use tradewind_simx::{EndReason, ListId, ListKind, ListStatus, Order, Purpose, SelfTrade};

/// The venue's word for an order's status.
pub(crate) const fn status(order: &Order) -> &'static str {
    match order.status {
        OrderStatus::Pending => "PENDING_NEW",
        OrderStatus::Unknown | OrderStatus::Accepted => "NEW",
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

/// The venue's word for why an order expired, if it did for a reason that it has a word for.
pub(crate) fn expiry_reason(order: &Order) -> Option<&'static str> {
    match order.end? {
        EndReason::NoLiquidity => Some("INSUFFICIENT_LIQUIDITY"),
        EndReason::TimeInForce if is_all_or_nothing(order) => Some("UNFILLED_FOK_ORDER_EXPIRED"),
        EndReason::TimeInForce => Some("UNFILLED_IOC_QUANTITY_EXPIRED"),
        EndReason::List => Some("OCO_TRIGGER"),
        EndReason::Entry => Some("OTO_PHASE_ONE_EXPIRED"),
        EndReason::Refused(_) => Some("REJECTED"),
        EndReason::Venue => Some("EXCHANGE_CANCELED"),
        EndReason::SelfTrade => None,
    }
}

const fn is_all_or_nothing(order: &Order) -> bool {
    matches!(
        order.kind,
        OrderKind::Limit {
            time_in_force: TimeInForce::FillOrKill,
            ..
        }
    )
}

/// The venue's word for an order's type.
pub(crate) const fn kind(order: &Order) -> &'static str {
    match (order.kind, order.trigger) {
        (OrderKind::Market, None) => "MARKET",
        (OrderKind::Limit { .. }, None) => "LIMIT",
        (OrderKind::PostOnly { .. }, _) => "LIMIT_MAKER",
        (OrderKind::Stop { .. }, None) => "STOP_LOSS",
        (OrderKind::StopLimit { .. }, None) => "STOP_LOSS_LIMIT",
        (OrderKind::Market | OrderKind::Stop { .. }, Some(trigger)) => match trigger.purpose {
            Purpose::StopLoss => "STOP_LOSS",
            Purpose::TakeProfit => "TAKE_PROFIT",
        },
        (OrderKind::Limit { .. } | OrderKind::StopLimit { .. }, Some(trigger)) => {
            match trigger.purpose {
                Purpose::StopLoss => "STOP_LOSS_LIMIT",
                Purpose::TakeProfit => "TAKE_PROFIT_LIMIT",
            }
        }
    }
}

/// The venue's word for what happens when an order meets one of its own account.
pub(crate) const fn self_trade(rule: SelfTrade) -> &'static str {
    match rule {
        SelfTrade::Allowed => "NONE",
        SelfTrade::ExpireTaker => "EXPIRE_TAKER",
        SelfTrade::ExpireMaker => "EXPIRE_MAKER",
        SelfTrade::ExpireBoth => "EXPIRE_BOTH",
    }
}

/// A list's id as orders tell it; -1 for an order that is in none.
pub(crate) fn list_id(list: Option<ListId>) -> i64 {
    list.and_then(|list| i64::try_from(list.0).ok())
        .unwrap_or(-1)
}

/// Since when a trailing order tracks the market, if it does; `None` for orders that do not trail.
pub(crate) fn trailing_time(order: &Order) -> Option<Option<Timestamp>> {
    let trigger = order.trigger?;
    trigger.trailing?;
    Some(trigger.tracking.map(|tracking| tracking.since))
}

/// The venue's word for what ties a list together.
pub(crate) const fn contingency(kind: ListKind) -> &'static str {
    match kind {
        ListKind::OneCancelsOther => "OCO",
        ListKind::OneTriggersOther | ListKind::OneTriggersPair => "OTO",
    }
}

/// The venue's words for whether a list is done: of its last step, and of its orders.
pub(crate) const fn list_status(status: ListStatus) -> (&'static str, &'static str) {
    match status {
        ListStatus::Executing => ("EXEC_STARTED", "EXECUTING"),
        ListStatus::AllDone => ("ALL_DONE", "ALL_DONE"),
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
        OrderKind::Limit { .. }
        | OrderKind::Market
        | OrderKind::PostOnly { .. }
        | OrderKind::Stop { .. }
        | OrderKind::StopLimit { .. } => "GTC",
    }
}

/// BUY or SELL.
pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}
