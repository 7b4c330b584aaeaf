//! Exact numbers: what a cell says, as a count of 10^-18, or why it says nothing that can be kept.

use tradewind_model::Amount;

/// Which mark stands before the decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Point,
    Comma,
}

/// A number as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) amount: Amount,
    /// Digits after the point, zeros at the end apart.
    pub(crate) places: u8,
    pub(crate) written: Written,
}

/// What is known of how a number was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Exact,
    /// With the noise of a binary float, `5.330000000000001e-05`: its 15 significant digits are what was meant.
    Float,
    /// With an exponent as spreadsheets write it, which may hide digits.
    Spreadsheet,
}

/// Why a cell is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoNumber {
    /// There is nothing: an empty cell, NaN, null.
    Nothing,
    /// What is wrong, and what cures it.
    Bad(String),
}

/// Digits a binary float keeps whatever they are.
const FLOAT_DIGITS: usize = 15;
const PLACES: i32 = Amount::DECIMALS as i32;

/// Whether a cell says that there is nothing.
pub(crate) fn is_nothing(text: &str) -> bool {
    let known = [
        "", "nan", "null", "none", "na", "n/a", "-", "nil", "#n/a", "<na>",
    ];
    text.len() <= 5
        && known
            .iter()
            .any(|nothing| nothing.eq_ignore_ascii_case(text))
}

/// Reads a number.
pub(crate) fn parse(text: &str, mark: Mark) -> Result<Number, NoNumber> {
    if let Some(number) = plain(text, mark) {
        return Ok(number);
    }
    if is_nothing(text) {
        return Err(NoNumber::Nothing);
    }
    slow(text, mark).map_err(NoNumber::Bad)
}

/// The common case: up to 18 digits and a point.
fn plain(text: &str, mark: Mark) -> Option<Number> {
    let mark = if mark == Mark::Point { b'.' } else { b',' };
    let bytes = text.as_bytes();
    if bytes.len() > 19 || !bytes.first()?.is_ascii_digit() || !bytes.last()?.is_ascii_digit() {
        return None;
    }
    let (mut value, mut after, mut seen, mut digits, mut places) = (0_u64, 0_u32, false, 0, 0);
    for &byte in bytes {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u64::from(byte - b'0');
                digits += 1;
                after += u32::from(seen);
                if byte != b'0' {
                    places = after;
                }
            }
            byte if byte == mark && !seen => seen = true,
            _ => return None,
        }
    }
    // 16 digits may be the noise of a float; with eight decimals or fewer they are none.
    if digits > 18 || digits > FLOAT_DIGITS && places > 8 {
        return None;
    }
    let unit = 10_i128.checked_pow(18_u32.checked_sub(after)?)?;
    Some(Number {
        amount: Amount(i128::from(value) * unit),
        places: u8::try_from(places).ok()?,
        written: Written::Exact,
    })
}

fn slow(text: &str, mark: Mark) -> Result<Number, String> {
    let (mantissa, exponent, upper) = match text.find(['e', 'E']) {
        Some(at) => {
            let (mantissa, rest) = text.split_at(at);
            let digits = rest.get(1..).unwrap_or_default();
            let exponent: i32 = digits.parse().map_err(|_| no_number(text, mark))?;
            (mantissa, exponent, rest.starts_with('E'))
        }
        None => (text, 0, false),
    };
    let (negative, unsigned) = mantissa
        .strip_prefix('-')
        .map_or((false, mantissa), |unsigned| (true, unsigned));
    let mark_char = if mark == Mark::Point { '.' } else { ',' };
    let (whole, fraction) = unsigned.split_once(mark_char).unwrap_or((unsigned, ""));
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty()
        || unsigned.ends_with(mark_char)
        || !plain(whole)
        || !plain(fraction)
    {
        return Err(no_number(text, mark));
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let after = i32::try_from(fraction.len())
        .unwrap_or(i32::MAX)
        .saturating_sub(exponent);
    // `1.2346E+12` hides its last digits; a float of 10^16 and more is printed so with all of them.
    if exponent > 0 && after < 0 && (upper || exponent < 16) {
        return Err(format!(
            "{text:?} was rounded, as spreadsheets do; export it again with plain numbers"
        ));
    }
    let kept = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len() - kept.len()).unwrap_or(i32::MAX);
    let (mut kept, mut places) = (kept.to_owned(), after.saturating_sub(zeros));
    let mut written = if upper && exponent < 0 {
        Written::Spreadsheet
    } else {
        Written::Exact
    };
    if kept.is_empty() {
        return Ok(Number {
            amount: Amount::ZERO,
            places: 0,
            written: Written::Exact,
        });
    }
    if kept.len() > FLOAT_DIGITS && places > 8 {
        // A float prints 17 digits at most. Zeros at the end of the 15 tell noise from a number that has as many digits.
        let (short, zeros) = rounded(&kept);
        let (printed, too_fine) = (kept.len() <= 17, places > PLACES);
        if zeros >= 3 && (printed || too_fine) || printed && too_fine {
            places -= i32::try_from(kept.len() - FLOAT_DIGITS).unwrap_or(0) + zeros;
            kept = short;
            written = Written::Float;
        }
    }
    if places > PLACES {
        return Err(format!(
            "{text:?} is finer than 18 decimals, which cannot be held exactly"
        ));
    }
    let too_large = || format!("{text:?} is too large to be a price or a quantity");
    let mantissa: i128 = kept.parse().map_err(|_| too_large())?;
    let power = u32::try_from(PLACES.saturating_sub(places)).unwrap_or(u32::MAX);
    let unit = 10_i128.checked_pow(power).ok_or_else(too_large)?;
    let value = mantissa.checked_mul(unit).ok_or_else(too_large)?;
    Ok(Number {
        amount: Amount(if negative { -value } else { value }),
        places: u8::try_from(places.max(0)).unwrap_or(0),
        written,
    })
}

