//! Reads Bybit's frames. Pure, allocation-free for quotes, trades and candles, and defined for any bytes.

use tradewind_model::{
    Candle, Instrument, Interval, MarketEvent, Quote, Side, Timestamp, Trade, TradeId,
};

use crate::book::{Levels, Message, Step};
use crate::decimals::{best, digits, price, quantity, side, stamp, volume};
use crate::protocol::{Ignored, Incoming, Sequence, Topic};
use crate::symbols::SymbolTable;
use crate::wire::json::{Cursor, Malformed, Value, whole};

/// The channel of the best bid and ask: the whole of it every time. After 3 s of quiet it is said again.
pub(super) const QUOTES: &str = "orderbook.1";
/// The channel of trades.
pub(super) const TRADES: &str = "publicTrade";
/// The channel of the book: 50 levels a side, every 20 ms. The engine takes 20 of them.
pub(super) const BOOKS: &str = "orderbook.50";

/// Candle channels. There are none for a second, 8 hours or 3 days.
const CANDLES: [(Interval, &str); 12] = [
    (Interval::Minute1, "kline.1"),
    (Interval::Minute3, "kline.3"),
    (Interval::Minute5, "kline.5"),
    (Interval::Minute15, "kline.15"),
    (Interval::Minute30, "kline.30"),
    (Interval::Hour1, "kline.60"),
    (Interval::Hour2, "kline.120"),
    (Interval::Hour4, "kline.240"),
    (Interval::Hour6, "kline.360"),
    (Interval::Hour12, "kline.720"),
    (Interval::Day1, "kline.D"),
    (Interval::Week1, "kline.W"),
];

/// Whether the venue has candles of an interval.
pub(crate) fn has_candles(interval: Interval) -> bool {
    CANDLES.iter().any(|(listed, _)| *listed == interval)
}

/// The channel of an interval; one that the venue does not know where it has none.
pub(crate) fn candle_channel(interval: Interval) -> String {
    let mut all = CANDLES.iter();
    match all.find(|(listed, _)| *listed == interval) {
        Some((_, channel)) => (*channel).to_owned(),
        None => format!("kline.{interval}"),
    }
}

/// What a frame says, before its data is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// The answer to a ping.
    Pong,
    /// A request was granted.
    Granted {
        /// Its number, where it is given.
        request: Option<u64>,
    },
    /// A request was refused.
    Refused {
        /// Its number, where it is given.
        request: Option<u64>,
        /// The venue's words.
        message: &'a [u8],
    },
    /// Data.
    Data(Data<'a>),
    /// Nothing of use.
    Other,
}

/// The data of one channel and symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    channel: &'a [u8],
    symbol: &'a [u8],
    is_snapshot: Option<bool>,
    time: Option<Value<'a>>,
    /// An object or an array.
    body: &'a [u8],
}

impl Data<'_> {
    /// The venue's symbol.
    #[must_use]
    pub const fn symbol(&self) -> &[u8] {
        self.symbol
    }

    /// Whether it is about a book, which takes [`decode_book`].
    #[must_use]
    pub fn is_book(&self) -> bool {
        self.channel == BOOKS.as_bytes()
    }
}

/// Reads a frame's outermost fields.
///
/// # Errors
/// [`Ignored::Malformed`] for what cannot be read.
pub fn read(frame: &[u8]) -> Result<Said<'_>, Ignored> {
    let fields = fields(frame).map_err(|Malformed| Ignored::Malformed)?;
    let message = fields.message.unwrap_or_default();
    let request = fields.request;
    if let Some(topic) = fields.topic {
        let dot = topic.iter().rposition(|byte| *byte == b'.');
        let dot = dot.ok_or(Ignored::NoSymbol)?;
        return Ok(Said::Data(Data {
            channel: topic.get(..dot).unwrap_or_default(),
            symbol: topic.get(dot + 1..).unwrap_or_default(),
            is_snapshot: fields.is_snapshot,
            time: fields.matched.or(fields.sent),
            body: fields.body.ok_or(Ignored::Malformed)?,
        }));
    }
    Ok(match (fields.operation, fields.success) {
        (Some(b"pong"), _) => Said::Pong,
        (Some(b"ping"), Some(true)) => Said::Pong,
        (Some(b"subscribe" | b"unsubscribe"), Some(true)) => Said::Granted { request },
        (Some(b"subscribe" | b"unsubscribe" | b"") | None, Some(false)) => {
            Said::Refused { request, message }
        }
        _ => Said::Other,
    })
}

