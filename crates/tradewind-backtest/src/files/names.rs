//! What a file's name says: `BTC_USDT-1m.csv`, `BTCUSDT-1h-2023-11-18.csv`, `btcusdt-quotes.csv`, `SOLUSDT_1h_2020.csv.gz`.

use std::path::Path;

use tradewind_model::Interval;

/// Assets prices are told in, for names that do not mark where the first asset ends; a longer one before its ending.
const QUOTES: [&str; 12] = [
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "TRY", "BTC", "ETH", "BNB",
];

/// What is traded against what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Product {
    pub(super) base: String,
    pub(super) quote: String,
}

impl Product {
    /// Reads `BASE/QUOTE`, or both without a mark between them where the quote asset is a known one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        let (base, quote) = match text.split_once('/') {
            Some(pair) => pair,
            None => {
                let quote = QUOTES.iter().find(|quote| text.ends_with(**quote))?;
                (text.strip_suffix(quote)?, *quote)
            }
        };
        (is_asset(base) && is_asset(quote)).then(|| Self {
            base: base.to_owned(),
            quote: quote.to_owned(),
        })
    }

    /// As the venue writes it.
    pub(super) fn symbol(&self) -> String {
        format!("{}{}", self.base, self.quote)
    }
}

/// What the name says of product and interval; either may be missing.
pub(super) fn parse(path: &Path) -> (Option<Product>, Option<Interval>) {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name
        .unwrap_or_default()
        .split('.')
        .next()
        .unwrap_or_default();
    let parts: Vec<&str> = stem.split(['-', '_']).collect();
    let interval = parts.iter().find_map(|part| part.parse().ok());
    let whole = parts.first().and_then(|first| Product::parse(first));
    let pair = parts.get(1).and_then(|second| {
        let known = QUOTES
            .iter()
            .any(|quote| quote.eq_ignore_ascii_case(second));
        let base = parts.first().filter(|_| known)?;
        Product::parse(&format!("{base}/{second}"))
    });
    (pair.or(whole), interval)
}

fn is_asset(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_they_can() {
        let check = |name: &str, product: Option<(&str, &str)>, interval: Option<&str>| {
            let (found, length) = parse(Path::new(name));
            let found = found
                .as_ref()
                .map(|found| (found.base.as_str(), found.quote.as_str()));
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
