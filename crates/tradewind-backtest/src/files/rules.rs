//! Instruments of a run: one a product, as fine as the finest of its files needs.

use std::collections::BTreeMap;

use tradewind_data::{Digits, Product};
use tradewind_model::{
    Amount, AssetId, AssetTable, Instrument, InstrumentId, InstrumentStatus, VenueId,
};
use tradewind_simx::universe;

use super::survey::Survey;
use crate::error::BacktestError;

/// The one venue.
pub(super) const VENUE: &str = "simx";

/// One instrument a product, as fine as the finest of its files needs.
pub(super) fn instruments(surveys: &[Survey]) -> (Vec<Instrument>, AssetTable) {
    // What is traded comes first, with the ids that it has alone.
    let mut needed: BTreeMap<(Option<&str>, &Product), (Digits, u8)> = BTreeMap::new();
    for survey in surveys {
        let key = (survey.venue.as_deref(), &survey.product);
        let (known, ticks) = needed.entry(key).or_default();
        known.price = known.price.max(survey.digits.price);
        known.quantity = known.quantity.max(survey.digits.quantity);
        if survey.candles().is_none() {
            *ticks = (*ticks).max(survey.digits.quantity);
        }
    }
    let mut assets = AssetTable::default();
    let venues = venues(surveys);
    let listed = (0..)
        .zip(needed)
        .map(|(id, ((venue, product), (digits, ticks)))| {
            let name = venue.unwrap_or(VENUE);
            let place = venues.iter().position(|known| known == name);
            let place = place.and_then(|place| u32::try_from(place).ok());
            let own = rules(product, digits, ticks);
            let (base, quote) = (
                assets.intern(product.base()),
                assets.intern(product.quote()),
            );
            Instrument {
                id: InstrumentId(id),
                venue: VenueId(place.unwrap_or_default()),
                name: full_name(name, product),
                base,
                quote,
                settlement: quote,
                status: match venue {
                    None => own.status,
                    Some(_) => InstrumentStatus::PricesOnly,
                },
                ..own
            }
        });
    (listed.collect(), assets)
}

/// The venue that is traded on, and those that are only read.
pub(super) fn venues(surveys: &[Survey]) -> Vec<String> {
    let mut venues = vec![VENUE.to_owned()];
    for name in surveys.iter().filter_map(|survey| survey.venue.as_ref()) {
        if !venues.contains(name) {
            venues.push(name.clone());
        }
    }
    venues
}

pub(super) fn full_name(venue: &str, product: &Product) -> String {
    format!("{venue}:{}/{}", product.base(), product.quote())
}

/// The generated market's rules where the data fits them, else as fine as the data needs.
fn rules(product: &Product, digits: Digits, ticks: u8) -> Instrument {
    let listed = universe(VENUE, VenueId(0)).instruments;
    let name = full_name(VENUE, product);
    let fits = |known: &Instrument| {
        known.name == name
            && digits.price <= known.price_decimals
            && digits.quantity <= known.quantity_decimals
    };
    let price_decimals = digits.price;
    let quantity_decimals = step_decimals(digits, ticks);
    listed.into_iter().find(fits).unwrap_or(Instrument {
        price_decimals,
        quantity_decimals,
        notional_min: if product.quote().contains("USD") {
            Amount::whole(5)
        } else {
            Amount::ZERO
        },
        open_orders_max: 200,
        ..Instrument::spot(InstrumentId(0), "", AssetId(0), AssetId(0))
    })
}

/// A table without volumes does not show the decimals of quantities; most markets have five, and those whose prices need more
/// than eight are counted in whole units. The step is no finer than can be multiplied with the price. Quantities of trades and
/// quotes, of which `ticks` decimals are needed, are not cut off.
const fn step_decimals(digits: Digits, ticks: u8) -> u8 {
    let wanted = match (digits.quantity, digits.price) {
        (0, ..=8) => 5,
        (0, _) => 0,
        (9.., _) if ticks > 8 => ticks,
        (9.., _) => 8,
        (shown, _) => shown,
    };
    let most = Amount::DECIMALS.saturating_sub(digits.price);
    if wanted > most { most } else { wanted }
}

/// The one quote asset of all instruments.
pub(super) fn one_quote(
    instruments: &[Instrument],
    assets: &AssetTable,
) -> Result<AssetId, BacktestError> {
    let first = instruments.first().map(|instrument| instrument.quote);
    let first = first.ok_or_else(|| BacktestError::Options("there is no instrument".to_owned()))?;
    match instruments
        .iter()
        .find(|instrument| instrument.quote != first)
    {
        None => Ok(first),
        Some(other) => Err(BacktestError::Options(format!(
            "{} is priced in {} and others in {}: one run has one cash",
            other.name,
            assets.name(other.quote),
            assets.name(first)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_of_ticks_are_not_cut_off() {
        let step = |price, quantity, ticks| step_decimals(Digits { price, quantity }, ticks);
        let found = [step(2, 9, 9), step(2, 9, 0), step(2, 12, 3), step(12, 9, 9)];
        assert_eq!(found, [9, 8, 8, 6]);
    }
}
