//! Accounts: where orders go and balances lie.

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, VenueId};
use crate::number::Amount;

/// Whether an account's orders are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccountMode {
    /// Orders go to the simulated exchange; there is no live route and no signing key of a real venue.
    Paper,
    /// Orders go to the venue at its configured address.
    Live,
}

/// An account of the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its dense id.
    pub id: AccountId,
    /// Its name in the configuration.
    pub name: String,
    /// Its venue.
    pub venue: VenueId,
    /// Paper or live.
    pub mode: AccountMode,
    /// What the desk may use of it, in the report currency: the base of every ratio. `None`: all that is the desk's.
    #[serde(default)]
    pub capital: Option<Amount>,
    /// Whether a live account's balances from before the desk are the desk's.
    #[serde(default)]
    pub adopts: bool,
    /// Whether what is EXTERNAL goes to a bot, where exactly one that runs trades it.
    #[serde(default)]
    pub adopts_external: bool,
}
