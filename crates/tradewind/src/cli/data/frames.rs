//! Recordings of venues without an account into the catalogue: their frames are read by the same code that reads them live.
//!
//! Trades are at the venue's stamp, quotes and books at the time they were received, as in captures. A book whose changes are not
//! all there has no rows until its next snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tradewind_data::{
    Adding, BookRow, CandleRow, Import, Imported, Kind, Loss, QuoteRow, Row, Series, TradeRow,
};
use tradewind_model::{
    Amount, AssetId, Instrument, InstrumentId, Interval, Level, MarketEvent, Price, Quantity,
    Timestamp,
};
use tradewind_venues::{FrameReader, Incoming, SymbolTable, VenueKind, frame_reader};

use crate::app::recorder::noted::{Listed, instruments, noted, own};

use super::import::{Done, amount, examined, in_words, lines, lost, series_of};

/// How long trades wait for one that happened before them.
const ORDER_WITHIN: Duration = Duration::from_secs(10);

/// Whose frames the files have, if they say so at their beginning; captures of Binance do not.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn recorded(files: &[PathBuf]) -> anyhow::Result<Option<VenueKind>> {
    Ok(noted(files)?.map(|(kind, _)| kind))
}

/// Adds what is in recordings of a venue.
///
/// # Errors
/// A line that cannot be read, an instrument that is no product, frames of another venue, rows that the catalogue has with other
/// values.
pub(super) fn import(
    files: &[PathBuf],
    kind: VenueKind,
    venue: &str,
    import: &mut Import<'_>,
) -> anyhow::Result<Vec<Done>> {
    let path = files.first().context("there is no file")?;
    let reading = Reading::new(path, kind, venue);
    read(files, reading, "that the catalogue keeps", import)
}

