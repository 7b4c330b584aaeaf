//! Candles from the venue, with our fills and stops to draw on them.

use serde::{Deserialize, Serialize};
use tradewind_model::Candle as Inner;
use utoipa::ToSchema;

use super::fill::Fill;
use super::names::Names;
use super::number::{Decimal, Instant};
use super::position::Position;
use super::words::Side;

/// Open, high, low, close and volume of a closed interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Candle {
    /// Start of the interval.
    pub open_time: Instant,
    /// End of the interval.
    pub close_time: Instant,
    /// First price.
    pub open: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price.
    pub close: Decimal,
    /// Base units traded.
    pub volume: Decimal,
    /// Whether every trade of the interval is known to be in it.
    pub complete: bool,
}

/// The levels at which the engine will close a position.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExitLevels {
    /// Where a loss is taken.
    pub stop: Option<Decimal>,
    /// Where the gain is taken.
    pub take_profit: Option<Decimal>,
    /// Where the trailing stop is now.
    pub trailing: Option<Decimal>,
    /// When it is closed at the latest.
    pub at: Option<Instant>,
}

/// One of our fills, to be drawn on the chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FillMarker {
    /// When.
    pub at: Instant,
    /// The bot it was for.
    pub bot: Option<String>,
    /// Buy or sell.
    pub side: Side,
    /// Price.
    pub price: Decimal,
    /// Quantity.
    pub quantity: Decimal,
    /// The `order_filled` event: `why?event=` returns the chain of causes.
    pub event: Option<String>,
}

/// Candles of one instrument and interval, with what is ours on them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CandleAnswer {
    /// The view the positions are from.
    pub seq: u64,
    /// Time of that view.
    pub at: Instant,
    /// Of what.
    pub instrument: String,
    /// How long: `1m`, `4h`, `1d`.
    pub interval: String,
    /// Closed candles, oldest first.
    pub items: Vec<Candle>,
    /// Always `null`: use a larger limit.
    pub next: Option<String>,
    /// Our fills within those candles and since, newest first; at most 1000.
    pub fills: Vec<FillMarker>,
    /// Positions in the instrument, with their stops.
    pub positions: Vec<Position>,
}

impl Candle {
    /// A closed candle.
    #[must_use]
    pub fn new(candle: &Inner, names: &Names) -> Self {
        let price = |price| names.price(candle.instrument, price);
        Self {
            open_time: candle.open_time.into(),
            close_time: candle.close_time().into(),
            open: price(candle.open),
            high: price(candle.high),
            low: price(candle.low),
            close: price(candle.close),
            volume: candle.volume.into(),
            complete: candle.complete,
        }
    }
}

impl From<Fill> for FillMarker {
    fn from(fill: Fill) -> Self {
        Self {
            at: fill.event_time,
            bot: fill.bot,
            side: fill.side,
            price: fill.price,
            quantity: fill.quantity,
            event: fill.event,
        }
    }
}
