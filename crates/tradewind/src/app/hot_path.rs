//! What lies between a quote and an order: executors, engine, market data and account streams, as tasks.
//!
//! [`HotPath`] makes the tasks. The caller's [`Tasks`] decide where they run: in `start.rs` on the engine's thread, in
//! a simulation on an executor of its own. None of them needs a runtime. What they wait for comes from the parts that
//! they are given: clock, time, venues, journal.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_events::{BotConfig, Configuration, Input, WakeRule};
use tradewind_model::{
    AccountId, AssetId, Clock, Instrument, InstrumentId, Interval, Timestamp, TradeId, VenueId,
};
use tradewind_venues::execution::{Executor, ExecutorSettings, TradeCursor, Waits};
use tradewind_venues::house::HouseSink;
use tradewind_venues::{
    AccountSink, Assets, MarketData, MarketSink, OrderGate, RealTime, RetryLimits, Source,
    SourceSettings, Topic, Venue, VenueError,
};

use crate::app::account_stream::keep_account;
use crate::app::desk_time::real;
use crate::app::executor::{AccountExecutor, ExecutorParts};
use crate::app::sinks::{AccountToQueues, MarketToQueues};
use crate::driver::{DriverParts, InputQueues, LatencyStages, Outbox, run};

pub use crate::app::account_state::account_state;
pub use crate::app::echoes::Echoes;
pub use crate::app::effects::LiveEffects;
pub use crate::app::executor::{Responses, TakeOver};
pub use crate::app::recovery::recover;

/// Where tasks run. Each ends soon after the token that it is given is cancelled.
pub trait Tasks {
    /// Starts a task on the engine's thread.
    fn start_hot<F>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static;

    /// Starts a task on the engine's thread that is made again when it ends by itself, where tasks are supervised.
    fn keep_hot<F, M>(&mut self, name: &'static str, make: M)
    where
        M: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.start_hot(name, make);
    }

    /// Starts a task that may take long, elsewhere; it is made again when it ends by itself, where tasks are supervised.
    fn keep_slow<F, M>(&mut self, name: &'static str, make: M)
    where
        M: FnMut(CancellationToken) -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.start_slow(name, make);
    }

    /// Starts a task that may take long, elsewhere.
    fn start_slow<F>(&mut self, name: &'static str, run: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static;
}

/// What the tasks work with.
pub struct HotPath {
    /// Where inputs wait for the engine.
    pub queues: Arc<InputQueues>,
    /// The desk's configuration.
    pub configuration: Arc<Configuration>,
    /// The desk's clock.
    pub clock: Arc<dyn Clock>,
    /// What tasks wait by.
    pub time: Arc<dyn RealTime>,
    /// What every order passes.
    pub gate: Arc<OrderGate>,
    /// What is made of a reading of an account.
    pub take_over: TakeOver,
    /// Orders that accounts' streams must report.
    pub echoes: Arc<Echoes>,
    /// How many readings may be repeated, by venue; where it has none, [`RetryLimits::default`].
    pub retries: BTreeMap<VenueId, RetryLimits>,
    /// Where times are counted.
    pub stages: LatencyStages,
}

impl std::fmt::Debug for HotPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HotPath(..)")
    }
}

/// Another number for each account, and for each start of each desk.
fn seed_of(account: AccountId, start: Timestamp) -> u64 {
    start.as_nanos().unsigned_abs() ^ u64::from(account.0).rotate_right(16)
}

impl HotPath {
    /// Journals each asset that the accounts turn out to have beyond the configuration, before anything uses its id, and hands it to
    /// `added`.
    pub fn follow_assets(
        &self,
        assets: &Assets,
        added: impl Fn(AssetId, &str) + Send + Sync + 'static,
    ) {
        let queues = Arc::clone(&self.queues);
        assets.follow(self.configuration.assets.clone(), move |asset, name| {
            let named = name.into();
            queues.control(Input::AssetAdded { asset, name: named });
            added(asset, name);
        });
    }

