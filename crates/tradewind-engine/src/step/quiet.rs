//! D07: an instrument that is silent and not stale yet may be quiet, or its feed frozen. An entry there waits until its book is read.
//!
//! The decision waits in its place, unannounced. So a crash meanwhile loses a decision and no order. Exits do not wait.

use tradewind_events::{Output, Outputs};
use tradewind_model::{FeedHealth, InstrumentId, Target};

use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::gaps::LEAST;
use crate::parts::instrument_state::Unconfirmed;

/// Lets an entry wait for the book of a quiet instrument. False if it need not.
pub(super) fn awaits_book(
    parts: &mut Parts,
    place: BotInstrument,
    target: &Target,
    on_quote: bool,
    out: &mut Outputs,
) -> bool {
    drop(parts.bots.at_mut(place).take_unconfirmed());
    let instrument = parts.bots.at(place).instrument();
    if !parts.config.own_gaps || !enters(parts, place, target) || !is_quiet(parts, instrument) {
        return false;
    }
    let now = parts.now();
    let waiting = Unconfirmed {
        target: target.clone(),
        cause: parts.context.cause(out),
        reference: parts.context.reference(),
        on_quote,
        since: now,
    };
    parts.bots.at_mut(place).await_book(waiting);
    if parts.market.request_book(instrument, now) {
        let account = parts.bots.bot(place.bot()).config().account;
        out.push(Output::ReadBook {
            account,
            instrument,
        });
    }
    true
}

/// Whether a target opens or enlarges a position.
fn enters(parts: &Parts, place: BotInstrument, target: &Target) -> bool {
    let state = parts.bots.at(place);
    let (held, wanted) = (
        state.position().quantity.0.signum(),
        target.exposure.0.signum(),
    );
    wanted != 0 && (held == 0 || (held == wanted && state.exposure() != target.exposure))
}

/// Whether an instrument is live, and nothing has shown for 2 s that its quote is current.
fn is_quiet(parts: &Parts, instrument: InstrumentId) -> bool {
    let quiet_for = parts.market.unconfirmed_for(instrument, parts.now());
    parts.market.health(instrument) == FeedHealth::Live && quiet_for > parts.deadline(LEAST)
}
