//! Orders by client id: the open ones, and the last few that ended, which may still get late fills.

use std::collections::{BTreeMap, VecDeque};

use tradewind_model::{AccountId, BotId, ClientOrderId, InstrumentId, Quantity, Side};
use tradewind_risk::PositionEffect;

use crate::parts::order::Order;

/// How many ended orders are remembered. A report later than that is left to reconciliation.
const CLOSED_KEPT: usize = 1_024;

/// All orders the engine knows.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    open: BTreeMap<ClientOrderId, Order>,
    /// Oldest first. Looked through from the newest: what comes late seldom comes very late.
    closed: VecDeque<Order>,
}

impl Orders {
    pub(crate) fn insert(&mut self, order: Order) {
        self.open.insert(order.terms.client_id, order);
    }

    /// The order of this id, open or lately ended.
    pub(crate) fn get_mut(&mut self, id: ClientOrderId) -> Option<&mut Order> {
        self.open.get_mut(&id).or_else(|| {
            let mut newest_first = self.closed.iter_mut().rev();
            newest_first.find(|order| order.terms.client_id == id)
        })
    }

    pub(crate) fn open_order(&self, id: ClientOrderId) -> Option<&Order> {
        self.open.get(&id)
    }

    pub(crate) fn open_order_mut(&mut self, id: ClientOrderId) -> Option<&mut Order> {
        self.open.get_mut(&id)
    }

    /// Moves an order that has ended among the closed.
    pub(crate) fn close(&mut self, id: ClientOrderId) {
        let Some(order) = self.open.remove(&id) else {
            return;
        };
        if self.closed.len() == CLOSED_KEPT {
            self.closed.pop_front();
        }
        self.closed.push_back(order);
    }

    /// Open orders by client id.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Order> {
        self.open.values()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Open entries of an account: in one instrument, and in all.
    pub(crate) fn entries(&self, account: AccountId, instrument: InstrumentId) -> (u32, u32) {
        let mut counts = (0, 0);
        for order in self.open.values() {
            if order.terms.account == account && order.purpose == PositionEffect::Entry {
                counts.0 += u32::from(order.terms.instrument == instrument);
                counts.1 += 1;
            }
        }
        counts
    }

    /// What an owner has working on one side of an instrument.
    pub(crate) fn working(
        &self,
        bot: Option<BotId>,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
    ) -> Quantity {
        let mut sum = Quantity::ZERO;
        for order in self.open.values() {
            let terms = &order.terms;
            let same = (terms.account, terms.instrument, terms.side) == (account, instrument, side);
            if same && order.bot.map(|(bot, _)| bot) == bot {
                sum += order.remaining();
            }
        }
        sum
    }
}
