//! Market data in the engine: quotes, feeds, candles being built, and which positions each quote may close.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_events::SeriesPoint;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    Amount, Candle, CandleBuilder, Depth, FeedHealth, InstrumentId, Interval, Level, Numbers, Ppm,
    Quote, SeriesNumber, Timestamp, Trade,
};

use tradewind_strategy::FeedStatus;

use super::bot_instrument::BotInstrument;
use super::gaps::Gaps;

/// A series that was silent for this many intervals is not continued with flat candles. Its hole is announced instead.
const FLAT_MAX: u32 = 1_000;

/// What is known of the market, by instrument.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Market {
    quotes: Vec<Option<Quote>>,
    feeds: Vec<Feed>,
    /// Positions whose exits each quote may trigger, by instrument.
    monitored: Vec<Vec<BotInstrument>>,
    /// Candles being built from trades.
    builders: Vec<CandleBuilder>,
    /// The latest number of each named series.
    #[serde(default)]
    numbers: Numbers,
    /// Whether trades are kept, by instrument: of those that some bot reads.
    #[serde(skip)]
    keeps_trades: Vec<bool>,
}

/// State of one instrument's data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Feed {
    health: FeedHealth,
    /// When its health changed last.
    #[serde(default)]
    health_since: Timestamp,
    /// When its last quote came. Trades and candles do not count: they do not contain the best bid and ask.
    quoted_at: Timestamp,
    /// When its quote changed last.
    #[serde(default)]
    changed_at: Timestamp,
    /// Whether no data was lost since then, so that the time until the next change is a gap of the instrument.
    #[serde(default)]
    is_whole: bool,
    #[serde(default, skip_serializing_if = "Gaps::is_empty")]
    gaps: Gaps,
    /// When its book last showed the prices of its quote.
    #[serde(default)]
    confirmed_at: Timestamp,
    /// When its book was requested, while it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    book_requested_at: Option<Timestamp>,
    /// The latest stamp of the venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time: Option<Timestamp>,
    quotes: u64,
    trades: u64,
    candles: u64,
    depth: Option<Depth>,
    /// A quote that jumped and waits for a second one.
    #[serde(default)]
    suspect: Option<Quote>,
    /// When its data was lost last. A book of before is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost_at: Option<Timestamp>,
    /// The latest trades, oldest first, where some bot reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    recent: Vec<Trade>,
    /// When the first quote came that jumped to that side.
    #[serde(default)]
    suspect_since: Timestamp,
    /// The quote that jumped and that a book under way is to confirm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubted: Option<Quote>,
    /// Whether a book has confirmed that the market jumped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_jump_confirmed: bool,
}

/// A stamp that is further ahead of the clock is wrong: later quotes are not compared with it.
const AHEAD_MAX: Duration = Duration::from_secs(5);
/// A book that is not there after this is requested again.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The same of a book that decides about a jump: a position may have to be sold.
const JUMP_ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Trades kept of an instrument.
const TRADES_KEPT: usize = 32;

/// A quote is compared with the one before if that is no older, and whatever its age where a stop is passed.
const JUMP_WITHIN: Duration = Duration::from_secs(10);

/// Whether the mid moved by more than this share.
fn jumps(from: &Quote, to: &Quote, max: Ppm) -> bool {
    let moved = i128::from(from.mid_twice().abs_diff(to.mid_twice()));
    moved * i128::from(Ppm::ONE.0) > i128::from(from.mid_twice()) * i128::from(max.0)
}

/// What closing a builder's candles gave.
#[derive(Debug)]
pub(crate) enum BuiltCandles {
    /// Candles that closed, oldest first.
    Closed(Vec<Candle>),
    /// The instrument was silent for too long to fill the hole with flat candles.
    Hole(InstrumentId),
}

