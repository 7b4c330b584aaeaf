//! Market streams: who listens to what, and the frames they get.
//!
//! The hub is pure: it is told of prints, of changed books and of the time, and leaves frames. It computes nothing that
//! nobody listens to, and encodes each frame once in each of its two forms.

pub(crate) mod attempts;
pub(crate) mod connection;
pub(crate) mod depth;
pub(crate) mod frames;
pub(crate) mod life;
pub(crate) mod names;

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{Depth, InstrumentId, Interval, Price, Quote, Timestamp, Trade};
use tradewind_simx::{Exchange, KlineRange};

use crate::core::touch_or_zero;
use crate::market::{KlineQuery, Market};
use crate::rest::TimeUnit;
use crate::span::{Span, SpanClock};
use crate::symbols::Symbols;
use connection::Form;
use depth::DepthState;
use frames::{Frame, Subject};
use names::{Pace, StreamKey, Topic, Window};

/// A connection, as the exchange knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// Frames and who gets them, in order.
pub(crate) type Frames = Vec<(ConnectionId, Frame)>;

const FAST: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_secs(1);
/// Seconds between two frames of an open candle, but for candles of a second.
const KLINE_SECONDS: i64 = 2;
/// Closed candles a stream catches up with at once, after a pause.
const CLOSED_AT_ONCE: usize = 1_000;

/// All subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    streams: BTreeMap<StreamKey, Stream>,
    connections: BTreeMap<ConnectionId, Wish>,
    /// Whether any connection ever wanted microseconds.
    micros: bool,
    next_fast: Timestamp,
    next_slow: Timestamp,
}

/// How a connection wants its frames.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) form: Form,
    pub(crate) unit: TimeUnit,
}

#[derive(Debug)]
struct Stream {
    name: String,
    listeners: Vec<ConnectionId>,
    state: State,
}

/// What a stream must remember between two frames.
#[derive(Debug)]
enum State {
    Nothing,
    BookTicker(Option<Quote>),
    Kline { open: Timestamp, told: u32 },
    Depth(Box<DepthState>),
    PartialDepth(u64),
}

/// What frames are made from.
pub(crate) struct Sources<'a> {
    pub(crate) now: Timestamp,
    pub(crate) exchange: &'a Exchange,
    pub(crate) market: &'a mut Market,
    pub(crate) symbols: &'a Symbols,
}

impl Hub {
    /// A connection begins, or changes the form of its frames.
    pub(crate) fn set_form(&mut self, connection: ConnectionId, wish: Wish) {
        self.micros |= wish.unit == TimeUnit::Microseconds;
        self.connections.insert(connection, wish);
    }

    fn key_of(&self, connection: ConnectionId, name: &str, symbols: &Symbols) -> Option<StreamKey> {
        let wish = self.connections.get(&connection).copied();
        let unit = wish.unwrap_or_default().unit;
        names::parse(name, unit, |symbol| symbols.find(symbol))
    }

