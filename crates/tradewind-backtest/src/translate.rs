//! Translates the exchange's reports to the desk's, as a venue's adapter does with wire messages.

use tradewind_model::{
    AccountId, ClientOrderId, ExecutionReport, Fill, InstrumentId, Quantity, RejectReason,
    ReportKind, Timestamp,
};
use tradewind_simx::{Execution, OrderEvent, OrderReport, Refusal};

pub(crate) fn answer(
    account: AccountId,
    instrument: InstrumentId,
    client_id: ClientOrderId,
    kind: ReportKind,
    at: Timestamp,
) -> ExecutionReport {
    ExecutionReport {
        account,
        instrument,
        client_id,
        venue_order_id: None,
        kind,
        cumulative: None,
        event_time: Some(at),
    }
}

pub(crate) fn reason(refusal: Refusal) -> RejectReason {
    RejectReason {
        code: refusal.code(),
        text: refusal.to_string(),
    }
}

/// The exchange's report on an order, as a report to the desk; `None` for an order that is not the desk's.
pub(crate) fn translate(report: &OrderReport) -> Option<ExecutionReport> {
    let order = &report.order;
    let client_id = order.client_id.to_desk()?;
    let kind = match &report.event {
        OrderEvent::Accepted | OrderEvent::Activated | OrderEvent::Amended { .. } => {
            ReportKind::Accepted
        }
        OrderEvent::Filled(execution) => ReportKind::Filled(fill(client_id, execution)),
        OrderEvent::Cancelled { .. } => ReportKind::Cancelled,
        OrderEvent::Expired(_) => ReportKind::Expired,
    };
    let cumulative = match report.event {
        OrderEvent::Accepted | OrderEvent::Activated => Quantity::ZERO,
        OrderEvent::Amended { .. }
        | OrderEvent::Filled(_)
        | OrderEvent::Cancelled { .. }
        | OrderEvent::Expired(_) => order.filled,
    };
    Some(ExecutionReport {
        account: order.account,
        instrument: order.instrument,
        client_id,
        venue_order_id: Some(order.id),
        kind,
        cumulative: Some(cumulative),
        event_time: Some(report.at),
    })
}

const fn fill(client_id: ClientOrderId, execution: &Execution) -> Fill {
    Fill {
        account: execution.account,
        instrument: execution.instrument,
        trade_id: execution.trade_id,
        venue_order_id: execution.order_id,
        client_id,
        side: execution.side,
        price: execution.price,
        quantity: execution.quantity,
        fee: execution.fee,
        liquidity: execution.liquidity,
        event_time: execution.at,
    }
}
