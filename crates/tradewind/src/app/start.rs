//! One desk, from its directory to its last word.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tradewind_bus::{Bus, EventLog};
use tradewind_engine::StrategySource;
use tradewind_events::{Build, Input, OrderView, Started};
use tradewind_journal::{DeskFile, DirectoryLock, Identity, JournalError, Reader, RunningDesk};
use tradewind_model::{ClientOrderId, Clock, DeskClock, Ppm, Timestamp, VenueId};
use tradewind_risk::PositionEffect;
use tradewind_simx_server::{ControlPort, MarketChoice, Recording, Server, saved_position};
use tradewind_storage::{Readers, Writer, WriterOptions};
use tradewind_venues::execution::AccountSnapshot;
use tradewind_venues::{MarketSink, RealTime, TokioTime};

use crate::app::api_server::ApiServer;
use crate::app::boot_clock::BootClock;
use crate::app::bots::{BotSet, Received, in_force};
use crate::app::build::{build, hash_of_binary};
use crate::app::candidates::with_candidates;
use crate::app::clock_watch::start_clock_watch;
use crate::app::closed_while_down::start_closed_while_down;
use crate::app::closing::close_positions;
use crate::app::component_watch::{ComponentWatch, Watched};
use crate::app::components::wall;
use crate::app::confirmation::{Confirmation, ask_on_terminal};
use crate::app::current::CurrentConfiguration;
use crate::app::data_dir::DataDir;
use crate::app::desk::{EngineThreadUse, LiveDesk, mode};
use crate::app::desk_time::{clock_after, keep_deadlines, origin_after};
use crate::app::hot_path::{HotPath, LiveEffects, TakeOver, account_state};
use crate::app::kill_switch::KillSwitch;
use crate::app::live::{bind_folder, permit, venue_of};
use crate::app::logs::Logs;
use crate::app::mirror::Mirror;
use crate::app::notify::ServiceManager;
use crate::app::order_entry::start_order_entry_watch;
use crate::app::parts::{
    JournalEvents, start_differences, start_overflow_watch, start_rules, start_storage,
    strategy_factory,
};
use crate::app::recordings::Recordings;
use crate::app::recovery::recover;
use crate::app::runs::Runs;
use crate::app::shutdown_summary;
use crate::app::signals::{Signals, end_at_second_signal};
use crate::app::source_positions::SourcePositions;
use crate::app::supervisor::Supervisor;
use crate::app::take_profits;
use crate::app::telegram;
use crate::app::unanswered::until_answered;
use crate::app::venue::{Embedded, Venues};
use crate::app::watchdog::Watchdog;
use crate::app::{feeds, house};
use crate::cli::{Control, MarketSource, RunOptions};
use crate::config::{AbsentInstruments, Durability, Listing, OnExit, keep_ids};
use crate::driver::{
    DeskHandle, DriverParts, EngineThread, EvaluationLanes, InputQueues, IntentSafety,
    LatencyStages,
};

/// Longest wait for the account streams before the desk starts without them.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);

/// Before `desk.json` is written again that could not be.
const ANNOUNCE_AGAIN: Duration = Duration::from_secs(5);

/// Longest wait for cancelled entries before the desk stops without them.
const CANCEL_PATIENCE: Duration = Duration::from_secs(3);
/// Silence of a mirrored venue after which its market stops.
const MIRROR_SILENCE: Duration = Duration::from_secs(10);
/// How often open entries are checked.
const CANCEL_POLL: Duration = Duration::from_millis(50);

/// A running desk.
#[derive(Debug)]
pub(crate) struct Desk {
    supervisor: Supervisor,
    live: Arc<LiveDesk>,
    desk_file: DeskFile,
    signals: Signals,
    on_exit: OnExit,
    watchdog: Watchdog,
    component_watch: ComponentWatch,
    manager: Arc<ServiceManager>,
    runs: Runs,
    _lock: DirectoryLock,
}

