//! Reads OKX's frames. Pure, allocation-free for quotes, trades and candles, and defined for any bytes.

use tradewind_model::{
    Candle, Instrument, Interval, MarketEvent, Quote, Side, Timestamp, Trade, TradeId,
};

use crate::book::{Levels, Message, Step};
use crate::decimals::{best, digits, price, quantity, side, stamp, volume};
use crate::protocol::{Ignored, Incoming, Sequence, Topic};
use crate::symbols::SymbolTable;
use crate::wire::json::{Cursor, Malformed, Value, whole};

/// The channel of the best bid and ask.
pub(super) const QUOTES: &str = "bbo-tbt";
/// The channel of trades.
pub(super) const TRADES: &str = "trades";
/// The channel of the book: 400 levels a side, every 100 ms.
pub(super) const BOOKS: &str = "books";

/// Candle channels aligned to UTC. There is none for 8 hours; where the one for 3 days begins is not documented.
const CANDLES: [(Interval, &str); 13] = [
    (Interval::Second1, "candle1s"),
    (Interval::Minute1, "candle1m"),
    (Interval::Minute3, "candle3m"),
    (Interval::Minute5, "candle5m"),
    (Interval::Minute15, "candle15m"),
    (Interval::Minute30, "candle30m"),
    (Interval::Hour1, "candle1H"),
    (Interval::Hour2, "candle2H"),
    (Interval::Hour4, "candle4H"),
    (Interval::Hour6, "candle6Hutc"),
    (Interval::Hour12, "candle12Hutc"),
    (Interval::Day1, "candle1Dutc"),
    (Interval::Week1, "candle1Wutc"),
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
        None => format!("candle{interval}"),
    }
}

/// What a frame says, before its data is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// The answer to a ping.
    Pong,
    /// A subscription or its end was granted.
    Granted {
        /// Of which channel.
        channel: &'a [u8],
        /// Of which symbol.
        symbol: &'a [u8],
    },
    /// A request was refused.
    Refused {
        /// Its number, where it is given.
        request: Option<u64>,
        /// The venue's code.
        code: &'a [u8],
        /// The venue's words.
        message: &'a [u8],
    },
    /// The connection will be closed for an upgrade.
    ClosingSoon,
    /// Data.
    Data(Data<'a>),
    /// Nothing of use.
    Other,
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

/// The data of one channel and symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    channel: &'a [u8],
    symbol: &'a [u8],
    action: Option<&'a [u8]>,
    rows: &'a [u8],
}

/// Reads a frame's outermost fields.
///
/// # Errors
/// [`Ignored::Malformed`] for what cannot be read.
pub fn read(frame: &[u8]) -> Result<Said<'_>, Ignored> {
    if frame == b"pong" {
        return Ok(Said::Pong);
    }
    let fields = fields(frame).map_err(|Malformed| Ignored::Malformed)?;
    Ok(match fields.event {
        Some(b"subscribe" | b"unsubscribe") => Said::Granted {
            channel: fields.channel.ok_or(Ignored::Malformed)?,
            symbol: fields.symbol.ok_or(Ignored::NoSymbol)?,
        },
        Some(b"error" | b"channel-conn-count-error") => Said::Refused {
            request: fields.request,
            code: fields.code.unwrap_or_default(),
            message: fields.message.unwrap_or_default(),
        },
        Some(b"notice") => Said::ClosingSoon,
        Some(_) => Said::Other,
        None => match fields.rows {
            Some(rows) => Said::Data(Data {
                channel: fields.channel.ok_or(Ignored::NotWanted)?,
                symbol: fields.symbol.ok_or(Ignored::NoSymbol)?,
                action: fields.action,
                rows,
            }),
            None => Said::Other,
        },
    })
}

#[derive(Default)]
struct Fields<'a> {
    event: Option<&'a [u8]>,
    channel: Option<&'a [u8]>,
    symbol: Option<&'a [u8]>,
    action: Option<&'a [u8]>,
    request: Option<u64>,
    code: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
    rows: Option<&'a [u8]>,
}

