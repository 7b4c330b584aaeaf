//! Whether accounts' streams report the orders that answers have named (N04).
//!
//! A stream may answer pings and report nothing. Each order that its venue has taken must appear on its account's
//! stream soon, or the stream is unsure: it is connected anew, and the account is read. That costs request weight, and a venue
//! whose reports are merely late is no better afterwards: while new connections end in the same doubt, they are made
//! ever less often.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tradewind_model::{AccountId, ClientOrderId};
use tradewind_venues::{RealTime, sleep_or_never};

/// Longest from the answer to an order until the stream reports it.
const ECHO_WITHIN: Duration = Duration::from_secs(2);
/// Between a connection and the next that is made because the stream withholds something; doubled up to the longest.
const RENEWED_APART: Duration = Duration::from_secs(10);
const RENEWED_APART_MAX: Duration = Duration::from_secs(300);
/// A stream that has reported all orders for so long is no longer the one that was doubted before.
const CALM: Duration = Duration::from_secs(60);
/// Orders that were reported last, in case an answer comes after its report; and orders that are waited for. The oldest
/// is given up.
const REMEMBERED_MAX: usize = 1_024;

/// The orders that streams must still report.
#[derive(Debug, Default)]
pub struct Echoes {
    accounts: Mutex<BTreeMap<AccountId, Account>>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Account {
    is_live: bool,
    /// Until when each is to be reported.
    awaited: BTreeMap<ClientOrderId, Duration>,
    reported: BTreeSet<ClientOrderId>,
    /// Whether an order was reported since the stream is watched.
    is_echoed: bool,
    /// Connections that ended in doubt one after the other.
    doubted: u32,
    /// The stream is to be connected anew though every order was reported.
    must_renew: bool,
}

impl Echoes {
    /// An answer has said that the venue took an order.
    pub(crate) fn answered(&self, account: AccountId, order: ClientOrderId, now: Duration) {
        self.with(account, |account| account.answered(order, now));
        self.changed.notify_waiters();
    }

    /// The stream has reported an order.
    pub(crate) fn reported(&self, account: AccountId, order: ClientOrderId) {
        self.with(account, |account| account.reported(order));
    }

    /// The stream is to be connected anew: something that it reported, or did not, shows that it cannot be relied on.
    pub(crate) fn doubt(&self, account: AccountId) {
        self.with(account, |account| account.must_renew = true);
        self.changed.notify_waiters();
    }

    /// Whether the stream is up.
    pub(crate) fn is_live(&self, account: AccountId) -> bool {
        self.with(account, |account| account.is_live)
    }

    /// The stream is up, and what came before is read by request; or it is down, and nobody waits for it.
    pub(crate) fn set_live(&self, account: AccountId, is_live: bool) {
        self.with(account, |account| {
            account.is_live = is_live;
            account.awaited.clear();
            account.must_renew &= !is_live;
        });
    }

    /// Resolves when a live stream has not reported an order in time, or is doubted for another reason, but not soon after it was
    /// connected. Returns the order.
    pub(crate) async fn missed(
        &self,
        account: AccountId,
        time: &dyn RealTime,
    ) -> Option<ClientOrderId> {
        time.sleep(self.with(account, |account| account.apart()))
            .await;
        self.with(account, |account| account.is_echoed = false);
        let began = time.now();
        let order = self.overdue(account, time).await;
        let watched = time.now().saturating_sub(began);
        self.with(account, |account| account.note_doubt(watched));
        order
    }

    async fn overdue(&self, account: AccountId, time: &dyn RealTime) -> Option<ClientOrderId> {
        loop {
            // Made before the look, so that no answer in between is missed.
            let changed = self.changed.notified();
            if self.with(account, |account| std::mem::take(&mut account.must_renew)) {
                return None;
            }
            let first = self.with(account, |account| account.first());
            let wait = match first {
                Some((end, order)) if end <= time.now() => {
                    self.with(account, |account| account.awaited.clear());
                    return Some(order);
                }
                first => first.map(|(end, _)| end.saturating_sub(time.now())),
            };
            tokio::select! {
                () = changed => {}
                () = sleep_or_never(time, wait) => {}
            }
        }
    }

