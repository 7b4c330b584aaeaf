//! The engine's thread: takes inputs from the queues, journals them, handles them, and carries out what comes of it.
//!
//! One turn: take everything that waits; number, journal and handle it, control first; write the journal; only then
//! send orders and announce events. So what is announced is on disk, and no order leaves before its intent is. Trades
//! are handled in slices, each written before the next, so that a report never waits behind all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;
use tradewind_driver::Timers;
use tradewind_engine::Engine;
use tradewind_events::{
    Command, CommandId, CommandResult, DeskView, Event, EventKind, Input, Output, Outputs,
};
use tradewind_journal::{Journal, JournalError};
use tradewind_model::{
    AccountId, ClientOrderId, Clock, EventId, ExecutionReport, InstrumentId, Interval,
    NotSentReason, Quote, ReportKind, Timestamp, VenueOrderId,
};
use tradewind_risk::ApprovedOrder;

use crate::driver::disk::DiskWatch;
use crate::driver::evaluation::EvaluationLanes;
use crate::driver::input_queues::{Batch, InputQueues};
use crate::driver::latency::{LatencyStages, Stage};

/// Something for an edge to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Send an order whose intent is on disk.
    Submit(ApprovedOrder),
    /// Cancel an order.
    Cancel {
        /// On which account.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
        /// The venue's, once known.
        venue_order_id: Option<VenueOrderId>,
    },
    /// Ask what became of an order.
    Query {
        /// On which account.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
        /// Our id.
        client_id: ClientOrderId,
    },
    /// Read an account.
    Reconcile(AccountId),
    /// Read past candles.
    Candles {
        /// Of what.
        instrument: InstrumentId,
        /// Which.
        interval: Interval,
        /// How many closed ones.
        count: u32,
    },
}

/// Where effects and events go. Both return at once, whatever those behind them do.
pub trait Effects: Send {
    /// Hands an effect to its edge; returns it if the edge's queue is full.
    ///
    /// # Errors
    /// The effect, which was not taken.
    fn perform(&self, effect: Effect) -> Result<(), Effect>;

    /// Announces events that are on disk, in order.
    fn publish(&self, events: &[Arc<Event>]);

    /// Announces a quote to those who want every instrument's latest; not on disk.
    fn publish_quote(&self, id: EventId, at: Timestamp, quote: &Quote);
}

/// Trades handled before the journal is written and control is looked at again.
const TRADES_SLICE: usize = 256;

/// Commands whose answer somebody waits for: several may, since a command may be given again before it is answered.
type Replies = Arc<Mutex<BTreeMap<CommandId, Vec<oneshot::Sender<CommandResult>>>>>;

/// How the rest of the desk talks to the engine's thread.
#[derive(Clone, Debug)]
pub struct DeskHandle {
    queues: Arc<InputQueues>,
    replies: Replies,
}

impl DeskHandle {
    /// A handle on these queues.
    #[must_use]
    pub fn new(queues: Arc<InputQueues>) -> Self {
        Self {
            queues,
            replies: Replies::default(),
        }
    }

    /// The queues themselves.
    #[must_use]
    pub const fn queues(&self) -> &Arc<InputQueues> {
        &self.queues
    }

    /// Gives a command and waits for the engine's answer; `None` if the engine has gone.
    pub async fn command(&self, command: Command) -> Option<CommandResult> {
        self.give(command).await.ok()
    }

    /// Gives a command at once; the engine's answer comes through what is returned.
    pub(crate) fn give(&self, command: Command) -> oneshot::Receiver<CommandResult> {
        let (sender, receiver) = oneshot::channel();
        self.waiting().entry(command.id).or_default().push(sender);
        self.queues.control(Input::Command(Box::new(command)));
        receiver
    }

    /// Answers everybody who waits for a command.
    pub(crate) fn answer(&self, id: CommandId, result: &CommandResult) {
        for reply in self.waiting().remove(&id).unwrap_or_default() {
            // Whoever asked may have given up meanwhile; the command is done all the same.
            drop(reply.send(result.clone()));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<CommandId, Vec<oneshot::Sender<CommandResult>>>> {
        // Nothing that runs under the lock can leave it half changed.
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The desk as of now; `None` if the engine has gone.
    pub async fn view(&self) -> Option<DeskView> {
        self.look(Engine::view).await
    }

    /// What `look` sees in the engine between two inputs; `None` if the engine has gone.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.queues.look(Box::new(move |engine| {
            // Whoever asked may have given up meanwhile.
            drop(sender.send(look(engine)));
        }));
        receiver.await.ok()
    }
}

