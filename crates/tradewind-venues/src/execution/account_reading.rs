//! Reads an account again and again until it did not change during one reading.
//!
//! One reading is the balances, the open orders, the fills of each instrument and the balances again. If the balances
//! changed meanwhile the parts do not belong together, and the reading starts again.
//!
//! Fills are read from the last one that a reading listed, so that a reading costs what happened since, not what ever
//! happened. A sweep reads only the fills of instruments whose holdings changed since the last reading.

use std::collections::BTreeMap;

use tradewind_model::{AccountId, Amount, AssetId, Fill, InstrumentId, Timestamp, TradeId};

use super::waits::{Retry, Waits};
use super::{ExecutorFault, OrderRecord, VenueRequest, VenueResponse};
use crate::error::VenueError;
use crate::sink::AssetBalance;

/// Readings of a changing account in a row before a longer pause.
const MOVED_MAX: u32 = 20;

/// An account as its venue shows it, of one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountSnapshot {
    /// The account.
    pub account: AccountId,
    /// The balances that are not zero.
    pub balances: Vec<AssetBalance>,
    /// The orders that are open, of every owner.
    pub open_orders: Vec<OrderRecord>,
    /// The fills of all instruments since the last reading, oldest first. The last one before them is repeated.
    pub fills: Vec<Fill>,
}

/// An instrument whose fills belong to a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeCursor {
    /// The instrument.
    pub instrument: InstrumentId,
    /// What is held of it: a fill changes the balance of this asset.
    pub base: AssetId,
    /// What it is paid with.
    pub quote: AssetId,
    /// The last trade that was listed; 0 for none.
    pub from: TradeId,
}

/// Whose fills a reading lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// Those of instruments whose holdings changed since the last reading.
    Changed,
    /// Those of all instruments.
    All,
}

/// The reading of one account.
#[derive(Debug)]
pub(super) struct AccountReading {
    instruments: Vec<TradeCursor>,
    waits: Waits,
    stage: Stage,
    extent: Extent,
    /// What was requested while it was under way.
    again: Option<Extent>,
    /// What the account had at the last reading.
    held: BTreeMap<AssetId, Amount>,
    retry: Retry,
    moved: u32,
    read: AccountSnapshot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Due(Timestamp),
    Balances,
    OpenOrders,
    /// The place of the instrument whose fills are read.
    Fills(usize),
    BalancesAgain,
}

/// What follows from an answer.
#[derive(Debug)]
pub(super) enum Reading {
    /// The next part is to be read.
    Next(VenueRequest),
    /// The account stood still.
    Done(AccountSnapshot),
    /// It starts again later; the fault is worth a line in the log.
    Later(Option<ExecutorFault>),
}

impl AccountReading {
    pub(super) fn new(account: AccountId, instruments: Vec<TradeCursor>, waits: Waits) -> Self {
        Self {
            instruments,
            waits,
            stage: Stage::Idle,
            extent: Extent::Changed,
            again: None,
            held: BTreeMap::new(),
            retry: Retry::default(),
            moved: 0,
            read: AccountSnapshot {
                account,
                ..AccountSnapshot::default()
            },
        }
    }

    /// Requests a reading of the account. If one is under way, another follows it: the current one may miss the cause.
    pub(super) fn request(&mut self, extent: Extent, now: Timestamp) {
        match self.stage {
            Stage::Idle => (self.stage, self.extent) = (Stage::Due(now), extent),
            Stage::Due(_) => self.extent = self.extent.max(extent),
            _ => self.again = self.again.max(Some(extent)),
        }
    }