    /// Starts each account's executor, and what its venue keeps up. The effects of the driver go in through what is
    /// returned, by account.
    pub fn start_executors(
        &self,
        tasks: &mut impl Tasks,
        venues: &[Arc<dyn Venue>],
        responses: Vec<Responses>,
    ) -> Executors {
        self.start_executors_from(tasks, venues, responses, &|_, _| None)
    }

    /// As [`start_executors`](Self::start_executors), with the last trade of each account and instrument that is
    /// booked: earlier ones are not read again.
    pub fn start_executors_from(
        &self,
        tasks: &mut impl Tasks,
        venues: &[Arc<dyn Venue>],
        responses: Vec<Responses>,
        booked: &dyn Fn(AccountId, InstrumentId) -> Option<TradeId>,
    ) -> Executors {
        let mut executors = Vec::new();
        let accounts = self.configuration.accounts.iter();
        for ((account, venue), responses) in accounts.zip(venues).zip(responses) {
            let executor = Arc::new(AccountExecutor::new(
                self.executor(account.id, venue, booked),
            ));
            let answers = Arc::clone(&executor);
            tasks.start_hot("orders", |stop| async move {
                answers.run(responses, stop).await
            });
            let (orders, reads) = (Arc::clone(venue), Arc::clone(venue));
            tasks.start_hot("venue", |stop| async move {
                orders.maintain(stop).await;
                Ok(())
            });
            // What it had begun when it ended by itself has failed, and is requested again.
            tasks.keep_slow("venue reads", move |stop| {
                let reads = Arc::clone(&reads);
                async move {
                    reads.serve_reads(stop).await;
                    Ok(())
                }
            });
            executors.push(executor);
        }
        Executors {
            accounts: executors,
            gate: Arc::clone(&self.gate),
        }
    }

    /// The executor of an account, which reads the fills of every instrument of its venue that has data.
    fn executor(
        &self,
        account: AccountId,
        venue: &Arc<dyn Venue>,
        booked: &dyn Fn(AccountId, InstrumentId) -> Option<TradeId>,
    ) -> ExecutorParts {
        let accounts = &self.configuration.accounts;
        let there = accounts.get(account.index()).map(|account| account.venue);
        let instruments = self.configuration.instruments.iter();
        let with_data = instruments
            .filter(|instrument| instrument.has_data() && Some(instrument.venue) == there);
        let cursor = |instrument: &Instrument| TradeCursor {
            instrument: instrument.id,
            base: instrument.base,
            quote: instrument.quote,
            from: booked(account, instrument.id).unwrap_or_default(),
        };
        ExecutorParts {
            account,
            executor: Executor::new(ExecutorSettings {
                account,
                rate: self.configuration.limits.account_order_rate,
                instruments: with_data.map(cursor).collect(),
                waits: Waits::default().at_speed(self.clock.speed()),
                retries: there
                    .and_then(|venue| self.retries.get(&venue).copied())
                    .unwrap_or_default(),
                seed: seed_of(account, self.clock.now()),
            }),
            venue: Arc::clone(venue) as _,
            queues: Arc::clone(&self.queues),
            take_over: Arc::clone(&self.take_over),
            echoes: Arc::clone(&self.echoes),
            clock: Arc::clone(&self.clock),
            time: Arc::clone(&self.time),
            stages: self.stages.clone(),
        }
    }

