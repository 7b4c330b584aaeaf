//! The desk's own path, as the desk assembles it, with one bot that orders on every quote.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind::app::hot_path::{HotPath, LiveEffects, Responses, Tasks, account_state};
use tradewind::driver::evaluation::LaneFactory;
use tradewind::driver::{
    DeskHandle, DriverParts, EngineThread, EngineWait, EvaluationLanes, InputQueues, IntentSafety,
    LatencyStages,
};
use tradewind_bus::{Bus, EmptyLog};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{BotConfig, BotState, Configuration, Input, Started, WakeRule};
use tradewind_journal::{Disk, Journal, Options};
use tradewind_model::{Clock, Decision, DeskClock, Ppm, Quote, Reason, Target, VenueId};
use tradewind_risk::{KillLatch, Rate};
use tradewind_strategy::{BuildError, RestoreError, Strategy, StrategyError, View, WarmUp};
use tradewind_testkit::{ACCOUNT, SPOT, bot, configuration};
use tradewind_venues::binance::{ApiKey, Assets, OrderEntry};
use tradewind_venues::{
    BookSource, OrderGate, RateBudget, TcpConnector, TokioTime, VenueContext, VenueKind,
    VenueSettings, build, client_config,
};

use crate::venue::Venue;

/// Room for answers of the venue.
const RESPONSES_MAX: usize = 1_000;

/// Runs a desk against the venue and takes the times. `power_safe` intents are synced before their orders leave.
pub(crate) fn measure(venue: &Venue, wait: EngineWait, power_safe: bool) -> Vec<Duration> {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let thread = EngineThread::start(wait).unwrap();
    let mut tasks = OnThread {
        hot: thread.handle().clone(),
        slow: runtime.handle().clone(),
        all: JoinSet::new(),
        stop: CancellationToken::new(),
    };
    let _folder = start(&runtime, &mut tasks, venue, power_safe);
    let taken = venue.measure();
    tasks.stop.cancel();
    runtime.block_on(async {
        while let Some(ended) = tasks.all.join_next().await {
            ended.unwrap().unwrap();
        }
        thread.keep(tasks.stop).await.unwrap();
    });
    taken
}

/// Starts the desk, and returns the folder of its journal once its bot runs.
fn start(runtime: &Runtime, tasks: &mut OnThread, at: &Venue, power_safe: bool) -> TempDir {
    let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
    let gate = OrderGate::new(Arc::new(KillLatch::default()), Arc::clone(&clock));
    let mut configuration = one_bot();
    let (venue, responses) = adapter(at, &clock, &gate, &configuration);
    configuration.instruments = runtime.block_on(venue.listings()).unwrap();
    for (id, instrument) in (SPOT.0..).zip(&mut configuration.instruments) {
        instrument.id.0 = id;
    }
    venue.use_instruments(&configuration.instruments).unwrap();
    let configuration = Arc::new(configuration);
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = Options {
        preallocated_bytes: 1 << 20,
        ..Options::default()
    };
    let (journal, _) = Journal::open(Arc::new(Disk), dir.path(), &options, clock.now()).unwrap();
    let path = HotPath {
        queues: Arc::new(InputQueues::new(configuration.instruments.len())),
        configuration: Arc::clone(&configuration),
        clock: Arc::clone(&clock),
        time: Arc::new(TokioTime::default()),
        gate,
        take_over: Arc::new(account_state),
        echoes: Arc::default(),
        retries: std::collections::BTreeMap::new(),
        stages: LatencyStages::default(),
    };
    let venues = [venue];
    let executors = path.start_executors(tasks, &venues, vec![responses]);
    let handle = DeskHandle::new(Arc::clone(&path.queues));
    let factory: LaneFactory = Arc::new(strategy);
    let parts = DriverParts {
        engine: Engine::new(StrategySource::new(strategy)),
        clock,
        time: Arc::clone(&path.time),
        handle: handle.clone(),
        journal,
        safety: IntentSafety::of(power_safe),
        evaluations: EvaluationLanes::start(&configuration, &factory, &path.queues).unwrap(),
        effects: LiveEffects::new(executors, &configuration, Bus::new(Arc::new(EmptyLog))),
        stages: path.stages.clone(),
    };
    path.start_engine(tasks, parts);
    let configured = Configuration::clone(&configuration);
    path.queues.control(Input::Configured(Box::new(configured)));
    path.queues.control(Input::Started(Started {
        instance: 1,
        epoch: 1,
        killed: false,
        former: Vec::new(),
    }));
    runtime.block_on(until_running(&handle));
    path.start_market_data(tasks, &venues, &path.market_sink());
    dir
}

