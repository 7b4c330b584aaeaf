//! Reads Kraken's frames. Pure, allocation-free for quotes, trades and candles, and defined for any bytes.
//!
//! Prices and sizes are JSON numbers; they are read from their digits, never through a float.

use tradewind_model::{
    Candle, Instrument, Interval, Level, MarketEvent, Price, Quantity, Quote, Side, Timestamp,
    Trade, TradeId,
};

use crate::book::{Levels, Message, Step};
use crate::decimals::{digits, plain, price, quantity, rfc3339, volume};
use crate::open_candles::OpenCandles;
use crate::protocol::{Ignored, Incoming, Sequence, Topic};
use crate::symbols::SymbolTable;
use crate::wire::json::{Cursor, Malformed, Value, whole};

/// The intervals that the venue has, by their minutes.
const MINUTES: [(Interval, u64); 8] = [
    (Interval::Minute1, 1),
    (Interval::Minute5, 5),
    (Interval::Minute15, 15),
    (Interval::Minute30, 30),
    (Interval::Hour1, 60),
    (Interval::Hour4, 240),
    (Interval::Day1, 1_440),
    (Interval::Week1, 10_080),
];

/// Whether the venue has candles of an interval.
pub(crate) fn has_candles(interval: Interval) -> bool {
    MINUTES.iter().any(|(listed, _)| *listed == interval)
}

fn interval(minutes: u64) -> Option<Interval> {
    let mut all = MINUTES.iter();
    let (interval, _) = all.find(|(_, listed)| *listed == minutes)?;
    Some(*interval)
}

/// What a frame says, before its data is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said<'a> {
    /// A sign of life: the answer to a ping, or a heartbeat.
    Alive,
    /// One topic was granted or given back.
    Granted {
        /// The channel.
        channel: &'a [u8],
        /// The symbol.
        symbol: &'a [u8],
        /// The minutes of a candle.
        minutes: Option<u64>,
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

/// The data of one channel; each row names its symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    channel: &'a [u8],
    is_snapshot: Option<bool>,
    rows: &'a [u8],
}

impl Data<'_> {
    /// Whether it is about a book, which takes [`decode_book`].
    #[must_use]
    pub fn is_book(&self) -> bool {
        self.channel == b"book"
    }
}

/// Reads a frame's outermost fields.
///
/// # Errors
/// [`Ignored::Malformed`] for what cannot be read.
pub fn read(frame: &[u8]) -> Result<Said<'_>, Ignored> {
    let fields = fields(frame).map_err(|Malformed| Ignored::Malformed)?;
    Ok(match (fields.method, fields.success) {
        (Some(b"pong"), _) => Said::Alive,
        (Some(b"subscribe" | b"unsubscribe"), Some(true)) => Said::Granted {
            channel: fields.granted.ok_or(Ignored::Malformed)?,
            symbol: fields.symbol.ok_or(Ignored::NoSymbol)?,
            minutes: fields.minutes,
        },
        (_, Some(false)) => Said::Refused {
            request: fields.request,
            message: fields.error.unwrap_or_default(),
        },
        // A request that cannot be read is answered without a method.
        (None, None) if fields.error.is_some() => Said::Refused {
            request: fields.request,
            message: fields.error.unwrap_or_default(),
        },
        (None, None) => match (fields.channel, fields.rows) {
            (Some(b"heartbeat"), _) => Said::Alive,
            (Some(channel), Some(rows)) => Said::Data(Data {
                channel,
                is_snapshot: fields.is_snapshot,
                rows,
            }),
            _ => Said::Other,
        },
        _ => Said::Other,
    })
}

#[derive(Default)]
struct Fields<'a> {
    method: Option<&'a [u8]>,
    success: Option<bool>,
    error: Option<&'a [u8]>,
    request: Option<u64>,
    granted: Option<&'a [u8]>,
    symbol: Option<&'a [u8]>,
    minutes: Option<u64>,
    channel: Option<&'a [u8]>,
    is_snapshot: Option<bool>,
    rows: Option<&'a [u8]>,
}

fn fields(frame: &[u8]) -> Result<Fields<'_>, Malformed> {
    let mut fields = Fields::default();
    let mut cursor = Cursor::new(frame);
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (b"result", Value::Object) => {
                cursor.enter()?;
                while let Some(key) = cursor.key()? {
                    match (key, cursor.value()?) {
                        (_, Value::Object) => cursor.skip()?,
                        (b"channel", Value::Text(text)) => fields.granted = Some(text),
                        (b"symbol", Value::Text(text)) => fields.symbol = Some(text),
                        (b"interval", Value::Number(number)) => fields.minutes = whole(number),
                        _ => {}
                    }
                }
            }
            (_, Value::Object) => cursor.skip()?,
            (b"method", Value::Text(text)) => fields.method = Some(text),
            (b"success", Value::True) => fields.success = Some(true),
            (b"success", Value::False) => fields.success = Some(false),
            (b"error", Value::Text(text)) => fields.error = Some(text),
            (b"req_id", Value::Number(number)) => fields.request = whole(number),
            (b"channel", Value::Text(text)) => fields.channel = Some(text),
            (b"type", Value::Text(b"snapshot")) => fields.is_snapshot = Some(true),
            (b"type", Value::Text(b"update")) => fields.is_snapshot = Some(false),
            (b"data", Value::Array(rows)) => fields.rows = Some(rows),
            _ => {}
        }
    }
    Ok(fields)
}

