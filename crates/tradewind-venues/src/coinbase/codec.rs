//! Reads Coinbase's frames. Pure, and defined for any bytes.
//!
//! A frame is an envelope with the connection's own number and one or more events of a channel.

use tradewind_model::{
    Candle, Instrument, Interval, Level, MarketEvent, Quote, Side, Timestamp, Trade, TradeId,
};

use crate::book::{Levels, Message, Step};
use crate::decimals::{digits, price, quantity, rfc3339, stamp, volume};
use crate::open_candles::OpenCandles;
use crate::protocol::{Ignored, Incoming, Sequence, Topic};
use crate::symbols::SymbolTable;
use crate::wire::json::{Cursor, Malformed, Value, whole};

/// The only candles that are streamed.
pub(super) const CANDLES: Interval = Interval::Minute5;

/// Whether the venue streams candles of an interval.
pub(crate) fn has_candles(interval: Interval) -> bool {
    interval == CANDLES
}

/// One frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number among all messages of its connection.
    pub sequence: Option<u64>,
    /// What it says.
    pub said: Said<'a>,
}

/// What a frame says, before its data is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// A heartbeat.
    Alive,
    /// All that is subscribed on the connection now.
    Subscribed(Data<'a>),
    /// A request was refused; the venue does not say which.
    Refused {
        /// The venue's words.
        message: &'a [u8],
    },
    /// Data.
    Data(Data<'a>),
    /// Nothing of use.
    Other,
}

/// The events of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    channel: &'a [u8],
    time: Option<&'a [u8]>,
    events: &'a [u8],
}

/// One event of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    is_snapshot: Option<bool>,
    symbol: Option<&'a [u8]>,
    rows: Option<&'a [u8]>,
}

impl<'a> Data<'a> {
    /// Whether its events are about books, which take [`decode_book`].
    #[must_use]
    pub fn is_book(&self) -> bool {
        self.channel == b"l2_data"
    }

    /// When the venue sent it.
    pub(super) fn time(&self) -> Option<Timestamp> {
        self.time.and_then(rfc3339)
    }

    /// Its events, one by one; nothing follows one that cannot be read.
    pub fn events(&self) -> impl Iterator<Item = Result<Event<'a>, Ignored>> {
        let mut rows = Some(Cursor::of_array(self.events));
        std::iter::from_fn(move || {
            let cursor = rows.as_mut()?;
            let event = match cursor.element() {
                Ok(None) => return None,
                Ok(Some(Value::Object)) => event(cursor).map_err(|Malformed| Ignored::Malformed),
                _ => Err(Ignored::Malformed),
            };
            if event.is_err() {
                rows = None;
            }
            Some(event)
        })
    }

    /// The channels and symbols that are subscribed.
    pub(super) fn subscribed(&self, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), Ignored> {
        self.read_subscribed(&mut each)
            .map_err(|Malformed| Ignored::Malformed)
    }

    fn read_subscribed(&self, each: &mut impl FnMut(&[u8], &[u8])) -> Result<(), Malformed> {
        let mut events = Cursor::of_array(self.events);
        while let Some(Value::Object) = events.element()? {
            events.enter()?;
            while let Some(key) = events.key()? {
                match (key, events.value()?) {
                    (b"subscriptions", Value::Object) => {
                        events.enter()?;
                        while let Some(channel) = events.key()? {
                            match events.value()? {
                                Value::Array(symbols) => {
                                    let mut symbols = Cursor::of_array(symbols);
                                    while let Some(symbol) = symbols.element()? {
                                        if let Value::Text(symbol) = symbol {
                                            each(channel, symbol);
                                        }
                                    }
                                }
                                Value::Object => events.skip()?,
                                _ => {}
                            }
                        }
                    }
                    (_, Value::Object) => events.skip()?,
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

impl<'a> Event<'a> {
    /// The venue's symbol, of a book's event.
    #[must_use]
    pub const fn symbol(&self) -> Option<&'a [u8]> {
        self.symbol
    }
}

/// Reads a frame's outermost fields.
///
/// # Errors
/// [`Ignored::Malformed`] for what cannot be read.
pub fn read(frame: &[u8]) -> Result<Frame<'_>, Ignored> {
    read_fields(frame).map_err(|Malformed| Ignored::Malformed)
}

fn read_fields(frame: &[u8]) -> Result<Frame<'_>, Malformed> {
    let (mut sequence, mut channel, mut time, mut events) = (None, None, None, None);
    let (mut is_error, mut message) = (false, None);
    let mut cursor = Cursor::new(frame);
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (_, Value::Object) => cursor.skip()?,
            (b"channel", Value::Text(text)) => channel = Some(text),
            (b"timestamp", Value::Text(text)) => time = Some(text),
            (b"sequence_num", Value::Number(number)) => sequence = whole(number),
            (b"events", Value::Array(array)) => events = Some(array),
            (b"type", Value::Text(b"error")) => is_error = true,
            (b"message", Value::Text(text)) => message = Some(text),
            _ => {}
        }
    }
    let said = match (channel, events) {
        (None, _) if is_error => Said::Refused {
            message: message.unwrap_or_default(),
        },
        (Some(b"heartbeats"), _) => Said::Alive,
        (Some(channel), Some(events)) => {
            let data = Data {
                channel,
                time,
                events,
            };
            match channel {
                b"subscriptions" => Said::Subscribed(data),
                _ => Said::Data(data),
            }
        }
        _ => Said::Other,
    };
    Ok(Frame { sequence, said })
}

