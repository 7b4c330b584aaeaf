//! Captures: a venue's combined streams as they were received, one line each: nanoseconds, a space, the frame.
//!
//! `1723161254024619568 {"stream":"btcusdt@bookTicker","data":{…}}`. Read are best bid and ask (`@bookTicker`), trades
//! (`@trade`), book diffs (`@depth…`) and bare depth snapshots, which belong to the one symbol of their file. Other
//! streams are passed over.
//!
//! Times: trades and diffs carry the venue's stamp and play at it. Best bid and ask carry none; they play at the time they
//! were received, moved by how far the recorder's clock was behind the venue's, as the survey found.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{
    Instrument, InstrumentId, Level, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
    parse_fixed,
};

use super::LineError;
use super::json::Json;
use super::local_book::{Diff, LocalBook};
use super::reorder::Reorder;
use crate::market::MarketRecord;

/// One line, read.
struct Line<'a> {
    received_at: Timestamp,
    symbol: Option<&'a str>,
    data: Json<'a>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    BookTicker,
    Trade,
    Diff,
    Snapshot,
    Other,
}

fn read(line: &str) -> Result<Line<'_>, LineError> {
    let (nanos, frame) = line
        .split_once(' ')
        .ok_or_else(|| LineError::new("a capture's line is nanoseconds, a space and a frame"))?;
    let nanos: i64 = nanos
        .parse()
        .map_err(|_| LineError::new(format!("{nanos:?} is no time in nanoseconds")))?;
    let frame = Json::parse(frame)?;
    let received_at = Timestamp::from_nanos(nanos);
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
    let symbol = if kind == Kind::Other {
        None
    } else {
        Some(data.text("s")?)
    };
    Ok(Line {
        received_at,
        symbol,
        data,
        kind,
    })
}

/// What a first reading of a capture tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaptureSurvey {
    /// What there is of each symbol.
    pub symbols: BTreeMap<String, SymbolSurvey>,
    /// When the first line was received.
    pub first: Option<Timestamp>,
    /// When the last line was received.
    pub last: Option<Timestamp>,
    /// How far the venue's clock was ahead of the recorder's, in nanoseconds, less the shortest way between them.
    pub ahead_nanos: Option<i64>,
}

/// What there is of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SymbolSurvey {
    /// Digits after the point that its prices need.
    pub price_decimals: u8,
    /// Digits after the point that its quantities need.
    pub quantity_decimals: u8,
    /// Best bids and asks.
    pub quotes: u64,
    /// Trades.
    pub trades: u64,
    /// Diffs of the book.
    pub diffs: u64,
}

impl CaptureSurvey {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&mut self, line: &str) -> Result<(), LineError> {
        let line = read(line)?;
        self.first = self.first.or(Some(line.received_at));
        self.last = self.last.max(Some(line.received_at));
        if line.kind == Kind::Snapshot {
            raw_levels(&line.data, "bids")?;
            raw_levels(&line.data, "asks")?;
        }
        let Some(symbol) = line.symbol else {
            return Ok(());
        };
        let survey = match self.symbols.get_mut(symbol) {
            Some(survey) => survey,
            None => self.symbols.entry(symbol.to_owned()).or_default(),
        };
        survey.read(&line)?;
        if matches!(line.kind, Kind::Trade | Kind::Diff) {
            let stamp = Timestamp::from_millis(line.data.integer("E")?);
            let ahead = stamp.as_nanos().saturating_sub(line.received_at.as_nanos());
            self.ahead_nanos = self.ahead_nanos.max(Some(ahead));
        }
        Ok(())
    }
}

