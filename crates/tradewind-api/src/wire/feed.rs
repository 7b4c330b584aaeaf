//! Feeds: an instrument's data and how far it can be trusted.

use serde::{Deserialize, Serialize};
use tradewind_events::FeedView;
use tradewind_model::Quote as Inner;
use utoipa::ToSchema;

use super::names::Names;
use super::number::{Decimal, Instant};
use super::words::FeedHealth;

/// An instrument's feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Feed {
    /// Of what.
    pub instrument: String,
    /// How far it can be trusted.
    pub health: FeedHealth,
    /// Why there is no data although the source is tried on, after ten attempts that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The latest quote.
    pub quote: Option<Quote>,
    /// Quotes seen by the engine.
    pub quotes: u64,
    /// Trades seen by the engine.
    pub trades: u64,
    /// Candles seen by the engine.
    pub candles: u64,
}

/// Best bid and ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// Of what.
    pub instrument: String,
    /// Best bid.
    pub bid: Decimal,
    /// Best ask.
    pub ask: Decimal,
    /// Quantity wanted at the bid.
    pub bid_quantity: Decimal,
    /// Quantity offered at the ask.
    pub ask_quantity: Decimal,
    /// The venue's stamp, where it gives one.
    pub event_time: Option<Instant>,
    /// When the socket was read.
    pub received_at: Instant,
}

impl Feed {
    /// A feed of a view, and its problem if there is one.
    #[must_use]
    pub fn new(view: &FeedView, names: &Names, problem: Option<String>) -> Self {
        Self {
            instrument: names.instrument(view.instrument),
            health: view.health.into(),
            problem,
            quote: view.quote.as_ref().map(|quote| Quote::new(quote, names)),
            quotes: view.quotes,
            trades: view.trades,
            candles: view.candles,
        }
    }
}

impl Quote {
    /// A quote.
    #[must_use]
    pub fn new(quote: &Inner, names: &Names) -> Self {
        let id = quote.instrument;
        Self {
            instrument: names.instrument(id),
            bid: names.price(id, quote.bid),
            ask: names.price(id, quote.ask),
            bid_quantity: names.quantity(id, quote.bid_quantity),
            ask_quantity: names.quantity(id, quote.ask_quantity),
            event_time: quote.event_time.map(Instant::from),
            received_at: quote.received_at.into(),
        }
    }
}
