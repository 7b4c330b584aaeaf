//! How many observations an indicator needs until its value no longer depends on where its history began.
//!
//! Indicators over a window depend on nothing else, and need what fills it. Averages whose old values only fade need a multiple
//! of their period: after four periods of an exponential average, and eight of Wilder's, the first value weighs 0.03 %. The
//! built-in strategies wait as long.

use tradewind_indicators::Entry;

const EXPONENTIAL: u32 = 4;
const WILDER: u32 = 8;

/// Observations that are to come before the first one that is decided on.
pub(crate) fn settled(entry: &Entry, parameters: &[f64], warm_up: usize) -> u32 {
    let p = |index: usize| whole(parameters.get(index).copied().unwrap_or_default());
    let fading = match entry.name {
        "rsi" | "rma" | "atr" | "natr" | "dm" | "dmi" | "cmo" | "supertrend" | "chandelier"
        | "kama" => WILDER * p(0),
        "adx" | "adxr" => 2 * WILDER * p(0),
        "stochrsi" => WILDER * p(0) + p(1) + p(2),
        "crsi" => (WILDER * p(0)).max(WILDER * p(1)).max(p(2)),
        "ema" | "zlema" | "efi" => EXPONENTIAL * p(0),
        "dema" => 2 * EXPONENTIAL * p(0),
        "tema" | "trix" => 3 * EXPONENTIAL * p(0),
        "t3" => 6 * EXPONENTIAL * p(0),
        "macd" => EXPONENTIAL * (p(1) + p(2)),
        "apo" | "ppo" | "adosc" => EXPONENTIAL * p(1),
        "tsi" => EXPONENTIAL * (p(0) + p(1)),
        "keltner" => (EXPONENTIAL * p(0)).max(WILDER * p(1)),
        "mass" => 2 * EXPONENTIAL * p(0) + p(1),
        "fisher" => 2 * WILDER + p(0),
        "sar" => 50,
        _ => 0,
    };
    let filled = u32::try_from(warm_up.saturating_sub(1)).unwrap_or(u32::MAX);
    fading.max(filled)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "parameters that are counts are whole and in range"
)]
fn whole(parameter: f64) -> u32 {
    parameter.clamp(0.0, 1e6) as u32
}
