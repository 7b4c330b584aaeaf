//! The market as the engine knows it, and what market data sets in motion.

use std::time::Duration;

use tradewind_events::{CandleHistory, CandleSource, EventKind, Output, Outputs, Timer};
use tradewind_model::{
    Candle, CandleBuilder, Depth, FeedHealth, Instrument, InstrumentId, Quote, Timestamp, Trade,
    Wake,
};

use crate::context::Trigger;
use crate::engine::Engine;
use crate::parts::bot::CandleOrder;
use crate::parts::wakes::BotInstrument;

/// How long after its end a built candle waits for a trade that was under way.
const CANDLE_GRACE: Duration = Duration::from_millis(250);
/// A series that was silent for this many intervals is not continued with flat candles: its hole is told instead.
const FLAT_MAX: u32 = 1_000;

/// What is known of the market, by instrument.
#[derive(Debug, Default)]
pub(crate) struct Market {
    pub(crate) quotes: Vec<Option<Quote>>,
    pub(crate) feeds: Vec<Feed>,
    /// Positions whose exits each quote may trigger, by instrument.
    pub(crate) guarded: Vec<Vec<BotInstrument>>,
    /// Candles being built from trades.
    builders: Vec<CandleBuilder>,
}

/// State of one instrument's data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Feed {
    pub(crate) health: FeedHealth,
    /// When its last quote came: trades and candles prove nothing of the touch.
    pub(crate) quoted_at: Timestamp,
    pub(crate) quotes: u64,
    pub(crate) trades: u64,
    pub(crate) candles: u64,
    pub(crate) depth: Option<Depth>,
}

impl Market {
    pub(crate) fn new(instruments: usize, builders: Vec<CandleBuilder>) -> Self {
        Self {
            quotes: vec![None; instruments],
            feeds: vec![Feed::default(); instruments],
            guarded: vec![Vec::new(); instruments],
            builders,
        }
    }

    /// The latest quote, if it may be traded on: sound, and its feed live.
    pub(crate) fn live_quote(&self, instrument: InstrumentId) -> Option<&Quote> {
        let live = self.feeds.get(instrument.index())?.health == FeedHealth::Live;
        self.quotes[instrument.index()]
            .as_ref()
            .filter(|quote| live && quote.is_sound())
    }

    pub(crate) fn keep_depth(&mut self, depth: &Depth) {
        if let Some(feed) = self.feeds.get_mut(depth.instrument.index()) {
            feed.depth = Some(depth.clone());
        }
    }
}

impl Engine {
    pub(crate) fn on_quote(&mut self, quote: &Quote, out: &mut Outputs) {
        let index = quote.instrument.index();
        let Some(feed) = self.market.feeds.get_mut(index) else {
            return;
        };
        feed.quotes += 1;
        feed.quoted_at = self.context.at;
        if !quote.is_sound() {
            self.on_health(quote.instrument, FeedHealth::Gap, out);
            return;
        }
        self.market.quotes[index] = Some(*quote);
        self.context.trigger = Trigger::Quote(*quote, None);
        if feed.health != FeedHealth::Live {
            self.mark_live(quote.instrument, out);
        }
        if self.config.announce_quotes {
            self.context.cause(out);
        }
        self.watch_exits(quote, out);
        for index in 0..self.wakes.on_quote(quote.instrument).len() {
            let (bot, slot) = self.wakes.on_quote(quote.instrument)[index];
            self.wake(bot, slot, Wake::Quote, None, out);
        }
    }

    /// A sound quote ends staleness, and a crossed book; a gap in a sequence ends only when its source says so.
    fn mark_live(&mut self, instrument: InstrumentId, out: &mut Outputs) {
        if self.market.feeds[instrument.index()].health != FeedHealth::Resync {
            self.on_health(instrument, FeedHealth::Live, out);
        }
    }

    pub(crate) fn on_health(
        &mut self,
        instrument: InstrumentId,
        health: FeedHealth,
        out: &mut Outputs,
    ) {
        let Some(feed) = self.market.feeds.get_mut(instrument.index()) else {
            return;
        };
        if std::mem::replace(&mut feed.health, health) != health {
            self.context.emit(
                out,
                None,
                EventKind::FeedHealthChanged { instrument, health },
            );
        }
    }

    /// New rules of an instrument. What its numbers count in cannot change, and rules without a step are none.
    pub(crate) fn on_instrument(&mut self, changed: &Instrument) {
        let fixed = |of: &Instrument| {
            let decimals = (of.price_decimals, of.quantity_decimals);
            (
                of.kind,
                of.base,
                of.quote,
                of.settlement,
                of.multiplier,
                decimals,
            )
        };
        if let Some(instrument) = self.config.instruments.get_mut(changed.id.index()) {
            if fixed(instrument) != fixed(changed) || changed.tick.0 < 1 || changed.step.0 < 1 {
                return;
            }
            let revision = instrument.revision + 1;
            *instrument = Instrument {
                revision,
                ..changed.clone()
            };
        }
    }

    pub(crate) fn on_trade(&mut self, trade: &Trade, out: &mut Outputs) {
        let Some(feed) = self.market.feeds.get_mut(trade.instrument.index()) else {
            return;
        };
        feed.trades += 1;
        if self.config.candles != CandleSource::Trades {
            return;
        }
        let at = trade.event_time.unwrap_or(trade.received_at);
        self.close_candles(Some(trade.instrument), at, out);
        let volume =
            self.config.instruments[trade.instrument.index()].quantity_amount(trade.quantity);
        for index in 0..self.market.builders.len() {
            let builder = &mut self.market.builders[index];
            if builder.instrument() == trade.instrument {
                let was_empty = builder.ends_at().is_none();
                builder.add_trade(at, trade.price, volume);
                if was_empty {
                    self.set_candle_timer(out);
                }
            }
        }
    }

