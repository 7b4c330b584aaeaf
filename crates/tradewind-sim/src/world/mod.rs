//! A whole desk and the exchange it trades on, in one thread on virtual time.
//!
//! The desk is the real one: driver, queues, executors, venue, streams and journal, assembled by the functions that
//! `tradewind run` calls. It has no database, no API and no chat, which trading does not wait for.

mod start;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tradewind::config::DEFAULT;
use tradewind::driver::DeskHandle;
use tradewind_events::{Configuration, DeskView, EventKind, Input};
use tradewind_journal::{CrashPoint, LatchFile, Loss, MemoryStorage, Storage};
use tradewind_model::{Amount, AssetId, Clock, Instrument, InstrumentId, Timestamp};
use tradewind_risk::{CauseKind, KillLatch};
use tradewind_simx::{Action, FillModel, Latency};
use tradewind_simx_server::simulation::{
    VenueBooks, Violation, books_equal, fills_booked_once, intents_durable_first,
    orders_placed_once, owners_add_up, recovered_in_time, stops_cover,
};
use tradewind_simx_server::{
    Conduct, FaultScript, HISTORY, Limits, MarketChoice, ServerOptions, VirtualServer,
};
use tradewind_venues::{BookSource, OrderEntry, OrderGate};

use crate::checks::{
    Killed, enters_on_live_data, is_quiet, keeps_to_bans, killed_sends_nothing, sent_as_passed,
    states_move_forward, unknown_blocks_entries,
};
use crate::evidence::{JournalEvidence, symbol};
use crate::executor::{Executor, VirtualTime};
use crate::hostile::Hostility;
use crate::listener::{Listened, forget_lost};
use crate::network::Network;
use crate::syncs::GrayDisk;
use crate::wall::Offset;
use crate::watched::BooksSeen;

/// Some bots that trade often, of the kinds of the default desk.
const BOTS: &str = include_str!("bots.toml");
/// Bots that always have orders under way.
pub(crate) const BUSY_BOTS: &str = include_str!("busy_bots.toml");
pub(crate) const KEY: &str = "key";
pub(crate) const JOURNAL: &str = "journal";
/// Where the latch lies.
const LATCH: &str = "desk";
/// Latency of a quiet network in either direction.
const LATENCY: Latency = Latency::Uniform {
    least: Duration::from_millis(2),
    most: Duration::from_millis(5),
};
/// Orders and cancels that the close of a position takes at most: a limit order, its cancel, and a market order.
const MESSAGES_PER_EXIT: usize = 3;
/// Between two comparisons of the books.
const COMPARE_EVERY: Duration = Duration::from_secs(1);
/// Longest that one of its tasks may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What a world is made of; the same choices give the same world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices {
    /// Of the market, the network's latencies, and all jitter.
    pub(crate) seed: u64,
    /// Which interface new orders go to.
    pub(crate) order_entry: OrderEntry,
    /// How books come.
    pub(crate) books: BookSource,
    /// The bots, as in a configuration.
    pub(crate) bots: &'static str,
    /// The configuration before its bots.
    pub(crate) desk: &'static str,
    /// The first moment.
    pub(crate) begins: Timestamp,
    /// Whether the exchange enforces its limits.
    pub(crate) limits: Limits,
    /// Executions that the exchange keeps.
    pub(crate) history: u32,
    /// Of the network, in either direction.
    pub(crate) latency: Latency,
    /// Bytes of the journal's reserve for a full disk.
    pub(crate) reserve_bytes: u64,
    /// Bytes of a file of the journal.
    pub(crate) segment_bytes: u64,
    /// Whether an intent is synced before its order leaves.
    pub(crate) power_safe: bool,
}

