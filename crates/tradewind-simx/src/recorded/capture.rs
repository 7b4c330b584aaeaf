//! Captures: a venue's combined streams as they were received, one line each: nanoseconds, a space, the frame.
//!
//! `1723161254024619568 {"stream":"btcusdt@bookTicker","data":{…}}`. Read are best bid and ask (`@bookTicker`), trades
//! (`@trade`), book diffs (`@depth…`), the best levels of books (`@depth5…`, `@depth10…`, `@depth20…`) and bare depth
//! snapshots, which belong to the one symbol of their file. Other streams are passed over.
//!
//! Times: trades and diffs carry the venue's stamp and play at it. Best bid and ask carry none; they play at the time they
//! were received, moved by how far the recorder's clock was behind the venue's, as the survey found.

mod survey;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{
    Instrument, InstrumentId, Level, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
    parse_fixed,
};

pub use survey::{CaptureSurvey, SymbolSurvey};

use super::LineError;
use super::json::Json;
use super::local_book::{Diff, LocalBook};
use super::reorder::Reorder;
use crate::market::MarketRecord;

/// One line, read.
struct Line<'a> {
    received_at: Timestamp,
    symbol: Option<Cow<'a, str>>,
    data: Json<'a>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    BookTicker,
    Trade,
    Diff,
    /// The best levels, whole each time.
    Top,
    Snapshot,
    Other,
}

/// What a recorder writes down about itself, which is no frame of a venue.
const OF_RECORDER: &str = r#"{"stream":"tradewind@"#;

fn read(line: &str) -> Result<Line<'_>, LineError> {
    let (nanos, frame) = line
        .split_once(' ')
        .ok_or_else(|| LineError::new("a capture's line is nanoseconds, a space and a frame"))?;
    let nanos: i64 = nanos
        .parse()
        .map_err(|_| LineError::new(format!("{nanos:?} is no time in nanoseconds")))?;
    let received_at = Timestamp::from_nanos(nanos);
    if frame.starts_with(OF_RECORDER) {
        return Ok(Line {
            received_at,
            symbol: None,
            data: Json::Null,
            kind: Kind::Other,
        });
    }
    let frame = Json::parse(frame)?;
    if frame.get("lastUpdateId").is_some() {
        return Ok(Line {
            received_at,
            symbol: None,
            data: frame,
            kind: Kind::Snapshot,
        });
    }
    let stream = frame.text("stream")?;
    let kind = match stream.split_once('@').map(|(_, topic)| topic) {
        Some("bookTicker") => Kind::BookTicker,
        Some("trade") => Kind::Trade,
        Some("depth" | "depth@100ms" | "depth@1000ms") => Kind::Diff,
        Some(topic) if is_top(topic) => Kind::Top,
        _ => Kind::Other,
    };
    let Json::Object(fields) = frame else {
        return Err(LineError::new("the frame is no object"));
    };
    let data = fields
        .into_iter()
        .find(|(name, _)| *name == "data")
        .map(|(_, data)| data);
    let data = data.ok_or_else(|| LineError::new("the frame has no \"data\""))?;
    let symbol = match kind {
        Kind::Other => None,
        // Its data names no symbol, only its stream does.
        Kind::Top => {
            let name = stream.split_once('@').map_or(stream, |(name, _)| name);
            Some(Cow::Owned(name.to_ascii_uppercase()))
        }
        _ => Some(Cow::Borrowed(data.text("s")?)),
    };
    Ok(Line {
        received_at,
        symbol,
        data,
        kind,
    })
}

/// Whether a stream has the best levels: `depth20`, `depth5@100ms`.
fn is_top(topic: &str) -> bool {
    let levels = topic.strip_prefix("depth").unwrap_or_default();
    let levels = levels.split_once('@').map_or(levels, |(levels, _)| levels);
    matches!(levels, "5" | "10" | "20")
}

/// Plays captures: lines in, records in order of time out.
#[derive(Debug)]
pub struct CapturePlayer {
    instruments: BTreeMap<String, Instrument>,
    books: BTreeMap<InstrumentId, LocalBook>,
    ahead_nanos: i64,
    records: Reorder<MarketRecord>,
    ended: bool,
}

impl CapturePlayer {
    /// A player for these symbols; lines of others are passed over. `ahead_nanos` is what the survey found.
    #[must_use]
    pub fn new(instruments: BTreeMap<String, Instrument>, ahead_nanos: i64) -> Self {
        Self {
            instruments,
            books: BTreeMap::new(),
            ahead_nanos,
            records: Reorder::default(),
            ended: false,
        }
    }

