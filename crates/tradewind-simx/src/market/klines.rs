//! Candles with everything a venue tells about them: history as it was drawn, and since then what prints fold into.
//!
//! Only minutes are kept; longer candles are folded from minutes when asked for, so they always agree with them. Seconds are
//! kept beside them for a while.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    Amount, Candle, Instrument, InstrumentId, Interval, Price, Quantity, Side, Timestamp, Trade,
};

use super::history::History;
use super::past::Past;

/// Minutes kept of what happened since the start: three days. Older ones are forgotten.
const MINUTES: Recent = Recent {
    interval: Interval::Minute1,
    most: 4_320,
};
/// Seconds kept: as many as one request may ask for.
const SECONDS: Recent = Recent {
    interval: Interval::Second1,
    most: 1_000,
};

/// Candles of which the newest are kept.
struct Recent {
    interval: Interval,
    most: usize,
}

/// A candle as a venue publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kline {
    /// Start of the interval.
    pub open_time: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Base quantity traded.
    pub volume: Quantity,
    /// Its worth in the quote asset.
    pub quote_volume: Amount,
    /// Number of prints.
    pub trades: u32,
    /// Part of the volume whose taker bought.
    pub taker_volume: Quantity,
    /// Its worth in the quote asset.
    pub taker_quote_volume: Amount,
}

impl Kline {
    pub(super) const EMPTY: Self = Self {
        open_time: Timestamp::EPOCH,
        open: Price(0),
        high: Price(0),
        low: Price(0),
        close: Price(0),
        volume: Quantity::ZERO,
        quote_volume: Amount::ZERO,
        trades: 0,
        taker_volume: Quantity::ZERO,
        taker_quote_volume: Amount::ZERO,
    };

    /// As a closed candle of the desk.
    #[must_use]
    pub fn candle(&self, interval: Interval, instrument: &Instrument) -> Candle {
        Candle {
            instrument: instrument.id,
            interval,
            open_time: self.open_time,
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.close,
            volume: instrument.quantity_amount(self.volume),
            complete: true,
        }
    }

    /// A candle in which nothing was traded.
    #[must_use]
    pub const fn flat(open_time: Timestamp, price: Price) -> Self {
        Self {
            open_time,
            open: price,
            high: price,
            low: price,
            close: price,
            ..Self::EMPTY
        }
    }

    /// Whether prices and volume are the same.
    fn agrees(&self, other: &Self) -> bool {
        let told = |kline: &Self| (kline.open, kline.high, kline.low, kline.close, kline.volume);
        told(self) == told(other)
    }

    /// Adds what happened later in the same interval. The first trade of a flat candle sets its open.
    pub fn add(&mut self, later: &Self) {
        if later.trades == 0 {
            return;
        }
        if self.trades == 0 {
            *self = Self {
                open_time: self.open_time,
                ..*later
            };
            return;
        }
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        self.quote_volume += later.quote_volume;
        self.trades = self.trades.saturating_add(later.trades);
        self.taker_volume += later.taker_volume;
        self.taker_quote_volume += later.taker_quote_volume;
    }
}

/// Which candles are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KlineRange {
    /// None that starts earlier; if given, the oldest of those are meant, else the newest.
    pub from: Option<Timestamp>,
    /// None that starts later.
    pub to: Option<Timestamp>,
    /// No more than this, nor than 10,000.
    pub limit: usize,
}

impl KlineRange {
    /// The newest.
    #[must_use]
    pub const fn newest(limit: usize) -> Self {
        Self {
            from: None,
            to: None,
            limit,
        }
    }
}

/// Every instrument's minutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KlineStore {
    instruments: Vec<Instrument>,
    past: Option<Past>,
    /// Candles of each instrument from before the start, as a recording has them; as a rule longer than a minute.
    recorded: Vec<Vec<Kline>>,
    /// Minutes since the start, oldest first, without gaps; the last one is open.
    minutes: Vec<VecDeque<Kline>>,
    /// The newest seconds likewise. They are not written down: a store that was read back begins them anew.
    #[serde(skip)]
    seconds: Vec<VecDeque<Kline>>,
}

