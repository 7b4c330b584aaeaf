//! Market frames as the venue writes them. Each is encoded once, however many listen.

use axum::extract::ws::Utf8Bytes;
use tradewind_model::{Amount, Depth, Instrument, Level, Quote, Side, Timestamp, Trade};
use tradewind_simx::Kline;

use crate::decimals::{self, push_fixed, push_integer};
use crate::market::DayStatistics;
use crate::rest::TimeUnit;
use crate::span::SpanClock;

/// An encoded frame; clones share its bytes.
pub(crate) type Frame = Utf8Bytes;

/// A frame under construction: keys and values pushed in the venue's order.
pub(crate) struct FrameWriter {
    text: String,
    unit: TimeUnit,
}

/// What every frame of an instrument needs.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) symbol: &'a str,
    pub(crate) instrument: &'a Instrument,
    pub(crate) now: Timestamp,
    /// The unit of its stamps.
    pub(crate) unit: TimeUnit,
}

impl FrameWriter {
    fn start(unit: TimeUnit) -> Self {
        let mut text = String::with_capacity(256);
        text.push('{');
        Self { text, unit }
    }

    fn key(&mut self, key: &str) -> &mut String {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
        &mut self.text
    }

    fn string(mut self, key: &str, value: &str) -> Self {
        let text = self.key(key);
        text.push('"');
        text.push_str(value);
        text.push('"');
        self
    }

    fn fixed(mut self, key: &str, value: i64, decimals: u8) -> Self {
        let text = self.key(key);
        text.push('"');
        push_fixed(text, value, decimals);
        text.push('"');
        self
    }

    fn count(mut self, key: &str, value: u64) -> Self {
        push_integer(self.key(key), value);
        self
    }

    fn signed(mut self, key: &str, value: i64) -> Self {
        let text = self.key(key);
        if value < 0 {
            text.push('-');
        }
        push_integer(text, value.unsigned_abs());
        self
    }

    fn stamp(self, key: &str, at: Timestamp) -> Self {
        let stamp = self.unit.stamp(at);
        self.signed(key, stamp)
    }

    fn flag(mut self, key: &str, value: bool) -> Self {
        self.key(key).push_str(if value { "true" } else { "false" });
        self
    }

    fn levels(mut self, key: &str, instrument: &Instrument, levels: &[Level]) -> Self {
        let text = self.key(key);
        text.push('[');
        for (index, level) in levels.iter().enumerate() {
            text.push_str(if index == 0 { "[\"" } else { ",[\"" });
            push_fixed(text, level.price.0, instrument.price_decimals);
            text.push_str("\",\"");
            push_fixed(text, level.quantity.0, instrument.quantity_decimals);
            text.push_str("\"]");
        }
        text.push(']');
        self
    }

    fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key).push_str(json);
        self
    }

    fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

