//! Orders by client id: the open ones, the last few that ended, which may still get late fills, and the owners of those
//! that ended within a day.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tradewind_events::{Output, Outputs};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{AccountId, BotId, ClientOrderId, Fill, InstrumentId, Quantity, Timestamp};
use tradewind_risk::PositionEffect;

use super::bot_instrument::BotInstrument;
use super::order::{NewOrder, Order};

/// How many ended orders are kept. A later report is left to reconciliation.
const CLOSED_KEPT: usize = 1_024;

/// How long the owner of an ended order is known, counted from its placing.
const OWNER_KEPT: Duration = Duration::from_hours(24);
/// How many owners are kept at most.
const OWNERS_MAX: usize = 100_000;

/// An order that ended, its bot, and when it was placed.
pub(crate) type FormerOrder = (ClientOrderId, BotId, Timestamp);

/// The orders the engine keeps.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Shared with a function that reads an order while it changes others, and with snapshots.
    open: BTreeMap<ClientOrderId, Arc<Order>>,
    /// Oldest first. Searched from the newest, because late reports are mostly about orders that ended lately. A
    /// snapshot shares the orders.
    closed: VecDeque<Arc<Order>>,
    /// Bots whose orders were cancelled since their cancels were last counted (R17); emptied with every order and every
    /// valuation.
    cancels: Vec<BotId>,
    /// Bots of orders that ended before those in `closed`, by id. Ids of one instance grow with time, so that nearly every
    /// order goes to the end.
    former: VecDeque<FormerOrder>,
}

impl Orders {
    /// Adds an order to the open ones.
    pub(crate) fn insert(&mut self, new: NewOrder) {
        let id = new.terms.client_id;
        self.open.insert(id, Arc::new(Order::new(new)));
    }

    /// The order of this id, open or lately ended.
    pub(crate) fn get_mut(&mut self, id: ClientOrderId) -> Option<&mut Order> {
        self.shared_mut(id).map(Arc::make_mut)
    }

    /// The same, for who looks at it later while other parts change.
    pub(crate) fn shared_mut(&mut self, id: ClientOrderId) -> Option<&mut Arc<Order>> {
        self.open.get_mut(&id).or_else(|| {
            let mut newest_first = self.closed.iter_mut().rev();
            newest_first.find(|order| order.terms().client_id == id)
        })
    }

    pub(crate) fn open_order(&self, id: ClientOrderId) -> Option<&Order> {
        self.open.get(&id).map(Arc::as_ref)
    }

    fn open_mut(&mut self, id: ClientOrderId) -> Option<&mut Order> {
        self.open.get_mut(&id).map(Arc::make_mut)
    }

    /// Sets how often an open order may be placed again at the touch.
    pub(crate) fn set_reprices(&mut self, id: ClientOrderId, reprices: u32) {
        if let Some(order) = self.open_mut(id) {
            order.set_reprices(reprices);
        }
    }

    /// Notes that the wait of an open order is over; see [`Order::time_out`].
    pub(crate) fn time_out(&mut self, id: ClientOrderId, cross: bool) {
        if let Some(order) = self.open_mut(id) {
            order.time_out(cross);
        }
    }

    /// Notes that the request of order `by` cancels an open order first.
    pub(crate) fn replace(&mut self, id: ClientOrderId, by: ClientOrderId) {
        if let Some(order) = self.open_mut(id) {
            order.set_replaced_by(Some(by));
        }
    }

    /// Notes that nothing replaces an open order any more.
    pub(crate) fn keep(&mut self, id: ClientOrderId) {
        if let Some(order) = self.open_mut(id) {
            order.set_replaced_by(None);
        }
    }

    /// Divides a fill of a protective stop, open or lately ended, among the positions it covers.
    pub(crate) fn divide(
        &mut self,
        id: ClientOrderId,
        fill: &Fill,
        step: Quantity,
    ) -> Vec<(BotInstrument, Fill)> {
        let order = self.get_mut(id);
        order.map_or_else(Vec::new, |order| order.divide(fill, step))
    }

    /// Open protective stops of an account in an instrument, by client id.
    pub(crate) fn stops(
        &self,
        account: AccountId,
        instrument: InstrumentId,
    ) -> impl Iterator<Item = &Order> {
        let protecting = self.protecting(account, instrument);
        protecting.filter(|order| order.is_stop())
    }

    /// Open orders of an account in an instrument that guard positions, by client id: stops, and what takes profits beside them.
    pub(crate) fn protecting(
        &self,
        account: AccountId,
        instrument: InstrumentId,
    ) -> impl Iterator<Item = &Order> {
        self.open().filter(move |order| {
            let terms = order.terms();
            order.effect() == PositionEffect::Protect
                && (terms.account, terms.instrument) == (account, instrument)
        })
    }

    /// Open protective stops that cover a position, by client id.
    pub(crate) fn stops_of(&self, place: BotInstrument) -> impl Iterator<Item = &Order> {
        let stops = self.open().filter(|order| order.is_stop());
        stops.filter(move |order| order.shares().of(place).0 > 0)
    }

    /// Open orders that rest at the venue to take a position's profit, by client id.
    pub(crate) fn take_profits_of(&self, place: BotInstrument) -> impl Iterator<Item = &Order> {
        let orders = self.open().filter(|order| order.takes_profit());
        orders.filter(move |order| order.shares().of(place).0 > 0)
    }

    /// Moves an order that has ended among the closed ones.
    pub(crate) fn close(&mut self, id: ClientOrderId) {
        let Some(order) = self.open.remove(&id) else {
            return;
        };
        if self.closed.len() == CLOSED_KEPT
            && let Some(oldest) = self.closed.pop_front()
        {
            self.keep_owner(&oldest, order.placed_at());
        }
        self.closed.push_back(order);
    }

