//! The loop: inputs to the journal and the engine, outputs to timers, journal and effects.

use std::sync::Arc;

use tradewind_engine::Engine;
use tradewind_events::{Event, EventKind, Input, Output, Outputs};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{Clock, EventId, ManualClock, Quote, Timestamp};

use crate::batch::Batch;
use crate::effects::{Effect, Effects};
use crate::held::HeldEffects;
use crate::journal::Journal;
use crate::replies::{HeldReplies, promises};
use crate::snapshots::Snapshots;
use crate::timers::Timers;

/// Trades and candles handled in one turn, at most. This bounds the wait of a report that comes meanwhile.
const MARKET_PER_TURN: usize = 256;

/// An engine with its clock, its journal and its effects.
///
/// A step numbers an input, appends it to the journal, handles it, appends its intents and events, and sets timers.
///
/// A commit follows after some steps. It writes the journal, begins a sync if there are intents, performs effects,
/// announces events and answers commands. An order is sent only once its intent is durable, and an event is announced
/// only once it is written. The answer to a kill waits until the kill is durable, for a while at most.
#[derive(Debug)]
pub struct Driver<C, J, E> {
    engine: Engine,
    clock: C,
    journal: J,
    effects: E,
    timers: Timers,
    /// Outputs of the current step.
    out: Outputs,
    /// Outputs of the steps since the last commit, whose intents and events are appended.
    uncommitted: Outputs,
    /// Quotes since the last commit that led to no event; see [`Effects::wants_quotes`].
    quotes: Vec<(EventId, Timestamp, Quote)>,
    held: HeldEffects,
    replies: HeldReplies,
    snapshots: Snapshots,
    steps: usize,
    /// Whether something was appended since the last commit that must be durable.
    wants_sync: bool,
    /// Room for the next answer, its box used again and again.
    answer: Input,
}

impl<C: Clock, J: Journal, E: Effects> Driver<C, J, E> {
    /// A driver of `engine`, which is new or continues a journal.
    pub fn new(engine: Engine, clock: C, journal: J, effects: E) -> Self {
        Self {
            engine,
            clock,
            journal,
            effects,
            timers: Timers::default(),
            out: Outputs::new(),
            uncommitted: Outputs::new(),
            quotes: Vec::new(),
            held: HeldEffects::default(),
            replies: HeldReplies::default(),
            snapshots: Snapshots::default(),
            steps: 0,
            wants_sync: false,
            answer: Input::Stopping,
        }
    }

