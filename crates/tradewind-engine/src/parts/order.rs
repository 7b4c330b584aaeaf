//! The life of an order: one function from a state and a report to the next state, and the table that proves it.

use serde::{Deserialize, Serialize};
use tradewind_events::Output;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    BotId, ClientOrderId, EventId, ExecutionReport, Fill, OrderKind, OrderStatus, OrderTerms,
    OwnerId, Ppm, Price, Quantity, ReportKind, TimeInForce, Timestamp, TradeId, VenueOrderId,
};
use tradewind_risk::PositionEffect;

use super::bot_instrument::BotInstrument;
use super::stop_shares::StopShares;

/// An order as the engine keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    terms: OrderTerms,
    place: Option<BotInstrument>,
    effect: PositionEffect,
    status: OrderStatus,
    /// The sum of its booked fills.
    filled: Quantity,
    venue_order_id: Option<VenueOrderId>,
    placed_at: Timestamp,
    placed_by: EventId,
    /// How often it may still be placed again at the touch.
    reprices: u32,
    /// Whether the remainder is taken at market once its cancel is confirmed.
    cross_remainder: bool,
    limit: Option<Price>,
    exposure_before: Ppm,
    /// How much the venue reports as filled. More than `filled` means that executions are missing.
    venue_cumulative: Quantity,
    /// Whether a cancel was sent.
    cancelling: bool,
    /// Executions booked, so that none is booked twice.
    trades: Trades,
    /// The order that its request cancels first.
    #[serde(default)]
    replaces: Option<ClientOrderId>,
    /// The order whose request cancels this one, until the outcome is known.
    #[serde(default)]
    replaced_by: Option<ClientOrderId>,
    /// For a protective stop: the positions it covers.
    #[serde(default)]
    shares: StopShares,
    /// The other order of its pair: of a stop the one that takes the profit, and the other way round.
    #[serde(default)]
    pair: Option<ClientOrderId>,
    /// Whether what it works towards is not wanted any more: its remainder is not placed again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_withdrawn: bool,
    /// Whether it showed up at the venue after it counted as never placed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_late: bool,
}

/// An order when the engine first gets it.
#[derive(Clone, Debug)]
pub(crate) struct NewOrder {
    pub(crate) terms: OrderTerms,
    /// For which bot and instrument; `None` for a person's.
    pub(crate) place: Option<BotInstrument>,
    pub(crate) effect: PositionEffect,
    pub(crate) placed_at: Timestamp,
    /// The event that announced it. It is the cause of the order's later events.
    pub(crate) placed_by: EventId,
    /// The worst price its strategy accepts.
    pub(crate) limit: Option<Price>,
    /// The exposure of its bot's target before. It applies again if this order ends without a fill.
    pub(crate) exposure_before: Ppm,
    /// For an order found open at the venue: its state there.
    pub(crate) found: Option<FoundOrder>,
    /// The order that its request cancels first.
    pub(crate) replaces: Option<ClientOrderId>,
    /// For a protective stop: the positions it covers.
    pub(crate) shares: StopShares,
    /// The other order of its pair.
    pub(crate) pair: Option<ClientOrderId>,
}

/// The state at the venue of an order that was open when the desk started.
#[derive(Clone, Debug)]
pub(crate) struct FoundOrder {
    pub(crate) venue_order_id: VenueOrderId,
    pub(crate) filled: Quantity,
    /// Its executions that are booked already.
    pub(crate) trades: Trades,
}

/// Executions of one order by id. Nearly every order has one, which costs no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trades {
    first: Option<TradeId>,
    more: Vec<TradeId>,
}

impl Trades {
    /// Notes an execution. False if it was there already.
    fn insert(&mut self, id: TradeId) -> bool {
        let is_known = self.first == Some(id) || self.more.contains(&id);
        if is_known && !is_on(Mutation::FillTwice) {
            return false;
        }
        match self.first {
            None => self.first = Some(id),
            Some(_) => self.more.push(id),
        }
        true
    }
}

impl FromIterator<TradeId> for Trades {
    fn from_iter<T: IntoIterator<Item = TradeId>>(ids: T) -> Self {
        let mut trades = Self::default();
        for id in ids {
            trades.insert(id);
        }
        trades
    }
}

