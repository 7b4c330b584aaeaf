//! The order log: one JSON object a line for each thing that happened to an order, and for each fault that struck.
//!
//! Lines go through a bounded queue to a thread that writes and flushes them. Whoever reads slowly loses lines, which are
//! counted; the exchange never waits.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Sender, TrySendError};
use serde_json::{Value, json};
use tradewind_model::Timestamp;
use tradewind_simx::{OrderEvent, OrderReport};

use crate::core::Core;
use crate::decimals;
use crate::rest::{ApiError, Params, kind, side, status};

/// Lines that may wait.
const LINES: usize = 16_384;

/// Where the lines go.
#[derive(Clone, Debug)]
pub struct OrderLog {
    lines: Sender<String>,
    dropped: Arc<AtomicU64>,
}

/// One line's content.
#[derive(Debug)]
pub(crate) struct LogEvent(Value);

impl OrderLog {
    /// Writes to `sink` from a thread of its own, which ends with the last clone of this log or when the sink fails.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn to(mut sink: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (lines, written) = crossbeam_channel::bounded::<String>(LINES);
        std::thread::Builder::new()
            .name("order-log".to_owned())
            .spawn(move || {
                for line in written {
                    let done = sink.write_all(line.as_bytes()).and_then(|()| sink.flush());
                    if let Err(error) = done {
                        tracing::warn!(%error, "The order log ends");
                        return;
                    }
                }
            })?;
        Ok(Self {
            lines,
            dropped: Arc::default(),
        })
    }

    /// Lines that were lost because the reader was too slow, or is gone.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn write(&self, event: &LogEvent) {
        let line = format!("{}\n", event.0);
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.lines.try_send(line)
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl LogEvent {
    /// A fault struck, for the `hits`th time.
    pub(crate) fn fault(at: Timestamp, name: &str, hits: u64) -> Self {
        Self(json!({ "v": 1, "at": at.to_string(), "event": "fault", "name": name, "hits": hits }))
    }

    /// Something happened to an order.
    pub(crate) fn report(core: &Core, report: &OrderReport) -> Option<Self> {
        let order = &report.order;
        let rules = core.exchange.instruments().get(order.instrument.index())?;
        let mut line = json!({
            "v": 1, "at": report.at.to_string(), "event": name(report.event), "account": core.key_of(order.account),
            "symbol": core.symbols.name(order.instrument), "order": order.id.0, "client": order.client_id.as_str(),
            "side": side(order.side), "type": kind(order), "status": status(order),
            "quantity": decimals::quantity(rules, order.quantity), "filled": decimals::quantity(rules, order.filled),
            "price": order.kind.limit().map(|price| decimals::price(rules, price)),
        });
        if let OrderEvent::Filled(fill) = report.event {
            line["trade"] = json!({
                "id": fill.trade_id.0, "price": decimals::price(rules, fill.price),
                "quantity": decimals::quantity(rules, fill.quantity), "fee": decimals::amount(fill.fee.amount),
                "fee_asset": core.symbols.asset(fill.fee.asset),
            });
        }
        Some(Self(line))
    }

    /// A call that would have changed orders was refused.
    pub(crate) fn refused(
        at: Timestamp,
        account: Option<&str>,
        params: &Params,
        error: &ApiError,
    ) -> Self {
        Self(json!({
            "v": 1, "at": at.to_string(), "event": "order_refused", "account": account, "symbol": params.text("symbol"),
            "client": params.text("newClientOrderId"), "side": params.text("side"), "type": params.text("type"),
            "code": error.code, "message": error.message,
        }))
    }
}

const fn name(event: OrderEvent) -> &'static str {
    match event {
        OrderEvent::Accepted => "order_accepted",
        OrderEvent::Activated => "order_activated",
        OrderEvent::Amended { .. } => "order_amended",
        OrderEvent::Filled(_) => "order_filled",
        OrderEvent::Cancelled { .. } => "order_cancelled",
        OrderEvent::Expired(_) => "order_expired",
    }
}
