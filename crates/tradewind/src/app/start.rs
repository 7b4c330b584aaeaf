//! One desk, from its directory to its last word.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use arc_swap::ArcSwapOption;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc, oneshot};
use tradewind_api::VenueBalances;
use tradewind_bus::{Bus, Class, EventLog, SubscriptionOptions, TypeSet};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{Configuration, Delivery, Event, Input, OrderView, Started, WakeRule};
use tradewind_journal::{
    DeskFile, DirectoryLock, Disk, EventReader, Identity, Journal, LatchFile, Options, RunningDesk,
    Storage,
};
use tradewind_model::{EventId, Interval};
use tradewind_risk::{KillLatch, Purpose};
use tradewind_simx_server::{MarketChoice, Recording, SimClock, saved_position};
use tradewind_storage::{Readers, Writer, WriterOptions};
use tradewind_venues::binance::MarketSource as MarketFeed;
use tradewind_venues::{SourceSettings, Topic};

use crate::app::desk::{LiveDesk, mode};
use crate::app::difference::Difference;
use crate::app::effects::LiveEffects;
use crate::app::executor::{EFFECTS_MAX, Executor};
use crate::app::face::Face;
use crate::app::farewell;
use crate::app::killing::KillSwitch;
use crate::app::logs::Logs;
use crate::app::owners::Owners;
use crate::app::questions::Questions;
use crate::app::remote;
use crate::app::sending::Sending;
use crate::app::sinks::{AccountToLanes, MarketToLanes};
use crate::app::supervisor::Supervisor;
use crate::app::venue::{Embedded, Venues, random_hex};
use crate::cli::{MarketSource, RunOptions};
use crate::config::{AbsentInstruments, Durability};
use crate::driver::{DeskHandle, DriverParts, EvaluationLanes, Lanes, Stages, run};

/// How long the account's stream may take before the desk starts without it.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);
/// How often lost events of subscribers are looked for.
const OVERFLOWS_EVERY: Duration = Duration::from_millis(500);

/// How long cancelled entries may take to go before the desk stops without them.
const CANCEL_PATIENCE: Duration = Duration::from_secs(3);
/// How often it is looked whether they have gone.
const CANCEL_LOOK: Duration = Duration::from_millis(50);

/// A running desk.
#[derive(Debug)]
pub(crate) struct Desk {
    supervisor: Supervisor,
    live: Arc<LiveDesk>,
    desk_file: DeskFile,
    _lock: DirectoryLock,
}