/// The first 15 digits, rounded half up, without the zeros at their end, and how many those are.
fn rounded(digits: &str) -> (String, i32) {
    let (first, rest) = digits.split_at(FLOAT_DIGITS);
    let up = rest.bytes().next().is_some_and(|next| next >= b'5');
    let first: u64 = first.parse().unwrap_or(0);
    let mut value = first + u64::from(up);
    let mut zeros = 0;
    while value > 0 && value.is_multiple_of(10) {
        value /= 10;
        zeros += 1;
    }
    (value.to_string(), zeros)
}

fn no_number(text: &str, mark: Mark) -> String {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let only = |allowed: &str| {
        text.chars()
            .all(|c| c.is_ascii_digit() || allowed.contains(c))
    };
    let shown: String = text.chars().take(40).collect();
    let text = shown.as_str();
    if digits > 0 && only(",.'\u{a0}\u{202f} -") {
        return match mark {
            Mark::Point => format!(
                "{text:?} has a thousands separator or a decimal comma; write it with digits and one point"
            ),
            Mark::Comma => format!(
                "{text:?} does not fit the decimal commas of this file; write all numbers with digits and one mark"
            ),
        };
    }
    if digits > 0 && only(",.$\u{20ac}\u{a3}%KMBkmb ") {
        return format!("{text:?} has a sign or a unit in it; write the plain number");
    }
    format!("{text:?} is no number")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_exact_or_told() {
        let check = |text: &str, wanted: &str, written: Written| {
            let number = parse(text, Mark::Point).unwrap();
            assert_eq!(
                (number.amount, number.written),
                (wanted.parse().unwrap(), written),
                "{text}"
            );
            let places = wanted.split_once('.').map_or(0, |(_, after)| after.len());
            assert_eq!(usize::from(number.places), places, "{text}");
        };
        check("42000.00000000", "42000", Written::Exact);
        check("0.0000000012343", "0.0000000012343", Written::Exact);
        check("42000.123456789012", "42000.123456789012", Written::Exact);
        check("123456789.12345678", "123456789.12345678", Written::Exact);
        check("1e-08", "0.00000001", Written::Exact);
        check("5.4E-5", "0.000054", Written::Spreadsheet);
        check("5.330000000000001e-05", "0.0000533", Written::Float);
        check(
            "1000000.000000000001",
            "1000000.000000000001",
            Written::Exact,
        );
        check("0.10000000000000000555", "0.1", Written::Float);
        check("29.207690000000003", "29.20769", Written::Float);
        check("0.30000000000000004", "0.3", Written::Float);
        check("2.7364180000000e16", "27364180000000000", Written::Exact);
        check("1e+16", "10000000000000000", Written::Exact);
        check(".5", "0.5", Written::Exact);
        check("-3", "-3", Written::Exact);
        check("0.0", "0", Written::Exact);
        check("00012", "12", Written::Exact);
        let comma = parse("42000,5", Mark::Comma).unwrap();
        assert_eq!(comma.amount, "42000.5".parse().unwrap());
    }

    #[test]
    fn what_is_no_number_says_what_it_is() {
        for nothing in ["", "NaN", "null", "None", "-"] {
            assert_eq!(parse(nothing, Mark::Point), Err(NoNumber::Nothing));
        }
        for (text, words) in [
            ("44,957.9", "thousands separator"),
            ("1.2346E+12", "was rounded, as spreadsheets do"),
            ("1e3", "was rounded, as spreadsheets do"),
            ("42.99K", "a sign or a unit"),
            ("$12.5", "a sign or a unit"),
            ("inf", "is no number"),
            ("0x10", "is no number"),
            ("1_000", "is no number"),
            ("1.2.3", "thousands separator"),
            ("0.0000000000000000001", "finer than 18 decimals"),
            ("1e25", "too large"),
            ("999999999999999999999999", "too large"),
            ("+5", "is no number"),
            ("41746.", "thousands separator"),
            ("1e99999999999", "is no number"),
        ] {
            let Err(NoNumber::Bad(reason)) = parse(text, Mark::Point) else {
                panic!("{text}")
            };
            assert!(reason.contains(words), "{text}: {reason}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_printed_amounts_read_back(text in "\\PC{0,30}", odd in "[-0-9.,eE+]{0,40}", count in 0_i128..10_i128.pow(30)) {
            drop(parse(&text, Mark::Point));
            drop(parse(&odd, Mark::Point));
            drop(parse(&odd, Mark::Comma));
            let amount = Amount(count);
            let read = parse(&amount.to_string(), Mark::Point).unwrap();
            prop_assert!(read.amount == amount || read.written == Written::Float);
        }
    }
}