impl Market {
    /// Makes room for instruments that are new. What is known of the others stays.
    pub(crate) fn resize(&mut self, instruments: usize) {
        self.quotes.resize(instruments, None);
        self.feeds.resize_with(instruments, Feed::default);
        self.monitored.resize_with(instruments, Vec::new);
    }

    /// Builds candles of `series` from trades. Those that are built already continue.
    pub(crate) fn build_series(&mut self, series: impl Iterator<Item = (InstrumentId, Interval)>) {
        let mut before = std::mem::take(&mut self.builders);
        for (instrument, interval) in series {
            let key = |known: &CandleBuilder| (known.instrument(), known.interval());
            let known = before
                .iter()
                .position(|of| key(of) == (instrument, interval));
            self.builders.push(known.map_or_else(
                || CandleBuilder::new(instrument, interval),
                |index| before.swap_remove(index),
            ));
        }
    }

    /// Copies of at most `count` instruments each, and one of what belongs to no single instrument.
    pub(crate) fn chunks(&self, count: usize) -> impl Iterator<Item = Self> + '_ {
        let rest = Self {
            builders: self.builders.clone(),
            numbers: self.numbers.clone(),
            ..Self::default()
        };
        let starts = (0..self.quotes.len()).step_by(count);
        let chunks = starts.map(move |start| {
            let range = start..self.quotes.len().min(start + count);
            Self {
                quotes: self.quotes[range.clone()].to_vec(),
                feeds: self.feeds[range.clone()].to_vec(),
                monitored: self.monitored[range].to_vec(),
                ..Self::default()
            }
        });
        std::iter::once(rest).chain(chunks)
    }

    /// Adds the instruments of the next saved chunk.
    pub(crate) fn append(&mut self, chunk: Self) {
        self.quotes.extend(chunk.quotes);
        self.feeds.extend(chunk.feeds);
        self.monitored.extend(chunk.monitored);
        self.builders.extend(chunk.builders);
        if chunk.numbers != Numbers::default() {
            self.numbers = chunk.numbers;
        }
    }

    pub(crate) fn contains(&self, instrument: InstrumentId) -> bool {
        instrument.index() < self.feeds.len()
    }

    /// The latest quotes, by instrument.
    pub(crate) fn quotes(&self) -> &[Option<Quote>] {
        &self.quotes
    }

    /// The latest quote of an instrument.
    pub(crate) fn quote(&self, instrument: InstrumentId) -> Option<&Quote> {
        self.quotes[instrument.index()].as_ref()
    }

    /// The latest quote, if it may be traded on: it is sound and its feed live.
    pub(crate) fn live_quote(&self, instrument: InstrumentId) -> Option<&Quote> {
        let live = self.feeds.get(instrument.index())?.health == FeedHealth::Live
            || is_on(Mutation::StaleQuoteUsed);
        self.quote(instrument)
            .filter(|quote| live && quote.is_sound())
    }

    /// The top of the book, if there is one and its feed is live.
    pub(crate) fn live_depth(&self, instrument: InstrumentId) -> Option<&Depth> {
        let feed = self.feeds.get(instrument.index())?;
        let is_live = feed.health == FeedHealth::Live;
        feed.depth.as_ref().filter(|_| is_live)
    }

    /// Whether a feed counts as live although no quote came for longer than `limit`.
    pub(crate) fn is_silent(
        &self,
        instrument: InstrumentId,
        limit: Duration,
        now: Timestamp,
    ) -> bool {
        let feed = &self.feeds[instrument.index()];
        feed.health == FeedHealth::Live && now.since(feed.quoted_at) > limit
    }

    /// How long nothing of an instrument's quote has changed, and the silence after which it is stale by its own gaps.
    pub(crate) fn silence(&self, instrument: InstrumentId, now: Timestamp) -> (Duration, Duration) {
        let feed = &self.feeds[instrument.index()];
        (now.since(feed.changed_at), feed.gaps.limit())
    }

    /// Notes whether a sound quote is a change: another price or quantity and, where the venue has stamps, a later one. One that
    /// is not is silence. The first after a loss is one, whatever it repeats: it is current.
    pub(crate) fn note_change(&mut self, quote: &Quote, now: Timestamp) -> bool {
        let index = quote.instrument.index();
        let content = |quote: &Quote| {
            let prices = (quote.bid, quote.ask);
            (prices, quote.bid_quantity, quote.ask_quantity)
        };
        let last = self.quotes[index].as_ref();
        let feed = &mut self.feeds[index];
        let event_time = quote.event_time.filter(|time| *time <= now + AHEAD_MAX);
        let stands_still = event_time.is_some() && event_time <= feed.event_time;
        let repeats = stands_still || last.is_some_and(|last| content(last) == content(quote));
        if feed.is_whole && repeats {
            return false;
        }
        feed.event_time = event_time.or(feed.event_time);
        if feed.is_whole {
            feed.gaps.note(now.since(feed.changed_at));
        }
        feed.changed_at = now;
        feed.is_whole = true;
        true
    }

    /// How long nothing has shown that an instrument's quote is current: neither a change nor its book.
    pub(crate) fn unconfirmed_for(&self, instrument: InstrumentId, now: Timestamp) -> Duration {
        let feed = &self.feeds[instrument.index()];
        now.since(feed.changed_at.max(feed.confirmed_at))
    }

    /// Notes that the book of an instrument is to be read. False if it is being read.
    pub(crate) fn request_book(&mut self, instrument: InstrumentId, now: Timestamp) -> bool {
        self.request_within(instrument, now, ANSWER_WITHIN)
    }

    /// As [`request_book`](Self::request_book), where an answer is awaited for `within`.
    fn request_within(
        &mut self,
        instrument: InstrumentId,
        now: Timestamp,
        within: Duration,
    ) -> bool {
        let requested = &mut self.feeds[instrument.index()].book_requested_at;
        let is_new = requested.is_none_or(|before| now.since(before) >= within);
        if is_new {
            *requested = Some(now);
        }
        is_new
    }

    /// Takes the answer to a reading of a book. Whether it shows the prices of the quote, or the quote has changed meanwhile.
    pub(crate) fn confirm(
        &mut self,
        instrument: InstrumentId,
        depth: Option<&Depth>,
        now: Timestamp,
    ) -> bool {
        let index = instrument.index();
        let feed = &mut self.feeds[index];
        let requested = feed.book_requested_at.take();
        if requested.is_none_or(|requested| feed.changed_at > requested) {
            return true;
        }
        let touch = |levels: &[Level]| levels.first().map(|level| level.price);
        let shown = depth.map(|depth| (touch(&depth.bids), touch(&depth.asks)));
        let quote = self.quotes[index].as_ref();
        let is_same = shown.is_some() && shown == quote.map(|one| (Some(one.bid), Some(one.ask)));
        if is_same {
            feed.confirmed_at = now;
        }
        is_same
    }

    /// The source reports that data of an instrument is missing: the time until its next change is no gap of its own, and stamps
    /// may begin anew. With `lost_at` its book of before that is lost.
    pub(crate) fn on_loss(&mut self, instrument: InstrumentId, lost_at: Option<Timestamp>) {
        let Some(feed) = self.feeds.get_mut(instrument.index()) else {
            return;
        };
        feed.is_whole = false;
        feed.event_time = None;
        if let Some(lost_at) = lost_at {
            // A book of the same read came before the loss, or it is replaced by the next one.
            feed.depth.take_if(|depth| depth.received_at <= lost_at);
            feed.lost_at = feed.lost_at.max(Some(lost_at));
        }
    }

    /// How far the data of an instrument can be trusted.
    pub(crate) fn health(&self, instrument: InstrumentId) -> FeedHealth {
        let feed = self.feeds.get(instrument.index());
        feed.map(|feed| feed.health).unwrap_or_default()
    }

    /// The same, and since when.
    pub(crate) fn feed_status(&self, instrument: InstrumentId) -> FeedStatus {
        let feed = self.feeds.get(instrument.index());
        feed.map_or_else(FeedStatus::default, |feed| FeedStatus {
            health: feed.health,
            since: feed.health_since,
        })
    }

    /// The feeds, by instrument.
    pub(crate) fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    /// Counts a quote. Returns the feed's health and when its last quote came; `None` for an unknown instrument.
    pub(crate) fn note_quote(
        &mut self,
        instrument: InstrumentId,
        now: Timestamp,
    ) -> Option<(FeedHealth, Timestamp)> {
        let feed = self.feeds.get_mut(instrument.index())?;
        feed.quotes += 1;
        let before = std::mem::replace(&mut feed.quoted_at, now);
        Some((feed.health, before))
    }

    /// Whether a sound quote jumped away from the one before, which came at `before`, and no second one confirms it yet. After a silence a
    /// market may have moved: then a jump counts at once unless it `matters` to a stop.
    #[inline]
    pub(crate) fn is_suspect(
        &mut self,
        quote: &Quote,
        (before, now): (Timestamp, Timestamp),
        jump_max: Option<Ppm>,
        matters: impl FnOnce(&[BotInstrument]) -> bool,
    ) -> bool {
        let index = quote.instrument.index();
        let (Some(last), Some(max)) = (&self.quotes[index], jump_max) else {
            return false;
        };
        let feed = &mut self.feeds[index];
        let suspect = &mut feed.suspect;
        feed.is_jump_confirmed = false;
        let is_recent = now.since(before) <= JUMP_WITHIN;
        if !jumps(last, quote, max) || !(is_recent || matters(&self.monitored[index])) {
            *suspect = None;
            return false;
        }
        let is_confirmed = suspect.is_some_and(|suspect| !jumps(&suspect, quote, max));
        let side = |quote: &Quote| quote.bid < last.bid;
        if suspect.is_none_or(|suspect| side(&suspect) != side(quote)) {
            feed.suspect_since = now;
        }
        *suspect = (!is_confirmed).then_some(*quote);
        !is_confirmed
    }

    /// A quote that jumped, which the next one decides about, and when the first that jumped to its side came.
    pub(crate) fn suspect(&self, instrument: InstrumentId) -> Option<(Quote, Timestamp)> {
        let feed = self.feeds.get(instrument.index())?;
        feed.suspect.map(|quote| (quote, feed.suspect_since))
    }

    /// Whether a book has confirmed the jump of [`suspect`](Self::suspect).
    pub(crate) fn is_jump_confirmed(&self, instrument: InstrumentId) -> bool {
        let feed = self.feeds.get(instrument.index());
        feed.is_some_and(|feed| feed.is_jump_confirmed)
    }

    /// Notes that a book is to be read for the quote that jumped. False if one is being read, which may be older than the jump.
    pub(crate) fn doubt_jump(&mut self, instrument: InstrumentId, now: Timestamp) -> bool {
        let is_new = self.request_within(instrument, now, JUMP_ANSWER_WITHIN);
        let feed = &mut self.feeds[instrument.index()];
        if is_new {
            feed.doubted = feed.suspect;
        }
        is_new
    }

    /// Takes the top of a book that was read after a quote that jumped, `None` if it has none, and when it came. It counts for the quote
    /// that it was read for: it confirms it if `is_confirmed` of its prices, else the jump was none. One from before the jump, and one
    /// whose prices cannot be, decides nothing. True if it decided.
    pub(crate) fn decide_jump(
        &mut self,
        instrument: InstrumentId,
        touch: Option<(Level, Level, Timestamp)>,
        is_confirmed: impl FnOnce(&Self, &Quote) -> bool,
    ) -> bool {
        let feed = &mut self.feeds[instrument.index()];
        let doubted = feed.doubted.take();
        let (Some(suspect), Some((bid, ask, received_at))) = (feed.suspect, touch) else {
            return false;
        };
        if doubted != Some(suspect) || received_at < suspect.received_at {
            return false;
        }
        let shown = Quote {
            bid: bid.price,
            ask: ask.price,
            bid_quantity: bid.quantity,
            ask_quantity: ask.quantity,
            ..suspect
        };
        if !shown.is_sound() {
            return false;
        }
        let is_confirmed = is_confirmed(self, &shown);
        let feed = &mut self.feeds[instrument.index()];
        feed.suspect = is_confirmed.then_some(shown);
        feed.is_jump_confirmed = is_confirmed;
        true
    }

    /// Keeps a sound quote of a known instrument.
    pub(crate) fn keep_quote(&mut self, quote: &Quote) {
        self.quotes[quote.instrument.index()] = Some(*quote);
    }

    /// Trades of these instruments are kept from now on, those of others are not.
    pub(crate) fn keep_trades_of(&mut self, instruments: impl Iterator<Item = InstrumentId>) {
        self.keeps_trades = vec![false; self.feeds.len()];
        for instrument in instruments {
            self.keeps_trades[instrument.index()] = true;
        }
        for (feed, keeps) in self.feeds.iter_mut().zip(&self.keeps_trades) {
            if !keeps {
                feed.recent.clear();
            }
        }
    }

    /// Counts a trade, and keeps it where some bot reads it. False for an unknown instrument.
    pub(crate) fn note_trade(&mut self, trade: &Trade) -> bool {
        let index = trade.instrument.index();
        let Some(feed) = self.feeds.get_mut(index) else {
            return false;
        };
        feed.trades += 1;
        if self.keeps_trades.get(index) == Some(&true) {
            // Twice as many lie there before the older half goes: one move for so many trades.
            if feed.recent.len() >= 2 * TRADES_KEPT {
                feed.recent.drain(..=TRADES_KEPT);
            }
            feed.recent.push(*trade);
        }
        true
    }

    /// The latest trades of an instrument that some bot reads, oldest first.
    pub(crate) fn recent_trades(&self, instrument: InstrumentId) -> &[Trade] {
        let feed = self.feeds.get(instrument.index());
        let kept = |feed: &'_ Feed| feed.recent.len().saturating_sub(TRADES_KEPT);
        feed.map_or(&[], |feed| &feed.recent[kept(feed)..])
    }

    /// Counts a candle. False for an unknown instrument.
    pub(crate) fn note_candle(&mut self, instrument: InstrumentId) -> bool {
        let feed = self.feeds.get_mut(instrument.index());
        feed.map(|feed| feed.candles += 1).is_some()
    }

    /// Keeps the latest number of a named series.
    pub(crate) fn keep_series(&mut self, point: &SeriesPoint) {
        // A stamp of the future would keep a number fresh for too long.
        let at = point.event_time.unwrap_or(point.received_at);
        let at = at.min(point.received_at);
        let number = |name| SeriesNumber {
            name,
            value: point.value,
            at,
            received_at: point.received_at,
            max_age: point.max_age,
        };
        match point.instrument {
            None => self.numbers.keep(number(&point.name)),
            Some(id) => self
                .numbers
                .keep(number(&format!("{}@{}", point.name, id.0))),
        };
    }

    /// Drops the series of sources that may not be sent any more. Those of an instrument are a venue's.
    pub(crate) fn retain_series(&mut self, configured: &[String]) {
        let is_configured = |name: &str| configured.iter().any(|one| one == name);
        self.numbers
            .retain(|name| name.contains('@') || is_configured(name));
    }

    /// The latest numbers of named series.
    pub(crate) const fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// Takes the numbers out.
    pub(crate) fn take_numbers(&mut self) -> Numbers {
        std::mem::take(&mut self.numbers)
    }

    /// Puts back what [`take_numbers`](Self::take_numbers) took, or what was saved.
    pub(crate) fn set_numbers(&mut self, numbers: Numbers) {
        self.numbers = numbers;
    }

    /// Keeps a book, unless it is one of before its feed was lost: books and health wait in queues of their own.
    pub(crate) fn keep_depth(&mut self, depth: &Depth) {
        let Some(feed) = self.feeds.get_mut(depth.instrument.index()) else {
            return;
        };
        if feed.lost_at.is_none_or(|lost| depth.received_at >= lost) {
            feed.depth = Some(depth.clone());
        }
    }

    /// Sets a feed's health. Returns the health before, if it was another.
    pub(crate) fn set_health(
        &mut self,
        instrument: InstrumentId,
        health: FeedHealth,
        now: Timestamp,
    ) -> Option<FeedHealth> {
        let feed = self.feeds.get_mut(instrument.index())?;
        let before = std::mem::replace(&mut feed.health, health);
        if before == health {
            return None;
        }
        feed.health_since = now;
        Some(before)
    }
}

