//! The engine's task of a live desk: waits for inputs, and lets the driver turn over what waits. It runs on the
//! [`EngineThread`](crate::driver::EngineThread).
//!
//! What a turn does is [`tradewind_driver::Driver`]'s to say. Here are its surroundings: the queues to wait on, the
//! journal on disk, threads of strategies, times of the stages, and queries of the desk between two turns.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tradewind_driver::{Driver, Effect, Effects};
use tradewind_engine::Engine;
use tradewind_events::{CommandId, CommandResult, EvaluationRequest, Event, Input};
use tradewind_journal::Journal;
use tradewind_model::{BotId, Clock, EventId, Quote, Timestamp};
use tradewind_venues::{RealTime, sleep_or_never};

use crate::driver::desk_handle::DeskHandle;
use crate::driver::evaluation::EvaluationLanes;
use crate::driver::input_queues::{EngineQuery, Taken};
use crate::driver::journal_writer::JournalWriter;
use crate::driver::latency::{LatencyStages, Stage};
use crate::driver::stand_still::{self, StandStill};
use crate::driver::syncs::IntentSafety;

/// Time that queries may take of one turn; the first query of a turn runs whatever it takes.
const QUERY_BUDGET: Duration = Duration::from_micros(200);

/// Where a live desk's effects and announcements go. All return at once, whatever those behind them do.
pub trait Outbox: Send {
    /// Hands an effect to its account. What cannot be carried out is reported by an input.
    fn perform(&self, effect: Effect);

    /// A kill has closed what positions it could: no order may leave any more.
    fn end_flattening(&self);

    /// Announces events that are on disk, in order.
    fn publish(&self, events: &[Arc<Event>]);

    /// Whether somebody wants each instrument's latest quote.
    fn wants_quotes(&self) -> bool;

    /// Announces a quote to those who want every instrument's latest; not on disk.
    fn publish_quote(&self, id: EventId, at: Timestamp, quote: &Quote);
}

/// What the engine's thread works with.
pub struct DriverParts<O> {
    /// The engine, configured by its first inputs.
    pub engine: Engine,
    /// The desk's clock.
    pub clock: Arc<dyn Clock>,
    /// What it waits by.
    pub time: Arc<dyn RealTime>,
    /// Where inputs come from.
    pub handle: DeskHandle,
    /// Where they are written.
    pub journal: Journal,
    /// When an intent is durable, so that its order may leave.
    pub safety: IntentSafety,
    /// Strategies that run elsewhere.
    pub evaluations: EvaluationLanes,
    /// Where effects and events go.
    pub effects: O,
    /// Where times are counted.
    pub stages: LatencyStages,
}

impl<O> std::fmt::Debug for DriverParts<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverParts")
            .field("seq", &self.engine.seq())
            .finish_non_exhaustive()
    }
}

/// Runs the engine until the queues are closed.
///
/// Between two turns other tasks of the thread run: what a turn sent is written, what has arrived is read.
///
/// # Errors
/// The journal cannot be written: the desk must stop, since nothing may happen that is not on disk.
pub async fn run<O: Outbox>(parts: DriverParts<O>) -> anyhow::Result<Engine> {
    let queues = Arc::clone(parts.handle.queues());
    let time = parts.time;
    let (journal, safety) = (parts.journal, parts.safety);
    let journal = JournalWriter::new(journal, safety, Arc::clone(&queues), Arc::clone(&time))
        .context("starting the thread that syncs the journal")?;
    let effects = DeskEffects {
        outbox: parts.effects,
        handle: parts.handle,
        evaluations: parts.evaluations,
        stages: parts.stages,
        announced: Vec::new(),
        holding: journal.holding(),
        began: time.now(),
        time: Arc::clone(&time),
    };
    let mut driver = Driver::new(parts.engine, parts.clock, journal, effects);
    let (mut taken, mut still) = (Taken::default(), StandStill::default());
    loop {
        queues.take(&mut taken);
        if let Some(span) = still.take(driver.clock()) {
            tracing::warn!(
                seconds = span.as_secs(),
                "The process stood still, or the machine was suspended: accounts are read before anything is entered."
            );
            let accounts = driver.engine().configuration().accounts.len();
            let first = stand_still::inputs(accounts, span);
            first.for_each(|input| taken.batch.control.push_front(input));
        }
        driver
            .turn(&mut taken.batch)
            .context("writing the journal")?;
        answer_queries(&mut taken.queries, driver.engine(), &*time);
        if taken.closed && taken.is_empty() {
            let (engine, journal, effects) = driver.finish().context("writing the journal")?;
            journal.close().context("syncing the journal")?;
            effects.evaluations.stop();
            return Ok(engine);
        }
        let now = driver.clock().now();
        if !taken.is_empty() {
            still.wait_until(now, Some(now));
            tokio::task::yield_now().await;
            continue;
        }
        still.wait_until(now, driver.next_due());
        let due = driver.next_due().map(|due| driver.clock().real_until(due));
        let check = driver.journal().next_check();
        let due = due.into_iter().chain(check).min();
        tokio::select! {
            biased;
            () = queues.filled() => {}
            () = sleep_or_never(&*time, due) => {}
        }
    }
}

