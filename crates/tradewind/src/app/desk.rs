//! The desk as its interfaces see it: views, commands, events and history, over the driver, the bus and the database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tradewind_api::wire::{Component, LogLine, Mode, Queue};
use tradewind_api::{
    About, Answer, ApplyBotsError, BotsApplied, BotsToApply, DeskError, Health, VenueBalances,
};
use tradewind_bus::{Bus, Class, EventLog, Subscription, SubscriptionOptions};
use tradewind_events::{Command, CommandResult, Configuration, DeskView};
use tradewind_model::{Candle, Clock, InstrumentId, Interval, Ppm, Timestamp};
use tradewind_simx_server::MirrorFeed;
use tradewind_storage::{Readers, Writer};
use tradewind_venues::MarketData;
use tradewind_venues::execution::CandleRange;

use crate::app::bots::BotSet;
use crate::app::components::Components;
use crate::app::current::CurrentConfiguration;
use crate::app::difference::VenueState;
use crate::app::kill_switch::KillSwitch;
use crate::app::logs::Logs;
use crate::app::venue::Venues;
use crate::cli::MarketSource;
use crate::driver::{DeskHandle, EngineThread, EngineWait, LatencyStages, QueueStats, ThreadTime};

/// Maximum age of a view that is reused.
const VIEW_AGE: Duration = Duration::from_millis(100);
/// How long the engine may take for a command.
const COMMAND_PATIENCE: Duration = Duration::from_secs(5);

/// The rows of the control queue among the input queues.
const CONTROL_LANES: [&str; 4] = [
    "lane.reports",
    "lane.commands",
    "lane.evaluations",
    "lane.control",
];

/// A running desk.
#[derive(Debug)]
pub(crate) struct LiveDesk {
    /// The engine.
    pub(crate) handle: DeskHandle,
    /// The configuration in force.
    pub(crate) configuration: Arc<CurrentConfiguration>,
    /// Its clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Its kill switch.
    pub(crate) kill: KillSwitch,
    /// Its events.
    pub(crate) bus: Bus,
    /// Its events on disk.
    pub(crate) log: Arc<dyn EventLog>,
    /// Its history.
    pub(crate) readers: Arc<Readers>,
    /// Writes its history.
    pub(crate) writer: Arc<Writer>,
    /// Its venues.
    pub(crate) venues: Venues,
    /// The balances of its accounts at their venues.
    pub(crate) differences: Vec<VenueState>,
    /// Latency of its stages.
    pub(crate) stages: LatencyStages,
    /// Its log.
    pub(crate) logs: Logs,
    /// The feed of the mirrored venue's market, if it runs on one.
    pub(crate) mirror: Option<MirrorFeed>,
    /// The mode in the banner.
    pub(crate) mode: Mode,
    /// When it started.
    pub(crate) started_at: Timestamp,
    /// The engine's thread.
    pub(crate) engine_thread: EngineThreadUse,
    /// Its tasks.
    pub(crate) components: Components,
    /// Its bots, which can be replaced.
    pub(crate) bots: Arc<BotSet>,
    /// The newest view that was taken.
    pub(crate) latest: Mutex<Option<(Instant, Arc<DeskView>)>>,
}

/// How the engine's thread waits, and what that costs.
#[derive(Debug)]
pub(crate) struct EngineThreadUse {
    wait: EngineWait,
    time: ThreadTime,
    since: Instant,
}

impl EngineThreadUse {
    /// Of a thread that has just started.
    pub(crate) fn new(wait: EngineWait, thread: &EngineThread) -> Self {
        Self {
            wait,
            time: thread.time().clone(),
            since: Instant::now(),
        }
    }

    /// How it waits, with its share of a core since the start.
    fn component(&self) -> Component {
        let wait = match self.wait {
            EngineWait::Park => "sleeps",
            EngineWait::Spin => "spins",
        };
        let share = self.time.used().map_or_else(String::new, |used| {
            let share = used.as_secs_f64() / self.since.elapsed().as_secs_f64().max(1e-3);
            format!(", {:.1} % of a core", share * 100.0)
        });
        Component {
            name: "engine thread".to_owned(),
            healthy: true,
            message: format!("{wait} when nothing is ready{share}"),
            ..Component::default()
        }
    }
}

