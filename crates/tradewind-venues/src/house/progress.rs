//! How far a feed was read: kept over connections, so that the next one continues where the last one ended.

use std::sync::{Arc, Mutex, PoisonError};

/// The last message of a feed that was read, by the session that numbered it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The publisher's session; 0 before the first.
    pub(super) session: u64,
    /// The number of the last message.
    pub(super) last: u64,
}

/// The position of one source, shared by its connections.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Position>>);

impl Progress {
    pub(super) fn get(&self) -> Position {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins: its numbers are compared with each other only.
    pub(super) fn begin(&self, session: u64, last: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Position { session, last };
    }

    /// Message `number` was read.
    pub(super) fn read(&self, number: u64) {
        let mut position = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        position.last = position.last.max(number);
    }
}

/// How a message's number relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The next one.
    Next,
    /// Seen before.
    Repeated,
    /// This many are missing before it; 0 for an unknown number, because the numbers began anew.
    Missing(u64),
}

/// The numbers of one connection, compared with those of the connections before it.
#[derive(Debug)]
pub(super) struct Numbers {
    progress: Progress,
    next: Option<u64>,
}

impl Numbers {
    pub(super) const fn new(progress: Progress) -> Self {
        Self {
            progress,
            next: None,
        }
    }

    /// Takes in the number of a message.
    pub(super) fn judge(&mut self, number: u64) -> Place {
        let before = self.progress.get();
        let is_first = before.session == 0;
        let next = self.next.unwrap_or(before.last.saturating_add(1));
        let is_new_connection = self.next.is_none();
        if is_first || (is_new_connection && number < next) {
            self.progress.begin(1, number);
            self.next = Some(number.saturating_add(1));
            return if is_first {
                Place::Next
            } else {
                Place::Missing(0)
            };
        }
        if number < next {
            return Place::Repeated;
        }
        self.progress.read(number);
        self.next = Some(number.saturating_add(1));
        match number - next {
            0 => Place::Next,
            missing => Place::Missing(missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_over_connections() {
        let progress = Progress::default();
        let judge = |numbers: &mut Numbers, all: &[u64]| -> Vec<Place> {
            all.iter().map(|number| numbers.judge(*number)).collect()
        };
        let mut first = Numbers::new(progress.clone());
        assert_eq!(
            judge(&mut first, &[7, 8, 8, 7, 11, 12]),
            [
                Place::Next,
                Place::Next,
                Place::Repeated,
                Place::Repeated,
                Place::Missing(2),
                Place::Next
            ]
        );
        let mut second = Numbers::new(progress.clone());
        assert_eq!(
            judge(&mut second, &[15, 16]),
            [Place::Missing(2), Place::Next]
        );
        let mut anew = Numbers::new(progress);
        assert_eq!(judge(&mut anew, &[1, 2]), [Place::Missing(0), Place::Next]);
        assert_eq!(judge(&mut anew, &[u64::MAX, u64::MAX]).len(), 2);
    }
}
