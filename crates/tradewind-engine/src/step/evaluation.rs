//! Evaluating a strategy, wherever it runs, and applying its answer.
//!
//! Strategies of the inline lane answer at once. A request to another lane is an output, and its answer an input.

use std::time::Duration;

use tradewind_events::{
    BotConfig, BotState, Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest,
    EventKind, Lane, LaneState, Output, Outputs, ReadData, StrategyProcess, Timer,
};
use tradewind_model::{
    Amount, BotId, Candle, CarriedOut, Decision, EventId, Instrument, InstrumentId, LastEntry,
    Numbers, Ppm, Price, Quote, Sizer, Target, Timestamp, Wake,
};
use tradewind_strategy::{
    Evaluated, MarketReader, Reading, Reads, Role, Standing, StrategyError, View,
};

use super::decisions::{apply_decision, apply_target, hold};
use super::lifecycle::{fail_bot, set_bot_timer};
use super::plan_changes::{is_leaving, move_stop};
use super::target::sizing_equity;
use super::universe::note_day;
use crate::context::Trigger;
use crate::parts::Parts;
use crate::parts::bot::{PendingRequest, QueuedWake};
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::instrument_state::{CandleOrder, InstrumentState};
use crate::parts::market::Market;
use crate::parts::targets::Targets;

/// How long another lane may take before its bot counts as overrun.
const EVALUATION_DEADLINE: Duration = Duration::from_secs(10);
/// The same of a strategy in a process: the thread that waits for it has a deadline of its own, and loads its file first.
const PROCESS_DEADLINE: Duration = Duration::from_secs(200);

/// Evaluates a bot's strategy on one of its instruments.
#[inline(always)]
pub(crate) fn wake(
    parts: &mut Parts,
    place: BotInstrument,
    wake: Wake,
    candle: Option<&Candle>,
    out: &mut Outputs,
) {
    let now = parts.now();
    let bot = parts.bots.bot_mut(place.bot());
    if !bot.is_awake() {
        return;
    }
    let activity = bot.activity_mut();
    activity.wakes += 1;
    activity.last_wake = Some(now);
    parts.counters.evaluated(wake);
    let reference = reference(parts, place, wake, candle);
    parts.context.set_reference(reference);
    if parts.bots.bot(place.bot()).is_remote() {
        request_decision(parts, place, wake, candle, out);
    } else {
        let carried_out = carried_out(parts, place.bot());
        match call(parts, place, wake, candle, carried_out) {
            // Most evaluations end here.
            Evaluated::Decided(Some(Decision::Hold { reason }))
                if !parts.bots.at(place).waits() =>
            {
                hold(parts, place, reason);
            }
            other => apply_decision(parts, place, outcome(other), out),
        }
    }
}

/// What of a live decision is carried out: a paused bot only leaves.
fn carried_out(parts: &Parts, bot: BotId) -> CarriedOut {
    if parts.bots.bot(bot).state() == BotState::Running {
        CarriedOut::All
    } else {
        CarriedOut::Exits
    }
}

/// The price that a decision is made at: the candle's close or, when a timer or something that it only reads wakes the bot, the
/// mid. After a quote it is that quote's.
fn reference(
    parts: &Parts,
    place: BotInstrument,
    wake: Wake,
    candle: Option<&Candle>,
) -> Option<Price> {
    match (wake, candle) {
        (Wake::Quote, _) => None,
        (Wake::Candle(_), Some(candle)) => Some(candle.close),
        // What is read has prices of its own: the decision is made at those of what is traded.
        _ => {
            let instrument = parts.bots.at(place).instrument();
            parts.market.quote(instrument).map(Quote::mid)
        }
    }
}

/// Targets of past closes that are carried out, oldest first, each with its candle.
pub(crate) type PastTargets = Vec<(Target, Candle)>;

