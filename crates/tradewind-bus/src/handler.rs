//! Running a handler over a subscription, so that its faults are its own.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tradewind_events::Event;

use crate::bus::Bus;
use crate::subscription::{Received, Subscription};

/// Handlers an event may come through one after the other.
const HOPS_MAX: u8 = 16;

/// What a handler publishes with: it counts the hops, so that a handler that triggers itself ends (L10).
#[derive(Clone, Debug)]
pub struct Publisher {
    bus: Bus,
    hops: u8,
}

/// An event came through too many handlers: one of them triggers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event came through {HOPS_MAX} handlers: one of them triggers itself")]
pub struct TooManyHops;

impl Publisher {
    /// Publishes an event that is a consequence of the one being handled.
    ///
    /// # Errors
    /// [`TooManyHops`]; the event is not published. A person should investigate.
    pub fn publish(&self, event: &Arc<Event>) -> Result<(), TooManyHops> {
        if self.hops >= HOPS_MAX {
            return Err(TooManyHops);
        }
        self.bus
            .publish_hop(std::slice::from_ref(event), self.hops + 1);
        Ok(())
    }
}

/// What a handler did until it was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandlerReport {
    /// Events and gaps handled, those it panicked at among them.
    pub handled: u64,
    /// How often it panicked. It got the next event all the same.
    pub panics: u64,
}

/// Hands what `subscription` receives to `handler`, one after the other, until it is stopped and empty.
///
/// A panic is caught and counted; `on_panic` is called, and the handler continues with the next event. A handler that never
/// returns delays only itself: its queue applies its overflow policy.
pub async fn run_handler<F, Fut>(
    bus: Bus,
    mut subscription: Subscription,
    mut handler: F,
    mut on_panic: impl FnMut(&Received),
) -> HandlerReport
where
    F: FnMut(Received, Publisher) -> Fut,
    Fut: Future<Output = ()>,
{
    let mut report = HandlerReport::default();
    while let Some(received) = subscription.recv().await {
        let publisher = Publisher {
            bus: bus.clone(),
            hops: subscription.hops(),
        };
        report.handled += 1;
        // The call itself may panic as well as the future it returns.
        let handled = async { handler(received.clone(), publisher).await };
        if AssertUnwindSafe(handled).catch_unwind().await.is_err() {
            report.panics += 1;
            on_panic(&received);
        }
    }
    report
}