/// What the engine's thread works with.
pub struct DriverParts<E> {
    /// The engine, configured by its first inputs.
    pub engine: Engine,
    /// The desk's clock.
    pub clock: Arc<dyn Clock>,
    /// Where inputs come from.
    pub handle: DeskHandle,
    /// Where they are written.
    pub journal: Journal,
    /// Whether an intent is synced before its order leaves, or only written.
    pub power_safe: bool,
    /// Strategies that run elsewhere.
    pub evaluations: EvaluationLanes,
    /// Where effects and events go.
    pub effects: E,
    /// Where times are counted.
    pub stages: LatencyStages,
}

impl<E> std::fmt::Debug for DriverParts<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverParts")
            .field("seq", &self.engine.seq())
            .finish_non_exhaustive()
    }
}

/// Runs the engine until the queues are closed.
///
/// # Errors
/// The journal cannot be written: the desk must stop, since nothing may happen that is not on disk.
pub fn run<E: Effects>(parts: DriverParts<E>) -> Result<Engine, JournalError> {
    let mut driver = Driver {
        parts,
        timers: Timers::default(),
        out: Outputs::new(),
        turn: Turn::default(),
        disk: DiskWatch::default(),
    };
    let mut batch = Batch::default();
    loop {
        driver
            .parts
            .handle
            .queues
            .take(&mut batch, driver.deadline());
        driver.turn(&mut batch)?;
        if batch.closed {
            driver.parts.journal.sync()?;
            driver.parts.evaluations.stop();
            return Ok(driver.parts.engine);
        }
    }
}

/// What one turn will announce and send once the journal is written.
#[derive(Default)]
struct Turn {
    effects: Vec<Effect>,
    events: Vec<Arc<Event>>,
    quotes: Vec<(EventId, Timestamp, Quote)>,
    replies: Vec<(CommandId, CommandResult)>,
    has_intents: bool,
    has_inputs: bool,
}

struct Driver<E> {
    parts: DriverParts<E>,
    timers: Timers,
    out: Outputs,
    turn: Turn,
    disk: DiskWatch,
}

impl<E: Effects> Driver<E> {
    fn deadline(&self) -> Option<Instant> {
        self.timers
            .next_due()
            .and_then(|at| Instant::now().checked_add(self.parts.clock.real_until(at)))
    }

    fn turn(&mut self, batch: &mut Batch) -> Result<(), JournalError> {
        self.urgent(batch)?;
        for look in batch.looks.drain(..) {
            look(&self.parts.engine);
        }
        if batch.trades_lost > 0 {
            self.step(&Input::TradesLost {
                count: std::mem::take(&mut batch.trades_lost),
            })?;
        }
        while !batch.trades.is_empty() {
            let slice = batch.trades.len().min(TRADES_SLICE);
            for trade in batch.trades.drain(..slice) {
                self.step(&Input::Trade(trade))?;
            }
            self.commit()?;
            self.parts.handle.queues.take_control(&mut batch.control);
            self.urgent(batch)?;
        }
        for quote in batch.quotes.drain(..) {
            self.step(&Input::Quote(quote))?;
        }
        self.commit()
    }

    /// Control inputs and timers that are due, written before anything else is looked at.
    fn urgent(&mut self, batch: &mut Batch) -> Result<(), JournalError> {
        for input in batch.control.drain(..) {
            self.step(&input)?;
        }
        while let Some(timer) = self.timers.pop_due(self.parts.clock.now()) {
            self.step(&Input::Timer(timer))?;
        }
        if self.turn.has_inputs {
            self.commit()?;
        }
        Ok(())
    }

    /// One input: journaled, handled, its outputs sorted.
    fn step(&mut self, input: &Input) -> Result<(), JournalError> {
        let at = self.parts.clock.now().max(self.parts.engine.now());
        let seq = self.parts.engine.seq() + 1;
        self.parts.journal.append_input(seq, at, input)?;
        self.turn.has_inputs = true;
        if let Input::Quote(quote) = input {
            self.parts
                .stages
                .record(Stage::Receive, at.since(quote.received_at));
        }
        let began = Instant::now();
        self.parts.engine.handle(at, input, &mut self.out);
        self.parts.stages.record(Stage::Engine, began.elapsed());
        let mut announced = false;
        let mut out = std::mem::take(&mut self.out);
        for output in out.drain(..) {
            announced |= is_price(&output);
            self.take(seq, at, output)?;
        }
        self.out = out;
        if let (Input::Quote(quote), false) = (input, announced) {
            self.turn
                .quotes
                .push((EventId { seq, index: 0 }, at, *quote));
        }
        Ok(())
    }