impl KlineStore {
    /// A store that knows nothing yet.
    #[must_use]
    pub fn new(instruments: &[Instrument]) -> Self {
        let minutes = vec![VecDeque::new(); instruments.len()];
        Self {
            instruments: instruments.to_vec(),
            past: None,
            recorded: Vec::new(),
            seconds: minutes.clone(),
            minutes,
        }
    }

    /// A store whose instruments have a past; each begins with an open candle at its last close.
    pub(super) fn with_history(instruments: &[Instrument], history: History) -> Self {
        let past = Past::new(history);
        let open = |instrument: &Instrument| {
            past.last_close(instrument.id.index())
                .map(|close| Kline::flat(past.end(), close))
                .into_iter()
                .collect()
        };
        let minutes: Vec<_> = instruments.iter().map(open).collect();
        Self {
            instruments: instruments.to_vec(),
            seconds: minutes.clone(),
            minutes,
            past: Some(past),
            recorded: Vec::new(),
        }
    }

    /// A store whose instruments have recorded candles, each instrument's oldest first and from before any print.
    ///
    /// Candles shorter than a recorded one show it whole in their first.
    #[must_use]
    pub fn with_recorded(instruments: &[Instrument], recorded: Vec<Vec<Kline>>) -> Self {
        Self {
            recorded,
            ..Self::new(instruments)
        }
    }

    /// Counts one print that happened at `at`; prints come in order of time. One for a closed minute is not counted.
    pub fn record(&mut self, at: Timestamp, print: &Trade) {
        let Some(rules) = self.instruments.get(print.instrument.index()) else {
            return;
        };
        let quote = rules
            .notional(print.price, print.quantity)
            .unwrap_or_default();
        let bought = print.taker == Side::Buy;
        let kline = Kline {
            open_time: at,
            open: print.price,
            high: print.price,
            low: print.price,
            close: print.price,
            volume: print.quantity,
            quote_volume: quote,
            trades: 1,
            taker_volume: if bought {
                print.quantity
            } else {
                Quantity::ZERO
            },
            taker_quote_volume: if bought { quote } else { Amount::ZERO },
        };
        let index = print.instrument.index();
        MINUTES.count(&mut self.minutes[index], &kline);
        self.seconds
            .resize_with(self.instruments.len(), VecDeque::new);
        SECONDS.count(&mut self.seconds[index], &kline);
    }

    /// Lets time pass: candles that ended close, and those without a print are flat at the last price.
    pub fn pass(&mut self, now: Timestamp) {
        for minutes in &mut self.minutes {
            MINUTES.roll(minutes, now);
        }
        for seconds in &mut self.seconds {
            SECONDS.roll(seconds, now);
        }
    }

    /// Puts minutes as somebody else saw them, oldest first, in the place of those that prints came to: for a market that
    /// is watched from afar, after prints were missed. Minutes without a print after them are flat at the new close.
    ///
    /// One that agrees in prices and volume changes nothing, and one before the first minute known is left out.
    pub fn refill(&mut self, instrument: InstrumentId, minutes: &[Kline]) {
        let Some(known) = self.minutes.get_mut(instrument.index()) else {
            return;
        };
        for minute in minutes {
            MINUTES.roll(known, minute.open_time);
            let place = known.partition_point(|one| one.open_time < minute.open_time);
            match known.get_mut(place) {
                None => known.push_back(*minute),
                Some(one) if one.open_time == minute.open_time && !one.agrees(minute) => {
                    *one = *minute;
                    known
                        .range_mut(place + 1..)
                        .take_while(|later| later.trades == 0)
                        .for_each(|later| *later = Kline::flat(later.open_time, minute.close));
                }
                Some(_) => {}
            }
        }
    }