/// What a report did to its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// Nothing: it is a fill that was booked before.
    Duplicate,
    /// What follows from it.
    Changed {
        /// How the state changed.
        step: Step,
        /// Whether the venue must be queried: the report contradicts what is certain, or an execution is missing.
        query: bool,
        /// Whether the order is still there although a cancel was sent, so that the cancel is sent again.
        cancel_lost: bool,
        /// Whether the order shows up for the first time after it counted as never placed.
        is_late: bool,
    },
}

impl Order {
    /// The only place where an order is made: one that was placed now, or one found open at the venue.
    pub(super) fn new(new: NewOrder) -> Self {
        let (status, venue_order_id, filled, trades) = match new.found {
            None => (
                OrderStatus::Pending,
                None,
                Quantity::ZERO,
                Trades::default(),
            ),
            Some(found) => {
                let status = if found.filled == Quantity::ZERO {
                    OrderStatus::Accepted
                } else {
                    OrderStatus::PartiallyFilled
                };
                let id = Some(found.venue_order_id);
                (status, id, found.filled, found.trades)
            }
        };
        Self {
            terms: new.terms,
            place: new.place,
            effect: new.effect,
            status,
            filled,
            venue_order_id,
            placed_at: new.placed_at,
            placed_by: new.placed_by,
            reprices: 0,
            cross_remainder: false,
            limit: new.limit,
            exposure_before: new.exposure_before,
            venue_cumulative: filled,
            cancelling: false,
            trades,
            replaces: new.replaces,
            replaced_by: None,
            shares: new.shares,
            pair: new.pair,
            is_withdrawn: false,
            is_late: false,
        }
    }

    /// Takes a report on this order: executions once each, the state forward only.
    pub(crate) fn apply(&mut self, report: &ExecutionReport) -> Applied {
        self.venue_order_id = self.venue_order_id.or(report.venue_order_id);
        if is_on(Mutation::LateFillDropped) && !self.status.is_open() {
            return Applied::Duplicate;
        }
        if let ReportKind::Filled(fill) = &report.kind
            && !self.note_execution(fill)
        {
            return Applied::Duplicate;
        }
        let class = ReportClass::of(&report.kind, self.filled, self.terms.quantity);
        let was_unknown = self.status == OrderStatus::Unknown;
        let is_lost = class == ReportClass::Cancelled && self.effect == PositionEffect::Protect;
        let class = match is_on(Mutation::LostStopUnnoticed) && is_lost {
            true => ReportClass::Accepted,
            false => class,
        };
        let step = transition(self.status, class);
        if let Step::To(next) = step {
            self.status = next;
        }
        let venue_cumulative = report.cumulative.unwrap_or_default();
        let is_news = venue_cumulative > self.venue_cumulative;
        self.venue_cumulative = self.venue_cumulative.max(venue_cumulative);
        let is_missing = is_news && venue_cumulative > self.filled;
        // An order that was unknown while its cancel was sent is cancelled as soon as it is seen (V21).
        let is_there = step == Step::Stay || was_unknown;
        let cancel_lost = self.cancelling && is_there && report.kind == ReportKind::Accepted;
        self.cancelling &= !cancel_lost;
        let was_absent = matches!(self.status, OrderStatus::Rejected | OrderStatus::NotSent);
        let is_late = was_absent && !self.is_late && report.kind == ReportKind::Accepted;
        self.is_late |= is_late;
        Applied::Changed {
            step,
            query: step == Step::Query || is_missing,
            cancel_lost,
            is_late,
        }
    }

    /// Adds an execution to what is filled. False if it was added before.
    pub(crate) fn note_execution(&mut self, fill: &Fill) -> bool {
        let is_new = self.trades.insert(fill.trade_id);
        if is_new {
            self.filled = Quantity(self.filled.0.saturating_add(fill.quantity.0));
        }
        is_new
    }

    /// Whether an execution is added already.
    pub(crate) fn has_execution(&self, id: TradeId) -> bool {
        self.trades.first == Some(id) || self.trades.more.contains(&id)
    }