impl Choices {
    /// The bots that trade a few times an hour, with orders by REST.
    pub(crate) const fn calm(seed: u64) -> Self {
        Self {
            seed,
            order_entry: OrderEntry::Rest,
            books: BookSource::Top20,
            bots: BOTS,
            desk: DEFAULT,
            begins: Timestamp::from_secs(1_780_000_000),
            limits: Limits::Venue,
            history: HISTORY,
            latency: LATENCY,
            reserve_bytes: 0,
            segment_bytes: 64 << 20,
            power_safe: false,
        }
    }

    /// Bots that always have orders under way.
    pub(crate) const fn busy(seed: u64) -> Self {
        Self {
            bots: BUSY_BOTS,
            ..Self::calm(seed)
        }
    }
}

/// A running desk.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) handle: DeskHandle,
    /// With the assets that the account turned out to have.
    configuration: Arc<Mutex<Configuration>>,
    pub(crate) gate: Arc<OrderGate>,
    pub(crate) latch: Arc<KillLatch>,
    /// Its time: the host's as of its start.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Desk {
    pub(crate) fn configuration(&self) -> Configuration {
        self.configuration.lock().unwrap().clone()
    }
}

/// A desk, a network, an exchange, a disk, and the time that passes for all of them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) storage: MemoryStorage,
    pub(crate) time: VirtualTime,
    pub(crate) executor: Executor,
    choices: Choices,
    pub(crate) desk: Option<Desk>,
    /// Of the last start.
    latch: Arc<KillLatch>,
    pub(crate) kills: Arc<Mutex<Vec<Killed>>>,
    pub(crate) commands: u128,
    /// Whether the disk refuses something on purpose: a desk may die of it.
    pub(crate) is_disk_bad: bool,
    /// Whether the disk has refused anything so far.
    pub(crate) has_refused: bool,
    /// When the disk has room again.
    pub(crate) has_room_at: Option<Timestamp>,
    pub(crate) books: BooksSeen,
    /// What a slow subscriber of the bus received.
    pub(crate) listened: Listened,
    /// What the next death takes with it.
    pub(crate) loss: Loss,
    pub(crate) gray: GrayDisk,
    pub(crate) hostility: Hostility,
    /// How far the host's clock is from the world's time.
    pub(crate) host: Offset,
}

