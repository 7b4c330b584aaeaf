//! Reads frames of the market streams. Pure, allocation-free for quotes, trades and candles, and defined for any bytes.
//!
//! Book tickers and trades become events straight from the borrowed text; a candle only when it has closed; a partial
//! book becomes the top of the book. A frame without a symbol, or with another symbol than its stream's, is ignored.
//! Source: web-socket-streams.md of the venue's documentation, July 2026.

use tradewind_model::{
    Amount, Candle, Depth, Instrument, InstrumentId, Interval, Level, MarketEvent, Quote, Side,
    Timestamp, Trade, TradeId, parse_fixed,
};

use crate::book::{Levels, SHOWN};
use crate::decimals::{instant, price, quantity};
use crate::error::cut;
use crate::protocol::{Ignored, Incoming, Sequence, Topic};
use crate::symbols::SymbolTable;
use crate::wire::json::{Cursor, Malformed, Pairs, Value, whole};

/// A change of a book, in the form of the diff stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookUpdate {
    /// Whose book.
    pub instrument: InstrumentId,
    /// First update it covers.
    pub first: u64,
    /// Last update it covers; the next message starts one later.
    pub last: u64,
    /// Changed bids; quantity 0 removes the level.
    pub bids: Vec<Level>,
    /// Changed asks.
    pub asks: Vec<Level>,
}

/// Reads one frame, raw or combined, and classifies it.
pub fn decode(
    frame: &[u8],
    received_at: Timestamp,
    symbols: &SymbolTable,
    out: &mut impl FnMut(Incoming<MarketEvent>),
) {
    let Ok(fields) = read(frame) else {
        return out(Incoming::Ignored(Ignored::Malformed));
    };
    let said = understand(&fields, received_at, symbols);
    out(said.unwrap_or_else(|why| fields.ignored(symbols, why)));
}

/// The same, for a connection that keeps books by their changes: a frame of the diff depth stream comes back.
pub(super) fn decode_or_update(
    frame: &[u8],
    received_at: Timestamp,
    symbols: &SymbolTable,
    out: &mut impl FnMut(Incoming<MarketEvent>),
) -> Option<BookUpdate> {
    let Ok(fields) = read(frame) else {
        out(Incoming::Ignored(Ignored::Malformed));
        return None;
    };
    let said = match fields.kind {
        Some(b"depthUpdate") => match book_update(&fields, symbols) {
            Ok(update) => return Some(update),
            Err(why) => Err(why),
        },
        _ => understand(&fields, received_at, symbols),
    };
    out(said.unwrap_or_else(|why| fields.ignored(symbols, why)));
    None
}

/// Reads one frame of the diff depth stream, for a book kept from a snapshot and its changes.
///
/// # Errors
/// Why it is none of ours.
pub fn decode_book_update(frame: &[u8], symbols: &SymbolTable) -> Result<BookUpdate, Ignored> {
    let fields = read(frame).map_err(|Malformed| Ignored::Malformed)?;
    if fields.kind != Some(b"depthUpdate") {
        return Err(Ignored::NotWanted);
    }
    book_update(&fields, symbols)
}

fn book_update(fields: &Fields<'_>, symbols: &SymbolTable) -> Result<BookUpdate, Ignored> {
    let instrument = fields.instrument(symbols)?;
    Ok(BookUpdate {
        instrument: instrument.id,
        first: fields.first_update.ok_or(Ignored::Malformed)?,
        last: fields.update.ok_or(Ignored::Malformed)?,
        bids: levels(fields.bid, instrument, usize::MAX)?,
        asks: levels(fields.ask, instrument, usize::MAX)?,
    })
}

/// Reads the whole book as the REST interface gives it, `GET /api/v3/depth`, into `levels`; the last update in it.
///
/// # Errors
/// [`Ignored::Malformed`] if it is none.
pub fn decode_book_snapshot(
    body: &[u8],
    instrument: &Instrument,
    levels: &mut Levels,
) -> Result<u64, Ignored> {
    let fields = read(body).map_err(|Malformed| Ignored::Malformed)?;
    levels.bids = self::levels(fields.bid, instrument, usize::MAX)?;
    levels.asks = self::levels(fields.ask, instrument, usize::MAX)?;
    fields.last_update.ok_or(Ignored::Malformed)
}

