//! Reading single values exactly: durations, ratios, rates, amounts, and the plainer kinds.
//!
//! Each function takes a node and answers with the value or with what is wrong and what to write instead. No number
//! passes through a float on its way.

use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use tradewind_model::{Amount, Interval, NumberError, Ppm, parse_fixed};
use tradewind_risk::{LossAction, Rate};

use super::error::Problem;
use super::nearest::did_you_mean;
use super::tree::{Node, Table, Value};

/// What a node read as `T` gives.
pub(super) type Read<T> = Result<T, Problem>;

fn wrong_kind<T>(node: &Node, wanted: &str) -> Read<T> {
    Err(Problem::new(
        format!("{} is not {wanted}", node.value.describe()),
        "change it",
    ))
}

pub(super) fn text(node: &Node) -> Read<String> {
    match &node.value {
        Value::Text(text) if !text.is_empty() => Ok(text.clone()),
        _ => wrong_kind(node, "a text in quotes"),
    }
}

pub(super) fn flag(node: &Node) -> Read<bool> {
    match node.value {
        Value::Flag(flag) => Ok(flag),
        _ => wrong_kind(node, "true or false"),
    }
}

pub(super) fn table(node: &Node) -> Read<&Table> {
    match &node.value {
        Value::Table(table) => Ok(table),
        _ => wrong_kind(node, "a table"),
    }
}

/// A whole number from 0 that fits `T`.
pub(super) fn count<T: TryFrom<i128>>(node: &Node) -> Read<T> {
    let problem = |what: String| Problem::new(what, "write a whole number from 0, without quotes");
    let Value::Integer(text) = &node.value else {
        return Err(problem(format!("{} is no count", node.value.describe())));
    };
    let number = parse_fixed(text, 0).map_err(|error| problem(format!("{text} is {error}")))?;
    T::try_from(number).map_err(|_| problem(format!("{text} is out of range")))
}

/// A whole number from 1.
pub(super) fn count_from_one(node: &Node) -> Read<u32> {
    match count(node)? {
        0 => Err(Problem::new(
            "0 is too few",
            "write a whole number from 1, without quotes",
        )),
        number => Ok(number),
    }
}

/// A signed whole number, as Telegram numbers its users and chats.
pub(super) fn integer(node: &Node) -> Read<i64> {
    match &node.value {
        Value::Integer(text) => text
            .parse()
            .map_err(|_| Problem::new(format!("{text} is out of range"), "check the number")),
        _ => wrong_kind(node, "a whole number without quotes"),
    }
}

/// The number a node holds, as text: a TOML number as it was written, or a text.
fn number_text<'n>(node: &'n Node, cure: &str) -> Read<&'n str> {
    match &node.value {
        Value::Integer(text) | Value::Float(text) | Value::Text(text) => Ok(text),
        _ => Err(Problem::new(
            format!("{} is no number", node.value.describe()),
            cure,
        )),
    }
}

/// An amount of money above zero.
pub(super) fn amount(node: &Node) -> Read<Amount> {
    const CURE: &str = "write a plain number above 0, such as 1000 or 2500.50";
    let text = number_text(node, CURE)?;
    match text.parse::<Amount>() {
        Ok(amount) if amount > Amount::ZERO => Ok(amount),
        Ok(_) => Err(Problem::new(format!("{text} is not above 0"), CURE)),
        Err(error) => Err(Problem::new(format!("{text:?} is {error}"), CURE)),
    }
}

/// An amount of money above zero, or a share above 0 % and at most 100 % (`Err`).
pub(super) fn amount_or_share(node: &Node) -> Read<Result<Amount, Ppm>> {
    match &node.value {
        Value::Text(text) if text.ends_with('%') => ratio(node).map(Err),
        _ => match amount(node) {
            Ok(amount) => Ok(Ok(amount)),
            Err(problem) => Err(Problem::new(
                problem.what,
                format!("{}, or a share such as \"12.5%\"", problem.cure),
            )),
        },
    }
}

/// A share as it is written: `12.5%`.
pub(super) fn percent(share: Ppm) -> String {
    let (whole, parts) = (share.0 / 10_000, share.0 % 10_000);
    let text = format!("{whole}.{parts:04}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}%")
}

/// A multiple of something, above zero: how many times as fast as real time, for one.
pub(super) fn multiple(node: &Node) -> Read<Ppm> {
    const CURE: &str = "write a plain number above 0, such as 10 or 0.5";
    let text = number_text(node, CURE)?;
    match text.parse::<Ppm>() {
        Ok(speed) if speed > Ppm::ZERO => Ok(speed),
        Ok(_) => Err(Problem::new(format!("{text} is not above 0"), CURE)),
        Err(error) => Err(Problem::new(format!("{text:?} is {error}"), CURE)),
    }
}