    /// Units that any stream is sent in.
    fn units(&self) -> &'static [TimeUnit] {
        const BOTH: &[TimeUnit] = &[TimeUnit::Milliseconds, TimeUnit::Microseconds];
        if self.micros { BOTH } else { &BOTH[..1] }
    }

    /// Begins to send a stream; a name that is none is accepted and never sent.
    pub(crate) fn subscribe(
        &mut self,
        connection: ConnectionId,
        name: &str,
        sources: &Sources<'_>,
    ) {
        let Some(key) = self.key_of(connection, name, sources.symbols) else {
            return;
        };
        let stream = self.streams.entry(key).or_insert_with(|| Stream {
            name: name.to_owned(),
            listeners: Vec::new(),
            state: State::first(key, sources),
        });
        if !stream.listeners.contains(&connection) {
            stream.listeners.push(connection);
        }
    }

    /// Stops sending a stream.
    pub(crate) fn unsubscribe(&mut self, connection: ConnectionId, name: &str, symbols: &Symbols) {
        let Some(key) = self.key_of(connection, name, symbols) else {
            return;
        };
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.listeners.retain(|listener| *listener != connection);
            if stream.listeners.is_empty() {
                self.streams.remove(&key);
            }
        }
    }

    /// Somebody reads an instrument's whole book.
    pub(crate) fn book_read(&mut self, instrument: InstrumentId, exchange: &Exchange) {
        for (key, stream) in &mut self.streams {
            if let (true, State::Depth(state)) =
                (key.instrument == Some(instrument), &mut stream.state)
            {
                state.read(exchange);
            }
        }
    }

    /// A connection is gone.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        self.connections.remove(&connection);
        self.streams.retain(|_, stream| {
            stream.listeners.retain(|listener| *listener != connection);
            !stream.listeners.is_empty()
        });
    }

    /// Somebody traded.
    pub(crate) fn on_print(&mut self, subject: Subject<'_>, print: &Trade, frames: &mut Frames) {
        for unit in self.units() {
            let subject = subject.told_in(*unit);
            let key = |topic| StreamKey {
                instrument: Some(print.instrument),
                topic,
                unit: *unit,
            };
            if let Some(stream) = self.streams.get(&key(Topic::Trade)) {
                stream.send(&self.connections, subject.trade(print), frames);
            }
            if let Some(stream) = self.streams.get(&key(Topic::AggregateTrade)) {
                stream.send(&self.connections, subject.aggregate_trade(print), frames);
            }
        }
    }

    /// An instrument's book may have changed.
    pub(crate) fn on_book(
        &mut self,
        subject: Subject<'_>,
        exchange: &Exchange,
        frames: &mut Frames,
    ) {
        let instrument = subject.instrument.id;
        let Some(stream) = self.streams.get_mut(&StreamKey {
            instrument: Some(instrument),
            topic: Topic::BookTicker,
            unit: TimeUnit::default(),
        }) else {
            return;
        };
        let touch = touch_or_zero(exchange, instrument);
        let State::BookTicker(last) = &mut stream.state else {
            return;
        };
        let is_empty = (touch.bid, touch.ask) == (Price(0), Price(0));
        if last.map_or(is_empty, |last| same_touch(&last, &touch)) {
            return;
        }
        *last = Some(touch);
        let payload = subject.book_ticker(exchange.update_id(instrument), &touch);
        stream.send(&self.connections, payload, frames);
    }

    /// Time passed: sends what is due.
    pub(crate) fn tick(&mut self, sources: &mut Sources<'_>, frames: &mut Frames) {
        let fast = due(&mut self.next_fast, sources.now, FAST);
        let slow = due(&mut self.next_slow, sources.now, SLOW);
        if !fast && !slow {
            return;
        }
        for (key, stream) in &mut self.streams {
            let due = match key.topic {
                Topic::BookTicker | Topic::Trade | Topic::AggregateTrade => false,
                Topic::Depth(Pace::Fast) | Topic::PartialDepth(_, Pace::Fast) => fast,
                Topic::Depth(Pace::Slow) | Topic::PartialDepth(_, Pace::Slow) => slow,
                Topic::Kline(..)
                | Topic::MiniTicker
                | Topic::Ticker
                | Topic::WindowTicker(_)
                | Topic::AveragePrice => slow,
            };
            if due {
                stream.tick(*key, &self.connections, sources, frames);
            }
        }
    }

    /// How many streams are being sent.
    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }
}

/// Whether the grid of `every` has reached `next`, which then moves on.
fn due(next: &mut Timestamp, now: Timestamp, every: Duration) -> bool {
    if now < *next {
        return false;
    }
    let nanos = i64::try_from(every.as_nanos()).unwrap_or(i64::MAX);
    *next = Timestamp::from_nanos(now.as_nanos().div_euclid(nanos) * nanos) + every;
    true
}

fn same_touch(one: &Quote, other: &Quote) -> bool {
    let key = |quote: &Quote| (quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity);
    key(one) == key(other)
}

impl State {
    fn first(key: StreamKey, sources: &Sources<'_>) -> Self {
        match key.topic {
            Topic::BookTicker => Self::BookTicker(None),
            Topic::Kline(span, zone) => Self::Kline {
                open: SpanClock { span, zone }.open_time(sources.now),
                told: 0,
            },
            Topic::Depth(_) => match key.instrument {
                Some(instrument) => {
                    Self::Depth(Box::new(DepthState::new(sources.exchange, instrument)))
                }
                None => Self::Nothing,
            },
            Topic::PartialDepth(..) => Self::PartialDepth(0),
            Topic::Trade
            | Topic::AggregateTrade
            | Topic::MiniTicker
            | Topic::Ticker
            | Topic::WindowTicker(_)
            | Topic::AveragePrice => Self::Nothing,
        }
    }
}

impl Stream {
    /// Gives `payload` to every listener, in the form it wants.
    fn send(
        &self,
        connections: &BTreeMap<ConnectionId, Wish>,
        payload: String,
        frames: &mut Frames,
    ) {
        let raw = Frame::from(payload);
        let mut combined = None;
        for listener in &self.listeners {
            let frame = match connections.get(listener).map(|wish| wish.form) {
                Some(Form::Combined) => combined
                    .get_or_insert_with(|| Frame::from(frames::combined(&self.name, &raw)))
                    .clone(),
                Some(Form::Raw) | None => raw.clone(),
            };
            frames.push((*listener, frame));
        }
    }

