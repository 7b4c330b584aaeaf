//! How the numbers of one topic's messages follow each other, over connections.

use std::time::Duration;

use crate::protocol::Sequence;

/// How a message's sequence number relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceVerdict {
    /// The next one, or there is nothing to compare with.
    Next,
    /// Seen before, or overtaken by a later one: not to be used.
    Repeated,
    /// This many are missing before it; 0 for an unknown number, because the numbers began anew.
    Missing(u64),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    last: u64,
    /// The numbers may have started over with a new connection.
    uncertain: bool,
    /// Since when every number of the only connection is behind the last one, the latest of them, and how many rose.
    behind: Option<(Duration, u64, u32)>,
}

/// How long the numbers of the only connection may stay behind the last one. A connection that took over is behind for
/// milliseconds; one that is behind for longer counts anew.
const BEHIND_MAX: Duration = Duration::from_secs(1);

/// Numbers that rise in this time before they are believed: one late message proves nothing.
const BEHIND_MIN: u32 = 3;

impl Counter {
    /// Begins with the first number of a topic.
    pub(super) const fn new(sequence: Sequence) -> Self {
        let (Sequence::Contiguous(last) | Sequence::Increasing(last)) = sequence;
        Self {
            last,
            uncertain: false,
            behind: None,
        }
    }

    /// The numbers may start over with the next one.
    pub(super) const fn may_restart(&mut self) {
        self.uncertain = true;
    }

    /// Compares a number with the last one. While two connections overlap, one behind it proves nothing.
    pub(super) fn judge(
        &mut self,
        now: Duration,
        sequence: Sequence,
        is_overlapping: bool,
    ) -> SequenceVerdict {
        let (Sequence::Contiguous(number) | Sequence::Increasing(number)) = sequence;
        let mut uncertain = std::mem::replace(&mut self.uncertain, false);
        if number < self.last && !uncertain && !is_overlapping {
            let (since, count) = match self.behind {
                Some((since, latest, count)) if number > latest => (since, count + 1),
                _ => (now, 1),
            };
            self.behind = Some((since, number, count));
            let is_increasing = matches!(sequence, Sequence::Increasing(_));
            uncertain = is_increasing && count >= BEHIND_MIN && now >= since + BEHIND_MAX;
        }
        if number == self.last {
            self.behind = None;
        }
        if number <= self.last && !uncertain {
            return SequenceVerdict::Repeated;
        }
        self.behind = None;
        let missing = number.saturating_sub(self.last).saturating_sub(1);
        self.last = number;
        match sequence {
            Sequence::Contiguous(_) if missing > 0 => SequenceVerdict::Missing(missing),
            _ => SequenceVerdict::Next,
        }
    }
}