/// The mode shown in the banner.
#[must_use]
pub(crate) fn mode(market: &MarketSource, seed: u64) -> Mode {
    let simulated = |name: &str, seed: Option<u64>, speed: Ppm, note: String| Mode {
        name: name.to_owned(),
        seed,
        speed: speed.into(),
        note,
    };
    match market {
        MarketSource::Generated { speed } => {
            let note = format!("Simulated market, seed {seed}. The strategies have no edge.");
            simulated("SIMULATED", Some(seed), *speed, note)
        }
        MarketSource::Recorded { path, speed } => {
            let note = format!(
                "Recorded prices from {}, orders simulated. The strategies have no edge.",
                path.display()
            );
            simulated("RECORDED", None, *speed, note)
        }
        MarketSource::Venue(name) => simulated(
            "PAPER",
            None,
            Ppm::ONE,
            format!("Live prices of {name}, orders simulated."),
        ),
        MarketSource::Live(name) => {
            simulated("LIVE", None, Ppm::ONE, format!("Orders go to {name}."))
        }
    }
}

impl LiveDesk {
    /// A view at most [`VIEW_AGE`] old.
    pub(crate) async fn fresh_view(&self) -> Result<Arc<DeskView>, DeskError> {
        let mut latest = self.latest.lock().await;
        if let Some((taken, view)) = &*latest
            && taken.elapsed() < VIEW_AGE
        {
            return Ok(Arc::clone(view));
        }
        let view = tokio::time::timeout(COMMAND_PATIENCE, self.handle.view()).await;
        let view = view
            .map_err(|_| DeskError::Timeout)?
            .ok_or_else(engine_unavailable)?;
        let view = Arc::new(view);
        *latest = Some((Instant::now(), Arc::clone(&view)));
        Ok(view)
    }

    /// Sends a command to the engine; a kill goes to the gate first.
    pub(crate) async fn execute(&self, command: Command) -> Result<CommandResult, DeskError> {
        let done = tokio::time::timeout(COMMAND_PATIENCE, self.kill.command(command)).await;
        // A view taken after the answer includes the command's effect.
        *self.latest.lock().await = None;
        done.map_err(|_| DeskError::Timeout)?
            .ok_or_else(engine_unavailable)
    }

    /// The adapter through which an instrument's public data is read.
    fn reader(&self, instrument: InstrumentId) -> Option<Arc<dyn MarketData>> {
        let configuration = self.configuration.get();
        let instrument = configuration.instruments.get(instrument.index())?;
        let account = configuration
            .accounts
            .iter()
            .find(|account| account.venue == instrument.venue);
        match account {
            Some(account) => {
                let venue = self.venues.accounts.get(account.id.index())?;
                Some(Arc::clone(venue) as _)
            }
            None => {
                let mut feeds = self.venues.feeds.iter();
                let feed = feeds.find(|feed| feed.has(instrument))?;
                Some(Arc::clone(feed.data()))
            }
        }
    }

    async fn read_candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        limit: u32,
    ) -> Result<Vec<Candle>, DeskError> {
        let reader = self
            .reader(instrument)
            .ok_or_else(|| DeskError::Unavailable("the instrument's venue".to_owned()))?;
        let candles = reader
            .candles(instrument, interval, CandleRange::Latest(limit))
            .await;
        candles.map_err(|error| DeskError::Unavailable(format!("the venue ({error})")))
    }
}

impl LiveDesk {
    /// What is no task, and then the tasks.
    fn components(&self) -> Vec<Component> {
        let is_killed = self.kill.latch.is_set();
        let latch = Component {
            name: "kill latch".to_owned(),
            healthy: !is_killed,
            message: if is_killed { "set" } else { "clear" }.to_owned(),
            ..Component::default()
        };
        let lag = self.writer.lag();
        let database = Component {
            name: "database".to_owned(),
            healthy: lag.failures == 0,
            message: match lag.failures {
                0 => "follows the journal".to_owned(),
                failures => format!("{failures} writes in a row failed; it is tried again"),
            },
            policy: "started again".to_owned(),
            ..Component::default()
        };
        let others = [latch, self.engine_thread.component(), database];
        let tasks = self.components.shown();
        let tasks = tasks
            .into_iter()
            .filter(|task| task.name != "engine thread");
        others.into_iter().chain(tasks).collect()
    }
}

fn engine_unavailable() -> DeskError {
    DeskError::Unavailable("the engine".to_owned())
}

