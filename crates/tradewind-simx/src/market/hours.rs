//! How busy the market is at each hour of the day, in UTC: quiet before dawn in Europe, busiest when New York opens.

use tradewind_model::Timestamp;

const BY_HOUR: [f64; 24] = [
    1.00, 0.92, 0.87, 0.80, 0.76, 0.74, 0.78, 0.90, 0.97, 0.99, 0.98, 0.96, 1.01, 1.20, 1.38, 1.34,
    1.24, 1.12, 1.04, 1.02, 1.02, 1.00, 0.96, 1.00,
];

/// Busyness at this time, 1 on average; moves evenly from one hour to the next.
pub(super) fn busyness(at: Timestamp) -> f64 {
    let second = usize::try_from(at.since(at.start_of_day()).as_secs()).unwrap_or(0);
    let (hour, next) = (second / 3_600 % 24, (second / 3_600 + 1) % 24);
    let share = f64::from(u32::try_from(second % 3_600).unwrap_or(0)) / 3_600.0;
    BY_HOUR[hour] * (1.0 - share) + BY_HOUR[next] * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_averages_one_and_does_not_jump() {
        let at = |minute: i64| busyness(Timestamp::from_secs(minute * 60));
        let mean = (0..1_440).map(at).sum::<f64>() / 1_440.0;
        assert!((mean - 1.0).abs() < 0.001, "{mean}");
        assert!((0..3_000).all(|minute| (at(minute) - at(minute + 1)).abs() < 0.01));
    }
}