/// Feeds past candles to a strategy. What it decides on them is not carried out, with these exceptions, which are returned:
///
/// - a close within an entry's time to live is as good as live for a bot that starts. One that runs is behind a gap: it leaves on
///   such a close and does not enter.
/// - of closes that a restart missed, exits are made however late.
///
/// The strategy knows which is which: it does not wait for an order that nobody sends.
pub(crate) fn warm_up(
    parts: &mut Parts,
    place: BotInstrument,
    candles: &[Candle],
    out: &mut Outputs,
) -> PastTargets {
    let is_returning = parts.bots.bot(place.bot()).is_returning();
    let missed_since = parts.bots.down_since().filter(|_| is_returning);
    let bot = parts.bots.bot(place.bot());
    let (goes_to_work, is_starting) = (bot.goes_to_work(), bot.state() == BotState::Warming);
    let mut past = PastTargets::new();
    let newest = candles
        .iter()
        .rposition(Candle::is_sound)
        .unwrap_or_default();
    for (index, candle) in candles.iter().enumerate() {
        let state = parts.bots.at_mut(place);
        if state.classify(candle) == CandleOrder::Old || !candle.is_sound() {
            continue;
        }
        state.note_candle(candle, parts.config.instrument(candle.instrument));
        if note_day(parts, place, candle) {
            continue;
        }
        let wake = Wake::Candle(candle.interval);
        if !parts.bots.is_traded(place) {
            if !feed_only(parts, place, candle, out) {
                return PastTargets::new();
            }
            continue;
        }
        if parts.bots.bot(place.bot()).is_remote() {
            let close = candle.close_time();
            let is_fresh = goes_to_work && is_fresh(parts, close);
            let is_missed = missed_since.is_some_and(|since| close > since);
            // One answer at a time: of several closes the newest is decided on.
            let decides = index == newest && !is_feed(parts, place.bot(), wake);
            if decides && (is_fresh || is_missed) {
                decide_on(parts, candle, out);
                let wanted = queued(parts, place, wake, Some(candle), out);
                let exits_only = !(is_fresh && is_starting);
                request_or_queue(
                    parts,
                    QueuedWake {
                        exits_only,
                        ..wanted
                    },
                    out,
                );
            } else {
                feed_queued(parts, place, wake, out);
                send(parts, place, wake, Some(candle), None, out);
            }
            continue;
        }
        let close = candle.close_time();
        let is_fresh = goes_to_work && is_fresh(parts, close);
        let carried_out = if is_fresh && is_starting {
            CarriedOut::All
        } else if is_fresh || missed_since.is_some_and(|since| close > since) {
            CarriedOut::Exits
        } else {
            CarriedOut::Nothing
        };
        match call(parts, place, wake, Some(candle), carried_out) {
            Evaluated::Decided(Some(Decision::Target(target))) => match carried_out {
                CarriedOut::All => past.push((target, *candle)),
                CarriedOut::Exits if leaves(parts, place, &target) => {
                    past.push((exit_of(&target), *candle));
                }
                CarriedOut::Exits | CarriedOut::Nothing => {}
            },
            Evaluated::Decided(Some(Decision::MoveStop { stop, reason }))
                if carried_out != CarriedOut::Nothing =>
            {
                move_stop(parts, place, stop, reason, out);
            }
            Evaluated::Decided(_) => {}
            failed => {
                apply_decision(parts, place, outcome(failed), out);
                return PastTargets::new();
            }
        }
    }
    past
}

/// Feeds a candle of an instrument that a bot only reads to its strategy, wherever it runs. False if that failed: a target for
/// such an instrument is a fault.
pub(crate) fn feed_only(
    parts: &mut Parts,
    place: BotInstrument,
    candle: &Candle,
    out: &mut Outputs,
) -> bool {
    let wake = Wake::Candle(candle.interval);
    if parts.bots.bot(place.bot()).is_remote() {
        send(parts, place, wake, Some(candle), None, out);
        return true;
    }
    match call(parts, place, wake, Some(candle), CarriedOut::Nothing) {
        Evaluated::Decided(_) => true,
        failed => {
            apply_decision(parts, place, outcome(failed), out);
            false
        }
    }
}

/// Whether an entry that is decided on a close may still be made.
fn is_fresh(parts: &Parts, close: Timestamp) -> bool {
    let time_to_live = parts.config.limits.intent_ttl_candle;
    time_to_live.is_some_and(|limit| parts.now().since(close) <= limit)
}

/// Whether a target ends the position that the bot has.
fn leaves(parts: &Parts, place: BotInstrument, target: &Target) -> bool {
    let held = parts.bots.at(place).position().quantity.0.signum();
    held != 0 && target.exposure.0.signum() != held
}

