//! Times as files write them: counts since 1970 in a unit that their size tells, or the calendar.

use tradewind_model::Timestamp;

/// How a time was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
    /// With a zone.
    Zoned,
    /// Without one.
    Naive,
}

impl Unit {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Nanos => "nanoseconds",
            Self::Zoned => "dates with a zone",
            Self::Naive => "dates without a zone",
        }
    }
}

/// 2000-01-01 and 2100-01-01 in seconds: counts outside are no times, so the size of one tells its unit.
const COUNTED: std::ops::Range<i64> = 946_684_800..4_102_444_800;
/// 1980-01-01: a calendar date before is a mistake.
const WRITTEN: std::ops::Range<i64> = 315_532_800..4_102_444_800;
/// 1982 to 2063 in days since 1900.
const SPREADSHEET_DAYS: std::ops::Range<u32> = 30_000..60_000;
const KNOWN: &str = "known are whole seconds, milliseconds, microseconds or nanoseconds since 1970, or YYYY-MM-DD HH:MM:SS with or without a zone; export it again so, or delete the line";

/// Reads a time. `offset` is how many seconds a time without a zone is ahead of UTC.
pub(crate) fn parse(text: &str, offset: i64) -> Result<(Timestamp, Unit), String> {
    let bytes = text.as_bytes();
    let point = bytes
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(bytes.len());
    let is_count = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    let (whole, fraction) = (
        bytes.get(..point).unwrap_or_default(),
        bytes.get(point + 1..).unwrap_or_default(),
    );
    let is_number = !whole.is_empty() && is_count(whole) && is_count(fraction);
    if is_number
        && fraction.is_empty()
        && let Some(other) = hour(whole)
    {
        return Err(format!(
            "{text:?} may be {other}, or seconds since 1970 in the years from 2032 on; write it as YYYY-MM-DD HH:MM, or in milliseconds"
        ));
    }
    if is_number && let Some(found) = count(whole, fraction) {
        return found.map_err(|reason| format!("{text:?} {reason}"));
    }
    if let Some(found) = calendar(text, offset) {
        return found.map_err(|reason| format!("{text:?} {reason}"));
    }
    let shown: String = text.chars().take(40).collect();
    let days = std::str::from_utf8(whole)
        .ok()
        .and_then(|days| days.parse::<u32>().ok());
    if is_number && days.is_some_and(|days| SPREADSHEET_DAYS.contains(&days)) {
        return Err(format!(
            "{shown:?} may be a day as spreadsheets count them; give the column the format YYYY-MM-DD HH:MM:SS and export it again"
        ));
    }
    if is_number {
        let year = if whole.len() <= 10 {
            ", and is around 1970 in seconds (milliseconds of a day, as LEAN has them, are not read)"
        } else {
            ""
        };
        return Err(format!(
            "{shown:?} is no time between 2000 and 2100{year}; {KNOWN}"
        ));
    }
    Err(format!("{shown:?} is no time; {KNOWN}"))
}

/// A count since 1970; `None` if it is none between 2000 and 2100.
fn count(whole: &[u8], fraction: &[u8]) -> Option<Result<(Timestamp, Unit), String>> {
    if whole.len() > 19 {
        return None;
    }
    let value = digits(whole)?;
    let units = [
        (Unit::Seconds, 1_000_000_000),
        (Unit::Millis, 1_000_000),
        (Unit::Micros, 1_000),
        (Unit::Nanos, 1_i64),
    ];
    let (unit, nanos) = units
        .into_iter()
        .find(|(_, nanos)| COUNTED.contains(&(value / (1_000_000_000 / nanos))))?;
    let mut part = 0;
    let mut worth = nanos;
    for byte in fraction {
        worth /= 10;
        let digit = i64::from(byte - b'0');
        if worth == 0 && digit != 0 {
            return Some(Err(
                "has parts of a nanosecond, which a float left; write whole counts".to_owned(),
            ));
        }
        part += digit * worth;
    }
    Some(Ok((Timestamp::from_nanos(value * nanos + part), unit)))
}

