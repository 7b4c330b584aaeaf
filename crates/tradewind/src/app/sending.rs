//! Which orders of an account are on their way to the venue, and when the others had been sent.
//!
//! A cancel waits here for its order's answer, so that it does not overtake it; and the venue's "no such order" is
//! believed only so long after the sending. It decides neither: the executor does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tradewind_model::{ClientOrderId, Clock, Timestamp};

/// Orders remembered; the oldest are forgotten first.
const KEPT: usize = 10_000;

/// The orders of one account. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sending(Arc<Mutex<BTreeMap<ClientOrderId, Stand>>>);

#[derive(Clone, Debug)]
enum Stand {
    OnItsWay(CancellationToken),
    SentBefore(Timestamp),
}

/// An order that is being sent, until this is dropped.
#[derive(Debug)]
pub(crate) struct OnItsWay {
    sending: Sending,
    id: ClientOrderId,
    clock: Arc<dyn Clock>,
    over: CancellationToken,
}

impl Sending {
    /// Notes that an order is about to be sent.
    pub(crate) fn begin(&self, id: ClientOrderId, clock: &Arc<dyn Clock>) -> OnItsWay {
        let over = CancellationToken::new();
        let mut orders = self.orders();
        orders.insert(id, Stand::OnItsWay(over.clone()));
        if orders.len() > KEPT {
            orders.pop_first();
        }
        OnItsWay {
            sending: self.clone(),
            id,
            clock: Arc::clone(clock),
            over,
        }
    }

    /// Resolves once an order is not on its way any more.
    pub(crate) async fn over(&self, id: ClientOrderId) {
        let over = match self.orders().get(&id) {
            Some(Stand::OnItsWay(over)) => over.clone(),
            Some(Stand::SentBefore(_)) | None => return,
        };
        over.cancelled().await;
    }

    /// By when an order had been sent: `None` while it is on its way, `asked_at` for one of an earlier run.
    pub(crate) fn sent_before(&self, id: ClientOrderId, asked_at: Timestamp) -> Option<Timestamp> {
        match self.orders().get(&id) {
            Some(Stand::OnItsWay(_)) => None,
            Some(Stand::SentBefore(at)) => Some(*at),
            None => Some(asked_at),
        }
    }

    fn orders(&self) -> MutexGuard<'_, BTreeMap<ClientOrderId, Stand>> {
        // Each entry is replaced whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.sending
            .orders()
            .insert(self.id, Stand::SentBefore(now));
        self.over.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::ManualClock;

    #[tokio::test]
    async fn an_absence_counts_from_the_sending_and_not_from_the_question() {
        let (sent, asked) = (Timestamp::from_secs(100), Timestamp::from_secs(500));
        let clock = Arc::new(ManualClock::new(sent)) as Arc<dyn Clock>;
        let (sending, id) = (Sending::default(), ClientOrderId(1));
        assert_eq!(sending.sent_before(id, asked), Some(asked));
        let way = sending.begin(id, &clock);
        assert_eq!(sending.sent_before(id, asked), None);
        tokio::join!(biased; sending.over(id), async { drop(way) });
        assert_eq!(sending.sent_before(id, asked), Some(sent));
    }
}