/// Runs the tasks of the hot path where the desk runs them.
struct OnThread {
    hot: Handle,
    slow: Handle,
    all: JoinSet<anyhow::Result<()>>,
    stop: CancellationToken,
}

impl Tasks for OnThread {
    fn start_hot<F>(&mut self, _name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.all.spawn_on(run(self.stop.clone()), &self.hot);
    }

    fn start_slow<F>(&mut self, _name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.all.spawn_on(run(self.stop.clone()), &self.slow);
    }
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

/// One bot on quotes, and limits that let an order through each 10 ms.
fn one_bot() -> Configuration {
    let mut configuration = configuration();
    let often = Rate {
        count: 1_000,
        per: Duration::from_secs(1),
        burst: 1_000,
    };
    configuration.limits.bot_order_rate = Some(often);
    configuration.limits.account_order_rate = Some(often);
    configuration.limits.duplicate_window = Some(Duration::ZERO);
    configuration.bots = vec![BotConfig {
        wakes: vec![WakeRule::Quotes],
        ..bot(0)
    }];
    configuration
}

fn adapter(
    at: &Venue,
    clock: &Arc<dyn Clock>,
    gate: &Arc<OrderGate>,
    configuration: &Configuration,
) -> (Arc<dyn tradewind_venues::Venue>, Responses) {
    let settings = VenueSettings {
        kind: VenueKind::Binance,
        venue: VenueId(0),
        name: "simx".to_owned(),
        account: ACCOUNT,
        rest_url: format!("http://{}", at.orders),
        ws_url: format!("ws://{}", at.market),
        ws_api_url: format!("ws://{}/ws-api/v3", at.market),
        key: Some(ApiKey::new("key", "secret".into())),
        order_entry: OrderEntry::Rest,
        books: BookSource::Top20,
        seed: 1,
    };
    let context = VenueContext {
        connector: TcpConnector::shared(client_config(None).unwrap()),
        clock: Arc::clone(clock),
        gate: Arc::clone(gate),
        budget: Arc::new(Mutex::new(RateBudget::new(1_000_000))),
        assets: Arc::new(Assets::new(configuration.assets.clone())),
    };
    let (sink, responses) = mpsc::channel(RESPONSES_MAX);
    // It fails only once the executor has ended.
    let sink = move |id, response| drop(sink.try_send((id, response)));
    (build(settings, context, Arc::new(sink)).unwrap(), responses)
}

#[expect(clippy::unnecessary_wraps, reason = "a factory's signature")]
fn strategy(_bot: &BotConfig) -> Result<Box<dyn Strategy>, BuildError> {
    Ok(Box::new(EveryQuote))
}

/// A strategy whose target on every quote is a hundredth of its full size, at the ask or better.
#[derive(Debug)]
struct EveryQuote;

impl Strategy for EveryQuote {
    fn timeframes(&self) -> Vec<WarmUp> {
        Vec::new()
    }

    fn on_quote(&mut self, _view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        Ok(Decision::Target(Target {
            adds: false,
            exposure: Ppm(10_000),
            limit: Some(quote.ask),
            exit: None,
            reason: Reason::plain("each quote"),
        }))
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _state: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}