/// What `2024100100` is by the calendar. As seconds all of these lie in the years from 2032 to 2036.
fn hour(whole: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(whole)
        .ok()
        .filter(|text| text.len() == 10)?;
    let (date, hour) = text.split_at(8);
    let days = day(date)?.ok()?;
    let is_hour = WRITTEN.contains(&(days * 86_400)) && number(hour)? < 24;
    let (year, rest) = date.split_at(4);
    let (month, day) = rest.split_at(2);
    is_hour.then(|| format!("{year}-{month}-{day} {hour}:00"))
}

/// Reads a time whose date stands in another cell, unless this one has a date of its own.
pub(crate) fn parse_two(date: &str, clock: &str, offset: i64) -> Result<(Timestamp, Unit), String> {
    let alone = parse(clock, offset).ok().filter(|_| clock.len() > 8);
    alone.map_or_else(|| parse(&format!("{date} {clock}"), offset), Ok)
}

/// Whether a time is a date alone, without a time of day.
pub(crate) fn is_day(text: &str) -> bool {
    matches!(day(text.trim()), Some(Ok(_)))
}

/// `20241001 000000` and `20241001 000000123`: HistData's form.
pub(crate) fn is_compact(text: &str) -> bool {
    let (date, clock) = text.split_once(' ').unwrap_or_default();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    date.len() == 8 && matches!(clock.len(), 6 | 9) && digits(date) && digits(clock)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// A date, a time of day if there is one, and a zone if there is one.
fn calendar(text: &str, offset: i64) -> Option<Result<(Timestamp, Unit), String>> {
    let (date, rest) = match text.find([' ', 'T']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim()),
        None if text.len() > 8 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.split_at(8)
        }
        None => (text, ""),
    };
    let days = match day(date)? {
        Ok(days) => days,
        Err(reason) => return Some(Err(reason)),
    };
    let (clock, zone) = zone(rest)?;
    let nanos = if clock.is_empty() {
        0
    } else {
        time_of_day(clock)?
    };
    let (shift, unit) = zone.map_or((offset, Unit::Naive), |shift| (shift, Unit::Zoned));
    let seconds = days * 86_400 - shift;
    if !WRITTEN.contains(&seconds) {
        return Some(Err(
            "is no time of a market: it lies outside of 1980 to 2100".to_owned(),
        ));
    }
    Some(Ok((
        Timestamp::from_nanos(seconds * 1_000_000_000 + nanos),
        unit,
    )))
}

/// Days since 1970; an error for an order of day and month that cannot be known.
fn day(date: &str) -> Option<Result<i64, String>> {
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        return civil(
            number(date.get(..4)?)?,
            number(date.get(4..6)?)?,
            number(date.get(6..)?)?,
        )
        .map(Ok);
    }
    let mark = date.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(mark, '-' | '/' | '.') {
        return None;
    }
    let mut parts = date.split(mark);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (a, b, c) = (number(first)?, number(second)?, number(third)?);
    if first.len() == 4 {
        return civil(a, b, c).map(Ok);
    }
    if third.len() == 4 && mark == '.' {
        return civil(c, b, a).map(Ok);
    }
    let reason = "may be month/day or day/month; write dates as YYYY-MM-DD";
    (third.len() == 4 || third.len() == 2).then(|| Err(reason.to_owned()))
}

