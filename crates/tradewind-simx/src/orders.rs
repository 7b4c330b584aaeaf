//! Which orders there are: the open ones, each account's by name, and what is remembered of the finished ones.
//!
//! An open order is found by a look into a table. A finished one is looked for from the newest back, over sixteen bytes an
//! order: finishing is what every order does, being asked for afterwards is rare, and a table of a hundred thousand names
//! for each account would cost each order its cache misses. What is found by is not in a snapshot: it is built again.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use tradewind_model::{AccountId, InstrumentId, VenueOrderId};

use crate::action::OrderRef;
use crate::client_id::ClientId;
use crate::config::History;
use crate::list::{ListId, ListRef, OrderList};
use crate::order::Order;
use crate::outbox::Execution;
use crate::table::{Key as _, Table};
use crate::waiting::{SlotId, Waiting};

/// All orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub(crate) struct Orders {
    history: History,
    pub(crate) waiting: Waiting,
    open_lists: BTreeMap<ListId, OrderList>,
    accounts: Vec<AccountOrders>,
    last_id: u64,
    last_list_id: u64,
    #[serde(skip)]
    open: Table<VenueOrderId, SlotId>,
}

/// One account's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct AccountOrders {
    /// What is open, by instrument.
    open: Vec<Counts>,
    /// In the order in which they finished.
    finished: VecDeque<Order>,
    finished_lists: VecDeque<OrderList>,
    executions: VecDeque<Execution>,
    /// The open orders by name.
    #[serde(skip)]
    names: Table<ClientId, VenueOrderId>,
    /// What each of `finished` is found by.
    #[serde(skip)]
    keys: VecDeque<FinishedKey>,
    /// The newest list of each name that is open or remembered.
    #[serde(skip)]
    list_names: BTreeMap<ClientId, ListId>,
}

/// A finished order's id and the hash of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FinishedKey {
    id: VenueOrderId,
    name: u64,
}

/// What a snapshot holds of all orders.
#[derive(Deserialize)]
struct Saved {
    history: History,
    waiting: Waiting,
    open_lists: BTreeMap<ListId, OrderList>,
    accounts: Vec<AccountOrders>,
    last_id: u64,
    last_list_id: u64,
}

impl From<Saved> for Orders {
    fn from(saved: Saved) -> Self {
        let mut orders = Self {
            history: saved.history,
            waiting: saved.waiting,
            open_lists: saved.open_lists,
            accounts: saved.accounts,
            last_id: saved.last_id,
            last_list_id: saved.last_list_id,
            open: Table::default(),
        };
        for account in &mut orders.accounts {
            account.find_again();
        }
        for (slot, order) in orders.waiting.iter() {
            orders.open.insert(order.id, slot);
            orders.accounts[order.account.index()]
                .names
                .insert(order.client_id, order.id);
        }
        for list in orders.open_lists.values() {
            let account = &mut orders.accounts[list.account.index()];
            account.list_names.insert(list.client_id, list.id);
        }
        orders
    }
}

/// How much an account has open in an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) orders: u32,
    /// Orders that have a trigger, fired or not.
    pub(crate) algo: u32,
    pub(crate) lists: u32,
}

impl Orders {
    pub(crate) fn new(history: History) -> Self {
        let waiting = Waiting::EMPTY;
        Self {
            history,
            waiting,
            open_lists: BTreeMap::new(),
            accounts: Vec::new(),
            last_id: 0,
            last_list_id: 0,
            open: Table::default(),
        }
    }

    pub(crate) fn open_account(&mut self, instruments: usize) {
        self.accounts.push(AccountOrders {
            open: vec![Counts::default(); instruments],
            ..AccountOrders::default()
        });
    }

    /// Makes room for this many instruments.
    pub(crate) fn know_instruments(&mut self, instruments: usize) {
        for account in &mut self.accounts {
            account.open.resize(instruments, Counts::default());
        }
    }

    /// The id of the next order.
    pub(crate) const fn next_id(&mut self) -> VenueOrderId {
        self.last_id += 1;
        VenueOrderId(self.last_id)
    }

