//! The instrument's filters, in the order in which a venue names the first one broken.

use tradewind_model::{Instrument, OrderKind, Price, Quantity, RuleBreach};

use crate::action::Size;
use crate::refusal::{Filter, Refusal};

/// Checks size and price of a new order; `reference` stands for the price of one that names none.
pub(crate) fn check(
    rules: &Instrument,
    kind: OrderKind,
    size: Size,
    reference: Option<Price>,
) -> Result<(), Refusal> {
    match (size, kind) {
        (Size::Base(quantity), _) => {
            let checked = rules.check(quantity, kind.limit(), reference);
            checked.map_err(|breach| Refusal::Filter(name(rules, kind, quantity, breach)))
        }
        (Size::Quote(_), OrderKind::Limit { .. } | OrderKind::PostOnly { .. }) => {
            Err(Refusal::QuoteSizeNotAllowed)
        }
        (Size::Quote(amount), OrderKind::Market)
            if amount < rules.notional_min || amount.0 <= 0 =>
        {
            Err(Refusal::Filter(Filter::Notional))
        }
        (Size::Quote(_), OrderKind::Market) => Ok(()),
    }
}

/// The model has one largest quantity for each kind of order; the venue names the two filters apart.
fn name(rules: &Instrument, kind: OrderKind, quantity: Quantity, breach: RuleBreach) -> Filter {
    let for_any = rules.quantity_max.0 > 0 && quantity > rules.quantity_max;
    match (breach, kind) {
        (RuleBreach::QuantityMax, OrderKind::Market) if !for_any => Filter::MarketLotSize,
        _ => breach.into(),
    }
}
