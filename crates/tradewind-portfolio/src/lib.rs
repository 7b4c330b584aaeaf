//! The double-entry ledger, positions folded from fills, profit and loss, and valuation.
//!
//! Pure arithmetic on exact numbers. The engine is the only caller that changes anything; start with
//! [`Portfolio::book`], which takes one fill to the ledger and to a position at once.

mod ledger;
mod portfolio;
mod position;
mod valuation;

pub use ledger::{Entry, EntryKind, Ledger};
pub use portfolio::{Booking, Portfolio, PositionKey};
pub use position::{Position, PositionChange};
pub use valuation::{Prices, Valuation, rate, value_account};