/// The part of a target that ends a position.
fn exit_of(target: &Target) -> Target {
    Target {
        adds: false,
        exposure: Ppm::ZERO,
        limit: None,
        exit: None,
        reason: target.reason.clone(),
    }
}

/// Carries out what was decided on these closes: an exit at once, an entry only within its time to live.
pub(crate) fn apply_past(
    parts: &mut Parts,
    place: BotInstrument,
    past: PastTargets,
    out: &mut Outputs,
) {
    let exit = past.iter().find(|(target, _)| leaves(parts, place, target));
    if let Some((target, candle)) = exit {
        decide_on(parts, candle, out);
        apply_target(parts, place, exit_of(target), out);
    }
    let goes_to_work = parts.bots.bot(place.bot()).goes_to_work();
    let last = past.into_iter().next_back();
    let last = last.filter(|(target, _)| target.exposure != Ppm::ZERO);
    let Some((target, candle)) = last else {
        return;
    };
    if goes_to_work && is_fresh(parts, candle.close_time()) {
        decide_on(parts, &candle, out);
        apply_target(parts, place, target, out);
    } else {
        parts.bots.at_mut(place).set_last_entry(LastEntry::Denied);
    }
}

/// A past candle is decided on after all: it is announced as the cause of what follows, and its close is the price.
fn decide_on(parts: &mut Parts, candle: &Candle, out: &mut Outputs) {
    let id = parts.emit(None, EventKind::CandleClosed(*candle), out);
    parts.context.set_trigger(Trigger::Event(id));
    parts.context.set_reference(Some(candle.close));
}

/// Calls a strategy of the inline lane.
#[inline(always)]
fn call(
    parts: &mut Parts,
    place: BotInstrument,
    wake: Wake,
    candle: Option<&Candle>,
    carried_out: CarriedOut,
) -> Evaluated {
    let bot = parts.bots.bot(place.bot());
    let state = &bot.instruments()[place.slot()];
    let market = MarketOf {
        instruments: &parts.config.instruments,
        market: &parts.market,
    };
    let config = bot.config();
    let view = View {
        at: parts.context.at(),
        instrument: parts.config.instrument(state.instrument()),
        slot: place.slot(),
        role: if parts.bots.is_traded(place) {
            Role::Traded
        } else {
            Role::Read
        },
        quote: parts.market.quote(state.instrument()),
        position: *state.position(),
        budget: budget(parts, place),
        reads: Reads::new(&config.reads, &market),
        // A number of now says nothing of a past candle.
        numbers: match carried_out {
            CarriedOut::Nothing => Numbers::none(),
            _ => parts.market.numbers(),
        },
        feed: parts.market.feed_status(state.instrument()),
        standing: standing(config, state, &parts.targets),
        carried_out,
        last_entry: state.last_entry(),
        depth: parts.market.live_depth(state.instrument()),
        exposure: state.engaged_exposure(),
        members: config.universe.map(|_| bot.members().by_slot()),
    };
    parts.strategies.call(place.bot(), &view, wake, candle)
}

/// What an exposure of 1 is worth: a strategy in a process turns stakes and amounts into shares of it, so it sees what the desk sizes by.
#[inline]
fn budget(parts: &Parts, place: BotInstrument) -> Amount {
    let bot = parts.bots.bot(place.bot());
    let config = bot.config();
    if config.process.is_none() {
        return bot.budget();
    }
    let equity = sizing_equity(parts, place);
    match config.sizer {
        Sizer::Value(value) => value.min(equity),
        Sizer::Share(share) => equity.share(share).unwrap_or(equity),
        Sizer::Fixed(_) | Sizer::RiskToStop(_) | Sizer::VolatilityTarget(_) => equity,
    }
}

/// The target that a bot follows, if an outside process steers it.
fn standing<'a>(
    config: &BotConfig,
    state: &'a InstrumentState,
    targets: &Targets,
) -> Option<Standing<'a>> {
    let control = config.external.as_ref()?;
    Some(Standing {
        target: state.standing(),
        is_source_live: targets.is_live(&control.source),
        on_expiry: control.on_expiry,
        exposure: state.exposure(),
    })
}

/// The market as strategies read it.
#[derive(Debug)]
struct MarketOf<'a> {
    instruments: &'a [Instrument],
    market: &'a Market,
}

