//! Balances: the exchange's, the desk's, and the difference, which must be 0.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::number::{Decimal, Instant};

/// The table, compared at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BalanceTable {
    /// The last input of the view that was compared.
    pub seq: u64,
    /// Time of that input.
    pub at: Instant,
    /// Whether every difference is 0; `null` before the exchange was first read.
    pub equal: Option<bool>,
    /// One line per account and asset.
    pub items: Vec<Balance>,
    /// Always `null`.
    pub next: Option<String>,
}

/// One asset of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Balance {
    /// Account.
    pub account: String,
    /// Asset.
    pub asset: String,
    /// The exchange's balance, read through its public API; `null` before the first reading.
    pub exchange: Option<VenueAmount>,
    /// The balance in the desk's ledger: the sum over all owners.
    pub desk: Decimal,
    /// Exchange less desk; `null` before the exchange was first read.
    pub difference: Option<Decimal>,
    /// The desk's figure by owner.
    pub owners: Vec<OwnerAmount>,
    /// The input the desk's figure is as of.
    pub seq: u64,
}

/// An asset's balance at the exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VenueAmount {
    /// Free and locked together.
    pub total: Decimal,
    /// Free.
    pub free: Decimal,
    /// Locked in open orders.
    pub locked: Decimal,
    /// When it was read.
    pub read_at: Instant,
}

/// One owner's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnerAmount {
    /// A bot's name, or `UNALLOCATED`, `DUST`, `FEES`, `EXTERNAL`.
    pub owner: String,
    /// How much.
    pub amount: Decimal,
}
