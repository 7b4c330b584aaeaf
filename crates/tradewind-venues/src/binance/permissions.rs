//! What the account's key may do, and whether a desk may trade for real with it.
//!
//! X07: a key on a trading machine must be worth as little as possible to a thief: no withdrawals, and only from listed
//! addresses. A venue that does not report a key's permissions, such as a test network, never counts as live.

use serde::Deserialize;

use super::answers;
use super::requests::Params;
use super::venue::BinanceVenue;
use crate::error::VenueError;

/// A key's permissions. A missing field has no default: the answer then cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the venue's own list of permissions, each of which is on or off"
)]
pub struct Restrictions {
    /// Only from listed addresses.
    pub ip_restrict: bool,
    /// Reading.
    pub enable_reading: bool,
    /// Spot trading.
    pub enable_spot_and_margin_trading: bool,
    /// Taking money out: a trading key must not.
    pub enable_withdrawals: bool,
}

/// Why a key is not fit for trading with real money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitKey {
    /// A thief of the key can withdraw the money.
    #[error("the key may withdraw: make one without that permission")]
    MayWithdraw,
    /// A thief of the key can use it from any address.
    #[error("the key works from any address: restrict it to this machine's at the venue")]
    AnyAddress,
    /// Nothing could be reconciled with it.
    #[error("the key may not read: allow it at the venue")]
    MayNotRead,
    /// Nothing could be traded with it.
    #[error("the key may not trade spot: allow it at the venue")]
    MayNotTrade,
    /// The venue has no such question.
    #[error(
        "the venue does not tell what the key may do (no /sapi), so it does not count as live: use a paper account"
    )]
    NotTold,
}

/// Why a key is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRefusal {
    /// It is not fit.
    #[error(transparent)]
    Unfit(#[from] UnfitKey),
    /// The request for the key's permissions failed.
    #[error("the key's permissions could not be read")]
    Unasked(#[from] VenueError),
}

impl Restrictions {
    /// Whether a desk may trade for real with this key.
    ///
    /// # Errors
    /// The gravest reason why not.
    pub const fn fit_for_trading(self) -> Result<(), UnfitKey> {
        if self.enable_withdrawals {
            Err(UnfitKey::MayWithdraw)
        } else if !self.ip_restrict {
            Err(UnfitKey::AnyAddress)
        } else if !self.enable_reading {
            Err(UnfitKey::MayNotRead)
        } else if !self.enable_spot_and_margin_trading {
            Err(UnfitKey::MayNotTrade)
        } else {
            Ok(())
        }
    }
}

impl BinanceVenue {
    /// What the account's key may do.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn api_restrictions(&self) -> Result<Restrictions, VenueError> {
        let body = self
            .query_one("/sapi/v1/account/apiRestrictions", Params::default(), 1)
            .await?;
        answers::read("key permissions", &body)
    }

    /// Reads the permissions of the account's key, and refuses one that is not fit for trading with real money.
    ///
    /// # Errors
    /// [`KeyRefusal`]; each reason names its cure.
    pub async fn check_key(&self) -> Result<(), KeyRefusal> {
        match self.api_restrictions().await {
            Ok(restrictions) => Ok(restrictions.fit_for_trading()?),
            Err(VenueError::Refused { status: 404, .. }) => Err(UnfitKey::NotTold.into()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x07_only_a_key_that_can_do_no_more_than_trade_from_here_is_fit() {
        let check = |ip, reading, trading, withdrawals, wanted| {
            let restrictions = Restrictions {
                ip_restrict: ip,
                enable_reading: reading,
                enable_spot_and_margin_trading: trading,
                enable_withdrawals: withdrawals,
            };
            assert_eq!(restrictions.fit_for_trading(), wanted, "{restrictions:?}");
        };
        check(true, true, true, false, Ok(()));
        check(true, true, true, true, Err(UnfitKey::MayWithdraw));
        check(false, true, true, true, Err(UnfitKey::MayWithdraw));
        check(false, true, true, false, Err(UnfitKey::AnyAddress));
        check(true, false, true, false, Err(UnfitKey::MayNotRead));
        check(true, true, false, false, Err(UnfitKey::MayNotTrade));
    }
}