/// What is read of recordings, one line after the other.
pub(super) trait Recording {
    fn line(&mut self, text: &str, import: &mut Import<'_>) -> anyhow::Result<()>;

    fn finish(self, import: &mut Import<'_>) -> anyhow::Result<Finished>;
}

/// Adds what `recording` makes of the lines of these files. It is an error if there is nothing `wanted` in them.
pub(super) fn read(
    files: &[PathBuf],
    mut recording: impl Recording,
    wanted: &str,
    import: &mut Import<'_>,
) -> anyhow::Result<Vec<Done>> {
    let path = files.first().context("there is no file")?;
    let mut notes = Vec::new();
    let files = examined(files, &mut notes)?;
    lines(&files, |_, line| {
        let added = recording.line(line, import);
        added.map_err(|error| format!("{error:#}"))
    })?;
    let (done, mut found) = recording.finish(import)?;
    notes.append(&mut found);
    anyhow::ensure!(
        !done.is_empty(),
        "{}: there is nothing in it {wanted}",
        path.display()
    );
    let with_notes = |(series, imported)| (series, imported, std::mem::take(&mut notes));
    Ok(done.into_iter().map(with_notes).collect())
}

/// Series that were added to, and what a person should know of them.
pub(super) type Finished = (Vec<(Series, Imported)>, Vec<String>);

/// A recording on its way into the catalogue.
struct Reading {
    path: PathBuf,
    venue: String,
    kind: VenueKind,
    /// Instruments as they were noted last: a venue writes with other decimals from one run to the next, and within one.
    listed: Vec<Listed>,
    symbols: Arc<SymbolTable>,
    connections: BTreeMap<u64, Box<dyn FrameReader>>,
    instruments: Vec<OfInstrument>,
    lost: Option<Loss>,
    gaps: u64,
}

/// One instrument's series.
pub(super) struct OfInstrument {
    instrument: Instrument,
    series: BTreeMap<Kind, (Series, Adding)>,
    /// Trades that wait for earlier ones, by time and id.
    trades: BTreeMap<(Timestamp, u64), TradeRow>,
    /// Ids of trades that were there already, for those that two connections received.
    recent: BTreeSet<u64>,
    newest: Timestamp,
    written: Timestamp,
    late: u64,
    last_candle: Option<Timestamp>,
}

impl Reading {
    fn new(path: &Path, kind: VenueKind, venue: &str) -> Self {
        Self {
            path: path.to_owned(),
            venue: venue.to_owned(),
            kind,
            listed: Vec::new(),
            symbols: Arc::default(),
            connections: BTreeMap::new(),
            instruments: Vec::new(),
            lost: None,
            gaps: 0,
        }
    }

    /// Reads on with instruments as they are noted. What is known of books is in counts of the decimals of before.
    fn take_into_use(&mut self, kind: VenueKind, listed: Vec<Listed>) -> anyhow::Result<()> {
        anyhow::ensure!(
            kind == self.kind,
            "the files are of two venues; import each by itself"
        );
        if listed == self.listed {
            return Ok(());
        }
        let mut named = Vec::new();
        for one in &listed {
            let known = self.instruments.iter();
            let mut known = known.map(|of| &*of.instrument.name);
            let at = known.position(|name| name == one.name);
            let at = at.unwrap_or(self.instruments.len());
            let instrument = Instrument {
                price_decimals: one.price_decimals,
                quantity_decimals: one.quantity_decimals,
                ..Instrument::spot(
                    InstrumentId(u32::try_from(at)?),
                    &one.name,
                    AssetId(0),
                    AssetId(1),
                )
            };
            named.push((one.symbol.clone(), instrument.clone()));
            match self.instruments.get_mut(at) {
                Some(known) => known.instrument = instrument,
                None => {
                    let new = OfInstrument::new(&self.path, &self.venue, instrument)?;
                    self.instruments.push(new);
                }
            }
        }
        self.symbols = Arc::new(SymbolTable::new(named)?);
        self.connections.clear();
        self.listed = listed;
        Ok(())
    }

    fn frame(
        &mut self,
        connection: u64,
        frame: &str,
        at: Timestamp,
        import: &mut Import<'_>,
    ) -> anyhow::Result<()> {
        let reader = match self.connections.entry(connection) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => {
                new.insert(frame_reader(self.kind, Arc::clone(&self.symbols))?)
            }
        };
        let mut events = Vec::new();
        let mut gaps = 0;
        reader.read(frame.as_bytes(), at, &mut |incoming| match incoming {
            Incoming::Event { event, .. } => events.push(event),
            Incoming::Lost { .. } | Incoming::Gap { .. } => gaps += 1,
            _ => {}
        });
        self.gaps += gaps;
        for event in events {
            let id = match &event {
                MarketEvent::Quote(quote) => quote.instrument,
                MarketEvent::Trade(trade) => trade.instrument,
                MarketEvent::Candle(candle) => candle.instrument,
                MarketEvent::Depth(depth) => depth.instrument,
                MarketEvent::Health { instrument, .. } => *instrument,
            };
            if let Some(of) = self.instruments.get_mut(id.index()) {
                of.event(at, event, import)?;
            }
        }
        Ok(())
    }
}

impl Recording for Reading {
    fn line(&mut self, text: &str, import: &mut Import<'_>) -> anyhow::Result<()> {
        if let Some(lost) = lost(text).filter(|lost| lost.frames > 0) {
            self.lost = Some(self.lost.map_or(lost, |known| known.and(lost)));
            // Nobody knows of which connection they were: a candle without its last change would pass for a whole one.
            self.connections.clear();
        }
        let Some(line) = own(text) else {
            return Ok(());
        };
        match line.what {
            "opened" | "closed" => {
                let data: Value = serde_json::from_str(line.data)?;
                let connection = data["connection"].as_u64().unwrap_or_default();
                self.connections.remove(&connection);
            }
            "instruments" => {
                let (kind, listed) = instruments(line.data)?;
                self.take_into_use(kind, listed)?;
            }
            "frame" => self.frame(line.connection, line.data, line.at, import)?,
            _ => {}
        }
        Ok(())
    }

    fn finish(self, import: &mut Import<'_>) -> anyhow::Result<Finished> {
        let mut notes = Vec::new();
        notes.extend(self.lost.map(in_words));
        if self.gaps > 0 {
            notes.push(format!(
                "{} times changes of books are missing; their rows go on with the next snapshot",
                self.gaps
            ));
        }
        let late: u64 = self.instruments.iter().map(|one| one.late).sum();
        let mut done = Vec::new();
        for of in self.instruments {
            done.append(&mut of.finish(import)?);
        }
        if late > 0 {
            notes.push(format!(
                "{late} trades came more than {} s after later ones and are left out",
                ORDER_WITHIN.as_secs()
            ));
        }
        Ok((done, notes))
    }
}

impl OfInstrument {
    pub(super) fn new(path: &Path, venue: &str, instrument: Instrument) -> anyhow::Result<Self> {
        let name = instrument.name.rsplit(':').next().unwrap_or_default();
        let product = tradewind_data::product(name)
            .with_context(|| format!("{}: {name} is no known product", path.display()))?;
        Ok(Self {
            instrument,
            series: series_of(path, venue, &product),
            trades: BTreeMap::new(),
            recent: BTreeSet::new(),
            newest: Timestamp::EPOCH,
            written: Timestamp::EPOCH,
            late: 0,
            last_candle: None,
        })
    }