/// Every field of every frame we know, borrowed. The fields that are present decide the kind of the frame.
#[derive(Default)]
struct Fields<'a> {
    stream: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    symbol: Option<&'a [u8]>,
    update: Option<u64>,
    first_update: Option<u64>,
    last_update: Option<u64>,
    bid: Option<Value<'a>>,
    bid_quantity: Option<&'a [u8]>,
    ask: Option<Value<'a>>,
    ask_quantity: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    quantity: Option<&'a [u8]>,
    trade: Option<u64>,
    time: Option<u64>,
    buyer_is_maker: Option<bool>,
    candle: Option<CandleFields<'a>>,
    request: Option<u64>,
    answered: bool,
    code: Option<&'a [u8]>,
    message: Option<&'a [u8]>,
}

#[derive(Default)]
struct CandleFields<'a> {
    open_time: Option<u64>,
    interval: Option<&'a [u8]>,
    open: Option<&'a [u8]>,
    high: Option<&'a [u8]>,
    low: Option<&'a [u8]>,
    close: Option<&'a [u8]>,
    volume: Option<&'a [u8]>,
    closed: bool,
}

fn read(frame: &[u8]) -> Result<Fields<'_>, Malformed> {
    let mut fields = Fields::default();
    let mut cursor = Cursor::new(frame);
    read_object(&mut cursor, &mut fields, true)?;
    Ok(fields)
}

fn read_object<'a>(
    cursor: &mut Cursor<'a>,
    fields: &mut Fields<'a>,
    outermost: bool,
) -> Result<(), Malformed> {
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (b"data", Value::Object) if outermost => read_object(cursor, fields, false)?,
            (b"error", Value::Object) if outermost => {
                fields.answered = true;
                read_object(cursor, fields, false)?;
            }
            (b"k", Value::Object) => fields.candle = Some(read_candle(cursor)?),
            (_, Value::Object) => cursor.skip()?,
            (b"result", _) if outermost => fields.answered = true,
            (key, value) => take(fields, key, value),
        }
    }
    Ok(())
}

/// A flat table of the venue's field names; a value of the wrong type leaves its field empty.
fn take<'a>(fields: &mut Fields<'a>, key: &[u8], value: Value<'a>) {
    match (key, value) {
        (b"u", Value::Number(number)) => fields.update = whole(number),
        (b"s", Value::Text(text)) => fields.symbol = Some(text),
        (b"b" | b"bids", bid) => fields.bid = Some(bid),
        (b"B", Value::Text(text)) => fields.bid_quantity = Some(text),
        (b"a" | b"asks", ask) => fields.ask = Some(ask),
        (b"A", Value::Text(text)) => fields.ask_quantity = Some(text),
        (b"e", Value::Text(text)) => fields.kind = Some(text),
        (b"p", Value::Text(text)) => fields.price = Some(text),
        (b"q", Value::Text(text)) => fields.quantity = Some(text),
        (b"t", Value::Number(number)) => fields.trade = whole(number),
        (b"T", Value::Number(number)) => fields.time = whole(number),
        (b"m", Value::True) => fields.buyer_is_maker = Some(true),
        (b"m", Value::False) => fields.buyer_is_maker = Some(false),
        (b"U", Value::Number(number)) => fields.first_update = whole(number),
        (b"lastUpdateId", Value::Number(number)) => fields.last_update = whole(number),
        (b"stream", Value::Text(text)) => fields.stream = Some(text),
        (b"id", Value::Number(number)) => fields.request = whole(number),
        (b"code", Value::Number(number)) => fields.code = Some(number),
        (b"msg", Value::Text(text)) => fields.message = Some(text),
        _ => {}
    }
}

