//! The 25 instruments of the generated market.
//!
//! Names, ticks, steps and least values are those of Binance's spot market in 2024 to 2026 and prices are of the order
//! seen there; all written down from general knowledge. [`Character`] is what the generator needs beyond an
//! [`Instrument`]: how an instrument behaves.

use tradewind_model::{Amount, AssetTable, Instrument, InstrumentId, Price, Quantity, VenueId};

use super::walk::Gait;

/// Instruments and the assets they name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Universe {
    /// Their assets.
    pub assets: AssetTable,
    /// The instruments, ids dense from 0, the largest first.
    pub instruments: Vec<Instrument>,
}

/// The generated market's instruments, listed at `venue`, whose name their names begin with.
///
/// # Panics
/// Never: the list is a constant and tested.
#[must_use]
pub fn universe(venue_name: &str, venue: VenueId) -> Universe {
    let mut assets = AssetTable::default();
    let quote = assets.intern("USDT");
    let instruments = (0..)
        .zip(&LISTED)
        .map(|(id, listed)| {
            let base = assets.intern(listed.base);
            Instrument {
                venue,
                price_decimals: listed.price_decimals,
                quantity_decimals: listed.quantity_decimals,
                price_max: Price(listed.price * 15),
                quantity_max: Quantity(listed.value_count(100_000_000)),
                market_quantity_max: Quantity(listed.value_count(5_000_000)),
                notional_min: Amount::whole(listed.notional_min),
                open_orders_max: 200,
                ..Instrument::spot(
                    InstrumentId(id),
                    format!("{venue_name}:{}/USDT", listed.base),
                    base,
                    quote,
                )
            }
        })
        .collect();
    Universe {
        assets,
        instruments,
    }
}

/// One instrument: its rules, where its price starts, and how it behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Character {
    base: &'static str,
    /// Start price in counts.
    pub(super) price: i64,
    price_decimals: u8,
    quantity_decimals: u8,
    notional_min: i64,
    /// How strongly it follows the market.
    pub(super) beta: f64,
    /// Its own restlessness, as a multiple of the common one.
    pub(super) noise: f64,
    /// Usual spread in basis points; never less than a tick.
    pub(super) spread_bp: f64,
    /// Usual worth of one level in the quote asset.
    pub(super) depth: f64,
}

impl Character {
    /// How many counts of quantity are worth about `value` units of the quote asset at the start price.
    pub(super) fn value_count(&self, value: i64) -> i64 {
        let scale = 10_i128.pow(u32::from(self.price_decimals + self.quantity_decimals));
        i64::try_from(i128::from(value) * scale / i128::from(self.price)).unwrap_or(i64::MAX)
    }
}

/// How the market as a whole walks. It moves every instrument by its beta.
pub(super) const MARKET_GAIT: Gait = Gait {
    noise: 6.0e-4,
    swing: 4.0e-4,
    jumps: 1.0 / 240.0,
    jump: 25.0e-4,
};

/// How an instrument of restlessness 1 walks by itself.
pub(super) const INSTRUMENT_GAIT: Gait = Gait {
    noise: 6.5e-4,
    swing: 6.0e-4,
    jumps: 1.0 / 360.0,
    jump: 40.0e-4,
};

/// How the instrument with this id behaves; those beyond the list behave like the first.
pub(super) fn character(id: InstrumentId) -> &'static Character {
    LISTED.get(id.index()).unwrap_or(&LISTED[0])
}

#[expect(
    clippy::too_many_arguments,
    reason = "one row of the table below, which is what a reader should see"
)]
const fn row(
    base: &'static str,
    price: i64,
    price_decimals: u8,
    quantity_decimals: u8,
    notional_min: i64,
    beta: f64,
    noise: f64,
    spread_bp: f64,
    depth: f64,
) -> Character {
    Character {
        base,
        price,
        price_decimals,
        quantity_decimals,
        notional_min,
        beta,
        noise,
        spread_bp,
        depth,
    }
}