impl MarketReader for MarketOf<'_> {
    fn read(&self, instrument: InstrumentId) -> Option<Reading<'_>> {
        Some(Reading {
            instrument: self.instruments.get(instrument.index())?,
            health: self.market.health(instrument),
            quote: self.market.quote(instrument),
            depth: self.market.live_depth(instrument),
            trades: self.market.recent_trades(instrument),
        })
    }
}

/// What a bot reads, copied for another lane.
fn read_data(parts: &Parts, bot: BotId) -> Vec<ReadData> {
    let reads = parts.bots.bot(bot).config().reads.iter();
    let data = reads.map(|&instrument| ReadData {
        instrument,
        health: parts.market.health(instrument),
        quote: parts.market.quote(instrument).copied(),
        depth: parts.market.live_depth(instrument).cloned(),
        trades: parts.market.recent_trades(instrument).to_vec(),
    });
    data.collect()
}

/// The answer of the inline lane, in the words of all lanes.
fn outcome(evaluated: Evaluated) -> EvaluationOutcome {
    match evaluated {
        Evaluated::Decided(decision) => EvaluationOutcome::Decided(decision),
        Evaluated::Failed(StrategyError::Process(text)) => {
            EvaluationOutcome::Failed(EvaluationError::Process(text))
        }
        Evaluated::Failed(error) => {
            EvaluationOutcome::Failed(EvaluationError::Error(error.to_string()))
        }
        Evaluated::NotTraded(name) => EvaluationOutcome::Failed(EvaluationError::NotTraded(name)),
        Evaluated::Panicked(message) => EvaluationOutcome::Failed(EvaluationError::Panic(message)),
    }
}

/// Requests a decision of another lane. While the last request is unanswered, a quote is skipped and counted; everything else waits.
fn request_decision(
    parts: &mut Parts,
    place: BotInstrument,
    wake: Wake,
    candle: Option<&Candle>,
    out: &mut Outputs,
) {
    let bot = place.bot();
    if is_feed(parts, bot, wake) {
        return send(parts, place, wake, candle, None, out);
    }
    let is_quote = matches!(wake, Wake::Quote | Wake::ReadQuote(_));
    if is_quote && parts.bots.bot_mut(bot).lane_mut().is_waiting() {
        let cause = parts.context.cause(out);
        return note_late(parts, bot, cause, out);
    }
    let wanted = queued(parts, place, wake, candle, out);
    request_or_queue(parts, wanted, out);
}

/// Whether a wake only feeds a strategy: a process decides on the candles of its first timeframe.
fn is_feed(parts: &Parts, bot: BotId, wake: Wake) -> bool {
    let process = parts.bots.bot(bot).config().process.as_deref();
    match (wake, process) {
        // Rules over a model decide when the last candle of a close is there.
        (Wake::Candle(interval), Some(process)) => {
            process.kind != StrategyProcess::MODEL && interval != process.base()
        }
        _ => false,
    }
}

/// A wake with what is known of it now.
fn queued(
    parts: &mut Parts,
    place: BotInstrument,
    wake: Wake,
    candle: Option<&Candle>,
    out: &mut Outputs,
) -> QueuedWake {
    QueuedWake {
        place,
        wake,
        candle: candle.copied(),
        cause: parts.context.cause(out),
        reference: parts.context.reference(),
        since: parts.now(),
        exits_only: false,
    }
}

/// Requests a decision, or has it wait until the open request is answered. A newer candle takes the place of one that waits, with
/// which the strategy is only fed then.
fn request_or_queue(parts: &mut Parts, wanted: QueuedWake, out: &mut Outputs) {
    let bot = wanted.place.bot();
    let lane = parts.bots.bot_mut(bot).lane_mut();
    if !lane.is_waiting() {
        return request(parts, &wanted, out);
    }
    if let Some(older) = lane.queue(wanted) {
        note_late(parts, bot, older.cause, out);
        feed_with(parts, &older, out);
    }
}

/// Feeds a strategy with a candle that waits, before newer ones follow.
fn feed_queued(parts: &mut Parts, place: BotInstrument, wake: Wake, out: &mut Outputs) {
    let lane = parts.bots.bot_mut(place.bot()).lane_mut();
    if let Some(older) = lane.take_queued(place, wake) {
        note_late(parts, place.bot(), older.cause, out);
        feed_with(parts, &older, out);
    }
}