/// The topic of a channel and an instrument.
pub(super) fn topic(
    channel: &[u8],
    minutes: Option<u64>,
    instrument: &Instrument,
) -> Result<Topic, Ignored> {
    let id = instrument.id;
    match channel {
        b"ticker" => Ok(Topic::Quotes(id)),
        b"trade" => Ok(Topic::Trades(id)),
        b"book" => Ok(Topic::Depth(id)),
        b"ohlc" => minutes
            .and_then(interval)
            .map(|interval| Topic::Candles(id, interval))
            .ok_or(Ignored::NotWanted),
        _ => Err(Ignored::NotWanted),
    }
}

/// Reads quotes, trades and candles; one answer for each row.
pub fn decode(
    data: &Data<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
    candles: &mut OpenCandles,
    out: &mut impl FnMut(Incoming<MarketEvent>),
) {
    let mut rows = Cursor::of_array(data.rows);
    loop {
        match rows.element() {
            Ok(None) => return,
            Ok(Some(Value::Object)) => {}
            _ => return out(Incoming::Ignored(Ignored::Malformed)),
        }
        let Ok(row) = row(&mut rows) else {
            return out(Incoming::Ignored(Ignored::Malformed));
        };
        let said = event(data.channel, &row, received_at, symbols, candles);
        out(said.unwrap_or_else(Incoming::Ignored));
    }
}

fn event(
    channel: &[u8],
    row: &Row<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
    candles: &mut OpenCandles,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let instrument = row.instrument(symbols)?;
    let read = of_instrument(channel, row, received_at, instrument, candles);
    read.map_err(Ignored::of_instrument)
}

fn of_instrument(
    channel: &[u8],
    row: &Row<'_>,
    received_at: Timestamp,
    instrument: &Instrument,
    candles: &mut OpenCandles,
) -> Result<Incoming<MarketEvent>, Ignored> {
    match topic(channel, row.minutes, instrument)? {
        Topic::Quotes(_) => quote(row, received_at, instrument),
        Topic::Trades(_) => trade(row, received_at, instrument),
        topic @ Topic::Candles(_, interval) => {
            let candle = candle(row, interval, instrument)?;
            Ok(match candles.take(candle) {
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

/// Reads what a frame of the book says into `levels`, and whose book it is; more than one row is not what the venue sends.
///
/// # Errors
/// Why it cannot be used, and whose book it is, if that is known.
pub fn decode_book<'t>(
    data: &Data<'_>,
    symbols: &'t SymbolTable,
    levels: &mut Levels,
) -> Result<(&'t Instrument, Message), (Option<&'t Instrument>, Ignored)> {
    levels.clear();
    let mut rows = Cursor::of_array(data.rows);
    let Ok(Some(Value::Object)) = rows.element() else {
        return Err((None, Ignored::Malformed));
    };
    let row = row(&mut rows).map_err(|Malformed| (None, Ignored::Malformed))?;
    let instrument = row.instrument(symbols).map_err(|why| (None, why))?;
    let is_alone = rows.element() == Ok(None);
    let mut read = || {
        side(row.bids, instrument, &mut levels.bids)?;
        side(row.asks, instrument, &mut levels.asks)?;
        let checksum = row.checksum.ok_or(Ignored::Malformed)?;
        let at = row.time.and_then(rfc3339);
        let finer = symbols.finer(instrument);
        let step = Step::Checked {
            checksum,
            at,
            finer,
        };
        match data.is_snapshot {
            Some(true) if is_alone => Ok(Message::Snapshot(step)),
            Some(false) if is_alone => Ok(Message::Update(step)),
            _ => Err(Ignored::Malformed),
        }
    };
    match read() {
        Ok(message) => Ok((instrument, message)),
        Err(why) => Err((Some(instrument), why)),
    }
}

/// The fields of every row.
#[derive(Default)]
struct Row<'a> {
    symbol: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
    bids: Option<&'a [u8]>,
    asks: Option<&'a [u8]>,
    checksum: Option<u32>,
    bid: Option<&'a [u8]>,
    bid_size: Option<&'a [u8]>,
    ask: Option<&'a [u8]>,
    ask_size: Option<&'a [u8]>,
    side: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    size: Option<&'a [u8]>,
    trade: Option<u64>,
    minutes: Option<u64>,
    begin: Option<&'a [u8]>,
    open: Option<&'a [u8]>,
    high: Option<&'a [u8]>,
    low: Option<&'a [u8]>,
    close: Option<&'a [u8]>,
    volume: Option<&'a [u8]>,
}

impl Row<'_> {
    fn instrument<'t>(&self, symbols: &'t SymbolTable) -> Result<&'t Instrument, Ignored> {
        let symbol = self.symbol.ok_or(Ignored::NoSymbol)?;
        symbols.find(symbol).ok_or(Ignored::WrongSymbol)
    }
}

