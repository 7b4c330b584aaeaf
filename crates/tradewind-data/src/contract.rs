//! Markets whose amounts are counts of contracts, or of dollars, and no coins: inverse and coin-margined futures and swaps.

use crate::cells::Cells;
use crate::layout::{Layout, Taker, plain};
use crate::names;
use crate::number::{self, Mark};
use crate::product::Product;
use crate::row::Kind;

/// Columns that tell the amount in the base asset, whatever the others count.
pub(crate) const IN_BASE: [&str; 2] = ["base_qty", "homenotional"];
/// Words of markets that count contracts, whatever their quote asset is.
const ALWAYS: [&str; 4] = ["bitmex", "swap", "dm", "delivery"];
/// Words of markets that count contracts where prices are in dollars.
const IN_DOLLARS: [&str; 9] = [
    "deribit",
    "perpetual",
    "perp",
    "futures",
    "inverse",
    "coinm",
    "cm",
    "cryptofacilities",
    "bybit",
];

/// Takes the amounts of contracts away, or says why the rows are nothing without them.
pub(crate) fn settle(
    layout: &mut Layout,
    words: &[String],
    product: Option<&Product>,
    first: Option<&Cells>,
) -> Result<(), String> {
    let cell = |place: Option<usize>| first.and_then(|row| row.get(place?)).unwrap_or_default();
    let symbol = cell(layout.symbol);
    let exchange = layout
        .names
        .iter()
        .position(|name| plain(name) == "exchange");
    let mut all_words = words.to_vec();
    all_words.extend(cut(cell(exchange)));
    all_words.extend(cut(symbol).skip(1));
    let read = names::product(symbol);
    let quote = product.or(read.as_ref()).map(Product::quote);
    let is_linear = quote.is_some_and(|quote| quote != "USD" && Product::is_quote_asset(quote));
    let counts = |word: &&String| {
        ALWAYS.contains(&word.as_str())
            || !is_linear && (IN_DOLLARS.contains(&word.as_str()) || is_delivery(word))
    };
    let Some(word) = all_words.iter().find(counts) else {
        return Ok(());
    };
    let [_, quantity, ..] = layout.numbers;
    match layout.kind {
        Kind::Candles if layout.numbers[4].is_none() => {}
        Kind::Candles => {
            layout.numbers[4] = None;
            layout.notes.push(format!(
                "volumes of {word} may be contracts and no coins; the candles are read without them"
            ));
        }
        Kind::Books | Kind::Numbers | Kind::Targets => {}
        Kind::Quotes if layout.numbers[2].or(layout.numbers[3]).is_none() => {}
        Kind::Quotes => {
            (layout.numbers[2], layout.numbers[3]) = (None, None);
            layout.notes.push(format!(
                "sizes of {word} may be contracts and no coins; the quotes are read without them"
            ));
        }
        Kind::Trades => {
            let name = quantity.and_then(|place| layout.names.get(place));
            let is_base = name.is_some_and(|name| IN_BASE.contains(&plain(name).as_str()));
            let is_plain = layout.names.is_empty()
                && layout.time == 4
                && matches!(layout.taker, Some((5, Taker::BuyerMaker)));
            if is_plain {
                layout.numbers[1] = Some(3);
            } else if !is_base {
                return Err(format!(
                    "amounts of {word} may be contracts and no coins, and no column base_qty or homeNotional tells the coins; use the trades of a spot market, or, if they are coins, call the column base_qty"
                ));
            }
        }
    }
    Ok(())
}

fn cut(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric());
    parts.map(str::to_ascii_lowercase)
}

/// `240927`, a day of delivery. `202410` is a month of a year.
fn is_delivery(word: &str) -> bool {
    let number = |range: std::ops::Range<usize>| word.get(range)?.parse::<u8>().ok();
    let is_month = |month: Option<u8>| month.is_some_and(|month| (1..=12).contains(&month));
    word.len() == 6
        && word.bytes().all(|byte| byte.is_ascii_digit())
        && is_month(number(2..4))
        && number(4..6).is_some_and(|day| (1..=31).contains(&day))
        && !is_month(number(4..6))
}

/// Whether a trade of Binance without names is one of contracts: the fourth column is no price times quantity, but the coins
/// that so many contracts of 10 or 100 dollars are worth.
pub(crate) fn is_coin_margined(price: &str, quantity: &str, other: &str) -> bool {
    const SMALL: i128 = 1_000_000_000;
    let read = |text| Some(number::parse(text, Mark::Point).ok()?.amount.0 / SMALL);
    let (Some(price), Some(quantity), Some(other)) = (read(price), read(quantity), read(other))
    else {
        return false;
    };
    let near = |a: i128, b: i128| (a - b).abs() <= a.max(b) / 100;
    let worth = other.saturating_mul(price);
    !near(price.saturating_mul(quantity), other.saturating_mul(SMALL))
        && [10, 100]
            .into_iter()
            .any(|size| near(worth, quantity.saturating_mul(SMALL * size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_delivery_are_no_months() {
        let found = [
            "240927", "200925", "201225", "202410", "201012", "2024", "240932", "btc",
        ]
        .map(is_delivery);
        assert_eq!(found, [true, true, true, false, false, false, false, false]);
    }

    #[test]
    fn coins_of_contracts_are_no_turnover() {
        assert!(is_coin_margined("63000.5", "12", "0.01904747"));
        assert!(is_coin_margined("2500", "7", "0.028"));
        assert!(!is_coin_margined("63000.5", "12", "756006"));
        assert!(!is_coin_margined("63000.5", "0.5", "31500.25"));
        assert!(!is_coin_margined("10", "3", "30"));
        assert!(!is_coin_margined("x", "3", "30"));
    }
}
