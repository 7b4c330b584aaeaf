//! Who is asked about: at most one question an order at a time, and a pause before the same one is asked again.
//!
//! A question that comes while the same one is being asked is asked once more after it: the answer that is on its way
//! may be older than what made somebody ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tradewind_model::ClientOrderId;

/// Between the end of a question and the same one's next beginning.
pub(crate) const GAP: Duration = Duration::from_secs(2);
/// Orders above which those are forgotten whose pause is over.
const KEPT: usize = 256;

/// The questions about one account's orders. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Questions(Arc<Mutex<BTreeMap<ClientOrderId, Stand>>>);

#[derive(Clone, Copy, Debug)]
enum Stand {
    Asking { again: bool },
    Ended(Instant),
}

/// A question that may be asked, until this is dropped.
#[derive(Debug)]
pub(crate) struct Question {
    questions: Questions,
    /// About which order.
    pub(crate) id: ClientOrderId,
    /// When it may be asked.
    pub(crate) not_before: Instant,
    is_over: bool,
}

impl Questions {
    /// Begins a question at `now`; `None` if it is being asked, and will then be asked once more.
    pub(crate) fn begin(&self, id: ClientOrderId, now: Instant) -> Option<Question> {
        let mut stands = self.stands();
        if stands.len() > KEPT {
            stands.retain(|_, stand| match stand {
                Stand::Asking { .. } => true,
                Stand::Ended(at) => now < *at + GAP,
            });
        }
        let not_before = match stands.get_mut(&id) {
            Some(Stand::Asking { again }) => {
                *again = true;
                return None;
            }
            Some(Stand::Ended(at)) => *at + GAP,
            None => now,
        };
        stands.insert(id, Stand::Asking { again: false });
        Some(Question {
            questions: self.clone(),
            id,
            not_before,
            is_over: false,
        })
    }

    fn stands(&self) -> MutexGuard<'_, BTreeMap<ClientOrderId, Stand>> {
        // Each entry is replaced whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Question {
    /// Whether it is to be asked once more after it was answered at `now`; if not, it is over.
    pub(crate) fn once_more(&mut self, now: Instant) -> bool {
        let mut stands = self.questions.stands();
        if let Some(Stand::Asking { again: true }) = stands.get(&self.id) {
            stands.insert(self.id, Stand::Asking { again: false });
            self.not_before = now + GAP;
            return true;
        }
        stands.insert(self.id, Stand::Ended(now));
        self.is_over = true;
        false
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if !self.is_over {
            let now = Instant::now();
            self.questions.stands().insert(self.id, Stand::Ended(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ClientOrderId = ClientOrderId(1);

    #[test]
    fn a_question_is_asked_once_at_a_time_and_again_after_a_pause() {
        let (questions, now) = (Questions::default(), Instant::now());
        let mut first = questions.begin(ID, now).unwrap();
        assert_eq!(first.not_before, now);
        assert!(questions.begin(ID, now).is_none());
        assert!(questions.begin(ID, now).is_none());
        assert!(questions.begin(ClientOrderId(2), now).is_some());
        assert!(first.once_more(now));
        assert_eq!(first.not_before, now + GAP);
        assert!(!first.once_more(now + GAP));
        let next = questions.begin(ID, now + GAP).unwrap();
        assert_eq!(next.not_before, now + GAP + GAP);
    }

    #[test]
    fn a_question_that_broke_off_can_be_asked_again() {
        let (questions, now) = (Questions::default(), Instant::now());
        drop(questions.begin(ID, now).unwrap());
        assert!(questions.begin(ID, now).is_some());
    }
}
