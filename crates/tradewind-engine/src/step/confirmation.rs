//! The book of a quiet instrument is read: entries that waited for it are carried out or denied.

use tradewind_events::{BookRead, BotState, Outputs};
use tradewind_model::{FeedHealth, LastEntry};

use super::decisions::{Decided, announce_target};
use super::exits::decide_jump;
use super::market_data::on_health;
use crate::context::Trigger;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// The answer to a reading. If the book shows the prices that are known, the instrument is quiet. If not, or if it cannot be read, its feed may
/// stand still: it is stale until its quote changes.
pub(crate) fn on_book(parts: &mut Parts, read: &BookRead, out: &mut Outputs) {
    let instrument = read.instrument;
    if !parts.market.contains(instrument) {
        return;
    }
    decide_jump(parts, read, out);
    if !parts
        .market
        .confirm(instrument, read.depth.as_ref(), parts.now())
    {
        on_health(parts, instrument, FeedHealth::Stale, out);
    }
    for bot in parts.bots.ids() {
        for place in parts.bots.places(bot) {
            if parts.bots.at(place).instrument() == instrument {
                carry_on(parts, place, out);
            }
        }
    }
}

/// Carries out an entry that waited, unless its time is over. On a stale instrument it is denied.
fn carry_on(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    let Some(waiting) = parts.bots.at_mut(place).take_unconfirmed() else {
        return;
    };
    let limits = &parts.config.limits;
    let time_to_live = match waiting.on_quote {
        true => limits.intent_ttl_quote,
        false => limits.intent_ttl_candle,
    };
    let waited = parts.now().since(waiting.since);
    let is_late = time_to_live.is_none_or(|limit| waited > limit);
    if is_late || parts.bots.bot(place.bot()).state() != BotState::Running {
        return parts.bots.at_mut(place).set_last_entry(LastEntry::Denied);
    }
    if let Some(cause) = waiting.cause {
        parts.context.set_trigger(Trigger::Event(cause));
    }
    parts.context.set_reference(waiting.reference);
    let decided = Decided {
        quote: None,
        on_quote: waiting.on_quote,
    };
    announce_target(parts, place, waiting.target, decided, out);
}