fn fields(frame: &[u8]) -> Result<Fields<'_>, Malformed> {
    let mut fields = Fields::default();
    let mut cursor = Cursor::new(frame);
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (b"arg", Value::Object) => {
                cursor.enter()?;
                while let Some(key) = cursor.key()? {
                    match (key, cursor.value()?) {
                        (b"channel", Value::Text(text)) => fields.channel = Some(text),
                        (b"instId", Value::Text(text)) => fields.symbol = Some(text),
                        (_, Value::Object) => cursor.skip()?,
                        _ => {}
                    }
                }
            }
            (_, Value::Object) => cursor.skip()?,
            (b"event", Value::Text(text)) => fields.event = Some(text),
            (b"action", Value::Text(text)) => fields.action = Some(text),
            (b"id", Value::Text(text)) => fields.request = whole(text),
            (b"code", Value::Text(text)) => fields.code = Some(text),
            (b"msg", Value::Text(text)) => fields.message = Some(text),
            (b"data", Value::Array(rows)) => fields.rows = Some(rows),
            _ => {}
        }
    }
    Ok(fields)
}

/// The topic of a channel and a symbol.
///
/// # Errors
/// Why it is none of ours.
pub(super) fn topic(channel: &[u8], instrument: &Instrument) -> Result<Topic, Ignored> {
    let id = instrument.id;
    if channel == QUOTES.as_bytes() {
        return Ok(Topic::Quotes(id));
    }
    if channel == TRADES.as_bytes() {
        return Ok(Topic::Trades(id));
    }
    if channel == BOOKS.as_bytes() {
        return Ok(Topic::Depth(id));
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
        Ok((Topic::Depth(_) | Topic::Account(_), _)) => {
            return out(Incoming::Ignored(Ignored::NotWanted));
        }
        Ok(found) => found,
        Err(why) => return out(Incoming::Ignored(why)),
    };
    let mut rows = Cursor::of_array(data.rows);
    loop {
        let event = match (rows.element(), topic) {
            (Ok(None), _) => return,
            (Ok(Some(Value::Object)), Topic::Quotes(_)) => {
                row(&mut rows).and_then(|row| quote(&row, received_at, instrument))
            }
            (Ok(Some(Value::Object)), Topic::Trades(_)) => {
                row(&mut rows).and_then(|row| trade(&row, received_at, data.symbol, instrument))
            }
            (Ok(Some(Value::Array(row))), Topic::Candles(_, interval)) => {
                candle(row, interval, instrument)
            }
            _ => return out(Incoming::Ignored(Ignored::Content)),
        };
        out(event.unwrap_or_else(|why| Incoming::Ignored(why.of_instrument())));
    }
}

/// Reads what a frame of the book says into `levels`; more than one row is not what the venue sends.
///
/// # Errors
/// Why it cannot be used.
pub fn decode_book(
    data: &Data<'_>,
    instrument: &Instrument,
    levels: &mut Levels,
) -> Result<Message, Ignored> {
    levels.clear();
    let mut rows = Cursor::of_array(data.rows);
    let Ok(Some(Value::Object)) = rows.element() else {
        return Err(Ignored::Malformed);
    };
    let row = row(&mut rows)?;
    side(row.bids, instrument, &mut levels.bids)?;
    side(row.asks, instrument, &mut levels.asks)?;
    let step = Step::After {
        previous: row.previous.ok_or(Ignored::Malformed)?,
        this: row.sequence.ok_or(Ignored::Malformed)?,
    };
    if rows.element() != Ok(None) {
        return Err(Ignored::Malformed);
    }
    match data.action {
        Some(b"snapshot") => Ok(Message::Snapshot(step)),
        Some(b"update") => Ok(Message::Update(step)),
        _ => Err(Ignored::Malformed),
    }
}

/// The fields of a row that is an object.
#[derive(Default)]
struct Row<'a> {
    symbol: Option<&'a [u8]>,
    bids: Option<&'a [u8]>,
    asks: Option<&'a [u8]>,
    time: Option<Value<'a>>,
    sequence: Option<i64>,
    previous: Option<i64>,
    trade: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    size: Option<&'a [u8]>,
    side: Option<&'a [u8]>,
}

