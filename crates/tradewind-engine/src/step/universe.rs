//! Universes: which of its instruments a bot may enter. The choice of a day is made by a timer one minute after 00:00 UTC, and when a
//! bot has its past candles, from closed days up to 00:00 UTC alone. So a replay, and a restart within the day, choose the same.

use tradewind_events::{EventKind, Outputs, Timer, UniverseView};
use tradewind_model::{BotId, Candle, Day, InstrumentId, Interval, Target, Timestamp, Universe};

use crate::parts::Parts;
use crate::parts::bot::Bot;
use crate::parts::bot_instrument::BotInstrument;

/// The reason shown where a bot would enter an instrument that is no member.
pub(super) const NO_MEMBER: &str = "not a member of its universe: it only leaves";

/// Keeps a closed day of a candidate. True if the bot's strategy has no use for the candle.
pub(super) fn note_day(parts: &mut Parts, place: BotInstrument, candle: &Candle) -> bool {
    let bot = parts.bots.bot(place.bot());
    let Some(universe) = bot.config().universe else {
        return false;
    };
    if candle.interval != Interval::Day1 || !parts.bots.is_traded(place) {
        return false;
    }
    let day = Day::of(candle, parts.config.instrument(candle.instrument));
    let bot = parts.bots.bot_mut(place.bot());
    bot.members_mut().note(place.slot(), day, &universe);
    parts.strategies.skips_days(place.bot())
}

/// A bot has its past candles: its members are chosen, and the next choice is timed.
pub(super) fn begin(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    if let Some(universe) = parts.bots.bot(bot).config().universe {
        choose(parts, bot, &universe, out);
        set_timer(parts, bot, out);
    }
}

/// The choice of the day is due. A bot that is not at work chooses when it has its past candles again.
pub(crate) fn on_timer(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let known = parts.bots.get(bot).filter(|bot| bot.is_awake());
    let universe = known.and_then(|bot| bot.config().universe);
    if let Some(universe) = universe {
        choose(parts, bot, &universe, out);
        set_timer(parts, bot, out);
    }
}

fn set_timer(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    let at = next_choice(parts.now());
    parts.timers.set(at, Timer::Universe(bot), out);
}

/// The first choice after `now`.
fn next_choice(now: Timestamp) -> Timestamp {
    let today = Interval::Day1.open_time(now) + Universe::AFTER;
    if today > now {
        today
    } else {
        today + Interval::Day1.duration()
    }
}

fn choose(parts: &mut Parts, bot: BotId, universe: &Universe, out: &mut Outputs) {
    // Before the minute is over, the candles of the last day may not have come: the choice of the day before stands.
    let midnight = Interval::Day1.open_time(parts.now() - Universe::AFTER);
    let runtime = parts.bots.bot_mut(bot);
    let candidates = runtime.config().instruments.clone();
    let slots: Vec<(usize, InstrumentId)> = candidates
        .into_iter()
        .filter_map(|one| Some((runtime.slot_of(one)?, one)))
        .collect();
    let members = runtime.members_mut();
    let Some(choice) = members.choose(universe, slots.into_iter(), midnight) else {
        return;
    };
    take_over(parts, bot, &choice.members);
    let left = choice.left.clone();
    let changed = EventKind::UniverseChanged {
        bot,
        members: choice.members,
        joined: choice.joined,
        left: choice.left,
    };
    parts.emit(None, changed, out);
    parts.orders.cancel_entries_that(
        |order| order.bot() == Some(bot) && left.contains(&order.terms().instrument),
        out,
    );
}

/// Takes members over, as they were chosen.
pub(crate) fn take_over(parts: &mut Parts, bot: BotId, members: &[InstrumentId]) {
    let now = parts.now();
    if let Some(runtime) = parts.bots.get_mut(bot) {
        let slots: Vec<InstrumentId> = runtime
            .instruments()
            .iter()
            .map(|state| state.instrument())
            .collect();
        let known = runtime.members_mut();
        known.set(members, slots.into_iter(), now);
    }
}

/// Whether a bot may enter at a place: it has no universe, or this is a member.
pub(super) fn lets_enter(parts: &Parts, place: BotInstrument) -> bool {
    let bot = parts.bots.bot(place.bot());
    bot.config().universe.is_none() || bot.members().contains(place.slot())
}

/// Whether a target wants more, or the other side, of what is no member.
pub(super) fn refuses(parts: &Parts, place: BotInstrument, target: &Target) -> bool {
    if lets_enter(parts, place) {
        return false;
    }
    let state = parts.bots.at(place);
    let (held, wanted) = (state.position().quantity.0.signum(), target.exposure.0);
    let is_more = held == 0 || wanted.abs() > state.engaged_exposure().0.abs();
    wanted != 0 && (is_more || wanted.signum() != held)
}

/// The universe of a bot, for observers.
pub(crate) fn view(bot: &Bot) -> Option<UniverseView> {
    bot.config().universe.map(|_| UniverseView {
        members: bot.members().chosen().to_vec(),
        as_of: bot.members().as_of(),
        changed_at: bot.members().changed_at(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_choice_is_a_minute_after_midnight() {
        let check = |now: i64, wanted: i64| {
            let next = next_choice(Timestamp::from_secs(now));
            assert_eq!(next, Timestamp::from_secs(wanted), "{now}");
        };
        check(86_400, 86_460);
        check(86_459, 86_460);
        check(86_460, 2 * 86_400 + 60);
    }
}