    /// Whether a report on this order's id can be about it.
    pub(crate) fn is_named_by(&self, report: &ExecutionReport) -> bool {
        let terms = &self.terms;
        let same = (report.account, report.instrument) == (terms.account, terms.instrument);
        let ReportKind::Filled(fill) = &report.kind else {
            return same;
        };
        let of = (fill.account, fill.instrument, fill.side);
        same && of == (terms.account, terms.instrument, terms.side) && is_possible(fill)
    }

    /// A new start of the desk. True if the order had no outcome: it may have left, so it is unknown from now on.
    pub(super) const fn restart(&mut self) -> bool {
        self.cancelling = false;
        let step = transition(self.status, ReportClass::Unknown);
        if let (OrderStatus::Pending, Step::To(next)) = (self.status, step) {
            self.status = next;
            return true;
        }
        false
    }

    /// The same order as if no cancel was sent: whether one arrived is not known after a restart.
    pub(crate) fn without_cancel(&self) -> Self {
        Self {
            cancelling: false,
            ..self.clone()
        }
    }

    /// Notes that a cancel is sent. False if one was sent before.
    pub(super) const fn start_cancel(&mut self) -> bool {
        !std::mem::replace(&mut self.cancelling, true)
    }

    /// Notes that the request of another order cancels this one first; `None`: that it did not.
    pub(super) const fn set_replaced_by(&mut self, by: Option<ClientOrderId>) {
        self.replaced_by = by;
    }

    /// Divides a fill of a protective stop among the positions it covers.
    pub(super) fn divide(&mut self, fill: &Fill, step: Quantity) -> Vec<(BotInstrument, Fill)> {
        self.shares.divide(fill, step)
    }

    /// Sets how often the order may be placed again at the touch.
    pub(super) const fn set_reprices(&mut self, reprices: u32) {
        self.reprices = reprices;
    }

    /// Notes that its wait is over. After its cancel the remainder is placed again or, with `cross`, taken at market.
    pub(super) const fn time_out(&mut self, cross: bool) {
        self.cross_remainder = self.reprices > 0 || cross;
    }

    /// Notes that its remainder is not to be placed again.
    pub(super) const fn withdraw(&mut self) {
        self.is_withdrawn = true;
    }

    pub(crate) const fn terms(&self) -> &OrderTerms {
        &self.terms
    }

    pub(crate) const fn place(&self) -> Option<BotInstrument> {
        self.place
    }

    pub(crate) fn bot(&self) -> Option<BotId> {
        self.place.map(BotInstrument::bot)
    }

    /// The order's owner.
    pub(crate) fn owner(&self) -> OwnerId {
        self.bot().map_or(OwnerId::Unallocated, OwnerId::Bot)
    }

    pub(crate) const fn effect(&self) -> PositionEffect {
        self.effect
    }

    pub(crate) const fn status(&self) -> OrderStatus {
        self.status
    }

    pub(crate) const fn filled(&self) -> Quantity {
        self.filled
    }

    pub(crate) const fn venue_order_id(&self) -> Option<VenueOrderId> {
        self.venue_order_id
    }

    pub(crate) const fn placed_at(&self) -> Timestamp {
        self.placed_at
    }

    pub(crate) const fn placed_by(&self) -> EventId {
        self.placed_by
    }

    pub(crate) const fn reprices(&self) -> u32 {
        self.reprices
    }

    pub(crate) const fn limit(&self) -> Option<Price> {
        self.limit
    }

    pub(crate) const fn exposure_before(&self) -> Ppm {
        self.exposure_before
    }

    /// What is not filled yet; zero if the venue filled more than the order's quantity.
    pub(crate) fn remaining(&self) -> Quantity {
        (self.terms.quantity - self.filled).max(Quantity::ZERO)
    }

    /// Whether all of an ended order's executions are booked. A cancel may overtake a fill.
    pub(crate) fn is_complete(&self) -> bool {
        !self.status.is_open() && self.filled >= self.venue_cumulative
    }

    /// Whether its remainder is to be placed again or taken at market, now that its cancel is confirmed.
    pub(crate) fn continues(&self) -> bool {
        self.cross_remainder && !self.is_withdrawn && self.status == OrderStatus::Cancelled
    }

    pub(crate) const fn replaces(&self) -> Option<ClientOrderId> {
        self.replaces
    }

    /// The other order of its pair.
    pub(crate) const fn pair(&self) -> Option<ClientOrderId> {
        self.pair
    }

