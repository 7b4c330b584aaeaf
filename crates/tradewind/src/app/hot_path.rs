//! What lies between a quote and an order, started under the supervisor. `start.rs` calls these functions in order.
//!
//! `hot` is the engine's thread, on which all of it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tradewind_events::{Configuration, WakeRule};
use tradewind_model::{AccountId, Clock, Interval};
use tradewind_storage::Writer;
use tradewind_venues::execution::{Executor, ExecutorSettings, Waits};
use tradewind_venues::{AccountSink, MarketSink, Source, SourceSettings, Topic};

use crate::app::effects::LiveEffects;
use crate::app::executor::{EFFECTS_MAX, ExecutorTask, Responses};
use crate::app::order_ownership::OrderOwnership;
use crate::app::sinks::AccountToQueues;
use crate::app::supervisor::Supervisor;
use crate::app::venue::Venues;
use crate::driver::{DriverParts, Effect, InputQueues, LatencyStages, run};

/// What every account's executor works with.
pub(super) struct Shared {
    pub(super) queues: Arc<InputQueues>,
    pub(super) ownership: Arc<OrderOwnership>,
    pub(super) configuration: Arc<Configuration>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) writer: Arc<Writer>,
    pub(super) stages: LatencyStages,
}

impl Shared {
    /// The executor of an account, which reads the fills of every instrument that has data.
    fn executor(&self, account: AccountId) -> Executor {
        let instruments = self.configuration.instruments.iter();
        let with_data = instruments.filter(|instrument| instrument.has_data());
        Executor::new(ExecutorSettings {
            account,
            rate: self.configuration.limits.account_order_rate,
            instruments: with_data.map(|instrument| instrument.id).collect(),
            waits: Waits::default().at_speed(self.clock.speed()),
        })
    }
}

/// Each account's executor, and what its venue keeps up; effects go in through what is returned, by account.
pub(super) fn start_executors(
    supervisor: &mut Supervisor,
    hot: &Handle,
    venues: &Venues,
    responses: Vec<Responses>,
    shared: &Shared,
) -> Vec<mpsc::Sender<Effect>> {
    let mut senders = Vec::new();
    let accounts = shared.configuration.accounts.iter();
    for ((account, venue), responses) in accounts.zip(&venues.accounts).zip(responses) {
        let (sender, effects) = mpsc::channel(EFFECTS_MAX);
        let task = ExecutorTask {
            account: account.id,
            executor: shared.executor(account.id),
            venue: Arc::clone(venue),
            queues: Arc::clone(&shared.queues),
            ownership: Arc::clone(&shared.ownership),
            clock: Arc::clone(&shared.clock),
            writer: Arc::clone(&shared.writer),
            stages: shared.stages.clone(),
            sent: BTreeMap::new(),
        };
        supervisor.start_on(hot, "orders", |stop| task.run(effects, responses, stop));
        let (orders, reads) = (Arc::clone(venue), Arc::clone(venue));
        supervisor.start_on(hot, "venue", |stop| async move {
            orders.maintain(stop).await;
            Ok(())
        });
        supervisor.start("venue reads", |stop| async move {
            reads.serve_reads(stop).await;
            Ok(())
        });
        senders.push(sender);
    }
    senders
}

/// Starts the engine. When it is to stop, it first handles what waits in its queues.
pub(super) fn start_engine(
    supervisor: &mut Supervisor,
    hot: &Handle,
    parts: DriverParts<LiveEffects>,
) {
    let queues = Arc::clone(parts.handle.queues());
    supervisor.start_on(hot, "engine", |stop| async move {
        let mut engine = pin!(run(parts));
        tokio::select! {
            biased;
            ended = &mut engine => ended.map(drop),
            () = stop.cancelled() => {
                queues.close();
                engine.await.map(drop)
            }
        }
    });
}

/// Quotes and trades of every instrument, and the candles that some bot uses.
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

pub(super) fn start_market_data(
    supervisor: &mut Supervisor,
    hot: &Handle,
    venues: &Venues,
    configuration: &Configuration,
    sink: &Arc<dyn MarketSink>,
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
        let topics = topics(configuration, account.venue);
        for source in venue.market_sources(&topics, sink, settings) {
            supervisor.start_on(hot, "market data", |stop| keep(source, stop));
        }
    }
}

/// Runs a source until `stop`.
pub(super) async fn keep(source: Box<dyn Source>, stop: CancellationToken) -> anyhow::Result<()> {
    source.run(stop).await;
    Ok(())
}

/// The streams of all accounts. What is returned sees which of them were live at least once.
pub(super) fn start_account_streams(
    supervisor: &mut Supervisor,
    hot: &Handle,
    venues: &Venues,
    configuration: &Configuration,
    queues: &Arc<InputQueues>,
) -> anyhow::Result<watch::Receiver<BTreeSet<AccountId>>> {
    let sink = AccountToQueues::new(Arc::clone(queues), &configuration.accounts);
    let proved = sink.proved();
    let sink: Arc<dyn AccountSink> = Arc::new(sink);
    for venue in &venues.accounts {
        let source = venue.account_source(&sink, SourceSettings::default())?;
        supervisor.start_on(hot, "account stream", |stop| keep(source, stop));
    }
    Ok(proved)
}