/// Why a desk stops.
#[derive(Debug)]
pub(crate) enum Reason {
    /// Somebody asked it to, or its time is over.
    Asked(&'static str),
    /// A part of it ended.
    Ended(anyhow::Error),
}

/// What is on disk before anything else.
struct Ground {
    storage: Arc<dyn Storage>,
    journal_dir: PathBuf,
    lock: DirectoryLock,
    latch: Arc<KillLatch>,
    latch_file: Arc<LatchFile>,
    identity: Identity,
}

impl Ground {
    fn take(data_dir: &Path, clock: &SimClock) -> anyhow::Result<Self> {
        let storage: Arc<dyn Storage> = Arc::new(Disk);
        let journal_dir = data_dir.join("journal");
        let lock = DirectoryLock::acquire(data_dir)?;
        let latch_file = Arc::new(LatchFile::new(Arc::clone(&storage), data_dir, &journal_dir));
        let state = latch_file
            .open(clock.now())
            .context("opening the kill latch")?;
        if state.killed {
            tracing::warn!(
                reason = state.reason,
                by = state.by,
                "The kill latch is set: nothing is sent until it is reset."
            );
        }
        let random = random_hex()?;
        let draw = || {
            random
                .get(..8)
                .and_then(|text| u32::from_str_radix(text, 16).ok())
                .unwrap_or(1)
        };
        let identity =
            Identity::begin(&*storage, &journal_dir, draw).context("beginning a new epoch")?;
        let latch = Arc::new(KillLatch::new(state.killed));
        Ok(Self {
            storage,
            journal_dir,
            lock,
            latch,
            latch_file,
            identity,
        })
    }
}

impl Desk {
    /// Starts a desk; it trades once its accounts are read.
    ///
    /// # Errors
    /// What kept it from starting, in one line with its cure.
    pub(crate) async fn start(options: RunOptions, logs: Logs) -> anyhow::Result<Self> {
        let RunOptions {
            config,
            data_dir,
            market,
            ..
        } = options;
        let (choice, clock) = market_and_clock(&market, config.simulation.seed, &data_dir)?;
        let clock = Arc::new(clock);
        let ground = Ground::take(&data_dir, &clock)?;
        let face = Face::bind(&config)?;
        let mut supervisor = Supervisor::default();

        let (embedded, server) = Embedded::bind(&config, &data_dir, choice, *clock)?;
        tracing::info!(address = %server.local_addr(), "The embedded exchange listens.");
        supervisor.start("exchange", |stop| async move {
            server.run(stop).await.context("the embedded exchange")
        });

        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let venues = Venues::connect(
            &config,
            Some(&embedded),
            &ground.latch,
            &clock,
            &environment,
        )
        .await?;
        let listed: Vec<_> = venues
            .listings
            .iter()
            .map(|listing| listing.instrument.clone())
            .collect();
        let absent = match market {
            MarketSource::Recorded { .. } => AbsentInstruments::NoData,
            _ => AbsentInstruments::Refuse,
        };
        let configuration = Arc::new(config.resolve(&listed, venues.assets.snapshot(), absent)?);
        venues.take_into_use(&configuration)?;

        let now = clock.now();
        let journal_options = Options {
            build: env!("CARGO_PKG_VERSION").to_owned(),
            ..Options::default()
        };
        let owners = Arc::new(Owners::read(
            Arc::clone(&ground.storage),
            &ground.journal_dir,
            &configuration,
        )?);
        let (journal, recovery) = Journal::open(
            Arc::clone(&ground.storage),
            &ground.journal_dir,
            &journal_options,
            now,
        )?;
        for torn in &recovery.torn {
            tracing::warn!(
                ?torn,
                "The last run did not finish writing; the tail was cut off."
            );
        }
        let events = journal.events();
        let log: Arc<dyn EventLog> = Arc::new(JournalEvents(events.clone()));
        let bus = Bus::new(Arc::clone(&log));
        let database = data_dir.join("tradewind.db");
        let source = Box::new(JournalEvents(events));
        let writer = Arc::new(Writer::start(&database, source, WriterOptions::default())?);
        writer.configure(recovery.last_seq + 1, Arc::clone(&configuration));
        let lanes = Arc::new(Lanes::new(configuration.instruments.len()));
        let handle = DeskHandle::new(Arc::clone(&lanes));
        let stages = Stages::default();
        let executors = start_executors(
            &mut supervisor,
            &venues,
            &lanes,
            &owners,
            &configuration,
            &clock,
            &writer,
            &stages,
        );
        let factory = strategy_factory();
        let evaluations = EvaluationLanes::start(&configuration, &factory, &lanes)
            .context("starting thread lanes")?;
        let parts = DriverParts {
            engine: Engine::after(
                StrategySource::new(move |bot| factory(bot)),
                recovery.last_seq,
            ),
            clock: Arc::clone(&clock),
            handle: handle.clone(),
            journal,
            power_safe: config.desk.durability == Durability::Power,
            evaluations,
            effects: LiveEffects::new(executors, &configuration, bus.clone()),
            stages: stages.clone(),
        };
        start_engine(&mut supervisor, parts)?;
        lanes.control(Input::Configured(Box::new(Configuration::clone(
            &configuration,
        ))));

        let resync = Arc::new(Notify::new());
        start_market_data(&mut supervisor, &venues, &configuration, &lanes);
        start_account_streams(&mut supervisor, &venues, &lanes, &resync)?;
        if tokio::time::timeout(STREAM_PATIENCE, resync.notified())
            .await
            .is_err()
        {
            tracing::warn!(
                "The account's stream is not up yet; the desk starts on what it can read."
            );
        }
        let Identity { instance, epoch } = ground.identity;
        lanes.control(Input::Started(Started {
            instance,
            epoch,
            killed: ground.latch.is_set(),
        }));
        start_resync(&mut supervisor, resync, handle.clone());

        let differences = start_differences(&mut supervisor, &venues, &handle, &clock);
        let kill = KillSwitch {
            gate: Arc::clone(&venues.gate),
            latch: Arc::clone(&ground.latch),
            file: Arc::clone(&ground.latch_file),
            desk: handle.clone(),
            clock: Arc::clone(&clock),
            past: Arc::default(),
            tasks: tokio_util::task::TaskTracker::new(),
        };
        let watch = kill.clone();
        supervisor.start("kill file", |stop| watch.watch(stop));
        start_overflow_watch(&mut supervisor, bus.clone(), Arc::clone(&lanes));
        start_storage(&mut supervisor, &bus, Arc::clone(&writer));

        let live = Arc::new(LiveDesk {
            handle,
            configuration,
            started_at: clock.now(),
            clock,
            kill,
            bus,
            log,
            readers: Arc::new(Readers::new(&database)),
            writer,
            venues,
            differences,
            stages,
            logs,
            mode: mode(&market, config.simulation.seed),
            latest: tokio::sync::Mutex::default(),
        });
        let address = face.serve(&mut supervisor, &live, &data_dir)?;
        remote::start(&mut supervisor, &live, &config, &environment, &data_dir)?;
        let desk_file = DeskFile::new(ground.storage, &data_dir);
        let url = format!("http://{address}");
        desk_file.write(&RunningDesk {
            pid: std::process::id(),
            url,
        })?;
        Ok(Self {
            supervisor,
            live,
            desk_file,
            _lock: ground.lock,
        })
    }