    /// Handles the inputs in `batch`: all control inputs and what is due, then a slice of trades and candles, and once
    /// none is left the latest books and quotes. The rest stays in `batch` for the next turn.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn turn(&mut self, batch: &mut Batch) -> Result<(), J::Error> {
        self.release();
        self.settle()?;
        for input in batch.control.drain(..) {
            self.input(&input)?;
        }
        self.catch_up()?;
        if batch.market_lost > 0 {
            let count = std::mem::take(&mut batch.market_lost);
            self.input(&Input::TradesLost { count })?;
        }
        let slice = batch.market.len().min(MARKET_PER_TURN);
        for input in batch.market.drain(..slice) {
            self.input(&input)?;
        }
        if batch.market.is_empty() {
            for depth in batch.depths.drain(..) {
                self.input(&Input::Depth(depth))?;
            }
            for quote in batch.quotes.drain(..) {
                self.input(&Input::Quote(quote))?;
            }
        }
        self.settle()?;
        if J::SNAPSHOTS {
            self.snapshot()?;
        }
        Ok(())
    }

    /// Handles one input as a turn of its own, for a history whose inputs come one by one.
    ///
    /// # Errors
    /// The journal cannot be written.
    #[inline(always)]
    pub fn handle(&mut self, input: &Input) -> Result<(), J::Error> {
        self.step(input)?;
        self.settle()
    }

    /// Handles everything that is due by now: first arrivals, then timers.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn catch_up(&mut self) -> Result<(), J::Error> {
        self.answer_kills();
        loop {
            self.deliver()?;
            let Some(timer) = self.timers.pop_due(self.clock.now()) else {
                return self.settle();
            };
            self.input(&Input::Timer(timer))?;
        }
    }

    /// Handles all arrivals that are due by now.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn deliver(&mut self) -> Result<(), J::Error> {
        while self.effects.deliver(self.clock.now()) {
            self.settle()?;
        }
        Ok(())
    }

    /// Commits and handles the immediate answers of effects, until there are none.
    ///
    /// # Errors
    /// The journal cannot be written.
    #[inline(always)]
    pub fn settle(&mut self) -> Result<(), J::Error> {
        self.commit()?;
        while self.next_answer() {
            self.take_answer()?;
        }
        Ok(())
    }

    /// Takes the next report on an order that never left, or the next immediate answer of an effect. False without one.
    #[inline(always)]
    fn next_answer(&mut self) -> bool {
        if let Some(report) = self.held.next_report() {
            self.answer = report;
            return true;
        }
        self.effects.next_answer(&mut self.answer)
    }

    /// A step of its own for the answer, and its commit.
    #[inline(never)]
    fn take_answer(&mut self) -> Result<(), J::Error> {
        let answer = std::mem::replace(&mut self.answer, Input::Stopping);
        self.step(&answer)?;
        self.answer = answer;
        self.commit()
    }

    /// When a timer is due or something under way arrives next.
    #[inline]
    pub fn next_due(&self) -> Option<Timestamp> {
        let timer = match (self.timers.next_due(), self.replies.next_due()) {
            (Some(timer), Some(reply)) => Some(timer.min(reply)),
            (timer, reply) => timer.or(reply),
        };
        match (timer, self.effects.next_due()) {
            (Some(timer), Some(arrival)) => Some(timer.min(arrival)),
            (timer, arrival) => timer.or(arrival),
        }
    }

    /// The engine, between two turns.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The clock.
    pub const fn clock(&self) -> &C {
        &self.clock
    }

    /// Where it writes.
    pub const fn journal(&self) -> &J {
        &self.journal
    }

    /// Where effects go.
    pub const fn effects(&self) -> &E {
        &self.effects
    }

    /// Where effects go, for changes between two turns, such as a move of a simulated market.
    pub const fn effects_mut(&mut self) -> &mut E {
        &mut self.effects
    }

    /// The engine and the effects, for changes of the effects that depend on the engine's state.
    pub const fn engine_and_effects(&mut self) -> (&Engine, &mut E) {
        (&self.engine, &mut self.effects)
    }

    /// Commits what is left and takes the driver apart. Orders whose intents are not durable by now never leave.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn finish(mut self) -> Result<(Engine, J, E), J::Error> {
        self.settle()?;
        while let Some(due) = self.replies.next_due() {
            let answered = self.replies.next(self.journal.durable(), due);
            if let Some((id, result)) = answered {
                self.effects.reply(id, result);
            }
        }
        if J::SNAPSHOTS && self.engine.seq() > 0 {
            let (seq, at) = (self.engine.seq(), self.engine.now());
            let bytes = self.engine.save().to_bytes();
            self.journal.append_snapshot(seq, at, &bytes)?;
        }
        Ok((self.engine, self.journal, self.effects))
    }

    /// Begins a snapshot if one is due, or writes the next slice of it.
    fn snapshot(&mut self) -> Result<(), J::Error> {
        let Some((seq, at)) = self.snapshots.writing() else {
            let (seq, now) = (self.engine.seq(), self.engine.now());
            if self.snapshots.is_due(seq, now) {
                self.snapshots.begin(seq, now);
                self.engine.begin_snapshot();
            }
            return Ok(());
        };
        if let Some(state) = self.engine.write_snapshot() {
            self.snapshots.end();
            self.journal.append_snapshot(seq, at, &state.to_bytes())?;
        }
        Ok(())
    }

    /// One step. A commit follows after as many steps as may share one.
    #[inline]
    fn input(&mut self, input: &Input) -> Result<(), J::Error> {
        self.step(input)?;
        if self.steps >= J::INPUTS_PER_WRITE {
            self.settle()?;
        }
        Ok(())
    }

    /// Most inputs lead to nothing. What such a step costs is inlined, everything else is not.
    #[inline(always)]
    fn step(&mut self, input: &Input) -> Result<(), J::Error> {
        let at = self.clock.now().max(self.engine.now());
        let seq = self.engine.seq() + 1;
        if !is_on(Mutation::TimerNotJournaled) || !matches!(input, Input::Timer(_)) {
            self.journal.append_input(seq, at, input)?;
        }
        self.steps += 1;
        self.effects.handling(at, input);
        self.engine.handle(at, input, &mut self.out);
        self.effects.handled();
        if self.effects.wants_quotes() {
            self.note_quote(seq, at, input);
        }
        if !self.out.is_empty() {
            self.keep_outputs(seq, at)?;
        }
        Ok(())
    }

    /// Keeps a quote for announcement if the engine did not announce it.
    fn note_quote(&mut self, seq: u64, at: Timestamp, input: &Input) {
        if let Input::Quote(quote) = input
            && !self.out.iter().any(is_price)
        {
            self.quotes.push((EventId { seq, index: 0 }, at, *quote));
        }
    }

    /// Appends intents and events, does what needs no commit, and keeps the rest until the commit.
    #[inline(never)]
    fn keep_outputs(&mut self, seq: u64, at: Timestamp) -> Result<(), J::Error> {
        let mut has_requests = false;
        for output in &self.out {
            match output {
                Output::Event(event) => self.journal.append_event(event)?,
                Output::Submit(intent, _) => {
                    self.journal.append_intent(seq, at, intent)?;
                    self.wants_sync = true;
                }
                Output::SetTimer(at, timer) => self.timers.set(*at, *timer),
                Output::CancelTimer(timer) => self.timers.cancel(*timer),
                Output::Evaluate(_) | Output::ResetLane(_) => has_requests = true,
                Output::Cancel { .. }
                | Output::Withdraw { .. }
                | Output::Query { .. }
                | Output::Reconcile(_)
                | Output::EndFlattening
                | Output::Sweep(_)
                | Output::RenewStream(_)
                | Output::ReadBook { .. }
                | Output::RequestCandles { .. } => {}
                Output::Reply(_, result) => self.wants_sync |= promises(result),
            }
        }
        if has_requests {
            self.request_evaluations();
        }
        if self.uncommitted.is_empty() {
            std::mem::swap(&mut self.uncommitted, &mut self.out);
        } else {
            self.uncommitted.append(&mut self.out);
        }
        Ok(())
    }

    /// Hands requests to other lanes before the commit. This is safe: their answers have effects only as later inputs.
    #[cold]
    fn request_evaluations(&mut self) {
        let is_request =
            |output: &mut Output| matches!(output, Output::Evaluate(_) | Output::ResetLane(_));
        for output in self.out.extract_if(.., is_request) {
            match output {
                Output::Evaluate(request) => self.effects.evaluate(request),
                Output::ResetLane(bot) => self.effects.reset(bot),
                _ => {}
            }
        }
    }

    #[inline(always)]
    fn commit(&mut self) -> Result<(), J::Error> {
        if is_on(Mutation::SentBeforeWritten) {
            self.carry_out()?;
        }
        self.journal.write()?;
        self.steps = 0;
        if !self.uncommitted.is_empty() || !self.quotes.is_empty() {
            self.carry_out()?;
        }
        self.journal.write_rest()
    }

    /// Carries out the outputs that are written: first effects, then announcements, then answers to commands.
    #[inline(never)]
    fn carry_out(&mut self) -> Result<(), J::Error> {
        if std::mem::take(&mut self.wants_sync) {
            self.journal.sync()?;
        }
        self.perform();
        let mut replies = Vec::new();
        for output in &self.uncommitted {
            match output {
                Output::Event(event) => self.effects.publish(event),
                Output::Reply(id, result) => replies.push((*id, result.clone())),
                Output::EndFlattening => self.effects.end_flattening(),
                _ => {}
            }
        }
        self.uncommitted.clear();
        self.effects.flush();
        for (id, at, quote) in self.quotes.drain(..) {
            self.effects.publish_quote(id, at, &quote);
        }
        let (seq, durable) = (self.engine.seq(), self.journal.durable());
        for (id, result) in replies {
            if promises(&result) && durable < seq {
                self.replies.hold((seq, self.clock.now()), id, result);
            } else {
                self.effects.reply(id, result);
            }
        }
        Ok(())
    }

    fn perform(&mut self) {
        self.release();
        let (seq, now) = (self.engine.seq(), self.engine.now());
        let durable = self.journal.durable();
        for effect in self.uncommitted.iter().filter_map(Effect::of) {
            if let Some(effect) = self.held.hold(seq, durable, effect) {
                self.effects.perform(now, effect);
            }
        }
    }

    /// Performs the held effects whose intents have become durable.
    fn release(&mut self) {
        let (durable, now) = (self.journal.durable(), self.engine.now());
        while let Some(effect) = self.held.release(durable) {
            self.effects.perform(now, effect);
        }
        self.answer_kills();
    }

    /// Answers the kills that have become durable, or whose time to become so is over.
    fn answer_kills(&mut self) {
        if self.replies.next_due().is_none() {
            return;
        }
        let (durable, now) = (self.journal.durable(), self.clock.now());
        while let Some((id, result)) = self.replies.next(durable, now) {
            self.effects.reply(id, result);
        }
    }
}

impl<J: Journal, E: Effects> Driver<Arc<ManualClock>, J, E> {
    /// Moves the clock to `until`; what is due on the way happens at its time.
    ///
    /// # Errors
    /// The journal cannot be written.
    #[inline]
    pub fn run_until(&mut self, until: Timestamp) -> Result<(), J::Error> {
        while let Some(due) = self.next_due().filter(|due| *due <= until) {
            self.clock.advance_to(due);
            self.catch_up()?;
        }
        self.clock.advance_to(until);
        Ok(())
    }
}

const fn is_price(output: &Output) -> bool {
    matches!(
        output,
        Output::Event(Event {
            kind: EventKind::PriceUpdate(_),
            ..
        })
    )
}