fn read_candle<'a>(cursor: &mut Cursor<'a>) -> Result<CandleFields<'a>, Malformed> {
    let mut fields = CandleFields::default();
    cursor.enter()?;
    while let Some(key) = cursor.key()? {
        match (key, cursor.value()?) {
            (_, Value::Object) => cursor.skip()?,
            (b"t", Value::Number(number)) => fields.open_time = whole(number),
            (b"i", Value::Text(text)) => fields.interval = Some(text),
            (b"o", Value::Text(text)) => fields.open = Some(text),
            (b"h", Value::Text(text)) => fields.high = Some(text),
            (b"l", Value::Text(text)) => fields.low = Some(text),
            (b"c", Value::Text(text)) => fields.close = Some(text),
            (b"v", Value::Text(text)) => fields.volume = Some(text),
            (b"x", Value::True) => fields.closed = true,
            _ => {}
        }
    }
    Ok(fields)
}

fn understand(
    fields: &Fields<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
) -> Result<Incoming<MarketEvent>, Ignored> {
    match fields.kind {
        Some(b"trade") => trade(fields, received_at, symbols),
        Some(b"kline") => candle(fields, symbols),
        Some(b"serverShutdown") => Ok(Incoming::ClosingSoon),
        None | Some(b"bookTicker") => unnamed(fields, received_at, symbols),
        Some(_) => Err(Ignored::NotWanted),
    }
}

/// Book tickers and partial books do not say what they are, and neither do answers.
fn unnamed(
    fields: &Fields<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
) -> Result<Incoming<MarketEvent>, Ignored> {
    if fields.last_update.is_some() {
        partial_book(fields, received_at, symbols)
    } else if fields.bid_quantity.is_some() {
        quote(fields, received_at, symbols)
    } else if fields.answered || fields.code.is_some() {
        answer(fields)
    } else {
        Err(Ignored::NotWanted)
    }
}

fn answer(fields: &Fields<'_>) -> Result<Incoming<MarketEvent>, Ignored> {
    let request = fields.request.ok_or(Ignored::Malformed)?;
    if fields.code.is_none() && fields.message.is_none() {
        return Ok(Incoming::Acked { request });
    }
    let words =
        |text: Option<&[u8]>| String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
    let reason = cut(&format!("{} {}", words(fields.code), words(fields.message)));
    Ok(Incoming::Refused { request, reason })
}

fn quote(
    fields: &Fields<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let instrument = fields.instrument(symbols)?;
    let (Some(Value::Text(bid)), Some(Value::Text(ask))) = (fields.bid, fields.ask) else {
        return Err(Ignored::Malformed);
    };
    let quote = Quote {
        instrument: instrument.id,
        bid: price(Some(bid), instrument)?,
        ask: price(Some(ask), instrument)?,
        bid_quantity: quantity(fields.bid_quantity, instrument)?,
        ask_quantity: quantity(fields.ask_quantity, instrument)?,
        event_time: fields.time.map(instant),
        received_at,
    };
    Ok(Incoming::Event {
        topic: Topic::Quotes(instrument.id),
        sequence: fields.update.map(Sequence::Increasing),
        event: MarketEvent::Quote(quote),
    })
}

fn trade(
    fields: &Fields<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let instrument = fields.instrument(symbols)?;
    let id = fields.trade.ok_or(Ignored::Malformed)?;
    let taker = match fields.buyer_is_maker {
        Some(true) => Side::Sell,
        Some(false) => Side::Buy,
        None => return Err(Ignored::Malformed),
    };
    let trade = Trade {
        instrument: instrument.id,
        taker,
        id: TradeId(id),
        price: price(fields.price, instrument)?,
        quantity: quantity(fields.quantity, instrument)?,
        event_time: fields.time.map(instant),
        received_at,
    };
    Ok(Incoming::Event {
        topic: Topic::Trades(instrument.id),
        sequence: Some(Sequence::Contiguous(id)),
        event: MarketEvent::Trade(trade),
    })
}

