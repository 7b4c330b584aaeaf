//! What is tried again at once when what stood in its way is gone.

use tradewind_events::{Outputs, Timer};
use tradewind_model::{InstrumentId, InstrumentStatus};

use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Looks again after every position that can be closed and protected now, in one instrument or in all.
pub(crate) fn retry(parts: &mut Parts, only: Option<InstrumentId>, out: &mut Outputs) {
    for bot in parts.bots.ids() {
        for place in parts.bots.places(bot) {
            let instrument = parts.bots.at(place).instrument();
            let is_meant = only.is_none_or(|only| only == instrument);
            if is_meant && lets_exit(parts, place) {
                retry_position(parts, place, out);
            }
        }
    }
}

fn retry_position(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    let now = parts.now();
    let state = parts.bots.at_mut(place);
    if state.position().quantity.is_zero() {
        return;
    }
    state.forget_refused_exits();
    let (instrument, waits) = (state.instrument(), state.has_next());
    if waits && state.working().is_none() {
        let timer = Timer::ExitRetry(place.bot(), instrument);
        parts.timers.set_earlier(now, timer, out);
    }
    if parts.config.venue_stop_distance.is_some() {
        let account = parts.bots.bot(place.bot()).config().account;
        let timer = Timer::Protection(account, instrument);
        parts.timers.set_earlier(now, timer, out);
    }
}

/// Whether trading state and venue let an exit of a position pass.
fn lets_exit(parts: &Parts, place: BotInstrument) -> bool {
    let account = parts.bots.bot(place.bot()).config().account;
    let instrument = parts.bots.at(place).instrument();
    let state = parts.state_for(account, instrument, Some(place.bot()));
    let status = parts.config.instrument(instrument).status;
    state.lets_exit() && status == InstrumentStatus::Trading
}