    fn keep_owner(&mut self, order: &Order, now: Timestamp) {
        if let Some(bot) = order.bot() {
            self.insert_former((order.terms().client_id, bot, order.placed_at()));
        }
        while let Some((_, _, placed_at)) = self.former.front() {
            let is_old = now.since(*placed_at) > OWNER_KEPT;
            if !is_old && self.former.len() <= OWNERS_MAX {
                return;
            }
            self.former.pop_front();
        }
    }

    fn insert_former(&mut self, former: FormerOrder) {
        match self.former.back() {
            Some(last) if last.0 >= former.0 => {
                match self.former.binary_search_by_key(&former.0, |known| known.0) {
                    Ok(index) => self.former[index] = former,
                    Err(index) => self.former.insert(index, former),
                }
            }
            _ => self.former.push_back(former),
        }
    }

    /// The bot of an order that ended so long ago that the order itself is not kept.
    pub(crate) fn former_bot(&self, id: ClientOrderId) -> Option<BotId> {
        let index = self.former.binary_search_by_key(&id, |known| known.0);
        index.ok().map(|index| self.former[index].1)
    }

    /// Owners of ended orders that are not kept themselves, oldest first.
    pub(crate) fn former(&self) -> impl Iterator<Item = FormerOrder> + '_ {
        self.former.iter().copied()
    }

    /// Adds saved owners.
    pub(crate) fn restore_former(&mut self, orders: Vec<FormerOrder>) {
        for order in orders {
            self.insert_former(order);
        }
    }

    /// A new start of the desk: whether a cancel arrived is not known, and an order without an outcome is unknown. Returns
    /// the orders that became unknown.
    pub(crate) fn restart(&mut self) -> Vec<ClientOrderId> {
        let mut unknown = Vec::new();
        if is_on(Mutation::PendingKept) {
            return unknown;
        }
        for order in self.open.values_mut().map(Arc::make_mut) {
            if order.restart() {
                unknown.push(order.terms().client_id);
            }
        }
        unknown
    }

    /// Sends a cancel of an open order, unless one was sent.
    pub(crate) fn cancel(&mut self, id: ClientOrderId, out: &mut Outputs) {
        if let Some(order) = self.open.get_mut(&id).map(Arc::make_mut) {
            self.cancels.extend(cancel(order, out));
        }
    }

    /// Sends a cancel of an open order if it is an entry.
    pub(crate) fn cancel_if_entry(&mut self, id: ClientOrderId, out: &mut Outputs) {
        let order = self.open.get_mut(&id).map(Arc::make_mut);
        if let Some(order) = order.filter(|order| order.effect() == PositionEffect::Entry) {
            self.cancels.extend(cancel(order, out));
        }
    }

    /// Sends a cancel of an open order if it is an entry, whose remainder is not placed again.
    pub(crate) fn withdraw_entry(&mut self, id: ClientOrderId, out: &mut Outputs) {
        if let Some(order) = self.open_mut(id) {
            order.withdraw();
        }
        self.cancel_if_entry(id, out);
    }

    /// Sends a cancel of every open entry, or of those of one bot.
    pub(crate) fn cancel_entries(&mut self, of: Option<BotId>, out: &mut Outputs) {
        self.cancel_entries_that(|order| of.is_none() || order.bot() == of, out);
    }

    /// Sends a cancel of every open entry that is meant.
    pub(crate) fn cancel_entries_that(
        &mut self,
        is_meant: impl Fn(&Order) -> bool,
        out: &mut Outputs,
    ) {
        for order in self.open.values_mut().map(Arc::make_mut) {
            if order.effect() == PositionEffect::Entry && is_meant(order) {
                self.cancels.extend(cancel(order, out));
            }
        }
    }

    /// Takes the bots whose orders were cancelled since the last time.
    pub(crate) fn take_cancels(&mut self) -> Vec<BotId> {
        std::mem::take(&mut self.cancels)
    }

    pub(crate) fn cancels(&self) -> &[BotId] {
        &self.cancels
    }

    pub(crate) fn restore_cancels(&mut self, cancels: Vec<BotId>) {
        self.cancels = cancels;
    }

    /// Open orders by client id.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Order> {
        self.open.values().map(Arc::as_ref)
    }

    /// Orders that lately ended, oldest first.
    pub(crate) fn closed(&self) -> impl Iterator<Item = Arc<Order>> + '_ {
        self.closed.iter().cloned()
    }

    /// Adds saved open orders.
    pub(crate) fn restore_open(&mut self, orders: Vec<Order>) {
        let keyed = orders.into_iter();
        self.open
            .extend(keyed.map(|order| (order.terms().client_id, Arc::new(order))));
    }

    /// Adds saved ended orders, oldest first.
    pub(crate) fn restore_closed(&mut self, orders: Vec<Arc<Order>>) {
        self.closed.extend(orders);
    }
}

/// Sends a cancel unless one was sent. Returns the bot whose message it is; none sends that of a protective stop.
fn cancel(order: &mut Order, out: &mut Outputs) -> Option<BotId> {
    if !order.start_cancel() {
        return None;
    }
    let terms = order.terms();
    out.push(Output::Cancel {
        account: terms.account,
        instrument: terms.instrument,
        client_id: terms.client_id,
        venue_order_id: order.venue_order_id(),
    });
    if order.effect() == PositionEffect::Protect {
        return None;
    }
    order.bot()
}