    /// The first part of a reading, if one is due.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<VenueRequest> {
        if self.wake_at().is_none_or(|at| at > now) {
            return None;
        }
        self.stage = Stage::Balances;
        Some(VenueRequest::Balances)
    }

    /// When [`next`](Self::next) has a request.
    pub(super) const fn wake_at(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Due(at) => Some(at),
            _ => None,
        }
    }

    /// Takes the answer to the latest request.
    pub(super) fn answered(&mut self, response: VenueResponse, now: Timestamp) -> Reading {
        match (self.stage, response) {
            (Stage::Balances, VenueResponse::Balances(balances)) => {
                self.read.balances = balances;
                self.read.fills.clear();
                self.stage = Stage::OpenOrders;
                Reading::Next(VenueRequest::OpenOrders)
            }
            (Stage::OpenOrders, VenueResponse::OpenOrders(orders)) => {
                self.read.open_orders = orders;
                self.fills_from(0)
            }
            (Stage::Fills(place), VenueResponse::Fills(fills)) => {
                self.read.fills.extend(fills);
                self.fills_from(place + 1)
            }
            (Stage::BalancesAgain, VenueResponse::Balances(balances)) => {
                if balances == self.read.balances {
                    self.done(now)
                } else {
                    self.moved(now)
                }
            }
            (_, VenueResponse::Failed(error)) => self.failed(error, now),
            _ => self.failed(
                VenueError::unreadable("account", "the answer to something else"),
                now,
            ),
        }
    }

    /// Reads the fills of the next instrument that is to be read, from this place on.
    fn fills_from(&mut self, place: usize) -> Reading {
        let now = held(&self.read.balances);
        let is_wanted = |cursor: &TradeCursor| {
            let changed = now.get(&cursor.base) != self.held.get(&cursor.base);
            self.extent == Extent::All || changed
        };
        let mut left = self.instruments.iter().enumerate().skip(place);
        let next = left.find(|(_, cursor)| is_wanted(cursor));
        let (stage, request) = match next {
            Some((
                place,
                TradeCursor {
                    instrument, from, ..
                },
            )) => {
                let (instrument, from) = (*instrument, *from);
                (
                    Stage::Fills(place),
                    VenueRequest::Fills { instrument, from },
                )
            }
            None => (Stage::BalancesAgain, VenueRequest::Balances),
        };
        self.stage = stage;
        Reading::Next(request)
    }

    /// Moves the cursors to the last fills of a reading.
    fn note_listed(&mut self, read: &AccountSnapshot) {
        self.held = held(&read.balances);
        for cursor in &mut self.instruments {
            let own = read.fills.iter();
            let own = own.filter(|fill| fill.instrument == cursor.instrument);
            let last = own.map(|fill| fill.trade_id).max();
            cursor.from = last.unwrap_or_default().max(cursor.from);
        }
    }

    fn done(&mut self, now: Timestamp) -> Reading {
        let mut read = std::mem::take(&mut self.read);
        self.read.account = read.account;
        read.fills
            .sort_by_key(|fill| (fill.event_time, fill.trade_id));
        (self.retry, self.moved) = (Retry::default(), 0);
        self.note_listed(&read);
        self.stage = match self.again.take() {
            Some(extent) => {
                self.extent = extent;
                Stage::Due(now)
            }
            None => Stage::Idle,
        };
        Reading::Done(read)
    }

    fn moved(&mut self, now: Timestamp) -> Reading {
        self.retry = Retry::default();
        if self.moved < MOVED_MAX {
            self.moved += 1;
            self.stage = Stage::Due(now + self.waits.stand_still);
            return Reading::Later(None);
        }
        self.moved = 0;
        self.stage = Stage::Due(now + self.waits.query_gap);
        Reading::Later(Some(ExecutorFault::AccountMoves))
    }

    fn failed(&mut self, error: VenueError, now: Timestamp) -> Reading {
        if let Some(wait) = self.retry.after(&error, self.waits.retry_first) {
            self.stage = Stage::Due(now + wait);
            return Reading::Later(Some(ExecutorFault::ReadAgain(error)));
        }
        self.retry = Retry::default();
        self.stage = Stage::Due(now + self.waits.query_gap);
        Reading::Later(Some(ExecutorFault::AccountUnreadable(error)))
    }
}

/// The total of each asset.
fn held(balances: &[AssetBalance]) -> BTreeMap<AssetId, Amount> {
    let totals = balances.iter();
    totals
        .map(|held| (held.asset, held.free + held.locked))
        .collect()
}
