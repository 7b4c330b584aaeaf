//! What lies between a quote and an order: executors, engine, market data and account streams, as tasks.
//!
//! [`HotPath`] makes the tasks. The caller's [`Tasks`] decide where they run: in `start.rs` on the engine's thread, in a
//! simulation on an executor of its own. None of them needs a runtime. What they wait for comes from the parts that they
//! are given: clock, time, venues, journal.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_events::{BotConfig, Configuration, WakeRule};
use tradewind_model::{AccountId, Clock, Instrument, InstrumentId, Interval, TradeId, VenueId};
use tradewind_venues::execution::{Executor, ExecutorSettings, TradeCursor, Waits};
use tradewind_venues::{
    AccountSink, MarketSink, OrderGate, RealTime, Source, SourceSettings, Topic, Venue, VenueError,
};

use crate::app::desk_time::real;
use crate::app::executor::{AccountExecutor, ExecutorParts};
use crate::app::sinks::{AccountToQueues, MarketToQueues};
use crate::driver::{DriverParts, InputQueues, LatencyStages, Outbox, run};

pub use crate::app::account_state::account_state;
pub use crate::app::echoes::Echoes;
pub use crate::app::effects::LiveEffects;
pub use crate::app::executor::{Responses, TakeOver};
pub use crate::app::recovery::recover;

/// Between two connections that are made because a stream withholds something, and before the first of a start.
const RENEWED_APART: Duration = Duration::from_secs(10);

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
    /// Where times are counted.
    pub stages: LatencyStages,
}

impl std::fmt::Debug for HotPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HotPath(..)")
    }
}

impl HotPath {
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

    /// As [`start_executors`](Self::start_executors), with the last trade of each account and instrument that is booked:
    /// earlier ones are not read again.
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
            tasks.start_slow("venue reads", |stop| async move {
                reads.serve_reads(stop).await;
                Ok(())
            });
            executors.push(executor);
        }
        Executors {
            accounts: executors,
            gate: Arc::clone(&self.gate),
        }
    }

    /// The executor of an account, which reads the fills of every instrument that has data.
    fn executor(
        &self,
        account: AccountId,
        venue: &Arc<dyn Venue>,
        booked: &dyn Fn(AccountId, InstrumentId) -> Option<TradeId>,
    ) -> ExecutorParts {
        let instruments = self.configuration.instruments.iter();
        let with_data = instruments.filter(|instrument| instrument.has_data());
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

    /// Starts the engine. When it is to stop, it first handles what waits in its queues. However it ends, no order leaves
    /// afterwards.
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

    /// Starts the market data of each venue, read through its first account.
    pub fn start_market_data(
        &self,
        tasks: &mut impl Tasks,
        venues: &[Arc<dyn Venue>],
        sink: &Arc<dyn MarketSink>,
    ) {
        let settings = SourceSettings {
            stale_after: real(self.configuration.stale_after, self.clock.speed()),
            ..SourceSettings::default()
        };
        let mut seen = Vec::new();
        for (account, venue) in self.configuration.accounts.iter().zip(venues) {
            if seen.contains(&account.venue) {
                continue;
            }
            seen.push(account.venue);
            let topics = topics(&self.configuration, account.venue);
            let first = venue.market_sources(&topics, sink, settings);
            for (index, source) in first.into_iter().enumerate() {
                let mut source = Some(source);
                let (venue, sink, topics) = (Arc::clone(venue), Arc::clone(sink), topics.clone());
                tasks.keep_hot("market data", move |stop| {
                    let again = || venue.market_sources(&topics, &sink, settings);
                    let next = source.take().or_else(|| again().into_iter().nth(index));
                    keep_if_any(next, stop)
                });
            }
        }
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
                let doubts = Doubts {
                    account,
                    to_queues: Arc::clone(&to_queues),
                    time: Arc::clone(&time),
                };
                keep_account(first, again, doubts, sink, stop)
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

fn intervals(bot: &BotConfig) -> impl Iterator<Item = Interval> + '_ {
    bot.wakes.iter().filter_map(|wake| match wake {
        WakeRule::Candles(interval) => Some(*interval),
        WakeRule::Quotes | WakeRule::Every(_) => None,
    })
}

/// Runs a source until `stop`.
///
/// # Errors
/// There is none.
async fn keep_if_any(
    source: Option<Box<dyn Source>>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    match source {
        Some(source) => keep(source, stop).await,
        None => anyhow::bail!("the venue has no such source any more"),
    }
}

/// Runs an account's source until `stop`. If it ends before, the stream is down, or it would count as live until the next
/// one is.
///
/// # Errors
/// There is no source.
async fn keep_account(
    source: Option<Box<dyn Source>>,
    again: impl Fn() -> Option<Box<dyn Source>>,
    doubts: Doubts,
    sink: Arc<dyn AccountSink>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let account = doubts.account;
    let down = DownByPanic { account, sink };
    let mut source = source;
    let ended = loop {
        let one = stop.child_token();
        let mut kept = pin!(keep_if_any(source, one.clone()));
        tokio::select! {
            biased;
            ended = &mut kept => break ended,
            () = doubts.arise() => {}
        }
        // It may be dead on one of its two ways: its own word for being up is not taken. Another one is.
        one.cancel();
        if kept.await.is_err() || stop.is_cancelled() {
            break Ok(());
        }
        source = again();
    };
    if !stop.is_cancelled() {
        down.sink.down(account, "its task ended by itself");
    }
    ended
}

/// When an account's stream does not report what it must.
struct Doubts {
    account: AccountId,
    to_queues: Arc<AccountToQueues>,
    time: Arc<dyn RealTime>,
}

impl Doubts {
    /// Resolves when the stream is to be connected anew; it is reported as unsure by then. Not within [`RENEWED_APART`] of the last
    /// time: a venue whose reports are late is not called all the time.
    async fn arise(&self) {
        self.time.sleep(RENEWED_APART).await;
        self.to_queues.missed(self.account, &*self.time).await;
    }
}

/// Reports a stream as down when its task panics.
struct DownByPanic {
    account: AccountId,
    sink: Arc<dyn AccountSink>,
}

impl Drop for DownByPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.sink.down(self.account, "its task panicked");
        }
    }
}