#[derive(Default)]
struct Fields<'a> {
    topic: Option<&'a [u8]>,
    is_snapshot: Option<bool>,
    /// When the frame was made.
    sent: Option<Value<'a>>,
    /// When the matching engine made the change.
    matched: Option<Value<'a>>,
    body: Option<&'a [u8]>,
    operation: Option<&'a [u8]>,
    success: Option<bool>,
    message: Option<&'a [u8]>,
    request: Option<u64>,
}

fn fields(frame: &[u8]) -> Result<Fields<'_>, Malformed> {
    let mut fields = Fields::default();
    let mut cursor = Cursor::new(frame);
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (b"data", Value::Object) => fields.body = Some(cursor.take()?),
            (_, Value::Object) => cursor.skip()?,
            (b"data", Value::Array(rows)) => fields.body = Some(rows),
            (b"topic", Value::Text(text)) => fields.topic = Some(text),
            (b"type", Value::Text(b"snapshot")) => fields.is_snapshot = Some(true),
            (b"type", Value::Text(b"delta")) => fields.is_snapshot = Some(false),
            (b"ts", value) => fields.sent = Some(value),
            (b"cts", value) => fields.matched = Some(value),
            (b"op", Value::Text(text)) => fields.operation = Some(text),
            (b"success", Value::True) => fields.success = Some(true),
            (b"success", Value::False) => fields.success = Some(false),
            (b"ret_msg", Value::Text(text)) => fields.message = Some(text),
            (b"req_id", Value::Text(text)) => fields.request = whole(text),
            _ => {}
        }
    }
    Ok(fields)
}

fn topic(channel: &[u8], instrument: &Instrument) -> Result<Topic, Ignored> {
    let id = instrument.id;
    if channel == QUOTES.as_bytes() {
        return Ok(Topic::Quotes(id));
    }
    if channel == TRADES.as_bytes() {
        return Ok(Topic::Trades(id));
    }
    let mut candles = CANDLES.iter();
    let found = candles.find(|(_, name)| name.as_bytes() == channel);
    found
        .map(|(interval, _)| Topic::Candles(id, *interval))
        .ok_or(Ignored::NotWanted)
}

/// Reads quotes, trades and candles; one answer for each row.
pub fn decode(
    data: &Data<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
    out: &mut impl FnMut(Incoming<MarketEvent>),
) {
    let read = || {
        let instrument = symbols.find(data.symbol).ok_or(Ignored::WrongSymbol)?;
        Ok((topic(data.channel, instrument)?, instrument))
    };
    let (topic, instrument) = match read() {
        Ok((Topic::Quotes(_), instrument)) => {
            let quote = quote(data, received_at, instrument);
            return out(quote.unwrap_or_else(|why| Incoming::Ignored(why.of_instrument())));
        }
        Ok(found) => found,
        Err(why) => return out(Incoming::Ignored(why)),
    };
    if data.body.first() != Some(&b'[') {
        return out(Incoming::Ignored(Ignored::Content));
    }
    let mut rows = Cursor::of_array(data.body);
    let mut last = None;
    loop {
        let event = match (rows.element(), topic) {
            (Ok(None), _) => return,
            (Ok(Some(Value::Object)), Topic::Trades(_)) => row(&mut rows)
                .and_then(|row| trade(&row, received_at, data.symbol, instrument, &mut last)),
            (Ok(Some(Value::Object)), Topic::Candles(_, interval)) => {
                row(&mut rows).and_then(|row| candle(&row, interval, instrument))
            }
            _ => return out(Incoming::Ignored(Ignored::Content)),
        };
        out(event.unwrap_or_else(|why| Incoming::Ignored(why.of_instrument())));
    }
}

