//! Rows of history as wire types.
//!
//! The projection stores enums and numbers as text. A row with an unknown value is an internal error, answered as
//! one: leaving it out would hide a fill.

use tradewind_events::Action;
use tradewind_storage::{CommandRow, EquityRow, FillRow, OrderRow, Page, RiskEventRow};

use crate::error::ApiError;
use crate::wire::{
    AuditEntry, Decimal, EquityPoint, Fill, List, Names, Order, OrderStatus, RiskEvent,
    TimeInForce, action_text, word,
};

/// A page with each row turned by `turn`.
pub(super) fn list<R, T>(
    page: Page<R>,
    turn: impl FnMut(R) -> Result<T, ApiError>,
) -> Result<List<T>, ApiError> {
    let items = page.items.into_iter().map(turn);
    Ok(List {
        items: items.collect::<Result<_, _>>()?,
        next: page.next.map(|token| token.to_string()),
    })
}

pub(super) fn order(row: OrderRow) -> Result<Order, ApiError> {
    let status: OrderStatus = known(&row.status)?;
    let open = matches!(
        status,
        OrderStatus::Pending
            | OrderStatus::Accepted
            | OrderStatus::PartiallyFilled
            | OrderStatus::Unknown
    );
    Ok(Order {
        side: known(&row.side)?,
        order_type: known(&row.kind)?,
        time_in_force: row
            .time_in_force
            .as_deref()
            .map(time_in_force)
            .transpose()?,
        purpose: row.purpose.as_deref().map(known).transpose()?,
        client_id: row.client_id,
        venue_order_id: None,
        account: row.account,
        instrument: row.instrument,
        bot: row.bot,
        price: row.price.map(Decimal),
        quantity: Decimal(row.quantity),
        filled: Decimal(row.filled),
        status,
        open,
        placed_at: Some(row.placed_at.into()),
        updated_at: Some(row.updated_at.into()),
        placed_by: Some(row.placed_by.to_string()),
        reason: row.reason,
    })
}

pub(super) fn fill(row: FillRow) -> Result<Fill, ApiError> {
    Ok(Fill {
        side: known(&row.side)?,
        liquidity: known(&row.liquidity)?,
        trade_id: row.trade_id.to_string(),
        venue_order_id: row.venue_order_id.to_string(),
        client_id: row.client_id,
        account: row.account,
        instrument: row.instrument,
        bot: row.bot,
        price: Decimal(row.price),
        quantity: Decimal(row.quantity),
        value: row.notional.map(Decimal),
        fee: Decimal(row.fee),
        fee_asset: row.fee_asset,
        event_time: row.event_time.into(),
        event: row.event.map(|id| id.to_string()),
    })
}

pub(super) fn equity(row: EquityRow, account: &str) -> EquityPoint {
    EquityPoint {
        at: row.at.into(),
        account: account.to_owned(),
        equity: Decimal(row.equity),
        realized: Decimal(row.realized),
        unrealized: Decimal(row.unrealized),
        unpriced: row.unpriced,
    }
}

pub(super) fn risk_event(row: RiskEventRow) -> RiskEvent {
    RiskEvent {
        id: row.id.to_string(),
        at: row.at.into(),
        event_type: row.event_type,
        bot: row.bot,
        instrument: row.instrument,
        rule: row.rule,
        message: row.text,
    }
}

pub(super) fn audit_entry(row: CommandRow, names: &Names) -> Result<AuditEntry, ApiError> {
    let action: Action =
        serde_json::from_str(&row.action).map_err(|error| ApiError::internal(&error))?;
    Ok(AuditEntry {
        event: row.event.to_string(),
        at: row.at.into(),
        command: row.id,
        // The projection writes `token operator`, every other answer `token:operator`.
        principal: row.principal.replacen(' ', ":", 1),
        action: action_text(&action, names),
        accepted: row.accepted,
        result: row.text,
    })
}

fn time_in_force(text: &str) -> Result<TimeInForce, ApiError> {
    match text {
        "gtc" => Ok(TimeInForce::GoodTillCancel),
        "ioc" => Ok(TimeInForce::ImmediateOrCancel),
        "fok" => Ok(TimeInForce::FillOrKill),
        other => known(other),
    }
}

fn known<'de, T: serde::Deserialize<'de>>(text: &'de str) -> Result<T, ApiError> {
    word(text).ok_or_else(|| ApiError::internal(&format_args!("history has the word {text:?}")))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::wire::Side;

    #[test]
    fn a_word_that_is_not_ours_is_our_error() {
        assert_eq!(known::<Side>("buy"), Ok(Side::Buy));
        assert_eq!(time_in_force("ioc"), Ok(TimeInForce::ImmediateOrCancel));
        let error = known::<Side>("bye").unwrap_err();
        assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