    fn tick(
        &mut self,
        key: StreamKey,
        connections: &BTreeMap<ConnectionId, Wish>,
        sources: &mut Sources<'_>,
        frames: &mut Frames,
    ) {
        let Some(id) = key.instrument else {
            if let Some(payload) = of_all(key, sources) {
                self.send(connections, payload, frames);
            }
            return;
        };
        let Some(instrument) = sources.exchange.instruments().get(id.index()) else {
            return;
        };
        let subject = Subject {
            symbol: sources.symbols.name(id),
            instrument,
            now: sources.now,
            unit: key.unit,
        };
        match (key.topic, &mut self.state) {
            (Topic::Kline(span, zone), State::Kline { open, told }) => {
                let clock = SpanClock { span, zone };
                let payloads = kline_payloads(subject, clock, open, told, sources.market);
                payloads
                    .into_iter()
                    .for_each(|payload| self.send(connections, payload, frames));
            }
            (Topic::Depth(_), State::Depth(state)) => {
                if let Some(payload) = state.update(subject, sources.exchange) {
                    self.send(connections, payload, frames);
                }
            }
            (Topic::PartialDepth(levels, _), State::PartialDepth(told)) => {
                let update_id = sources.exchange.update_id(id);
                if *told != update_id {
                    *told = update_id;
                    let payload =
                        partial_depth(subject, usize::from(levels), update_id, sources.exchange);
                    self.send(connections, payload, frames);
                }
            }
            (Topic::MiniTicker, _) => {
                if let Some(day) = sources.market.day(instrument) {
                    self.send(connections, subject.mini_ticker(&day), frames);
                }
            }
            (Topic::Ticker, _) => {
                let touch = touch_or_zero(sources.exchange, id);
                if let Some(day) = sources.market.day(instrument) {
                    self.send(connections, subject.ticker(&day, &touch), frames);
                }
            }
            (Topic::WindowTicker(window), _) => {
                if let Some(payload) = window_ticker(subject, window, sources.market) {
                    self.send(connections, payload, frames);
                }
            }
            (Topic::AveragePrice, _) => {
                let (average, last) = sources.market.average(instrument);
                let payload = subject.average_price(average, last.unwrap_or(sources.now));
                self.send(connections, payload, frames);
            }
            _ => {}
        }
    }
}

/// What a stream of all instruments sends: a list of what each one's own stream would.
fn of_all(key: StreamKey, sources: &mut Sources<'_>) -> Option<String> {
    let mut payloads = Vec::new();
    for instrument in sources.exchange.instruments() {
        let subject = Subject {
            symbol: sources.symbols.name(instrument.id),
            instrument,
            now: sources.now,
            unit: key.unit,
        };
        payloads.extend(match key.topic {
            Topic::MiniTicker => {
                let day = sources.market.day(instrument);
                day.map(|day| subject.mini_ticker(&day))
            }
            Topic::WindowTicker(window) => window_ticker(subject, window, sources.market),
            _ => None,
        });
    }
    (!payloads.is_empty()).then(|| format!("[{}]", payloads.join(",")))
}

fn window_ticker(subject: Subject<'_>, window: Window, market: &mut Market) -> Option<String> {
    let open = Interval::Minute1.open_time(subject.now - window.length());
    let found = market.since(subject.instrument, open)?;
    Some(subject.window_ticker(window.event(), open, &found))
}

fn partial_depth(
    subject: Subject<'_>,
    levels: usize,
    update_id: u64,
    exchange: &Exchange,
) -> String {
    let instrument = subject.instrument.id;
    let mut depth = Depth {
        instrument,
        bids: vec![],
        asks: vec![],
        received_at: subject.now,
    };
    exchange.depth(instrument, levels, &mut depth);
    subject.partial_depth(update_id, &depth)
}

/// Frames of candles that closed since `open`, and one of the candle that is open if it changed.
fn kline_payloads(
    subject: Subject<'_>,
    clock: SpanClock,
    open: &mut Timestamp,
    told: &mut u32,
    market: &mut Market,
) -> Vec<String> {
    let instrument = subject.instrument.id;
    let mut payloads = Vec::new();
    let current = clock.open_time(subject.now);
    if *open < current {
        let query = KlineQuery {
            instrument,
            clock,
            range: KlineRange {
                from: Some(*open),
                to: Some(current),
                limit: CLOSED_AT_ONCE,
            },
        };
        let closed = market.klines(&query);
        for (index, kline) in closed
            .iter()
            .enumerate()
            .filter(|(_, kline)| kline.open_time < current)
        {
            let newer: u64 = closed
                .iter()
                .skip(index + 1)
                .map(|kline| u64::from(kline.trades))
                .sum();
            payloads.push(subject.kline(
                clock,
                kline,
                market.ids(instrument, kline.trades.into(), newer),
                true,
            ));
        }
        (*open, *told) = (current, 0);
    }
    let seconds = subject.now.as_millis().div_euclid(1_000);
    if clock.span != Span::Of(Interval::Second1) && seconds % KLINE_SECONDS != 0 {
        return payloads;
    }
    let query = KlineQuery {
        instrument,
        clock,
        range: KlineRange {
            from: Some(current),
            to: Some(current),
            limit: 1,
        },
    };
    if let Some(kline) = market
        .klines(&query)
        .pop()
        .filter(|kline| kline.trades != *told)
    {
        *told = kline.trades;
        payloads.push(subject.kline(
            clock,
            &kline,
            market.ids(instrument, kline.trades.into(), 0),
            false,
        ));
    }
    payloads
}
