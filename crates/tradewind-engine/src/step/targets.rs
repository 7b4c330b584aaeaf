//! Targets of outside processes: what is taken, what is refused, and the bots that follow.
//!
//! A target is kept in its bot's instrument and outlives a restart. What follows from it is a decision of the strategy `external`,
//! which goes the way of every decision.

use tradewind_events::{BotConfig, EventKind, ExternalTarget, Outputs, TargetFault, Timer};
use tradewind_model::{
    BotId, FeedHealth, Instrument, InstrumentId, InstrumentKind, Ppm, StandingTarget, Wake,
};

use super::evaluation::wake;
use crate::context::Trigger;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Places behind the point that an exposure has.
const EXPOSURE_PLACES: u8 = 6;

/// Why a target is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("there is no bot {0:?}")]
    NoBot(String),
    #[error("bot {0} takes no targets: its strategy is not external")]
    NotExternal(String),
    #[error("bot {bot} takes targets of {steered_by} only")]
    OtherSource { bot: String, steered_by: String },
    #[error("bot {bot} does not trade {instrument:?}")]
    NotTraded { bot: String, instrument: String },
    #[error(transparent)]
    Invalid(#[from] TargetFault),
    #[error("the exposure {exposure} is short, and {instrument} has no short positions")]
    ShortSpot {
        exposure: String,
        instrument: String,
    },
}

/// A target that was sent for a bot of the desk.
#[derive(Clone, Copy, Debug)]
struct Aimed {
    place: BotInstrument,
    target: StandingTarget,
}

/// A target: it is kept if it is newer than the one there is, and its bot is evaluated.
pub(crate) fn on_target(parts: &mut Parts, sent: &ExternalTarget, out: &mut Outputs) {
    let aimed = match aim(parts, sent) {
        Ok(aimed) => aimed,
        Err(refusal) => {
            let bot = named(parts, &sent.bot);
            return refuse(parts, &sent.source, bot, &refusal.to_string(), out);
        }
    };
    let (now, place) = (parts.now(), aimed.place);
    let state = parts.bots.at_mut(place);
    let known = state.standing().filter(|known| !known.is_expired(now));
    let is_news = known.is_none_or(|known| known.exposure != aimed.target.exposure);
    if !state.follow(aimed.target, now) {
        return parts.targets.note_ignored(&sent.source);
    }
    parts.targets.note_taken(&sent.source);
    let instrument = parts.bots.at(place).instrument();
    if is_news {
        let received = EventKind::TargetReceived {
            source: sent.source.clone(),
            bot: place.bot(),
            instrument,
            exposure: aimed.target.exposure,
            event_time: aimed.target.event_time,
            expires: aimed.target.expires,
        };
        let id = parts.emit(None, received, out);
        parts.context.set_trigger(Trigger::Event(id));
    }
    follow(parts, place, out);
}

/// The same without decisions, which have records of their own.
pub(crate) fn fold_target(parts: &mut Parts, sent: &ExternalTarget) {
    if let Ok(aimed) = aim(parts, sent) {
        let now = parts.now();
        parts.bots.at_mut(aimed.place).follow(aimed.target, now);
    }
}

/// Counts a target that is refused, and announces it unless one of its source was announced just now.
pub(crate) fn refuse(
    parts: &mut Parts,
    source: &str,
    bot: Option<BotId>,
    reason: &str,
    out: &mut Outputs,
) {
    let now = parts.now();
    if let Some(refused) = parts.targets.note_refused(source, reason, now) {
        let refusal = EventKind::TargetRefused {
            source: source.to_owned(),
            bot,
            reason: reason.to_owned(),
            refused,
        };
        parts.emit(None, refusal, out);
    }
}

/// A source is connected and subscribed, is not, or has lost messages. Its bots are evaluated once it is there.
pub(crate) fn on_source_health(
    parts: &mut Parts,
    source: &str,
    health: FeedHealth,
    out: &mut Outputs,
) {
    note_health(parts, source, health, out);
    if health == FeedHealth::Gap {
        return;
    }
    for bot in steered_by(parts, source) {
        follow_all(parts, bot, out);
    }
}

/// The same without decisions. While a source is away, and where messages of it went missing, a newer target than any of its bots
/// has may be among what was not read.
pub(crate) fn note_health(parts: &mut Parts, source: &str, health: FeedHealth, out: &mut Outputs) {
    if health != FeedHealth::Gap {
        parts.targets.set_live(source, health == FeedHealth::Live);
    }
    if health != FeedHealth::Live {
        for bot in steered_by(parts, source) {
            doubt(parts, bot, out);
        }
    }
}

/// A newer target may have been missed: nothing is opened on those that a bot has, until one is read.
pub(crate) fn doubt(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    if parts.bots.bot(bot).config().external.is_none() {
        return;
    }
    for place in parts.bots.places(bot) {
        parts.bots.at_mut(place).doubt_target();
        withdraw_entry(parts, place, out);
    }
}

/// Cancels an entry at work. Its remainder is not placed again.
fn withdraw_entry(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    if let Some(working) = parts.bots.at(place).working() {
        parts.orders.withdraw_entry(working, out);
    }
}

/// Whether a bot may open or enlarge a position: it steers itself, or its target counts, is the newest that its source can have
/// sent, and comes from a source that is there.
pub(crate) fn lets_enter(parts: &Parts, place: BotInstrument) -> bool {
    let Some(control) = &parts.bots.bot(place.bot()).config().external else {
        return true;
    };
    let standing = parts.bots.at(place).standing();
    let counts = |target: &StandingTarget| !target.is_doubtful && !target.is_expired(parts.now());
    standing.is_some_and(counts) && parts.targets.is_live(&control.source)
}