impl World {
    /// An exchange with a generated market and one account, and no desk yet.
    pub(crate) fn new(choices: Choices) -> Self {
        let time = VirtualTime::new(choices.begins);
        let options = ServerOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: None,
            accounts: vec!["key:secret:USDT=100000".parse().unwrap()],
            market: MarketChoice::Generated { seed: choices.seed },
            limits: choices.limits,
            fill: FillModel::Book,
            history: choices.history,
            clock: Arc::new(time.clone()),
        };
        let server = VirtualServer::new(&options, Conduct::default()).unwrap();
        Self {
            network: Network::new(time.clone(), server, choices.seed, choices.latency),
            storage: MemoryStorage::new(),
            time,
            executor: Executor::default(),
            choices,
            desk: None,
            latch: Arc::default(),
            kills: Arc::default(),
            commands: 0,
            is_disk_bad: false,
            has_refused: false,
            has_room_at: None,
            books: BooksSeen::default(),
            listened: Listened::default(),
            loss: Loss::Process,
            gray: GrayDisk::default(),
            hostility: Hostility::default(),
            host: Offset::default(),
        }
    }

    /// Whether an intent is synced before its order leaves.
    pub(crate) const fn syncs_intents(&self) -> bool {
        self.choices.power_safe
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Duration) {
        let until = self.now() + span;
        while self.step(until) {}
    }

    /// Lets time pass until `until`, or until the desk dies of an armed crash. False if it died.
    pub(crate) fn run_alive(&mut self, until: Timestamp) -> bool {
        while self.desk.is_some() && self.step(until) {}
        self.desk.is_some()
    }

    /// The time in this world.
    pub(crate) fn now(&self) -> Timestamp {
        Clock::now(&self.time)
    }

    /// Lets the exchange suffer a script of `docs/faults.md`.
    pub(crate) fn add_faults(&self, script: &str) {
        let script: FaultScript = script.parse().unwrap();
        self.network.with(|network, now| {
            network.with_server(now, |server, now| server.add_faults(now, script))
        });
    }

    /// Takes all faults and rules back. Connections that fell silent stay so.
    pub(crate) fn heal(&self) {
        self.network.slow_readers(u64::MAX);
        self.gray.slow_until(Timestamp::EPOCH);
        self.hostility.end();
        self.network.with(|network, now| {
            network.clear_rules();
            network.with_server(now, VirtualServer::clear_faults);
        });
    }

    /// How often each of the exchange's faults took effect.
    pub(crate) fn fault_hits(&self) -> Vec<u64> {
        let state = self.network.with(|network, _| network.server().state());
        let faults = state["conduct"]["faults"].as_array().unwrap().iter();
        faults
            .map(|fault| fault["hits"].as_u64().unwrap())
            .collect()
    }

    /// What the journal's events say, oldest first.
    pub(crate) fn events(&self) -> Vec<EventKind> {
        JournalEvidence::read(&self.storage).events
    }

    /// What the journal's events say and when, oldest first.
    pub(crate) fn dated_events(&self) -> Vec<(Timestamp, EventKind)> {
        JournalEvidence::dated_events(&self.storage)
    }

    /// Readings of the account that the desk has booked, by its journal.
    pub(crate) fn readings(&self) -> usize {
        let events = self.events().into_iter();
        let read = events.filter(|kind| matches!(kind, EventKind::Reconciled { .. }));
        read.count()
    }

    /// Whether a desk runs that has read its account since its start, on a disk that can be read.
    pub(crate) fn is_reading(&mut self) -> bool {
        let Some(view) = self.look().filter(|_| !self.is_disk_bad) else {
            return false;
        };
        let mut causes = view.causes.iter();
        !causes.any(|cause| cause.reason == CauseKind::NotReconciled)
    }

    /// The configuration of the running desk.
    pub(crate) fn configuration(&self) -> Configuration {
        self.running().configuration()
    }

    /// An instrument of the running desk.
    pub(crate) fn instrument(&self, id: InstrumentId) -> Instrument {
        self.configuration().instrument(id).clone()
    }

    /// The account's books at the exchange.
    pub(crate) fn venue_books(&self) -> VenueBooks {
        self.network
            .with(|network, _| VenueBooks::of(network.server(), KEY).unwrap())
    }

    /// Puts an input of the desk itself into its queue.
    pub(crate) fn input(&self, input: Input) {
        self.running().handle.queues().control(input);
    }

    /// The desk as its engine sees it.
    pub(crate) fn view(&mut self) -> DeskView {
        self.look().expect("the engine runs")
    }

    /// The same; none if no desk runs, or it dies meanwhile.
    pub(crate) fn look(&mut self) -> Option<DeskView> {
        let handle = self.desk.as_ref()?.handle.clone();
        self.finish(STOP_WITHIN, async move { handle.view().await })?
    }

    /// Stops the desk's tasks, the last started first.
    pub(crate) fn stop_desk(&mut self) {
        while let Some(last) = self.executor.stop_last() {
            let until = Clock::now(&self.time) + STOP_WITHIN;
            while self.executor.is_running(last) {
                assert!(self.step(until), "a task does not stop");
            }
        }
        self.desk = None;
    }

    /// Ends the desk where it stands, as the death of its process does. Its disk is put right meanwhile.
    pub(crate) fn kill_desk(&mut self) {
        self.executor.abort();
        self.desk = None;
        // `tradewind run` keeps them in a file beside the journal; this desk has no folder.
        self.network.with(|network, now| network.end_bans(now));
        self.has_refused |= self.storage.refused() > 0;
        let loss = std::mem::replace(&mut self.loss, Loss::Process);
        if loss != Loss::Process {
            self.write_back_market_data();
        }
        self.storage = self.storage.after(loss);
        (self.is_disk_bad, self.has_room_at) = (false, None);
        let now = self.now();
        for killed in self.kills.lock().unwrap().iter_mut() {
            if !killed.is_durable {
                killed.until.get_or_insert(now);
            }
        }
        if loss != Loss::Process {
            // Inputs that were received and not synced are missing, and so are events that were announced.
            self.has_refused = true;
            forget_lost(&self.listened, &self.storage);
        }
    }

    /// Market data is not synced: the system writes it when it likes, here before the power goes.
    fn write_back_market_data(&self) {
        let dir = Path::new(JOURNAL);
        for name in self.storage.list(dir).unwrap_or_default() {
            if name.starts_with("market-") {
                self.storage.damage(&dir.join(name), |_| ()).unwrap();
            }
        }
    }

    /// The desk's process is suspended for a while; all else runs.
    pub(crate) fn pause(&mut self, span: Duration) {
        let until = self.now() + span;
        while let Some(next) = self.network.next_at().filter(|next| *next <= until) {
            self.time.set(next);
            self.network.deliver();
        }
        self.time.advance_to(until);
    }

    /// Takes back what was armed on the disk.
    pub(crate) fn disarm(&mut self) {
        self.has_refused |= self.storage.refused() > 0;
        self.storage.crash_at(CrashPoint::BeforeFlush, 0);
        self.storage.set_fault(None);
        self.storage.fail_syncs(false);
        self.loss = Loss::Process;
        (self.is_disk_bad, self.has_room_at) = (false, None);
    }

    /// The desk dies when its disk reaches `point` for the `hit`-th time from now.
    pub(crate) fn crash_at(&self, point: CrashPoint, hit: u32) {
        self.storage.crash_at(point, hit);
    }

    /// Everything on the disk.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let (storage, dir) = (self.storage(), Path::new(JOURNAL));
        let names = storage.list(dir).unwrap().into_iter();
        names
            .map(|name| {
                let bytes = storage.read(&dir.join(&name)).unwrap();
                (name, bytes)
            })
            .collect()
    }

    /// Compares the wire, the exchange and the desk: I01 to I06, I12 to I14, I16, I22 and I23.
    pub(crate) fn violations(&mut self) -> Vec<Violation> {
        let view = self.view();
        let journal = JournalEvidence::read(&self.storage);
        let configuration = self.configuration();
        let kills = self.kills.lock().unwrap().clone();
        let desk = journal.books(&view, &configuration);
        self.network.with(|network, _| {
            let mut venue = VenueBooks::of(network.server(), KEY).unwrap();
            // What the desk does not list is compared by the balances alone.
            let listed: Vec<String> = configuration.instruments.iter().map(symbol).collect();
            venue.fills.retain(|fill| listed.contains(&fill.symbol));
            venue.orders.retain(|order| listed.contains(&order.symbol));
            let (sent, intents) = (network.sent_orders(), &journal.intents);
            [
                orders_placed_once(sent, intents, &venue),
                intents_durable_first(sent, intents),
                fills_booked_once(&desk, &venue),
                books_equal(&desk, &venue),
                owners_add_up(&desk, &venue),
                stops_cover(&desk, &venue),
                killed_sends_nothing(sent, &kills),
                sent_as_passed(sent, &journal.passed),
                states_move_forward(&journal.events),
                unknown_blocks_entries(&journal.events),
                enters_on_live_data(&journal.events),
                keeps_to_bans(network.requests(), network.bans()),
            ]
            .concat()
        })
    }

    /// I23: positions with a stop that no stop covers and no list names, at this moment.
    pub(crate) fn uncovered(&mut self) -> Vec<Violation> {
        let Some(view) = self.look() else {
            return Vec::new();
        };
        let desk = JournalEvidence::default().books(&view, &self.configuration());
        stops_cover(&desk, &self.venue_books())
    }

    /// Runs until nothing is wrong; what is still wrong after `goal`, then with I11.
    pub(crate) fn settle(&mut self, goal: Duration) -> Vec<Violation> {
        let began = self.now();
        loop {
            let violations = self.violations();
            if violations.is_empty() {
                return violations;
            }
            if self.now().since(began) >= goal {
                let late = recovered_in_time(began, None, goal);
                return violations.into_iter().chain(late).collect();
            }
            self.run(COMPARE_EVERY);
        }
    }

    /// # Panics
    /// Something is wrong, and stays so.
    pub(crate) fn assert_settles(&mut self, goal: Duration) {
        let violations = self.settle(goal);
        let shown: Vec<String> = violations.iter().map(Violation::to_string).collect();
        assert!(shown.is_empty(), "at rest:\n{}", shown.join("\n"));
    }

    /// I20: no order is without an answer, and no more leaves in `span` than closing each position once may take, and each that an open
    /// order may still open.
    pub(crate) fn assert_quiet(&mut self, span: Duration) {
        let sent = |world: &Self| {
            let network = &world.network;
            network.with(|network, _| network.sent_orders().len())
        };
        let before = sent(self);
        let view = self.view();
        let most = (view.positions.len() + view.orders.len()) * MESSAGES_PER_EXIT;
        self.run(span);
        let more = sent(self) - before;
        let broken = is_quiet((more, most), &self.view().orders);
        assert!(broken.is_none(), "{} in {span:?}", broken.unwrap());
    }

    /// Pays one unit of the exchange's first asset into the account.
    pub(crate) fn deposit_one_coin(&self) {
        self.network.with(|network, now| {
            network.with_server(now, |server, now| {
                let account = server.account(KEY).unwrap();
                let (asset, amount) = (AssetId(0), Amount::ONE);
                let deposit = Action::Deposit {
                    account,
                    asset,
                    amount,
                };
                server.act(now, deposit);
            });
        });
    }

    /// Runs a future as a task of the world, and time with it, until it has a result; none if the desk dies meanwhile.
    fn finish<T: 'static>(
        &mut self,
        within: Duration,
        work: impl Future<Output = T> + 'static,
    ) -> Option<T> {
        let result = Arc::new(Mutex::new(None));
        let done = Arc::clone(&result);
        let id = self.executor.start("one result", |_| async move {
            *done.lock().unwrap() = Some(work.await);
            Ok(())
        });
        let until = self.now() + within;
        loop {
            self.run_ready();
            if let Some(result) = result.lock().unwrap().take() {
                return Some(result);
            }
            if !self.executor.is_running(id) {
                return None;
            }
            assert!(self.step(until), "no result in time");
        }
    }

    /// Runs what can go on, then moves time to what is due next; false once that is after `until`.
    fn step(&mut self, until: Timestamp) -> bool {
        self.run_ready();
        let due = self
            .time
            .next_at()
            .into_iter()
            .chain(self.network.next_at());
        let Some(next) = due.min().filter(|next| *next <= until) else {
            self.time.advance_to(until);
            return false;
        };
        self.time.advance_to(next);
        self.network.deliver();
        if self.has_room_at.is_some_and(|at| at <= next) {
            self.disarm();
        }
        true
    }

    /// # Panics
    /// A task failed, and not because the disk crashed.
    fn run_ready(&mut self) {
        let ran = self.executor.run_ready();
        self.unless_crashed(ran);
    }

    /// What was done; none if the disk crashed or failed, and the desk with it.
    fn unless_crashed<T, E: fmt::Debug>(&mut self, done: Result<T, E>) -> Option<T> {
        if self.storage.has_crashed() || (self.is_disk_bad && done.is_err()) {
            self.kill_desk();
            return None;
        }
        Some(done.unwrap_or_else(|error| panic!("the desk ended: {error:?}")))
    }

    pub(crate) fn running(&self) -> &Desk {
        self.desk.as_ref().expect("a desk runs")
    }

    pub(crate) fn latch_file(&self) -> LatchFile {
        LatchFile::new(self.storage(), Path::new(LATCH), Path::new(JOURNAL))
    }

    fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.storage.clone())
    }
}