impl SymbolSurvey {
    fn read(&mut self, line: &Line<'_>) -> Result<(), LineError> {
        let (prices, quantities): (&[&str], &[&str]) = match line.kind {
            Kind::BookTicker => (&["b", "a"], &["B", "A"]),
            Kind::Trade => (&["p"], &["q"]),
            Kind::Diff | Kind::Snapshot | Kind::Other => (&[], &[]),
        };
        for name in prices {
            self.price_decimals = self.price_decimals.max(decimals(line.data.text(name)?)?);
        }
        for name in quantities {
            self.quantity_decimals = self.quantity_decimals.max(decimals(line.data.text(name)?)?);
        }
        match line.kind {
            Kind::BookTicker => self.quotes += 1,
            Kind::Trade => self.trades += 1,
            Kind::Diff => {
                raw_levels(&line.data, "b")?;
                raw_levels(&line.data, "a")?;
                self.diffs += 1;
            }
            Kind::Snapshot | Kind::Other => {}
        }
        Ok(())
    }
}

/// Digits after the point, zeros at the end apart.
fn decimals(text: &str) -> Result<u8, LineError> {
    let fraction = text
        .split_once('.')
        .map_or("", |(_, fraction)| fraction)
        .trim_end_matches('0');
    u8::try_from(fraction.len())
        .ok()
        .filter(|places| *places <= 9)
        .ok_or_else(|| LineError::new(format!("{text:?} has too many decimals")))
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
        match (line.kind, line.symbol) {
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
mod tests {
    use super::*;
    use tradewind_model::VenueId;

    const LINES: [&str; 4] = [
        r#"1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":12,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
        r#"1723161254087896568 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
        r#"1723161254100000000 {"lastUpdateId":11,"bids":[["61837.63000000","1.00000000"]],"asks":[["61838.00000000","2.00000000"]]}"#,
        r#"1723161254137307667 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255408,"s":"BTCUSDT","U":12,"u":13,"b":[["61837.63000000","3.00000000"]],"a":[]}}"#,
    ];

    #[test]
    fn a_capture_is_surveyed_and_played_in_the_venues_time() {
        let mut survey = CaptureSurvey::default();
        LINES.iter().for_each(|line| survey.read(line).unwrap());
        let found = survey.symbols["BTCUSDT"];
        assert_eq!(
            (
                found.price_decimals,
                found.quantity_decimals,
                found.quotes,
                found.trades,
                found.diffs
            ),
            (2, 5, 1, 1, 1)
        );

        let bitcoin = crate::universe("simx", VenueId(0)).instruments.remove(0);
        let instruments = BTreeMap::from([("BTCUSDT".to_owned(), bitcoin)]);
        let mut player = CapturePlayer::new(instruments, survey.ahead_nanos.unwrap());
        LINES.iter().for_each(|line| player.feed(line).unwrap());
        player.end();
        let records: Vec<_> = std::iter::from_fn(|| player.next_record()).collect();
        let MarketRecord::Trade(trade) = &records[0].1 else {
            panic!("{records:?}")
        };
        assert_eq!(
            (trade.price, trade.quantity, trade.taker),
            (Price(6_183_763), Quantity(2_000), Side::Sell)
        );
        assert_eq!(records[0].0, Timestamp::from_millis(1_723_161_255_342));
        assert!(matches!(records[1].1, MarketRecord::Quote(_)));
        let MarketRecord::Levels(depth) = &records[2].1 else {
            panic!("{records:?}")
        };
        assert_eq!(
            (depth.bids[0].quantity, depth.asks[0].price),
            (Quantity(300_000), Price(6_183_800))
        );
    }

    #[test]
    fn a_bad_line_says_what_is_wrong_with_it() {
        let check = |line: &str, wanted: &str| {
            assert_eq!(
                CaptureSurvey::default().read(line).unwrap_err().to_string(),
                wanted
            );
        };
        check(
            "nonsense",
            "a capture's line is nanoseconds, a space and a frame",
        );
        check("x {}", "\"x\" is no time in nanoseconds");
        check("1 {}", "the frame has no text \"stream\"");
        check(
            r#"1 {"stream":"a@trade","data":{"s":"A"}}"#,
            "the frame has no text \"p\"",
        );
    }
}
