//! Captures into the catalogue: trades, quotes, candles and books of every symbol in them.
//!
//! A recording is read up to where it is whole. Trades are at the venue's stamp, quotes and books at the time they were received, which
//! does not depend on what else is imported: a recording that has grown adds what is new. Symbols are read in passes of a few, so
//! the rows of one day of these are in memory.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;
use tradewind_data::{
    Adding, Blocks, BookRow, CandleRow, Examined, Import, Imported, Kind, Lines, Loss, Product,
    QuoteRow, Row, Series, TradeRow, examine,
};
use tradewind_model::{
    Amount, AssetId, Instrument, InstrumentId, Interval, Level, Timestamp, parse_fixed,
};
use tradewind_simx::MarketRecord;
use tradewind_simx::recorded::{CapturePlayer, CaptureSurvey, SymbolSurvey};

pub(super) use crate::app::recorder::noted::files;

/// Trades that are remembered, to pass over one that two connections received.
const RECENT: usize = 1_024;
/// Symbols of one pass over the files.
const SYMBOLS: usize = 32;

/// A series that was added to, and what a person should know of it.
pub(super) type Done = (Series, Imported, Vec<String>);

/// Files with what they hold, each read once; notes what is torn.
pub(super) fn examined(
    files: &[PathBuf],
    notes: &mut Vec<String>,
) -> anyhow::Result<Vec<(PathBuf, Examined)>> {
    let mut all = Vec::new();
    for path in files {
        let found = examine(path)?;
        if found.is_recording && found.torn_bytes > 0 {
            let (path, bytes) = (path.display(), found.torn_bytes);
            notes.push(format!(
                "{path}: {bytes} bytes at the end are no whole block, left by a recorder that was killed; read up to there"
            ));
        }
        all.push((path.clone(), found));
    }
    Ok(all)
}

/// Calls `each` with every line of the files, in order.
pub(super) fn lines(
    files: &[(PathBuf, Examined)],
    mut each: impl FnMut(usize, &str) -> Result<(), String>,
) -> anyhow::Result<()> {
    for (file, (path, found)) in files.iter().enumerate() {
        if !found.is_recording {
            let mut lines = Lines::open(path)?;
            while lines.advance()? {
                let read = each(file, lines.text());
                read.map_err(|reason| lines.error(&reason))?;
            }
            continue;
        }
        let mut blocks = Blocks::open(path)?;
        let reading = || format!("reading {}", path.display());
        while let Some(text) = blocks.next_block().with_context(reading)? {
            for line in text.lines() {
                each(file, line)
                    .map_err(|reason| anyhow::anyhow!("{}: {reason}", path.display()))?;
            }
        }
    }
    Ok(())
}

/// Frames that a recording says are missing.
pub(super) fn lost(line: &str) -> Option<Loss> {
    let (_, json) = line.split_once(' ')?;
    if !json.starts_with(r#"{"stream":"tradewind@lost""#) {
        return None;
    }
    let json: Value = serde_json::from_str(json).ok()?;
    let data = &json["data"];
    let at = |key: &str| data[key].as_i64().map(Timestamp::from_nanos);
    Some(Loss {
        frames: data["frames"].as_u64()?,
        from: at("from")?,
        to: at("to")?,
    })
}

/// What a person should know of frames that are missing.
pub(super) fn in_words(Loss { frames, from, to }: Loss) -> String {
    format!(
        "{frames} frames were lost between {from} and {to} when this was recorded; nothing is put in their place"
    )
}

