//! Requests for past candles.

use tradewind_events::{Output, Outputs};
use tradewind_model::Interval;

use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// Candles requested beyond what a strategy needs, in case one more closes during the request.
const CANDLES_SPARE: u32 = 2;

/// Requests past candles for a bot, which is not fed until they are there.
pub(super) fn request_candles(
    parts: &mut Parts,
    place: BotInstrument,
    interval: Interval,
    out: &mut Outputs,
) {
    parts.bots.at_mut(place).await_candles(interval);
    let mut warm_ups = if parts.bots.is_traded(place) {
        parts.strategies.warm_ups(place.bot()).iter()
    } else {
        parts.strategies.reads(place.bot()).candles.iter()
    };
    let needed = warm_ups.find(|warm_up| warm_up.interval == interval);
    out.push(Output::RequestCandles {
        instrument: parts.bots.at(place).instrument(),
        interval,
        count: needed.map_or(1, |warm_up| warm_up.candles) + CANDLES_SPARE,
    });
}
