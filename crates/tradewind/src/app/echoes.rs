//! Whether accounts' streams report the orders that answers have named (N04).
//!
//! A stream may answer pings and report nothing. Each order that its venue has taken must appear on its account's stream
//! soon, or the stream is unsure: it is connected anew, and the account is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tradewind_model::{AccountId, ClientOrderId};
use tradewind_venues::{RealTime, sleep_or_never};

/// Longest from the answer to an order until the stream reports it.
const ECHO_WITHIN: Duration = Duration::from_secs(2);
/// Orders that were reported last, in case an answer comes after its report; and orders that are waited for. The oldest is given up.
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

    /// The stream is up, and what came before is read by request; or it is down, and nobody waits for it.
    pub(crate) fn set_live(&self, account: AccountId, is_live: bool) {
        self.with(account, |account| {
            account.is_live = is_live;
            account.awaited.clear();
        });
    }

    /// Resolves when a live stream has not reported an order in time.
    pub(crate) async fn missed(&self, account: AccountId, time: &dyn RealTime) -> ClientOrderId {
        loop {
            // Made before the look, so that no answer in between is missed.
            let changed = self.changed.notified();
            let first = self.with(account, |account| account.first());
            let wait = match first {
                Some((end, order)) if end <= time.now() => {
                    self.with(account, |account| account.awaited.clear());
                    return order;
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
        if self.is_live && !self.reported.contains(&order) {
            self.awaited.insert(order, now + ECHO_WITHIN);
            bound(&mut self.awaited);
        }
    }

    fn reported(&mut self, order: ClientOrderId) {
        self.awaited.remove(&order);
        self.reported.insert(order);
        if self.reported.len() > REMEMBERED_MAX {
            self.reported.pop_first();
        }
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