    /// The candles of an instrument in a range, oldest first, the open one included.
    ///
    /// Intervals that began before the first minute known are left out; of seconds, there are the newest 1,000 since the start.
    pub fn klines(
        &mut self,
        instrument: InstrumentId,
        interval: Interval,
        range: KlineRange,
    ) -> Vec<Kline> {
        if interval == Interval::Second1 {
            return self.seconds(instrument, range);
        }
        let Some((first, last)) = self.known(instrument) else {
            return Vec::new();
        };
        let step = interval.duration();
        let first = if interval.open_time(first) == first {
            first
        } else {
            interval.close_time(first)
        };
        let newest = interval.open_time(last.min(range.to.unwrap_or(last)));
        let span = step * u32::try_from(range.limit.clamp(1, 10_000) - 1).unwrap_or(0);
        let (from, to) = match range.from {
            Some(from) if interval.open_time(from) == from => {
                (from.max(first), newest.min(from.max(first) + span))
            }
            Some(from) => (
                interval.close_time(from).max(first),
                newest.min(interval.close_time(from).max(first) + span),
            ),
            None => ((newest - span).max(first), newest),
        };
        if range.limit == 0 || from > to {
            return Vec::new();
        }
        self.fold(instrument, interval, from, interval.close_time(to))
    }

    fn seconds(&self, instrument: InstrumentId, range: KlineRange) -> Vec<Kline> {
        let Some(seconds) = self.seconds.get(instrument.index()) else {
            return Vec::new();
        };
        let end = range.to.map_or(seconds.len(), |to| {
            seconds.partition_point(|second| second.open_time <= to)
        });
        let (start, end) = match range.from {
            Some(from) => {
                let start = seconds.partition_point(|second| second.open_time < from);
                (start, end.min(start + range.limit))
            }
            None => (end.saturating_sub(range.limit), end),
        };
        let wanted = seconds.iter().skip(start);
        wanted.take(end.saturating_sub(start)).copied().collect()
    }

    /// The candle that is open now, folded from its first minute on.
    pub fn open_kline(&mut self, instrument: InstrumentId, interval: Interval) -> Option<Kline> {
        self.klines(instrument, interval, KlineRange::newest(1))
            .pop()
    }

    /// Folds minutes from `from` to before `end` into candles; `from` is where one of them starts.
    fn fold(
        &mut self,
        instrument: InstrumentId,
        interval: Interval,
        from: Timestamp,
        end: Timestamp,
    ) -> Vec<Kline> {
        let mut klines: Vec<Kline> = Vec::new();
        self.each_minute(instrument.index(), from, end, |minute| {
            let open_time = interval.open_time(minute.open_time);
            match klines.last_mut() {
                Some(kline) if kline.open_time == open_time => kline.add(minute),
                _ => klines.push(Kline {
                    open_time,
                    ..*minute
                }),
            }
        });
        klines
    }

    /// Hands over every known minute from `from` to before `end`, oldest first.
    fn each_minute(
        &mut self,
        instrument: usize,
        from: Timestamp,
        end: Timestamp,
        mut each: impl FnMut(&Kline),
    ) {
        if let Some((past, rules)) = self.past.as_mut().zip(self.instruments.get(instrument)) {
            past.each_minute(rules, from, end, &mut each);
        }
        if let Some(recorded) = self.recorded.get(instrument) {
            let skipped = recorded.partition_point(|kline| kline.open_time < from);
            let rest = recorded.iter().skip(skipped);
            rest.take_while(|kline| kline.open_time < end)
                .for_each(&mut each);
        }
        let minutes = &self.minutes[instrument];
        let skipped = minutes.partition_point(|minute| minute.open_time < from);
        minutes
            .range(skipped..)
            .take_while(|minute| minute.open_time < end)
            .for_each(each);
    }