impl tradewind_api::Desk for LiveDesk {
    fn about(&self) -> About {
        About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            mode: self.mode.clone(),
        }
    }

    fn configuration(&self) -> Arc<Configuration> {
        self.configuration.get()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn view(&self) -> Answer<'_, Result<Arc<DeskView>, DeskError>> {
        Box::pin(self.fresh_view())
    }

    fn command(&self, command: Command) -> Answer<'_, Result<CommandResult, DeskError>> {
        Box::pin(self.execute(command))
    }

    fn apply_bots(&self, request: BotsToApply) -> Answer<'_, Result<BotsApplied, ApplyBotsError>> {
        let bots = Arc::clone(&self.bots);
        // It is finished also when the caller stops waiting.
        let task = self
            .kill
            .tasks
            .spawn(async move { bots.apply(request).await });
        Box::pin(async move {
            let answer = task.await.unwrap_or(Err(ApplyBotsError::Unavailable));
            *self.latest.lock().await = None;
            answer
        })
    }

    fn subscribe(&self, options: SubscriptionOptions) -> Subscription {
        self.bus.subscribe(options)
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.log)
    }

    fn history(&self) -> Arc<Readers> {
        Arc::clone(&self.readers)
    }

    fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        limit: u32,
    ) -> Answer<'_, Result<Vec<Candle>, DeskError>> {
        Box::pin(self.read_candles(instrument, interval, limit))
    }

    fn venue_balances(&self) -> Vec<VenueBalances> {
        let latest = self
            .differences
            .iter()
            .filter_map(|account| account.latest.load_full());
        latest
            .map(|balances| VenueBalances::clone(&balances))
            .collect()
    }

    fn feed_problems(&self) -> BTreeMap<InstrumentId, String> {
        self.handle.queues().feed_problems()
    }

    fn queues(&self) -> Vec<Queue> {
        let inputs = self.handle.queues().stats();
        inputs
            .iter()
            .map(input_queue)
            .chain(self.bus.stats().iter().map(bus_queue))
            .chain(self.mirror.as_ref().map(mirror_queue))
            .collect()
    }

    fn health(&self) -> Health {
        let queues = self.handle.queues().stats();
        let feed = |name: &str, lanes: &[&str]| {
            let counted = queues.iter().filter(|queue| lanes.contains(&queue.name));
            (name.to_owned(), counted.map(|queue| queue.published).sum())
        };
        Health {
            ready: self
                .differences
                .iter()
                .all(|account| account.reconciled.load(Ordering::Relaxed)),
            components: self.components(),
            engine_thread_time: self.engine_thread.time.used(),
            feed_messages: vec![
                feed("quotes", &["lane.quotes"]),
                feed("trades", &["lane.trades"]),
                feed("depth", &["lane.depth"]),
                feed("control", &CONTROL_LANES),
            ],
            journal_lag_us: u64::try_from(self.writer.lag().behind.as_micros()).unwrap_or(u64::MAX),
            stages: self.stages.snapshot(),
            ..Health::default()
        }
    }

    fn logs(&self, limit: usize) -> Vec<LogLine> {
        self.logs.newest(limit)
    }
}

fn mirror_queue(feed: &MirrorFeed) -> Queue {
    let counts = feed.counts();
    Queue {
        name: "mirror".to_owned(),
        class: "latest".to_owned(),
        depth: counts.waiting,
        capacity: u64::try_from(MirrorFeed::CAPACITY).unwrap_or(u64::MAX),
        high_water: counts.waiting_max,
        published: counts.published,
        delivered: counts.published - counts.conflated - counts.dropped - counts.waiting,
        conflated: counts.conflated,
        dropped: counts.dropped,
    }
}

fn input_queue(stats: &QueueStats) -> Queue {
    let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Queue {
        name: stats.name.to_owned(),
        class: stats.class.to_owned(),
        depth: wide(stats.depth),
        capacity: wide(stats.capacity),
        high_water: wide(stats.high_water),
        published: stats.published,
        delivered: stats.delivered(),
        conflated: stats.conflated,
        dropped: stats.dropped,
    }
}

fn bus_queue(stats: &tradewind_bus::SubscriberStats) -> Queue {
    let total = stats.total();
    let class = match stats.class {
        Class::Lossless => "lossless",
        Class::Drop => "drop",
        Class::Latest => "latest",
    };
    Queue {
        name: format!("bus.{}", stats.name),
        class: class.to_owned(),
        depth: u64::try_from(stats.depth).unwrap_or(u64::MAX),
        capacity: u64::try_from(SubscriptionOptions::CAPACITY).unwrap_or(u64::MAX),
        high_water: u64::try_from(stats.high_water).unwrap_or(u64::MAX),
        published: total.published,
        delivered: total.delivered,
        conflated: total.conflated,
        dropped: total.dropped,
    }
}
