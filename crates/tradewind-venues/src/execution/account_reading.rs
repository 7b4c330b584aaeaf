//! Reads an account again and again until it did not change during one reading.
//!
//! One reading is the balances, the fills of each instrument, the balances again, the open orders and the balances once more. If
//! something was traded meanwhile the parts do not belong together. Then only the fills of instruments whose holdings changed are
//! listed again, until nothing did during a list: an account on which orders are on their way must not use up the request
//! weight that exits need. If it never stops, the reading pauses, ever longer.
//!
//! Fills are read from the last one that a reading listed, so that a reading costs what happened since, not what ever
//! happened. A sweep reads only the fills of instruments whose holdings changed since the last reading.
//!
//! Holdings are what is held of the instrument. As much may be bought as is sold, and then only what it is paid with
//! changes, which instruments share. That counts for those that had an order since: no other can have been traded,
//! unless by a foreign order.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{AccountId, Amount, AssetId, Fill, InstrumentId, Timestamp, TradeId};

use super::waits::{Retries, Retry, Urgency, Waits};
use super::{ExecutorFault, OrderRecord, VenueRequest, VenueResponse};
use crate::error::VenueError;
use crate::sink::AssetBalance;

/// Times that a changing account is followed at once, before a pause: each time there is less to list.
const FOLLOWED_MAX: u32 = 4;
/// The longest pause is so many doublings of the first: 8 s in default settings.
const PAUSE_DOUBLED_MAX: u32 = 5;

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
    /// What it had of an instrument and of what that is paid with when its fills were last listed, by the instrument's
    /// place, over all tries of a reading.
    listed: BTreeMap<usize, [Option<Amount>; 2]>,
    /// Instruments that had an open order at the last reading, or an order sent before it.
    active: BTreeSet<InstrumentId>,
    /// Instruments of which an order was sent since the last reading.
    ordered: BTreeSet<InstrumentId>,
    retry: Retry,
    moved: u32,
    read: AccountSnapshot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    Due(Timestamp),
    Balances,
    /// The place of the instrument whose fills are read.
    Fills(usize),
    BalancesAgain,
    OpenOrders,
    BalancesAtLast,
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
            listed: BTreeMap::new(),
            active: BTreeSet::new(),
            ordered: BTreeSet::new(),
            retry: Retry::default(),
            moved: 0,
            read: AccountSnapshot {
                account,
                ..AccountSnapshot::default()
            },
        }
    }

    /// Requests a reading of the account. One under way that has still to list the open orders will show what is the matter;
    /// another follows one that has.
    pub(super) fn request(&mut self, extent: Extent, now: Timestamp) {
        match self.stage {
            Stage::Idle => (self.stage, self.extent) = (Stage::Due(now), extent),
            Stage::OpenOrders | Stage::BalancesAtLast => self.again = self.again.max(Some(extent)),
            _ => self.extent = self.extent.max(extent),
        }
    }

    /// Notes that an order of an instrument is sent.
    pub(super) fn ordered(&mut self, instrument: InstrumentId) {
        self.ordered.insert(instrument);
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

    /// The last trade of an instrument that was listed.
    pub(super) fn listed_to(&self, instrument: InstrumentId) -> TradeId {
        let mut cursors = self.instruments.iter();
        let cursor = cursors.find(|cursor| cursor.instrument == instrument);
        cursor.map_or(TradeId(0), |cursor| cursor.from)
    }

    /// Takes the answer to the latest request.
    pub(super) fn answered(
        &mut self,
        response: VenueResponse,
        retries: &mut Retries,
        now: Timestamp,
    ) -> Reading {
        match (self.stage, response) {
            (Stage::Balances, VenueResponse::Balances(balances)) => {
                self.read.balances = balances;
                self.list_fills(Stage::OpenOrders)
            }
            (Stage::Fills(place), VenueResponse::Fills(fills)) => {
                self.note_listed(place, fills);
                self.list_fills(Stage::BalancesAgain)
            }
            (Stage::BalancesAgain, VenueResponse::Balances(balances)) => {
                if self.stands_still(balances) {
                    self.go_on(Stage::OpenOrders)
                } else {
                    self.moved(now)
                }
            }
            (Stage::OpenOrders, VenueResponse::OpenOrders(orders)) => {
                self.read.open_orders = orders;
                self.go_on(Stage::BalancesAtLast)
            }
            (Stage::BalancesAtLast, VenueResponse::Balances(balances)) => {
                if self.stands_still(balances) {
                    self.done(now)
                } else {
                    self.moved(now)
                }
            }
            (_, VenueResponse::Failed(error)) => self.failed(error, retries, now),
            _ => self.failed(
                VenueError::unreadable("account", "the answer to something else"),
                retries,
                now,
            ),
        }
    }

    /// Takes the balances. Whether nothing was traded since they were read before: an order that was placed or has ended
    /// changes what is locked and no total.
    fn stands_still(&mut self, balances: Vec<AssetBalance>) -> bool {
        let stands =
            held(&balances) == held(&self.read.balances) || is_on(Mutation::ReadingNotRepeated);
        self.read.balances = balances;
        stands
    }

    /// Lists the fills of the next instrument that is to be read, or continues with `then`.
    fn list_fills(&mut self, then: Stage) -> Reading {
        let now = held(&self.read.balances);
        let is_wanted = |(place, cursor): &(usize, &TradeCursor)| match self.listed.get(place) {
            Some(listed) => self.is_traded(cursor, *listed, amounts(&now, cursor)),
            None => {
                let before = amounts(&self.held, cursor);
                self.extent == Extent::All || self.is_traded(cursor, before, amounts(&now, cursor))
            }
        };
        let wanted = self.instruments.iter().enumerate().find(is_wanted);
        let stage = wanted.map_or(then, |(place, _)| Stage::Fills(place));
        self.go_on(stage)
    }

    /// Whether an instrument may have been traded between two states of the account.
    fn is_traded(
        &self,
        cursor: &TradeCursor,
        [base, quote]: [Option<Amount>; 2],
        [base_now, quote_now]: [Option<Amount>; 2],
    ) -> bool {
        let instrument = cursor.instrument;
        let has_orders = || {
            let mut open = self.read.open_orders.iter();
            self.ordered.contains(&instrument)
                || self.active.contains(&instrument)
                || open.any(|order| order.instrument == instrument)
        };
        base != base_now || quote != quote_now && has_orders()
    }

    fn go_on(&mut self, stage: Stage) -> Reading {
        self.stage = stage;
        Reading::Next(match stage {
            Stage::Fills(place) => {
                let TradeCursor {
                    instrument, from, ..
                } = self.instruments[place];
                VenueRequest::Fills { instrument, from }
            }
            Stage::OpenOrders => VenueRequest::OpenOrders,
            _ => VenueRequest::Balances,
        })
    }

    /// Takes the fills of an instrument, and moves its cursor to the last one. An earlier try has listed the first one, too.
    fn note_listed(&mut self, place: usize, fills: Vec<Fill>) {
        let now = held(&self.read.balances);
        let Some(cursor) = self.instruments.get_mut(place) else {
            return;
        };
        let from = cursor.from;
        let last = fills.iter().map(|fill| fill.trade_id).max();
        cursor.from = last.unwrap_or_default().max(from);
        let (instrument, amounts) = (cursor.instrument, amounts(&now, cursor));
        let is_repeated = |fill: &Fill| fill.instrument == instrument && fill.trade_id >= from;
        self.read.fills.retain(|fill| !is_repeated(fill));
        self.read.fills.extend(fills);
        self.listed.insert(place, amounts);
    }

    fn done(&mut self, now: Timestamp) -> Reading {
        let mut read = std::mem::take(&mut self.read);
        self.read.account = read.account;
        read.fills
            .sort_by_key(|fill| (fill.event_time, fill.trade_id));
        (self.retry, self.moved) = (Retry::default(), 0);
        self.held = held(&read.balances);
        self.listed.clear();
        self.active = std::mem::take(&mut self.ordered);
        let open = read.open_orders.iter().map(|order| order.instrument);
        self.active.extend(open);
        let again = self.again.take();
        self.stage = again.map_or(Stage::Idle, |_| Stage::Due(now));
        self.extent = again.unwrap_or(Extent::Changed);
        Reading::Done(read)
    }

    /// Follows the account to the balances that were just read.
    fn moved(&mut self, now: Timestamp) -> Reading {
        self.retry = Retry::default();
        self.moved = self.moved.saturating_add(1);
        let Some(paused) = self.moved.checked_sub(FOLLOWED_MAX + 1) else {
            return self.list_fills(Stage::OpenOrders);
        };
        let doubled = paused.min(PAUSE_DOUBLED_MAX);
        self.stage = Stage::Due(now + self.waits.stand_still * 2_u32.pow(doubled));
        let is_long = paused >= PAUSE_DOUBLED_MAX;
        Reading::Later(is_long.then_some(ExecutorFault::AccountMoves))
    }

    fn failed(&mut self, error: VenueError, retries: &mut Retries, now: Timestamp) -> Reading {
        if let Some(wait) = retries.after((&mut self.retry, Urgency::Account), &error, now) {
            self.stage = Stage::Due(now + wait);
            return Reading::Later(Some(ExecutorFault::ReadAgain(error)));
        }
        self.retry = Retry::default();
        self.stage = Stage::Due(now + retries.start_over(self.waits.query_gap, now));
        Reading::Later(Some(ExecutorFault::AccountUnreadable(error)))
    }
}

/// What is held of an instrument, and of what it is paid with.
fn amounts(held: &BTreeMap<AssetId, Amount>, cursor: &TradeCursor) -> [Option<Amount>; 2] {
    [cursor.base, cursor.quote].map(|asset| held.get(&asset).copied())
}

/// The total of each asset.
fn held(balances: &[AssetBalance]) -> BTreeMap<AssetId, Amount> {
    let totals = balances.iter();
    totals
        .map(|held| (held.asset, held.free + held.locked))
        .collect()
}
