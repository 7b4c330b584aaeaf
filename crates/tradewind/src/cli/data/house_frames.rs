//! Recordings of house sources into the catalogue: quotes, trades, numbers and targets, read by the code that reads them live.
//!
//! What messages mean is in the configuration, so a recording is read with the section of its source. Quotes, numbers and targets
//! are at the time they were received; trades at the time they happened, if they say so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use data_encoding::BASE64;
use serde_json::Value;
use tradewind_data::{
    Adding, Blocks, Import, Imported, Kind, Loss, NumberRow, Row, Series, Subject, TargetRow,
};
use tradewind_model::{AssetId, Instrument, InstrumentId, MarketEvent, Timestamp};
use tradewind_venues::house::{self, HouseData, HouseSymbols, RecordedConnection, RecordedHouse};
use tradewind_venues::{Incoming, Message};

use super::frames::{self, Finished, OfInstrument, Recording};
use super::import::{Done, in_words, lost};
use crate::app::recorder::noted::own;
use crate::config::SourceSettings;

/// What a recording says it is of: the name of a venue or a source, and where that was read.
///
/// # Errors
/// A file that cannot be read.
pub(super) fn heading(files: &[PathBuf]) -> anyhow::Result<Option<(String, String)>> {
    for path in files {
        let mut blocks = Blocks::open(path)?;
        let reading = || format!("reading {}", path.display());
        let Some(text) = blocks.next_block().with_context(reading)? else {
            continue;
        };
        let first = text.lines().next().and_then(own);
        let Some(first) = first.filter(|line| line.what == "recording") else {
            continue;
        };
        let data: Value = serde_json::from_str(first.data).with_context(reading)?;
        let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
        return Ok(Some((text("of"), text("address"))));
    }
    Ok(None)
}

/// Adds what is in recordings of a source.
///
/// # Errors
/// A line that cannot be read, an instrument that is no product, a name that the catalogue cannot keep, rows that it has with
/// other values.
pub(super) fn import(
    files: &[PathBuf],
    source: &SourceSettings,
    import: &mut Import<'_>,
) -> anyhow::Result<Vec<Done>> {
    let path = files.first().context("there is no file")?;
    let reading = Reading::new(path, source)?;
    let wanted = format!("that the section [sources.{}] reads", source.name);
    frames::read(files, reading, &wanted, import)
}

struct Reading {
    path: PathBuf,
    source: String,
    house: RecordedHouse,
    /// `None` for one that cannot be followed any more.
    connections: BTreeMap<u64, Option<RecordedConnection>>,
    instruments: Vec<OfInstrument>,
    named: BTreeMap<(Kind, String), (Series, Adding)>,
    lost: Option<Loss>,
    gaps: u64,
    broken: u64,
    /// Targets that cannot be read, and names that the catalogue cannot keep.
    unread: u64,
    refused: BTreeSet<String>,
}

impl Reading {
    fn new(path: &Path, source: &SourceSettings) -> anyhow::Result<Self> {
        let (mut listed, mut instruments) = (Vec::new(), Vec::new());
        for (one, id) in source.instruments.iter().zip(0..) {
            let instrument = Instrument {
                price_decimals: one.price_decimals,
                quantity_decimals: one.quantity_decimals,
                ..Instrument::spot(InstrumentId(id), &one.name, AssetId(0), AssetId(1))
            };
            listed.push((one.symbol.clone(), instrument.clone()));
            instruments.push(OfInstrument::new(path, &source.name, instrument)?);
        }
        let numbers = source.numbers.iter().map(|number| {
            let series = house::Series {
                name: number.name.as_str().into(),
                max_age: number.max_age,
            };
            (number.symbol.clone(), series)
        });
        let symbols = HouseSymbols::new(listed)?.with_series(numbers)?;
        let transport = source.transport.clone();
        Ok(Self {
            path: path.to_owned(),
            source: source.name.clone(),
            house: RecordedHouse::new(source.address.clone(), transport, Arc::new(symbols)),
            connections: BTreeMap::new(),
            instruments,
            named: BTreeMap::new(),
            lost: None,
            gaps: 0,
            broken: 0,
            unread: 0,
            refused: BTreeSet::new(),
        })
    }

    fn message(
        &mut self,
        connection: u64,
        message: Message<'_>,
        at: Timestamp,
        import: &mut Import<'_>,
    ) -> anyhow::Result<()> {
        let house = &self.house;
        let place = self
            .connections
            .entry(connection)
            .or_insert_with(|| Some(house.connection()));
        let Some(connection) = place else {
            return Ok(());
        };
        let (mut events, mut gaps) = (Vec::new(), 0);
        let read = connection.read(message, at, &mut |incoming| match incoming {
            Incoming::Event { event, .. } | Incoming::Unlisted { event } => events.push(event),
            Incoming::Gap { .. } => gaps += 1,
            _ => {}
        });
        if read.is_err() {
            *place = None;
            self.broken += 1;
        }
        self.gaps += gaps;
        events
            .into_iter()
            .try_for_each(|event| self.event(at, event, import))
    }

