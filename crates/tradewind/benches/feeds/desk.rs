//! The desk's own path from a socket to the engine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind::config::{DEFAULT, DeskConfig, Listing};
use tradewind::driver::evaluation::LaneFactory;
use tradewind::driver::{
    DeskHandle, DriverParts, Effect, EngineThread, EngineWait, EvaluationLanes, InputQueues,
    IntentSafety, LatencyStages, Outbox, run,
};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{
    AccountState, BotConfig, BotState, Configuration, Event, Input, Started, WakeRule,
};
use tradewind_journal::{Disk, Journal, Options};
use tradewind_model::{
    Amount, Candle, Clock, Decision, Depth, DeskClock, EventId, Instrument, Quote, Reason,
    Timestamp, Trade,
};
use tradewind_risk::KillLatch;
use tradewind_strategy::{BuildError, RestoreError, Strategy, StrategyError, View, WarmUp};
use tradewind_testkit::{ACCOUNT, SPOT, USDT, bot, configuration, spot};
use tradewind_venues::binance::{Assets, BinanceConfig};
use tradewind_venues::house::{
    HouseNumber, HouseSettings, HouseSink, HouseSymbols, Positions, Progress, source,
};
use tradewind_venues::{
    BinanceVenue, HealthChange, MarketSink, OrderGate, RateBudget, Source, SourceSettings,
    TcpConnector, TokioTime, Topic, client_config,
};

use crate::feed::{Feed, Kind};

/// Longest for all quotes to be read.
const WITHIN: Duration = Duration::from_secs(120);

/// Runs a desk against the feed; how long it took to read all quotes, and how many the engine was given.
pub(crate) fn measure(feed: &Arc<Feed>) -> (Duration, u64) {
    let (address, serving) = feed.serve(true);
    let seen = Arc::new(AtomicU64::new(0));
    let evaluated = Arc::clone(&seen);
    let desk = Desk::start(one_bot(), move |_| {
        Box::new(Counts(Arc::clone(&evaluated))) as Box<dyn Strategy>
    });
    let sink = desk.sink(feed.quotes);
    let started = Instant::now();
    let sources = sources_of(feed.kind, address, &sink, &desk.clock);
    let taken = desk.read(sources, &sink, || started.elapsed());
    serving.join().unwrap();
    (taken, seen.load(Ordering::Relaxed))
}

/// A desk whose engine runs: driver, journal and queues on the engine's thread.
pub(crate) struct Desk {
    runtime: Runtime,
    thread: EngineThread,
    queues: Arc<InputQueues>,
    engine: JoinSet<anyhow::Result<Engine>>,
    pub(crate) clock: Arc<dyn Clock>,
    _folder: TempDir,
}

impl Desk {
    /// Returns once all bots run.
    pub(crate) fn start(
        configuration: Configuration,
        strategy: impl Fn(&BotConfig) -> Box<dyn Strategy> + Clone + Send + Sync + 'static,
    ) -> Self {
        let configuration = Arc::new(configuration);
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        let thread = EngineThread::start(EngineWait::Park).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let options = Options {
            preallocated_bytes: 1 << 20,
            ..Options::default()
        };
        let (journal, _) =
            Journal::open(Arc::new(Disk), folder.path(), &options, clock.now()).unwrap();
        let queues = Arc::new(InputQueues::new(configuration.instruments.len()));
        let handle = DeskHandle::new(Arc::clone(&queues));
        let strategy =
            move |bot: &BotConfig| -> Result<Box<dyn Strategy>, BuildError> { Ok(strategy(bot)) };
        let factory: LaneFactory = Arc::new(strategy.clone());
        let parts = DriverParts {
            engine: Engine::new(StrategySource::new(strategy)),
            clock: Arc::clone(&clock),
            time: Arc::new(TokioTime::default()),
            handle: handle.clone(),
            journal,
            safety: IntentSafety::Written,
            evaluations: EvaluationLanes::start(&configuration, &factory, &queues).unwrap(),
            effects: Accounts(Arc::clone(&queues)),
            stages: LatencyStages::default(),
        };
        let mut engine = JoinSet::new();
        engine.spawn_on(run(parts), thread.handle());
        let configured = Configuration::clone(&configuration);
        queues.control(Input::Configured(Box::new(configured)));
        queues.control(Input::Started(Started {
            instance: 1,
            epoch: 1,
            killed: false,
            former: Vec::new(),
        }));
        runtime.block_on(until_running(&handle));
        Self {
            runtime,
            thread,
            queues,
            engine,
            clock,
            _folder: folder,
        }
    }

    /// Where sources put so many quotes.
    pub(crate) fn sink(&self, quotes: u64) -> Arc<ToQueues> {
        Arc::new(ToQueues {
            queues: Arc::clone(&self.queues),
            left: AtomicU64::new(quotes),
            all: Notify::new(),
        })
    }

    /// Runs sources until all quotes are in the queues, takes what is measured by then, and ends the desk.
    pub(crate) fn read<T>(
        mut self,
        sources: Vec<Box<dyn Source>>,
        sink: &ToQueues,
        measured: impl FnOnce() -> T,
    ) -> T {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        for source in sources {
            running.spawn_on(source.run(stop.clone()), self.thread.handle());
        }
        self.runtime.block_on(async {
            let waiting = tokio::time::timeout(WITHIN, sink.all.notified());
            let left = || sink.left.load(Ordering::Relaxed);
            waiting
                .await
                .unwrap_or_else(|_| panic!("{} quotes did not come", left()));
        });
        let measured = measured();
        stop.cancel();
        self.queues.close();
        self.runtime.block_on(async {
            while running.join_next().await.is_some() {}
            self.engine.join_next().await.unwrap().unwrap().unwrap();
            self.thread.keep(stop).await.unwrap();
        });
        measured
    }
}