fn event<'a>(cursor: &mut Cursor<'a>) -> Result<Event<'a>, Malformed> {
    let mut event = Event::default();
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (_, Value::Object) => cursor.skip()?,
            (b"type", Value::Text(b"snapshot")) => event.is_snapshot = Some(true),
            (b"type", Value::Text(b"update")) => event.is_snapshot = Some(false),
            (b"product_id", Value::Text(text)) => event.symbol = Some(text),
            (b"updates" | b"tickers" | b"trades" | b"candles", Value::Array(rows)) => {
                event.rows = Some(rows);
            }
            _ => {}
        }
    }
    Ok(event)
}

/// The topic of a channel, as requests and answers to them name it.
///
/// # Errors
/// It is none of ours.
pub(super) fn topic(channel: &[u8], instrument: &Instrument) -> Result<Topic, Ignored> {
    let id = instrument.id;
    match channel {
        b"ticker" => Ok(Topic::Quotes(id)),
        b"market_trades" => Ok(Topic::Trades(id)),
        b"level2" => Ok(Topic::Depth(id)),
        b"candles" => Ok(Topic::Candles(id, CANDLES)),
        _ => Err(Ignored::NotWanted),
    }
}

/// Reads quotes, trades and candles; one answer for each row. What happened before the subscription is read over REST, so
/// snapshots of trades and candles are of no use.
pub fn decode(
    data: &Data<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
    candles: &mut OpenCandles,
    out: &mut impl FnMut(Incoming<MarketEvent>),
) {
    for event in data.events() {
        let rows = event.and_then(|event| match data.channel {
            b"market_trades" | b"candles" if event.is_snapshot != Some(false) => {
                Err(Ignored::NotWanted)
            }
            b"ticker" | b"market_trades" | b"candles" => {
                let rows = event.rows.ok_or(Ignored::Malformed)?;
                read_rows(rows).map_err(|Malformed| Ignored::Malformed)
            }
            _ => Err(Ignored::NotWanted),
        });
        match rows {
            Ok(rows) => {
                for row in rows {
                    let said = understand(data, &row, received_at, symbols, candles);
                    out(said.unwrap_or_else(Incoming::Ignored));
                }
            }
            Err(why) => out(Incoming::Ignored(why)),
        }
    }
}

/// The rows of an event, the oldest trade or candle first: the order in which the venue writes them is not documented.
fn read_rows(rows: &[u8]) -> Result<Vec<Row<'_>>, Malformed> {
    let (mut cursor, mut read) = (Cursor::of_array(rows), Vec::new());
    while let Some(value) = cursor.element()? {
        match value {
            Value::Object => read.push(row(&mut cursor)?),
            _ => return Err(Malformed),
        }
    }
    read.sort_by_key(|row| {
        (
            row.trade.and_then(whole),
            row.start.and_then(digits).and_then(whole),
        )
    });
    Ok(read)
}

fn understand(
    data: &Data<'_>,
    row: &Row<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
    candles: &mut OpenCandles,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let symbol = row.symbol.ok_or(Ignored::NoSymbol)?;
    let instrument = symbols.find(symbol).ok_or(Ignored::WrongSymbol)?;
    let read = of_instrument(data, row, received_at, instrument, candles);
    read.map_err(Ignored::of_instrument)
}

fn of_instrument(
    data: &Data<'_>,
    row: &Row<'_>,
    received_at: Timestamp,
    instrument: &Instrument,
    candles: &mut OpenCandles,
) -> Result<Incoming<MarketEvent>, Ignored> {
    match topic(data.channel, instrument)? {
        Topic::Quotes(_) => quote(row, data.time(), received_at, instrument),
        Topic::Trades(_) => trade(row, received_at, instrument),
        topic @ Topic::Candles(_, interval) => {
            let closed = candles.take(candle(row, interval, instrument)?);
            Ok(match closed {
                Some(closed) => Incoming::Event {
                    topic,
                    sequence: u64::try_from(closed.open_time.as_millis())
                        .ok()
                        .map(Sequence::Increasing),
                    event: MarketEvent::Candle(closed),
                },
                None => Incoming::Alive { topic },
            })
        }
        Topic::Depth(_) | Topic::Account(_) => Err(Ignored::NotWanted),
    }
}