impl Feed {
    pub(crate) const fn health(&self) -> FeedHealth {
        self.health
    }

    /// Quotes, trades and candles received.
    pub(crate) const fn counts(&self) -> (u64, u64, u64) {
        (self.quotes, self.trades, self.candles)
    }
}

/// Positions with an exit monitor.
impl Market {
    /// Positions that a quote of an instrument may close.
    pub(crate) fn monitored(&self, instrument: InstrumentId) -> &[BotInstrument] {
        &self.monitored[instrument.index()]
    }

    /// Adds a position to those that each quote may close, or removes it.
    pub(crate) fn set_monitored(
        &mut self,
        instrument: InstrumentId,
        place: BotInstrument,
        is_monitored: bool,
    ) {
        let list = &mut self.monitored[instrument.index()];
        match list.iter().position(|known| *known == place) {
            Some(index) if !is_monitored => drop(list.remove(index)),
            None if is_monitored => list.push(place),
            Some(_) | None => {}
        }
    }
}

/// Candles built from trades.
impl Market {
    /// Adds a trade to series `index` if it is of that instrument. True if the candle had no trade, so that its end is new.
    pub(crate) fn build_with(
        &mut self,
        index: usize,
        trade: &Trade,
        at: Timestamp,
        volume: Amount,
    ) -> bool {
        let builder = &mut self.builders[index];
        if builder.instrument() != trade.instrument {
            return false;
        }
        let has_new_end = builder.ends_at().is_none();
        builder.add_trade(at, trade.price, volume);
        has_new_end
    }

