//! Product and interval in a file's name: `BTC_USDT-1m.csv`, `BTCUSDT-1h-2023-11-18.csv`, `btcusdt-quotes.csv`,
//! `SOLUSDT_1h_2020.csv.gz`.

use std::path::Path;

use tradewind_model::Interval;
use tradewind_simx::recorded::Product;

/// Reads `BASE/QUOTE`, or both without a mark between them where the quote asset is a known one; in either letter case.
pub(super) fn product(text: &str) -> Option<Product> {
    let text = text.to_ascii_uppercase();
    match text.split_once('/') {
        Some((base, quote)) => Product::new(base, quote),
        None => Product::from_symbol(&text),
    }
}

/// Product and interval in the name; either may be missing.
pub(super) fn parse(path: &Path) -> (Option<Product>, Option<Interval>) {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name
        .unwrap_or_default()
        .split('.')
        .next()
        .unwrap_or_default();
    let parts: Vec<&str> = stem.split(['-', '_']).collect();
    let interval = parts.iter().find_map(|part| part.parse().ok());
    let whole = parts.first().and_then(|first| product(first));
    let pair = parts.get(1).and_then(|second| {
        let known = Product::is_quote_asset(&second.to_ascii_uppercase());
        let base = parts.first().filter(|_| known)?;
        product(&format!("{base}/{second}"))
    });
    (pair.or(whole), interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_they_can() {
        let check = |name: &str, product: Option<(&str, &str)>, interval: Option<&str>| {
            let (found, length) = parse(Path::new(name));
            let found = found.as_ref().map(|found| (found.base(), found.quote()));
            assert_eq!(
                (found, length.map(Interval::name)),
                (product, interval),
                "{name}"
            );
        };
        check("/data/BTC_USDT-1m.csv", Some(("BTC", "USDT")), Some("1m"));
        check(
            "BTCUSDT-1h-2023-11-18.csv",
            Some(("BTC", "USDT")),
            Some("1h"),
        );
        check("ADA_BTC-5m.csv.gz", Some(("ADA", "BTC")), Some("5m"));
        check("btcusdt-quotes.csv", Some(("BTC", "USDT")), None);
        check("btcusdt_20240808.gz", Some(("BTC", "USDT")), None);
        check(
            "SOLUSDT_1h_2020_2026.csv.gz",
            Some(("SOL", "USDT")),
            Some("1h"),
        );
        check("prices.csv", None, None);
    }
}
