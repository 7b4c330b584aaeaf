//! Candles of a month. Months have no one length, so they are no [`Interval`](tradewind_model::Interval): they are folded
//! from days here, for REST alone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use tradewind_model::Timestamp;
use tradewind_simx::Kline;

/// The interval's name.
pub(super) const NAME: &str = "1M";

/// Days of the longest month.
pub(super) const DAYS_AT_MOST: usize = 31;

/// Folds days, oldest first, into the calendar's months (UTC), `limit` at most: the first from `from` on, else the newest.
/// Each begins with its month, whenever its first day came.
pub(super) fn fold(days: &[Kline], from: Option<Timestamp>, limit: usize) -> Vec<Kline> {
    let mut months: Vec<Kline> = Vec::new();
    for day in days {
        let open_time = first_moment(month_of(day.open_time));
        match months.last_mut() {
            Some(month) if month.open_time == open_time => month.add(day),
            _ => months.push(Kline { open_time, ..*day }),
        }
    }
    // One that began before `from` is none of those that are asked for.
    months.retain(|month| from.is_none_or(|from| month.open_time >= from));
    if from.is_none() {
        months.drain(..months.len().saturating_sub(limit));
    }
    months.truncate(limit);
    months
}

/// When the month after the one that begins at `open_time` begins.
pub(super) fn next(open_time: Timestamp) -> Timestamp {
    let month = month_of(open_time);
    first_moment(month.last_of_month().tomorrow().unwrap_or(month))
}

fn month_of(at: Timestamp) -> Date {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

fn first_moment(date: Date) -> Timestamp {
    let zoned = date.to_zoned(TimeZone::UTC);
    zoned.map_or(Timestamp::EPOCH, |zoned| {
        Timestamp::from_secs(zoned.timestamp().as_second())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::Price;

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
        let months = fold(&days, None, 500);
        let opens: Vec<i64> = months
            .iter()
            .map(|month| month.open_time.as_millis())
            .collect();
        assert_eq!(opens, [1_704_067_200_000, 1_706_745_600_000]);
        assert_eq!(fold(&days, None, 1), months[1..]);
        let from = Some(Timestamp::from_secs(1_704_067_201));
        assert_eq!(fold(&days, from, 500), months[1..]);
        assert_eq!((months[0].open, months[0].close), (Price(5), Price(7)));
        assert_eq!(
            next(months[1].open_time),
            Timestamp::from_secs(1_709_251_200)
        );
    }
}