    /// The id of the next list.
    pub(crate) const fn next_list_id(&mut self) -> ListId {
        self.last_list_id += 1;
        ListId(self.last_list_id)
    }

    /// Notes an order that stays open, in a slot of its own.
    pub(crate) fn opened(&mut self, order: &Order) -> SlotId {
        let slot = self.waiting.insert(order);
        self.open.insert(order.id, slot);
        let account = &mut self.accounts[order.account.index()];
        account.names.insert(order.client_id, order.id);
        let counts = &mut account.open[order.instrument.index()];
        counts.orders += 1;
        counts.algo += u32::from(order.trigger.is_some());
        slot
    }

    /// Takes an order out of its slot, which is free again; it is not finished, but nowhere.
    pub(crate) fn leave(&mut self, slot: SlotId) -> Order {
        let order = self.waiting.remove(slot);
        self.open.remove(&order.id);
        let account = &mut self.accounts[order.account.index()];
        account.names.remove(&order.client_id);
        let counts = &mut account.open[order.instrument.index()];
        counts.orders -= 1;
        counts.algo -= u32::from(order.trigger.is_some());
        order
    }

    /// Remembers an order that finished and is in no slot, if orders are remembered.
    pub(crate) fn passed_through(&mut self, order: &Order) {
        if let History::Kept(most) = self.history {
            self.accounts[order.account.index()].remember(order, most);
        }
    }

    /// Gives an open order another name; tells the former one.
    pub(crate) fn rename(&mut self, slot: SlotId, name: ClientId) -> ClientId {
        let order = &mut self.waiting.get_mut(slot).order;
        let account = &mut self.accounts[order.account.index()];
        account.names.remove(&order.client_id);
        account.names.insert(name, order.id);
        std::mem::replace(&mut order.client_id, name)
    }

    /// Notes a new list.
    pub(crate) fn list_opened(&mut self, list: OrderList) {
        self.open_lists.insert(list.id, list);
        let account = &mut self.accounts[list.account.index()];
        account.list_names.insert(list.client_id, list.id);
        account.open[list.instrument.index()].lists += 1;
    }

