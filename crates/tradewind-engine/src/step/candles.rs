//! Candles: from the venue or built from trades, fed to the bots that follow them, and refilled if some are missing.

use std::time::Duration;

use tradewind_events::{CandleHistory, CandleSource, EventKind, Outputs, Timer};
use tradewind_model::{Candle, InstrumentId, Interval, Timestamp, Trade, Wake};

use super::evaluation::{apply_past, feed_only, note_lateness, wake, warm_up};
use super::lifecycle::finish_warm_up;
use super::requests::request_candles;
use super::universe::note_day;
use crate::context::Trigger;
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::instrument_state::CandleOrder;
use crate::parts::market::BuiltCandles;

/// How long after its end a built candle waits for a trade that is on its way.
const CANDLE_GRACE: Duration = Duration::from_millis(250);

/// A public trade. Where candles are built from trades, it closes those that ended before it.
pub(crate) fn on_trade(parts: &mut Parts, trade: &Trade, out: &mut Outputs) {
    let is_known = parts.market.note_trade(trade);
    if !is_known || parts.config.candles != CandleSource::Trades {
        return;
    }
    let at = trade.event_time.unwrap_or(trade.received_at);
    close_built(parts, Some(trade.instrument), at, out);
    let instrument = parts.config.instrument(trade.instrument);
    let volume = instrument.quantity_amount(trade.quantity);
    for index in 0..parts.market.built() {
        if parts.market.build_with(index, trade, at, volume) {
            set_candle_timer(parts, out);
        }
    }
}

/// The queues before the engine lost trades.
pub(crate) fn on_trades_lost(parts: &mut Parts, count: u64, out: &mut Outputs) {
    parts.market.mark_incomplete();
    announce_gap(parts, None, Some(count), out);
}

/// Built candles whose end and grace have passed are closed, with or without a trade.
pub(crate) fn on_candle_close(parts: &mut Parts, out: &mut Outputs) {
    let until = parts.now() - CANDLE_GRACE;
    close_built(parts, None, until, out);
    set_candle_timer(parts, out);
}

fn close_built(parts: &mut Parts, only: Option<InstrumentId>, until: Timestamp, out: &mut Outputs) {
    for index in 0..parts.market.built() {
        match parts.market.close_built(index, only, until) {
            BuiltCandles::Hole(instrument) => announce_gap(parts, Some(instrument), None, out),
            BuiltCandles::Closed(candles) => {
                for candle in candles {
                    on_candle(parts, &candle, out);
                }
            }
        }
    }
}

/// Candles that a feed missed and that its venue does not have either. What follows them is fed like every other candle: a bot
/// reads its past again before it continues.
pub(crate) fn on_candles_missing(
    parts: &mut Parts,
    (instrument, interval): (InstrumentId, Interval),
    (from, to): (Timestamp, Timestamp),
    out: &mut Outputs,
) {
    let length = interval.duration().as_nanos().max(1);
    let gap = EventKind::Gap {
        instrument: Some(instrument),
        missing: u64::try_from(to.since(from).as_nanos() / length).ok(),
        from: Some(from),
        to: Some(to),
    };
    parts.emit(None, gap, out);
}

fn announce_gap(
    parts: &mut Parts,
    instrument: Option<InstrumentId>,
    missing: Option<u64>,
    out: &mut Outputs,
) {
    let gap = EventKind::Gap {
        instrument,
        missing,
        from: None,
        to: None,
    };
    parts.emit(None, gap, out);
}

fn set_candle_timer(parts: &mut Parts, out: &mut Outputs) {
    if let Some(end) = parts.market.next_end() {
        let at = end + CANDLE_GRACE;
        parts.timers.set(at, Timer::CandleClose, out);
    }
}

/// A closed candle: every bot that follows it is fed, and evaluated if it is new to it.
pub(crate) fn on_candle(parts: &mut Parts, candle: &Candle, out: &mut Outputs) {
    if !parts.market.note_candle(candle.instrument) {
        return;
    }
    if !candle.is_sound() {
        return announce_gap(parts, Some(candle.instrument), None, out);
    }
    let id = parts.emit(None, EventKind::CandleClosed(*candle), out);
    parts.context.set_trigger(Trigger::Event(id));
    let (instrument, interval) = (candle.instrument, candle.interval);
    for index in 0..parts.bots.fed_by_candle(instrument, interval).len() {
        let place = parts.bots.fed_by_candle(instrument, interval)[index];
        feed(parts, place, candle, out);
    }
}

fn feed(parts: &mut Parts, place: BotInstrument, candle: &Candle, out: &mut Outputs) {
    let is_awake = parts.bots.bot(place.bot()).is_awake();
    let state = parts.bots.at_mut(place);
    if !is_awake || state.is_awaiting(candle.interval) {
        return;
    }
    match state.classify(candle) {
        CandleOrder::Old => {}
        CandleOrder::Next => {
            state.note_candle(candle, parts.config.instrument(candle.instrument));
            if note_day(parts, place, candle) {
                return;
            }
            let close = candle.close_time();
            parts.counters.closed_at(close);
            note_lateness(parts, place.bot(), parts.now().since(close));
            if parts.bots.is_traded(place) {
                let by = Wake::Candle(candle.interval);
                wake(parts, place, by, Some(candle), out);
                while let Some(slot) = parts.strategies.next_ready(place.bot()) {
                    let mut places = parts.bots.places(place.bot());
                    if let Some(other) = places.find(|other| other.slot() == slot) {
                        wake(parts, other, Wake::Timer, None, out);
                    }
                }
            } else {
                feed_read(parts, place, candle, out);
            }
        }
        // This evaluation is skipped and the hole filled from the venue: no strategy sees a series with a hole.
        CandleOrder::Gap => request_candles(parts, place, candle.interval, out),
    }
}

/// A candle of an instrument that a bot only reads: its strategy is fed, and then evaluated on what it trades.
fn feed_read(parts: &mut Parts, place: BotInstrument, candle: &Candle, out: &mut Outputs) {
    if !feed_only(parts, place, candle, out) {
        return;
    }
    let (bot, instrument, interval) = (place.bot(), candle.instrument, candle.interval);
    let by = Wake::ReadCandle(instrument, interval);
    let mut index = 0;
    while let Some(&traded) = parts
        .bots
        .woken_by_read_candle(bot, instrument, interval)
        .get(index)
    {
        wake(parts, traded, by, Some(candle), out);
        index += 1;
    }
}

/// Past candles: every bot that waits for them is fed, and none evaluated.
pub(crate) fn on_history(parts: &mut Parts, history: &CandleHistory, out: &mut Outputs) {
    let (instrument, interval) = (history.instrument, history.interval);
    for index in 0..parts.bots.fed_by_candle(instrument, interval).len() {
        let place = parts.bots.fed_by_candle(instrument, interval)[index];
        if parts.bots.at_mut(place).stop_awaiting(interval) {
            let past = warm_up(parts, place, &history.candles, out);
            finish_warm_up(parts, place.bot(), out);
            apply_past(parts, place, past, out);
        }
    }
}
