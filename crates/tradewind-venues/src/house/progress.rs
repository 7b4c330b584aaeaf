//! How far a feed was read: kept over connections, so that the next one continues where the last one ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::health::SequenceVerdict;

/// The last message of a feed that was read, by the session that numbered it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The publisher's session; 0 before the first.
    pub(super) session: u64,
    /// The number of the last message.
    pub(super) last: u64,
}

/// Repeated messages in a row after which the numbers are taken to have begun anew.
pub(super) const REPEATS_MAX: u32 = 100;

/// A number that is lower than the last one by this much is no repetition: the numbers have begun anew.
const STEP_BACK_MIN: u64 = 10_000;

#[derive(Debug, Default)]
struct State {
    position: Position,
    /// Connections that read now.
    open: u32,
    /// Repeated messages in a row, whichever connection they came over.
    repeats: u32,
}

impl State {
    /// Whether one connection reads, and no other.
    const fn is_alone(&self) -> bool {
        self.open == 1
    }
}

/// The position of one source, shared by its connections.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<State>>);

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self) -> Position {
        self.state().position
    }

    /// A session begins: its numbers are compared with each other only.
    pub(super) fn begin(&self, session: u64, last: u64) {
        self.state().position = Position { session, last };
    }

    /// Message `number` of `session` was read. Nothing changes if another session has begun.
    pub(super) fn read(&self, session: u64, number: u64) {
        let position = &mut self.state().position;
        if position.session == session {
            position.last = position.last.max(number);
        }
    }

    /// A connection begins to read; it ends with what is returned.
    pub(super) fn open(&self) -> Open {
        self.state().open += 1;
        Open(self.clone())
    }
}

/// A connection that reads.
#[derive(Debug)]
pub(super) struct Open(Progress);

impl Open {
    /// Whether no other connection reads.
    pub(super) fn is_alone(&self) -> bool {
        self.0.state().is_alone()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.state().open -= 1;
    }
}

/// The numbers of one connection, compared with those of all connections of its source.
#[derive(Debug)]
pub(super) struct Numbers {
    progress: Progress,
    /// From the first message on; with the session that its numbers belong to.
    open: Option<(Open, u64)>,
}

impl Numbers {
    pub(super) const fn new(progress: Progress) -> Self {
        Self {
            progress,
            open: None,
        }
    }

    /// Takes in the number of a message. Numbers that began anew have an unknown number of messages before them: 0.
    pub(super) fn judge(&mut self, number: u64) -> SequenceVerdict {
        let is_new = self.open.is_none();
        let progress = &self.progress;
        let (_, session) = self
            .open
            .get_or_insert_with(|| (progress.open(), progress.get().session));
        let mut state = progress.state();
        let is_alone = state.is_alone();
        let Position { session: now, last } = state.position;
        let is_first = now == 0;
        let is_superseded = *session != now;
        if is_superseded && !is_alone {
            return SequenceVerdict::Repeated;
        }
        if !is_first && !is_superseded {
            if number > last {
                state.repeats = 0;
                state.position.last = number;
                return match number - last - 1 {
                    0 => SequenceVerdict::Next,
                    missing => SequenceVerdict::Missing(missing),
                };
            }
            state.repeats += 1;
            let is_anew = (is_new && is_alone)
                || last - number >= STEP_BACK_MIN
                || state.repeats >= REPEATS_MAX;
            if !is_anew {
                return SequenceVerdict::Repeated;
            }
        }
        *session = now.saturating_add(1);
        state.repeats = 0;
        state.position = Position {
            session: *session,
            last: number,
        };
        if is_first {
            SequenceVerdict::Next
        } else {
            SequenceVerdict::Missing(0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_over_connections() {
        let progress = Progress::default();
        let judge = |numbers: &mut Numbers, all: &[u64]| -> Vec<SequenceVerdict> {
            all.iter().map(|number| numbers.judge(*number)).collect()
        };
        let mut first = Numbers::new(progress.clone());
        assert_eq!(
            judge(&mut first, &[7, 8, 8, 7, 11, 12]),
            [
                SequenceVerdict::Next,
                SequenceVerdict::Next,
                SequenceVerdict::Repeated,
                SequenceVerdict::Repeated,
                SequenceVerdict::Missing(2),
                SequenceVerdict::Next
            ]
        );
        drop(first);
        let mut second = Numbers::new(progress.clone());
        assert_eq!(
            judge(&mut second, &[15, 16]),
            [SequenceVerdict::Missing(2), SequenceVerdict::Next]
        );
        drop(second);
        let mut anew = Numbers::new(progress);
        assert_eq!(
            judge(&mut anew, &[1, 2]),
            [SequenceVerdict::Missing(0), SequenceVerdict::Next]
        );
        assert_eq!(judge(&mut anew, &[u64::MAX, u64::MAX]).len(), 2);
    }

    #[test]
    fn numbers_of_a_connection_that_begin_anew_are_believed_after_repeats_or_a_large_step_back() {
        use SequenceVerdict::{Missing, Next, Repeated};
        let mut numbers = Numbers::new(Progress::default());
        assert_eq!(numbers.judge(1_000_000), Next);
        assert_eq!(numbers.judge(1), Missing(0));
        assert_eq!(numbers.judge(200), Missing(198));
        for number in 1..u64::from(REPEATS_MAX) {
            assert_eq!(numbers.judge(number), Repeated);
        }
        assert_eq!(numbers.judge(u64::from(REPEATS_MAX)), Missing(0));
        assert_eq!(numbers.judge(u64::from(REPEATS_MAX) + 1), Next);
    }

    #[test]
    fn two_connections_read_each_number_once() {
        use SequenceVerdict::{Missing, Next, Repeated};
        let progress = Progress::default();
        let mut old = Numbers::new(progress.clone());
        let mut new = Numbers::new(progress);
        assert_eq!([old.judge(5), old.judge(6)], [Next, Next]);
        // The new one is behind for longer than repeats are taken for a beginning.
        for number in 6..500 {
            assert_eq!(new.judge(number), Repeated);
            assert_eq!(old.judge(number + 1), Next);
        }
        drop(old);
        assert_eq!([new.judge(500), new.judge(501)], [Repeated, Next]);
        assert_eq!(new.judge(503), Missing(1));
    }

    #[test]
    fn a_publisher_that_restarts_in_an_overlap_is_read_over_the_new_connection() {
        use SequenceVerdict::{Missing, Next, Repeated};
        let progress = Progress::default();
        let mut old = Numbers::new(progress.clone());
        let mut new = Numbers::new(progress);
        assert_eq!(old.judge(1_000_000), Next);
        assert_eq!(new.judge(1), Missing(0));
        assert_eq!([old.judge(1_000_001), new.judge(2)], [Repeated, Next]);
        drop(new);
        assert_eq!(old.judge(1_000_002), Missing(0));
    }
}