    fn with<T>(&self, account: AccountId, work: impl FnOnce(&mut Account) -> T) -> T {
        work(self.lock().entry(account).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountId, Account>> {
        // Each change of an account leaves it whole.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn answered(&mut self, order: ClientOrderId, now: Duration) {
        if self.reported.contains(&order) {
            self.is_echoed = true;
        } else if self.is_live {
            self.awaited.insert(order, now + ECHO_WITHIN);
            bound(&mut self.awaited);
        }
    }

    fn reported(&mut self, order: ClientOrderId) {
        self.is_echoed |= self.awaited.remove(&order).is_some();
        self.reported.insert(order);
        if self.reported.len() > REMEMBERED_MAX {
            self.reported.pop_first();
        }
    }

    /// The wait of a new connection before it is doubted.
    fn apart(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.doubted.saturating_sub(1));
        let apart = RENEWED_APART.saturating_mul(factor.unwrap_or(u32::MAX));
        apart.min(RENEWED_APART_MAX)
    }

    /// The stream is doubted after it was watched for so long.
    fn note_doubt(&mut self, watched: Duration) {
        let was_calm = self.is_echoed && watched >= CALM;
        let before = if was_calm { 0 } else { self.doubted };
        self.doubted = before.saturating_add(1);
    }

    fn first(&self) -> Option<(Duration, ClientOrderId)> {
        let awaited = self.awaited.iter();
        awaited.map(|(order, end)| (*end, *order)).min()
    }
}

fn bound(awaited: &mut BTreeMap<ClientOrderId, Duration>) {
    if awaited.len() > REMEMBERED_MAX {
        awaited.pop_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use tokio::time::timeout;
    use tradewind_venues::TokioTime;

    const ACCOUNT: AccountId = AccountId(0);
    const OTHER: AccountId = AccountId(1);
    const ORDER: ClientOrderId = ClientOrderId(1);

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// N04
    #[test]
    fn an_order_that_was_answered_is_waited_for_until_the_live_stream_reports_it() {
        let mut account = Account::default();
        account.answered(ORDER, secs(1));
        assert_eq!(account.first(), None, "the stream is not up");
        account.is_live = true;
        account.answered(ORDER, secs(1));
        account.answered(ClientOrderId(2), secs(2));
        assert_eq!(account.first(), Some((secs(3), ORDER)));
        account.reported(ORDER);
        assert_eq!(account.first(), Some((secs(4), ClientOrderId(2))));
        account.reported(ClientOrderId(3));
        account.answered(ClientOrderId(3), secs(3));
        account.reported(ClientOrderId(2));
        assert_eq!(account.first(), None, "a report may come before the answer");
    }

    fn live() -> (Echoes, TokioTime) {
        let echoes = Echoes::default();
        for account in [ACCOUNT, OTHER] {
            echoes.set_live(account, true);
        }
        (echoes, TokioTime::default())
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_is_missed_at_its_deadline_and_on_its_account_alone() {
        let (echoes, time) = live();
        let mut missed = pin!(echoes.missed(ACCOUNT, &time));
        let mut other = pin!(echoes.missed(OTHER, &time));
        assert!(timeout(secs(100), &mut missed).await.is_err());
        assert!(timeout(secs(100), &mut other).await.is_err());
        // Both wait without a deadline.
        let answered = time.now();
        let order = ClientOrderId(2);
        for (account, order) in [(ACCOUNT, ORDER), (ACCOUNT, order), (OTHER, ORDER)] {
            echoes.answered(account, order, answered);
        }
        echoes.reported(ACCOUNT, ORDER);
        echoes.reported(OTHER, ORDER);
        assert_eq!(timeout(secs(100), &mut missed).await, Ok(Some(order)));
        assert_eq!(time.now() - answered, ECHO_WITHIN);
        assert!(timeout(secs(100), &mut other).await.is_err());
    }

    /// A venue whose reports are late is not called all the time.
    #[tokio::test(start_paused = true)]
    async fn a_stream_that_stays_in_doubt_is_connected_ever_less_often() {
        let (echoes, time) = live();
        let mut orders = (0..).map(ClientOrderId);
        let mut doubted_after = async |calm: Duration| {
            echoes.set_live(ACCOUNT, true);
            let began = time.now();
            let mut missed = pin!(echoes.missed(ACCOUNT, &time));
            loop {
                let order = orders.next().unwrap();
                echoes.answered(ACCOUNT, order, time.now());
                if time.now() - began < calm {
                    echoes.reported(ACCOUNT, order);
                }
                if timeout(secs(1), &mut missed).await.is_ok() {
                    return (time.now() - began).as_secs();
                }
            }
        };
        let mut waits = Vec::new();
        for calm in [0, 0, 0, 0, 0, 0, 0, 0, 300 + 59, 300 + 61, 0, 0] {
            waits.push(doubted_after(secs(calm)).await);
        }
        let late = 2;
        let wanted = [
            10,
            10,
            20,
            40,
            80,
            160,
            300,
            300,
            359 + late,
            361 + late,
            10,
            20,
        ];
        assert_eq!(waits, wanted);
    }

    /// N04: what withholds a fill of an order that it has reported is connected anew, too, and no sooner after it was connected.
    #[tokio::test(start_paused = true)]
    async fn a_stream_that_is_doubted_is_connected_anew_unless_it_was_meanwhile() {
        let (echoes, time) = live();
        let began = time.now();
        echoes.doubt(OTHER);
        echoes.doubt(ACCOUNT);
        echoes.set_live(OTHER, true);
        let missed = echoes.missed(ACCOUNT, &time);
        assert_eq!(timeout(secs(100), missed).await, Ok(None));
        assert_eq!(time.now() - began, RENEWED_APART);
        let other = echoes.missed(OTHER, &time);
        assert!(timeout(secs(100), other).await.is_err());
        let mut later = pin!(echoes.missed(ACCOUNT, &time));
        assert!(timeout(secs(100), &mut later).await.is_err(), "once");
        echoes.doubt(ACCOUNT);
        assert_eq!(timeout(secs(1), later).await, Ok(None));
    }

    #[test]
    fn a_stream_without_an_order_is_not_calm() {
        let mut account = Account {
            is_live: true,
            doubted: 3,
            ..Account::default()
        };
        account.note_doubt(secs(1_000));
        assert_eq!(account.apart(), secs(80));
        account.reported(ORDER);
        account.answered(ORDER, secs(1));
        account.note_doubt(secs(1_000));
        assert_eq!(account.apart(), RENEWED_APART);
    }

    #[test]
    fn only_so_many_are_waited_for_and_remembered() {
        let mut account = Account {
            is_live: true,
            ..Account::default()
        };
        for id in 0..=REMEMBERED_MAX as u128 {
            account.answered(ClientOrderId(id), secs(1));
        }
        assert_eq!(account.awaited.len(), REMEMBERED_MAX);
        for id in 0..=REMEMBERED_MAX as u128 {
            account.reported(ClientOrderId(id));
        }
        assert_eq!(
            (account.awaited.len(), account.reported.len()),
            (0, REMEMBERED_MAX)
        );
    }
}