/// Why a desk stops.
#[derive(Debug)]
pub(crate) enum Reason {
    /// A signal, or its running time is over.
    Requested(&'static str),
    /// A component ended.
    Ended(anyhow::Error),
}

impl Desk {
    /// Starts a desk; it trades once its accounts are read.
    ///
    /// # Errors
    /// The reason why it cannot start, in one line with the fix.
    pub(crate) async fn start(options: RunOptions, logs: Logs) -> anyhow::Result<Self> {
        let RunOptions {
            config,
            data_dir,
            market,
            confirm,
            fault_config,
            control,
            bots_from_file,
            reads,
            ..
        } = options;
        permit(&config, &market)?;
        let binary = tokio::task::spawn_blocking(hash_of_binary);
        let directory = DataDir::open(&data_dir)?;
        let (storage, instance) = (&*directory.storage, directory.identity.instance);
        let factory = strategy_factory();
        let source = StrategySource::built_in;
        let last_run = recover(&directory.storage, &directory.journal_dir, source);
        let last_run = last_run.map_err(with_cure)?;
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let listing = match market {
            MarketSource::Generated { .. } => Listing::Generated,
            _ => Listing::Unknown,
        };
        let config = in_force(
            config,
            last_run.configuration(),
            bots_from_file,
            (listing, &environment),
        )?;
        let venue = venue_of(&config, &market);
        let confirmation = Confirmation::needed(&config, venue, instance);
        if let Some(confirmation) = &confirmation {
            confirmation.require(storage, &data_dir, &confirm, ask_on_terminal)?;
        }
        bind_folder(storage, &data_dir, venue)?;
        let api = ApiServer::bind(&config)?;
        let is_new = last_run.seq() == 0;
        let seed = config.simulation.seed;
        let (prices, clock) = prices_and_clock(&market, seed, &data_dir, last_run.now())?;
        let mut signals = Signals::listen().context("listening for signals")?;
        let chosen = with_candidates(config, &market, &clock, &directory.bans);
        let config = signals.or_stop(chosen).await?;
        let (choice, mirror) = match prices {
            Prices::Direct => (None, None),
            Prices::Embedded(choice) => (Some(choice), None),
            Prices::Mirrored(venue) => {
                let (latch, bans) = (&directory.latch, &directory.bans);
                let mirror = || Mirror::connect(&config, &venue, latch, &clock, bans);
                let mirrored = until_answered(&venue, mirror);
                let (mirror, choice) = signals.or_stop(mirrored).await?;
                (Some(choice), Some(mirror))
            }
        };
        let mut supervisor = Supervisor::default();

        let bind = |choice| Embedded::bind(&config, &data_dir, choice, &clock);
        let embedded = match choice.map(bind).transpose()? {
            Some((embedded, server)) => {
                start_exchange(&mut supervisor, server.with_conduct(fault_config), control)?;
                Some(embedded)
            }
            None => None,
        };
        let mut recordings = Recordings::new(&data_dir, &clock);
        let connected = Venues::connect(
            &config,
            embedded.as_ref(),
            &directory.latch,
            &clock,
            &environment,
            (last_run.configuration(), &directory.bans),
            (
                matches!(market, MarketSource::Recorded { .. }).then_some(&reads),
                &mut recordings,
            ),
        );
        let (venues, responses) = signals.or_stop(connected).await?;
        // A kill that came while the start waited is in its file only.
        if directory.latch_file.read(clock.now()).killed {
            directory.latch.set();
        }
        let absent = match market {
            MarketSource::Recorded { .. } => AbsentInstruments::NoData,
            _ => AbsentInstruments::Refuse,
        };
        let mut resolved = config.resolve(&venues.listed, venues.assets.snapshot(), absent)?;
        keep_deadlines(&mut resolved, clock.speed());
        let mut stable =
            keep_ids(resolved, last_run.configuration()).map_err(anyhow::Error::msg)?;
        let before = last_run.configuration().build.as_deref();
        let build = build(
            binary.await.unwrap_or_default(),
            &config.show_json(),
            before,
        );
        announce_build(&build);
        stable.configuration.build = Some(Box::new(build));
        let known = last_run.configuration();
        stable.configuration.bots_revision = known.bots_revision;
        if !bots_from_file {
            stable.configuration.bots_text.clone_from(&known.bots_text);
        }
        let for_engine = stable.for_engine();
        let configuration = Arc::new(stable.configuration);
        venues.take_into_use(&configuration)?;
        let mut positions = SourcePositions::open(directory.source_positions.clone(), wall);
        let house_sources = house::prepare(
            &config,
            &configuration,
            &environment,
            &mut positions,
            Some(&mut recordings),
        )?;
        for feed in &venues.feeds {
            feed.note(&recordings, &configuration);
        }
        recordings.keep(&mut supervisor);
        for line in take_profits::at_market(&configuration) {
            tracing::warn!("{line}");
        }

        let now = clock.now();
        let (journal, recovery) = directory.open_journal(now)?;
        let engine = last_run.finish(recovery.last_seq, recovery.last_at);
        let lane_states = engine.lane_states().map(|lane| (lane.bot, lane.state));
        let lane_states: BTreeMap<_, _> = lane_states.collect();
        let events = JournalEvents {
            events: journal.events(),
            reader: Reader::new(Arc::clone(&directory.storage), &directory.journal_dir),
        };
        let log: Arc<dyn EventLog> = Arc::new(events.clone());
        let bus = Bus::new(Arc::clone(&log));
        let database = data_dir.join("tradewind.db");
        let source = Box::new(events);
        let writer = Arc::new(Writer::start(&database, source, WriterOptions::default())?);
        writer.configure(recovery.last_seq + 1, Arc::clone(&configuration));
        let queues = Arc::new(InputQueues::new(configuration.instruments.len()));
        let handle = DeskHandle::new(Arc::clone(&queues));
        let keeping = positions.keep(&queues, &mut supervisor);
        keeping.context("starting the thread that keeps how far sources were read")?;
        let stages = LatencyStages::default();
        let time: Arc<dyn RealTime> = Arc::new(TokioTime::default());
        let path = HotPath {
            echoes: Arc::default(),
            // By the ids that venues have in this folder.
            retries: config
                .venues
                .iter()
                .filter_map(|venue| {
                    let mut names = configuration.venues.iter();
                    let place = names.position(|name| *name == venue.name)?;
                    Some((VenueId(u32::try_from(place).ok()?), venue.retries))
                })
                .collect(),
            queues: Arc::clone(&queues),
            configuration: Arc::clone(&configuration),
            clock: Arc::clone(&clock),
            time: Arc::clone(&time),
            gate: Arc::clone(&venues.gate),
            take_over: take_over(is_new, Arc::clone(&writer), directory.identity.clone()),
            stages: stages.clone(),
        };
        let current = Arc::new(CurrentConfiguration::new(Arc::clone(&configuration)));
        let (known, names) = (Arc::clone(&current), Arc::clone(&writer));
        path.follow_assets(&venues.assets, move |asset, name| {
            names.configure(recovery.last_seq + 1, known.add_asset(asset, name));
        });
        let thread =
            EngineThread::start(config.engine.wait).context("starting the engine's thread")?;
        let hot = thread.handle().clone();
        let engine_thread = EngineThreadUse::new(config.engine.wait, &thread);
        supervisor.start("engine thread", |stop| thread.keep(stop));
        let executors = path.start_executors_from(
            &mut supervisor.on(&hot),
            &venues.accounts,
            responses,
            &|account, instrument| engine.last_booked(account, instrument),
        );
        let left = engine.view();
        if directory.latch.is_set() && !left.positions.is_empty() {
            tracing::warn!("Killed, {}", shutdown_summary::text(&left, &configuration));
        }
        start_closed_while_down(&mut supervisor, &bus, &left, &configuration);
        let evaluations =
            EvaluationLanes::start_with(&configuration, &factory, &queues, &lane_states)
                .context("starting thread lanes")?;
        let (feed_reads, feed_readers) = feeds::reads(&venues.feeds, &configuration, &queues);
        for reader in feed_readers {
            supervisor.keep("feed reads", move |stop| reader.clone().run(stop));
        }
        let parts = DriverParts {
            engine,
            clock: Arc::clone(&clock),
            time,
            handle: handle.clone(),
            journal,
            safety: IntentSafety::of(config.desk.durability == Durability::Power),
            evaluations,
            effects: LiveEffects::new(executors, &configuration, bus.clone())
                .with_feeds(feed_reads),
            stages: stages.clone(),
        };
        path.start_engine(&mut supervisor.on(&hot), parts);
        queues.control(Input::Configured(Box::new(for_engine)));
        // Before market data: the bots of the last run wait for their turn from here on.
        let Identity {
            instance, epoch, ..
        } = directory.identity;
        queues.control(Input::Started(Started {
            instance,
            epoch,
            killed: directory.latch.is_set(),
            former: directory
                .identity
                .former
                .iter()
                .map(|former| former.instance)
                .collect(),
        }));
        if directory.runs.are_unsafe(config.desk.safe_after) {
            tracing::error!(
                "The last runs ended uncleanly: SAFE mode. No bot is started until `tradewind risk clear desk`."
            );
            queues.control(Input::SafeMode);
        }
        let watched = (&path.echoes, &queues);
        start_order_entry_watch(&mut supervisor, &config, &venues, watched);

        house::start(
            house_sources,
            &mut supervisor.on(&hot),
            &path.house_sink(),
            &clock,
            configuration.stale_after,
        );
        let prices = path.market_sink();
        for feed in &venues.feeds {
            feed.start(&path, &mut supervisor.on(&hot), &prices);
        }
        let mirror_feed = mirror.as_ref().map(Mirror::feed);
        let sink: Arc<dyn MarketSink> = match mirror {
            None => path.market_sink(),
            Some(mirror) => {
                let silence = configuration.stale_after.min(MIRROR_SILENCE);
                mirror.start(&mut supervisor, &queues, silence)
            }
        };
        path.start_market_data(&mut supervisor.on(&hot), &venues.accounts, &sink);
        let mut proved = path.start_account_streams(&mut supervisor.on(&hot), &venues.accounts)?;
        let all_proved = proved.wait_for(|proved| proved.len() == configuration.accounts.len());
        if tokio::time::timeout(STREAM_PATIENCE, all_proved)
            .await
            .is_err()
        {
            tracing::warn!(
                "An account stream is not live yet; the desk starts, and enters nothing there until it is."
            );
        }
        start_rules(&mut supervisor, &venues, &bus, (&queues, &configuration));
        let accounts = configuration.accounts.iter().map(|account| account.id);
        start_clock_watch(&mut supervisor, &venues, accounts, &queues);

        let differences = start_differences(&mut supervisor, &venues, &handle, &clock);
        let kill = KillSwitch {
            gate: Arc::clone(&venues.gate),
            latch: Arc::clone(&directory.latch),
            file: Arc::clone(&directory.latch_file),
            desk: handle.clone(),
            clock: Arc::clone(&clock),
            history: Arc::default(),
            unsaved: Arc::default(),
            tasks: tokio_util::task::TaskTracker::new(),
        };
        let watch = kill.clone();
        supervisor.keep("kill file", move |stop| watch.clone().watch(stop));
        start_overflow_watch(&mut supervisor, bus.clone(), Arc::clone(&queues));
        start_storage(&mut supervisor, &bus, Arc::clone(&writer));

        let bots = Arc::new(BotSet {
            config: tokio::sync::Mutex::new(config.clone()),
            current: Arc::clone(&current),
            received: Received::of(&configuration),
            listed: venues.listed.clone(),
            assets: Arc::clone(&venues.assets),
            absent,
            listing,
            environment: environment.clone(),
            speed: clock.speed(),
            is_confirmed: confirmation.is_some(),
            kill: kill.clone(),
            names: (Arc::clone(&writer), recovery.last_seq + 1),
        });
        let live = Arc::new(LiveDesk {
            bots,
            handle,
            configuration: current,
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
            mirror: mirror_feed,
            mode: mode(&market, config.simulation.seed),
            engine_thread,
            components: supervisor.registry(),
            latest: tokio::sync::Mutex::default(),
        });
        let address = api.serve(&mut supervisor, &live, &data_dir)?;
        telegram::start(&mut supervisor, &live, &config, &environment, &data_dir)?;
        let desk_file = DeskFile::new(directory.storage, &data_dir);
        announce(&mut supervisor, desk_file.clone(), address);
        let manager = Arc::new(ServiceManager::at(
            environment.get("NOTIFY_SOCKET").map(String::as_str),
        ));
        let kill = live.kill.clone();
        let hung = move || end_hung(&kill);
        let watchdog = Watchdog::start(Arc::clone(&queues), Arc::clone(&manager), hung)
            .context("starting the watchdog")?;
        let component_watch = ComponentWatch::start(Watched {
            components: live.components.clone(),
            writer: Arc::clone(&live.writer),
            api: address,
            queues,
        });
        let component_watch = component_watch.context("starting the watch of components")?;
        manager.send("READY=1");
        Ok(Self {
            supervisor,
            live,
            desk_file,
            signals,
            on_exit: config.desk.on_exit,
            watchdog,
            component_watch,
            manager,
            runs: directory.runs,
            _lock: directory.lock,
        })
    }

