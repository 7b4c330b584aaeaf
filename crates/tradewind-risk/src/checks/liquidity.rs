//! What an order could take: the quantity that is visible on the other side, and how far a given quantity reaches.

use tradewind_model::{Depth, Level, Ppm, Price, Quantity, Quote, Side};

/// The quantity an order of `side` could take within `collar` of the mid. Without a book it is what the touch shows.
#[must_use]
pub fn visible_quantity(quote: &Quote, depth: Option<&Depth>, side: Side, collar: Ppm) -> Quantity {
    let touch = match side {
        Side::Buy => quote.ask_quantity,
        Side::Sell => quote.bid_quantity,
    };
    let levels = depth.map_or(&[][..], |depth| opposite(depth, side));
    let within = levels
        .iter()
        .filter(|level| is_within(quote, side, level.price, collar));
    let sum = within.fold(0_i64, |sum, level| {
        sum.saturating_add(level.quantity.0.max(0))
    });
    Quantity(sum.max(touch.0))
}

/// The worst price at which `quantity` could be had, as far as the book shows it.
#[must_use]
pub fn reach(quote: &Quote, depth: Option<&Depth>, side: Side, quantity: Quantity) -> Price {
    let touch = quote.opposite_side(side);
    let mut left = quantity.0;
    let mut worst = touch;
    for level in depth.map_or(&[][..], |depth| opposite(depth, side)) {
        worst = match side {
            Side::Buy => worst.max(level.price),
            Side::Sell => worst.min(level.price),
        };
        left = left.saturating_sub(level.quantity.0.max(0));
        if left <= 0 {
            break;
        }
    }
    worst
}

/// How far `price` lies past the mid in the taking direction, as a share of the mid; negative on the passive side.
pub(super) fn past_mid(quote: &Quote, side: Side, price: Price) -> Option<Ppm> {
    let mid_twice = i128::from(quote.mid_twice());
    let beyond = match side {
        Side::Buy => i128::from(price.0) * 2 - mid_twice,
        Side::Sell => mid_twice - i128::from(price.0) * 2,
    };
    let share = (beyond * i128::from(Ppm::ONE.0)).checked_div(mid_twice)?;
    i64::try_from(share).ok().map(Ppm)
}

fn is_within(quote: &Quote, side: Side, price: Price, collar: Ppm) -> bool {
    past_mid(quote, side, price).is_some_and(|distance| distance <= collar)
}

fn opposite(depth: &Depth, side: Side) -> &[Level] {
    match side {
        Side::Buy => &depth.asks,
        Side::Sell => &depth.bids,
    }
}
