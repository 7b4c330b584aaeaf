//! Tickers of other spans than the last 24 hours: a rolling window of a client's choice, and the trading day.

use std::time::Duration;

use serde::Serialize;
use tradewind_model::{Instrument, Interval};

use super::errors::ApiError;
use super::tickers::{Ticker, per_symbol, wants_all};
use super::{Call, Outcome, Params};
use crate::core::Core;
use crate::decimals;
use crate::market::DayStatistics;

/// What the full ticker tells beyond the short one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    price_change: String,
    price_change_percent: String,
    weighted_avg_price: String,
}

impl Change {
    fn new(instrument: &Instrument, found: &DayStatistics) -> Self {
        Self {
            price_change: found.change(instrument),
            price_change_percent: found.change_percent(),
            weighted_avg_price: decimals::rounded(found.average(instrument)),
        }
    }
}

/// 4 for each symbol, 200 at most.
pub(super) fn weight(params: &Params) -> u32 {
    let symbols = params.symbols().ok().flatten();
    let count = symbols.map_or(1, |symbols| symbols.len());
    u32::try_from(count).map_or(200, |count| count.saturating_mul(4).min(200))
}

/// Both ask for at least one symbol, and for 100 at most.
fn check_symbols(params: &Params) -> Result<(), ApiError> {
    const SYMBOLS_MAX: usize = 100;
    match (params.text("symbol"), params.symbols()?) {
        (None, None) => Err(ApiError::either("symbol", "symbols")),
        (None, Some(symbols)) if symbols.len() > SYMBOLS_MAX => Err(ApiError::invalid("symbols")),
        _ => Ok(()),
    }
}

/// The window that ends now and began `windowSize` ago, at the full minute.
pub(super) fn rolling(core: &mut Core, call: Call<'_>) -> Outcome {
    check_symbols(call.params)?;
    let size = call.params.text("windowSize").unwrap_or("1d");
    let size = window_size(size).ok_or_else(|| ApiError::invalid("windowSize"))?;
    let open = Interval::Minute1.open_time(call.now - size);
    let full = wants_all(call.params)?;
    per_symbol(core, call, |core, instrument| {
        let found = core.market.since(instrument, open)?;
        let change = full.then(|| Change::new(instrument, &found));
        let times = (call.unit.stamp(open), call.unit.stamp(call.now));
        Some(Ticker::new(core, instrument, &found, change, times))
    })
}

/// The day that today is in `timeZone`, from its first to its last millisecond.
pub(super) fn trading_day(core: &mut Core, call: Call<'_>) -> Outcome {
    check_symbols(call.params)?;
    let open = call.params.zone()?.open_time(Interval::Day1, call.now);
    let close = call.unit.stamp(open + Interval::Day1.duration()) - 1;
    let full = wants_all(call.params)?;
    per_symbol(core, call, |core, instrument| {
        let found = core.market.since(instrument, open)?;
        let change = full.then(|| Change::new(instrument, &found));
        let times = (call.unit.stamp(open), close);
        Some(Ticker::new(core, instrument, &found, change, times))
    })
}

/// `1m` to `59m`, `1h` to `23h`, `1d` to `7d`.
fn window_size(text: &str) -> Option<Duration> {
    let (unit, most, seconds) = [("m", 59, 60), ("h", 23, 3_600), ("d", 7, 86_400)]
        .into_iter()
        .find(|(unit, ..)| text.ends_with(unit))?;
    let digits = text.strip_suffix(unit)?;
    let count: u64 = digits
        .parse()
        .ok()
        .filter(|_| !digits.starts_with(['+', '0']))?;
    (1..=most)
        .contains(&count)
        .then(|| Duration::from_secs(count * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_the_sizes_the_venue_takes() {
        for (text, minutes) in [("1m", 1), ("59m", 59), ("4h", 240), ("7d", 10_080)] {
            assert_eq!(
                window_size(text),
                Some(Duration::from_secs(minutes * 60)),
                "{text}"
            );
        }
        for text in ["0m", "60m", "24h", "8d", "1w", "m", "+1m", "01h", ""] {
            assert_eq!(window_size(text), None, "{text}");
        }
    }

    #[test]
    fn each_symbol_weighs_four() {
        let weigh = |query: &str| weight(&Params::from_form(query, "").unwrap());
        assert_eq!(weigh("symbol=BTCUSDT"), 4);
        assert_eq!(weigh("symbols=[\"BTCUSDT\",\"ETHUSDT\"]"), 8);
    }
}
