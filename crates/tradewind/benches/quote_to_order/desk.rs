//! The desk's own path, with one bot that orders on every quote.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind::driver::evaluation::LaneFactory;
use tradewind::driver::{
    DeskHandle, DriverParts, Effect, EngineThread, EngineWait, EvaluationLanes, InputQueues,
    LatencyStages, Outbox, run,
};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{
    AccountState, BotConfig, BotState, Configuration, Event, Input, Started, WakeRule,
};
use tradewind_journal::{Disk, Journal, Options};
use tradewind_model::{
    Amount, Candle, Clock, Decision, Depth, DeskClock, EventId, FeedHealth, InstrumentId, Ppm,
    Quote, Reason, Target, Timestamp, Trade,
};
use tradewind_risk::{KillLatch, Rate};
use tradewind_strategy::{BuildError, RestoreError, Strategy, StrategyError, View, WarmUp};
use tradewind_testkit::{ACCOUNT, SPOT, USDT, bot, configuration, spot};
use tradewind_venues::binance::{ApiKey, Assets, BinanceConfig};
use tradewind_venues::{
    BinanceVenue, MarketSink, OrderGate, RateBudget, SourceSettings, TcpConnector, TokioTime,
    Topic, client_config,
};

use crate::venue::Venue;

/// Runs a desk against the venue and takes the times. `power_safe` intents are synced before their orders leave.
pub(crate) fn measure(venue: &Venue, wait: EngineWait, power_safe: bool) -> Vec<Duration> {
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    let thread = EngineThread::start(wait).unwrap();
    let hot = thread.handle();
    let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
    let adapter = Arc::new(adapter(venue, &clock));
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = Options {
        preallocated_bytes: 1 << 20,
        ..Options::default()
    };
    let (journal, _) = Journal::open(Arc::new(Disk), dir.path(), &options, clock.now()).unwrap();
    let configuration = Arc::new(one_bot());
    let queues = Arc::new(InputQueues::new(configuration.instruments.len()));
    let handle = DeskHandle::new(Arc::clone(&queues));
    let factory: LaneFactory = Arc::new(strategy);
    let parts = DriverParts {
        engine: Engine::new(StrategySource::new(strategy)),
        clock,
        time: Arc::new(TokioTime::default()),
        handle: handle.clone(),
        journal,
        power_safe,
        evaluations: EvaluationLanes::start(&configuration, &factory, &queues).unwrap(),
        effects: execute(hot, &adapter, &queues),
        stages: LatencyStages::default(),
    };
    let mut engine = JoinSet::new();
    engine.spawn_on(run(parts), hot);
    queues.control(Input::Configured(Box::new(Configuration::clone(
        &configuration,
    ))));
    queues.control(Input::Started(Started {
        instance: 1,
        epoch: 1,
        killed: false,
        former: Vec::new(),
    }));
    runtime.block_on(until_running(&handle));
    let sink = Arc::new(ToQueues(Arc::clone(&queues)));
    let topics = [Topic::Quotes(SPOT)];
    let stop = CancellationToken::new();
    let mut sources = JoinSet::new();
    for mut source in adapter.market_sources(&topics, &sink, SourceSettings::default()) {
        let stop = stop.clone();
        sources.spawn_on(async move { source.run(stop).await }, hot);
    }
    let taken = venue.measure();
    stop.cancel();
    queues.close();
    runtime.block_on(async {
        while sources.join_next().await.is_some() {}
        engine.join_next().await.unwrap().unwrap().unwrap();
        thread.keep(stop).await.unwrap();
    });
    taken
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

fn adapter(venue: &Venue, clock: &Arc<dyn Clock>) -> BinanceVenue {
    let config = BinanceConfig {
        rest_url: format!("http://{}", venue.orders),
        ws_url: format!("ws://{}", venue.market),
        ws_api_url: format!("ws://{}/ws-api/v3", venue.market),
        key: Some(ApiKey::new("key", SecretString::from("secret"))),
        ..BinanceConfig::default()
    };
    let adapter = BinanceVenue::new(
        config,
        TcpConnector::shared(client_config(None).unwrap()),
        Arc::clone(clock),
        OrderGate::new(Arc::new(KillLatch::default()), Arc::clone(clock)),
        Arc::new(Mutex::new(RateBudget::new(1_000_000))),
        Arc::new(Assets::new(configuration().assets)),
    )
    .unwrap();
    adapter
        .use_instruments([("BTCUSDT".to_owned(), spot())])
        .unwrap();
    adapter
}

/// Sends the account's orders as the desk does: a queue, and a task for each order.
fn execute(hot: &Handle, adapter: &Arc<BinanceVenue>, queues: &Arc<InputQueues>) -> Queue {
    let (sender, mut effects) = mpsc::channel(1_000);
    let (adapter, queues) = (Arc::clone(adapter), Arc::clone(queues));
    let mut owner = JoinSet::new();
    owner.spawn_on(
        async move {
            let mut tasks = JoinSet::new();
            while let Some(effect) = effects.recv().await {
                while tasks.try_join_next().is_some() {}
                match effect {
                    Effect::Submit(_, order) => {
                        let (adapter, queues) = (Arc::clone(&adapter), Arc::clone(&queues));
                        tasks.spawn(async move {
                            for report in adapter.submit(&order).await {
                                queues.control(Input::Report(Box::new(report)));
                            }
                        });
                    }
                    Effect::Reconcile(_) => queues.control(Input::Account(Box::new(account()))),
                    _ => {}
                }
            }
        },
        hot,
    );
    Queue {
        sender,
        _owner: owner,
    }
}

fn account() -> AccountState {
    AccountState {
        account: ACCOUNT,
        balances: vec![(USDT, Amount::whole(100_000))],
        open_orders: Vec::new(),
        fills: Vec::new(),
    }
}

struct Queue {
    sender: mpsc::Sender<Effect>,
    _owner: JoinSet<()>,
}

impl Outbox for Queue {
    fn end_flattening(&self) {}

    fn perform(&self, effect: Effect) {
        self.sender.try_send(effect).unwrap();
    }

    fn publish(&self, _events: &[Arc<Event>]) {}

    fn wants_quotes(&self) -> bool {
        false
    }

    fn publish_quote(&self, _id: EventId, _at: Timestamp, _quote: &Quote) {}
}

/// Market data into the queues, as the desk puts it there.
struct ToQueues(Arc<InputQueues>);

impl MarketSink for ToQueues {
    fn quote(&self, quote: Quote) {
        self.0.quote(quote);
    }

    fn trade(&self, trade: Trade) {
        self.0.trade(trade);
    }

    fn candle(&self, candle: Candle) {
        self.0.candle(candle);
    }

    fn depth(&self, depth: Box<Depth>) {
        self.0.depth(depth);
    }

    fn health(&self, instrument: InstrumentId, health: FeedHealth, _reason: &str) {
        self.0.health(instrument, health);
    }

    fn failed(&self, topic: Topic, reason: &str) {
        panic!("{topic:?}: {reason}");
    }
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