    /// Waits until the desk is told to stop, its time is over, or a part of it ends.
    pub(crate) async fn until_told(&mut self, run_for: Option<Duration>) -> Reason {
        let (Ok(mut terminate), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return Reason::Ended(anyhow::anyhow!("signals cannot be heard"));
        };
        let over = async {
            match run_for {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => Reason::Asked("SIGTERM"),
            _ = interrupt.recv() => Reason::Asked("interrupt"),
            () = over => Reason::Asked("its time is over"),
            ended = self.supervisor.first_ended() => Reason::Ended(match ended.result {
                Ok(()) => anyhow::anyhow!("{} ended by itself", ended.name),
                Err(error) => error.context(format!("{} failed", ended.name)),
            }),
        }
    }

    /// Stops everything in reverse and says what is left open. A second signal ends the process at once.
    ///
    /// # Errors
    /// The reason, if it was a failure.
    pub(crate) async fn stop(self, reason: Reason) -> anyhow::Result<()> {
        let stopping = match &reason {
            Reason::Asked(why) => *why,
            Reason::Ended(_) => "a part of the desk ended",
        };
        tracing::info!(reason = stopping, "The desk is shutting down.");
        end_at_second_signal();
        self.live.handle.lanes().control(Input::Stopping);
        if tokio::time::timeout(CANCEL_PATIENCE, entries_gone(&self.live.handle))
            .await
            .is_err()
        {
            tracing::warn!("Some entries are still open; the next start takes them over.");
        }
        let last = tokio::time::timeout(Duration::from_secs(2), self.live.handle.view()).await;
        if let Ok(Some(view)) = last {
            tracing::info!("{}", farewell::words(&view, &self.live.configuration));
        }
        let late = self.supervisor.stop().await;
        if !late.is_empty() {
            tracing::warn!(?late, "Some parts were late and were cut off.");
        }
        self.desk_file.remove()?;
        match reason {
            Reason::Asked(_) => Ok(()),
            Reason::Ended(error) => Err(error),
        }
    }
}

/// Where prices come from, and the clock that goes with it: recorded data begins at its own first moment, or where an
/// earlier run in the same directory stopped, and plays as fast as it is asked to.
fn market_and_clock(
    market: &MarketSource,
    seed: u64,
    data_dir: &Path,
) -> anyhow::Result<(MarketChoice, SimClock)> {
    match market {
        MarketSource::Generated => Ok((MarketChoice::Generated { seed }, SimClock::system())),
        MarketSource::Recorded { path, speed } => {
            let recording = Recording::open(path)?;
            for note in recording.notes() {
                tracing::info!("{note}");
            }
            let origin = saved_position(data_dir)?.unwrap_or_else(|| recording.starts_at());
            let clock = SimClock::new(origin, *speed);
            Ok((MarketChoice::Recorded(Box::new(recording)), clock))
        }
        MarketSource::Venue(name) | MarketSource::Live(name) => {
            bail!(
                "trading on {name} is not there yet; run without --venue for the simulated exchange"
            )
        }
    }
}

fn strategy_factory() -> crate::driver::evaluation::LaneFactory {
    Arc::new(|bot| {
        tradewind_strategy::build(&bot.strategy, &bot.parameters, bot.instruments.len())
            .map_err(|error| error.to_string())
    })
}

fn start_executors(
    supervisor: &mut Supervisor,
    venues: &Venues,
    lanes: &Arc<Lanes>,
    owners: &Arc<Owners>,
    configuration: &Arc<Configuration>,
    clock: &Arc<SimClock>,
    writer: &Arc<Writer>,
    stages: &Stages,
) -> Vec<mpsc::Sender<crate::driver::Effect>> {
    let mut senders = Vec::new();
    for (account, venue) in configuration.accounts.iter().zip(&venues.accounts) {
        let (sender, receiver) = mpsc::channel(EFFECTS_MAX);
        let executor = Executor {
            account: account.id,
            venue: Arc::clone(venue),
            lanes: Arc::clone(lanes),
            owners: Arc::clone(owners),
            configuration: Arc::clone(configuration),
            clock: Arc::clone(clock),
            writer: Arc::clone(writer),
            stages: stages.clone(),
            sending: Sending::default(),
            questions: Questions::default(),
        };
        supervisor.start("orders", |stop| executor.run(receiver, stop));
        let venue = Arc::clone(venue);
        supervisor.start("venue clock", |stop| async move {
            venue.keep_clock(stop).await;
            Ok(())
        });
        senders.push(sender);
    }
    senders
}

/// The engine's own thread. Its component ends when the thread does, whatever ends it.
fn start_engine(
    supervisor: &mut Supervisor,
    parts: DriverParts<LiveEffects>,
) -> anyhow::Result<()> {
    let lanes = Arc::clone(parts.handle.lanes());
    let (ended, end) = oneshot::channel();
    thread::Builder::new()
        .name("engine".to_owned())
        .spawn(move || {
            let result = run(parts);
            // The desk may be gone already.
            drop(ended.send(result.map(drop)));
        })
        .context("starting the engine's thread")?;
    supervisor.start("engine", |stop| async move {
        let mut end = end;
        tokio::select! {
            () = stop.cancelled() => {
                lanes.close();
                end.await.context("the engine's thread panicked")?.context("writing the journal")
            }
            ended = &mut end => ended.context("the engine's thread panicked")?.context("writing the journal"),
        }
    });
    Ok(())
}

/// Every instrument's quotes and trades, and the candles some bot wants.
fn topics(configuration: &Configuration, venue: tradewind_model::VenueId) -> Vec<Topic> {
    let here = configuration
        .instruments
        .iter()
        .filter(|instrument| instrument.venue == venue && instrument.has_data());
    let mut topics = Vec::new();
    for instrument in here {
        topics.extend([Topic::Quotes(instrument.id), Topic::Trades(instrument.id)]);
        let users = configuration
            .bots
            .iter()
            .filter(|bot| bot.instruments.contains(&instrument.id));
        let mut intervals: Vec<Interval> = users.flat_map(intervals).collect();
        intervals.sort_unstable();
        intervals.dedup();
        topics.extend(
            intervals
                .into_iter()
                .map(|interval| Topic::Candles(instrument.id, interval)),
        );
    }
    topics
}

fn intervals(bot: &tradewind_events::BotConfig) -> impl Iterator<Item = Interval> + '_ {
    bot.wakes.iter().filter_map(|wake| match wake {
        WakeRule::Candles(interval) => Some(*interval),
        WakeRule::Quotes | WakeRule::Every(_) => None,
    })
}

fn start_market_data(
    supervisor: &mut Supervisor,
    venues: &Venues,
    configuration: &Configuration,
    lanes: &Arc<Lanes>,
) {
    let sink = Arc::new(MarketToLanes(Arc::clone(lanes)));
    let settings = SourceSettings {
        stale_after: configuration.stale_after,
        ..SourceSettings::default()
    };
    let mut seen = Vec::new();
    for (account, venue) in configuration.accounts.iter().zip(&venues.accounts) {
        if seen.contains(&account.venue) {
            continue;
        }
        seen.push(account.venue);
        for mut source in
            venue.market_sources(&topics(configuration, account.venue), &sink, settings)
        {
            source.start();
            supervisor.start("market data", |stop| keep(source, stop));
        }
    }
}

async fn keep(
    mut source: MarketFeed<MarketToLanes>,
    stop: tokio_util::sync::CancellationToken,
) -> anyhow::Result<()> {
    stop.cancelled().await;
    source.stop().await;
    Ok(())
}

fn start_account_streams(
    supervisor: &mut Supervisor,
    venues: &Venues,
    lanes: &Arc<Lanes>,
    resync: &Arc<Notify>,
) -> anyhow::Result<()> {
    let sink = Arc::new(AccountToLanes {
        lanes: Arc::clone(lanes),
        resync: Arc::clone(resync),
    });
    for venue in &venues.accounts {
        let mut source = venue.user_source(&sink, SourceSettings::default())?;
        source.start();
        supervisor.start("account stream", |stop| async move {
            stop.cancelled().await;
            source.stop().await;
            Ok(())
        });
    }
    Ok(())
}

/// After the account's stream came back, every open order is asked about: what it said meanwhile was not heard.
fn start_resync(supervisor: &mut Supervisor, resync: Arc<Notify>, desk: DeskHandle) {
    supervisor.start("resync", |stop| async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = resync.notified() => desk.lanes().control(Input::Resync),
            }
        }
    });
}