/// Runs a source until `stop`.
pub(super) async fn keep(source: Box<dyn Source>, stop: CancellationToken) -> anyhow::Result<()> {
    source.run(stop).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tokio::task::JoinSet;
    use tradewind_model::{Amount, AssetId, ExecutionReport, Timestamp};
    use tradewind_venues::{AssetBalance, Pending};

    #[derive(Default)]
    struct Downs(Mutex<Vec<(AccountId, String)>>);

    impl AccountSink for Downs {
        fn report(&self, _: ExecutionReport) {}
        fn balances(&self, _: AccountId, _: &[AssetBalance], _: Timestamp) {}
        fn transfer(&self, _: AccountId, _: AssetId, _: Amount, _: Timestamp) {}
        fn resync(&self, _: AccountId) {}

        fn down(&self, account: AccountId, reason: &str) {
            self.0.lock().unwrap().push((account, reason.to_owned()));
        }
    }

    struct Ends {
        by_panic: bool,
    }

    impl Source for Ends {
        fn run(self: Box<Self>, _: CancellationToken) -> Pending<'static, ()> {
            Box::pin(async move { assert!(!self.by_panic, "a mistake") })
        }
    }

    /// P04: the account must not count as live until the source is made again.
    #[tokio::test]
    async fn an_account_stream_whose_task_ends_is_down() {
        let check = async |by_panic: bool, is_stopped: bool, wanted: &[&str]| {
            let downs = Arc::new(Downs::default());
            let stop = CancellationToken::new();
            if is_stopped {
                stop.cancel();
            }
            let source: Box<dyn Source> = Box::new(Ends { by_panic });
            let sink = Arc::clone(&downs) as Arc<dyn AccountSink>;
            let mut tasks = JoinSet::new();
            tasks.spawn(keep_account(Some(source), AccountId(3), sink, stop));
            assert_eq!(tasks.join_next().await.unwrap().is_err(), by_panic);
            let downs = downs.0.lock().unwrap().clone();
            let wanted = wanted
                .iter()
                .map(|reason| (AccountId(3), (*reason).to_owned()));
            assert_eq!(downs, wanted.collect::<Vec<_>>());
        };
        check(true, false, &["its task panicked"]).await;
        check(false, false, &["its task ended by itself"]).await;
        check(false, true, &[]).await;
    }
}