/// Adds what is in captures.
///
/// # Errors
/// A line that cannot be read, a symbol that is no product, rows that the catalogue has with other values.
pub(super) fn captures(
    files: &[PathBuf],
    venue: &str,
    import: &mut Import<'_>,
) -> anyhow::Result<Vec<Done>> {
    let (mut notes, mut missing) = (Vec::new(), None);
    let mut symbols: BTreeMap<String, SymbolSurvey> = BTreeMap::new();
    let path = files.first().context("there is no file")?;
    let files = &examined(files, &mut notes)?;
    let mut of_files: Vec<CaptureSurvey> = files.iter().map(|_| CaptureSurvey::default()).collect();
    lines(files, |file, line| {
        if let Some(lost) = lost(line).filter(|lost| lost.frames > 0) {
            missing = Some(missing.map_or(lost, |known: Loss| known.and(lost)));
        }
        let read = of_files.get_mut(file).map(|survey| survey.read(line));
        read.transpose().map_err(|error| error.to_string())?;
        Ok(())
    })?;
    for survey in &of_files {
        for (symbol, found) in &survey.symbols {
            let known = symbols.entry(symbol.clone()).or_default();
            known.price_decimals = known.price_decimals.max(found.price_decimals);
            known.quantity_decimals = known.quantity_decimals.max(found.quantity_decimals);
            known.tops += found.tops;
        }
    }
    // A bare snapshot has no symbol: it is its file's, if that is of one.
    let alone: Vec<Option<String>> = of_files
        .iter()
        .map(|survey| {
            let mut symbols = survey.symbols.keys();
            let first = symbols.next().cloned();
            first.filter(|_| symbols.next().is_none())
        })
        .collect();
    notes.extend(missing.map(in_words));
    let mut all = Vec::new();
    let symbols: Vec<(String, SymbolSurvey)> = symbols.into_iter().collect();
    for some in symbols.chunks(SYMBOLS) {
        let mut pass: BTreeMap<&str, OfSymbol> = BTreeMap::new();
        for (symbol, found) in some {
            let product = tradewind_data::product(symbol)
                .with_context(|| format!("{}: {symbol} is no known product", path.display()))?;
            pass.insert(symbol, OfSymbol::new(path, venue, &product, symbol, found));
        }
        lines(files, |file, line| {
            let symbol = match stream_of(line) {
                Some((symbol, _)) => Some(symbol.to_ascii_uppercase()),
                None => alone.get(file).cloned().flatten(),
            };
            let of_symbol = symbol.and_then(|symbol| pass.get_mut(&*symbol));
            let read = of_symbol.map_or(Ok(()), |of_symbol| of_symbol.line(line, import));
            read.map_err(|error| format!("{error:#}"))
        })?;
        for of_symbol in pass.into_values() {
            for (series, imported) in of_symbol.finish(import)? {
                all.push((series, imported, std::mem::take(&mut notes)));
            }
        }
    }
    anyhow::ensure!(
        !all.is_empty(),
        "{}: there is nothing in it that the catalogue keeps",
        path.display()
    );
    Ok(all)
}

