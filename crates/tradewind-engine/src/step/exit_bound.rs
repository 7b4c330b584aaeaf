//! The bound of an exit's price (R10, D06).
//!
//! An exit goes at market where the book shows that it slips no further from the mid than `market_slippage_max`. Else it is a
//! limit order that trades at once or not at all, no further from the mid than that. What is left of it is tried again a
//! second later, measured by the mid of then and twice as wide, up to [`WIDEST`].

use tradewind_model::{OrderKind, Ppm, Price, Quantity, Quote, Side, TimeInForce};
use tradewind_risk::reach;

use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;

/// No exit reaches further past the mid.
const WIDEST: Ppm = Ppm(50_000);

/// The kind of an exit: `kind`, or a limit order where the market might take it too far.
pub(super) fn bounded(
    parts: &Parts,
    place: BotInstrument,
    (kind, quantity): (OrderKind, Quantity),
) -> OrderKind {
    if kind != OrderKind::Market {
        return kind;
    }
    let state = parts.bots.at(place);
    let (id, side) = (state.instrument(), state.closing_side());
    let known = parts.market.live_quote(id);
    let Some((quote, slippage)) = known.zip(parts.config.limits.market_slippage_max) else {
        // Nothing to measure by, and the position must be closed.
        return kind;
    };
    let width = width(slippage, state.narrow_exits());
    let instrument = parts.config.instrument(id);
    let Some(worst) = worst(quote, side, width) else {
        return kind;
    };
    let price = instrument.round_price(worst, side);
    let depth = parts.market.live_depth(id);
    let reached = reach(quote, depth, side, quantity);
    let is_within = match side {
        Side::Sell => reached >= price,
        Side::Buy => reached <= price,
    };
    if is_within || instrument.check_price(price).is_err() {
        return kind;
    }
    OrderKind::Limit {
        price,
        time_in_force: TimeInForce::ImmediateOrCancel,
    }
}

/// Twice as wide with each exit that did not fill.
fn width(slippage: Ppm, narrow: u32) -> Ppm {
    let doubled = slippage.0.saturating_mul(1_i64 << narrow.min(16));
    Ppm(doubled.min(WIDEST.0).max(slippage.0.min(WIDEST.0)))
}

/// The price `width` past the mid, for an order that takes.
fn worst(quote: &Quote, side: Side, width: Ppm) -> Option<Price> {
    let mid_twice = i128::from(quote.mid_twice());
    let past = mid_twice * i128::from(width.0) / i128::from(Ppm::ONE.0);
    let twice = match side {
        Side::Sell => mid_twice - past,
        Side::Buy => mid_twice + past,
    };
    i64::try_from(twice / 2).ok().map(Price)
}