fn number(text: &str) -> Option<i64> {
    (text.len() <= 4 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

/// Days since 1970 of a date in the Gregorian calendar, if there is such a date.
fn civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// `20241001T120000.123Z`: a time within a file's name.
pub(crate) fn compact(at: Timestamp) -> String {
    let (year, month, day) = date(at);
    let millis = at.as_millis().rem_euclid(86_400_000);
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{millis:03}Z")
}

/// Year, month and day of a moment, in UTC.
pub(crate) const fn date(at: Timestamp) -> (i64, i64, i64) {
    let days = at.as_nanos().div_euclid(86_400_000_000_000) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let part = (5 * day_of_year + 2) / 153;
    let month = if part < 10 { part + 3 } else { part - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_year - (153 * part + 2) / 5 + 1)
}

/// Cuts the zone off, as seconds ahead of UTC.
fn zone(text: &str) -> Option<(&str, Option<i64>)> {
    for utc in ["Z", "z", "UTC", "GMT"] {
        if let Some(clock) = text.strip_suffix(utc) {
            return Some((clock.trim_end(), Some(0)));
        }
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, None));
    };
    let (clock, zone) = (text.get(..at)?.trim_end(), text.get(at + 1..)?);
    // `GMT+0200` is Dukascopy's.
    let clock = clock
        .strip_suffix("GMT")
        .or(clock.strip_suffix("UTC"))
        .map_or(clock, str::trim_end);
    // The hyphen of `11-AM` begins no zone.
    if !zone.starts_with(|c: char| c.is_ascii_digit()) {
        return Some((text, None));
    }
    let seconds = clock_offset(zone)?;
    Some((
        clock,
        Some(if text.get(at..)?.starts_with('-') {
            -seconds
        } else {
            seconds
        }),
    ))
}

/// `HH:MM`, `HHMM` or `HH` as seconds.
fn clock_offset(text: &str) -> Option<i64> {
    let (hours, minutes) = match text.split_once(':') {
        Some(parts) => parts,
        None if text.len() == 4 => text.split_at_checked(2)?,
        None => (text, "0"),
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours <= 18 && minutes < 60).then_some(hours * 3_600 + minutes * 60)
}

/// Reads what `--utc-offset` says: `+02:00`, `-05:00`.
pub(crate) fn offset(text: &str) -> Option<i64> {
    if let Some(ahead) = text.strip_prefix('+') {
        return clock_offset(ahead);
    }
    clock_offset(text.strip_prefix('-')?).map(|behind| -behind)
}

