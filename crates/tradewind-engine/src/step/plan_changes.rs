//! How a position is guarded changes while it is held: nothing is bought or sold for it. The new plan is announced, so that recovery
//! needs no strategy.

use tradewind_events::{EventKind, Outputs, SignalDetails, SignalSource, Timer};
use tradewind_model::{BotId, ExitPlan, Ppm, Price, Reason, Target};
use tradewind_risk::PositionEffect;

use super::positions::refresh_position;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Takes over the exit plan of a target whose exposure is held already.
pub(crate) fn change_plan(
    parts: &mut Parts,
    place: BotInstrument,
    target: &Target,
    out: &mut Outputs,
) {
    let Some(plan) = target.exit.as_deref() else {
        return;
    };
    let state = parts.bots.at_mut(place);
    let is_held = !state.position().quantity.is_zero() && state.exposure() == target.exposure;
    if !is_held || state.exit() == plan {
        return;
    }
    state.set_exit(plan.clone());
    guard(parts, place, out);
}

/// Takes the loss of a position at `stop` from now on, unless its own stop is as near.
pub(crate) fn move_stop(
    parts: &mut Parts,
    place: BotInstrument,
    stop: Price,
    reason: Reason,
    out: &mut Outputs,
) {
    if !parts.bots.at_mut(place).tighten_stop(stop) {
        return;
    }
    let state = parts.bots.at(place);
    let (instrument, exposure) = (state.instrument(), state.exposure());
    let exit = Some(state.exit().clone());
    let cause = parts.context.cause(out);
    let signal = EventKind::SignalGenerated {
        bot: place.bot(),
        instrument,
        exposure,
        reason,
        quote: parts.context.quote(),
        details: Some(Box::new(SignalDetails {
            source: SignalSource::Stop,
            limit: None,
            exit,
        })),
    };
    parts.emit(cause, signal, out);
    guard(parts, place, out);
}

/// Lets the positions of a bot that are guarded by `before`, the plan of its configuration, be guarded by the one that it has now. A plan
/// of a position's own stays.
pub(crate) fn follow_configuration(
    parts: &mut Parts,
    bot: BotId,
    before: &ExitPlan,
    out: &mut Outputs,
) {
    let plan = parts.bots.bot(bot).config().exit.clone();
    if plan == *before {
        return;
    }
    for place in parts.bots.places(bot) {
        let state = parts.bots.at_mut(place);
        if state.exit() != before {
            continue;
        }
        state.set_exit(plan.clone());
        if !state.position().quantity.is_zero() {
            guard(parts, place, out);
        }
    }
}

/// Whether an exit of the whole position works or waits.
pub(crate) fn is_leaving(parts: &Parts, place: BotInstrument) -> bool {
    let state = parts.bots.at(place);
    let working = state.working();
    let working = working.and_then(|id| parts.orders.open_order(id));
    let exit = working.filter(|order| order.effect() == PositionEffect::Exit);
    // Only a decision changes the exposure: an exit plan closes a position under the one that it has.
    let leaves = exit.is_some_and(|exit| {
        state.exposure() == Ppm::ZERO || state.exposure() == exit.exposure_before()
    });
    leaves || state.waits_to_be_flat()
}

/// The exit monitor and the stop at the venue follow the plan.
fn guard(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    refresh_position(parts, place, out);
    if parts.config.venue_stop_distance.is_some() {
        let account = parts.bots.bot(place.bot()).config().account;
        let instrument = parts.bots.at(place).instrument();
        let now = parts.now();
        let timer = Timer::Protection(account, instrument);
        parts.timers.set_earlier(now, timer, out);
    }
}