    pub(crate) fn on_trades_lost(&mut self, count: u64, out: &mut Outputs) {
        self.market
            .builders
            .iter_mut()
            .for_each(CandleBuilder::mark_incomplete);
        self.context.emit(
            out,
            None,
            EventKind::Gap {
                instrument: None,
                missing: Some(count),
            },
        );
    }

    /// Built candles whose end and grace have passed are closed, trade or no trade.
    pub(crate) fn on_candle_close(&mut self, out: &mut Outputs) {
        self.close_candles(None, self.context.at - CANDLE_GRACE, out);
        self.set_candle_timer(out);
    }

    fn close_candles(
        &mut self,
        instrument: Option<InstrumentId>,
        until: Timestamp,
        out: &mut Outputs,
    ) {
        for index in 0..self.market.builders.len() {
            let builder = &mut self.market.builders[index];
            let due = builder.ends_at().is_some_and(|end| end <= until);
            if !due || instrument.is_some_and(|only| builder.instrument() != only) {
                continue;
            }
            if self.is_hole(index, until) {
                self.skip_hole(index, out);
                continue;
            }
            let builder = &mut self.market.builders[index];
            let mut closed = Vec::new();
            builder.close_until(until, |candle| closed.push(candle));
            for candle in closed {
                self.on_candle(&candle, out);
            }
        }
    }

    /// Whether nothing was heard for so long that flat candles would only pretend a market.
    fn is_hole(&self, index: usize, until: Timestamp) -> bool {
        let builder = &self.market.builders[index];
        let longest = builder.interval().duration().saturating_mul(FLAT_MAX);
        builder
            .ends_at()
            .is_some_and(|end| until.since(end) > longest)
    }

    fn skip_hole(&mut self, index: usize, out: &mut Outputs) {
        let instrument = Some(self.market.builders[index].instrument());
        self.market.builders[index].forget();
        let missing = None;
        self.context.emit(
            out,
            None,
            EventKind::Gap {
                instrument,
                missing,
            },
        );
    }

    fn set_candle_timer(&self, out: &mut Outputs) {
        if let Some(end) = self
            .market
            .builders
            .iter()
            .filter_map(CandleBuilder::ends_at)
            .min()
        {
            out.push(Output::SetTimer(end + CANDLE_GRACE, Timer::CandleClose));
        }
    }

    /// A closed candle: everybody who follows it is fed, and asked if it is news.
    pub(crate) fn on_candle(&mut self, candle: &Candle, out: &mut Outputs) {
        let Some(feed) = self.market.feeds.get_mut(candle.instrument.index()) else {
            return;
        };
        feed.candles += 1;
        if !candle.is_sound() {
            self.context.emit(
                out,
                None,
                EventKind::Gap {
                    instrument: Some(candle.instrument),
                    missing: None,
                },
            );
            return;
        }
        let id = self
            .context
            .emit(out, None, EventKind::CandleClosed(*candle));
        self.context.trigger = Trigger::Event(id);
        for index in 0..self
            .wakes
            .on_candle(candle.instrument, candle.interval)
            .len()
        {
            let place = self.wakes.on_candle(candle.instrument, candle.interval)[index];
            self.feed(place, candle, out);
        }
    }

    fn feed(&mut self, (bot, slot): BotInstrument, candle: &Candle, out: &mut Outputs) {
        let runtime = &mut self.bots[bot.index()];
        if !runtime.is_awake() || runtime.slots[slot].awaiting.contains(&candle.interval) {
            return;
        }
        match runtime.slots[slot].classify(candle) {
            CandleOrder::Old => {}
            CandleOrder::Next => {
                runtime.slots[slot]
                    .note(candle, &self.config.instruments[candle.instrument.index()]);
                self.counters.closed_at(candle.close_time());
                let late = self.context.at.since(candle.close_time());
                self.note_lateness(bot, late);
                self.wake(bot, slot, Wake::Candle(candle.interval), Some(candle), out);
            }
            CandleOrder::Gap => {
                // The tick is skipped and the hole filled from the venue: a strategy never sees a series with a hole.
                runtime.slots[slot].awaiting.push(candle.interval);
                self.request_candles(bot, slot, candle.interval, out);
            }
        }
    }

    /// Past candles: whoever waits for them is fed, silently.
    pub(crate) fn on_history(&mut self, history: &CandleHistory, out: &mut Outputs) {
        for index in 0..self
            .wakes
            .on_candle(history.instrument, history.interval)
            .len()
        {
            let (bot, slot) = self.wakes.on_candle(history.instrument, history.interval)[index];
            let awaiting = &mut self.bots[bot.index()].slots[slot].awaiting;
            let Some(position) = awaiting
                .iter()
                .position(|interval| *interval == history.interval)
            else {
                continue;
            };
            awaiting.swap_remove(position);
            self.warm_up(bot, slot, &history.candles, out);
            self.warmed(bot, out);
        }
    }

    /// Silence is looked for ten times in the time it takes to count, so it is told at most a tenth late.
    pub(crate) fn set_staleness_timer(&self, out: &mut Outputs) {
        let every = (self.config.stale_after / 10).max(Duration::from_millis(1));
        out.push(Output::SetTimer(self.context.at + every, Timer::Staleness));
    }

    pub(crate) fn on_staleness(&mut self, out: &mut Outputs) {
        self.set_staleness_timer(out);
        for index in 0..self.market.feeds.len() {
            let feed = &self.market.feeds[index];
            let silent = self.context.at.since(feed.quoted_at) > self.config.stale_after;
            if silent && feed.health == FeedHealth::Live {
                self.on_health(self.config.instruments[index].id, FeedHealth::Stale, out);
            }
        }
    }
}
