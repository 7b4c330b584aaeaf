//! The whole history of a backtest, as the process is sent it before the first evaluation.

use std::collections::BTreeMap;

use tradewind_model::{Candle, InstrumentId, Interval};

/// Candles in one HISTORY frame.
const CANDLES_MAX: usize = 500_000;

/// Closed candles by instrument and interval, oldest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    candles: BTreeMap<(InstrumentId, Interval), Vec<Candle>>,
}

impl History {
    /// Adds a candle, which is newer than those of its instrument and interval so far; others are left out.
    pub fn push(&mut self, candle: &Candle) {
        let kept = self.candles.entry((candle.instrument, candle.interval));
        let kept = kept.or_default();
        if kept
            .last()
            .is_none_or(|last| last.open_time < candle.open_time)
        {
            kept.push(*candle);
        }
    }

    /// The candles of an instrument and interval.
    #[must_use]
    pub fn of(&self, instrument: InstrumentId, interval: Interval) -> &[Candle] {
        self.candles
            .get(&(instrument, interval))
            .map_or(&[], Vec::as_slice)
    }

    /// Bodies of HISTORY frames for an instrument in a slot.
    pub(crate) fn frames(
        &self,
        slot: u16,
        instrument: InstrumentId,
        interval: Interval,
    ) -> impl Iterator<Item = Vec<u8>> + '_ {
        let chunks = self.of(instrument, interval).chunks(CANDLES_MAX);
        chunks.map(move |candles| encode(slot, interval, candles))
    }
}

fn encode(slot: u16, interval: Interval, candles: &[Candle]) -> Vec<u8> {
    let seconds = u32::try_from(interval.duration().as_secs()).unwrap_or(u32::MAX);
    let count = u32::try_from(candles.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(12 + candles.len() * 48);
    out.extend_from_slice(&slot.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&seconds.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    let columns: [fn(&Candle) -> [u8; 8]; 6] = [
        |candle| candle.open_time.as_nanos().to_le_bytes(),
        |candle| candle.open.0.to_le_bytes(),
        |candle| candle.high.0.to_le_bytes(),
        |candle| candle.low.0.to_le_bytes(),
        |candle| candle.close.0.to_le_bytes(),
        |candle| candle.volume.to_f64().to_le_bytes(),
    ];
    for column in columns {
        candles
            .iter()
            .for_each(|candle| out.extend_from_slice(&column(candle)));
    }
    out
}
