//! What a table's file name says: `BTC_USDT-1m.csv`, `BTCUSDT-1h-2023-11-18.csv`, `ADA_BTC-5m.csv.gz`, `SOLUSDT_1h_2020.csv`.

use std::path::Path;

use tradewind_model::Interval;

/// Assets prices are told in, longest first, for names that do not mark where the first asset ends.
const QUOTES: [&str; 12] = [
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "TRY", "BTC", "ETH", "BNB",
];

/// A pair of assets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Symbol {
    pub(super) base: String,
    pub(super) quote: String,
}

/// What a name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName {
    pub(super) symbol: Symbol,
    pub(super) interval: Interval,
}

impl Symbol {
    /// As the venue writes it.
    pub(super) fn venue_symbol(&self) -> String {
        format!("{}{}", self.base, self.quote)
    }

    /// Reads a venue's symbol.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let split = QUOTES
            .iter()
            .find_map(|quote| Some((text.strip_suffix(quote)?, quote)));
        let (base, quote) = split.filter(|(base, _)| is_asset(base))?;
        Some(Self {
            base: base.to_owned(),
            quote: (*quote).to_owned(),
        })
    }
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
    let symbol = match parts.get(..place) {
        Some([symbol]) => Symbol::parse(symbol),
        Some([base, quote]) if is_asset(base) && is_asset(quote) => Some(Symbol {
            base: (*base).to_owned(),
            quote: (*quote).to_owned(),
        }),
        _ => None,
    };
    let symbol = symbol.ok_or("the name tells no symbol; wanted is one like BTC_USDT-1m.csv")?;
    Ok(FileName { symbol, interval })
}

fn is_asset(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
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
                    file.symbol.base.as_str(),
                    file.symbol.quote.as_str(),
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
