//! The desk's parts, each with the function that starts it under the supervisor. Their order is `start`'s.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, mpsc, oneshot};
use tradewind_api::VenueBalances;
use tradewind_bus::{Bus, Class, EventLog, SubscriptionOptions, TypeSet};
use tradewind_events::{Configuration, Delivery, Event, EventType, Input, WakeRule};
use tradewind_journal::EventReader;
use tradewind_model::{Clock, EventId, Interval};
use tradewind_storage::Writer;
use tradewind_venues::binance::MarketSource as MarketFeed;
use tradewind_venues::{MarketSink, SourceSettings, Topic};

use crate::app::difference::Difference;
use crate::app::effects::LiveEffects;
use crate::app::executor::{EFFECTS_MAX, Executor};
use crate::app::order_ownership::OrderOwnership;
use crate::app::questions::Questions;
use crate::app::rules::Rules;
use crate::app::sending::Sending;
use crate::app::sinks::AccountToQueues;
use crate::app::supervisor::Supervisor;
use crate::app::venue::Venues;
use crate::driver::{DeskHandle, DriverParts, Effect, InputQueues, LatencyStages, run};

/// How often lost events of subscribers are looked for.
const OVERFLOWS_EVERY: Duration = Duration::from_millis(500);

pub(super) fn strategy_factory() -> crate::driver::evaluation::LaneFactory {
    Arc::new(|bot| tradewind_strategy::build(&bot.strategy, &bot.parameters, bot.instruments.len()))
}

/// What every account's executor works with.
pub(super) struct Shared {
    pub(super) queues: Arc<InputQueues>,
    pub(super) owners: Arc<OrderOwnership>,
    pub(super) configuration: Arc<Configuration>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) writer: Arc<Writer>,
    pub(super) stages: LatencyStages,
}

/// Each account's executor, its connection for orders and its venue's clock; effects go in through what is returned, by account.
pub(super) fn start_executors(
    supervisor: &mut Supervisor,
    venues: &Venues,
    shared: &Shared,
) -> Vec<mpsc::Sender<Effect>> {
    let mut senders = Vec::new();
    for (account, venue) in shared.configuration.accounts.iter().zip(&venues.accounts) {
        let (sender, receiver) = mpsc::channel(EFFECTS_MAX);
        let executor = Executor {
            account: account.id,
            venue: Arc::clone(venue),
            queues: Arc::clone(&shared.queues),
            owners: Arc::clone(&shared.owners),
            configuration: Arc::clone(&shared.configuration),
            clock: Arc::clone(&shared.clock),
            writer: Arc::clone(&shared.writer),
            stages: shared.stages.clone(),
            sending: Sending::default(),
            questions: Questions::default(),
        };
        supervisor.start("orders", |stop| executor.run(receiver, stop));
        let entry = Arc::clone(venue);
        supervisor.start("order entry", |stop| async move {
            entry.keep_order_entry(stop).await;
            Ok(())
        });
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
pub(super) fn start_engine(
    supervisor: &mut Supervisor,
    parts: DriverParts<LiveEffects>,
) -> anyhow::Result<()> {
    let queues = Arc::clone(parts.handle.queues());
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
                queues.close();
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

pub(super) fn start_market_data<S: MarketSink>(
    supervisor: &mut Supervisor,
    venues: &Venues,
    configuration: &Configuration,
    sink: &Arc<S>,
) {
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
            venue.market_sources(&topics(configuration, account.venue), sink, settings)
        {
            source.start();
            supervisor.start("market data", |stop| keep(source, stop));
        }
    }
}

/// Keeps a source that was started until it is told to stop.
pub(super) async fn keep<S: MarketSink>(
    mut source: MarketFeed<S>,
    stop: tokio_util::sync::CancellationToken,
) -> anyhow::Result<()> {
    stop.cancelled().await;
    source.stop().await;
    Ok(())
}

pub(super) fn start_account_streams(
    supervisor: &mut Supervisor,
    venues: &Venues,
    queues: &Arc<InputQueues>,
    resync: &Arc<Notify>,
) -> anyhow::Result<()> {
    let sink = Arc::new(AccountToQueues {
        queues: Arc::clone(queues),
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
pub(super) fn start_resync(supervisor: &mut Supervisor, resync: Arc<Notify>, desk: DeskHandle) {
    supervisor.start("resync", |stop| async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = resync.notified() => desk.queues().control(Input::Resync),
            }
        }
    });
}

pub(super) fn start_differences(
    supervisor: &mut Supervisor,
    venues: &Venues,
    desk: &DeskHandle,
    clock: &Arc<dyn Clock>,
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

/// The rules of each venue's instruments, read again when they may have changed.
pub(super) fn start_rules(
    supervisor: &mut Supervisor,
    venues: &Venues,
    bus: &Bus,
    queues: &Arc<InputQueues>,
) {
    for (account, venue) in (0..).map(tradewind_model::AccountId).zip(&venues.accounts) {
        let types = TypeSet::from_iter([EventType::OrderRejected]);
        let rules = Rules {
            account,
            venue: Arc::clone(venue),
            queues: Arc::clone(queues),
            rejections: bus.subscribe(SubscriptionOptions::new("rules", Class::Drop, types)),
        };
        supervisor.start("rules", |stop| rules.run(stop));
    }
}

/// Tells the engine of subscribers that began to lose events, so that it is announced.
pub(super) fn start_overflow_watch(
    supervisor: &mut Supervisor,
    bus: Bus,
    queues: Arc<InputQueues>,
) {
    supervisor.start("overflows", |stop| async move {
        let mut look = tokio::time::interval(OVERFLOWS_EVERY);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = look.tick() => {}
            }
            for overflow in bus.take_overflows() {
                let subscriber = overflow.subscriber.into_boxed_str();
                queues.control(Input::QueueOverflow {
                    subscriber,
                    dropped: overflow.dropped,
                });
            }
        }
    });
}

/// Nudges the database's writer whenever something was announced; it reads the log by itself.
pub(super) fn start_storage(supervisor: &mut Supervisor, bus: &Bus, writer: Arc<Writer>) {
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

/// The journal as the bus falls back on it.
#[derive(Debug)]
pub(super) struct JournalEvents(pub(super) EventReader);

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