    /// Notes that a list is done.
    pub(crate) fn list_closed(&mut self, list: OrderList) {
        self.open_lists.remove(&list.id);
        let account = &mut self.accounts[list.account.index()];
        account.open[list.instrument.index()].lists -= 1;
        match self.history {
            History::Dropped => account.forget_list_name(&list),
            History::Kept(most) => account.remember_list(list, most),
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

    /// The slot of an open order.
    pub(crate) fn slot(&self, order: VenueOrderId) -> Option<SlotId> {
        self.open.get(&order)
    }

    /// An open list.
    pub(crate) fn list(&self, id: ListId) -> Option<OrderList> {
        self.open_lists.get(&id).copied()
    }

    /// A list of this account that is open.
    pub(crate) fn find_open_list(&self, account: AccountId, list: ListRef) -> Option<OrderList> {
        let found = self.list(self.list_id_of(account, list)?)?;
        (found.account == account).then_some(found)
    }

    /// A list of this account, open or remembered.
    pub(crate) fn find_list(&self, account: AccountId, list: ListRef) -> Option<OrderList> {
        self.find_open_list(account, list).or_else(|| {
            let id = self.list_id_of(account, list)?;
            let lists = &self.accounts.get(account.index())?.finished_lists;
            lists.iter().rev().find(|found| found.id == id).copied()
        })
    }

    /// Whether an open list of the account has this name.
    pub(crate) fn is_list_name_open(&self, account: AccountId, name: &ClientId) -> bool {
        self.find_open_list(account, ListRef::Client(*name))
            .is_some()
    }

    /// What the account has open in the instrument.
    pub(crate) fn counts(&self, account: AccountId, instrument: InstrumentId) -> Counts {
        self.accounts[account.index()].open[instrument.index()]
    }

    /// An account's open lists, oldest first.
    pub(crate) fn open_lists_of(&self, account: AccountId) -> impl Iterator<Item = &OrderList> {
        let lists = self.open_lists.values();
        lists.filter(move |list| list.account == account)
    }

    /// An account's lists that are done and remembered, in the order in which they were done.
    pub(crate) fn finished_lists_of(&self, account: AccountId) -> impl Iterator<Item = &OrderList> {
        self.accounts
            .get(account.index())
            .into_iter()
            .flat_map(|account| &account.finished_lists)
    }

    /// All open orders in an instrument, whosever they are, oldest first.
    pub(crate) fn open_in(&self, instrument: InstrumentId) -> impl Iterator<Item = &Order> {
        self.sorted(move |order| order.instrument == instrument)
    }

    /// Open orders that `wanted` lets through, oldest first.
    fn sorted(&self, wanted: impl Fn(&Order) -> bool) -> impl Iterator<Item = &Order> {
        let mut found: Vec<&Order> = self
            .waiting
            .orders()
            .filter(|order| wanted(order))
            .collect();
        found.sort_unstable_by_key(|order| order.id);
        found.into_iter()
    }

    /// The slot of an open order of this account and instrument.
    pub(crate) fn find_open(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        order: OrderRef,
    ) -> Option<SlotId> {
        let id = match order {
            OrderRef::Venue(id) => id,
            OrderRef::Client(name) => self.accounts.get(account.index())?.names.get(&name)?,
        };
        let slot = self.open.get(&id)?;
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
        let found = self.accounts.get(account.index())?.finished(order)?;
        (found.instrument == instrument).then_some(*found)
    }

    /// Whether an open order of the account has this name.
    pub(crate) fn is_name_open(&self, account: AccountId, name: &ClientId) -> bool {
        self.accounts[account.index()].names.get(name).is_some()
    }

    /// An account's open orders, oldest first.
    pub(crate) fn open_of(&self, account: AccountId) -> impl Iterator<Item = &Order> {
        self.sorted(move |order| order.account == account)
    }

    /// An account's finished orders that are remembered, in the order in which they finished.
    pub(crate) fn finished_of(&self, account: AccountId) -> impl Iterator<Item = &Order> {
        self.accounts
            .get(account.index())
            .into_iter()
            .flat_map(|account| &account.finished)
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

    fn list_id_of(&self, account: AccountId, list: ListRef) -> Option<ListId> {
        match list {
            ListRef::Venue(id) => Some(id),
            ListRef::Client(name) => self
                .accounts
                .get(account.index())?
                .list_names
                .get(&name)
                .copied(),
        }
    }
}

impl AccountOrders {
    fn remember(&mut self, order: &Order, most: u32) {
        self.keys.push_back(FinishedKey::of(order));
        self.finished.push_back(*order);
        while self.finished.len() > most as usize {
            self.finished.pop_front();
            self.keys.pop_front();
        }
    }

    /// The newest finished order that is meant.
    fn finished(&self, order: OrderRef) -> Option<&Order> {
        let mut keys = (0..self.keys.len()).zip(&self.keys).rev();
        let place = match order {
            OrderRef::Venue(id) => keys.find(|(_, key)| key.id == id)?.0,
            OrderRef::Client(name) => {
                let hash = name.hash();
                let is_it = |place: &usize| self.finished[*place].client_id == name;
                keys.find(|(place, key)| key.name == hash && is_it(place))?
                    .0
            }
        };
        self.finished.get(place)
    }

    /// Builds what orders and lists are found by from what is remembered.
    fn find_again(&mut self) {
        self.keys = self.finished.iter().map(FinishedKey::of).collect();
        for list in &self.finished_lists {
            self.list_names.insert(list.client_id, list.id);
        }
    }

    fn remember_list(&mut self, list: OrderList, most: u32) {
        self.finished_lists.push_back(list);
        while self.finished_lists.len() > most as usize {
            if let Some(oldest) = self.finished_lists.pop_front() {
                self.forget_list_name(&oldest);
            }
        }
    }

    fn forget_list_name(&mut self, list: &OrderList) {
        if self.list_names.get(&list.client_id) == Some(&list.id) {
            self.list_names.remove(&list.client_id);
        }
    }
}

impl FinishedKey {
    fn of(order: &Order) -> Self {
        Self {
            id: order.id,
            name: order.client_id.hash(),
        }
    }
}