//       base    price      pd qd least beta  noise spread depth
#[rustfmt::skip]
const LISTED: [Character; 25] = [
    row("BTC",   6_541_237, 2, 5, 5,    0.85, 0.70, 0.02,  9_000.0),
    row("ETH",     342_118, 2, 4, 5,    1.00, 0.80, 0.04,  7_000.0),
    row("BNB",      58_974, 2, 3, 5,    0.80, 0.75, 0.20,  4_000.0),
    row("SOL",      15_127, 2, 3, 5,    1.15, 1.00, 0.70,  4_000.0),
    row("XRP",       5_912, 4, 1, 5,    1.00, 1.00, 1.00,  3_000.0),
    row("DOGE",     13_457, 5, 0, 1,    1.20, 1.15, 0.80,  2_500.0),
    row("ADA",       4_481, 4, 1, 5,    1.05, 1.00, 1.20,  2_000.0),
    row("TRX",       1_634, 4, 1, 5,    0.55, 0.65, 1.50,  2_000.0),
    row("AVAX",      2_841, 2, 2, 5,    1.15, 1.05, 2.00,  1_800.0),
    row("LINK",      1_387, 2, 2, 5,    1.10, 1.05, 2.00,  1_600.0),
    row("DOT",       6_214, 3, 2, 5,    1.05, 1.00, 1.60,  1_500.0),
    row("LTC",       7_143, 2, 3, 5,    0.95, 0.95, 1.20,  1_500.0),
    row("BCH",       3_527, 1, 3, 5,    0.95, 1.00, 1.50,  1_200.0),
    row("UNI",       9_183, 3, 2, 5,    1.15, 1.20, 1.40,  1_200.0),
    row("NEAR",      5_346, 3, 1, 5,    1.25, 1.20, 1.50,  1_200.0),
    row("APT",       8_672, 3, 2, 5,    1.20, 1.20, 1.80,  1_100.0),
    row("ARB",       5_431, 4, 1, 5,    1.20, 1.20, 1.60,  1_100.0),
    row("OP",        1_683, 3, 2, 5,    1.25, 1.25, 2.00,  1_000.0),
    row("ATOM",      6_427, 3, 2, 5,    1.00, 1.00, 1.50,  1_000.0),
    row("FIL",       4_318, 3, 2, 5,    1.05, 1.10, 1.80,  1_000.0),
    row("ETC",       2_186, 2, 2, 5,    1.00, 1.00, 2.20,  1_000.0),
    row("XLM",       1_047, 4, 0, 5,    0.90, 0.95, 2.40,    900.0),
    row("SUI",      12_745, 4, 1, 5,    1.35, 1.35, 1.20,  1_000.0),
    row("SHIB",      1_782, 8, 0, 1,    1.15, 1.15, 5.00,    900.0),
    row("PEPE",        973, 8, 0, 1,    1.40, 1.40, 9.00,    900.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_25_instruments_whose_rules_make_sense() {
        let universe = universe("simx", VenueId(3));
        assert_eq!(
            (universe.instruments.len(), universe.assets.len()),
            (25, 26)
        );
        for instrument in &universe.instruments {
            let start = Price(character(instrument.id).price);
            assert_eq!(universe.assets.name(instrument.quote), "USDT");
            assert!(
                instrument.price_decimals + instrument.quantity_decimals <= 8,
                "{}: balances fit 8 places",
                instrument.name
            );
            let least =
                instrument.quantity_for(instrument.notional_min + instrument.notional_min, start);
            assert_eq!(
                instrument.check(least, Some(start), None),
                Ok(()),
                "{}",
                instrument.name
            );
        }
        assert_eq!(universe.instruments[0].name, "simx:BTC/USDT");
        assert_eq!(
            universe.instruments[0].price_text(Price(LISTED[0].price)),
            "65412.37"
        );
    }
}
