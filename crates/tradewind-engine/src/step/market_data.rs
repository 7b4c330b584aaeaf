//! Quotes, feeds and rules of instruments: what they change and which bots they wake.

use std::time::Duration;

use tradewind_events::{EventKind, Outputs, Timer};
use tradewind_model::{
    FeedHealth, Instrument, InstrumentId, InstrumentStatus, Quote, Timestamp, Wake,
};

use super::breakers::on_feed_failure;
use super::evaluation::wake;
use super::exits::{await_second_quote, is_suspect, watch_exits};
use super::retries::retry;
use crate::context::Trigger;
use crate::parts::Parts;

/// A quote: exits are checked first, then the bots that wake on quotes are evaluated.
///
/// Inlined, as is what it calls on most quotes: calls were a tenth of a backtest's instructions.
#[inline(always)]
pub(crate) fn on_quote(parts: &mut Parts, quote: &Quote, out: &mut Outputs) {
    let now = parts.now();
    let Some((health, before)) = parts.market.note_quote(quote.instrument, now) else {
        return;
    };
    // Nothing is decided on a price that may be wrong: no entry, no stop. The next quote decides about it.
    if !quote.is_sound() || is_suspect(parts, quote, before) {
        await_second_quote(parts, quote.instrument, out);
        return on_health(parts, quote.instrument, FeedHealth::Gap, out);
    }
    let is_news = !parts.config.own_gaps || parts.market.note_change(quote, now);
    parts.market.keep_quote(quote);
    parts.context.set_trigger(Trigger::Quote(*quote, None));
    // The same again, or an old one, does not end a silence.
    if health != FeedHealth::Live && (is_news || health != FeedHealth::Stale) {
        mark_live(parts, quote.instrument, health, out);
    }
    if parts.config.announce_quotes {
        parts.context.cause(out);
    }
    watch_exits(parts, quote, out);
    let mut index = 0;
    while let Some(&place) = parts.bots.woken_by_quote(quote.instrument).get(index) {
        wake(parts, place, Wake::Quote, None, out);
        index += 1;
    }
    if !parts.bots.woken_by_read_quote(quote.instrument).is_empty() {
        wake_readers(parts, quote.instrument, out);
    }
}

/// The bots that only read the instrument and subscribe to its quotes are evaluated on what they trade.
fn wake_readers(parts: &mut Parts, instrument: InstrumentId, out: &mut Outputs) {
    let mut index = 0;
    while let Some(&place) = parts.bots.woken_by_read_quote(instrument).get(index) {
        wake(parts, place, Wake::ReadQuote(instrument), None, out);
        index += 1;
    }
}

/// A sound quote ends staleness and a gap. What is read again is live only when its source reports it.
fn mark_live(parts: &mut Parts, instrument: InstrumentId, health: FeedHealth, out: &mut Outputs) {
    if health != FeedHealth::Resync {
        on_health(parts, instrument, FeedHealth::Live, out);
    }
}

/// A feed became better or worse. One that was live has failed.
pub(crate) fn on_health(
    parts: &mut Parts,
    instrument: InstrumentId,
    health: FeedHealth,
    out: &mut Outputs,
) {
    if set_health(parts, instrument, health, out) == Some(FeedHealth::Live) {
        on_feed_failure(parts, instrument, out);
    }
}

/// Sets and announces a feed's health. Returns the health before, if it was another.
fn set_health(
    parts: &mut Parts,
    instrument: InstrumentId,
    health: FeedHealth,
    out: &mut Outputs,
) -> Option<FeedHealth> {
    let before = parts
        .market
        .set_health(instrument, health, parts.context.at())?;
    let changed = EventKind::FeedHealthChanged { instrument, health };
    parts.emit(None, changed, out);
    Some(before)
}

/// New rules of an instrument. Its kind, assets, multiplier and decimals cannot change. Tick and step must be positive.
/// If it trades again, exits that waited for that are tried.
pub(crate) fn on_instrument(parts: &mut Parts, changed: &Instrument, out: &mut Outputs) {
    let instruments = &mut parts.config.instruments;
    let Some(instrument) = instruments.get_mut(changed.id.index()) else {
        return;
    };
    if fixed(instrument) == fixed(changed) && changed.tick.0 >= 1 && changed.step.0 >= 1 {
        let traded = instrument.status == InstrumentStatus::Trading;
        *instrument = Instrument {
            revision: instrument.revision + 1,
            ..changed.clone()
        };
        if !traded && changed.status == InstrumentStatus::Trading {
            retry(parts, Some(changed.id), out);
        }
    }
}

/// What no revision of an instrument can change.
fn fixed(of: &Instrument) -> impl PartialEq {
    let decimals = (of.price_decimals, of.quantity_decimals);
    let assets = (of.base, of.quote, of.settlement);
    (of.kind, assets, of.multiplier, decimals)
}

/// The shortest time between two searches for silent feeds by their own gaps: ten in the time that little known ones have.
const SEARCH_EVERY: Duration = Duration::from_secs(1);

/// Feeds are checked for silence ten times per staleness limit, so that a stale feed is announced at most a tenth late. With limits of
/// their own they are checked each second.
pub(crate) fn set_staleness_timer(parts: &mut Parts, out: &mut Outputs) {
    let mut every = (parts.config.stale_after / 10).max(Duration::from_millis(1));
    if parts.config.own_gaps {
        every = every.min(parts.deadline(SEARCH_EVERY));
    }
    let at = parts.now() + every;
    parts.timers.set(at, Timer::Staleness, out);
}

/// The staleness timer is due: looks for silent feeds. Silence is not counted as a failure by the breaker: a quiet market is no fault.
pub(crate) fn on_staleness(parts: &mut Parts, out: &mut Outputs) {
    set_staleness_timer(parts, out);
    for index in 0..parts.config.instruments.len() {
        let instrument = parts.config.instruments[index].id;
        if is_silent(parts, instrument) {
            set_health(parts, instrument, FeedHealth::Stale, out);
        }
    }
}

/// Whether a feed counts as live and has been silent for longer than it may: than five times its own rare gaps, where the desk goes
/// by these, and never longer than `stale_after`.
fn is_silent(parts: &Parts, instrument: InstrumentId) -> bool {
    let (now, most) = (parts.now(), parts.config.stale_after);
    if !parts.config.own_gaps {
        return parts.market.is_silent(instrument, most, now);
    }
    let (silence, limit) = parts.market.silence(instrument, now);
    let limit = parts.deadline(limit.min(most));
    parts.market.health(instrument) == FeedHealth::Live && silence > limit
}

/// A source reports that a feed became better or worse. Only then is a book forgotten: on a quote that jumps, the book of before is
/// what an exit is still sliced by.
pub(crate) fn on_reported_health(
    parts: &mut Parts,
    instrument: InstrumentId,
    health: FeedHealth,
    received_at: Option<Timestamp>,
    out: &mut Outputs,
) {
    if health != FeedHealth::Live {
        let is_lost = matches!(health, FeedHealth::Gap | FeedHealth::Resync);
        let now = parts.now();
        let at = received_at.map_or(now, |at| at.min(now));
        parts.market.on_loss(instrument, is_lost.then_some(at));
    }
    on_health(parts, instrument, health, out);
}
