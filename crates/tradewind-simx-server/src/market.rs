//! What is remembered of the market for those who ask: candles and the newest public trades.

use std::collections::VecDeque;
use std::time::Duration;

use tradewind_model::{
    Amount, Instrument, InstrumentId, Interval, Price, Quantity, Timestamp, Trade, TradeId,
};
use tradewind_simx::{Exchange, Kline, KlineRange, KlineStore};

use crate::decimals;
use crate::span::{MONTH_DAYS_MAX, Span, SpanClock};

/// Public trades kept for each instrument.
const TRADES_KEPT: usize = 1_000;

/// Candles and newest prints of every instrument.
#[derive(Debug)]
pub(crate) struct Market {
    klines: KlineStore,
    prints: Vec<VecDeque<Trade>>,
    /// Number of each instrument's last trade, which may have been before the start.
    last_ids: Vec<TradeId>,
}

impl Market {
    /// What `klines` and the exchange's own memory tell: of prints, the last one.
    pub(crate) fn new(klines: KlineStore, exchange: &Exchange) -> Self {
        let ids = || exchange.instruments().iter().map(|listed| listed.id);
        Self {
            klines,
            prints: ids()
                .map(|id| exchange.last_trade(id).into_iter().collect())
                .collect(),
            last_ids: ids().map(|id| exchange.last_trade_id(id)).collect(),
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
        if let Some(last) = self.last_ids.get_mut(print.instrument.index()) {
            *last = print.id;
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

    /// First and last trade id of a candle, or of figures, of `trades`, with `newer` trades after it; see [`ids`].
    pub(crate) fn ids(&self, instrument: InstrumentId, trades: u64, newer: u64) -> (i64, i64) {
        let last = self.last_ids.get(instrument.index());
        let last = last.map_or(0, |last| last.0.saturating_sub(newer));
        ids(TradeId(last), trades)
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

    /// Candles that begin where the clocks say.
    pub(crate) fn klines(&mut self, query: &KlineQuery) -> Vec<Kline> {
        match query.clock.span {
            Span::Of(interval) => self.zoned_klines(query, interval),
            Span::Month => self.months(query),
        }
    }

    /// Months that begin in the range, of all their days that are known.
    fn months(&mut self, query: &KlineQuery) -> Vec<Kline> {
        let KlineQuery { clock, range, .. } = *query;
        let last_moment = |at| clock.close_time(clock.open_time(at)) - Duration::from_nanos(1);
        let days = KlineQuery {
            clock: SpanClock {
                span: Span::Of(Interval::Day1),
                ..clock
            },
            range: KlineRange {
                from: range.from,
                to: range.to.map(last_moment),
                limit: MONTH_DAYS_MAX.saturating_mul(range.limit.saturating_add(1)),
            },
            ..*query
        };
        let mut months = clock.fold(&self.klines(&days));
        // One that began earlier is none of those that are asked for.
        months.retain(|month| range.from.is_none_or(|from| month.open_time >= from));
        keep(&mut months, range);
        months
    }

    /// Candles of an interval.
    ///
    /// Where they do not begin where UTC's do they are folded from shorter ones, 10,000 at most.
    fn zoned_klines(&mut self, query: &KlineQuery, interval: Interval) -> Vec<Kline> {
        let KlineQuery {
            instrument,
            clock,
            range,
        } = *query;
        let zone = clock.zone;
        let Some(part) = zone.parts(interval) else {
            return self.klines.klines(instrument, interval, range);
        };
        let parts =
            usize::try_from(interval.duration().as_secs() / part.duration().as_secs()).unwrap_or(1);
        let wanted = KlineRange {
            from: range.from,
            to: range
                .to
                .map(|to| zone.open_time(interval, to) + interval.duration()),
            limit: range.limit.saturating_add(1).saturating_mul(parts),
        };
        let parts = self.klines.klines(instrument, part, wanted);
        // One that is not whole from its start is left out.
        let is_broken = |part: &&Kline| clock.open_time(part.open_time) != part.open_time;
        let left_out = parts.iter().take_while(is_broken).count();
        let mut folded = clock.fold(parts.get(left_out..).unwrap_or_default());
        folded.retain(|kline| range.to.is_none_or(|to| kline.open_time <= to));
        keep(&mut folded, range);
        folded
    }

    /// Figures of the 24 hours up to now.
    pub(crate) fn day(&mut self, instrument: &Instrument) -> Option<DayStatistics> {
        const MINUTES: usize = 1_440;
        let minutes = self.klines.klines(
            instrument.id,
            Interval::Minute1,
            KlineRange::newest(MINUTES),
        );
        self.fold(instrument, &minutes)
    }

    /// Figures of the minutes from the one `from` lies in up to now.
    pub(crate) fn since(
        &mut self,
        instrument: &Instrument,
        from: Timestamp,
    ) -> Option<DayStatistics> {
        /// What the store gives at once.
        const CHUNK: usize = 10_000;
        let mut minutes = Vec::new();
        let mut next = Interval::Minute1.open_time(from);
        loop {
            let range = KlineRange {
                from: Some(next),
                to: None,
                limit: CHUNK,
            };
            let chunk = self.klines.klines(instrument.id, Interval::Minute1, range);
            minutes.extend_from_slice(&chunk);
            match chunk.last() {
                Some(last) if chunk.len() == CHUNK => {
                    next = last.open_time + Interval::Minute1.duration();
                }
                _ => break self.fold(instrument, &minutes),
            }
        }
    }

    fn fold(&self, instrument: &Instrument, minutes: &[Kline]) -> Option<DayStatistics> {
        let mut found = DayStatistics::fold(minutes)?;
        (found.first_id, found.last_id) = self.ids(instrument.id, found.trades, 0);
        found.last_quantity = match self.prints(instrument.id).next_back() {
            Some(print) => print.quantity,
            None => usual_quantity(instrument, minutes),
        };
        Some(found)
    }

    /// The average price of the last five minutes, and when the last trade was.
    pub(crate) fn average(&mut self, instrument: &Instrument) -> (Amount, Option<Timestamp>) {
        const MINUTES: usize = 5;
        let range = KlineRange::newest(MINUTES);
        let minutes = self.klines.klines(instrument.id, Interval::Minute1, range);
        let value: Amount = minutes.iter().map(|minute| minute.quote_volume).sum();
        let volume: Amount = minutes
            .iter()
            .map(|minute| instrument.quantity_amount(minute.volume))
            .sum();
        let last = minutes
            .last()
            .map(|minute| instrument.price_amount(minute.close))
            .unwrap_or_default();
        let average = value.mul_div(Amount::ONE.0, volume.0).unwrap_or(last);
        let print = self.prints(instrument.id).next_back();
        (
            average,
            print.map(|print| print.event_time.unwrap_or(print.received_at)),
        )
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
    pub(crate) clock: SpanClock,
    pub(crate) range: KlineRange,
}

/// Leaves as many as are wanted: the oldest where a start is given, else the newest.
fn keep(klines: &mut Vec<Kline>, range: KlineRange) {
    match range.from {
        Some(_) => klines.truncate(range.limit),
        None => drop(klines.drain(..klines.len().saturating_sub(range.limit))),
    }
}

/// What tickers tell of the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DayStatistics {
    pub(crate) total: Kline,
    pub(crate) last_quantity: Quantity,
    pub(crate) trades: u64,
    pub(crate) first_id: i64,
    pub(crate) last_id: i64,
}

impl DayStatistics {
    /// What candles alone tell: neither ids nor the last quantity.
    fn fold(minutes: &[Kline]) -> Option<Self> {
        let mut minutes = minutes.iter();
        let mut total = *minutes.next()?;
        let mut trades = u64::from(total.trades);
        for minute in minutes {
            total.add(minute);
            trades += u64::from(minute.trades);
        }
        Some(Self {
            total,
            last_quantity: Quantity::ZERO,
            trades,
            first_id: -1,
            last_id: -1,
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

/// First and last of `trades` ids that end with `last`, as each trade's id is one more than the one's before, be it of the
/// past; -1 where there is none.
fn ids(last: TradeId, trades: u64) -> (i64, i64) {
    if trades == 0 {
        return (-1, -1);
    }
    let [last, trades] = [last.0, trades].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    (last.saturating_sub(trades - 1).max(0), last)
}

/// A quantity such as the last minute with trades had: the past knows no single trade.
fn usual_quantity(instrument: &Instrument, minutes: &[Kline]) -> Quantity {
    let traded = minutes.iter().rev().find(|minute| minute.trades > 0);
    traded.map_or(Quantity::ZERO, |minute| {
        let step = instrument.step.0.max(1);
        let mean = minute.volume.0 / i64::from(minute.trades);
        Quantity((mean / step).max(1) * step)
    })
}
