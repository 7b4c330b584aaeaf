//! One desk, from its directory to its last word.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::signal::unix::{SignalKind, signal};
use tradewind_bus::{Bus, EventLog};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{Configuration, Input, OrderView, Started};
use tradewind_journal::{DeskFile, DirectoryLock, Identity, Reader, RunningDesk};
use tradewind_model::{Clock, DeskClock};
use tradewind_risk::PositionEffect;
use tradewind_simx_server::{ControlPort, MarketChoice, Recording, saved_position};
use tradewind_storage::{Readers, Writer, WriterOptions};
use tradewind_venues::{MarketSink, RealTime, TokioTime};

use crate::app::api_server::ApiServer;
use crate::app::data_dir::DataDir;
use crate::app::desk::{LiveDesk, mode};
use crate::app::hot_path::{HotPath, LiveEffects, OrderOwnership, TakeOver};
use crate::app::kill_switch::KillSwitch;
use crate::app::logs::Logs;
use crate::app::mirror::Mirror;
use crate::app::parts::{
    JournalEvents, start_differences, start_overflow_watch, start_rules, start_storage,
    strategy_factory,
};
use crate::app::shutdown_summary;
use crate::app::supervisor::Supervisor;
use crate::app::telegram;
use crate::app::venue::{Embedded, Venues};
use crate::cli::{Control, MarketSource, RunOptions};
use crate::config::{AbsentInstruments, AccountSettings, AccountSource, DeskConfig, Durability};
use crate::driver::{
    DeskHandle, DriverParts, EngineThread, EvaluationLanes, InputQueues, LatencyStages,
};

/// Longest wait for the account streams before the desk starts without them.
const STREAM_PATIENCE: Duration = Duration::from_secs(10);

