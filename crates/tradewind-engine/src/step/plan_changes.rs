//! A target of the exposure that is held changes nothing but the exit plan, if it brings one: the new plan guards the position from now on.

use tradewind_events::{Outputs, Timer};
use tradewind_model::Target;

use super::positions::refresh_position;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Takes over the exit plan of a target that is held already. Its announcement holds the plan, so that recovery needs no strategy.
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
    refresh_position(parts, place, out);
    protect_soon(parts, place, out);
}

/// The stop at the venue follows.
fn protect_soon(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    if parts.config.venue_stop_distance.is_some() {
        let account = parts.bots.bot(place.bot()).config().account;
        let instrument = parts.bots.at(place).instrument();
        let now = parts.now();
        let timer = Timer::Protection(account, instrument);
        parts.timers.set_earlier(now, timer, out);
    }
}
