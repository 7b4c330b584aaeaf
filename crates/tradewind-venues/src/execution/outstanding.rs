//! Requests that have no answer yet: what each is for, and until when it may take.
//!
//! Each number is answered once. A second answer is dropped; the first answer to an order that came too late still counts.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_model::{ClientOrderId, InstrumentId, Timestamp};
use tradewind_risk::ApprovedOrder;

use super::RequestId;

/// Overdue orders and cancels whose late answer is still taken; the oldest is given up first.
pub const OVERDUE_MAX: usize = 1_024;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Order(ApprovedOrder),
    Cancel(InstrumentId, ClientOrderId),
    Query(InstrumentId, ClientOrderId),
    Account,
    Absence,
    Candles(u64),
    Book(InstrumentId),
}

/// The requests of one executor.
#[derive(Debug, Default)]
pub(super) struct Outstanding {
    last: u64,
    requests: BTreeMap<RequestId, (Purpose, Timestamp)>,
    deadlines: BTreeSet<(Timestamp, RequestId)>,
    overdue: BTreeMap<RequestId, Purpose>,
}

/// A request that an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    InTime(Purpose),
    Late(Purpose),
}

impl Outstanding {
    /// A number for a request that is to be answered by `deadline`.
    pub(super) fn begin(&mut self, purpose: Purpose, deadline: Timestamp) -> RequestId {
        self.last += 1;
        let id = RequestId(self.last);
        self.requests.insert(id, (purpose, deadline));
        self.deadlines.insert((deadline, id));
        id
    }

    /// The request that an answer belongs to; `None` for a second answer, or to a request that was given up.
    pub(super) fn answered(&mut self, id: RequestId) -> Option<Answered> {
        match self.requests.remove(&id) {
            Some((purpose, deadline)) => {
                self.deadlines.remove(&(deadline, id));
                Some(Answered::InTime(purpose))
            }
            None => self.overdue.remove(&id).map(Answered::Late),
        }
    }

    /// The next request whose time is over at `now`.
    pub(super) fn next_overdue(&mut self, now: Timestamp) -> Option<Purpose> {
        self.wake_at().filter(|at| *at <= now)?;
        let (_, id) = self.deadlines.pop_first()?;
        let (purpose, _) = self.requests.remove(&id)?;
        if matches!(purpose, Purpose::Order(_) | Purpose::Cancel(..)) {
            self.overdue.insert(id, purpose);
            if self.overdue.len() > OVERDUE_MAX {
                self.overdue.pop_first();
            }
        }
        Some(purpose)
    }

    /// When the next request is overdue.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(at, _)| *at)
    }
}