/// Longest wait for cancelled entries before the desk stops without them.
const CANCEL_PATIENCE: Duration = Duration::from_secs(3);
/// How often open entries are checked.
const CANCEL_POLL: Duration = Duration::from_millis(50);

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
            fault_config,
            control,
            ..
        } = options;
        refuse_real_orders(&config, &market)?;
        let (prices, clock) = prices_and_clock(&market, config.simulation.seed, &data_dir)?;
        let directory = DataDir::open(&data_dir, &*clock)?;
        let api = ApiServer::bind(&config)?;
        let (choice, mirror) = match prices {
            Prices::Embedded(choice) => (choice, None),
            Prices::Mirrored(venue) => {
                let mirrored = Mirror::connect(&config, &venue, &directory.latch, &clock).await;
                let (mirror, choice) = mirrored?;
                (choice, Some(mirror))
            }
        };
        let mut supervisor = Supervisor::default();

        let (embedded, server) = Embedded::bind(&config, &data_dir, choice, &clock)?;
        let mut server = server.with_conduct(fault_config);
        if let Some(Control { address, token }) = control {
            server = server.with_control(ControlPort::bind(address, Some(token))?);
        }
        tracing::info!(address = %server.local_addr(), "The embedded exchange is listening.");
        supervisor.start("exchange", |stop| async move {
            server.run(stop).await.context("the embedded exchange")
        });

        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let (venues, responses) = Venues::connect(
            &config,
            Some(&embedded),
            &directory.latch,
            &clock,
            &environment,
        )
        .await?;
        let absent = match market {
            MarketSource::Recorded { .. } => AbsentInstruments::NoData,
            _ => AbsentInstruments::Refuse,
        };
        let configuration =
            Arc::new(config.resolve(&venues.listed, venues.assets.snapshot(), absent)?);
        venues.take_into_use(&configuration)?;

        let now = clock.now();
        let ownership = OrderOwnership::read(
            Arc::clone(&directory.storage),
            &directory.journal_dir,
            &configuration,
        )?;
        let (journal, recovery) = directory.open_journal(now)?;
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
        let stages = LatencyStages::default();
        let time: Arc<dyn RealTime> = Arc::new(TokioTime::default());
        let path = HotPath {
            queues: Arc::clone(&queues),
            configuration: Arc::clone(&configuration),
            clock: Arc::clone(&clock),
            time: Arc::clone(&time),
            take_over: take_over(ownership, Arc::clone(&writer)),
            stages: stages.clone(),
        };
        let thread =
            EngineThread::start(config.engine.wait).context("starting the engine's thread")?;
        let hot = thread.handle().clone();
        supervisor.start("engine thread", |stop| thread.keep(stop));
        let executors = path.start_executors(&mut supervisor.on(&hot), &venues.accounts, responses);
        let factory = strategy_factory();
        let evaluations = EvaluationLanes::start(&configuration, &factory, &queues)
            .context("starting thread lanes")?;
        let parts = DriverParts {
            engine: Engine::after(
                StrategySource::new(move |bot| factory(bot)),
                recovery.last_seq,
            ),
            clock: Arc::clone(&clock),
            time,
            handle: handle.clone(),
            journal,
            power_safe: config.desk.durability == Durability::Power,
            evaluations,
            effects: LiveEffects::new(executors, &configuration, bus.clone()),
            stages: stages.clone(),
        };
        path.start_engine(&mut supervisor.on(&hot), parts);
        queues.control(Input::Configured(Box::new(Configuration::clone(
            &configuration,
        ))));

        let mirror_feed = mirror.as_ref().map(Mirror::feed);
        let sink: Arc<dyn MarketSink> = match mirror {
            None => path.market_sink(),
            Some(mirror) => mirror.start(&mut supervisor, &queues, configuration.stale_after),
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
        let Identity {
            instance, epoch, ..
        } = directory.identity;
        queues.control(Input::Started(Started {
            instance,
            epoch,
            killed: directory.latch.is_set(),
        }));
        start_rules(&mut supervisor, &venues, &bus, &queues);

        let differences = start_differences(&mut supervisor, &venues, &handle, &clock);
        let kill = KillSwitch {
            gate: Arc::clone(&venues.gate),
            latch: Arc::clone(&directory.latch),
            file: Arc::clone(&directory.latch_file),
            desk: handle.clone(),
            clock: Arc::clone(&clock),
            history: Arc::default(),
            tasks: tokio_util::task::TaskTracker::new(),
        };
        let watch = kill.clone();
        supervisor.start("kill file", |stop| watch.watch(stop));
        start_overflow_watch(&mut supervisor, bus.clone(), Arc::clone(&queues));
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
            mirror: mirror_feed,
            mode: mode(&market, config.simulation.seed),
            latest: tokio::sync::Mutex::default(),
        });
        let address = api.serve(&mut supervisor, &live, &data_dir)?;
        telegram::start(&mut supervisor, &live, &config, &environment, &data_dir)?;
        let desk_file = DeskFile::new(directory.storage, &data_dir);
        let url = format!("http://{address}");
        desk_file.write(&RunningDesk {
            pid: std::process::id(),
            url,
        })?;
        Ok(Self {
            supervisor,
            live,
            desk_file,
            _lock: directory.lock,
        })
    }

    /// Waits for a signal, for the end of its running time, or until a component ends.
    pub(crate) async fn until_stopped(&mut self, run_for: Option<Duration>) -> Reason {
        let (Ok(mut terminate), Ok(mut interrupt)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) else {
            return Reason::Ended(anyhow::anyhow!("cannot listen for signals"));
        };
        let over = async {
            match run_for {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => Reason::Requested("SIGTERM"),
            _ = interrupt.recv() => Reason::Requested("interrupt"),
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
    pub(crate) async fn stop(self, reason: Reason) -> anyhow::Result<()> {
        let stopping = match &reason {
            Reason::Requested(why) => *why,
            Reason::Ended(_) => "a component ended",
        };
        tracing::info!(reason = stopping, "The desk is shutting down.");
        end_at_second_signal();
        self.live.handle.queues().control(Input::Stopping);
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
                shutdown_summary::text(&view, &self.live.configuration)
            );
        }
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

/// Each order of an account that was read goes to the bot it was for. The database adds fills that were made while the
/// desk was down.
fn take_over(ownership: OrderOwnership, writer: Arc<Writer>) -> TakeOver {
    Arc::new(move |snapshot| {
        let state = ownership.attribute(snapshot);
        if !writer.upsert_fills(&state.fills) {
            tracing::warn!("The database is too busy; the next start adds its missing fills.");
        }
        state
    })
}

/// Refuses a live account without `--live`: its orders would be real.
fn refuse_real_orders(config: &DeskConfig, market: &MarketSource) -> anyhow::Result<()> {
    let is_live = |account: &&AccountSettings| matches!(account.mode, AccountSource::Live { .. });
    match config.accounts.iter().find(is_live) {
        Some(account) if !matches!(market, MarketSource::Live(_)) => bail!(
            "account {} is live: its orders would be real, and only `run --venue {} --live` may send them; \
             set its mode to \"paper\"",
            account.name,
            account.venue
        ),
        _ => Ok(()),
    }
}

/// Where prices come from.
enum Prices {
    /// From the embedded exchange itself.
    Embedded(MarketChoice),
    /// From the venue of this name.
    Mirrored(String),
}

/// Where prices come from, and the clock that goes with it: recorded data begins at its own first moment, or where an
/// earlier run in the same directory stopped, and plays at the given speed.
fn prices_and_clock(
    market: &MarketSource,
    seed: u64,
    data_dir: &Path,
) -> anyhow::Result<(Prices, Arc<dyn Clock>)> {
    match market {
        MarketSource::Generated => {
            let choice = MarketChoice::Generated { seed };
            Ok((Prices::Embedded(choice), Arc::new(DeskClock::system())))
        }
        MarketSource::Recorded { path, speed } => {
            let recording = Recording::open(path)?;
            for note in recording.notes() {
                tracing::info!("{note}");
            }
            let origin = saved_position(data_dir)?.unwrap_or_else(|| recording.starts_at());
            let clock = Arc::new(DeskClock::new(origin, *speed));
            let choice = MarketChoice::Recorded(Box::new(recording));
            Ok((Prices::Embedded(choice), clock))
        }
        MarketSource::Venue(name) => Ok((
            Prices::Mirrored(name.clone()),
            Arc::new(DeskClock::system()),
        )),
        MarketSource::Live(name) => {
            bail!(
                "trading on {name} is not implemented yet; run without --live for paper on its prices"
            )
        }
    }
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

/// From now on a second signal ends the process at once. The files are enough to start again.
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