/// A target expired.
pub(crate) fn on_expiry(
    parts: &mut Parts,
    bot: BotId,
    instrument: InstrumentId,
    out: &mut Outputs,
) {
    note_expiry(parts, bot, instrument, out);
    if let Some(place) = parts.bots.place(bot, instrument) {
        follow(parts, place, out);
    }
}

/// The same without decisions: an entry that works towards it is cancelled.
pub(crate) fn note_expiry(
    parts: &mut Parts,
    bot: BotId,
    instrument: InstrumentId,
    out: &mut Outputs,
) {
    let Some(place) = parts.bots.place(bot, instrument) else {
        return;
    };
    let now = parts.now();
    let standing = parts.bots.at(place).standing();
    if standing.is_some_and(|target| target.is_expired(now)) {
        withdraw_entry(parts, place, out);
    }
}

/// A bot is steered by another source, or by none, whose targets are not those that it had: what works towards them is cancelled.
pub(crate) fn forget(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    for place in parts.bots.places(bot) {
        parts.bots.at_mut(place).forget_target();
        withdraw_entry(parts, place, out);
    }
}

/// A bot goes to work, or its source changed: it is evaluated on all targets that stand. In a recovery it is not: what it decided is in the
/// records.
pub(crate) fn follow_all(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    if parts.is_recovering || parts.bots.bot(bot).config().external.is_none() {
        return;
    }
    for place in parts.bots.places(bot) {
        parts.context.set_trigger(Trigger::None);
        follow(parts, place, out);
    }
}

/// Evaluates a bot on the target that stands, and again when that expires.
fn follow(parts: &mut Parts, place: BotInstrument, out: &mut Outputs) {
    let is_steered = parts.bots.bot(place.bot()).config().external.is_some();
    let state = parts.bots.at(place);
    let Some(standing) = state.standing().filter(|_| is_steered) else {
        return;
    };
    let (expires, instrument) = (standing.expires, state.instrument());
    if expires > parts.now() {
        let timer = Timer::TargetExpiry(place.bot(), instrument);
        parts.timers.set(expires, timer, out);
    }
    if parts.bots.is_traded(place) {
        wake(parts, place, Wake::Target, None, out);
    }
}

/// Whom a target is for and what it says, if it may be followed.
fn aim(parts: &Parts, sent: &ExternalTarget) -> Result<Aimed, Refusal> {
    let bot = named(parts, &sent.bot).ok_or_else(|| Refusal::NoBot(sent.bot.clone()))?;
    let config = parts.bots.bot(bot).config();
    let control = config.external.as_ref();
    let control = control.ok_or_else(|| Refusal::NotExternal(sent.bot.clone()))?;
    if control.source != sent.source {
        return Err(Refusal::OtherSource {
            bot: sent.bot.clone(),
            steered_by: control.source.clone(),
        });
    }
    let instrument = traded(parts, config, &sent.instrument);
    let place = instrument.and_then(|instrument| parts.bots.place(bot, instrument.id));
    let Some((instrument, place)) = instrument.zip(place) else {
        return Err(Refusal::NotTraded {
            bot: sent.bot.clone(),
            instrument: sent.instrument.clone(),
        });
    };
    sent.check()?;
    let target = StandingTarget {
        exposure: exposure(sent, instrument)?,
        event_time: sent.event_time,
        sequence: sent.sequence,
        expires: sent.expires,
        is_doubtful: false,
        is_closed: false,
    };
    Ok(Aimed { place, target })
}

/// The exposure, rounded towards zero, unless it is short where there are no short positions.
fn exposure(sent: &ExternalTarget, instrument: &Instrument) -> Result<Ppm, Refusal> {
    let exposure = sent.exposure.truncated(EXPOSURE_PLACES);
    let exposure = exposure.ok_or(TargetFault::Beyond(sent.exposure))?;
    let exposure = Ppm(exposure);
    if exposure < Ppm::ZERO && instrument.kind == InstrumentKind::Spot {
        return Err(Refusal::ShortSpot {
            exposure: sent.exposure.to_string(),
            instrument: instrument.name.clone(),
        });
    }
    Ok(exposure)
}

/// The bot of a name, unless it was removed.
fn named(parts: &Parts, name: &str) -> Option<BotId> {
    let mut bots = parts.bots.iter().filter(|bot| !bot.is_removed());
    let found = bots.find(|bot| bot.config().name == name)?;
    Some(found.config().id)
}

/// The instrument of a name, if a bot trades it.
fn traded<'a>(parts: &'a Parts, config: &BotConfig, name: &str) -> Option<&'a Instrument> {
    let ids = config.instruments.iter();
    let mut traded = ids.map(|id| parts.config.instrument(*id));
    traded.find(|instrument| instrument.name == name)
}

/// The bots that a source steers.
fn steered_by(parts: &Parts, source: &str) -> Vec<BotId> {
    let is_steered = |config: &BotConfig| {
        let control = config.external.as_ref();
        control.is_some_and(|control| control.source == source)
    };
    let bots = parts.bots.iter().map(|bot| bot.config());
    bots.filter(|config| is_steered(config))
        .map(|config| config.id)
        .collect()
}
