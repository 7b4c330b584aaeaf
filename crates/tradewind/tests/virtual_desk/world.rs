//! A whole desk and the exchange it trades on, in one thread on virtual time.
//!
//! The desk is the real one: driver, queues, executors, venue, streams and journal, assembled by the functions that
//! `tradewind run` calls. It has no database, no API and no chat, which trading does not wait for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tradewind::app::hot_path::{HotPath, LiveEffects, Responses, account_state, recover};
use tradewind::config::{AbsentInstruments, DEFAULT, DeskConfig, Listing, Sources, keep_ids};
use tradewind::driver::{DeskHandle, DriverParts, EvaluationLanes, InputQueues, LatencyStages};
use tradewind_bus::{Bus, EmptyLog};
use tradewind_engine::{Recovery, StrategySource};
use tradewind_events::{Configuration, DeskView, Input, Started};
use tradewind_journal::{Home, Identity, Journal, MemoryStorage, Options, Storage};
use tradewind_model::{AccountId, Amount, AssetId, AssetTable, Clock, Timestamp, VenueId};
use tradewind_simx::{Action, FillModel};
use tradewind_simx_server::{Conduct, Limits, MarketChoice, ServerOptions, VirtualServer};
use tradewind_venues::execution::{RESPONSES_MAX, RequestId, VenueResponse};
use tradewind_venues::{
    ApiKey, Assets, OrderEntry, OrderGate, RateBudget, RealTime, Venue, VenueContext, VenueKind,
    VenueSettings, build,
};

use crate::executor::{Executor, VirtualTime};
use crate::network::Network;

/// Some bots that trade often, of the kinds of the default desk.
const BOTS: &str = include_str!("bots.toml");
const KEY: &str = "key";
const JOURNAL: &str = "journal";
/// Longest that the start of a desk may take.
const START_WITHIN: Duration = Duration::from_secs(60);
/// Longest that one of its tasks may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What a world is made of; the same choices give the same world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices {
    /// Of the market, the network's latencies, and all jitter.
    pub(crate) seed: u64,
    /// Which interface new orders go to.
    pub(crate) order_entry: OrderEntry,
}

/// A running desk.
#[derive(Debug)]
struct Desk {
    handle: DeskHandle,
    configuration: Arc<Configuration>,
}

/// A desk, a network, an exchange, a disk, and the time that passes for all of them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) storage: MemoryStorage,
    time: VirtualTime,
    executor: Executor,
    choices: Choices,
    desk: Option<Desk>,
}

