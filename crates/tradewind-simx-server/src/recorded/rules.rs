//! Rules for recorded instruments: the universe's where the data fits them, else as fine as the data needs.

use std::collections::BTreeMap;

use tradewind_data::{Digits, Product};
use tradewind_model::{Amount, AssetTable, Instrument, VenueId};
use tradewind_simx::universe;

use super::{CandleSeries, Capture, id};

const VENUE_NAME: &str = "simx";
const VENUE: VenueId = VenueId(0);

/// Everything there is data of, by product, with the assets it names.
pub(super) fn instruments(
    captures: &[Capture],
    candles: &[CandleSeries],
) -> (Vec<Instrument>, AssetTable) {
    let mut needed: BTreeMap<Product, Digits> = BTreeMap::new();
    let mut need = |product: Product, digits: Digits| {
        let known = needed.entry(product).or_default();
        known.price = known.price.max(digits.price);
        known.quantity = known.quantity.max(digits.quantity);
    };
    for (name, survey) in captures.iter().flat_map(|capture| &capture.survey.symbols) {
        if let Some(product) = Product::from_symbol(name) {
            need(
                product,
                Digits {
                    price: survey.price_decimals,
                    quantity: survey.quantity_decimals,
                },
            );
        }
    }
    for series in candles {
        need(series.product.clone(), series.digits);
    }
    let mut assets = AssetTable::default();
    let listed = needed
        .iter()
        .enumerate()
        .map(|(place, (product, digits))| rules(place, product, *digits, &mut assets));
    (listed.collect(), assets)
}

fn rules(place: usize, product: &Product, digits: Digits, assets: &mut AssetTable) -> Instrument {
    let (base, quote) = (
        assets.intern(product.base()),
        assets.intern(product.quote()),
    );
    let name = format!("{VENUE_NAME}:{}/{}", product.base(), product.quote());
    let known = universe(VENUE_NAME, VENUE)
        .instruments
        .into_iter()
        .find(|known| known.name == name);
    let fits = |known: &Instrument| {
        digits.price <= known.price_decimals && digits.quantity <= known.quantity_decimals
    };
    match known.filter(fits) {
        Some(known) => Instrument {
            id: id(place),
            base,
            quote,
            settlement: quote,
            ..known
        },
        None => Instrument {
            venue: VENUE,
            price_decimals: digits.price,
            quantity_decimals: step_decimals(digits),
            notional_min: notional_min(product),
            open_orders_max: 200,
            ..Instrument::spot(id(place), name, base, quote)
        },
    }
}

/// The least value of an order on a product that the generated market does not have.
fn notional_min(product: &Product) -> Amount {
    if product.quote().contains("USD") {
        Amount::whole(5)
    } else {
        Amount::ZERO
    }
}

/// The step that a candle's volumes show: eight decimals at most, as venues have them, and no finer than can be multiplied
/// with the price.
const fn step_decimals(digits: Digits) -> u8 {
    let most = Amount::DECIMALS.saturating_sub(digits.price);
    let wanted = if digits.quantity > 8 {
        8
    } else {
        digits.quantity
    };
    if wanted > most { most } else { wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_fits_beside_the_price() {
        let step = |price, quantity| step_decimals(Digits { price, quantity });
        assert_eq!([step(2, 5), step(2, 12), step(13, 8)], [5, 8, 5]);
    }

    #[test]
    fn rules_are_the_universes_while_the_data_fits() {
        let mut assets = AssetTable::default();
        let bitcoin = Product::from_symbol("BTCUSDT").unwrap();
        let real = rules(
            0,
            &bitcoin,
            Digits {
                price: 2,
                quantity: 5,
            },
            &mut assets,
        );
        assert_eq!(
            (
                real.quantity_decimals,
                real.open_orders_max,
                real.price_max.0 > 0
            ),
            (5, 200, true)
        );
        let fine = rules(
            0,
            &bitcoin,
            Digits {
                price: 2,
                quantity: 6,
            },
            &mut assets,
        );
        assert_eq!(
            (fine.quantity_decimals, fine.price_max.0, fine.name.as_str()),
            (6, 0, "simx:BTC/USDT")
        );
    }
}
