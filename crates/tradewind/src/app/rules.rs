//! Reads the rules of the instruments in use again: every half hour, and soon after the venue refused an order by a filter.
//! A venue may change ticks, steps and minimums while the desk trades (V16).

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_bus::{Received, Subscription};
use tradewind_events::{EventKind, Input};
use tradewind_model::AccountId;
use tradewind_venues::Venue;

use crate::driver::InputQueues;

/// Between two readings when nothing was refused.
const EVERY: Duration = Duration::from_secs(30 * 60);
/// Between two readings, however many orders are refused.
const AGAIN: Duration = Duration::from_secs(5);
/// The venue's code for an order that fails a filter.
const FILTER_FAILURE: i32 = -1013;

/// Reads the rules of one account's venue for as long as the desk runs.
#[derive(Debug)]
pub(crate) struct Rules {
    /// The account whose refused orders count.
    pub(crate) account: AccountId,
    /// Its venue.
    pub(crate) venue: Arc<dyn Venue>,
    /// Where changes go.
    pub(crate) queues: Arc<InputQueues>,
    /// Events of refused orders.
    pub(crate) rejections: Subscription,
}

impl Rules {
    /// Reads until `stop`.
    ///
    /// # Errors
    /// Never; a component's signature.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(EVERY) => {}
                () = self.refused() => {}
            }
            self.read().await;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(AGAIN) => {}
                () = self.ignored() => {}
            }
        }
    }

    /// Ignores refusals of orders that were sent before the rules were read. Never resolves.
    async fn ignored(&mut self) {
        loop {
            self.refused().await;
        }
    }

    /// Waits until the venue refused an order of the account by a filter.
    async fn refused(&mut self) {
        loop {
            match self.rejections.recv().await {
                Some(Received::Event(event)) => {
                    if let EventKind::OrderRejected { terms, reason, .. } = &event.kind
                        && terms.account == self.account
                        && reason.code == FILTER_FAILURE
                    {
                        return;
                    }
                }
                // A lost event may have been a refusal.
                Some(Received::Gap { .. }) => return,
                None => std::future::pending().await,
            }
        }
    }

    async fn read(&self) {
        match self.venue.changed_instruments().await {
            Ok(changed) => {
                for instrument in changed {
                    tracing::warn!(instrument = %instrument.name, "The venue changed an instrument's rules.");
                    self.queues
                        .control(Input::InstrumentChanged(Box::new(instrument)));
                }
            }
            Err(error) => tracing::warn!(%error, "The instruments' rules could not be read again."),
        }
    }
}
