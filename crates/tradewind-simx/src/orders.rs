//! Which orders there are: the open ones by id, each account's by name, and what is remembered of the finished ones.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, InstrumentId, VenueOrderId};

use crate::action::OrderRef;
use crate::client_id::ClientId;
use crate::config::History;
use crate::order::Order;
use crate::outbox::Execution;
use crate::waiting::{SlotId, Waiting};

/// All orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Orders {
    history: History,
    pub(crate) waiting: Waiting,
    open: BTreeMap<VenueOrderId, SlotId>,
    accounts: Vec<AccountOrders>,
    last_id: u64,
}

/// One account's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct AccountOrders {
    /// The newest order of each name that is open or remembered.
    names: BTreeMap<ClientId, VenueOrderId>,
    /// How many are open, by instrument.
    open: Vec<u32>,
    finished: BTreeMap<VenueOrderId, Order>,
    executions: VecDeque<Execution>,
}

impl Orders {
    pub(crate) const fn new(history: History) -> Self {
        let waiting = Waiting::EMPTY;
        Self {
            history,
            waiting,
            open: BTreeMap::new(),
            accounts: Vec::new(),
            last_id: 0,
        }
    }

    pub(crate) fn open_account(&mut self, instruments: usize) {
        self.accounts.push(AccountOrders {
            open: vec![0; instruments],
            ..AccountOrders::default()
        });
    }

    /// Makes room for this many instruments.
    pub(crate) fn know_instruments(&mut self, instruments: usize) {
        for account in &mut self.accounts {
            account.open.resize(instruments, 0);
        }
    }

    /// The id of the next order.
    pub(crate) const fn next_id(&mut self) -> VenueOrderId {
        self.last_id += 1;
        VenueOrderId(self.last_id)
    }

    /// Notes an order that will wait in `slot`.
    pub(crate) fn opened(&mut self, order: Order, ahead: i64) -> SlotId {
        let slot = self.waiting.insert(order, ahead);
        self.open.insert(order.id, slot);
        let account = &mut self.accounts[order.account.index()];
        account.names.insert(order.client_id, order.id);
        account.open[order.instrument.index()] += 1;
        slot
    }

    /// Notes that a waiting order is finished and has left its queue; its slot is free again.
    pub(crate) fn closed(&mut self, slot: SlotId) {
        let order = self.waiting.remove(slot);
        self.open.remove(&order.id);
        let account = &mut self.accounts[order.account.index()];
        account.open[order.instrument.index()] -= 1;
        match self.history {
            History::Dropped => account.forget_name(&order),
            History::Kept(most) => account.remember(order, most),
        }
    }

    /// Remembers an order that finished without having waited, if orders are remembered.
    pub(crate) fn passed_through(&mut self, order: Order) {
        if let History::Kept(most) = self.history {
            let account = &mut self.accounts[order.account.index()];
            account.names.insert(order.client_id, order.id);
            account.remember(order, most);
        }
    }

    /// Remembers an execution, if they are remembered.
    pub(crate) fn executed(&mut self, execution: &Execution) {
        if let History::Kept(most) = self.history {
            let executions = &mut self.accounts[execution.account.index()].executions;
            executions.push_back(*execution);
            while executions.len() > most as usize {
                executions.pop_front();
            }
        }
    }

    /// The slot of an open order of this account and instrument.
    pub(crate) fn find_open(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        order: OrderRef,
    ) -> Option<SlotId> {
        let id = self.id_of(account, order)?;
        let slot = *self.open.get(&id)?;
        let found = &self.waiting.get(slot).order;
        (found.account == account && found.instrument == instrument).then_some(slot)
    }

    /// An order of this account and instrument, open or remembered.
    pub(crate) fn find(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        order: OrderRef,
    ) -> Option<Order> {
        if let Some(slot) = self.find_open(account, instrument, order) {
            return Some(self.waiting.get(slot).order);
        }
        let id = self.id_of(account, order)?;
        let found = self.accounts.get(account.index())?.finished.get(&id)?;
        (found.instrument == instrument).then_some(*found)
    }

    /// Whether an open order of the account has this name.
    pub(crate) fn is_name_open(&self, account: AccountId, name: &ClientId) -> bool {
        self.accounts[account.index()]
            .names
            .get(name)
            .is_some_and(|id| self.open.contains_key(id))
    }

    /// How many orders the account has open in the instrument.
    pub(crate) fn open_count(&self, account: AccountId, instrument: InstrumentId) -> u32 {
        self.accounts[account.index()].open[instrument.index()]
    }

    /// An account's open orders, oldest first.
    pub(crate) fn open_of(&self, account: AccountId) -> impl Iterator<Item = (SlotId, &Order)> {
        let orders = self
            .open
            .values()
            .map(|slot| (*slot, &self.waiting.get(*slot).order));
        orders.filter(move |(_, order)| order.account == account)
    }

    pub(crate) fn finished_of(&self, account: AccountId) -> impl Iterator<Item = &Order> {
        self.accounts
            .get(account.index())
            .into_iter()
            .flat_map(|account| account.finished.values())
    }

    pub(crate) fn executions_of(
        &self,
        account: AccountId,
    ) -> impl DoubleEndedIterator<Item = &Execution> {
        self.accounts
            .get(account.index())
            .into_iter()
            .flat_map(|account| &account.executions)
    }

    fn id_of(&self, account: AccountId, order: OrderRef) -> Option<VenueOrderId> {
        match order {
            OrderRef::Venue(id) => Some(id),
            OrderRef::Client(name) => self
                .accounts
                .get(account.index())?
                .names
                .get(&name)
                .copied(),
        }
    }
}

impl AccountOrders {
    fn remember(&mut self, order: Order, most: u32) {
        self.finished.insert(order.id, order);
        while self.finished.len() > most as usize {
            if let Some((_, oldest)) = self.finished.pop_first() {
                self.forget_name(&oldest);
            }
        }
    }

    fn forget_name(&mut self, order: &Order) {
        if self.names.get(&order.client_id) == Some(&order.id) {
            self.names.remove(&order.client_id);
        }
    }
}
