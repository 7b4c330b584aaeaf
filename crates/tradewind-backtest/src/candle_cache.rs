//! The last candles that were played, for a bot that requests past ones. It never holds a candle from the future.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::CandleHistory;
use tradewind_model::{Candle, InstrumentId, Interval};

/// How many are kept of each instrument and interval.
const KEPT: usize = 1_024;

/// Candles by instrument and interval, oldest first.
#[derive(Debug, Default)]
pub(crate) struct CandleCache {
    candles: BTreeMap<(InstrumentId, Interval), VecDeque<Candle>>,
}

impl CandleCache {
    pub(crate) fn keep(&mut self, candle: &Candle) {
        let key = (candle.instrument, candle.interval);
        let kept = self.candles.entry(key).or_default();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(*candle);
    }

    /// The newest `count`; none if none were played.
    pub(crate) fn newest(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        count: u32,
    ) -> CandleHistory {
        let kept = self.candles.get(&(instrument, interval));
        let candles = kept.map_or_else(Vec::new, |kept| {
            let skipped = kept.len().saturating_sub(count as usize);
            kept.iter().skip(skipped).copied().collect()
        });
        CandleHistory {
            instrument,
            interval,
            candles,
        }
    }
}
