//! What a file's name says: `BTC_USDT-1m.csv`, `BTCUSDT-1h-2023-11-18.csv`, `BINANCE_BTCUSDT, 60.csv`, `XBTUSD_60.csv`,
//! `DAT_ASCII_EURUSD_M1_2024.csv`.

use std::path::Path;

use tradewind_model::Interval;

use crate::product::Product;

/// What a name says. Anything of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileName {
    pub(crate) product: Option<Product>,
    pub(crate) interval: Option<Interval>,
    /// A bare number after the product, which some programs mean as minutes.
    pub(crate) minutes: Option<Interval>,
    /// The name says months, which are no interval.
    pub(crate) months: bool,
    /// The name is of HistData, whose times are five hours behind UTC.
    pub(crate) histdata: bool,
    pub(crate) liquidations: bool,
    /// Its other words, in small letters.
    pub(crate) words: Vec<String>,
}

/// Words before a product: venues, and what programs put there.
const BEFORE: [&str; 34] = [
    "binance",
    "binanceus",
    "bitstamp",
    "coinbase",
    "kraken",
    "okx",
    "okex",
    "bybit",
    "gemini",
    "bitfinex",
    "kucoin",
    "gate",
    "gateio",
    "huobi",
    "htx",
    "mexc",
    "poloniex",
    "cex",
    "exmo",
    "bittrex",
    "ftx",
    "deribit",
    "bitmex",
    "upbit",
    "oanda",
    "forexcom",
    "fx",
    "idc",
    "dat",
    "ascii",
    "mt",
    "spot",
    "futures",
    "cryptocom",
];

/// Words for what a file has, which are no assets.
const CONTENTS: [&str; 16] = [
    "trade",
    "trades",
    "aggtrades",
    "quote",
    "quotes",
    "candle",
    "candles",
    "kline",
    "klines",
    "ohlc",
    "ohlcv",
    "tick",
    "ticks",
    "book",
    "history",
    "data",
];
/// Words for contracts behind a base asset, which are no quote assets.
const CONTRACTS: [&str; 5] = ["PERP", "PERPETUAL", "SWAP", "FUTURE", "FUTURES"];
/// Minutes that programs put right behind a symbol: `EURUSD60.csv`.
const BEHIND: [&str; 8] = ["1", "5", "15", "30", "60", "240", "1440", "10080"];

/// Reads `BASE/QUOTE`, or both without a mark between them where the quote asset is a known one; in either letter case.
#[must_use]
pub fn product(text: &str) -> Option<Product> {
    let text = text.to_ascii_uppercase();
    match text.split_once(['/', '-', '_']) {
        Some((_, quote)) if CONTRACTS.contains(&quote) => None,
        Some((base, quote)) => Product::new(asset(base), asset(quote)),
        None => {
            // XBTUSD is not XB against TUSD.
            let kraken = text.get(..3).filter(|first| asset(first) != *first);
            if let Some(pair) = kraken.and_then(|first| Product::new(asset(first), text.get(3..)?))
            {
                return Some(pair).filter(|pair| Product::is_quote_asset(pair.quote()));
            }
            Product::from_symbol(&text)
        }
    }
}

/// Kraken's own names of two assets.
fn asset(name: &str) -> &str {
    match name {
        "XBT" => "BTC",
        "XDG" => "DOGE",
        name => name,
    }
}

/// Reads a file's name.
pub(crate) fn parse(path: &Path) -> FileName {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let stem = stem(name);
    let parts: Vec<&str> = stem
        .split(['-', '_', ',', ' ', '(', ')', '.'])
        .filter(|part| !part.is_empty())
        .flat_map(|part| {
            let (symbol, minutes) = behind(part);
            [Some(symbol), minutes].into_iter().flatten()
        })
        .collect();
    let lower: Vec<String> = parts.iter().map(|part| part.to_ascii_lowercase()).collect();
    let skip = lower
        .iter()
        .take_while(|part| BEFORE.contains(&part.as_str()))
        .count();
    let found = (skip..parts.len()).find_map(|place| at(&parts, place));
    // FOO_BTC_USDT may be FOO against BTC, or BTC against USDT at a venue called FOO.
    let found = found.filter(|(_, after)| {
        let pair = |place: usize| at(&parts, place).is_some_and(|(_, end)| end == place + 2);
        !(pair(after.saturating_sub(2)) && pair(after - 1))
    });
    let after = found.as_ref().map_or(skip, |(_, after)| *after);
    let start = (skip..after)
        .find(|place| at(&parts, *place).is_some())
        .unwrap_or(after);
    let rest = || parts.iter().skip(after);
    let minutes = rest()
        .next()
        .filter(|part| !part.starts_with('0'))
        .and_then(|part| part.parse().ok());
    FileName {
        product: found.as_ref().map(|(product, _)| product.clone()),
        interval: rest()
            .find_map(|part| interval(part))
            .or_else(|| parts.iter().find_map(|part| interval(part))),
        minutes: minutes.and_then(of_minutes),
        months: parts
            .iter()
            .any(|part| matches!(*part, "1M" | "1mo" | "monthly" | "1month")),
        histdata: lower.iter().take(2).eq(["dat", "ascii"].iter())
            || lower.iter().take(2).eq(["dat", "mt"].iter()),
        words: [lower.get(..start), lower.get(after..)]
            .into_iter()
            .flatten()
            .flatten()
            .cloned()
            .collect(),
        liquidations: lower.iter().any(|part| part == "liquidations"),
    }
}