impl Subject<'_> {
    /// The same with stamps of another unit.
    pub(crate) const fn told_in(self, unit: TimeUnit) -> Self {
        Self { unit, ..self }
    }

    fn event(&self, name: &str) -> FrameWriter {
        FrameWriter::start(self.unit)
            .string("e", name)
            .stamp("E", self.now)
            .string("s", self.symbol)
    }

    /// `@bookTicker`: neither an event name nor a time, as at the venue.
    pub(crate) fn book_ticker(&self, update_id: u64, touch: &Quote) -> String {
        let (price, quantity) = (
            self.instrument.price_decimals,
            self.instrument.quantity_decimals,
        );
        FrameWriter::start(self.unit)
            .count("u", update_id)
            .string("s", self.symbol)
            .fixed("b", touch.bid.0, price)
            .fixed("B", touch.bid_quantity.0, quantity)
            .fixed("a", touch.ask.0, price)
            .fixed("A", touch.ask_quantity.0, quantity)
            .finish()
    }

    /// `@trade`.
    pub(crate) fn trade(&self, print: &Trade) -> String {
        self.event("trade")
            .count("t", print.id.0)
            .fixed("p", print.price.0, self.instrument.price_decimals)
            .fixed("q", print.quantity.0, self.instrument.quantity_decimals)
            .stamp("T", print.event_time.unwrap_or(self.now))
            .flag("m", print.taker == Side::Sell)
            .flag("M", true)
            .finish()
    }

    /// `@aggTrade`: here each print is its own aggregate.
    pub(crate) fn aggregate_trade(&self, print: &Trade) -> String {
        self.event("aggTrade")
            .count("a", print.id.0)
            .fixed("p", print.price.0, self.instrument.price_decimals)
            .fixed("q", print.quantity.0, self.instrument.quantity_decimals)
            .count("f", print.id.0)
            .count("l", print.id.0)
            .stamp("T", print.event_time.unwrap_or(self.now))
            .flag("m", print.taker == Side::Sell)
            .flag("M", true)
            .finish()
    }

    /// `@kline_…`; `ids` are the candle's first and last trade.
    pub(crate) fn kline(
        &self,
        clock: SpanClock,
        kline: &Kline,
        ids: (i64, i64),
        closed: bool,
    ) -> String {
        let (price, quantity) = (
            self.instrument.price_decimals,
            self.instrument.quantity_decimals,
        );
        let end = clock.close_time(kline.open_time);
        let candle = FrameWriter::start(self.unit)
            .stamp("t", kline.open_time)
            .signed("T", self.unit.stamp(end) - 1)
            .string("s", self.symbol)
            .string("i", clock.span.name())
            .signed("f", ids.0)
            .signed("L", ids.1)
            .fixed("o", kline.open.0, price)
            .fixed("c", kline.close.0, price)
            .fixed("h", kline.high.0, price)
            .fixed("l", kline.low.0, price)
            .fixed("v", kline.volume.0, quantity)
            .count("n", u64::from(kline.trades))
            .flag("x", closed)
            .string("q", &decimals::amount(kline.quote_volume))
            .fixed("V", kline.taker_volume.0, quantity)
            .string("Q", &decimals::amount(kline.taker_quote_volume))
            .string("B", "0")
            .finish();
        self.event("kline").raw("k", &candle).finish()
    }

    /// `@depth`: levels that changed since the last one; a quantity of zero takes a level away.
    pub(crate) fn depth_update(
        &self,
        first: u64,
        last: u64,
        bids: &[Level],
        asks: &[Level],
    ) -> String {
        self.event("depthUpdate")
            .count("U", first)
            .count("u", last)
            .levels("b", self.instrument, bids)
            .levels("a", self.instrument, asks)
            .finish()
    }

    /// `@depth5` and its like: the first levels as they are.
    pub(crate) fn partial_depth(&self, update_id: u64, depth: &Depth) -> String {
        FrameWriter::start(self.unit)
            .count("lastUpdateId", update_id)
            .levels("bids", self.instrument, &depth.bids)
            .levels("asks", self.instrument, &depth.asks)
            .finish()
    }

    /// `@miniTicker`.
    pub(crate) fn mini_ticker(&self, day: &DayStatistics) -> String {
        let price = self.instrument.price_decimals;
        self.event("24hrMiniTicker")
            .fixed("c", day.total.close.0, price)
            .fixed("o", day.total.open.0, price)
            .fixed("h", day.total.high.0, price)
            .fixed("l", day.total.low.0, price)
            .fixed("v", day.total.volume.0, self.instrument.quantity_decimals)
            .string("q", &decimals::amount(day.total.quote_volume))
            .finish()
    }

    /// `@ticker`.
    pub(crate) fn ticker(&self, day: &DayStatistics, touch: &Quote) -> String {
        let (price, quantity) = (
            self.instrument.price_decimals,
            self.instrument.quantity_decimals,
        );
        self.event("24hrTicker")
            .string("p", &day.change(self.instrument))
            .string("P", &day.change_percent())
            .string("w", &decimals::rounded(day.average(self.instrument)))
            .fixed("x", day.total.open.0, price)
            .fixed("c", day.total.close.0, price)
            .fixed("Q", day.last_quantity.0, quantity)
            .fixed("b", touch.bid.0, price)
            .fixed("B", touch.bid_quantity.0, quantity)
            .fixed("a", touch.ask.0, price)
            .fixed("A", touch.ask_quantity.0, quantity)
            .fixed("o", day.total.open.0, price)
            .fixed("h", day.total.high.0, price)
            .fixed("l", day.total.low.0, price)
            .fixed("v", day.total.volume.0, quantity)
            .string("q", &decimals::amount(day.total.quote_volume))
            .stamp("O", day.total.open_time)
            .stamp("C", self.now)
            .signed("F", day.first_id)
            .signed("L", day.last_id)
            .count("n", day.trades)
            .finish()
    }
}

impl Subject<'_> {
    /// `@ticker_1h` and its like: the figures of a window that began at `open`.
    pub(crate) fn window_ticker(
        &self,
        event: &str,
        open: Timestamp,
        found: &DayStatistics,
    ) -> String {
        let price = self.instrument.price_decimals;
        self.event(event)
            .string("p", &found.change(self.instrument))
            .string("P", &found.change_percent())
            .fixed("o", found.total.open.0, price)
            .fixed("h", found.total.high.0, price)
            .fixed("l", found.total.low.0, price)
            .fixed("c", found.total.close.0, price)
            .string("w", &decimals::rounded(found.average(self.instrument)))
            .fixed("v", found.total.volume.0, self.instrument.quantity_decimals)
            .string("q", &decimals::amount(found.total.quote_volume))
            .stamp("O", open)
            .stamp("C", self.now)
            .signed("F", found.first_id)
            .signed("L", found.last_id)
            .count("n", found.trades)
            .finish()
    }

    /// `@avgPrice`; `last` is when the last trade was.
    pub(crate) fn average_price(&self, average: Amount, last: Timestamp) -> String {
        self.event("avgPrice")
            .string("i", "5m")
            .string("w", &decimals::rounded(average))
            .stamp("T", last)
            .finish()
    }
}

/// The payload inside a combined stream's envelope.
pub(crate) fn combined(stream: &str, payload: &str) -> String {
    let mut text = String::with_capacity(payload.len() + stream.len() + 24);
    text.push_str("{\"stream\":\"");
    text.push_str(stream);
    text.push_str("\",\"data\":");
    text.push_str(payload);
    text.push('}');
    text
}