    /// Takes one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn feed(&mut self, line: &str) -> Result<(), LineError> {
        let line = read(line)?;
        let at = self.shift(line.received_at);
        match (line.kind, line.symbol.as_deref()) {
            (Kind::Snapshot, _) => self.snapshot(&line.data),
            (Kind::Other, _) | (_, None) => Ok(()),
            (kind, Some(symbol)) => {
                let Some(instrument) = self.instruments.get(symbol) else {
                    return Ok(());
                };
                match kind {
                    Kind::BookTicker => {
                        let (update, quote) = quote(instrument, &line.data, at)?;
                        self.books
                            .entry(quote.instrument)
                            .or_default()
                            .touch(update, quote);
                        self.records.push(at, MarketRecord::Quote(quote));
                    }
                    Kind::Trade => {
                        let trade = trade(instrument, &line.data)?;
                        self.records
                            .push(trade.received_at, MarketRecord::Trade(trade));
                    }
                    Kind::Diff => {
                        let (id, stamp) = (
                            instrument.id,
                            Timestamp::from_millis(line.data.integer("E")?),
                        );
                        let diff = diff(instrument, &line.data)?;
                        self.push_levels(id, stamp.max(at), |book| book.diff(diff));
                    }
                    Kind::Top => {
                        let last = line.data.integer("lastUpdateId")?;
                        let bids = levels(instrument, &line.data, "bids")?;
                        let asks = levels(instrument, &line.data, "asks")?;
                        let id = instrument.id;
                        self.push_levels(id, at, |book| book.snapshot(last, &bids, &asks));
                    }
                    Kind::Snapshot | Kind::Other => {}
                }
                Ok(())
            }
        }
    }

    /// No more lines will come.
    pub const fn end(&mut self) {
        self.ended = true;
    }

    /// The next record, if it is certain that none before it will come.
    pub fn next_record(&mut self) -> Option<(Timestamp, MarketRecord)> {
        self.records.pop(self.ended)
    }

    fn snapshot(&mut self, data: &Json<'_>) -> Result<(), LineError> {
        // A bare snapshot names no symbol: it can only be told whose it is where there is one.
        let mut all = self.instruments.values();
        let (Some(instrument), None) = (all.next(), all.next()) else {
            return Ok(());
        };
        let (bids, asks) = (
            levels(instrument, data, "bids")?,
            levels(instrument, data, "asks")?,
        );
        let last = data.integer("lastUpdateId")?;
        self.books
            .entry(instrument.id)
            .or_default()
            .snapshot(last, &bids, &asks);
        Ok(())
    }

    fn push_levels(
        &mut self,
        instrument: InstrumentId,
        at: Timestamp,
        change: impl FnOnce(&mut LocalBook),
    ) {
        let book = self.books.entry(instrument).or_default();
        change(book);
        if let Some(depth) = book.levels(instrument, at) {
            self.records.push(at, MarketRecord::Levels(depth));
        }
    }

    fn shift(&self, received_at: Timestamp) -> Timestamp {
        match u64::try_from(self.ahead_nanos) {
            Ok(ahead) => received_at + Duration::from_nanos(ahead),
            Err(_) => received_at - Duration::from_nanos(self.ahead_nanos.unsigned_abs()),
        }
    }
}

fn quote(
    instrument: &Instrument,
    data: &Json<'_>,
    at: Timestamp,
) -> Result<(u64, Quote), LineError> {
    let price = |name| {
        instrument
            .parse_price(data.text(name)?)
            .map_err(|error| bad(name, error))
    };
    let quantity = |name| {
        instrument
            .parse_quantity(data.text(name)?)
            .map_err(|error| bad(name, error))
    };
    let quote = Quote {
        instrument: instrument.id,
        bid: price("b")?,
        ask: price("a")?,
        bid_quantity: quantity("B")?,
        ask_quantity: quantity("A")?,
        event_time: None,
        received_at: at,
    };
    Ok((data.integer("u")?, quote))
}

fn trade(instrument: &Instrument, data: &Json<'_>) -> Result<Trade, LineError> {
    let at = Timestamp::from_millis(data.integer("T")?);
    Ok(Trade {
        instrument: instrument.id,
        taker: if data.get("m") == Some(&Json::Bool(true)) {
            Side::Sell
        } else {
            Side::Buy
        },
        id: TradeId(data.integer("t")?),
        price: instrument
            .parse_price(data.text("p")?)
            .map_err(|error| bad("p", error))?,
        quantity: instrument
            .parse_quantity(data.text("q")?)
            .map_err(|error| bad("q", error))?,
        event_time: Some(at),
        received_at: at,
    })
}

fn diff(instrument: &Instrument, data: &Json<'_>) -> Result<Diff, LineError> {
    Ok(Diff {
        first: data.integer("U")?,
        last: data.integer("u")?,
        bids: levels(instrument, data, "b")?,
        asks: levels(instrument, data, "a")?,
    })
}

/// Digits after the point that any number of a book may have.
const PLACES: u8 = 18;

/// Levels of a book. Old orders can be finer than today's step; what is below it is cut off.
fn levels(instrument: &Instrument, data: &Json<'_>, name: &str) -> Result<Vec<Level>, LineError> {
    let counts = |value: i128, decimals: u8| {
        let unit = 10_i128.pow(u32::from(PLACES.saturating_sub(decimals)));
        i64::try_from(value / unit)
            .map_err(|_| LineError::new(format!("a number of {name:?} is out of range")))
    };
    let rows = raw_levels(data, name)?.into_iter();
    rows.map(|(price, quantity)| {
        Ok(Level {
            price: Price(counts(price, instrument.price_decimals)?),
            quantity: Quantity(counts(quantity, instrument.quantity_decimals)?),
        })
    })
    .collect()
}

/// Prices and quantities of a list of levels.
fn raw_levels(data: &Json<'_>, name: &str) -> Result<Vec<(i128, i128)>, LineError> {
    let Some(Json::Array(rows)) = data.get(name) else {
        return Err(LineError::new(format!("the frame has no list {name:?}")));
    };
    let level = |row: &Json<'_>| {
        let Json::Array(pair) = row else { return None };
        let [Json::Text(price), Json::Text(quantity)] = pair.as_slice() else {
            return None;
        };
        Some((
            parse_fixed(price, PLACES).ok()?,
            parse_fixed(quantity, PLACES).ok()?,
        ))
    };
    let read = rows.iter().map(level);
    let read: Option<Vec<_>> = read.collect();
    read.ok_or_else(|| LineError::new(format!("a level of {name:?} is no pair of numbers")))
}

fn bad(name: &str, error: tradewind_model::NumberError) -> LineError {
    LineError::new(format!("{name:?}: {error}"))
}

#[cfg(test)]
mod tests;