fn feed_with(parts: &mut Parts, older: &QueuedWake, out: &mut Outputs) {
    if let (Wake::Candle(_), Some(candle)) = (older.wake, &older.candle) {
        send(parts, older.place, older.wake, Some(candle), None, out);
    }
}

/// Requests what waits for the answer that has come.
fn request_next(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let runtime = parts.bots.bot_mut(bot);
    let is_at_work = runtime.is_awake() || runtime.state() == BotState::Warming;
    if !is_at_work || runtime.lane_mut().is_waiting() {
        return;
    }
    let Some(mut next) = runtime.lane_mut().next_queued() else {
        return;
    };
    let time_to_live = parts.config.limits.intent_ttl_candle;
    let waited = parts.now().since(next.since);
    next.exits_only |= time_to_live.is_some_and(|limit| waited > limit);
    request(parts, &next, out);
}

fn request(parts: &mut Parts, wanted: &QueuedWake, out: &mut Outputs) {
    let place = wanted.place;
    let state = parts.bots.at(place);
    let pending = PendingRequest {
        request: 0,
        place,
        cause: wanted.cause,
        reference: wanted.reference,
        opened_at: state.position().opened_at,
        exposure: state.engaged_exposure(),
        exits_only: wanted.exits_only,
    };
    let candle = wanted.candle.as_ref();
    send(parts, place, wanted.wake, candle, Some(pending), out);
    let deadline = match parts.bots.bot(place.bot()).config().lane {
        Lane::Process => PROCESS_DEADLINE,
        Lane::Inline | Lane::Thread => EVALUATION_DEADLINE,
    };
    let at = parts.now() + parts.deadline(deadline);
    let timer = Timer::EvaluationDeadline(place.bot());
    parts.timers.set(at, timer, out);
}

/// Sends a request. Without `wants` it is a candle that the strategy is fed with: its decision is ignored.
fn send(
    parts: &mut Parts,
    place: BotInstrument,
    wake: Wake,
    candle: Option<&Candle>,
    wants: Option<PendingRequest>,
    out: &mut Outputs,
) {
    let decide = wants.is_some();
    let carried_out = match wants {
        None => CarriedOut::Nothing,
        Some(wanted) if wanted.exits_only => CarriedOut::Exits,
        Some(_) => carried_out(parts, place.bot()),
    };
    let request = parts.bots.bot_mut(place.bot()).lane_mut().send(wants);
    let bot = parts.bots.bot(place.bot());
    let universe = bot.config().universe;
    let members = universe.map(|_| bot.members().by_slot().to_vec());
    let state = parts.bots.at(place);
    let feed = parts.market.feed_status(state.instrument());
    out.push(Output::Evaluate(Box::new(EvaluationRequest {
        bot: place.bot(),
        request,
        at: parts.now(),
        instrument: state.instrument(),
        wake,
        candle: candle.copied(),
        decide,
        carried_out,
        last_entry: state.last_entry(),
        quote: parts.market.quote(state.instrument()).copied(),
        position: *state.position(),
        budget: budget(parts, place),
        reads: read_data(parts, place.bot()),
        depth: parts.market.live_depth(state.instrument()).cloned(),
        exposure: state.engaged_exposure(),
        feed: (feed.health, feed.since),
        // A number of now says nothing of a past candle.
        numbers: match decide {
            true => parts.market.numbers().clone(),
            false => Numbers::default(),
        },
        members,
    })));
}