/// Reads what a frame of the book says into `levels`.
///
/// # Errors
/// Why it cannot be used.
pub fn decode_book(
    data: &Data<'_>,
    instrument: &Instrument,
    levels: &mut Levels,
) -> Result<Message, Ignored> {
    levels.clear();
    let row = whole_row(data)?;
    side(row.bids, instrument, &mut levels.bids)?;
    side(row.asks, instrument, &mut levels.asks)?;
    let step = Step::Next {
        number: row.update.ok_or(Ignored::Malformed)?,
        cross: row.cross.unwrap_or(0),
    };
    match data.is_snapshot {
        Some(true) => Ok(Message::Snapshot(step)),
        Some(false) => Ok(Message::Update(step)),
        None => Err(Ignored::Malformed),
    }
}

/// The fields of every row; a key means different things in a book, a trade and a candle, but never two in one.
#[derive(Default)]
struct Row<'a> {
    symbol: Option<&'a [u8]>,
    bids: Option<&'a [u8]>,
    asks: Option<&'a [u8]>,
    update: Option<u64>,
    cross: Option<u64>,
    traded_at: Option<Value<'a>>,
    side: Option<&'a [u8]>,
    size: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    trade: Option<&'a [u8]>,
    start: Option<Value<'a>>,
    open: Option<&'a [u8]>,
    high: Option<&'a [u8]>,
    low: Option<&'a [u8]>,
    close: Option<&'a [u8]>,
    volume: Option<&'a [u8]>,
    is_closed: Option<bool>,
}

fn row<'a>(cursor: &mut Cursor<'a>) -> Result<Row<'a>, Ignored> {
    row_fields(cursor).map_err(|Malformed| Ignored::Malformed)
}

/// The row of data that is one object and belongs to the symbol of its channel.
fn whole_row<'a>(data: &Data<'a>) -> Result<Row<'a>, Ignored> {
    let row = row(&mut Cursor::new(data.body))?;
    match row.symbol {
        None => Err(Ignored::NoSymbol),
        Some(symbol) if symbol != data.symbol => Err(Ignored::WrongSymbol),
        Some(_) => Ok(row),
    }
}

fn row_fields<'a>(cursor: &mut Cursor<'a>) -> Result<Row<'a>, Malformed> {
    let mut row = Row::default();
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (_, Value::Object) => cursor.skip()?,
            (b"s", Value::Text(text)) => row.symbol = Some(text),
            (b"b", Value::Array(array)) => row.bids = Some(array),
            (b"a", Value::Array(array)) => row.asks = Some(array),
            (b"u", Value::Number(number)) => row.update = whole(number),
            (b"seq", Value::Number(number)) => row.cross = whole(number),
            (b"T", value) => row.traded_at = Some(value),
            (b"S", Value::Text(text)) => row.side = Some(text),
            (b"v", Value::Text(text)) => row.size = Some(text),
            (b"p", Value::Text(text)) => row.price = Some(text),
            (b"i", Value::Text(text)) => row.trade = Some(text),
            (b"start", value) => row.start = Some(value),
            (b"open", Value::Text(text)) => row.open = Some(text),
            (b"high", Value::Text(text)) => row.high = Some(text),
            (b"low", Value::Text(text)) => row.low = Some(text),
            (b"close", Value::Text(text)) => row.close = Some(text),
            (b"volume", Value::Text(text)) => row.volume = Some(text),
            (b"confirm", Value::True) => row.is_closed = Some(true),
            (b"confirm", Value::False) => row.is_closed = Some(false),
            _ => {}
        }
    }
    Ok(row)
}