    fn price(&self, price: Price) -> Amount {
        amount(price.0, self.instrument.price_decimals)
    }

    fn size(&self, quantity: Quantity) -> Amount {
        amount(quantity.0, self.instrument.quantity_decimals)
    }

    pub(super) fn event(
        &mut self,
        at: Timestamp,
        event: MarketEvent,
        import: &mut Import<'_>,
    ) -> anyhow::Result<()> {
        match event {
            MarketEvent::Quote(quote) => {
                let row = QuoteRow {
                    at,
                    bid: self.price(quote.bid),
                    ask: self.price(quote.ask),
                    bid_size: Some(self.size(quote.bid_quantity)),
                    ask_size: Some(self.size(quote.ask_quantity)),
                };
                self.push(Kind::Quotes, Row::Quote(row), import)
            }
            MarketEvent::Trade(trade) => {
                let row = TradeRow {
                    at: trade.event_time.unwrap_or(at),
                    price: self.price(trade.price),
                    quantity: self.size(trade.quantity),
                    id: trade.id.0,
                    taker: Some(trade.taker),
                };
                self.trade(row, import)
            }
            MarketEvent::Candle(candle) => {
                let is_new = self.last_candle.is_none_or(|last| candle.open_time > last);
                if candle.interval != Interval::Minute1 || !is_new {
                    return Ok(());
                }
                self.last_candle = Some(candle.open_time);
                let row = CandleRow {
                    open_time: candle.open_time,
                    open: self.price(candle.open),
                    high: self.price(candle.high),
                    low: self.price(candle.low),
                    close: self.price(candle.close),
                    volume: Some(candle.volume),
                };
                self.push(Kind::Candles, Row::Candle(row), import)
            }
            MarketEvent::Depth(depth) => {
                let side = |levels: &[Level]| {
                    let best = levels.iter().take(BookRow::LEVELS);
                    best.map(|level| (self.price(level.price), self.size(level.quantity)))
                        .collect()
                };
                let row = BookRow {
                    at,
                    bids: side(&depth.bids),
                    asks: side(&depth.asks),
                };
                self.push(Kind::Books, Row::Book(Box::new(row)), import)
            }
            MarketEvent::Health { .. } => Ok(()),
        }
    }

    fn trade(&mut self, row: TradeRow, import: &mut Import<'_>) -> anyhow::Result<()> {
        if row.at < self.written {
            self.late += u64::from(!self.recent.contains(&row.id));
            return Ok(());
        }
        self.newest = self.newest.max(row.at);
        self.trades.insert((row.at, row.id), row);
        let until = self.newest - ORDER_WITHIN;
        while let Some(entry) = self.trades.first_entry().filter(|one| one.key().0 < until) {
            let row = entry.remove();
            self.write(row, import)?;
        }
        Ok(())
    }

    fn write(&mut self, row: TradeRow, import: &mut Import<'_>) -> anyhow::Result<()> {
        // The venue counts up, so the lowest ids are the oldest ones.
        if self.recent.len() == 1_024 {
            self.recent.pop_first();
        }
        self.written = row.at;
        if self.recent.insert(row.id) {
            self.push(Kind::Trades, Row::Trade(row), import)?;
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind, row: Row, import: &mut Import<'_>) -> anyhow::Result<()> {
        if let Some((_, adding)) = self.series.get_mut(&kind) {
            import.push(adding, row, 0)?;
        }
        Ok(())
    }

    pub(super) fn finish(
        mut self,
        import: &mut Import<'_>,
    ) -> anyhow::Result<Vec<(Series, Imported)>> {
        for row in std::mem::take(&mut self.trades).into_values() {
            self.write(row, import)?;
        }
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

#[cfg(test)]
mod tests;
