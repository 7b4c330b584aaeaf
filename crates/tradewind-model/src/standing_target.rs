//! The target that an outside process wants a bot to hold.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::number::Ppm;
use crate::time::Timestamp;

/// The newest target that an outside process sent for a bot in an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingTarget {
    /// Share of the bot's budget, signed: 1,000,000 is all of it long.
    pub exposure: Ppm,
    /// When it was decided, by its source.
    pub event_time: Timestamp,
    /// Its number, where the source gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// From then on it counts no more.
    pub expires: Timestamp,
    /// Its source was away or lost messages since, or the desk was started: a newer target may not have been read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_doubtful: bool,
    /// The position under it was closed by its exit plan or by a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_closed: bool,
}

impl StandingTarget {
    /// Whether it counts no more.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Whether it takes the place of one that came before it: it was decided later or, at the same time, has a higher number. Where
    /// neither has a number, the later arrival counts.
    #[must_use]
    pub fn supersedes(&self, known: &Self) -> bool {
        match (
            self.event_time.cmp(&known.event_time),
            self.sequence,
            known.sequence,
        ) {
            (Ordering::Equal, None, None) => true,
            (Ordering::Equal, own, of_known) => own.unwrap_or(0) > of_known.unwrap_or(0),
            (order, ..) => order == Ordering::Greater,
        }
    }

    /// Whether both say the same, at the same time.
    #[must_use]
    pub fn is_repetition_of(&self, other: &Self) -> bool {
        let said = |of: &Self| (of.exposure, of.event_time, of.sequence, of.expires);
        said(self) == said(other)
    }
}

/// What becomes of a position when the target of an outside process expires and no newer one came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnExpiry {
    /// It is closed.
    #[default]
    Flat,
    /// It is kept, guarded by its exit plan.
    Hold,
}
