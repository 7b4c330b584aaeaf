//! How long a candle is: one of the [`Interval`]s, or a month of the calendar, by the clocks of a zone.
//!
//! Months have no one length, so they are no interval: they are folded from days here, for REST and streams alike.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tradewind_model::{Interval, Timestamp};
use tradewind_simx::Kline;

use crate::zone::Zone;

/// Days of the longest month.
pub(crate) const MONTH_DAYS_MAX: usize = 31;

/// Length of a candle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Span {
    Of(Interval),
    Month,
}

impl Span {
    /// Reads `1m` to `1w`, and `1M`.
    pub(crate) fn read(name: &str) -> Option<Self> {
        match name {
            "1M" => Some(Self::Month),
            _ => name.parse().ok().map(Self::Of),
        }
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Of(interval) => interval.name(),
            Self::Month => "1M",
        }
    }
}

/// When candles begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanClock {
    pub(crate) span: Span,
    pub(crate) zone: Zone,
}

impl SpanClock {
    /// Start of the candle that `at` lies in.
    pub(crate) fn open_time(self, at: Timestamp) -> Timestamp {
        match self.span {
            Span::Of(interval) => self.zone.open_time(interval, at),
            Span::Month => self.first_moment(month_of(self.zone.local(at))),
        }
    }

    /// End of the candle that begins at `open_time`: the start of the next.
    pub(crate) fn close_time(self, open_time: Timestamp) -> Timestamp {
        match self.span {
            Span::Of(interval) => open_time + interval.duration(),
            Span::Month => {
                let month = month_of(self.zone.local(open_time));
                self.first_moment(month.last_of_month().tomorrow().unwrap_or(month))
            }
        }
    }

    /// Folds shorter candles, oldest first. Each begins with its span, whenever its first part came.
    pub(crate) fn fold(self, parts: &[Kline]) -> Vec<Kline> {
        let mut folded: Vec<Kline> = Vec::new();
        for part in parts {
            let open_time = self.open_time(part.open_time);
            match folded.last_mut() {
                Some(whole) if whole.open_time == open_time => whole.add(part),
                _ => folded.push(Kline { open_time, ..*part }),
            }
        }
        folded
    }

    fn first_moment(self, date: Date) -> Timestamp {
        let zoned = date.to_zoned(TimeZone::UTC);
        let shown = zoned.map_or(Timestamp::EPOCH, |zoned| {
            Timestamp::from_secs(zoned.timestamp().as_second())
        });
        self.zone.utc(shown)
    }
}

fn month_of(local: Timestamp) -> Date {
    let at = jiff::Timestamp::from_millisecond(local.as_millis()).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::Price;

    const fn months(zone: Zone) -> SpanClock {
        let span = Span::Month;
        SpanClock { span, zone }
    }

    #[test]
    fn months_begin_with_the_calendars() {
        let day = |seconds: i64, price: i64| Kline {
            trades: 1,
            ..Kline::flat(Timestamp::from_secs(seconds), Price(price))
        };
        // 30 and 31 January, 1 February 2024.
        let days = [
            day(1_706_572_800, 5),
            day(1_706_659_200, 7),
            day(1_706_745_600, 6),
        ];
        let clock = months(Zone::UTC);
        let folded = clock.fold(&days);
        let opens: Vec<i64> = folded
            .iter()
            .map(|month| month.open_time.as_millis())
            .collect();
        assert_eq!(opens, [1_704_067_200_000, 1_706_745_600_000]);
        assert_eq!((folded[0].open, folded[0].close), (Price(5), Price(7)));
        let march = Timestamp::from_secs(1_709_251_200);
        assert_eq!(clock.close_time(folded[1].open_time), march);
    }

    #[test]
    fn months_begin_by_local_clocks() {
        let clock = months(Zone::read("+08:00").unwrap());
        // 31 January 2024, 16:00 UTC.
        let february = Timestamp::from_secs(1_706_716_800);
        let before = Timestamp::from_millis(1_706_716_799_999);
        assert_eq!(clock.open_time(february), february);
        assert_eq!(clock.close_time(clock.open_time(before)), february);
        assert_eq!(
            clock.close_time(february),
            Timestamp::from_secs(1_709_222_400)
        );
    }

    #[test]
    fn spans_have_the_venues_names() {
        for name in ["1s", "1m", "1h", "1d", "1w", "1M"] {
            assert_eq!(Span::read(name).map(Span::name), Some(name));
        }
        assert_eq!(Span::read("2M"), None);
    }
}
