//! Exact decimals for the tests' own sums, so that a difference of zero is one to the last digit.

use std::collections::BTreeMap;

use serde_json::Value;

/// Digits after the point: those of two factors with up to eight each, and some to spare.
const DIGITS: usize = 18;

/// A decimal text as a multiple of 10^-18.
#[track_caller]
pub(crate) fn exact(value: &Value) -> i128 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no decimal"));
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(fraction.len() <= DIGITS, "{text} has too many digits");
    sign * format!("{whole}{fraction:0<DIGITS$}")
        .parse::<i128>()
        .unwrap()
}

/// What fills did to an account: by asset, in multiples of 10^-18.
#[track_caller]
pub(crate) fn moved(fills: &[Value]) -> BTreeMap<String, i128> {
    let mut moved = BTreeMap::new();
    let mut add = |asset: &str, amount: i128| *moved.entry(asset.to_owned()).or_insert(0) += amount;
    for fill in fills {
        let instrument = fill["instrument"].as_str().unwrap();
        let (base, quote) = instrument
            .split_once(':')
            .unwrap()
            .1
            .split_once('/')
            .unwrap();
        let sign = if fill["side"] == "buy" { 1 } else { -1 };
        add(base, sign * exact(&fill["quantity"]));
        add(quote, -sign * exact(&fill["value"]));
        add(fill["fee_asset"].as_str().unwrap(), -exact(&fill["fee"]));
    }
    moved
}

#[test]
fn amounts_are_read_to_the_last_digit() {
    let unit = 10_i128.pow(18);
    assert_eq!(exact(&"1855.1289".into()), 18_551_289 * unit / 10_000);
    assert_eq!(exact(&"-0.00003".into()), -3 * unit / 100_000);
    assert_eq!(exact(&"7".into()), 7 * unit);
}