impl World {
    /// An exchange with a generated market and one account, and no desk yet.
    pub(crate) fn new(choices: Choices) -> Self {
        let time = VirtualTime::new(Timestamp::from_secs(1_780_000_000));
        let options = ServerOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: None,
            accounts: vec!["key:secret:USDT=100000".parse().unwrap()],
            market: MarketChoice::Generated { seed: choices.seed },
            limits: Limits::Venue,
            fill: FillModel::Book,
            clock: Arc::new(time.clone()),
        };
        let server = VirtualServer::new(&options, Conduct::default()).unwrap();
        Self {
            network: Network::new(time.clone(), server, choices.seed),
            storage: MemoryStorage::new(),
            time,
            executor: Executor::default(),
            choices,
            desk: None,
        }
    }

    /// Starts a desk on the disk as it is, in the order of `start.rs`.
    pub(crate) fn start_desk(&mut self) {
        let config = config();
        let (sink, responses) = mpsc::channel(RESPONSES_MAX);
        let last_run = recover(
            &self.storage(),
            Path::new(JOURNAL),
            StrategySource::built_in,
        );
        let last_run = last_run.unwrap();
        let context = self.context(last_run.configuration().assets.clone());
        let venue = self.venue(context.clone(), sink);
        let listing = Arc::clone(&venue);
        let listed = self.finish(START_WITHIN, async move {
            listing.server_time().await.unwrap();
            listing.listings().await.unwrap()
        });
        let resolved = config.resolve(
            &listed,
            context.assets.snapshot(),
            AbsentInstruments::Refuse,
        );
        let stable = keep_ids(resolved.unwrap(), last_run.configuration()).unwrap();
        let for_engine = stable.for_engine();
        let configuration = Arc::new(stable.configuration);
        venue.use_instruments(&configuration.instruments).unwrap();
        let start = (last_run, Input::Configured(Box::new(for_engine)));
        self.start_hot_path(&configuration, &context.gate, start, (venue, responses));
    }

    /// What adapters share.
    fn context(&self, assets: AssetTable) -> VenueContext {
        let clock: Arc<dyn Clock> = Arc::new(self.time.clone());
        VenueContext {
            connector: Arc::new(self.network.clone()),
            gate: OrderGate::new(Arc::default(), Arc::clone(&clock)),
            clock,
            budget: Arc::new(Mutex::new(RateBudget::new(6_000))),
            assets: Arc::new(Assets::new(assets)),
        }
    }

    /// The adapter of the desk's one account.
    fn venue(
        &self,
        context: VenueContext,
        sink: mpsc::Sender<(RequestId, VenueResponse)>,
    ) -> Arc<dyn Venue> {
        let settings = VenueSettings {
            kind: VenueKind::Binance,
            venue: VenueId(0),
            name: "binance".to_owned(),
            account: AccountId(0),
            rest_url: "http://127.0.0.1:1".to_owned(),
            ws_url: "ws://127.0.0.1:1".to_owned(),
            ws_api_url: "ws://127.0.0.1:1/ws-api/v3".to_owned(),
            key: Some(ApiKey::new(KEY, "secret".into())),
            order_entry: self.choices.order_entry,
            seed: self.choices.seed,
        };
        // It fails only once the executor has ended.
        let sink = move |id, response| drop(sink.try_send((id, response)));
        build(settings, context, Arc::new(sink)).unwrap()
    }

    fn start_hot_path(
        &mut self,
        configuration: &Arc<Configuration>,
        gate: &Arc<OrderGate>,
        (last_run, configured): (Recovery, Input),
        (venue, responses): (Arc<dyn Venue>, Responses),
    ) {
        let (storage, dir) = (self.storage(), Path::new(JOURNAL));
        let identity = Identity::begin(Arc::clone(&storage), dir, Home::default(), || 1);
        let identity = identity.unwrap();
        let now = Clock::now(&self.time);
        let (journal, recovery) = Journal::open(storage, dir, &Options::default(), now).unwrap();
        let engine = last_run.finish(recovery.last_seq, recovery.last_at);
        let clock: Arc<dyn Clock> = Arc::new(self.time.clone());
        let time: Arc<dyn RealTime> = Arc::new(self.time.clone());
        let path = HotPath {
            queues: Arc::new(InputQueues::new(configuration.instruments.len())),
            configuration: Arc::clone(configuration),
            clock: Arc::clone(&clock),
            time: Arc::clone(&time),
            gate: Arc::clone(gate),
            take_over: Arc::new(account_state),
            stages: LatencyStages::default(),
        };
        let (venues, handle) = ([venue], DeskHandle::new(Arc::clone(&path.queues)));
        let executors = path.start_executors_from(
            &mut self.executor,
            &venues,
            vec![responses],
            &|account, instrument| engine.last_booked(account, instrument),
        );
        let bus = Bus::new(Arc::new(EmptyLog));
        let parts = DriverParts {
            engine,
            clock,
            time,
            handle: handle.clone(),
            journal,
            power_safe: false,
            evaluations: EvaluationLanes::default(),
            effects: LiveEffects::new(executors, configuration, bus),
            stages: path.stages.clone(),
        };
        path.start_engine(&mut self.executor, parts);
        path.queues.control(configured);
        let sink = path.market_sink();
        path.start_market_data(&mut self.executor, &venues, &sink);
        let proved = path.start_account_streams(&mut self.executor, &venues);
        let mut proved = proved.unwrap();
        self.finish(START_WITHIN, async move {
            proved.wait_for(|proved| proved.len() == 1).await.unwrap();
        });
        path.queues.control(Input::Started(Started {
            instance: identity.instance,
            epoch: identity.epoch,
            killed: false,
        }));
        self.desk = Some(Desk {
            handle,
            configuration: Arc::clone(configuration),
        });
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, span: Duration) {
        let until = Clock::now(&self.time) + span;
        while self.step(until) {}
    }

    /// Puts an input of the desk itself into its queue.
    pub(crate) fn input(&self, input: Input) {
        self.running().handle.queues().control(input);
    }

    /// The desk as its engine sees it.
    pub(crate) fn view(&mut self) -> DeskView {
        let handle = self.running().handle.clone();
        let view = self.finish(STOP_WITHIN, async move { handle.view().await });
        view.expect("the engine runs")
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

    /// Ends the desk where it stands, as the death of its process does.
    pub(crate) fn kill_desk(&mut self) {
        self.executor.abort();
        self.desk = None;
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

    /// I03: desk and exchange hold the same of every asset, to the digit, and the same orders are open.
    pub(crate) fn assert_same_books(&mut self) {
        let view = self.view();
        let names = &self.running().configuration.assets;
        let mut desk: BTreeMap<String, Amount> = BTreeMap::new();
        for held in &view.balances {
            let total = desk.entry(names.name(held.asset).to_owned()).or_default();
            *total += held.amount;
        }
        desk.retain(|_, amount| *amount != Amount::ZERO);
        let mut open: Vec<_> = view
            .orders
            .iter()
            .map(|order| order.terms.client_id)
            .collect();
        open.sort_unstable();
        let (there, there_open) = self.network.with_server(|server| {
            let account = server.account(KEY).unwrap();
            let balances = server.exchange().balances(account).iter();
            let totals = server.assets().iter().zip(balances);
            let totals: BTreeMap<String, Amount> = totals
                .map(|(asset, held)| (asset.name, held.free + held.locked))
                .filter(|(_, amount)| *amount != Amount::ZERO)
                .collect();
            let orders = server.exchange().open_orders(account);
            let mut open: Vec<_> = orders
                .filter_map(|order| order.client_id.to_desk())
                .collect();
            open.sort_unstable();
            (totals, open)
        });
        assert_eq!(desk, there, "balances");
        assert_eq!(open, there_open, "open orders");
    }

    /// Pays one unit of the exchange's first asset into the account.
    pub(crate) fn deposit_one_coin(&self) {
        let now = Clock::now(&self.time);
        self.network.with_server(|server| {
            let account = server.account(KEY).unwrap();
            let (asset, amount) = (AssetId(0), Amount::ONE);
            let deposit = Action::Deposit {
                account,
                asset,
                amount,
            };
            server.act(now, deposit);
        });
    }

    /// Runs a future as a task of the world, and time with it, until it has a result.
    fn finish<T: 'static>(
        &mut self,
        within: Duration,
        work: impl Future<Output = T> + 'static,
    ) -> T {
        let result = Arc::new(Mutex::new(None));
        let done = Arc::clone(&result);
        self.executor.start("one result", |_| async move {
            *done.lock().unwrap() = Some(work.await);
            Ok(())
        });
        let until = Clock::now(&self.time) + within;
        loop {
            self.executor.run_ready();
            if let Some(result) = result.lock().unwrap().take() {
                return result;
            }
            assert!(self.step(until), "no result in time");
        }
    }

    /// Runs what can go on, then moves time to what is due next; false once that is after `until`.
    fn step(&mut self, until: Timestamp) -> bool {
        self.executor.run_ready();
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
        true
    }

    fn running(&self) -> &Desk {
        self.desk.as_ref().expect("a desk runs")
    }

    fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(self.storage.clone())
    }
}

/// The default desk with the bots of this test.
fn config() -> DeskConfig {
    let (desk, _) = DEFAULT.split_once("[[bots]]").unwrap();
    let text = format!("{desk}\n{BOTS}");
    let sources = Sources {
        file: "bots.toml",
        text: &text,
        environment: &BTreeMap::new(),
        listing: Listing::Unknown,
    };
    DeskConfig::read(&sources).unwrap()
}