    /// Whether it is a stop at the venue.
    pub(crate) const fn is_stop(&self) -> bool {
        matches!(self.effect, PositionEffect::Protect) && self.terms.kind.trigger().is_some()
    }

    /// Whether it rests at the venue to take a position's profit.
    pub(crate) const fn takes_profit(&self) -> bool {
        matches!(self.effect, PositionEffect::Protect) && self.terms.kind.trigger().is_none()
    }

    pub(crate) const fn shares(&self) -> &StopShares {
        &self.shares
    }

    /// Whether it rests at the venue and nothing that would end it was sent.
    pub(crate) fn rests(&self) -> bool {
        self.is_on_book() && !self.cancelling && self.replaced_by.is_none()
    }

    /// Whether the venue has confirmed it and no cancel was sent; its replacement may be on the way.
    pub(crate) const fn guards(&self) -> bool {
        self.is_on_book() && !self.cancelling
    }

    /// Whether a cancel was sent that has no answer yet.
    pub(crate) const fn is_ending(&self) -> bool {
        self.cancelling && self.status.is_open()
    }

    /// Whether it is an exit that was bounded by a price and ended without being filled.
    pub(crate) fn is_narrow_exit(&self) -> bool {
        let is_bounded = matches!(
            self.terms.kind,
            OrderKind::Limit {
                time_in_force: TimeInForce::ImmediateOrCancel,
                ..
            }
        );
        let ended = matches!(self.status, OrderStatus::Expired | OrderStatus::Cancelled);
        self.effect == PositionEffect::Exit && is_bounded && ended
    }

    /// Whether the venue has confirmed it.
    pub(crate) const fn is_on_book(&self) -> bool {
        matches!(
            self.status,
            OrderStatus::Accepted | OrderStatus::PartiallyFilled
        )
    }

    /// Whether an order that ended was meant to end: it was cancelled or replaced, or it traded.
    pub(crate) fn ended_as_meant(&self) -> bool {
        self.cancelling || self.replaced_by.is_some() || self.status == OrderStatus::Filled
    }

    /// A cancel for this order, whether or not one was sent.
    pub(crate) const fn cancel_again(&self) -> Output {
        Output::Cancel {
            account: self.terms.account,
            instrument: self.terms.instrument,
            client_id: self.terms.client_id,
            venue_order_id: self.venue_order_id,
        }
    }

    /// The query for this order.
    pub(crate) const fn query(&self) -> Output {
        Output::Query {
            account: self.terms.account,
            instrument: self.terms.instrument,
            client_id: self.terms.client_id,
        }
    }
}

/// Whether a fill's numbers can be a trade's.
pub(crate) const fn is_possible(fill: &Fill) -> bool {
    fill.quantity.0 > 0 && fill.price.0 > 0
}

/// The class of a report, as far as an order's state depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportClass {
    /// The venue has it.
    Accepted,
    /// A fill that leaves some of it.
    PartialFill,
    /// The fill that completes it.
    FinalFill,
    /// Cancelled.
    Cancelled,
    /// Ended by the venue's rules.
    Expired,
    /// Refused by the venue.
    Rejected,
    /// A cancel found nothing to cancel.
    CancelRejected,
    /// No definite answer.
    Unknown,
    /// It never left.
    NotSent,
}

impl ReportClass {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 9] = [
        Self::Accepted,
        Self::PartialFill,
        Self::FinalFill,
        Self::Cancelled,
        Self::Expired,
        Self::Rejected,
        Self::CancelRejected,
        Self::Unknown,
        Self::NotSent,
    ];

    /// The class of `kind` for an order of which `filled` of `quantity` will be filled once it is booked.
    pub(crate) fn of(kind: &ReportKind, filled: Quantity, quantity: Quantity) -> Self {
        match kind {
            ReportKind::Accepted => Self::Accepted,
            ReportKind::CancelRejected(_) if is_on(Mutation::RefusedCancelEnds) => Self::Cancelled,
            ReportKind::Expired if is_on(Mutation::ExpiryIgnored) => Self::Accepted,
            ReportKind::Filled(_) if is_on(Mutation::PartialFillEnds) => Self::FinalFill,
            ReportKind::Filled(_) if filled < quantity => Self::PartialFill,
            ReportKind::Filled(_) => Self::FinalFill,
            ReportKind::Cancelled => Self::Cancelled,
            ReportKind::Expired => Self::Expired,
            ReportKind::Rejected(_) => Self::Rejected,
            ReportKind::CancelRejected(_) => Self::CancelRejected,
            ReportKind::Unknown => Self::Unknown,
            ReportKind::NotSent(_) => Self::NotSent,
        }
    }
}

