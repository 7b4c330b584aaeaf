//! Which candle is closed, where the venue does not say: the next one's beginning does.

use std::collections::BTreeMap;

use tradewind_model::{Candle, InstrumentId, Interval};

/// The candles that are open, one for each instrument and interval that is subscribed.
#[derive(Clone, Debug, Default)]
pub struct OpenCandles {
    open: BTreeMap<(InstrumentId, Interval), Candle>,
}

impl OpenCandles {
    /// Takes in a candle as it is now; the one before it, if this one's beginning closes it. A candle that is older than the open
    /// one was closed before and changes nothing.
    pub fn take(&mut self, candle: Candle) -> Option<Candle> {
        let key = (candle.instrument, candle.interval);
        let open = self.open.entry(key).or_insert(candle);
        if candle.open_time < open.open_time {
            return None;
        }
        let before = std::mem::replace(open, candle);
        (before.open_time < candle.open_time).then_some(before)
    }

    /// Forgets an open candle: it is not subscribed any more.
    pub fn forget(&mut self, instrument: InstrumentId, interval: Interval) {
        self.open.remove(&(instrument, interval));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::{Amount, Price, Timestamp};

    #[test]
    fn the_next_candle_closes_the_one_before() {
        let candle = |minute: i64, close: i64| Candle {
            instrument: InstrumentId(0),
            interval: Interval::Minute1,
            complete: true,
            open_time: Timestamp::from_secs(minute * 60),
            open: Price(1),
            high: Price(9),
            low: Price(1),
            close: Price(close),
            volume: Amount::ZERO,
        };
        let mut candles = OpenCandles::default();
        assert_eq!(candles.take(candle(1, 2)), None);
        assert_eq!(candles.take(candle(1, 3)), None);
        assert_eq!(candles.take(candle(2, 4)), Some(candle(1, 3)));
        assert_eq!(candles.take(candle(1, 5)), None, "closed already");
        assert_eq!(candles.take(candle(5, 6)), Some(candle(2, 4)));
        candles.forget(InstrumentId(0), Interval::Minute1);
        assert_eq!(candles.take(candle(6, 7)), None);
    }
}