    /// Starts the engine. When it is to stop, it first handles what waits in its queues. However it ends, no order
    /// leaves afterwards.
    pub fn start_engine<O: Outbox + 'static>(&self, tasks: &mut impl Tasks, parts: DriverParts<O>) {
        let queues = Arc::clone(&self.queues);
        let gate = ClosesGate(Arc::clone(&self.gate));
        tasks.start_hot("engine", |stop| async move {
            let _gate = gate;
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

    /// Where market data goes that is for the engine.
    #[must_use]
    pub fn market_sink(&self) -> Arc<dyn MarketSink> {
        Arc::new(MarketToQueues(Arc::clone(&self.queues)))
    }

    /// Takes what house sources yield into the queues.
    #[must_use]
    pub fn house_sink(&self) -> Arc<dyn HouseSink> {
        Arc::new(MarketToQueues(Arc::clone(&self.queues)))
    }

    /// Starts the market data of each venue, read through its first account.
    pub fn start_market_data(
        &self,
        tasks: &mut impl Tasks,
        venues: &[Arc<dyn Venue>],
        sink: &Arc<dyn MarketSink>,
    ) {
        let mut seen = Vec::new();
        for (account, venue) in self.configuration.accounts.iter().zip(venues) {
            if seen.contains(&account.venue) {
                continue;
            }
            seen.push(account.venue);
            let data: Arc<dyn MarketData> = Arc::clone(venue) as _;
            self.start_market_data_of(tasks, account.venue, &data, sink);
        }
    }

    /// Starts the market data of one venue: of each of its instruments that has data.
    pub fn start_market_data_of(
        &self,
        tasks: &mut impl Tasks,
        venue: VenueId,
        data: &Arc<dyn MarketData>,
        sink: &Arc<dyn MarketSink>,
    ) {
        let settings = SourceSettings {
            stale_after: real(self.configuration.stale_after, self.clock.speed()),
            ..SourceSettings::default()
        };
        let topics = topics(&self.configuration, venue);
        let first = data.market_sources(&topics, sink, settings);
        for (index, source) in first.into_iter().enumerate() {
            let mut source = Some(source);
            let (data, sink, topics) = (Arc::clone(data), Arc::clone(sink), topics.clone());
            tasks.keep_hot("market data", move |stop| {
                let again = || data.market_sources(&topics, &sink, settings);
                let next = source.take().or_else(|| again().into_iter().nth(index));
                keep_if_any(next, stop)
            });
        }
    }

    /// Starts the market data of one venue once its instruments are in use, as `is_used` shows.
    pub(super) fn start_market_data_after(
        &self,
        tasks: &mut impl Tasks,
        is_used: &watch::Sender<bool>,
        (venue, data): (VenueId, &Arc<dyn MarketData>),
        sink: &Arc<dyn MarketSink>,
    ) {
        let settings = SourceSettings {
            stale_after: real(self.configuration.stale_after, self.clock.speed()),
            ..SourceSettings::default()
        };
        let topics = topics(&self.configuration, venue);
        let (data, sink, is_used) = (Arc::clone(data), Arc::clone(sink), is_used.clone());
        tasks.keep_hot("market data", move |stop| {
            let (data, sink, topics) = (Arc::clone(&data), Arc::clone(&sink), topics.clone());
            let mut is_used = is_used.subscribe();
            async move {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok(()),
                    used = is_used.wait_for(|used| *used) => drop(used?),
                }
                let mut sources = JoinSet::new();
                for source in data.market_sources(&topics, &sink, settings) {
                    sources.spawn(keep(source, stop.clone()));
                }
                // All of them are made again with the first that ends.
                match sources.join_next().await {
                    Some(ended) if stop.is_cancelled() => ended?,
                    Some(ended) => ended?.and_then(|()| anyhow::bail!("a source ended by itself")),
                    None => keep_if_any(None, stop).await,
                }
            }
        });
    }

    /// Starts the streams of all accounts. What is returned sees which of them were live at least once.
    ///
    /// # Errors
    /// An account has no key.
    pub fn start_account_streams(
        &self,
        tasks: &mut impl Tasks,
        venues: &[Arc<dyn Venue>],
    ) -> Result<watch::Receiver<BTreeSet<AccountId>>, VenueError> {
        let (queues, echoes) = (Arc::clone(&self.queues), Arc::clone(&self.echoes));
        let to_queues = AccountToQueues::new(queues, &self.configuration.accounts, echoes);
        let proved = to_queues.proved();
        let to_queues = Arc::new(to_queues);
        let sink: Arc<dyn AccountSink> = Arc::clone(&to_queues) as _;
        for (account, venue) in self.configuration.accounts.iter().zip(venues) {
            let account = account.id;
            let mut source = Some(venue.account_source(&sink, SourceSettings::default())?);
            let (venue, sink) = (Arc::clone(venue), Arc::clone(&sink));
            let (to_queues, time) = (Arc::clone(&to_queues), Arc::clone(&self.time));
            tasks.keep_hot("account stream", move |stop| {
                let (venue, sink) = (Arc::clone(&venue), Arc::clone(&sink));
                let to_sink = Arc::clone(&sink);
                let again = move || {
                    venue
                        .account_source(&to_sink, SourceSettings::default())
                        .ok()
                };
                let first = source.take().or_else(&again);
                let (to_queues, time) = (Arc::clone(&to_queues), Arc::clone(&time));
                let doubted = move || {
                    let (to_queues, time) = (Arc::clone(&to_queues), Arc::clone(&time));
                    async move { to_queues.missed(account, &*time).await }
                };
                keep_account((first, again), doubted, (account, sink), stop)
            });
        }
        Ok(proved)
    }
}

/// All accounts' executors, in the order of the accounts' ids, and the gate that their orders pass.
#[derive(Clone, Debug)]
pub struct Executors {
    pub(super) accounts: Vec<Arc<AccountExecutor>>,
    pub(super) gate: Arc<OrderGate>,
}

/// Closes the gate when the engine ends, by a panic, too.
struct ClosesGate(Arc<OrderGate>);

impl Drop for ClosesGate {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Quotes, trades and the top of the book of every instrument, and the candles that some bot uses.
fn topics(configuration: &Configuration, venue: VenueId) -> Vec<Topic> {
    let here = configuration
        .instruments
        .iter()
        .filter(|instrument| instrument.venue == venue && instrument.has_data());
    let mut topics = Vec::new();
    for instrument in here {
        topics.extend([
            Topic::Quotes(instrument.id),
            Topic::Trades(instrument.id),
            Topic::Depth(instrument.id),
        ]);
        let bots = configuration.bots.iter();
        let used = bots.flat_map(|bot| intervals(bot, instrument.id));
        let mut intervals: Vec<Interval> = used.collect();
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

/// The candles of an instrument that a bot uses: those that wake it, and what its strategy reads besides.
pub(super) fn intervals(bot: &BotConfig, instrument: InstrumentId) -> Vec<Interval> {
    if bot.instruments.contains(&instrument) {
        let woken = bot.wakes.iter().filter_map(|wake| match wake {
            WakeRule::Candles(interval) => Some(*interval),
            WakeRule::Quotes | WakeRule::Every(_) | WakeRule::EveryAt { .. } => None,
        });
        return woken.collect();
    }
    if !bot.reads.contains(&instrument) {
        return Vec::new();
    }
    // One that cannot be built is announced when its bot is to start.
    let strategy = tradewind_rules::build(&bot.strategy, &bot.parameters, bot.instruments.len());
    let used = strategy.map(|strategy| strategy.reads().candles);
    let used = used.unwrap_or_default().into_iter();
    used.map(|warm_up| warm_up.interval).collect()
}

/// Runs a source until `stop`.
///
/// # Errors
/// There is none.
pub(super) async fn keep_if_any(
    source: Option<Box<dyn Source>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    match source {
        Some(source) => keep(source, stop).await,
        None => anyhow::bail!("the venue has no such source any more"),
    }
}

/// Runs a source until `stop`.
pub(super) async fn keep(source: Box<dyn Source>, stop: CancellationToken) -> anyhow::Result<()> {
    source.run(stop).await;
    Ok(())
}
