//! Orders.

use serde::{Deserialize, Serialize};
use tradewind_events::OrderView;
use tradewind_model::{OrderKind, OrderTerms};
use utoipa::ToSchema;

use super::names::Names;
use super::number::{Decimal, Instant};
use super::words::{OrderStatus, OrderType, Purpose, Side, TimeInForce};

/// An order, open or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Order {
    /// Our id: 32 hexadecimal digits.
    #[schema(examples("5457deadbeef00000007000000000001"))]
    pub client_id: String,
    /// The venue's id, once known.
    pub venue_order_id: Option<String>,
    /// Account.
    pub account: String,
    /// Instrument.
    #[schema(examples("binance:BTC/USDT"))]
    pub instrument: String,
    /// The bot it is for; `null` for a person.
    pub bot: Option<String>,
    /// Entry or exit; `null` if history lacks it.
    pub purpose: Option<Purpose>,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit or post-only.
    #[serde(rename = "type")]
    pub order_type: OrderType,
    /// The limit, if it has one.
    pub price: Option<Decimal>,
    /// How long it stays, for a limit order.
    pub time_in_force: Option<TimeInForce>,
    /// Quantity.
    pub quantity: Decimal,
    /// How much of it is filled.
    pub filled: Decimal,
    /// Where it is.
    pub status: OrderStatus,
    /// Whether it can still fill.
    pub open: bool,
    /// When it was placed.
    pub placed_at: Option<Instant>,
    /// When it last changed; `null` in a view.
    pub updated_at: Option<Instant>,
    /// The event that announced it: `why?event=` returns the chain of causes.
    pub placed_by: Option<String>,
    /// Why it ended, if a reason was given.
    pub reason: Option<String>,
}

impl Order {
    /// An open order of a view.
    #[must_use]
    pub fn open(view: &OrderView, names: &Names) -> Self {
        Self {
            venue_order_id: view.venue_order_id.map(|id| id.0.to_string()),
            purpose: Some(view.purpose.into()),
            filled: names.quantity(view.terms.instrument, view.filled),
            status: view.status.into(),
            open: view.status.is_open(),
            placed_at: Some(view.placed_at.into()),
            placed_by: Some(view.placed_by.to_string()),
            ..Self::from_terms(&view.terms, view.bot.map(|bot| names.bot(bot)), names)
        }
    }

    /// An order from its terms alone: pending and unfilled.
    #[must_use]
    pub fn from_terms(terms: &OrderTerms, bot: Option<String>, names: &Names) -> Self {
        let time_in_force = match terms.kind {
            OrderKind::Limit { time_in_force, .. } => Some(time_in_force.into()),
            OrderKind::Market
            | OrderKind::PostOnly { .. }
            | OrderKind::Stop { .. }
            | OrderKind::StopLimit { .. } => None,
        };
        let limit = terms.kind.limit();
        Self {
            client_id: terms.client_id.to_string(),
            venue_order_id: None,
            account: names.account(terms.account),
            instrument: names.instrument(terms.instrument),
            bot,
            purpose: None,
            side: terms.side.into(),
            order_type: terms.kind.into(),
            price: limit.map(|price| names.price(terms.instrument, price)),
            time_in_force,
            quantity: names.quantity(terms.instrument, terms.quantity),
            filled: Decimal("0".into()),
            status: OrderStatus::Pending,
            open: true,
            placed_at: None,
            updated_at: None,
            placed_by: None,
            reason: None,
        }
    }
}
