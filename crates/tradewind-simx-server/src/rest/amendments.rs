//! What was done to orders that were made smaller.
//!
//! The core tells of each amendment; the newest are kept here, in memory only: after a restart the list begins anew.

use std::collections::VecDeque;

use serde::Serialize;
use tradewind_simx::{OrderEvent, OrderReport};

use super::errors::ApiError;
use super::page::page;
use super::signing::Caller;
use super::{Call, Outcome, body};
use crate::core::Core;
use crate::decimals;

/// Amendments remembered of all accounts.
const KEPT: usize = 10_000;

/// The newest amendments.
#[derive(Debug, Default)]
pub(crate) struct Amendments(VecDeque<OrderReport>);

impl Amendments {
    /// Looks through the reports of one action for amendments.
    pub(crate) fn note(&mut self, reports: &[OrderReport]) {
        let is_one = |report: &&OrderReport| matches!(report.event, OrderEvent::Amended { .. });
        for report in reports.iter().filter(is_one) {
            if self.0.len() == KEPT {
                self.0.pop_front();
            }
            self.0.push_back(*report);
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amendment<'a> {
    symbol: &'a str,
    order_id: u64,
    execution_id: u64,
    orig_client_order_id: &'a str,
    new_client_order_id: &'a str,
    orig_qty: String,
    new_qty: String,
    time: i64,
}

/// The amendments of one order, oldest first.
pub(super) fn query(core: &mut Core, call: Call<'_>, caller: Caller) -> Outcome {
    let instrument = call.instrument(core)?;
    let wanted = call.params.integer("orderId")?;
    let wanted = wanted.ok_or_else(|| ApiError::mandatory("orderId"))?;
    let from = call.params.integer("fromExecutionId")?.unwrap_or(0);
    let limit = call.params.limit(500, 1_000)?;
    let of_order = |report: &&OrderReport| {
        let order = &report.order;
        (order.account, order.instrument) == (caller.account, instrument.id)
            && i64::try_from(order.id.0) == Ok(wanted)
    };
    let reaches = |report: &OrderReport| i64::try_from(report.id).is_ok_and(|id| id >= from);
    let found = page(
        core.amendments.0.iter().filter(of_order),
        limit,
        Some(reaches),
    );
    let one = |report: &'_ OrderReport| {
        let OrderEvent::Amended {
            former_id,
            former_quantity,
        } = report.event
        else {
            return None;
        };
        Some(body(&Amendment {
            symbol: core.symbols.name(instrument.id),
            order_id: report.order.id.0,
            execution_id: report.id,
            orig_client_order_id: former_id.as_str(),
            new_client_order_id: report.order.client_id.as_str(),
            orig_qty: decimals::quantity(instrument, former_quantity),
            new_qty: decimals::quantity(instrument, report.order.quantity),
            time: call.unit.stamp(report.at),
        }))
    };
    let bodies: Result<Vec<String>, _> = found.iter().filter_map(one).collect();
    Ok(format!("[{}]", bodies?.join(",")))
}