fn candle(fields: &Fields<'_>, symbols: &SymbolTable) -> Result<Incoming<MarketEvent>, Ignored> {
    let instrument = fields.instrument(symbols)?;
    let candle = fields.candle.as_ref().ok_or(Ignored::Malformed)?;
    let interval: Interval = text(candle.interval)?
        .parse()
        .map_err(|_| Ignored::NotWanted)?;
    let topic = Topic::Candles(instrument.id, interval);
    if !candle.closed {
        return Ok(Incoming::Alive { topic });
    }
    let open_time = candle.open_time.ok_or(Ignored::Malformed)?;
    let volume = parse_fixed(text(candle.volume)?, Amount::DECIMALS);
    let event = Candle {
        instrument: instrument.id,
        interval,
        complete: true,
        open_time: instant(open_time),
        open: price(candle.open, instrument)?,
        high: price(candle.high, instrument)?,
        low: price(candle.low, instrument)?,
        close: price(candle.close, instrument)?,
        volume: volume.map(Amount).map_err(|_| Ignored::Malformed)?,
    };
    Ok(Incoming::Event {
        topic,
        sequence: Some(Sequence::Increasing(open_time)),
        event: MarketEvent::Candle(event),
    })
}

/// A partial book names no symbol of its own: its stream's name has it.
fn partial_book(
    fields: &Fields<'_>,
    received_at: Timestamp,
    symbols: &SymbolTable,
) -> Result<Incoming<MarketEvent>, Ignored> {
    let symbol = fields.stream_symbol().ok_or(Ignored::NoSymbol)?;
    let instrument = symbols.find(symbol).ok_or(Ignored::WrongSymbol)?;
    let depth = Depth {
        instrument: instrument.id,
        bids: levels(fields.bid, instrument, SHOWN)?,
        asks: levels(fields.ask, instrument, SHOWN)?,
        received_at,
    };
    Ok(Incoming::Event {
        topic: Topic::Depth(instrument.id),
        sequence: fields.last_update.map(Sequence::Increasing),
        event: MarketEvent::Depth(Box::new(depth)),
    })
}

impl<'a> Fields<'a> {
    /// What a frame that is of no use counts as: one of a known instrument says nothing about its connection.
    fn ignored(&self, symbols: &SymbolTable, why: Ignored) -> Incoming<MarketEvent> {
        let of_stream = || symbols.find(self.stream_symbol()?);
        let is_known = self.instrument(symbols).is_ok() || of_stream().is_some();
        Incoming::Ignored(if is_known { why.of_instrument() } else { why })
    }

    /// The instrument the payload names; the stream's name, where there is one, must agree.
    fn instrument<'t>(&self, symbols: &'t SymbolTable) -> Result<&'t Instrument, Ignored> {
        let symbol = self.symbol.ok_or(Ignored::NoSymbol)?;
        if let Some(stream) = self.stream_symbol()
            && !stream.eq_ignore_ascii_case(symbol)
        {
            return Err(Ignored::WrongSymbol);
        }
        symbols.find(symbol).ok_or(Ignored::WrongSymbol)
    }

    fn stream_symbol(&self) -> Option<&'a [u8]> {
        let stream = self.stream?;
        let end = stream.iter().position(|byte| *byte == b'@')?;
        stream.get(..end)
    }
}

fn levels(
    side: Option<Value<'_>>,
    instrument: &Instrument,
    most: usize,
) -> Result<Vec<Level>, Ignored> {
    let Some(Value::Array(array)) = side else {
        return Err(Ignored::Malformed);
    };
    let level = |pair: Result<(&[u8], &[u8]), Malformed>| {
        let (at, waiting) = pair.map_err(|Malformed| Ignored::Malformed)?;
        Ok(Level {
            price: price(Some(at), instrument)?,
            quantity: quantity(Some(waiting), instrument)?,
        })
    };
    Pairs::new(array).take(most).map(level).collect()
}

fn text(bytes: Option<&[u8]>) -> Result<&str, Ignored> {
    bytes
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .ok_or(Ignored::Malformed)
}