/// A multiple from 1 to 10, or `"off"`.
pub(super) fn multiple_or_off(node: &Node) -> Read<Option<Ppm>> {
    const CURE: &str = "write a number from 1 to 10, such as 1.25, or \"off\"";
    let text = number_text(node, CURE)?;
    if text == "off" {
        return Ok(None);
    }
    match text.parse::<Ppm>() {
        Ok(multiple) if (Ppm::ONE.0..=10 * Ppm::ONE.0).contains(&multiple.0) => Ok(Some(multiple)),
        Ok(_) => Err(Problem::new(
            format!("{text} is not in the range 1 to 10"),
            CURE,
        )),
        Err(error) => Err(Problem::new(format!("{text:?} is {error}"), CURE)),
    }
}

/// A share in (0, 1]: `0.05` or `"5%"`.
pub(super) fn ratio(node: &Node) -> Read<Ppm> {
    const CURE: &str = "write a share above 0% and at most 100%, such as \"5%\"";
    let ratio = any_ratio(node, CURE)?;
    if ratio > Ppm::ZERO && ratio <= Ppm::ONE {
        return Ok(ratio);
    }
    Err(Problem::new(
        format!("{ratio} is not in the range above 0 to 1"),
        CURE,
    ))
}

/// A distance that may be negative, smaller than 1 either way.
pub(super) fn offset(node: &Node) -> Read<Ppm> {
    const CURE: &str = "write a share between -100% and 100%, such as \"0.02%\"";
    let offset = any_ratio(node, CURE)?;
    if offset.0.abs() < Ppm::ONE.0 {
        return Ok(offset);
    }
    Err(Problem::new(
        format!("{offset} is not between -1 and 1"),
        CURE,
    ))
}

fn any_ratio(node: &Node, cure: &str) -> Read<Ppm> {
    let text = number_text(node, cure)?;
    parse_ratio(text).map_err(|error| Problem::new(format!("{text:?} is {error}"), cure))
}

/// Reads a fraction (`0.05`) or a percentage (`5%`) exactly, to one part in a million.
///
/// # Errors
/// As for any number; more than six decimal places are too precise.
pub fn parse_ratio(text: &str) -> Result<Ppm, NumberError> {
    let Some(percent) = text.strip_suffix('%') else {
        return text.parse();
    };
    i64::try_from(parse_fixed(percent, 4)?)
        .map(Ppm)
        .map_err(|_| NumberError::OutOfRange)
}

const DURATION_CURE: &str = "write a duration such as \"250ms\", \"2s\", \"15m\", \"4h\" or \"1d\"";

/// A duration above zero.
pub(super) fn duration(node: &Node) -> Read<Duration> {
    match duration_or_zero(node)? {
        Duration::ZERO => Err(Problem::new("a duration of zero", DURATION_CURE)),
        duration => Ok(duration),
    }
}

/// A duration, zero included.
pub(super) fn duration_or_zero(node: &Node) -> Read<Duration> {
    match &node.value {
        Value::Text(text) => parse_duration(text)
            .ok_or_else(|| Problem::new(format!("{text:?} is no duration"), DURATION_CURE)),
        value => Err(Problem::new(
            format!("{} is no duration", value.describe()),
            DURATION_CURE,
        )),
    }
}

const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
];

/// Reads `2s`, `250ms`, `1h30m`: whole numbers with units, the larger unit first.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut millis: u64 = 0;
    let mut last = u64::MAX;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let (unit, size) = UNITS
            .iter()
            .find(|(unit, _)| behind.starts_with(unit))
            .filter(|(_, size)| *size < last)?;
        millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*size)?)?;
        last = *size;
        rest = behind.strip_prefix(unit)?;
        if rest.is_empty() {
            return Some(Duration::from_millis(millis));
        }
    }
}

/// Prints a duration as [`parse_duration`] reads it; parts below a millisecond are left out.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, size) in UNITS.iter().skip(1).chain(UNITS.first()) {
        let whole = millis / size;
        if whole > 0 {
            text.push_str(&format!("{whole}{unit}"));
        }
        millis %= size;
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

/// A rate: `"2/s burst 5"`.
pub(super) fn rate(node: &Node) -> Read<Rate> {
    const CURE: &str = "write a rate such as \"2/s burst 5\" or \"80/10s burst 45\"";
    match &node.value {
        Value::Text(text) => {
            parse_rate(text).ok_or_else(|| Problem::new(format!("{text:?} is no rate"), CURE))
        }
        value => Err(Problem::new(
            format!("{} is no rate", value.describe()),
            CURE,
        )),
    }
}

/// Reads `COUNT/PERIOD`, optionally followed by ` burst COUNT`; without it the burst is the count.
pub(super) fn parse_rate(text: &str) -> Option<Rate> {
    let (rate, burst) = match text.split_once(" burst ") {
        Some((rate, burst)) => (rate, Some(burst)),
        None => (text, None),
    };
    let (count, period) = rate.split_once('/')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|number| *number > 0 && digits(text))
    };
    let per = match period.as_bytes().first()? {
        b'0'..=b'9' => parse_duration(period)?,
        _ => parse_duration(&format!("1{period}"))?,
    };
    let count = number(count)?;
    let burst = burst.map_or(Some(count), number)?;
    (per > Duration::ZERO).then_some(Rate { count, per, burst })
}