/// The symbol and the topic of a line's stream, as the venue spells them; `None` for a bare snapshot.
fn stream_of(line: &str) -> Option<(&str, &str)> {
    let (_, frame) = line.split_once(' ')?;
    let (stream, _) = frame.strip_prefix(r#"{"stream":""#)?.split_once('"')?;
    stream.split_once('@')
}

/// Whether a topic has the best levels, whole: `depth20@100ms`, and not the changes of `depth@100ms`.
fn is_top(topic: &str) -> bool {
    let levels = topic.strip_prefix("depth").unwrap_or_default();
    levels.starts_with(|first: char| first.is_ascii_digit())
}

/// One symbol on its way into the catalogue.
struct OfSymbol {
    instrument: Instrument,
    player: CapturePlayer,
    has_tops: bool,
    series: BTreeMap<Kind, (Series, Adding)>,
    recent: VecDeque<u64>,
    last_candle: Timestamp,
}

/// Every series that a recording of a product may have, each with what is added to it.
pub(super) fn series_of(
    path: &Path,
    venue: &str,
    product: &Product,
) -> BTreeMap<Kind, (Series, Adding)> {
    let kinds = [Kind::Candles, Kind::Trades, Kind::Quotes, Kind::Books];
    let series = kinds.map(|kind| {
        let series = Series {
            venue: venue.to_owned(),
            subject: product.clone().into(),
            kind,
            interval: (kind == Kind::Candles).then_some(Interval::Minute1),
        };
        let adding = Adding::new(path, &series);
        (kind, (series, adding))
    });
    BTreeMap::from(series)
}

impl OfSymbol {
    fn new(
        path: &Path,
        venue: &str,
        product: &Product,
        symbol: &str,
        found: &SymbolSurvey,
    ) -> Self {
        let instrument = Instrument {
            price_decimals: found.price_decimals,
            quantity_decimals: found.quantity_decimals,
            ..Instrument::spot(InstrumentId(0), symbol, AssetId(0), AssetId(1))
        };
        Self {
            player: CapturePlayer::new(
                BTreeMap::from([(symbol.to_owned(), instrument.clone())]),
                0,
            ),
            instrument,
            has_tops: found.tops > 0,
            series: series_of(path, venue, product),
            recent: VecDeque::new(),
            last_candle: Timestamp::EPOCH,
        }
    }

    fn line(&mut self, line: &str, import: &mut Import<'_>) -> anyhow::Result<()> {
        let (at, frame) = line.split_once(' ').unwrap_or_default();
        match stream_of(line) {
            Some((_, "kline_1m")) => return self.candle(frame, import),
            Some((_, topic)) if is_top(topic) => return self.top(at, frame, import),
            // The same book twice would be two series in one.
            Some((_, topic)) if self.has_tops && topic.starts_with("depth") => return Ok(()),
            _ => {}
        }
        self.player.feed(line)?;
        self.drain(import)
    }

    fn drain(&mut self, import: &mut Import<'_>) -> anyhow::Result<()> {
        while let Some((at, record)) = self.player.next_record() {
            if let Some(row) = self.row(at, record) {
                self.push(row, import)?;
            }
        }
        Ok(())
    }

    /// A record as a row; `None` for what is there already.
    fn row(&mut self, at: Timestamp, record: MarketRecord) -> Option<Row> {
        let price = |count: i64| amount(count, self.instrument.price_decimals);
        let size = |count: i64| amount(count, self.instrument.quantity_decimals);
        Some(match record {
            MarketRecord::Quote(quote) => Row::Quote(QuoteRow {
                at,
                bid: price(quote.bid.0),
                ask: price(quote.ask.0),
                bid_size: Some(size(quote.bid_quantity.0)),
                ask_size: Some(size(quote.ask_quantity.0)),
            }),
            MarketRecord::Trade(trade) => {
                let row = TradeRow {
                    at,
                    price: price(trade.price.0),
                    quantity: size(trade.quantity.0),
                    id: trade.id.0,
                    taker: Some(trade.taker),
                };
                if self.recent.contains(&row.id) {
                    return None;
                }
                if self.recent.len() == RECENT {
                    self.recent.pop_front();
                }
                self.recent.push_back(row.id);
                Row::Trade(row)
            }
            MarketRecord::Levels(depth) => {
                let side = |levels: &[Level]| {
                    let best = levels.iter().take(BookRow::LEVELS);
                    best.map(|level| (price(level.price.0), size(level.quantity.0)))
                        .collect()
                };
                Row::Book(Box::new(BookRow {
                    at,
                    bids: side(&depth.bids),
                    asks: side(&depth.asks),
                }))
            }
        })
    }

    /// The best levels, as the venue sent them.
    fn top(&mut self, at: &str, frame: &str, import: &mut Import<'_>) -> anyhow::Result<()> {
        let received: i64 = at.parse().context("the line has no time")?;
        let frame: Value = serde_json::from_str(frame)?;
        let side = |name: &str| -> anyhow::Result<Vec<(Amount, Amount)>> {
            let levels = frame["data"][name].as_array();
            let best = levels.context("a book has no levels")?.iter();
            best.take(BookRow::LEVELS)
                .map(|level| Ok((exact(&level[0])?, exact(&level[1])?)))
                .collect()
        };
        let row = BookRow {
            at: Timestamp::from_nanos(received),
            bids: side("bids")?,
            asks: side("asks")?,
        };
        self.push(Row::Book(Box::new(row)), import)
    }

    /// A candle that is closed.
    fn candle(&mut self, frame: &str, import: &mut Import<'_>) -> anyhow::Result<()> {
        let frame: Value = serde_json::from_str(frame)?;
        let candle = &frame["data"]["k"];
        let millis = candle["t"].as_i64().context("a candle has no time")?;
        let open_time = Timestamp::from_millis(millis);
        if candle["x"] != true || open_time <= self.last_candle {
            return Ok(());
        }
        self.last_candle = open_time;
        let row = CandleRow {
            open_time,
            open: exact(&candle["o"])?,
            high: exact(&candle["h"])?,
            low: exact(&candle["l"])?,
            close: exact(&candle["c"])?,
            volume: Some(exact(&candle["v"])?),
        };
        self.push(Row::Candle(row), import)
    }

    fn push(&mut self, row: Row, import: &mut Import<'_>) -> anyhow::Result<()> {
        if let Some((_, adding)) = self.series.get_mut(&row.kind()) {
            import.push(adding, row, 0)?;
        }
        Ok(())
    }

    fn finish(mut self, import: &mut Import<'_>) -> anyhow::Result<Vec<(Series, Imported)>> {
        self.player.end();
        self.drain(import)?;
        let mut done = Vec::new();
        for (series, adding) in self.series.into_values() {
            let imported = import.finish(adding)?;
            if imported != Imported::default() {
                done.push((series, imported));
            }
        }
        Ok(done)
    }
}

/// A count of an instrument's smallest unit as an amount.
pub(super) fn amount(count: i64, decimals: u8) -> Amount {
    let unit = 10_i128.pow(u32::from(Amount::DECIMALS.saturating_sub(decimals)));
    Amount(i128::from(count) * unit)
}

fn exact(value: &Value) -> anyhow::Result<Amount> {
    let text = value.as_str().context("a number is missing")?;
    let count = parse_fixed(text, Amount::DECIMALS);
    Ok(Amount(
        count.with_context(|| format!("{text:?} is no number"))?,
    ))
}