    fn take(&mut self, seq: u64, at: Timestamp, output: Output) -> Result<(), JournalError> {
        match output {
            Output::Event(event) => {
                let event = Arc::new(event);
                self.parts.journal.append_event(&event)?;
                self.turn.events.push(event);
            }
            Output::Submit(intent, checked) => {
                self.parts.journal.append_intent(seq, at, &intent)?;
                self.turn.has_intents = true;
                self.turn.effects.push(Effect::Submit(checked));
            }
            Output::Cancel {
                account,
                instrument,
                client_id,
                venue_order_id,
            } => {
                self.turn.effects.push(Effect::Cancel {
                    account,
                    instrument,
                    client_id,
                    venue_order_id,
                });
            }
            Output::Query {
                account,
                instrument,
                client_id,
            } => {
                self.turn.effects.push(Effect::Query {
                    account,
                    instrument,
                    client_id,
                });
            }
            Output::Reconcile(account) => self.turn.effects.push(Effect::Reconcile(account)),
            Output::RequestCandles {
                instrument,
                interval,
                count,
            } => {
                self.turn.effects.push(Effect::Candles {
                    instrument,
                    interval,
                    count,
                });
            }
            Output::Evaluate(request) => self
                .parts
                .evaluations
                .evaluate(request, &self.parts.handle.queues),
            Output::ResetLane(bot) => self.parts.evaluations.reset(bot),
            Output::SetTimer(at, timer) => self.timers.set(at, timer),
            Output::CancelTimer(timer) => self.timers.cancel(timer),
            Output::Reply(id, result) => self.turn.replies.push((id, result)),
        }
        Ok(())
    }

    /// Writes what was appended, then sends, announces and answers.
    fn commit(&mut self) -> Result<(), JournalError> {
        self.write()?;
        for effect in self.turn.effects.drain(..) {
            if let Err(effect) = self.parts.effects.perform(effect) {
                not_taken(&effect, &self.parts.handle.queues);
            }
        }
        self.parts.effects.publish(&self.turn.events);
        self.turn.events.clear();
        for (id, at, quote) in self.turn.quotes.drain(..) {
            self.parts.effects.publish_quote(id, at, &quote);
        }
        for (id, result) in self.turn.replies.drain(..) {
            self.parts.handle.answer(id, &result);
        }
        Ok(())
    }

    /// Writes the journal; the engine hears of it when that begins or ceases to take too long.
    fn write(&mut self) -> Result<(), JournalError> {
        let began = Instant::now();
        if std::mem::take(&mut self.turn.has_intents) && self.parts.power_safe {
            self.parts.journal.sync()?;
        } else {
            self.parts.journal.flush()?;
        }
        if std::mem::take(&mut self.turn.has_inputs)
            && let Some(health) = self.disk.after(began.elapsed())
        {
            self.parts.handle.queues.control(Input::Storage(health));
        }
        Ok(())
    }
}

fn is_price(output: &Output) -> bool {
    matches!(
        output,
        Output::Event(Event {
            kind: EventKind::PriceUpdate(_),
            ..
        })
    )
}

/// An edge whose queue is full takes nothing: an order that was not handed over has not left, and the engine is told.
fn not_taken(effect: &Effect, queues: &InputQueues) {
    tracing::warn!(?effect, "A venue's queue is full.");
    if let Effect::Submit(checked) = effect {
        let terms = checked.terms();
        queues.control(Input::Report(Box::new(ExecutionReport {
            account: terms.account,
            instrument: terms.instrument,
            client_id: terms.client_id,
            venue_order_id: None,
            kind: ReportKind::NotSent(NotSentReason::Unreachable),
            cumulative: None,
            event_time: None,
        })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_events::{Action, Principal};

    #[tokio::test]
    async fn everybody_who_gave_a_command_hears_its_answer() {
        let desk = DeskHandle::new(Arc::new(InputQueues::new(0)));
        let command = Command {
            id: 7,
            principal: Principal::Local,
            issued_at: Timestamp::EPOCH,
            expires_at: None,
            action: Action::Reset {
                reason: "over".to_owned(),
            },
        };
        let (first, again) = (desk.give(command.clone()), desk.give(command));
        let result = CommandResult::Accepted(None);
        desk.answer(7, &result);
        assert_eq!(
            (first.await.unwrap(), again.await.unwrap()),
            (result.clone(), result)
        );
    }
}