/// What a report does to an order's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It moves on.
    To(OrderStatus),
    /// It stays: the report is a repetition, or late, or contradicts what is certain.
    Stay,
    /// It stays, and the venue must be queried.
    Query,
}

/// The next state. States only move forward: what has ended never opens again, though its late fills are booked.
pub(crate) const fn transition(status: OrderStatus, report: ReportClass) -> Step {
    use OrderStatus as S;
    use ReportClass as R;
    match (status, report) {
        (S::Pending | S::Unknown, R::Accepted) => Step::To(S::Accepted),
        (S::Pending | S::Accepted | S::Unknown, R::PartialFill) => Step::To(S::PartiallyFilled),
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::FinalFill) => {
            Step::To(S::Filled)
        }
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::Cancelled) => {
            Step::To(S::Cancelled)
        }
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::Expired) => {
            Step::To(S::Expired)
        }
        // A refused order never was on the book. So a refusal of an order that was on the book is a contradiction.
        (S::Pending | S::Unknown, R::Rejected) => Step::To(S::Rejected),
        (S::Accepted | S::PartiallyFilled, R::Rejected) => Step::Query,
        (S::Pending | S::Accepted | S::PartiallyFilled | S::Unknown, R::CancelRejected) => {
            Step::Query
        }
        (S::Pending, R::Unknown) => Step::To(S::Unknown),
        // The gate is certain that the order was not sent, unless the venue has already reported on it.
        (S::Pending, R::NotSent) => Step::To(S::NotSent),
        (S::Unknown, R::Unknown) | (S::Accepted | S::PartiallyFilled, R::Unknown) => Step::Query,
        (S::Accepted | S::PartiallyFilled, R::Accepted)
        | (S::PartiallyFilled, R::PartialFill)
        | (S::Accepted | S::PartiallyFilled | S::Unknown, R::NotSent)
        | (S::Filled | S::Cancelled | S::Expired | S::Rejected | S::NotSent, _) => Step::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every state (rows) against every report (columns, in the order of `ReportClass::ALL`).
    #[test]
    fn every_state_meets_every_report() {
        let table = [
            (
                OrderStatus::Pending,
                "accepted partially_filled filled cancelled expired rejected query unknown not_sent",
            ),
            (
                OrderStatus::Accepted,
                "stay partially_filled filled cancelled expired query query query stay",
            ),
            (
                OrderStatus::PartiallyFilled,
                "stay stay filled cancelled expired query query query stay",
            ),
            (
                OrderStatus::Unknown,
                "accepted partially_filled filled cancelled expired rejected query query stay",
            ),
            (
                OrderStatus::Filled,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::Cancelled,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::Expired,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::Rejected,
                "stay stay stay stay stay stay stay stay stay",
            ),
            (
                OrderStatus::NotSent,
                "stay stay stay stay stay stay stay stay stay",
            ),
        ];
        for (status, row) in table {
            for (report, wanted) in ReportClass::ALL.into_iter().zip(row.split(' ')) {
                let step = match transition(status, report) {
                    Step::To(next) => next.name(),
                    Step::Stay => "stay",
                    Step::Query => "query",
                };
                assert_eq!(step, wanted, "{status:?} on {report:?}");
            }
        }
        assert_eq!(table.len(), OrderStatus::ALL.len());
    }

    #[test]
    fn what_has_ended_never_opens_again() {
        for status in OrderStatus::ALL {
            for report in ReportClass::ALL {
                if let Step::To(next) = transition(status, report) {
                    assert!(status.is_open(), "{status:?} moved on {report:?}");
                    assert!(
                        next > status || status == OrderStatus::Unknown,
                        "{status:?} fell back on {report:?}"
                    );
                }
            }
        }
    }
}
