//! A strategy moves the stop of a position that it holds. A stop only tightens.

use tradewind_events::{EventKind, Outputs, SignalDetails, SignalSource, Timer};
use tradewind_model::{Price, Reason};

use super::positions::refresh_position;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Takes the loss of a position at `stop` from now on, unless its own stop is as near. Announced, so that recovery needs no strategy.
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
    refresh_position(parts, place, out);
    protect_soon(parts, place, out);
}

/// The stop at the venue follows.
fn protect_soon(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    if parts.config.venue_stop_distance.is_some() {
        let account = parts.bots.bot(place.bot()).config().account;
        let instrument = parts.bots.at(place).instrument();
        let timer = Timer::Protection(account, instrument);
        let now = parts.now();
        parts.timers.set_earlier(now, timer, out);
    }
}