/// What is done on a loss.
pub(super) fn loss_action(node: &Node) -> Read<LossAction> {
    let choices = [("keep", LossAction::Keep), ("flatten", LossAction::Flatten)];
    choice(node, &choices)
}

/// Where to listen.
pub(super) fn socket_address(node: &Node) -> Read<SocketAddr> {
    let text = text(node)?;
    text.parse().map_err(|_| {
        Problem::new(
            format!("{text:?} is no address with a port"),
            "write an IP address and a port, such as \"127.0.0.1:8787\"",
        )
    })
}

/// The length of a candle.
pub(super) fn interval(node: &Node) -> Read<Interval> {
    let text = text(node)?;
    let names = Interval::all().map(Interval::name).collect::<Vec<_>>();
    Interval::from_str(&text).map_err(|_| {
        Problem::new(
            format!("no candles of {text:?}"),
            did_you_mean(&text, names.iter().copied()),
        )
    })
}

/// One of a few words, each with its meaning.
pub(super) fn choice<T: Copy>(node: &Node, choices: &[(&'static str, T)]) -> Read<T> {
    let text = text(node)?;
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let names = choices
            .iter()
            .map(|(name, _)| format!("{name:?}"))
            .collect::<Vec<_>>();
        Problem::new(
            format!("{text:?} is not one of them"),
            format!("write {}", names.join(" or ")),
        )
    })
}

/// A name of ours: lower-case letters, digits, `-` and `_`, 40 at most, a letter first.
pub(super) fn name(node: &Node) -> Read<String> {
    let text = text(node)?;
    if is_name(&text) {
        return Ok(text);
    }
    Err(Problem::new(
        format!("{text:?} cannot be a name"),
        "use lower-case letters, digits, - and _, a letter first, 40 at most",
    ))
}

pub(super) fn is_name(text: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    text.len() <= 40
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_whole_counts_of_units() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(
                parse_duration(text),
                millis.map(Duration::from_millis),
                "{text:?}"
            );
        };
        check("2s", Some(2_000));
        check("250ms", Some(250));
        check("15m", Some(900_000));
        check("1h30m", Some(5_400_000));
        check("1d", Some(86_400_000));
        check("1m500ms", Some(60_500));
        check("0s", Some(0));
        check("", None);
        check("5", None);
        check("s", None);
        check("1.5s", None);
        check("-1s", None);
        check("30m1h", None);
        check("1s1s", None);
        check("2 s", None);
        check("99999999999999999999d", None);
        check("1w", None);
    }

    #[test]
    fn ratios_are_read_exactly_or_not_at_all() {
        let check = |text: &str, wanted| assert_eq!(parse_ratio(text), wanted, "{text:?}");
        check("0.05", Ok(Ppm(50_000)));
        check("5%", Ok(Ppm(50_000)));
        check("0.07%", Ok(Ppm(700)));
        check("0.000001", Ok(Ppm(1)));
        check("0.29", Ok(Ppm(290_000)));
        check("1", Ok(Ppm::ONE));
        check("-0.02%", Ok(Ppm(-200)));
        check("0.0000001", Err(NumberError::TooPrecise { decimals: 6 }));
        check("0.00001%", Err(NumberError::TooPrecise { decimals: 4 }));
        check("5e-2", Err(NumberError::Malformed));
        check("5 %", Err(NumberError::Malformed));
        check("inf", Err(NumberError::Malformed));
    }

    #[test]
    fn rates_have_a_count_a_period_and_a_burst() {
        let check = |text: &str, wanted: Option<(u32, u64, u32)>| {
            let wanted = wanted.map(|(count, per, burst)| Rate {
                count,
                per: Duration::from_millis(per),
                burst,
            });
            assert_eq!(parse_rate(text), wanted, "{text:?}");
        };
        check("2/s burst 5", Some((2, 1_000, 5)));
        check("80/10s burst 45", Some((80, 10_000, 45)));
        check("3/m", Some((3, 60_000, 3)));
        check("0/s", None);
        check("2/s burst 0", None);
        check("2/0s", None);
        check("2", None);
        check("+2/s", None);
        check("2/s burst", None);
        check("2/fortnight", None);
    }

    proptest! {
        #[test]
        fn a_printed_duration_reads_back(millis in 0_u64..1_000_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }

        #[test]
        fn a_printed_ratio_reads_back(parts in any::<i64>()) {
            prop_assert_eq!(parse_ratio(&Ppm(parts).to_string()), Ok(Ppm(parts)));
        }

        #[test]
        fn what_the_readers_take_is_plain_ascii(text in ".{0,40}") {
            let taken = parse_duration(&text).is_some() || parse_ratio(&text).is_ok() || parse_rate(&text).is_some();
            prop_assert!(!taken || text.is_ascii());
        }
    }
}