/// Nanoseconds since midnight of `HH:MM[:SS[.fff]]`, `HHMMSS[fff]`, `HHMM` or `HH-AM`. Other counts of digits are no clock.
fn time_of_day(text: &str) -> Option<i64> {
    if let Some((hour, half)) = text.split_once(['-', ' ']) {
        let hour = number(hour).filter(|hour| (1..=12).contains(hour))? % 12;
        let half = match half {
            "AM" => 0,
            "PM" => 12,
            _ => return None,
        };
        return Some((hour + half) * 3_600_000_000_000);
    }
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut thousandths = "";
    let (hours, minutes, seconds) = if clock.contains(':') {
        let mut parts = clock.split(':');
        let found = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
        if parts.next().is_some() {
            return None;
        }
        found
    } else {
        if !matches!(clock.len(), 4 | 6 | 9) {
            return None;
        }
        thousandths = clock.get(6..).unwrap_or_default();
        (
            clock.get(..2)?,
            clock.get(2..4)?,
            if clock.len() > 4 {
                clock.get(4..6)?
            } else {
                "0"
            },
        )
    };
    let (hours, minutes, seconds) = (number(hours)?, number(minutes)?, number(seconds)?);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let fraction = if fraction.is_empty() {
        thousandths
    } else {
        fraction
    };
    let mut nanos = 0;
    let mut worth = 1_000_000_000;
    for byte in fraction.bytes() {
        worth /= 10;
        let digit = i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
        if worth == 0 && digit != 0 {
            return None;
        }
        nanos += digit * worth;
    }
    Some((hours * 3_600 + minutes * 60 + seconds) * 1_000_000_000 + nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_is_read_as_it_was_meant() {
        let wanted: Timestamp = "2024-10-01T00:00:00Z".parse().unwrap();
        for text in [
            "1727740800",
            "1727740800000",
            "1727740800000000",
            "1727740800000000000",
            "1727740800000.0",
            "1727740800.000",
            "2024-10-01T00:00:00Z",
            "2024-10-01 00:00:00",
            "2024-10-01",
            "2024-10-01 00:00",
            "2024-10-01T02:00:00+02:00",
            "2024-09-30 19:00:00-05:00",
            "2024-10-01 00:00:00+00:00",
            "2024-10-01 00:00:00 UTC",
            "20241001 000000",
            "20241001",
            "20241001000000",
            "202410010000",
            "20241001 000000000",
            "2024.10.01 00:00",
            "2024/10/01",
            "01.10.2024 00:00:00.000",
            "2024-10-01 12-AM",
            "2024-10-01T00:00:00.000000000Z",
            "2024-10-01T02:00:00+0200",
        ] {
            assert_eq!(parse(text, 0).map(|found| found.0), Ok(wanted), "{text}");
        }
        let exact = |text: &str| parse(text, 0).unwrap().0.as_nanos() - wanted.as_nanos();
        assert_eq!(exact("1727740800.1234567"), 123_456_700);
        assert_eq!(exact("20241001 000000123"), 123_000_000);
        assert_eq!(exact("2024-10-01 01-PM"), 13 * 3_600_000_000_000);
        let est = parse("20241001 000000", -5 * 3_600).unwrap();
        assert_eq!(
            (est.0.as_nanos() - wanted.as_nanos(), est.1),
            (5 * 3_600_000_000_000, Unit::Naive)
        );
        assert_eq!(
            parse("2024-10-01T00:00:00Z", -18_000).unwrap(),
            (wanted, Unit::Zoned)
        );
        assert_eq!(offset("-05:00"), Some(-18_000));
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (text, words) in [
            ("1.70027E+12", "is no time; known are"),
            ("05/29/2024", "month/day"),
            ("29-05-2024", "month/day"),
            ("1/2/24", "month/day"),
            ("60", "around 1970"),
            ("0", "around 1970"),
            ("1970-01-01", "outside of 1980"),
            ("50000-01-01", "is no time"),
            ("1727740800000000000000", "is no time"),
            ("2024-02-30", "is no time"),
            ("2024-10-01 25:00", "is no time"),
            ("1727740800.12345678901", "parts of a nanosecond"),
            ("Oct 01, 2024", "is no time"),
            (
                "2024100100",
                "may be 2024-10-01 00:00, or seconds since 1970 in the years from 2032 on",
            ),
            ("1999123123", "may be 1999-12-31 23:00, or seconds"),
            ("2024-10-01 1727740800123", "is no time"),
            ("2024-10-01 17277", "is no time"),
            ("2024-10-01 1727740", "is no time"),
            ("2024-10-01 17274080", "is no time"),
            ("", "is no time"),
        ] {
            let reason = parse(text, 0).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
        }
    }

    #[test]
    fn a_time_beside_a_date_is_a_clock_or_a_time_by_itself() {
        let read = |date, clock| parse_two(date, clock, 0).map(|(at, _)| at.to_string());
        for (date, clock) in [
            ("2024-09-22", "1727000000123"),
            ("2024-09-22", "2024-09-22T10:13:20.123Z"),
            ("2024-09-22", "10:13:20.123"),
            ("20240922", "101320123"),
        ] {
            assert_eq!(
                read(date, clock).unwrap(),
                "2024-09-22T10:13:20.123Z",
                "{clock}"
            );
        }
        // Eight digits may be a date, or a time of day with hundredths.
        assert!(read("2024-09-22", "20240922").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}", odd in "[-0-9.:TZ+ /]{0,30}") {
            drop(parse(&text, 0));
            drop(parse(&odd, 0));
        }

        #[test]
        fn days_are_those_of_the_calendar(seconds in 315_532_800_i64..4_102_444_800) {
            let at = Timestamp::from_secs(seconds);
            let text = at.to_string();
            prop_assert_eq!(parse(&text, 0).unwrap().0, at);
            let (year, month, day) = date(at);
            prop_assert_eq!(format!("{year:04}-{month:02}-{day:02}"), text.get(..10).unwrap());
            let text = seconds.to_string();
            let is_hour = hour(text.as_bytes()).is_some();
            prop_assert!(!is_hour || seconds > 1_956_528_000, "{}", text);
            prop_assert_eq!(parse(&text, 0).is_ok(), seconds >= 946_684_800 && !is_hour);
        }
    }
}