    /// Waits for a signal, for the end of its running time, or until a component ends.
    pub(crate) async fn until_stopped(&mut self, run_for: Option<Duration>) -> Reason {
        let over = async {
            match run_for {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            signal = self.signals.next() => Reason::Requested(signal),
            () = over => Reason::Requested("its running time is over"),
            ended = self.supervisor.first_ended() => Reason::Ended(match ended.result {
                Ok(()) => anyhow::anyhow!("{} ended by itself", ended.name),
                Err(error) => error.context(format!("{} failed", ended.name)),
            }),
        }
    }

    /// Stops everything in reverse order and logs the open positions. A second signal ends the process at once.
    ///
    /// # Errors
    /// The reason, if it was a failure.
    pub(crate) async fn stop(mut self, reason: Reason) -> anyhow::Result<()> {
        if let Reason::Ended(_) = &reason {
            self.runs.note_failure();
        }
        self.manager.send("STOPPING=1");
        let stopping = match &reason {
            Reason::Requested(why) => *why,
            Reason::Ended(_) => "a component ended",
        };
        tracing::info!(reason = stopping, "The desk is shutting down.");
        end_at_second_signal();
        self.live.handle.queues().control(Input::Stopping);
        if self.on_exit == OnExit::Flatten {
            // The desk stops in good order whatever becomes of this.
            let closed = close_positions(&self.live.handle, &*self.live.clock).await;
            if let Err(error) = closed {
                tracing::error!(%error, "Positions are not closed before the stop.");
            }
        }
        if tokio::time::timeout(CANCEL_PATIENCE, entries_gone(&self.live.handle))
            .await
            .is_err()
        {
            tracing::warn!("Some entries are still open; the next start adopts them.");
        }
        let last = tokio::time::timeout(Duration::from_secs(2), self.live.handle.view()).await;
        if let Ok(Some(view)) = last {
            tracing::info!(
                "{}",
                shutdown_summary::text(&view, &self.live.configuration.get())
            );
        }
        drop((self.watchdog, self.component_watch));
        let late = self.supervisor.stop().await;
        if !late.is_empty() {
            tracing::warn!(
                ?late,
                "Some components did not stop in time and were aborted."
            );
        }
        self.desk_file.remove()?;
        match reason {
            Reason::Requested(_) => Ok(()),
            Reason::Ended(error) => Err(error),
        }
    }
}

/// Says what differs from the last start.
fn announce_build(build: &Build) {
    let (binary, configuration) = (&build.binary, &build.configuration);
    tracing::info!(
        binary,
        configuration,
        "This is what starts, by its SHA-256."
    );
    if !build.changed.is_empty() {
        let changed = build.changed.join(", ");
        tracing::warn!("Changed since the last start: {changed}");
    }
}

/// Writes where the desk is reached, again and again until the disk takes it: a desk whose disk is full runs all the same.
fn announce(supervisor: &mut Supervisor, file: DeskFile, address: std::net::SocketAddr) {
    let desk = RunningDesk {
        pid: std::process::id(),
        url: format!("http://{address}"),
    };
    let Err(error) = file.write(&desk) else {
        return;
    };
    tracing::warn!(%error, "desk.json cannot be written: commands find the desk by --url only until it is.");
    supervisor.keep("desk file", move |stop| {
        let (file, desk) = (file.clone(), desk.clone());
        async move {
            while file.write(&desk).is_err() {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(ANNOUNCE_AGAIN) => {}
                }
            }
            stop.cancelled().await;
            Ok(())
        }
    });
}

/// An error of reading the journal, with what a person can do about it.
fn with_cure(error: anyhow::Error) -> anyhow::Error {
    let cure = error.chain().find_map(|cause| cause.downcast_ref());
    match cure.map(JournalError::cure) {
        Some(cure) => error.context(format!("the journal cannot be read; {cure}")),
        None => error,
    }
}

/// The engine does not answer. `scripts/run` or a service manager starts it again; so it must stay if the next one would not be killed.
fn end_hung(kill: &KillSwitch) {
    if kill.is_in_memory_only() {
        tracing::error!(
            "The engine hangs, and the kill is not on disk: the process stays killed in memory. Do not restart it until kill.json is written."
        );
        return;
    }
    tracing::error!("The engine hangs; the process ends here and must be started again.");
    std::process::abort();
}

/// Hands a reading of an account to the engine. At the first start in a directory the database adds the fills that were
/// made before; later ones are announced. If the venue knows orders of later starts than this one, the folder was restored
/// from a backup: an epoch above theirs is durable before the engine takes the same.
fn take_over(is_new: bool, writer: Arc<Writer>, identity: Identity) -> TakeOver {
    let identity = Mutex::new((identity, BTreeSet::new()));
    Arc::new(move |snapshot| {
        let (identity, read) = &mut *identity.lock().unwrap_or_else(PoisonError::into_inner);
        raise_epoch(identity, read.insert(snapshot.account), &snapshot);
        let state = account_state(snapshot);
        if is_new && !writer.upsert_fills(&state.fills) {
            tracing::warn!("The database is too busy; the next start adds its missing fills.");
        }
        state
    })
}

/// Takes an epoch above those that the venue knows. Before the `first` reading of an account this start has placed nothing
/// there: its own epoch was used before, too.
fn raise_epoch(identity: &mut Identity, is_first: bool, snapshot: &AccountSnapshot) {
    let fills = snapshot.fills.iter().map(|fill| fill.client_id);
    let open = snapshot.open_orders.iter().map(|order| order.client_id);
    let own = fills.chain(open);
    let own = own.filter(|id| id.is_ours() && id.instance() == identity.instance);
    let (seen, epoch) = (own.map(ClientOrderId::epoch).max(), identity.epoch);
    let is_later = |seen: &u32| *seen > epoch || (is_first && *seen == epoch);
    let Some(seen) = seen.filter(is_later) else {
        return;
    };
    tracing::warn!(
        epoch,
        seen,
        "The venue knows orders of later starts: this folder was restored from a backup. Its orders get a later epoch."
    );
    if let Err(error) = identity.raise_epoch(seen) {
        // The engine is about to use that epoch.
        tracing::error!(%error, "The epoch cannot be written; the process ends here and must be started again.");
        std::process::abort();
    }
}

/// Serves the embedded exchange.
fn start_exchange(
    supervisor: &mut Supervisor,
    mut server: Server,
    control: Option<Control>,
) -> anyhow::Result<()> {
    if let Some(Control { address, token }) = control {
        server = server.with_control(ControlPort::bind(address, Some(token))?);
    }
    tracing::info!(address = %server.local_addr(), "The embedded exchange is listening.");
    supervisor.start("exchange", |stop| async move {
        server.run(stop).await.context("the embedded exchange")
    });
    Ok(())
}

/// Where prices come from.
enum Prices {
    /// From the embedded exchange itself.
    Embedded(MarketChoice),
    /// From the venue of this name, by way of the embedded exchange.
    Mirrored(String),
    /// From the venues of the accounts. There is no embedded exchange.
    Direct,
}

/// Where prices come from, and the clock that goes with it. A generated market runs at the given speed from now on, recorded
/// data from its own first moment. Each continues where an earlier run in the same directory stopped, whose journal ends at `last`.
fn prices_and_clock(
    market: &MarketSource,
    seed: u64,
    data_dir: &Path,
    last: Timestamp,
) -> anyhow::Result<(Prices, Arc<dyn Clock>)> {
    let on_real_prices = || Arc::new(BootClock::new(origin_after(last, Ppm::ONE)));
    let (prices, clock): (_, Arc<dyn Clock>) = match market {
        MarketSource::Generated { speed } => {
            let last = saved_position(data_dir)?.map_or(last, |saved| saved.max(last));
            let choice = MarketChoice::Generated { seed };
            let clock = clock_after(last, *speed);
            (Prices::Embedded(choice), Arc::new(clock))
        }
        MarketSource::Recorded { path, speed } => {
            let recording = Recording::open(path)?;
            for note in recording.notes() {
                tracing::info!("{note}");
            }
            let origin = saved_position(data_dir)?.unwrap_or_else(|| recording.starts_at());
            let choice = MarketChoice::Recorded(Box::new(recording));
            (
                Prices::Embedded(choice),
                Arc::new(DeskClock::new(origin.max(last), *speed)),
            )
        }
        MarketSource::Venue(name) => (Prices::Mirrored(name.clone()), on_real_prices()),
        MarketSource::Live(_) => (Prices::Direct, on_real_prices()),
    };
    Ok((prices, clock))
}

/// Resolves once no entry is open, or the engine has stopped.
async fn entries_gone(desk: &DeskHandle) {
    while let Some(view) = desk.view().await {
        let is_entry = |order: &OrderView| order.purpose == PositionEffect::Entry;
        if !view.orders.iter().any(is_entry) {
            return;
        }
        tokio::time::sleep(CANCEL_POLL).await;
    }
}
