//! What a table's file name says: `BTC_USDT-1m.csv`, `BTCUSDT-1h-2023-11-18.csv`, `ADA_BTC-5m.csv.gz`, `SOLUSDT_1h_2020.csv`.

use std::path::Path;

use tradewind_model::Interval;
use tradewind_simx::recorded::Product;

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) product: Product,
    pub(super) interval: Interval,
}

/// Reads a table's file name, or says what it lacks.
pub(super) fn parse(path: &Path) -> Result<FileName, String> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let parts: Vec<&str> = stem.split(['-', '_']).collect();
    let place = parts
        .iter()
        .position(|part| part.parse::<Interval>().is_ok());
    let place = place.ok_or("the name tells no interval; wanted is one like BTC_USDT-1m.csv")?;
    let interval = parts
        .get(place)
        .and_then(|part| part.parse().ok())
        .ok_or("the name tells no interval")?;
    let product = match parts.get(..place) {
        Some([symbol]) => Product::from_symbol(symbol),
        Some([base, quote]) => Product::new(base, quote),
        _ => None,
    };
    let product = product.ok_or("the name tells no symbol; wanted is one like BTC_USDT-1m.csv")?;
    Ok(FileName { product, interval })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_symbol_and_interval() {
        let check = |name: &str, wanted: Option<(&str, &str, &str)>| {
            let found = parse(Path::new(name)).ok();
            let found = found.as_ref().map(|file| {
                (
                    file.product.base(),
                    file.product.quote(),
                    file.interval.name(),
                )
            });
            assert_eq!(found, wanted, "{name}");
        };
        check("/data/BTC_USDT-1m.csv", Some(("BTC", "USDT", "1m")));
        check("BTCUSDT-1h-2023-11-18.csv", Some(("BTC", "USDT", "1h")));
        check("ADA_BTC-5m.csv.gz", Some(("ADA", "BTC", "5m")));
        check("SOLUSDT_1h_2020_2026.csv.gz", Some(("SOL", "USDT", "1h")));
        check("btc-perp-20211231-20220201_1m.csv.gz", None);
        check("BTCUSDT.csv", None);
        check("USDT-1m.csv", None);
    }
}
