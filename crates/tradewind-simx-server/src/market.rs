//! What is remembered of the market for those who ask: candles and the newest public trades.

use std::collections::VecDeque;

use tradewind_model::{
    Amount, Instrument, InstrumentId, Interval, Price, Timestamp, Trade, TradeId,
};
use tradewind_simx::{Kline, KlineRange, KlineStore};

use crate::decimals;

/// Public trades kept for each instrument.
const TRADES_KEPT: usize = 1_000;

/// Candles and newest prints of every instrument.
#[derive(Debug)]
pub(crate) struct Market {
    klines: KlineStore,
    prints: Vec<VecDeque<Trade>>,
}

impl Market {
    pub(crate) fn new(klines: KlineStore, instruments: usize) -> Self {
        Self {
            klines,
            prints: vec![VecDeque::new(); instruments],
        }
    }

    /// Remembers a public trade; `counted` says whether it belongs in the candles.
    pub(crate) fn record(&mut self, at: Timestamp, print: &Trade, counted: bool) {
        if counted {
            self.klines.record(at, print);
        }
        if let Some(prints) = self.prints.get_mut(print.instrument.index()) {
            if prints.len() == TRADES_KEPT {
                prints.pop_front();
            }
            prints.push_back(*print);
        }
    }

    /// Lets time pass: minutes that ended close.
    pub(crate) fn pass(&mut self, now: Timestamp) {
        self.klines.pass(now);
    }

    /// Puts a minute as another venue saw it in the place of what was recorded.
    pub(crate) fn refill(&mut self, instrument: InstrumentId, minute: Kline) {
        self.klines.refill(instrument, &[minute]);
    }

    /// The newest public trades, oldest first, at most 1,000.
    pub(crate) fn prints(
        &self,
        instrument: InstrumentId,
    ) -> impl DoubleEndedIterator<Item = &Trade> {
        self.prints.get(instrument.index()).into_iter().flatten()
    }

    /// Candles; see [`KlineStore::klines`].
    pub(crate) fn klines(&mut self, query: &KlineQuery) -> Vec<Kline> {
        self.klines
            .klines(query.instrument, query.interval, query.range)
    }

    /// The candle of `interval` that `at` lies in, if there is one.
    pub(crate) fn kline_at(
        &mut self,
        instrument: InstrumentId,
        interval: Interval,
        at: Timestamp,
    ) -> Option<Kline> {
        let open = Some(interval.open_time(at));
        self.klines
            .klines(
                instrument,
                interval,
                KlineRange {
                    from: open,
                    to: open,
                    limit: 1,
                },
            )
            .pop()
    }

    /// Figures of the 24 hours up to now.
    pub(crate) fn day(&mut self, instrument: &Instrument) -> Option<DayStatistics> {
        const MINUTES: usize = 1_440;
        let minutes = self.klines.klines(
            instrument.id,
            Interval::Minute1,
            KlineRange::newest(MINUTES),
        );
        let last = self.prints(instrument.id).next_back().copied();
        DayStatistics::fold(instrument, &minutes, last)
    }

    /// The candles, for those who keep them.
    pub(crate) const fn kline_store(&self) -> &KlineStore {
        &self.klines
    }
}

/// Which candles are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KlineQuery {
    pub(crate) instrument: InstrumentId,
    pub(crate) interval: Interval,
    pub(crate) range: KlineRange,
}

/// What tickers tell of the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DayStatistics {
    pub(crate) total: Kline,
    pub(crate) last: Option<Trade>,
    pub(crate) trades: u64,
    pub(crate) first_id: i64,
    pub(crate) last_id: i64,
}

impl DayStatistics {
    fn fold(instrument: &Instrument, minutes: &[Kline], last: Option<Trade>) -> Option<Self> {
        let mut minutes = minutes.iter();
        let mut total = *minutes.next()?;
        let mut trades = u64::from(total.trades);
        for minute in minutes {
            total.high = total.high.max(minute.high);
            total.low = total.low.min(minute.low);
            total.close = minute.close;
            total.volume += minute.volume;
            total.quote_volume += minute.quote_volume;
            trades += u64::from(minute.trades);
        }
        let (first_id, last_id) = ids(last.map(|print| print.id), trades);
        let last = last.filter(|print| print.instrument == instrument.id);
        Some(Self {
            total,
            last,
            trades,
            first_id,
            last_id,
        })
    }

    /// Last price less first price.
    pub(crate) fn change(&self, instrument: &Instrument) -> String {
        decimals::price(instrument, Price(self.total.close.0 - self.total.open.0))
    }

    /// The change as a percentage of the first price, with three decimals.
    pub(crate) fn change_percent(&self) -> String {
        const THOUSANDTH: i128 = Amount::ONE.0 / 1_000;
        let change = i128::from(self.total.close.0 - self.total.open.0);
        let thousandths = Amount(change)
            .mul_div(100_000, i128::from(self.total.open.0))
            .unwrap_or_default();
        Amount(thousandths.0 * THOUSANDTH).to_text(3)
    }

    /// Volume-weighted average price as an amount of the quote asset; the last price when nothing was traded.
    pub(crate) fn average(&self, instrument: &Instrument) -> Amount {
        let volume = instrument.quantity_amount(self.total.volume);
        let average = self.total.quote_volume.mul_div(Amount::ONE.0, volume.0);
        average.unwrap_or_else(|| instrument.price_amount(self.total.close))
    }
}

/// First and last trade id of the newest `trades`, ids being contiguous; -1 where there is none.
pub(crate) fn ids(last: Option<TradeId>, trades: u64) -> (i64, i64) {
    let Some(last) = last
        .filter(|_| trades > 0)
        .and_then(|id| i64::try_from(id.0).ok())
    else {
        return (-1, -1);
    };
    let span = i64::try_from(trades).unwrap_or(i64::MAX);
    // Trades of the history before the start have no ids: what is older than the first one begins there.
    (last.saturating_sub(span - 1).max(0), last)
}
