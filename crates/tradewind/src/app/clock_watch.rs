//! How well each account's venue clock is known, as an input of the engine (R24).
//!
//! The engine adds the drift since the last reading by itself, so that an account whose watch ends grows uncertain.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_events::{Input, StreamChange};
use tradewind_model::AccountId;
use tradewind_venues::Venue;

use super::supervisor::Supervisor;
use super::venue::Venues;
use crate::driver::InputQueues;

/// Between two looks while the clock is known, and before.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const LOOK_FIRST: Duration = Duration::from_millis(250);
/// What is reported before the first reading of the venue's clock.
const UNKNOWN: Duration = Duration::from_secs(3_600);

/// Watches the clock of every account's venue.
pub(super) fn start_clock_watch(
    supervisor: &mut Supervisor,
    venues: &Venues,
    accounts: impl Iterator<Item = AccountId>,
    queues: &Arc<InputQueues>,
) {
    for (account, venue) in accounts.zip(&venues.accounts) {
        let (venue, queues) = (Arc::clone(venue), Arc::clone(queues));
        supervisor.keep("venue clock", move |stop| {
            let (venue, queues) = (Arc::clone(&venue), Arc::clone(&queues));
            async move {
                watch(account, venue, queues, stop).await;
                Ok(())
            }
        });
    }
}

async fn watch(
    account: AccountId,
    venue: Arc<dyn Venue>,
    queues: Arc<InputQueues>,
    stop: CancellationToken,
) {
    let mut is_first = true;
    loop {
        let known = venue.clock_uncertainty();
        if known.is_some() || is_first {
            let uncertainty = known.unwrap_or(UNKNOWN);
            let change = Box::new(StreamChange::Clock { uncertainty });
            queues.control(Input::AccountStream { account, change });
        }
        is_first = false;
        let wait = known.map_or(LOOK_FIRST, |_| LOOK_EVERY);
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
