//! Whether orders can leave for the venue of each account, as an input of the engine, which halts the account while none can.
//!
//! They cannot while the venue blocks requests or the budget of the minute is spent, while it refuses time stamps and its clock cannot be
//! read, and while it does not answer. The last is tried only while the account's stream is down: a live stream is an answer.
//! A venue that did not answer the start is read here, too (N01).

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_events::{Input, StreamChange};
use tradewind_model::AccountId;
use tradewind_venues::{Backoff, OrdersBlocked, Venue};

use crate::app::echoes::Echoes;
use crate::app::supervisor::Supervisor;
use crate::app::unanswered::{is_key_refused, unanswered, waits};
use crate::app::venue::{Venues, read_venue};
use crate::config::{AccountSettings, DeskConfig};
use crate::driver::InputQueues;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest wait for the answer to a probe.
const PROBE_WITHIN: Duration = Duration::from_secs(5);
/// After so long it is reported again: a report that found no room in the queue is made up for.
const AGAIN_EVERY: Duration = Duration::from_secs(30);
/// An exit that waits no longer than this is on its way.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Watches one account.
struct OrderEntryWatch {
    account: AccountId,
    settings: AccountSettings,
    venue: Arc<dyn Venue>,
    echoes: Arc<Echoes>,
    queues: Arc<InputQueues>,
}

/// Starts the watch of every account. An account whose venue did not answer the start is blocked before anything else is handled.
pub(super) fn start_order_entry_watch(
    supervisor: &mut Supervisor,
    config: &DeskConfig,
    venues: &Venues,
    (echoes, queues): (&Arc<Echoes>, &Arc<InputQueues>),
) {
    let accounts = config.accounts.iter().zip(&venues.accounts);
    for (account, (settings, venue)) in (0..).map(AccountId).zip(accounts) {
        let watch = OrderEntryWatch {
            account,
            settings: settings.clone(),
            venue: Arc::clone(venue),
            echoes: Arc::clone(echoes),
            queues: Arc::clone(queues),
        };
        let unread = venues.unread.get(&account).cloned();
        watch.say(unread.as_deref());
        // Its error is one that a person must see; the process is started again.
        supervisor.start("order entry", |stop| watch.run(unread, stop));
    }
}

impl OrderEntryWatch {
    async fn run(self, mut unread: Option<String>, stop: CancellationToken) -> anyhow::Result<()> {
        let (mut backoff, mut said, mut said_at) = (waits(), unread.clone(), now());
        loop {
            // A stream that is up shows that the venue answers again.
            let is_silent = unread.is_some() && !self.echoes.is_live(self.account);
            let wait = match is_silent {
                true => backoff.next_wait().max(LOOK_EVERY),
                false => LOOK_EVERY,
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
            let blocked = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                blocked = self.look(&mut unread, &backoff) => blocked?,
            };
            if blocked != said || said_at.elapsed() >= AGAIN_EVERY {
                self.say(blocked.as_deref());
                (said, said_at) = (blocked, now());
            }
        }
    }

    /// What keeps orders here now.
    async fn look(
        &self,
        unread: &mut Option<String>,
        backoff: &Backoff,
    ) -> anyhow::Result<Option<String>> {
        if unread.is_none() {
            return Ok(self.blocked().await);
        }
        *unread = self.read_late(backoff).await?;
        Ok(unread.clone())
    }

    /// Reads the venue that did not answer the start. Returns why it still does not.
    ///
    /// # Errors
    /// The account's key is refused.
    async fn read_late(&self, backoff: &Backoff) -> anyhow::Result<Option<String>> {
        let read = async {
            read_venue(&self.settings, &*self.venue).await?;
            anyhow::Ok(self.venue.changed_instruments().await?)
        };
        match read.await {
            Ok(changed) => {
                let venue = &self.settings.venue;
                tracing::info!(venue, "The venue answers now.");
                for instrument in changed {
                    self.queues
                        .control(Input::InstrumentChanged(Box::new(instrument)));
                }
                Ok(None)
            }
            Err(error) if is_key_refused(&error) => Err(error),
            Err(error) => {
                let why = unanswered(&self.settings.venue, &error);
                tracing::warn!(
                    why,
                    tries = backoff.failures(),
                    "The venue is tried again; the account is halted until it answers."
                );
                Ok(Some(why))
            }
        }
    }

    async fn blocked(&self) -> Option<String> {
        let venue = &self.settings.venue;
        match self.venue.orders_blocked() {
            Some(OrdersBlocked::Budget(wait)) if wait > WAIT_MAX => {
                return Some(format!("{venue} takes no more requests for now"));
            }
            Some(OrdersBlocked::Clock) => {
                return Some(format!(
                    "{venue} refused a time stamp, and its clock cannot be read"
                ));
            }
            Some(OrdersBlocked::Budget(_)) | None => {}
        }
        if self.echoes.is_live(self.account) {
            return None;
        }
        match tokio::time::timeout(PROBE_WITHIN, self.venue.server_time()).await {
            Ok(Ok(_)) => None,
            // It refused, which is an answer.
            Ok(Err(error)) if !error.is_transient() => None,
            Ok(Err(error)) => Some(unanswered(venue, &error.into())),
            Err(_) => {
                let seconds = PROBE_WITHIN.as_secs();
                Some(format!("{venue} does not answer within {seconds} s"))
            }
        }
    }

    fn say(&self, blocked: Option<&str>) {
        let blocked = blocked.map(str::to_owned);
        self.queues.control(Input::AccountStream {
            account: self.account,
            change: Box::new(StreamChange::OrderEntry { blocked }),
        });
    }
}

fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
