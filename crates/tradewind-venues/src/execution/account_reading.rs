//! Reads an account again and again until it did not change during one reading.
//!
//! One reading is the balances, the open orders, the fills of each instrument and the balances again. If the balances
//! changed meanwhile the parts do not belong together, and the reading starts again.

use tradewind_model::{AccountId, Fill, InstrumentId, Timestamp, TradeId};

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
    /// The fills of all instruments, oldest first.
    pub fills: Vec<Fill>,
}

/// The reading of one account.
#[derive(Debug)]
pub(super) struct AccountReading {
    instruments: Vec<InstrumentId>,
    waits: Waits,
    stage: Stage,
    /// Whether it was requested while it was under way.
    again: bool,
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
    pub(super) fn new(account: AccountId, instruments: Vec<InstrumentId>, waits: Waits) -> Self {
        Self {
            instruments,
            waits,
            stage: Stage::Idle,
            again: false,
            retry: Retry::default(),
            moved: 0,
            read: AccountSnapshot {
                account,
                ..AccountSnapshot::default()
            },
        }
    }

    /// Requests a reading of the account. If one is under way, another follows it: the current one may miss the cause.
    pub(super) fn request(&mut self, now: Timestamp) {
        match self.stage {
            Stage::Idle => self.stage = Stage::Due(now),
            Stage::Due(_) => {}
            _ => self.again = true,
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

    fn fills_from(&mut self, place: usize) -> Reading {
        let (stage, request) = match self.instruments.get(place) {
            Some(instrument) => {
                let (instrument, from) = (*instrument, TradeId(0));
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

    fn done(&mut self, now: Timestamp) -> Reading {
        let mut read = std::mem::take(&mut self.read);
        self.read.account = read.account;
        read.fills
            .sort_by_key(|fill| (fill.event_time, fill.trade_id));
        (self.retry, self.moved) = (Retry::default(), 0);
        self.stage = if std::mem::take(&mut self.again) {
            Stage::Due(now)
        } else {
            Stage::Idle
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