/// Reads what an event says of a book into `levels`. It has no number of its own: `sequence` is its frame's.
///
/// # Errors
/// Why it cannot be used.
pub fn decode_book(
    event: &Event<'_>,
    sequence: Option<u64>,
    instrument: &Instrument,
    levels: &mut Levels,
) -> Result<Message, Ignored> {
    levels.clear();
    let step = Step::Sent {
        number: sequence.ok_or(Ignored::Malformed)?,
    };
    let rows = event.rows.ok_or(Ignored::Malformed)?;
    for row in read_rows(rows).map_err(|Malformed| Ignored::Malformed)? {
        let level = Level {
            price: price(row.price, instrument)?,
            quantity: quantity(row.size, instrument)?,
        };
        match row.side {
            Some(b"bid") => levels.bids.push(level),
            Some(b"offer" | b"ask") => levels.asks.push(level),
            _ => return Err(Ignored::Malformed),
        }
    }
    match event.is_snapshot {
        Some(true) => Ok(Message::Snapshot(step)),
        Some(false) => Ok(Message::Update(step)),
        None => Err(Ignored::Malformed),
    }
}

/// The fields of every row.
#[derive(Default)]
struct Row<'a> {
    symbol: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
    side: Option<&'a [u8]>,
    trade: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    size: Option<&'a [u8]>,
    bid: Option<&'a [u8]>,
    bid_size: Option<&'a [u8]>,
    ask: Option<&'a [u8]>,
    ask_size: Option<&'a [u8]>,
    start: Option<Value<'a>>,
    open: Option<&'a [u8]>,
    high: Option<&'a [u8]>,
    low: Option<&'a [u8]>,
    close: Option<&'a [u8]>,
    volume: Option<&'a [u8]>,
}

fn row<'a>(cursor: &mut Cursor<'a>) -> Result<Row<'a>, Malformed> {
    let mut row = Row::default();
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (_, Value::Object) => cursor.skip()?,
            (b"start", value) => row.start = Some(value),
            (key, Value::Text(text)) => take(&mut row, key, text),
            _ => {}
        }
    }
    Ok(row)
}

fn take<'a>(row: &mut Row<'a>, key: &[u8], text: &'a [u8]) {
    let field = match key {
        b"product_id" => &mut row.symbol,
        b"time" => &mut row.time,
        b"side" => &mut row.side,
        b"trade_id" => &mut row.trade,
        b"price" | b"price_level" => &mut row.price,
        b"size" | b"new_quantity" => &mut row.size,
        b"best_bid" => &mut row.bid,
        b"best_bid_quantity" => &mut row.bid_size,
        b"best_ask" => &mut row.ask,
        b"best_ask_quantity" => &mut row.ask_size,
        b"open" => &mut row.open,
        b"high" => &mut row.high,
        b"low" => &mut row.low,
        b"close" => &mut row.close,
        b"volume" => &mut row.volume,
        _ => return,
    };
    *field = Some(text);
}

fn quote(
    row: &Row<'_>,
    event_time: Option<Timestamp>,
    received_at: Timestamp,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    Ok(Incoming::Event {
        topic: Topic::Quotes(instrument.id),
        sequence: None,
        event: MarketEvent::Quote(Quote {
            instrument: instrument.id,
            bid: price(row.bid, instrument)?,
            ask: price(row.ask, instrument)?,
            bid_quantity: quantity(row.bid_size, instrument)?,
            ask_quantity: quantity(row.ask_size, instrument)?,
            event_time,
            received_at,
        }),
    })
}

/// The venue names the side of the maker.
fn trade(
    row: &Row<'_>,
    received_at: Timestamp,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let id = row.trade.and_then(whole).ok_or(Ignored::Malformed)?;
    let taker = match row.side {
        Some(b"BUY") => Side::Sell,
        Some(b"SELL") => Side::Buy,
        _ => return Err(Ignored::Malformed),
    };
    Ok(Incoming::Event {
        topic: Topic::Trades(instrument.id),
        sequence: Some(Sequence::Increasing(id)),
        event: MarketEvent::Trade(Trade {
            instrument: instrument.id,
            taker,
            id: TradeId(id),
            price: price(row.price, instrument)?,
            quantity: quantity(row.size, instrument)?,
            event_time: Some(row.time.and_then(rfc3339).ok_or(Ignored::Malformed)?),
            received_at,
        }),
    })
}

fn candle(row: &Row<'_>, interval: Interval, instrument: &Instrument) -> Result<Candle, Ignored> {
    // Seconds: as milliseconds they are a thousandth.
    let start = stamp(row.start)?.as_millis();
    let open_time = Timestamp::from_secs(start);
    if interval.open_time(open_time) != open_time {
        return Err(Ignored::Malformed);
    }
    Ok(Candle {
        instrument: instrument.id,
        interval,
        complete: true,
        open_time,
        open: price(row.open, instrument)?,
        high: price(row.high, instrument)?,
        low: price(row.low, instrument)?,
        close: price(row.close, instrument)?,
        volume: volume(row.volume)?,
    })
}
