//! A position as a strategy may see it.

use serde::{Deserialize, Serialize};

use crate::number::{Price, Quantity};
use crate::time::Timestamp;

/// A bot's position in one instrument, as its strategy may see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionState {
    /// Signed quantity.
    pub quantity: Quantity,
    /// Average entry price, for display and decisions; none when flat.
    pub entry_price: Option<Price>,
    /// When it was opened; none when flat.
    pub opened_at: Option<Timestamp>,
}

/// Which of an account's positions in an instrument is meant. Venues with a hedge mode keep a long and a short one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum SideMode {
    /// The only one; its quantity has a sign.
    #[default]
    Net,
    /// The long one beside a short one.
    Long,
    /// The short one beside a long one.
    Short,
}
