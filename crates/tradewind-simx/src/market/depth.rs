//! The levels behind the touch.
//!
//! A level's quantity is not remembered but worked out: it hangs on the price and on a slowly changing count of its own,
//! so levels stand still while the touch moves through them, change one by one, and cost no memory.

use tradewind_model::{Depth, Level, Price, Quantity, Quote, Timestamp};

use super::dice::{scramble, unit};
use super::process::round;

/// Levels a side, the touch included.
const LEVELS: i64 = 20;
/// How long a level keeps its quantity.
const LEVEL_SECONDS: u64 = 16;

/// What levels are drawn from.
#[derive(Clone, Copy, Debug)]
pub(super) struct LevelDraw {
    pub(super) seed: u64,
    pub(super) at: Timestamp,
    pub(super) touch: Quote,
    /// Counts of price from level to level; at least 1.
    pub(super) grid: i64,
    /// Usual quantity of a level.
    pub(super) usual: Quantity,
}

/// Draws both sides into `depth`.
pub(super) fn draw_levels(draw: &LevelDraw, depth: &mut Depth) {
    let touch = draw.touch;
    depth.instrument = touch.instrument;
    depth.received_at = draw.at;
    depth.bids.clear();
    depth.asks.clear();
    depth.bids.push(Level {
        price: touch.bid,
        quantity: touch.bid_quantity,
    });
    depth.asks.push(Level {
        price: touch.ask,
        quantity: touch.ask_quantity,
    });
    // The first prices on the grid strictly behind the touch.
    let below = (touch.bid.0 - 1).div_euclid(draw.grid) * draw.grid;
    let above = touch.ask.0.div_euclid(draw.grid) * draw.grid + draw.grid;
    let bids = (0..LEVELS - 1)
        .map(|place| below - place * draw.grid)
        .take_while(|price| *price > 0);
    depth.bids.extend(bids.map(|price| level(draw, price)));
    depth
        .asks
        .extend((0..LEVELS - 1).map(|place| level(draw, above + place * draw.grid)));
}

fn level(draw: &LevelDraw, price: i64) -> Level {
    let place = scramble(draw.seed ^ scramble(price.unsigned_abs()));
    let second = draw.at.as_nanos().unsigned_abs() / 1_000_000_000;
    let term = (second + place % LEVEL_SECONDS) / LEVEL_SECONDS;
    let share = 0.15 - libm::log(unit(scramble(place ^ term)));
    let quantity = round(share * draw.usual.0 as f64).max(1);
    Level {
        price: Price(price),
        quantity: Quantity(quantity),
    }
}
