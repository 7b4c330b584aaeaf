//! Positions and how they are guarded.

use serde::{Deserialize, Serialize};
use tradewind_events::PositionView;
use utoipa::ToSchema;

use super::candle::ExitLevels;
use super::names::Names;
use super::number::{Decimal, Instant};

/// A position that is not flat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// Account.
    pub account: String,
    /// A bot's name, or `UNALLOCATED` for a position opened by hand.
    pub owner: String,
    /// In what.
    pub instrument: String,
    /// Signed quantity.
    pub quantity: Decimal,
    /// What it cost, in the quote asset.
    pub cost: Decimal,
    /// The quote asset, the unit of cost, profit and loss.
    pub quote_asset: String,
    /// Average entry price, for display.
    pub entry_price: Option<Decimal>,
    /// When it was opened.
    pub opened_at: Instant,
    /// Unrealised profit and loss at the mid; `null` without a quote.
    pub unrealized: Option<Decimal>,
    /// Realised since it was opened.
    pub realized: Decimal,
    /// Whether a loss is bounded by a stop the engine watches while it runs.
    pub protected: bool,
    /// How much of it stops cover that rest at the venue, so that they protect it while the desk is down.
    pub venue_stop_quantity: Decimal,
    /// Where the engine will close it.
    pub exit: ExitLevels,
}

impl Position {
    /// A position of a view.
    #[must_use]
    pub fn new(view: &PositionView, names: &Names) -> Self {
        let price = |price| names.price(view.instrument, price);
        Self {
            account: names.account(view.account),
            owner: names.owner(view.owner),
            instrument: names.instrument(view.instrument),
            quantity: names.quantity(view.instrument, view.quantity),
            cost: view.cost.into(),
            quote_asset: names.quote_asset(view.instrument),
            entry_price: view.entry_price.map(price),
            opened_at: view.opened_at.into(),
            unrealized: view.unrealized.map(Decimal::from),
            realized: view.realized.into(),
            protected: view.exit.is_protected(),
            venue_stop_quantity: names.quantity(view.instrument, view.protected),
            exit: ExitLevels {
                stop: view.exit.stop.map(price),
                take_profit: view.exit.take_profit.map(price),
                trailing: view.exit.trailing.map(price),
                at: view.exit.at.map(Instant::from),
            },
        }
    }
}