fn start_differences(
    supervisor: &mut Supervisor,
    venues: &Venues,
    desk: &DeskHandle,
    clock: &Arc<SimClock>,
) -> Vec<Arc<ArcSwapOption<VenueBalances>>> {
    let mut all = Vec::new();
    for (account, venue) in (0..).map(tradewind_model::AccountId).zip(&venues.accounts) {
        let latest = Arc::new(ArcSwapOption::empty());
        let difference = Difference {
            account,
            venue: Arc::clone(venue),
            desk: desk.clone(),
            clock: Arc::clone(clock),
            latest: Arc::clone(&latest),
        };
        supervisor.start("difference", |stop| difference.run(stop));
        all.push(latest);
    }
    all
}

/// Tells the engine of subscribers that began to lose events, so that it is announced.
fn start_overflow_watch(supervisor: &mut Supervisor, bus: Bus, lanes: Arc<Lanes>) {
    supervisor.start("overflows", |stop| async move {
        let mut look = tokio::time::interval(OVERFLOWS_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = look.tick() => {}
            }
            for overflow in bus.take_overflows() {
                let subscriber = overflow.subscriber.into_boxed_str();
                lanes.control(Input::QueueOverflow {
                    subscriber,
                    dropped: overflow.dropped,
                });
            }
        }
    });
}