fn row<'a>(cursor: &mut Cursor<'a>) -> Result<Row<'a>, Ignored> {
    row_fields(cursor).map_err(|Malformed| Ignored::Malformed)
}

fn row_fields<'a>(cursor: &mut Cursor<'a>) -> Result<Row<'a>, Malformed> {
    let mut row = Row::default();
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (_, Value::Object) => cursor.skip()?,
            (b"asks", Value::Array(array)) => row.asks = Some(array),
            (b"bids", Value::Array(array)) => row.bids = Some(array),
            (b"ts", value) => row.time = Some(value),
            (b"seqId", Value::Number(number)) => row.sequence = signed(number),
            (b"prevSeqId", Value::Number(number)) => row.previous = signed(number),
            (b"instId", Value::Text(text)) => row.symbol = Some(text),
            (b"tradeId", Value::Text(text)) => row.trade = Some(text),
            (b"px", Value::Text(text)) => row.price = Some(text),
            (b"sz", Value::Text(text)) => row.size = Some(text),
            (b"side", Value::Text(text)) => row.side = Some(text),
            _ => {}
        }
    }
    Ok(row)
}

/// A whole number that may be negative.
fn signed(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        digits => (1, digits),
    };
    i64::try_from(whole(digits)?).ok()?.checked_mul(sign)
}

/// A book without a bid or without an ask is no quote.
fn quote(
    row: &Row<'_>,
    received_at: Timestamp,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let (bid, ask) = (best(row.bids, instrument)?, best(row.asks, instrument)?);
    let number = row.sequence.and_then(|number| u64::try_from(number).ok());
    Ok(Incoming::Event {
        topic: Topic::Quotes(instrument.id),
        sequence: number.map(Sequence::Increasing),
        event: MarketEvent::Quote(Quote {
            instrument: instrument.id,
            bid: bid.price,
            ask: ask.price,
            bid_quantity: bid.quantity,
            ask_quantity: ask.quantity,
            event_time: Some(stamp(row.time)?),
            received_at,
        }),
    })
}

/// The venue puts trades of one taker at one price together and gives the number of the last: numbers grow, with holes.
fn trade(
    row: &Row<'_>,
    received_at: Timestamp,
    symbol: &[u8],
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    if row.symbol.ok_or(Ignored::NoSymbol)? != symbol {
        return Err(Ignored::WrongSymbol);
    }
    let id = row.trade.and_then(whole).ok_or(Ignored::Malformed)?;
    let taker = match row.side {
        Some(b"buy") => Side::Buy,
        Some(b"sell") => Side::Sell,
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
            event_time: Some(stamp(row.time)?),
            received_at,
        }),
    })
}

/// `[ts, open, high, low, close, volume in base, …, "1" once it is closed]`.
pub(super) fn candle(
    row: &[u8],
    interval: Interval,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let mut cursor = Cursor::of_array(row);
    let mut cells = [None; 9];
    for cell in &mut cells {
        *cell = match cursor.element() {
            Ok(Some(value)) => digits(value),
            _ => return Err(Ignored::Malformed),
        };
    }
    let [time, open, high, low, close, traded, _, _, confirmed] = cells;
    let topic = Topic::Candles(instrument.id, interval);
    match confirmed {
        Some(b"1") => {}
        Some(b"0") => return Ok(Incoming::Alive { topic }),
        _ => return Err(Ignored::Malformed),
    }
    let open_time = stamp(time.map(Value::Text))?;
    if interval.open_time(open_time) != open_time {
        return Err(Ignored::Malformed);
    }
    let number = time.and_then(whole).ok_or(Ignored::Malformed)?;
    Ok(Incoming::Event {
        topic,
        sequence: Some(Sequence::Increasing(number)),
        event: MarketEvent::Candle(Candle {
            instrument: instrument.id,
            interval,
            complete: true,
            open_time,
            open: price(open, instrument)?,
            high: price(high, instrument)?,
            low: price(low, instrument)?,
            close: price(close, instrument)?,
            volume: volume(traded)?,
        }),
    })
}
