//! Offsets from UTC, as clients ask for candles and trading days in them.

use tradewind_model::{Interval, Timestamp};

/// How far clocks are ahead of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Zone {
    minutes: i64,
}

const MINUTE_NANOS: i64 = 60_000_000_000;

impl Zone {
    /// UTC itself.
    pub(crate) const UTC: Self = Self { minutes: 0 };

    /// Reads `-1:00`, `05:45`, `+08:00` or `8`, from -12:00 to +14:00.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "00"));
        let number = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i64>()
                .ok()
                .filter(|_| plain && lengths.contains(&text.len()))
        };
        let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
        let total = sign * (hours * 60 + minutes);
        (minutes < 60 && (-720..=840).contains(&total)).then_some(Self { minutes: total })
    }

    /// Start of the interval that `at` lies in, by these clocks.
    pub(crate) fn open_time(self, interval: Interval, at: Timestamp) -> Timestamp {
        self.utc(interval.open_time(self.local(at)))
    }

    /// What these clocks show at `at`, as a time of UTC.
    pub(crate) const fn local(self, at: Timestamp) -> Timestamp {
        Timestamp::from_nanos(at.as_nanos().saturating_add(self.minutes * MINUTE_NANOS))
    }

    /// When these clocks show `local`.
    pub(crate) const fn utc(self, local: Timestamp) -> Timestamp {
        Timestamp::from_nanos(local.as_nanos().saturating_sub(self.minutes * MINUTE_NANOS))
    }

    /// The interval that candles of `interval` are folded from here; `None` when they begin as in UTC.
    pub(crate) fn parts(self, interval: Interval) -> Option<Interval> {
        let seconds = self.minutes * 60;
        let fits = |part: Interval| {
            i64::try_from(part.duration().as_secs()).is_ok_and(|length| seconds % length == 0)
        };
        if fits(interval) {
            return None;
        }
        let parts = [Interval::Hour1, Interval::Minute15, Interval::Minute1];
        parts
            .into_iter()
            .find(|part| *part < interval && fits(*part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_within_their_range() {
        let minutes = |text| Zone::read(text).map(|zone| zone.minutes);
        for (text, wanted) in [
            ("+08:00", Some(480)),
            ("-1:00", Some(-60)),
            ("05:45", Some(345)),
            ("8", Some(480)),
            ("14:00", Some(840)),
            ("14:01", None),
            ("-12:30", None),
            ("1:5", None),
            ("1:60", None),
            ("", None),
            ("+-1", None),
        ] {
            assert_eq!(minutes(text), wanted, "{text}");
        }
    }

    #[test]
    fn days_begin_by_local_clocks() {
        let zone = Zone::read("+08:00").unwrap();
        let at = Timestamp::from_secs(1_700_000_000);
        let open = zone.open_time(Interval::Day1, at);
        assert_eq!(open.as_millis() / 1_000 % 86_400, 16 * 3_600);
        assert!(open <= at && at < open + Interval::Day1.duration());
        assert_eq!(zone.parts(Interval::Hour1), None);
        assert_eq!(zone.parts(Interval::Day1), Some(Interval::Hour1));
        let quarter = Zone::read("5:45").unwrap();
        assert_eq!(quarter.parts(Interval::Hour1), Some(Interval::Minute15));
        assert_eq!(quarter.parts(Interval::Minute15), None);
    }
}
