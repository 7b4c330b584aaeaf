//! The filters of an order's own numbers, in the order in which a venue names the first one broken.

use tradewind_model::{Amount, Instrument, OrderKind, Ppm, Price, Quantity, RuleBreach, Side};

use crate::action::{NewOrder, Size};
use crate::config::Caps;
use crate::order::Order;
use crate::refusal::{Filter, Refusal};
use crate::trigger::Trigger;

/// What an order is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) caps: &'a Caps,
    /// Stands for the price of an order that names none, and the middle of the price bands.
    pub(crate) average: Option<Price>,
}

/// Checks the numbers of a new order.
pub(crate) fn check(rules: &Rules<'_>, new: &NewOrder) -> Result<(), Refusal> {
    let limit = new.kind.limit();
    if let Some(trigger) = &new.trigger {
        check_trigger(rules, trigger)?;
    }
    match (new.size, new.kind) {
        (Size::Base(quantity), kind) => {
            let stop = new.trigger.and_then(|trigger| trigger.price);
            let reference = stop.or(rules.average);
            let checked = rules.instrument.check(quantity, limit, reference);
            checked.map_err(|breach| filter(name(rules.instrument, kind, quantity, breach)))?;
        }
        (
            Size::Quote(_),
            OrderKind::Limit { .. }
            | OrderKind::PostOnly { .. }
            | OrderKind::Stop { .. }
            | OrderKind::StopLimit { .. },
        ) => {
            return Err(Refusal::QuoteSizeNotAllowed);
        }
        (Size::Quote(_), OrderKind::Market) if new.trigger.is_some() => {
            return Err(Refusal::QuoteSizeNotAllowed);
        }
        (Size::Quote(amount), OrderKind::Market) => {
            if amount < rules.instrument.notional_min || amount.0 <= 0 {
                return Err(filter(Filter::Notional));
            }
        }
    }
    if let (Some(price), Size::Base(quantity)) = (limit, new.size) {
        check_band(rules, new.side, price)?;
        check_notional_max(rules, price, quantity)?;
    }
    Ok(())
}

fn check_trigger(rules: &Rules<'_>, trigger: &Trigger) -> Result<(), Refusal> {
    if let Some(stop) = trigger.price {
        rules
            .instrument
            .check_price(stop)
            .map_err(|breach| filter(breach.into()))?;
    }
    let caps = rules.caps;
    let bips = trigger.trailing;
    let near = bips.is_some_and(|bips| bips < caps.trailing_min || bips.0 == 0);
    let far = bips.is_some_and(|bips| caps.trailing_max.0 > 0 && bips > caps.trailing_max);
    if near || far {
        Err(filter(Filter::TrailingDelta))
    } else {
        Ok(())
    }
}

/// A limit may lie so far from the average and no farther.
fn check_band(rules: &Rules<'_>, side: Side, price: Price) -> Result<(), Refusal> {
    let (band, Some(average)) = (rules.caps.band(side), rules.average) else {
        return Ok(());
    };
    let price = i128::from(price.0) * i128::from(Ppm::ONE.0);
    let share = |of: Ppm| i128::from(average.0) * i128::from(of.0);
    let above = band.up.0 > 0 && price > share(band.up);
    let below = band.down.0 > 0 && price < share(band.down);
    if above || below {
        Err(filter(Filter::PercentPrice))
    } else {
        Ok(())
    }
}

fn check_notional_max(rules: &Rules<'_>, price: Price, quantity: Quantity) -> Result<(), Refusal> {
    let most = rules.caps.notional_max;
    let worth = rules.instrument.notional(price, quantity);
    if most > Amount::ZERO && worth.is_none_or(|worth| worth > most) {
        Err(filter(Filter::Notional))
    } else {
        Ok(())
    }
}

const fn filter(filter: Filter) -> Refusal {
    Refusal::Filter(filter)
}

/// The model has one largest quantity for each kind of order; the venue names the two filters apart.
fn name(rules: &Instrument, kind: OrderKind, quantity: Quantity, breach: RuleBreach) -> Filter {
    let for_any = rules.quantity_max.0 > 0 && quantity > rules.quantity_max;
    match (breach, kind) {
        (RuleBreach::QuantityMax, OrderKind::Market) if !for_any => Filter::MarketLotSize,
        _ => breach.into(),
    }
}

/// Checks another quantity for an order that is open.
pub(crate) fn check_size(
    rules: &Rules<'_>,
    order: &Order,
    quantity: Quantity,
) -> Result<(), Refusal> {
    let stop = order.trigger.and_then(|trigger| trigger.price);
    let reference = stop.or(rules.average);
    rules
        .instrument
        .check(quantity, order.kind.limit(), reference)
        .map_err(|breach| filter(name(rules.instrument, order.kind, quantity, breach)))
}