fn sources_of(
    kind: Kind,
    address: SocketAddr,
    sink: &Arc<ToQueues>,
    clock: &Arc<dyn Clock>,
) -> Vec<Box<dyn Source>> {
    let Some(text) = kind.source(address) else {
        let mut topics = vec![Topic::Quotes(SPOT)];
        if kind == Kind::Snapshots {
            topics.push(Topic::Depth(SPOT));
        }
        let listed = [("BTCUSDT".to_owned(), spot())];
        return binance(address, listed, &topics, sink, clock);
    };
    let connector = TcpConnector::shared(client_config(None).unwrap());
    let sink: Arc<dyn HouseSink> = Arc::<ToQueues>::clone(sink);
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), format!("{DEFAULT}\n{text}")).unwrap();
    let config = DeskConfig::load(Some(file.path()), &BTreeMap::new(), Listing::Unknown).unwrap();
    let configured = &config.sources[0];
    let settings = HouseSettings {
        name: configured.name.clone(),
        address: configured.address.clone(),
        transport: configured.transport.clone(),
        symbols: Arc::new(HouseSymbols::new([("BTC/USDT".to_owned(), spot())]).unwrap()),
        token: None,
        heartbeat: configured.heartbeat,
        progress: Progress::default(),
        positions: Positions::default(),
        seed: 1,
    };
    let clock = Arc::clone(clock);
    vec![source(
        &settings,
        &sink,
        SourceSettings::default(),
        connector,
        clock,
    )]
}

/// Sources of Binance's market data.
pub(crate) fn binance(
    address: SocketAddr,
    listed: impl IntoIterator<Item = (String, Instrument)>,
    topics: &[Topic],
    sink: &Arc<ToQueues>,
    clock: &Arc<dyn Clock>,
) -> Vec<Box<dyn Source>> {
    let config = BinanceConfig {
        rest_url: format!("http://{address}"),
        ws_url: format!("ws://{address}"),
        ws_api_url: format!("ws://{address}/ws-api/v3"),
        ..BinanceConfig::default()
    };
    let venue = BinanceVenue::new(
        config,
        TcpConnector::shared(client_config(None).unwrap()),
        Arc::clone(clock),
        OrderGate::new(Arc::new(KillLatch::default()), Arc::clone(clock)),
        Arc::new(Mutex::new(RateBudget::new(1_000_000))),
        Arc::new(Assets::new(configuration().assets)),
    )
    .unwrap();
    venue.use_instruments(listed).unwrap();
    let sink = Arc::new(Arc::<ToQueues>::clone(sink) as Arc<dyn MarketSink>);
    let sources = venue.market_sources(topics, &sink, SourceSettings::default());
    let boxed = |source| Box::new(source) as Box<dyn Source>;
    sources.into_iter().map(boxed).collect()
}

async fn until_running(desk: &DeskHandle) {
    loop {
        let view = desk.view().await.unwrap();
        if view.bots.iter().all(|bot| bot.state == BotState::Running) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn one_bot() -> Configuration {
    let mut configuration = configuration();
    configuration.bots = vec![BotConfig {
        wakes: vec![WakeRule::Quotes],
        ..bot(0)
    }];
    configuration
}

/// Answers readings of the account, which holds only cash.
struct Accounts(Arc<InputQueues>);

impl Outbox for Accounts {
    fn end_flattening(&self) {}

    fn perform(&self, effect: Effect) {
        if let Effect::Reconcile(_) = effect {
            self.0.control(Input::Account(Box::new(AccountState {
                account: ACCOUNT,
                balances: vec![(USDT, Amount::whole(100_000))],
                open_orders: Vec::new(),
                fills: Vec::new(),
            })));
        }
    }

    fn publish(&self, _events: &[Arc<Event>]) {}

    fn wants_quotes(&self) -> bool {
        false
    }

    fn publish_quote(&self, _id: EventId, _at: Timestamp, _quote: &Quote) {}
}

/// Market data into the queues, as the desk puts it there; says when the last quote came.
pub(crate) struct ToQueues {
    queues: Arc<InputQueues>,
    left: AtomicU64,
    all: Notify,
}

impl HouseSink for ToQueues {
    fn number(&self, _number: HouseNumber) {}
}

impl MarketSink for ToQueues {
    fn quote(&self, quote: Quote) {
        self.queues.quote(quote);
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.all.notify_one();
        }
    }

    fn trade(&self, trade: Trade) {
        self.queues.trade(trade);
    }

    fn candle(&self, candle: Candle) {
        self.queues.candle(candle);
    }

    fn depth(&self, depth: Box<Depth>) {
        self.queues.depth(depth);
    }

    fn health(&self, change: &HealthChange) {
        self.queues
            .health(change.instrument, change.health, change.received_at);
    }

    fn failed(&self, topic: Topic, reason: &str) {
        // The feed of prices has no trades, which a house source asks for, too.
        assert!(matches!(topic, Topic::Trades(_)), "{topic:?}: {reason}");
    }
}

/// A strategy that only counts how often it is evaluated.
#[derive(Debug)]
struct Counts(Arc<AtomicU64>);

impl Strategy for Counts {
    fn timeframes(&self) -> Vec<WarmUp> {
        Vec::new()
    }

    fn on_quote(&mut self, _view: &View<'_>, _quote: &Quote) -> Result<Decision, StrategyError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Decision::Hold {
            reason: Reason::plain("counted"),
        })
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _state: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}