    fn event(
        &mut self,
        at: Timestamp,
        event: HouseData,
        import: &mut Import<'_>,
    ) -> anyhow::Result<()> {
        match event {
            HouseData::Market(event) => {
                let id = match &event {
                    MarketEvent::Quote(quote) => quote.instrument,
                    MarketEvent::Trade(trade) => trade.instrument,
                    // It sends no others.
                    _ => return Ok(()),
                };
                let of = self.instruments.get_mut(id.index());
                of.map_or(Ok(()), |of| of.event(at, event, import))
            }
            HouseData::Number(number) => {
                let name = number
                    .series
                    .split_once(':')
                    .map_or(&*number.series, |(_, name)| name);
                let row = NumberRow {
                    event_time: number.event_time,
                    received_at: at,
                    value: number.value,
                    max_age: Some(number.max_age),
                };
                self.named(Kind::Numbers, name.to_owned(), Row::Number(row), import)
            }
            HouseData::Target(Ok(target)) => {
                let row = TargetRow {
                    event_time: target.event_time,
                    received_at: at,
                    instrument: None,
                    exposure: target.exposure,
                    expires: target.expires,
                };
                let name = format!("{}:{}", target.bot, target.instrument);
                self.named(Kind::Targets, name, Row::Target(Box::new(row)), import)
            }
            HouseData::Target(Err(_)) => {
                self.unread += 1;
                Ok(())
            }
        }
    }

    fn named(
        &mut self,
        kind: Kind,
        name: String,
        row: Row,
        import: &mut Import<'_>,
    ) -> anyhow::Result<()> {
        let key = (kind, name);
        if !self.named.contains_key(&key) {
            let Some(subject) = Subject::named(&key.1) else {
                self.refused.insert(key.1);
                return Ok(());
            };
            let series = Series {
                venue: self.source.clone(),
                subject,
                kind,
                interval: None,
            };
            let adding = Adding::new(&self.path, &series);
            self.named.insert(key.clone(), (series, adding));
        }
        if let Some((_, adding)) = self.named.get_mut(&key) {
            import.push(adding, row, 0)?;
        }
        Ok(())
    }
}

impl Recording for Reading {
    fn line(&mut self, text: &str, import: &mut Import<'_>) -> anyhow::Result<()> {
        if let Some(lost) = lost(text).filter(|lost| lost.frames > 0) {
            self.lost = Some(self.lost.map_or(lost, |known| known.and(lost)));
            // Of which connection they were nobody knows. One that is no WebSocket may continue within a message.
            for connection in self.connections.values_mut() {
                *connection = connection.take().filter(RecordedConnection::is_of_messages);
            }
            return Ok(());
        }
        let Some(line) = own(text) else {
            // It looks like a frame of a combined stream, and stands as it came.
            let (at, frame) = text.split_once(' ').unwrap_or_default();
            let at = at.parse().ok().map(Timestamp::from_nanos);
            let at = at.context("it does not begin with the time it was received")?;
            return self.message(0, Message::Text(frame.as_bytes()), at, import);
        };
        match line.what {
            "opened" => {
                let connection = number(line.data, "connection")?;
                self.connections
                    .insert(connection, Some(self.house.connection()));
            }
            "closed" => {
                self.connections.remove(&number(line.data, "connection")?);
            }
            "frame" => {
                let message = Message::Text(line.data.as_bytes());
                self.message(line.connection, message, line.at, import)?;
            }
            "bytes" => {
                let data: Value = serde_json::from_str(line.data)?;
                let bytes = data["base64"].as_str().unwrap_or_default();
                let bytes = BASE64.decode(bytes.as_bytes())?;
                let connection = number(line.data, "connection")?;
                self.message(connection, Message::Bytes(&bytes), line.at, import)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self, import: &mut Import<'_>) -> anyhow::Result<Finished> {
        let mut notes: Vec<String> = self.lost.map(in_words).into_iter().collect();
        if self.gaps > 0 {
            notes.push(format!(
                "{} times messages of the source are missing",
                self.gaps
            ));
        }
        if self.broken > 0 {
            notes.push(format!(
                "{} connections could not be followed to their end: they begin before the recording, or frames of them are lost",
                self.broken
            ));
        }
        if self.unread > 0 {
            notes.push(format!(
                "{} targets cannot be read and are left out",
                self.unread
            ));
        }
        if !self.refused.is_empty() {
            let names: Vec<String> = self.refused.into_iter().collect();
            notes.push(format!(
                "the catalogue keeps names of up to 200 letters, digits and - _ . : /; left out: {}",
                names.join(", ")
            ));
        }
        let mut done = Vec::new();
        for of in self.instruments {
            done.append(&mut of.finish(import)?);
        }
        for (series, adding) in self.named.into_values() {
            let imported = import.finish(adding)?;
            if imported != Imported::default() {
                done.push((series, imported));
            }
        }
        Ok((done, notes))
    }
}

fn number(data: &str, key: &str) -> anyhow::Result<u64> {
    let data: Value = serde_json::from_str(data)?;
    data[key]
        .as_u64()
        .with_context(|| format!("it has no {key}"))
}