fn row<'a>(cursor: &mut Cursor<'a>) -> Result<Row<'a>, Malformed> {
    let mut row = Row::default();
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (_, Value::Object) => cursor.skip()?,
            (b"symbol", Value::Text(text)) => row.symbol = Some(text),
            (b"timestamp", Value::Text(text)) => row.time = Some(text),
            (b"bids", Value::Array(array)) => row.bids = Some(array),
            (b"asks", Value::Array(array)) => row.asks = Some(array),
            (b"side", Value::Text(text)) => row.side = Some(text),
            (b"interval_begin", Value::Text(text)) => row.begin = Some(text),
            (b"checksum", Value::Number(number)) => {
                row.checksum = whole(number).and_then(|number| u32::try_from(number).ok());
            }
            (b"trade_id", Value::Number(number)) => row.trade = whole(number),
            (b"interval", Value::Number(number)) => row.minutes = whole(number),
            (b"bid", value) => row.bid = digits(value),
            (b"bid_qty", value) => row.bid_size = digits(value),
            (b"ask", value) => row.ask = digits(value),
            (b"ask_qty", value) => row.ask_size = digits(value),
            (b"price", value) => row.price = digits(value),
            (b"qty", value) => row.size = digits(value),
            (b"open", value) => row.open = digits(value),
            (b"high", value) => row.high = digits(value),
            (b"low", value) => row.low = digits(value),
            (b"close", value) => row.close = digits(value),
            (b"volume", value) => row.volume = digits(value),
            _ => {}
        }
    }
    Ok(row)
}

fn exact_price(text: Option<&[u8]>, instrument: &Instrument) -> Result<Price, Ignored> {
    let mut space = [0; 64];
    price(text.and_then(|text| plain(text, &mut space)), instrument)
}

fn exact_quantity(text: Option<&[u8]>, instrument: &Instrument) -> Result<Quantity, Ignored> {
    let mut space = [0; 64];
    quantity(text.and_then(|text| plain(text, &mut space)), instrument)
}

fn moment(text: Option<&[u8]>) -> Result<Timestamp, Ignored> {
    text.and_then(rfc3339).ok_or(Ignored::Malformed)
}

/// The venue gives quotes no number.
fn quote(
    row: &Row<'_>,
    received_at: Timestamp,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    Ok(Incoming::Event {
        topic: Topic::Quotes(instrument.id),
        sequence: None,
        event: MarketEvent::Quote(Quote {
            instrument: instrument.id,
            bid: exact_price(row.bid, instrument)?,
            ask: exact_price(row.ask, instrument)?,
            bid_quantity: exact_quantity(row.bid_size, instrument)?,
            ask_quantity: exact_quantity(row.ask_size, instrument)?,
            event_time: row.time.and_then(rfc3339),
            received_at,
        }),
    })
}

fn trade(
    row: &Row<'_>,
    received_at: Timestamp,
    instrument: &Instrument,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let id = row.trade.ok_or(Ignored::Malformed)?;
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
            price: exact_price(row.price, instrument)?,
            quantity: exact_quantity(row.size, instrument)?,
            event_time: Some(moment(row.time)?),
            received_at,
        }),
    })
}

fn candle(row: &Row<'_>, interval: Interval, instrument: &Instrument) -> Result<Candle, Ignored> {
    let open_time = moment(row.begin)?;
    if interval.open_time(open_time) != open_time {
        return Err(Ignored::Malformed);
    }
    let mut space = [0; 64];
    Ok(Candle {
        instrument: instrument.id,
        interval,
        complete: true,
        open_time,
        open: exact_price(row.open, instrument)?,
        high: exact_price(row.high, instrument)?,
        low: exact_price(row.low, instrument)?,
        close: exact_price(row.close, instrument)?,
        volume: volume(row.volume.and_then(|text| plain(text, &mut space)))?,
    })
}

/// `[{"price": …, "qty": …}, …]`.
fn side(
    array: Option<&[u8]>,
    instrument: &Instrument,
    levels: &mut Vec<Level>,
) -> Result<(), Ignored> {
    let mut cursor = Cursor::of_array(array.ok_or(Ignored::Malformed)?);
    loop {
        match cursor.element() {
            Ok(Some(Value::Object)) => {
                let row = row(&mut cursor).map_err(|Malformed| Ignored::Malformed)?;
                levels.push(Level {
                    price: exact_price(row.price, instrument)?,
                    quantity: exact_quantity(row.size, instrument)?,
                });
            }
            Ok(None) => return Ok(()),
            Ok(Some(_)) | Err(Malformed) => return Err(Ignored::Malformed),
        }
    }
}