    /// Start of the first and of the last minute known.
    fn known(&self, instrument: InstrumentId) -> Option<(Timestamp, Timestamp)> {
        let minutes = self.minutes.get(instrument.index())?;
        let recorded = self.recorded.get(instrument.index());
        let first = recorded
            .and_then(|klines| klines.first())
            .or(minutes.front());
        let last = minutes.back().or(recorded.and_then(|klines| klines.last()));
        let (first, last) = (first?.open_time, last?.open_time);
        Some((self.past.as_ref().map_or(first, Past::start), last))
    }
}

impl Recent {
    /// Counts what was traded at `kline.open_time`.
    fn count(&self, kept: &mut VecDeque<Kline>, kline: &Kline) {
        self.roll(kept, kline.open_time);
        let open_time = self.interval.open_time(kline.open_time);
        match kept.back_mut() {
            None => kept.push_back(Kline {
                open_time,
                ..*kline
            }),
            Some(open) if open.open_time == open_time => open.add(kline),
            Some(_) => {}
        }
    }

    /// Opens candles until the one that `now` lies in.
    fn roll(&self, kept: &mut VecDeque<Kline>, now: Timestamp) {
        let current = self.interval.open_time(now);
        let longest = self.interval.duration() * u32::try_from(self.most).unwrap_or(u32::MAX);
        while let Some(last) = kept.back().filter(|last| last.open_time < current) {
            // After a long silence, what would be forgotten at once is not even begun.
            let silent = current.since(last.open_time) > longest;
            let next = if silent {
                current
            } else {
                self.interval.close_time(last.open_time)
            };
            kept.push_back(Kline::flat(next, last.close));
            if kept.len() > self.most {
                kept.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::universe::universe;
    use super::*;
    use tradewind_model::{TradeId, VenueId};

    const BTC: InstrumentId = InstrumentId(0);

    fn minute(number: i64, price: i64, volume: i64) -> Kline {
        Kline {
            volume: Quantity(volume),
            trades: u32::from(volume > 0),
            ..Kline::flat(Timestamp::from_secs(number * 60), Price(price))
        }
    }

    fn print(price: i64) -> Trade {
        Trade {
            instrument: BTC,
            taker: Side::Buy,
            id: TradeId(1),
            price: Price(price),
            quantity: Quantity(1),
            event_time: None,
            received_at: Timestamp::EPOCH,
        }
    }

    fn closes(store: &mut KlineStore) -> Vec<(i64, i64)> {
        let all = store.klines(BTC, Interval::Minute1, KlineRange::newest(100));
        all.iter()
            .map(|kline| (kline.open_time.as_millis() / 60_000, kline.close.0))
            .collect()
    }

    #[test]
    fn missed_minutes_are_filled_in_and_what_follows_is_flat_at_their_close() {
        let mut store = KlineStore::new(&universe("simx", VenueId(0)).instruments);
        store.refill(BTC, &[minute(10, 100, 5), minute(11, 101, 5)]);
        store.record(Timestamp::from_secs(12 * 60 + 1), &print(102));
        store.pass(Timestamp::from_secs(15 * 60));
        let flat = [
            (10, 100),
            (11, 101),
            (12, 102),
            (13, 102),
            (14, 102),
            (15, 102),
        ];
        assert_eq!(closes(&mut store), flat);
        // Minute 9 is older than what is known.
        store.refill(
            BTC,
            &[minute(9, 90, 1), minute(12, 105, 7), minute(13, 106, 7)],
        );
        let filled = [
            (10, 100),
            (11, 101),
            (12, 105),
            (13, 106),
            (14, 106),
            (15, 106),
        ];
        assert_eq!(closes(&mut store), filled);
    }

    #[test]
    fn a_minute_that_agrees_keeps_what_prints_told_of_it() {
        let mut store = KlineStore::new(&universe("simx", VenueId(0)).instruments);
        let at = Timestamp::from_secs(600);
        for _ in 0..3 {
            store.record(at, &print(100));
        }
        store.refill(BTC, &[minute(10, 100, 3)]);
        let kline = store.open_kline(BTC, Interval::Minute1);
        assert_eq!(kline.map(|kline| kline.trades), Some(3));
    }
}
