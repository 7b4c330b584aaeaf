//! The query of a history, and how its rows become wire types.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::desk::{EquityRecord, OrderRecord};
use crate::error::ApiError;
use crate::extract::{Rows, account_named, bot_named, instrument_named};
use crate::wire::{Decimal, EquityPoint, Instant, Names, Order};

/// Which rows of a history.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Narrowed {
    /// The `next` of the page before; the newest page when absent.
    pub(super) before: Option<String>,
    /// How many rows, 1 to 1000; 100 when absent.
    pub(super) limit: Option<u32>,
    /// Only this bot's.
    pub(super) bot: Option<String>,
    /// Only this instrument's.
    pub(super) instrument: Option<String>,
    /// Only this account's.
    pub(super) account: Option<String>,
}

impl Narrowed {
    pub(crate) fn rows(&self, names: &Names) -> Result<Rows, ApiError> {
        let mut rows = Rows::new(self.before.as_deref(), self.limit)?;
        if let Some(name) = &self.bot {
            rows.query.bot = Some(bot_named(names, name)?.id);
        }
        if let Some(name) = &self.instrument {
            rows.query.instrument = Some(instrument_named(names, name)?.id);
        }
        if let Some(name) = &self.account {
            rows.query.account = Some(account_named(names, Some(name))?.id);
        }
        Ok(rows)
    }
}

pub(crate) fn order(row: &OrderRecord, names: &Names) -> Order {
    Order {
        venue_order_id: row.venue_order_id.map(|id| id.0.to_string()),
        purpose: row.purpose.map(Into::into),
        filled: names.quantity(row.terms.instrument, row.filled),
        status: row.status.into(),
        open: row.status.is_open(),
        placed_at: Some(row.placed_at.into()),
        updated_at: Some(row.ended_at.into()),
        placed_by: Some(row.placed_by.to_string()),
        reason: row.reason.clone(),
        ..Order::from_terms(&row.terms, row.bot.map(|bot| names.bot(bot)), names)
    }
}

pub(crate) fn equity(row: &EquityRecord, names: &Names) -> EquityPoint {
    EquityPoint {
        at: Instant::from(row.point.at),
        account: names.account(row.account),
        equity: Decimal::from(row.point.equity),
        realized: row.point.realized.into(),
        unrealized: row.point.unrealized.into(),
        unpriced: row.point.unpriced,
    }
}