/// Cuts off the minutes of MetaTrader's names, `EURUSD60`.
fn behind(part: &str) -> (&str, Option<&str>) {
    let symbol = part.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let minutes = part.get(symbol.len()..).unwrap_or_default();
    let is_symbol = symbol.len() >= 6 && symbol.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_symbol && BEHIND.contains(&minutes) && product(symbol).is_some() {
        return (symbol, Some(minutes));
    }
    (part, None)
}

/// The name without the endings that tell the format.
fn stem(name: &str) -> &str {
    let mut stem = name;
    while let Some((left, ending)) = stem.rsplit_once('.') {
        let known = [
            "csv", "gz", "zip", "txt", "json", "tsv", "jsonl", "ndjson", "prn",
        ];
        if !known.iter().any(|known| known.eq_ignore_ascii_case(ending)) {
            break;
        }
        stem = left;
    }
    stem
}

/// The product that begins at a part, and the part after it.
fn at(parts: &[&str], place: usize) -> Option<(Product, usize)> {
    let first = *parts.get(place)?;
    if CONTENTS.iter().any(|word| word.eq_ignore_ascii_case(first)) {
        return None;
    }
    if interval(first).is_some() || first.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let pair = parts.get(place + 1).and_then(|second| {
        let second = second.to_ascii_uppercase();
        Product::is_quote_asset(&second).then(|| product(&format!("{first}/{second}")))?
    });
    pair.filter(|pair| pair.base() != pair.quote())
        .map(|pair| (pair, place + 2))
        .or_else(|| Some((product(first)?, place + 1)))
}

/// An interval as programs call it. `1M` is a month and `M1` a minute.
pub(crate) fn interval(word: &str) -> Option<Interval> {
    if let Ok(found) = word.parse() {
        return Some(found);
    }
    let lower = word.to_ascii_lowercase();
    let name = match lower.as_str() {
        "m1" | "minute" | "1min" | "1minute" | "minutely" => "1m",
        "m3" | "3min" => "3m",
        "m5" | "5min" => "5m",
        "m15" | "15min" => "15m",
        "m30" | "30min" => "30m",
        "h1" | "hour" | "hourly" | "1hour" | "1hr" | "60min" => "1h",
        "h4" | "4hour" => "4h",
        "d1" | "d" | "day" | "daily" | "1day" => "1d",
        "w1" | "w" | "weekly" | "1week" => "1w",
        lower if !lower.ends_with('m') => lower,
        _ => return None,
    };
    name.parse().ok()
}

pub(crate) fn of_minutes(minutes: u64) -> Option<Interval> {
    Interval::all().find(|interval| interval.duration().as_secs() == minutes.saturating_mul(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_they_can() {
        let check = |name: &str, product: Option<&str>, interval: Option<&str>| {
            let found = parse(Path::new(name));
            let shown = found
                .product
                .map(|product| format!("{}/{}", product.base(), product.quote()));
            let length = found.interval.or(found.minutes).map(Interval::name);
            assert_eq!((shown.as_deref(), length), (product, interval), "{name}");
        };
        check("/data/BTC_USDT-1m.csv", Some("BTC/USDT"), Some("1m"));
        check("BTCUSDT-1h-2023-11-18.csv", Some("BTC/USDT"), Some("1h"));
        check("ADA_BTC-5m.csv.gz", Some("ADA/BTC"), Some("5m"));
        check("btcusdt-quotes.csv", Some("BTC/USDT"), None);
        check("btcusdt_20240808.gz", Some("BTC/USDT"), None);
        check("SOLUSDT_1h_2020_2026.csv.gz", Some("SOL/USDT"), Some("1h"));
        check("prices.csv", None, None);
        check("BINANCE_BTCUSDT, 60.csv", Some("BTC/USDT"), Some("1h"));
        check("BINANCE_BTCUSDT, 1D.csv", Some("BTC/USDT"), Some("1d"));
        check("Binance_BTCUSDT_1h.csv", Some("BTC/USDT"), Some("1h"));
        check(
            "Binance_BTCUSDT_2023_minute.csv",
            Some("BTC/USDT"),
            Some("1m"),
        );
        check("Gemini_ETHUSD_d.csv", Some("ETH/USD"), Some("1d"));
        check("Binance_BTC_USDT-1m.csv", Some("BTC/USDT"), Some("1m"));
        check("XBTUSD_1440.csv", Some("BTC/USD"), Some("1d"));
        check("XBTUSDT_60.csv", Some("BTC/USDT"), Some("1h"));
        check(
            "DAT_ASCII_EURUSD_M1_202410.csv",
            Some("EUR/USD"),
            Some("1m"),
        );
        check("BTC-USD.csv", Some("BTC/USD"), None);
        check(
            "BTC_USDT_USDT-5m-futures.json",
            Some("BTC/USDT"),
            Some("5m"),
        );
        check(
            "binance_trades_2024-10-01_BTCUSDT.csv.gz",
            Some("BTC/USDT"),
            None,
        );
        check("BTCUSDT-aggTrades-2024-10-01.csv", Some("BTC/USDT"), None);
        check("BTCUSDT-1M-2024.csv", Some("BTC/USDT"), None);
        check("bitmex_trades_XBTUSD.csv", Some("BTC/USD"), None);
        check("USDT-1m.csv", None, Some("1m"));
        check("FOO_BTC_USDT-1m.csv", None, Some("1m"));
        assert!(parse(Path::new("BTCUSDT-1M-2024.csv")).months);
        assert!(parse(Path::new("DAT_MT_EURUSD_M1_2024.csv")).histdata);
    }
}