/// A book without a bid or without an ask is no quote; neither is a change, which spot's top of the book never sends.
fn quote(
    data: &Data<'_>,
    received_at: Timestamp,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    if data.is_snapshot != Some(true) {
        return Err(Ignored::NotWanted);
    }
    let row = whole_row(data)?;
    let (bid, ask) = (best(row.bids, instrument)?, best(row.asks, instrument)?);
    Ok(Incoming::Event {
        topic: Topic::Quotes(instrument.id),
        sequence: row.update.map(Sequence::Increasing),
        event: MarketEvent::Quote(Quote {
            instrument: instrument.id,
            bid: bid.price,
            ask: ask.price,
            bid_quantity: bid.quantity,
            ask_quantity: ask.quantity,
            event_time: Some(stamp(data.time)?),
            received_at,
        }),
    })
}

/// `last` is the number of the trade before it in the message: numbers that do not grow there say nothing about order.
fn trade(
    row: &Row<'_>,
    received_at: Timestamp,
    symbol: &[u8],
    instrument: &Instrument,
    last: &mut Option<u64>,
) -> Result<Incoming<MarketEvent>, Ignored> {
    if row.symbol.ok_or(Ignored::NoSymbol)? != symbol {
        return Err(Ignored::WrongSymbol);
    }
    let (id, number) = trade_id(row.trade.ok_or(Ignored::Malformed)?)?;
    let sequence = number.filter(|number| last.is_none_or(|last| last < *number));
    *last = number.max(*last);
    let taker = match row.side {
        Some(b"Buy") => Side::Buy,
        Some(b"Sell") => Side::Sell,
        _ => return Err(Ignored::Malformed),
    };
    Ok(Incoming::Event {
        topic: Topic::Trades(instrument.id),
        sequence: sequence.map(Sequence::Increasing),
        event: MarketEvent::Trade(Trade {
            instrument: instrument.id,
            taker,
            id,
            price: price(row.price, instrument)?,
            quantity: quantity(row.size, instrument)?,
            event_time: Some(stamp(row.traded_at)?),
            received_at,
        }),
    })
}

/// A trade's id is a number on spot. Elsewhere it is 32 hexadecimal digits, of which the first 16 are kept; those say nothing
/// about order.
fn trade_id(text: &[u8]) -> Result<(TradeId, Option<u64>), Ignored> {
    if let Some(number) = whole(text) {
        return Ok((TradeId(number), Some(number)));
    }
    let mut digits = text.iter().filter(|byte| **byte != b'-');
    let mut id = 0_u64;
    for _ in 0..16 {
        let digit = digits
            .next()
            .and_then(|byte| char::from(*byte).to_digit(16));
        id = id << 4 | u64::from(digit.ok_or(Ignored::Malformed)?);
    }
    Ok((TradeId(id), None))
}

fn candle(
    row: &Row<'_>,
    interval: Interval,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let topic = Topic::Candles(instrument.id, interval);
    match row.is_closed {
        Some(true) => {}
        Some(false) => return Ok(Incoming::Alive { topic }),
        None => return Err(Ignored::Malformed),
    }
    let cells = [row.open, row.high, row.low, row.close, row.volume];
    let candle = closed_candle(row.start, cells, interval, instrument)?;
    let number = row.start.and_then(digits).and_then(whole);
    Ok(Incoming::Event {
        topic,
        sequence: number.map(Sequence::Increasing),
        event: MarketEvent::Candle(candle),
    })
}

/// A candle from its start and its open, high, low, close and volume.
pub(super) fn closed_candle(
    start: Option<Value<'_>>,
    [open, high, low, close, traded]: [Option<&[u8]>; 5],
    interval: Interval,
    instrument: &Instrument,
) -> Result<Candle, Ignored> {
    let open_time = stamp(start)?;
    if interval.open_time(open_time) != open_time {
        return Err(Ignored::Malformed);
    }
    Ok(Candle {
        instrument: instrument.id,
        interval,
        complete: true,
        open_time,
        open: price(open, instrument)?,
        high: price(high, instrument)?,
        low: price(low, instrument)?,
        close: price(close, instrument)?,
        volume: volume(traded)?,
    })
}
