//! What is traded against what, as names of recorded files and the symbols inside them say it.

/// Assets in which prices are quoted, for symbols that do not mark where the first asset ends. An asset that ends like
/// another one comes before it.
const QUOTE_ASSETS: [&str; 20] = [
    "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USD", "EUR", "GBP", "TRY", "BTC", "ETH", "BNB",
    "JPY", "CHF", "CAD", "AUD", "NZD", "KRW", "BRL", "DAI",
];

/// A base asset and the asset its price is quoted in. Both names consist of upper-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Product {
    base: String,
    quote: String,
}

impl Product {
    /// The product of two assets; `None` if one of the names is no asset's.
    #[must_use]
    pub fn new(base: &str, quote: &str) -> Option<Self> {
        (is_asset(base) && is_asset(quote)).then(|| Self {
            base: base.to_owned(),
            quote: quote.to_owned(),
        })
    }

    /// Splits a symbol such as `BTCUSDT`; `None` if it does not end with a well-known quote asset.
    #[must_use]
    pub fn from_symbol(symbol: &str) -> Option<Self> {
        let split = |quote| Some((symbol.strip_suffix(quote)?, quote));
        let (base, quote) = QUOTE_ASSETS.into_iter().find_map(split)?;
        Self::new(base, quote)
    }

    /// Whether prices are commonly quoted in this asset.
    #[must_use]
    pub fn is_quote_asset(asset: &str) -> bool {
        QUOTE_ASSETS.contains(&asset)
    }

    /// What is bought and sold.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What prices are quoted in.
    #[must_use]
    pub fn quote(&self) -> &str {
        &self.quote
    }

    /// The symbol: both names without a mark between them.
    #[must_use]
    pub fn symbol(&self) -> String {
        format!("{}{}", self.base, self.quote)
    }
}

fn is_asset(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    !name.is_empty() && name.bytes().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_split_before_its_longest_quote_asset() {
        for (symbol, wanted) in [
            ("BTCUSDT", Some(("BTC", "USDT"))),
            ("ADABTC", Some(("ADA", "BTC"))),
            ("BTCFDUSD", Some(("BTC", "FDUSD"))),
            ("1INCHUSD", Some(("1INCH", "USD"))),
            ("USDT", None),
            ("btcusdt", None),
            ("BTCXYZ", None),
            ("", None),
        ] {
            let product = Product::from_symbol(symbol);
            let split = product.as_ref().map(|found| (found.base(), found.quote()));
            assert_eq!(split, wanted, "{symbol}");
            assert!(product.is_none_or(|found| found.symbol() == symbol));
        }
    }

    #[test]
    fn no_quote_asset_hides_behind_one_that_it_ends_with() {
        for (place, quote) in QUOTE_ASSETS.iter().enumerate() {
            let mut before = QUOTE_ASSETS.iter().take(place);
            assert!(before.all(|shorter| !quote.ends_with(shorter)), "{quote}");
        }
    }
}
