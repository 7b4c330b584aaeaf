//! What an operator may do to a [`VirtualServer`], and what is true in it whatever its clients were sent.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tradewind_model::{AccountId, AssetTable, InstrumentId, Timestamp};
use tradewind_simx::{Action, Exchange};

use super::{OrderRequest, VirtualServer};
use crate::core::In;
use crate::exchange_task::Status;
use crate::faults::{Command, CommandError, FaultScript};
use crate::options::ServerError;
use crate::startup;

impl VirtualServer {
    /// Does something that no client can: a deposit, a halt, new filters. A refused action changes nothing.
    pub fn act(&mut self, now: Timestamp, action: Action) {
        self.input(now, In::Operator { action });
    }

    /// Executes an operator's command and gives its result.
    ///
    /// # Errors
    /// It is refused, and nothing has changed.
    pub fn command(&mut self, now: Timestamp, command: &Command) -> Result<Value, CommandError> {
        self.reach(now);
        let outcome = command.run(&mut self.front.core, self.time.now);
        self.run();
        outcome
    }

    /// Holds the market; orders are still taken.
    pub fn pause(&mut self, now: Timestamp) {
        self.input(now, In::Pause { paused: true });
    }

    /// Lets a held market go on; what fell due meanwhile happens at once.
    pub fn resume(&mut self, now: Timestamp) {
        self.input(now, In::Pause { paused: false });
    }

    /// Moves a held market on by `span` of its own time; another market is left alone.
    pub fn step(&mut self, now: Timestamp, span: Duration) {
        self.input(now, In::Step { span });
    }

    fn input(&mut self, now: Timestamp, input: In) {
        self.reach(now);
        self.front.handle(self.time.now, input);
        self.run();
    }

    /// Adds faults, whose times count from `now`. Gives the number of those that there was room for.
    pub fn add_faults(&mut self, now: Timestamp, script: FaultScript) -> usize {
        self.reach(now);
        let added = self.front.add_faults(self.time.now, script);
        self.run();
        added
    }

    /// Takes all faults back: halts and filters that they set are lifted, connections are accepted again.
    pub fn clear_faults(&mut self, now: Timestamp) {
        self.reach(now);
        self.front.clear_faults(self.time.now);
        self.run();
    }

    /// Time, market, counters, accounts, and each fault with how often it took effect.
    #[must_use]
    pub fn state(&self) -> Value {
        crate::state::of(&self.front, &self.status())
    }

    /// How the exchange is doing. Its connections are the WebSockets.
    #[must_use]
    pub fn status(&self) -> Status {
        let core = &self.front.core;
        Status {
            now: self.time.now,
            counters: core.counters(),
            paused: core.is_paused(),
            connections: self.sockets.len(),
            streams: core.streams(),
            cut: self.cut,
            market_ended: core.market_ended(),
        }
    }

    /// Accounts, orders, executions and books as they are. Finished orders and executions are the newest of an account, as
    /// many as the options said.
    #[must_use]
    pub const fn exchange(&self) -> &Exchange {
        &self.front.core.exchange
    }

    /// Keeps accounts, orders, executions and the market in `data_dir`, for a [`Server`](crate::Server) that goes on from
    /// there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, data_dir: &Path) -> Result<(), ServerError> {
        startup::save(&self.front.core, self.time.now, data_dir)
    }

    /// The account that a key opened.
    #[must_use]
    pub fn account(&self, key: &str) -> Option<AccountId> {
        let keys = &self.front.core.account_keys;
        let place = keys.iter().position(|known| known == key)?;
        u32::try_from(place).ok().map(AccountId)
    }

    /// The names of assets.
    #[must_use]
    pub const fn assets(&self) -> &AssetTable {
        self.front.core.symbols.assets()
    }

    /// The symbol of an instrument, as it is on the wire.
    #[must_use]
    pub fn symbol(&self, instrument: InstrumentId) -> &str {
        self.front.core.symbols.name(instrument)
    }

    /// Takes the order requests that were received since the last call, in the order in which they came, and the number of
    /// those that were dropped for want of room.
    pub fn take_order_requests(&mut self) -> (Vec<OrderRequest>, u64) {
        let requests = std::mem::take(&mut self.order_requests);
        let dropped = std::mem::take(&mut self.order_requests_dropped);
        (requests.into(), dropped)
    }
}