    /// Notes that trades were lost: candles being built are incomplete.
    pub(crate) fn mark_incomplete(&mut self) {
        self.builders
            .iter_mut()
            .for_each(CandleBuilder::mark_incomplete);
    }

    /// How many series are built.
    pub(crate) fn built(&self) -> usize {
        self.builders.len()
    }

    /// Closes the candles of series `index` that end by `until`; with `only`, if it is of that instrument.
    pub(crate) fn close_built(
        &mut self,
        index: usize,
        only: Option<InstrumentId>,
        until: Timestamp,
    ) -> BuiltCandles {
        let builder = &mut self.builders[index];
        let mut closed = Vec::new();
        let end = builder.ends_at().filter(|end| *end <= until);
        let Some(end) = end.filter(|_| only.is_none_or(|only| builder.instrument() == only)) else {
            return BuiltCandles::Closed(closed);
        };
        let longest = builder.interval().duration().saturating_mul(FLAT_MAX);
        if until.since(end) > longest {
            builder.forget();
            return BuiltCandles::Hole(builder.instrument());
        }
        builder.close_until(until, |candle| closed.push(candle));
        BuiltCandles::Closed(closed)
    }

    /// When the next candle being built ends.
    pub(crate) fn next_end(&self) -> Option<Timestamp> {
        self.builders
            .iter()
            .filter_map(CandleBuilder::ends_at)
            .min()
    }
}