/// Nudges the database's writer whenever something was announced; it reads the log by itself.
fn start_storage(supervisor: &mut Supervisor, bus: &Bus, writer: Arc<Writer>) {
    let types = TypeSet::all().without(TypeSet::delivered(Delivery::Latest));
    let mut announced = bus.subscribe(SubscriptionOptions::new("storage", Class::Drop, types));
    supervisor.start("storage", |stop| async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                heard = announced.recv() => match heard {
                    Some(_) => writer.nudge(),
                    None => return Ok(()),
                },
            }
        }
    });
}

/// Resolves once no entry is open, or nobody can tell any more.
async fn entries_gone(desk: &DeskHandle) {
    while let Some(view) = desk.view().await {
        let is_entry = |order: &OrderView| order.purpose == Purpose::Entry;
        if !view.orders.iter().any(is_entry) {
            return;
        }
        tokio::time::sleep(CANCEL_LOOK).await;
    }
}

/// From here on a second signal ends the process at once; what is on disk is enough to start again.
fn end_at_second_signal() {
    #[expect(
        clippy::disallowed_methods,
        reason = "it ends the process that would own it"
    )]
    tokio::spawn(async {
        let (Ok(mut terminate), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(1);
    });
}

/// The journal as the bus falls back on it.
#[derive(Debug)]
struct JournalEvents(EventReader);

impl EventLog for JournalEvents {
    fn read_after(&self, after: EventId, limit: usize) -> std::io::Result<Vec<Arc<Event>>> {
        self.0
            .read_after(after, limit)
            .map_err(std::io::Error::other)
    }
}

impl tradewind_storage::EventSource for JournalEvents {
    fn read_after(&self, after: EventId, limit: usize) -> std::io::Result<Vec<Arc<Event>>> {
        EventLog::read_after(self, after, limit)
    }
}
