//! Equity: now, by account, and over time.

use serde::{Deserialize, Serialize};
use tradewind_events::{AccountView, DeskView, EquityPoint as Inner};
use tradewind_model::{AccountMode, Amount};
use utoipa::ToSchema;

use super::names::Names;
use super::number::{Decimal, Instant};

/// What the desk is worth, in the report asset; what was there before the desk is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// The report asset.
    pub asset: String,
    /// Value of all the desk owns.
    pub equity: Decimal,
    /// Equity when the desk started.
    pub started_with: Decimal,
    /// Equity less what it started with.
    pub change: Decimal,
    /// Realised since the start.
    pub realized: Decimal,
    /// Unrealised.
    pub unrealized: Decimal,
    /// Assets left out because they have no price.
    pub unpriced: u32,
}

/// An account's equity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountEquity {
    /// Its name.
    pub account: String,
    /// `paper` or `live`.
    pub mode: String,
    /// Whether it was read from the venue and taken over.
    pub reconciled: bool,
    /// Its totals.
    pub totals: Totals,
}

/// Equity of an account at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EquityPoint {
    /// When.
    pub at: Instant,
    /// Which account.
    pub account: String,
    /// Value of all the desk owns there.
    pub equity: Decimal,
    /// Realised since the start.
    pub realized: Decimal,
    /// Unrealised.
    pub unrealized: Decimal,
    /// Assets left out because they have no price.
    pub unpriced: u32,
}

impl Totals {
    /// The sum over all accounts of a view.
    #[must_use]
    pub fn of_desk(view: &DeskView, names: &Names) -> Self {
        let sum = |part: fn(&AccountView) -> Amount| view.accounts.iter().map(part).sum();
        let equity = Inner {
            at: view.at,
            equity: sum(|account| account.equity.equity),
            realized: sum(|account| account.equity.realized),
            unrealized: sum(|account| account.equity.unrealized),
            unpriced: view.accounts.iter().map(|one| one.equity.unpriced).sum(),
        };
        Self::new(&equity, sum(|account| account.started_with), names)
    }

    fn new(point: &Inner, started_with: Amount, names: &Names) -> Self {
        Self {
            asset: names.asset(names.configuration().report_asset),
            equity: point.equity.into(),
            started_with: started_with.into(),
            change: (point.equity - started_with).into(),
            realized: point.realized.into(),
            unrealized: point.unrealized.into(),
            unpriced: point.unpriced,
        }
    }
}

impl AccountEquity {
    /// One account of a view.
    #[must_use]
    pub fn new(view: &AccountView, names: &Names) -> Self {
        let account = names.configuration().accounts.get(view.account.index());
        let mode = match account.map(|account| account.mode) {
            Some(AccountMode::Live) => "live",
            Some(AccountMode::Paper) | None => "paper",
        };
        Self {
            account: names.account(view.account),
            mode: mode.into(),
            reconciled: view.reconciled,
            totals: Totals::new(&view.equity, view.started_with, names),
        }
    }
}