/// An answer of another lane. One to an older request is dropped and counted.
pub(crate) fn on_evaluation(parts: &mut Parts, evaluation: &Evaluation, out: &mut Outputs) {
    let bot = evaluation.bot;
    let Some(runtime) = parts.bots.get_mut(bot).filter(|bot| bot.is_remote()) else {
        return;
    };
    let lane = runtime.lane_mut();
    let Some(pending) = lane.take(evaluation.request) else {
        let is_current = lane.is_current(evaluation.request);
        return match &evaluation.outcome {
            EvaluationOutcome::Decided(None) => {}
            // A feed is not answered with a decision, but it can fail.
            EvaluationOutcome::Failed(error) if is_current => fail_bot(parts, bot, error, out),
            EvaluationOutcome::Decided(Some(_)) | EvaluationOutcome::Failed(_) => {
                note_late(parts, bot, None, out);
            }
        };
    };
    let timer = Timer::EvaluationDeadline(bot);
    parts.timers.cancel(timer, out);
    parts.context.set_reference(pending.reference);
    if let Some(cause) = pending.cause {
        parts.context.set_trigger(Trigger::Event(cause));
    }
    if is_outdated(parts, &pending, &evaluation.outcome) {
        parts
            .bots
            .at_mut(pending.place)
            .set_last_entry(LastEntry::Denied);
        note_late(parts, bot, pending.cause, out);
    } else {
        let mut outcome = evaluation.outcome.clone();
        if let EvaluationOutcome::Decided(Some(Decision::Target(target))) = &mut outcome
            && pending.exits_only
        {
            *target = exit_of(target);
        }
        apply_decision(parts, pending.place, outcome, out);
    }
    request_next(parts, bot, out);
}

/// Whether an answer would enter by what is over: the position that the strategy saw was closed since, or is being closed, or the
/// close is too old for an entry. An exit is never outdated.
fn is_outdated(parts: &Parts, pending: &PendingRequest, outcome: &EvaluationOutcome) -> bool {
    let EvaluationOutcome::Decided(Some(Decision::Target(target))) = outcome else {
        return false;
    };
    if target.exposure == Ppm::ZERO || leaves(parts, pending.place, target) {
        return false;
    }
    let state = parts.bots.at(pending.place);
    let is_closed = pending.opened_at.is_some() && pending.opened_at != state.position().opened_at;
    let is_left = pending.exposure != Ppm::ZERO
        && (state.engaged_exposure() == Ppm::ZERO || is_leaving(parts, pending.place));
    pending.exits_only || is_closed || is_left
}

/// A strategy of another lane hands in its state. The state of a strategy that was rebuilt since is ignored.
pub(crate) fn on_lane_state(parts: &mut Parts, state: &LaneState) {
    let bot = parts.bots.get_mut(state.bot);
    let Some(bot) = bot.filter(|bot| bot.is_remote()) else {
        return;
    };
    if bot.lane_mut().is_current(state.request) {
        parts.strategies.keep_lane(state);
    }
}

/// Counts and announces an evaluation that was skipped, or an answer that came too late.
fn note_late(parts: &mut Parts, bot: BotId, cause: Option<EventId>, out: &mut Outputs) {
    let activity = parts.bots.bot_mut(bot).activity_mut();
    activity.skipped += 1;
    let skipped = activity.skipped;
    parts.counters.late_evaluation();
    // A stream of quotes is counted. What is stored is the first that each request skips.
    if parts.bots.bot_mut(bot).lane_mut().announces_skip() {
        parts.emit(cause, EventKind::EvaluationLate { bot, skipped }, out);
    }
}

/// Another lane has not answered in time.
pub(crate) fn on_evaluation_deadline(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let lane = parts.bots.get_mut(bot).map(|bot| bot.lane_mut());
    if let Some(pending) = lane.and_then(|lane| lane.take_pending()) {
        let overrun = EvaluationOutcome::Failed(EvaluationError::Overrun);
        apply_decision(parts, pending.place, overrun, out);
    }
}

/// Notes how late an evaluation was. The worst is kept.
pub(crate) fn note_lateness(parts: &mut Parts, bot: BotId, late: Duration) {
    let worst = &mut parts.bots.bot_mut(bot).activity_mut().lateness_max_nanos;
    *worst = (*worst).max(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX));
}

/// A bot's own interval: it is evaluated on each of its instruments, and the next wake is set.
pub(crate) fn on_bot_timer(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let Some(runtime) = parts.bots.get(bot).filter(|bot| bot.is_awake()) else {
        return;
    };
    let due: Timestamp = runtime.next_timer().unwrap_or_else(|| parts.now());
    note_lateness(parts, bot, parts.now().since(due));
    parts.counters.closed_at(due);
    for place in parts.bots.places(bot) {
        if !parts.bots.is_traded(place) {
            continue;
        }
        let instrument = parts.bots.at(place).instrument();
        if let Some(quote) = parts.market.quote(instrument) {
            parts.context.set_trigger(Trigger::Quote(*quote, None));
        }
        wake(parts, place, Wake::Timer, None, out);
    }
    set_bot_timer(parts, bot, out);
}
