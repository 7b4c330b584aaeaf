//! Compares each account's balances at the venue with the desk's ledger, for display.
//!
//! The two can only be compared when no fill lies between them. So a view of the desk is taken before and after the venue
//! is read. If a fill came between, or an order is in flight, the reading is dropped and made again a moment later.

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
/// Before a comparison that could not be made is tried again.
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
        loop {
            let wait = if self.compare().await { EVERY } else { AGAIN };
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

    /// Compares once. False if it is to be done again soon: the account moved meanwhile.
    async fn compare(&self) -> bool {
        let account = self.account;
        let before = self
            .desk
            .look(move |engine| settled(engine.view(), account).map(|view| view.counters.fills))
            .await;
        let fills = match before {
            None => return true,
            Some(None) => return false,
            Some(Some(fills)) => fills,
        };
        let balances = match self.venue.balances().await {
            Ok(balances) => balances,
            Err(error) => {
                tracing::debug!(%error, "The account could not be read for comparison.");
                return true;
            }
        };
        let after = self
            .desk
            .look(move |engine| settled(engine.view(), account))
            .await;
        let Some(Some(view)) = after else {
            return false;
        };
        if view.counters.fills != fills {
            return false;
        }
        // A resting order may have filled just before the reading, and its report come later than the reading. A difference
        // counts only if no fill follows.
        if !agrees(&view, account, &balances) && self.fills_after(AGAIN).await != Some(fills) {
            return false;
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
        true
    }

    /// The desk's count of fills after `moment`.
    async fn fills_after(&self, moment: Duration) -> Option<u64> {
        tokio::time::sleep(moment).await;
        self.desk.look(|engine| engine.view().counters.fills).await
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
