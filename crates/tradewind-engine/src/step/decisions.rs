//! What follows a strategy's decision: a target is announced and worked towards, a stop moves, a wait is a cause.

use tradewind_events::{
    EvaluationError, EvaluationOutcome, EventKind, Outputs, SignalDetails, SignalSource,
};
use tradewind_model::{BotId, Decision, LastEntry, Quote, Reason, Target};
use tradewind_risk::{CauseKind, Scope, TradingState};

use super::causes::{close_cause, open_cause};
use super::lifecycle::fail_bot;
use super::plan_changes::move_stop;
use super::quiet::awaits_book;
use super::target::reconcile_position;
use super::universe::{NO_MEMBER, refuses};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::instrument_state::InstrumentState;

/// Applies a strategy's answer, or its failure.
pub(super) fn apply_decision(
    parts: &mut Parts,
    place: BotInstrument,
    outcome: EvaluationOutcome,
    out: &mut Outputs,
) {
    note_wait(parts, place, &outcome, out);
    match outcome {
        EvaluationOutcome::Decided(None) => {}
        EvaluationOutcome::Decided(Some(Decision::Wait { reason })) => hold(parts, place, reason),
        EvaluationOutcome::Decided(Some(Decision::Hold { reason })) => hold(parts, place, reason),
        EvaluationOutcome::Decided(Some(Decision::Target(target))) => {
            apply_target(parts, place, target, out);
        }
        EvaluationOutcome::Decided(Some(Decision::MoveStop { stop, reason })) => {
            note_reason(parts, place, reason.clone());
            move_stop(parts, place, stop, reason, out);
        }
        EvaluationOutcome::Decided(Some(Decision::Orders(_))) => {
            let error = "resting orders of a strategy are not supported yet";
            let error = EvaluationError::Error(error.to_owned());
            fail_bot(parts, place.bot(), &error, out);
        }
        EvaluationOutcome::Failed(error) => fail_bot(parts, place.bot(), &error, out),
    }
}

/// Opens a cause while something is unknown that would close a position, and ends it when that is over.
fn note_wait(
    parts: &mut Parts,
    place: BotInstrument,
    outcome: &EvaluationOutcome,
    out: &mut Outputs,
) {
    let waits = matches!(
        outcome,
        EvaluationOutcome::Decided(Some(Decision::Wait { .. }))
    );
    if parts.bots.at(place).waits() == waits {
        return;
    }
    parts.bots.at_mut(place).set_waits(waits);
    let bot = place.bot();
    let (scope, reason) = (Scope::Bot(bot), CauseKind::RuleUnknown);
    if waits {
        return open_cause(parts, scope, TradingState::Active, reason, out);
    }
    end_cause(parts, bot, out);
}

/// A bot that no longer decides waits on nothing.
pub(crate) fn end_waits(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    set_waits(parts, bot, false);
    close_cause(parts, Scope::Bot(bot), &CauseKind::RuleUnknown, out);
}

/// A bot whose cause is known and not for which instrument: the next evaluation of each shows it.
pub(crate) fn set_waits(parts: &mut Parts, bot: BotId, waits: bool) {
    if parts.bots.get(bot).is_none() {
        return;
    }
    for place in parts.bots.places(bot) {
        let state = parts.bots.at_mut(place);
        let is_held = !state.position().quantity.is_zero();
        state.set_waits(waits && is_held);
    }
}

/// Ends the cause of a bot of which no position waits.
fn end_cause(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let (scope, reason) = (Scope::Bot(bot), CauseKind::RuleUnknown);
    let mut states = parts.bots.bot(bot).instruments().iter();
    if !states.any(InstrumentState::waits) {
        close_cause(parts, scope, &reason, out);
    }
}

/// What a target is decided on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided {
    /// The instrument's own quote, where a quote decided it.
    pub(super) quote: Option<Quote>,
    /// Whether a quote decided it, of whatever instrument.
    pub(super) on_quote: bool,
}

pub(super) fn apply_target(
    parts: &mut Parts,
    place: BotInstrument,
    target: Target,
    out: &mut Outputs,
) {
    if refuses(parts, place, &target) {
        parts.bots.at_mut(place).set_last_entry(LastEntry::Denied);
        return hold(parts, place, Reason::plain(NO_MEMBER));
    }
    let instrument = parts.bots.at(place).instrument();
    let on_quote = parts.context.quote();
    // A quote that the bot only reads is the cause. What it decides on is traded at the instrument's own.
    let quote = on_quote.and_then(|quote| match quote.instrument == instrument {
        true => Some(quote),
        false => parts.market.quote(instrument).copied(),
    });
    let decided = Decided {
        quote,
        on_quote: on_quote.is_some(),
    };
    note_reason(parts, place, target.reason.clone());
    parts.bots.at_mut(place).set_last_entry(LastEntry::Standing);
    if !awaits_book(parts, place, &target, decided.on_quote, out) {
        announce_target(parts, place, target, decided, out);
    }
}

/// Announces a target and works towards it.
pub(super) fn announce_target(
    parts: &mut Parts,
    place: BotInstrument,
    target: Target,
    decided: Decided,
    out: &mut Outputs,
) {
    let bot = place.bot();
    parts.bots.bot_mut(bot).activity_mut().signals += 1;
    parts.counters.signalled();
    let cause = parts.context.cause(out);
    let signal = EventKind::SignalGenerated {
        bot,
        instrument: parts.bots.at(place).instrument(),
        exposure: target.exposure,
        reason: target.reason.clone(),
        quote: decided.quote,
        details: details(&target),
    };
    let cause = parts.emit(cause, signal, out);
    reconcile_position(parts, place, target, Some(cause), decided.on_quote, out);
}

/// No signal, for a reason that is shown.
#[inline]
pub(super) fn hold(parts: &mut Parts, place: BotInstrument, reason: Reason) {
    note_reason(parts, place, reason);
    parts.counters.held();
}

/// What the announcement of a target holds besides, so that recovery needs no strategy.
fn details(target: &Target) -> Option<Box<SignalDetails>> {
    let is_plain = target.limit.is_none() && target.exit.is_none() && !target.adds;
    (!is_plain).then(|| {
        Box::new(SignalDetails {
            source: match target.adds {
                true => SignalSource::Add,
                false => SignalSource::Strategy,
            },
            limit: target.limit,
            exit: target.exit.as_deref().cloned(),
        })
    })
}

#[inline]
fn note_reason(parts: &mut Parts, place: BotInstrument, reason: Reason) {
    let bot = parts.bots.bot_mut(place.bot());
    let instrument = bot.instruments()[place.slot()].instrument();
    let activity = bot.activity_mut();
    activity.reason = reason;
    activity.reason_instrument = Some(instrument);
}
