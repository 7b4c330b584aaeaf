//! Orders by client id: the open ones, and the last few that ended, which may still get late fills.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tradewind_events::{Output, Outputs};
use tradewind_model::{AccountId, BotId, ClientOrderId, Fill, InstrumentId, Quantity, Side};
use tradewind_risk::PositionEffect;

use super::bot_instrument::BotInstrument;
use super::order::{NewOrder, Order};

/// How many ended orders are kept. A later report is left to reconciliation.
const CLOSED_KEPT: usize = 1_024;

/// The orders the engine keeps.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    open: BTreeMap<ClientOrderId, Order>,
    /// Oldest first. Searched from the newest, because late reports are mostly about orders that ended lately. A
    /// snapshot shares the orders.
    closed: VecDeque<Arc<Order>>,
}

impl Orders {
    /// Adds an order to the open ones.
    pub(crate) fn insert(&mut self, new: NewOrder) {
        self.open.insert(new.terms.client_id, Order::new(new));
    }

    /// The order of this id, open or lately ended.
    pub(crate) fn get_mut(&mut self, id: ClientOrderId) -> Option<&mut Order> {
        self.open.get_mut(&id).or_else(|| {
            let mut newest_first = self.closed.iter_mut().rev();
            let found = newest_first.find(|order| order.terms().client_id == id);
            found.map(Arc::make_mut)
        })
    }

    pub(crate) fn open_order(&self, id: ClientOrderId) -> Option<&Order> {
        self.open.get(&id)
    }

    /// Sets how often an open order may be placed again at the touch.
    pub(crate) fn set_reprices(&mut self, id: ClientOrderId, reprices: u32) {
        if let Some(order) = self.open.get_mut(&id) {
            order.set_reprices(reprices);
        }
    }

    /// Notes that the wait of an open order is over; see [`Order::time_out`].
    pub(crate) fn time_out(&mut self, id: ClientOrderId, cross: bool) {
        if let Some(order) = self.open.get_mut(&id) {
            order.time_out(cross);
        }
    }

    /// Notes that the request of order `by` cancels an open order first.
    pub(crate) fn replace(&mut self, id: ClientOrderId, by: ClientOrderId) {
        if let Some(order) = self.open.get_mut(&id) {
            order.set_replaced_by(Some(by));
        }
    }

    /// Notes that nothing replaces an open order any more.
    pub(crate) fn keep(&mut self, id: ClientOrderId) {
        if let Some(order) = self.open.get_mut(&id) {
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
        self.open.values().filter(move |order| {
            let terms = order.terms();
            order.effect() == PositionEffect::Protect
                && (terms.account, terms.instrument) == (account, instrument)
        })
    }

    /// Open protective stops that cover a position, by client id.
    pub(crate) fn stops_of(&self, place: BotInstrument) -> impl Iterator<Item = &Order> {
        let stops = self
            .open
            .values()
            .filter(|order| order.effect() == PositionEffect::Protect);
        stops.filter(move |order| order.shares().of(place).0 > 0)
    }

    /// Moves an order that has ended among the closed ones.
    pub(crate) fn close(&mut self, id: ClientOrderId) {
        let Some(order) = self.open.remove(&id) else {
            return;
        };
        if self.closed.len() == CLOSED_KEPT {
            self.closed.pop_front();
        }
        self.closed.push_back(Arc::new(order));
    }

    /// Sends a cancel of an open order, unless one was sent.
    pub(crate) fn cancel(&mut self, id: ClientOrderId, out: &mut Outputs) {
        if let Some(order) = self.open.get_mut(&id) {
            cancel(order, out);
        }
    }

    /// Sends a cancel of an open order if it is an entry.
    pub(crate) fn cancel_if_entry(&mut self, id: ClientOrderId, out: &mut Outputs) {
        let order = self.open.get_mut(&id);
        if let Some(order) = order.filter(|order| order.effect() == PositionEffect::Entry) {
            cancel(order, out);
        }
    }

    /// Sends a cancel of every open entry, or of those of one bot.
    pub(crate) fn cancel_entries(&mut self, of: Option<BotId>, out: &mut Outputs) {
        for order in self.open.values_mut() {
            let is_meant = of.is_none() || order.bot() == of;
            if is_meant && order.effect() == PositionEffect::Entry {
                cancel(order, out);
            }
        }
    }

    /// Open orders by client id.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Order> {
        self.open.values()
    }

    /// Orders that lately ended, oldest first.
    pub(crate) fn closed(&self) -> impl Iterator<Item = Arc<Order>> + '_ {
        self.closed.iter().cloned()
    }

    /// Adds saved open orders.
    pub(crate) fn restore_open(&mut self, orders: Vec<Order>) {
        let keyed = orders.into_iter();
        self.open
            .extend(keyed.map(|order| (order.terms().client_id, order)));
    }

    /// Adds saved ended orders, oldest first.
    pub(crate) fn restore_closed(&mut self, orders: Vec<Arc<Order>>) {
        self.closed.extend(orders);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Open entries of an account: in one instrument, and in all.
    pub(crate) fn entries(&self, account: AccountId, instrument: InstrumentId) -> (u32, u32) {
        let mut counts = (0, 0);
        for order in self.open.values() {
            let terms = order.terms();
            if terms.account == account && order.effect() == PositionEffect::Entry {
                counts.0 += u32::from(terms.instrument == instrument);
                counts.1 += 1;
            }
        }
        counts
    }

    /// What an owner has working on one side of an instrument, protective stops left out.
    pub(crate) fn working(
        &self,
        bot: Option<BotId>,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
    ) -> Quantity {
        let mut sum = Quantity::ZERO;
        for order in self.open.values() {
            let terms = order.terms();
            let same = (terms.account, terms.instrument, terms.side) == (account, instrument, side);
            if same && order.bot() == bot && order.effect() != PositionEffect::Protect {
                sum += order.remaining();
            }
        }
        sum
    }
}

fn cancel(order: &mut Order, out: &mut Outputs) {
    if order.start_cancel() {
        let terms = order.terms();
        out.push(Output::Cancel {
            account: terms.account,
            instrument: terms.instrument,
            client_id: terms.client_id,
            venue_order_id: order.venue_order_id(),
        });
    }
}
