//! Running a handler over a subscription, so that its faults are its own.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;
use tradewind_events::Event;

use crate::bus::Bus;
use crate::queue::Queue;
use crate::subscription::{Received, Subscription};

/// Handlers an event may come through one after the other.
const HOPS_MAX: u8 = 16;
/// Events that a handler may publish in a second.
const RATE_MAX: u32 = 100;
const SECOND: Duration = Duration::from_secs(1);

/// What a handler publishes with. A handler that causes the events that start it comes to an end here (L10): hops are counted, and so is
/// what it publishes in a second. What is refused is counted, and an alarm by [`Bus::take_loops`].
#[derive(Clone, Debug)]
pub struct Publisher {
    bus: Bus,
    queue: Arc<Queue>,
    hops: u8,
}

/// Why a handler's event was not published. A person should investigate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandlerLoop {
    /// The event came through too many handlers.
    #[error(
        "the event came through {HOPS_MAX} handlers: one of them causes the events that start it"
    )]
    TooManyHops,
    /// The handler publishes too much.
    #[error("the handler published {RATE_MAX} events within a second")]
    TooFast,
}

impl Publisher {
    /// Publishes an event that is a consequence of the one being handled.
    ///
    /// # Errors
    /// [`HandlerLoop`]; the event is not published.
    pub fn publish(&self, event: &Arc<Event>) -> Result<(), HandlerLoop> {
        let refused = if self.hops >= HOPS_MAX {
            Some(HandlerLoop::TooManyHops)
        } else {
            let is_allowed = self.queue.count_published(Instant::now());
            (!is_allowed).then_some(HandlerLoop::TooFast)
        };
        if let Some(refused) = refused {
            self.queue.count_refused();
            return Err(refused);
        }
        self.bus
            .publish_hop(std::slice::from_ref(event), self.hops + 1);
        Ok(())
    }
}

/// What a handler may still publish now.
#[derive(Debug, Default)]
pub(crate) struct PublishRate {
    since: Option<Instant>,
    published: u32,
}

impl PublishRate {
    /// Counts one more. False if that is too many for this second.
    pub(crate) fn count(&mut self, now: Instant) -> bool {
        if self
            .since
            .is_none_or(|since| now.duration_since(since) >= SECOND)
        {
            *self = Self {
                since: Some(now),
                published: 0,
            };
        }
        self.published = self.published.saturating_add(1);
        self.published <= RATE_MAX
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
            queue: Arc::clone(subscription.queue()),
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