/// Answers queries, at least one, until [`QUERY_BUDGET`] is used up; the others wait for the next turn.
fn answer_queries(queries: &mut VecDeque<EngineQuery>, engine: &Engine, time: &dyn RealTime) {
    if queries.is_empty() {
        return;
    }
    let began = time.now();
    answer_within(queries, engine, || time.now() - began);
}

fn answer_within(
    queries: &mut VecDeque<EngineQuery>,
    engine: &Engine,
    mut used: impl FnMut() -> Duration,
) {
    while let Some(query) = queries.pop_front() {
        query(engine);
        if used() >= QUERY_BUDGET {
            return;
        }
    }
}

/// The driver's effects at the edges of a live desk.
struct DeskEffects<O> {
    outbox: O,
    handle: DeskHandle,
    evaluations: EvaluationLanes,
    stages: LatencyStages,
    /// Events since the last flush. Those of a time when the disk refuses the journal wait until they are on it.
    announced: Vec<Arc<Event>>,
    /// Whether the disk refuses the journal.
    holding: Arc<AtomicBool>,
    /// When the engine began with the current input.
    began: Duration,
    time: Arc<dyn RealTime>,
}

impl<O: Outbox> Effects for DeskEffects<O> {
    fn perform(&mut self, _now: Timestamp, effect: Effect) {
        self.outbox.perform(effect);
    }

    fn end_flattening(&mut self) {
        self.outbox.end_flattening();
    }

    fn publish(&mut self, event: &Event) {
        self.announced.push(Arc::new(event.clone()));
    }

    fn flush(&mut self) {
        if !self.announced.is_empty() && !self.holding.load(Ordering::Acquire) {
            self.outbox.publish(&self.announced);
            self.announced.clear();
        }
    }

    fn wants_quotes(&self) -> bool {
        self.outbox.wants_quotes()
    }

    fn publish_quote(&mut self, id: EventId, at: Timestamp, quote: &Quote) {
        self.outbox.publish_quote(id, at, quote);
    }

    fn reply(&mut self, id: CommandId, result: CommandResult) {
        self.handle.answer(id, &result);
    }

    fn evaluate(&mut self, request: Box<EvaluationRequest>) {
        self.evaluations.evaluate(request, self.handle.queues());
    }

    fn reset(&mut self, bot: BotId) {
        self.evaluations.reset(bot);
    }

    fn handling(&mut self, at: Timestamp, input: &Input) {
        if let Input::Quote(quote) = input {
            self.stages
                .record(Stage::Receive, at.since(quote.received_at));
        }
        self.began = self.time.now();
    }

    fn handled(&mut self) {
        let took = self.time.now().saturating_sub(self.began);
        self.stages.record(Stage::Engine, took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tradewind_engine::StrategySource;

    /// Queries of 90 µs each.
    #[test]
    fn a_turn_answers_queries_within_its_budget_and_one_at_least() {
        let answered = Arc::new(AtomicU32::new(0));
        let mut queries: VecDeque<EngineQuery> = VecDeque::new();
        for _ in 0..5 {
            let answered = Arc::clone(&answered);
            queries.push_back(Box::new(move |_| {
                answered.fetch_add(1, Ordering::Relaxed);
            }));
        }
        let engine = Engine::new(StrategySource::built_in());
        let each = |cost: u64| {
            let answered = Arc::clone(&answered);
            let before = answered.load(Ordering::Relaxed);
            move || {
                let count = answered.load(Ordering::Relaxed) - before;
                Duration::from_micros(cost) * count
            }
        };
        answer_within(&mut queries, &engine, each(90));
        assert_eq!((answered.load(Ordering::Relaxed), queries.len()), (3, 2));
        answer_within(&mut queries, &engine, each(5_000));
        assert_eq!(queries.len(), 1, "one at least");
        answer_within(&mut queries, &engine, each(90));
        assert_eq!((answered.load(Ordering::Relaxed), queries.len()), (5, 0));
    }
}
