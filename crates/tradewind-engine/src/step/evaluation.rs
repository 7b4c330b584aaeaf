//! Asking a strategy, wherever it runs, and taking its answer.
//!
//! Strategies of the inline lane answer at once; a request to another lane is an output, and its answer an input. A
//! strategy's panic ends here: it costs that bot its strategy's state and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tradewind_events::{
    Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest, EventKind, Output, Outputs,
    Timer,
};
use tradewind_model::{BotId, Candle, Decision, Timestamp, Wake};
use tradewind_strategy::View;

use crate::engine::Engine;
use crate::parts::bot::{Pending, Runner};

/// How long another lane may take before its bot counts as overrun.
const EVALUATION_DEADLINE: Duration = Duration::from_secs(10);

impl Engine {
    /// Asks a bot's strategy about one of its instruments.
    pub(crate) fn wake(
        &mut self,
        bot: BotId,
        slot: usize,
        wake: Wake,
        candle: Option<&Candle>,
        out: &mut Outputs,
    ) {
        let runtime = &mut self.bots[bot.index()];
        if !runtime.is_awake() {
            return;
        }
        runtime.stats.wakes += 1;
        runtime.stats.last_wake = Some(self.context.at);
        self.counters.woke(wake);
        match &runtime.runner {
            Runner::Inline(_) => {
                let outcome = self.call(bot, slot, wake, candle);
                self.apply_decision(bot, slot, outcome, out);
            }
            Runner::Remote { .. } => self.request(bot, slot, wake, candle, true, out),
        }
    }

    /// Feeds past candles to a strategy; what it decides on them is not carried out.
    pub(crate) fn warm_up(
        &mut self,
        bot: BotId,
        slot: usize,
        candles: &[Candle],
        out: &mut Outputs,
    ) {
        for candle in candles {
            let runtime = &mut self.bots[bot.index()];
            if runtime.slots[slot].classify(candle) == crate::parts::bot::CandleOrder::Old
                || !candle.is_sound()
            {
                continue;
            }
            runtime.slots[slot].note(candle, &self.config.instruments[candle.instrument.index()]);
            let wake = Wake::Candle(candle.interval);
            if matches!(runtime.runner, Runner::Remote { .. }) {
                self.request(bot, slot, wake, Some(candle), false, out);
                continue;
            }
            match self.call(bot, slot, wake, Some(candle)) {
                EvaluationOutcome::Decided(_) => {}
                failed @ EvaluationOutcome::Failed(_) => {
                    return self.apply_decision(bot, slot, failed, out);
                }
            }
        }
    }

