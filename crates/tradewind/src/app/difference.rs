//! Compares each account's balances at the venue with the desk's ledger, for display.
//!
//! The two can only be compared when no fill lies between them. So a view of the desk is taken before and after the venue
//! is read. If a fill came between, or an order is in flight, the reading is dropped and made again: after a moment, and after twice as
//! long each further time, since every reading takes from the request weight that orders need.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio_util::sync::CancellationToken;
use tradewind_api::{VenueBalance, VenueBalances};
use tradewind_events::DeskView;
use tradewind_model::{AccountId, Amount, AssetId, Clock, OrderKind, OrderStatus};
use tradewind_venues::{AssetBalance, Venue};

use crate::driver::DeskHandle;

/// Between two comparisons.
const EVERY: Duration = Duration::from_secs(5);
/// Before a comparison that could not be made is tried again: doubled each time, up to [`EVERY`].
const AGAIN: Duration = Duration::from_millis(300);
/// How often an account is looked at until it is reconciled.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What is known of an account at its venue.
#[derive(Clone, Debug, Default)]
pub(crate) struct VenueState {
    /// Whether it was reconciled since the start. A desk whose orders fly all the time may have no comparison for long.
    pub(crate) reconciled: Arc<AtomicBool>,
    /// The latest comparison.
    pub(crate) latest: Arc<ArcSwapOption<VenueBalances>>,
}

/// Compares one account with its venue, for as long as the desk runs.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// The account.
    pub(crate) account: AccountId,
    /// Its venue.
    pub(crate) venue: Arc<dyn Venue>,
    /// The desk.
    pub(crate) desk: DeskHandle,
    /// The desk's clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// What others see of it.
    pub(crate) state: VenueState,
}

impl Difference {
    /// Reads and compares until `stop` is cancelled.
    ///
    /// # Errors
    /// Never; a component's signature.
    pub(crate) async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let is_reconciled = self.until_reconciled();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = is_reconciled => {}
        }
        let mut pauses = Pauses::default();
        loop {
            let wait = pauses.after(self.compare().await);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Waits until the account is reconciled, and says so.
    async fn until_reconciled(&self) {
        let account = self.account;
        loop {
            let look = self.desk.look(move |engine| engine.is_reconciled(account));
            match look.await {
                Some(true) => break,
                Some(false) => tokio::time::sleep(LOOK_EVERY).await,
                None => return,
            }
        }
        self.state.reconciled.store(true, Ordering::Relaxed);
    }

    /// Compares once.
    async fn compare(&self) -> Comparison {
        let account = self.account;
        let before = self
            .desk
            .look(move |engine| settled(engine.view(), account).map(|view| view.counters.fills))
            .await;
        let fills = match before {
            None => return Comparison::Made,
            Some(None) => return Comparison::Unsettled,
            Some(Some(fills)) => fills,
        };
        let balances = match self.venue.balances().await {
            Ok(balances) => balances,
            Err(error) => {
                tracing::debug!(%error, "The account could not be read for comparison.");
                return Comparison::Dropped;
            }
        };
        let after = self
            .desk
            .look(move |engine| settled(engine.view(), account))
            .await;
        let Some(Some(view)) = after else {
            return Comparison::Dropped;
        };
        if view.counters.fills != fills {
            return Comparison::Dropped;
        }
        // A resting order may have filled just before the reading, and its report come later than the reading. A difference
        // counts only if no fill follows.
        if !agrees(&view, account, &balances) && self.fills_after(AGAIN).await != Some(fills) {
            return Comparison::Dropped;
        }
        let balance = |held: &AssetBalance| VenueBalance {
            asset: held.asset,
            free: held.free,
            locked: held.locked,
        };
        self.state.latest.store(Some(Arc::new(VenueBalances {
            account,
            read_at: self.clock.now(),
            view: Arc::new(view),
            balances: balances.iter().map(balance).collect(),
        })));
        Comparison::Made
    }

    /// The desk's count of fills after `moment`.
    async fn fills_after(&self, moment: Duration) -> Option<u64> {
        tokio::time::sleep(moment).await;
        self.desk.look(|engine| engine.view().counters.fills).await
    }
}

/// What became of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Made,
    /// Orders are on their way; the venue was not read.
    Unsettled,
    /// The venue was read, and the account moved meanwhile or could not be read.
    Dropped,
}

/// How long to wait after a comparison.
#[derive(Debug, Default)]
struct Pauses {
    /// Readings that were dropped since the last comparison.
    dropped: u32,
}

impl Pauses {
    fn after(&mut self, comparison: Comparison) -> Duration {
        match comparison {
            Comparison::Made => {
                self.dropped = 0;
                EVERY
            }
            Comparison::Unsettled => AGAIN,
            Comparison::Dropped => {
                let wait = AGAIN.saturating_mul(1 << self.dropped.min(16));
                self.dropped = self.dropped.saturating_add(1);
                wait.min(EVERY)
            }
        }
    }
}

/// Whether desk and venue have the same total of each asset.
fn agrees(view: &DeskView, account: AccountId, balances: &[AssetBalance]) -> bool {
    let desk = |asset: AssetId| -> Amount {
        let own = view.balances.iter();
        own.filter(|balance| balance.account == account && balance.asset == asset)
            .map(|balance| balance.amount)
            .sum()
    };
    balances
        .iter()
        .all(|held| held.free + held.locked == desk(held.asset))
}

/// The view, if the account is reconciled and none of its orders can be filling at this moment.
fn settled(view: DeskView, account: AccountId) -> Option<DeskView> {
    let reconciled = view
        .accounts
        .iter()
        .any(|known| known.account == account && known.reconciled);
    let moving = view
        .orders
        .iter()
        .filter(|order| order.terms.account == account)
        .any(|order| {
            matches!(order.status, OrderStatus::Pending | OrderStatus::Unknown)
                || order.terms.kind == OrderKind::Market
        });
    (reconciled && !moving).then_some(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_moves_is_read_ever_later_for_a_comparison() {
        let mut pauses = Pauses::default();
        let mut waits = |comparisons: &[Comparison]| -> Vec<u128> {
            let waits = comparisons.iter().map(|it| pauses.after(*it).as_millis());
            waits.collect()
        };
        let dropped = [300, 600, 1_200, 2_400, 4_800, 5_000, 5_000, 5_000, 5_000];
        assert_eq!(waits(&[Comparison::Dropped; 9]), dropped);
        let then = [Comparison::Unsettled, Comparison::Made, Comparison::Dropped];
        assert_eq!(waits(&then), [300, 5_000, 300]);
    }
}
