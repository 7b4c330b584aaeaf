//! Numbers as the venue prints them: fixed decimal places, zeros kept.
//!
//! Market frames are written by the million, so this appends to a buffer and allocates nothing.

use tradewind_model::{Amount, Instrument, Price, Quantity};

/// Decimal places the venue prints prices, quantities and balances with.
const PLACES: u8 = 8;

/// Appends `value`, a count of 10^-`decimals`, with eight places.
pub(crate) fn push_fixed(out: &mut String, value: i64, decimals: u8) {
    let Some(factor) = PLACES
        .checked_sub(decimals)
        .and_then(|up| 10_u64.checked_pow(u32::from(up)))
    else {
        out.push_str(&tradewind_model::format_fixed(i128::from(value), decimals));
        return;
    };
    const UNIT: u128 = 100_000_000;
    let scaled = u128::from(value.unsigned_abs()) * u128::from(factor);
    if value < 0 {
        out.push('-');
    }
    match u64::try_from(scaled) {
        Ok(scaled) => {
            push_integer(out, scaled / 100_000_000);
            push_fraction(out, scaled % 100_000_000);
        }
        Err(_) => {
            out.push_str(&(scaled / UNIT).to_string());
            push_fraction(out, u64::try_from(scaled % UNIT).unwrap_or(0));
        }
    }
}

fn push_fraction(out: &mut String, fraction: u64) {
    out.push('.');
    let mut unit = 10_000_000;
    while unit > 0 {
        push_digit(out, fraction / unit % 10);
        unit /= 10;
    }
}

fn push_digit(out: &mut String, digit: u64) {
    out.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
}

/// Appends a whole number.
pub(crate) fn push_integer(out: &mut String, value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(at).map(|digit| char::from(*digit)));
}

/// A price as the venue prints it.
pub(crate) fn price(instrument: &Instrument, price: Price) -> String {
    let mut text = String::with_capacity(20);
    push_fixed(&mut text, price.0, instrument.price_decimals);
    text
}

/// A quantity as the venue prints it.
pub(crate) fn quantity(instrument: &Instrument, quantity: Quantity) -> String {
    let mut text = String::with_capacity(20);
    push_fixed(&mut text, quantity.0, instrument.quantity_decimals);
    text
}

/// An amount as the venue prints it: eight places, more only where there are more.
pub(crate) fn amount(amount: Amount) -> String {
    amount.to_text(PLACES)
}

/// An amount rounded half to even to the eight places the venue prints.
pub(crate) fn rounded(value: Amount) -> String {
    const UNIT: i128 = 10_000_000_000;
    let counts = value.mul_div(1, UNIT).unwrap_or_default();
    amount(Amount(counts.0 * UNIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fixed(value: i64, decimals: u8) -> String {
        let mut text = String::new();
        push_fixed(&mut text, value, decimals);
        text
    }

    #[test]
    fn numbers_have_eight_places() {
        assert_eq!(fixed(6_183_763, 2), "61837.63000000");
        assert_eq!(fixed(0, 5), "0.00000000");
        assert_eq!(fixed(-5, 1), "-0.50000000");
        assert_eq!(fixed(1, 8), "0.00000001");
        assert_eq!(fixed(123, 9), "0.000000123");
        assert_eq!(fixed(i64::MAX, 0), "9223372036854775807.00000000");
    }

    proptest! {
        #[test]
        fn the_fast_printer_agrees_with_the_exact_one(value in any::<i64>(), decimals in 0_u8..=8) {
            let exact = Amount(i128::from(value) * 10_i128.pow(u32::from(18 - decimals)));
            prop_assert_eq!(fixed(value, decimals), exact.to_text(8));
        }
    }
}