    /// Calls a strategy of the inline lane.
    fn call(
        &mut self,
        bot: BotId,
        slot: usize,
        wake: Wake,
        candle: Option<&Candle>,
    ) -> EvaluationOutcome {
        let runtime = &mut self.bots[bot.index()];
        let Runner::Inline(place) = &mut runtime.runner else {
            return EvaluationOutcome::Decided(None);
        };
        let Some(mut strategy) = place.take() else {
            return EvaluationOutcome::Decided(None);
        };
        let instrument = runtime.slots[slot].instrument;
        let view = View {
            at: self.context.at,
            instrument: &self.config.instruments[instrument.index()],
            slot,
            quote: self.market.quotes[instrument.index()].as_ref(),
            position: runtime.slots[slot].position,
            budget: runtime.config.budget,
            quotes: &self.market.quotes,
        };
        let answer = catch_unwind(AssertUnwindSafe(|| match (wake, candle, view.quote) {
            (Wake::Quote, _, Some(quote)) => strategy.on_quote(&view, quote).map(Some),
            (Wake::Candle(_), Some(candle), _) => strategy.on_candle(&view, candle).map(Some),
            (Wake::Timer, _, _) => strategy.on_timer(&view).map(Some),
            (Wake::Quote | Wake::Candle(_), _, _) => Ok(None),
        }));
        match answer {
            Ok(answer) => {
                self.bots[bot.index()].runner = Runner::Inline(Some(strategy));
                match answer {
                    Ok(decision) => EvaluationOutcome::Decided(decision),
                    Err(error) => {
                        EvaluationOutcome::Failed(EvaluationError::Error(error.to_string()))
                    }
                }
            }
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(ToString::to_string);
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                EvaluationOutcome::Failed(EvaluationError::Panic(
                    text.unwrap_or_else(|| "without a word".to_owned()),
                ))
            }
        }
    }

    /// Sends a request to another lane; a wake while the last one is unanswered is skipped and counted.
    fn request(
        &mut self,
        bot: BotId,
        slot: usize,
        wake: Wake,
        candle: Option<&Candle>,
        decide: bool,
        out: &mut Outputs,
    ) {
        let cause = if decide {
            self.context.cause(out)
        } else {
            None
        };
        let runtime = &mut self.bots[bot.index()];
        let Runner::Remote {
            pending,
            last_request,
            ..
        } = &mut runtime.runner
        else {
            return;
        };
        if decide && pending.is_some() {
            runtime.stats.skipped += 1;
            let skipped = runtime.stats.skipped;
            self.counters.totals.late_evaluations += 1;
            self.context
                .emit(out, cause, EventKind::EvaluationLate { bot, skipped });
            return;
        }
        *last_request += 1;
        let request = *last_request;
        if decide {
            *pending = Some(Pending {
                request,
                slot,
                cause,
            });
        }
        let instrument = runtime.slots[slot].instrument;
        out.push(Output::Evaluate(Box::new(EvaluationRequest {
            bot,
            request,
            at: self.context.at,
            instrument,
            wake,
            candle: candle.copied(),
            decide,
            quote: self.market.quotes[instrument.index()],
            position: runtime.slots[slot].position,
            budget: runtime.config.budget,
        })));
        if decide {
            out.push(Output::SetTimer(
                self.context.at + EVALUATION_DEADLINE,
                Timer::EvaluationDeadline(bot),
            ));
        }
    }

    /// An answer from another lane. One to an older request is dropped and counted.
    pub(crate) fn on_evaluation(&mut self, evaluation: &Evaluation, out: &mut Outputs) {
        let Some(runtime) = self.bots.get_mut(evaluation.bot.index()) else {
            return;
        };
        let Runner::Remote {
            pending, reset_at, ..
        } = &mut runtime.runner
        else {
            return;
        };
        let Some(asked) = pending.filter(|pending| pending.request == evaluation.request) else {
            let is_of_this_life = evaluation.request > *reset_at;
            match &evaluation.outcome {
                EvaluationOutcome::Decided(None) => {}
                // A feed is not answered with a decision, but it can fail.
                EvaluationOutcome::Failed(error) if is_of_this_life => {
                    self.fail_bot(evaluation.bot, error, out);
                }
                EvaluationOutcome::Decided(Some(_)) | EvaluationOutcome::Failed(_) => {
                    self.drop_answer(evaluation.bot, out);
                }
            }
            return;
        };
        *pending = None;
        out.push(Output::CancelTimer(Timer::EvaluationDeadline(
            evaluation.bot,
        )));
        if let Some(cause) = asked.cause {
            self.context.trigger = crate::context::Trigger::Event(cause);
        }
        let outcome = evaluation.outcome.clone();
        self.apply_decision(evaluation.bot, asked.slot, outcome, out);
    }

    /// An answer that nobody waits for any more: counted and told.
    fn drop_answer(&mut self, bot: BotId, out: &mut Outputs) {
        let stats = &mut self.bots[bot.index()].stats;
        stats.skipped += 1;
        let skipped = stats.skipped;
        self.counters.totals.late_evaluations += 1;
        self.context
            .emit(out, None, EventKind::EvaluationLate { bot, skipped });
    }

    pub(crate) fn on_evaluation_deadline(&mut self, bot: BotId, out: &mut Outputs) {
        let Some(runtime) = self.bots.get_mut(bot.index()) else {
            return;
        };
        let Runner::Remote { pending, .. } = &mut runtime.runner else {
            return;
        };
        if let Some(asked) = pending.take() {
            self.apply_decision(
                bot,
                asked.slot,
                EvaluationOutcome::Failed(EvaluationError::Overrun),
                out,
            );
        }
    }

    /// Takes a strategy's answer, or its failure.
    fn apply_decision(
        &mut self,
        bot: BotId,
        slot: usize,
        outcome: EvaluationOutcome,
        out: &mut Outputs,
    ) {
        let stats = &mut self.bots[bot.index()].stats;
        match outcome {
            EvaluationOutcome::Decided(None) => {}
            EvaluationOutcome::Decided(Some(Decision::Hold { reason })) => {
                stats.reason = reason;
                stats.reason_slot = Some(slot);
                self.counters.held();
            }
            EvaluationOutcome::Decided(Some(Decision::Target(target))) => {
                stats.reason = target.reason.clone();
                stats.reason_slot = Some(slot);
                stats.signals += 1;
                self.counters.signalled();
                let quote = self.context.quote();
                let instrument = self.bots[bot.index()].slots[slot].instrument;
                let cause = self.context.cause(out);
                let signal = EventKind::SignalGenerated {
                    bot,
                    instrument,
                    exposure: target.exposure,
                    reason: target.reason.clone(),
                    quote,
                };
                let cause = self.context.emit(out, cause, signal);
                self.reconcile_position(bot, slot, target, Some(cause), quote.is_some(), out);
            }
            EvaluationOutcome::Failed(error) => self.fail_bot(bot, &error, out),
        }
    }

    /// Notes how late a wake was; the worst one is shown.
    pub(crate) fn note_lateness(&mut self, bot: BotId, late: Duration) {
        let worst = &mut self.bots[bot.index()].stats.lateness_max_nanos;
        *worst = (*worst).max(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
    }

    /// A bot's own interval: each of its instruments is asked, and the next wake set.
    pub(crate) fn on_bot_timer(&mut self, bot: BotId, out: &mut Outputs) {
        let Some(runtime) = self.bots.get(bot.index()) else {
            return;
        };
        if !runtime.is_awake() {
            return;
        }
        let due: Timestamp = runtime.next_timer.unwrap_or(self.context.at);
        let late = self.context.at.since(due);
        self.note_lateness(bot, late);
        self.counters.closed_at(due);
        for slot in 0..self.bots[bot.index()].slots.len() {
            let instrument = self.bots[bot.index()].slots[slot].instrument;
            if let Some(quote) = self.market.quotes[instrument.index()] {
                self.context.trigger = crate::context::Trigger::Quote(quote, None);
            }
            self.wake(bot, slot, Wake::Timer, None, out);
        }
        self.set_bot_timer(bot, out);
    }
}
