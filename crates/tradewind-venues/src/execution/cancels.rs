//! Cancels that wait: for their order's answer, or for room among those that were sent.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_model::{ClientOrderId, InstrumentId, Timestamp};

/// Cancels that wait, at most one of an order.
pub const CANCELS_MAX: usize = 10_000;
/// Cancels sent and not answered at once.
pub const CANCELS_AT_ONCE: usize = 256;

/// The cancels of one account.
#[derive(Debug, Default)]
pub(super) struct Cancels {
    held: BTreeMap<ClientOrderId, (InstrumentId, Timestamp)>,
    due: BTreeSet<(Timestamp, ClientOrderId)>,
    sent: usize,
}

impl Cancels {
    /// Holds a cancel until `until`; false if too many wait. One of the same order stays as it is.
    pub(super) fn hold(
        &mut self,
        instrument: InstrumentId,
        id: ClientOrderId,
        until: Timestamp,
    ) -> bool {
        if self.held.contains_key(&id) {
            return true;
        }
        if self.held.len() >= CANCELS_MAX {
            return false;
        }
        self.held.insert(id, (instrument, until));
        self.due.insert((until, id));
        true
    }

    /// The order was answered: its cancel, if one waits, waits no longer.
    pub(super) fn release(&mut self, id: ClientOrderId, now: Timestamp) {
        if let Some((_, until)) = self.held.get_mut(&id) {
            self.due.remove(&(*until, id));
            *until = now;
            self.due.insert((now, id));
        }
    }

    /// The next cancel to send at `now`.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<(InstrumentId, ClientOrderId)> {
        self.wake_at().filter(|at| *at <= now)?;
        let (_, id) = self.due.pop_first()?;
        let (instrument, _) = self.held.remove(&id)?;
        self.sent += 1;
        Some((instrument, id))
    }

    /// A cancel that was sent has its answer, or is not waited for any more.
    pub(super) const fn answered(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// When [`next`](Self::next) has something to send.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let (at, _) = self.due.first()?;
        (self.sent < CANCELS_AT_ONCE).then_some(*at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_sent_at_once_and_wait() {
        let (mut cancels, now) = (Cancels::default(), Timestamp::from_secs(1));
        let mut hold = |id: u128| cancels.hold(InstrumentId(0), ClientOrderId(id), now);
        assert!((0..CANCELS_MAX as u128).all(&mut hold));
        assert!(hold(0) && !hold(u128::MAX));
        let sent = std::iter::from_fn(|| cancels.next(now)).count();
        assert_eq!((sent, cancels.wake_at()), (CANCELS_AT_ONCE, None));
        cancels.answered();
        let next = ClientOrderId(CANCELS_AT_ONCE as u128);
        assert_eq!(cancels.next(now), Some((InstrumentId(0), next)));
    }
}
