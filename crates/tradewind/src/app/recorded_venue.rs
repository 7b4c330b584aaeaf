//! The recording of a venue without an account in the place of the venue: `run --data PATH --reads NAME=PATH`.
//!
//! Its frames are read by the code that reads them live, each at the moment of the desk's clock at which it was received. So a desk
//! has the markets of several recordings on one timeline, that of their receive times. What lies before the desk's start is read
//! without being handed on: books are whole then, as far as the recording has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tradewind_data::Blocks;
use tradewind_model::{
    AssetId, Candle, Clock, FeedHealth, Instrument, InstrumentId, Interval, MarketEvent, Timestamp,
    VenueId,
};
use tradewind_venues::execution::CandleRange;
use tradewind_venues::{
    Assets, Connector, FrameReader, HealthChange, Incoming, MarketData, MarketSink, Pending,
    Source, SourceSettings, SourceSink, SymbolTable, ToMarketSink, Topic, VenueDecimals,
    VenueError, VenueKind, frame_reader,
};

use crate::app::desk_time::real;
use crate::app::recorder::noted::{Listed, files, instruments, noted, own};

/// Blocks that are read ahead.
const READ_AHEAD: usize = 4;
/// Longest wait before the desk's clock is looked at again.
const WAIT_MAX: Duration = Duration::from_millis(250);

/// A recorded venue.
#[derive(Debug)]
pub(super) struct RecordedVenue {
    name: String,
    venue: VenueId,
    kind: VenueKind,
    files: Vec<PathBuf>,
    listed: Vec<Listed>,
    in_use: Arc<Mutex<Vec<Instrument>>>,
    assets: Arc<Assets>,
    clock: Arc<dyn Clock>,
    connector: Arc<dyn Connector>,
}

impl RecordedVenue {
    /// Opens a recording of the venue `name`, whose kind is `kind`.
    ///
    /// # Errors
    /// There is no recording, or it is of another venue.
    pub(super) fn open(
        path: &Path,
        (name, kind): (&str, VenueKind),
        venue: VenueId,
        (assets, clock, connector): (&Arc<Assets>, &Arc<dyn Clock>, &Arc<dyn Connector>),
    ) -> anyhow::Result<Self> {
        let files = files(path)?;
        let shown = path.display();
        let found = noted(&files)?;
        let Some((recorded, listed)) = found else {
            bail!(
                "--reads {name}={shown}: there is no recording of a venue without an account; `tradewind data record {name}` makes one, and Binance is played with --data"
            );
        };
        if recorded != kind {
            let (recorded, kind) = (recorded.name(), kind.name());
            bail!(
                "--reads {name}={shown}: it is a recording of {recorded}, and {name} is of kind {kind}"
            );
        }
        Ok(Self {
            name: name.to_owned(),
            venue,
            kind,
            files,
            listed,
            in_use: Arc::default(),
            assets: Arc::clone(assets),
            clock: Arc::clone(clock),
            connector: Arc::clone(connector),
        })
    }

    /// The name that an instrument has here, whatever the venue was called where it was recorded.
    fn name_of(&self, listed: &Listed) -> String {
        let product = listed
            .name
            .split_once(':')
            .map_or(&*listed.name, |(_, one)| one);
        format!("{}:{product}", self.name)
    }

    fn instrument(&self, listed: &Listed) -> Instrument {
        let name = self.name_of(listed);
        let product = name.rsplit(':').next().unwrap_or_default();
        let (base, quote) = product.split_once('/').unwrap_or((product, product));
        let asset = |name: &str| -> AssetId { self.assets.intern(name) };
        Instrument {
            venue: self.venue,
            price_decimals: listed.price_decimals,
            quantity_decimals: listed.quantity_decimals,
            ..Instrument::spot(InstrumentId(0), name.clone(), asset(base), asset(quote))
        }
    }
}

impl MarketData for RecordedVenue {
    fn listings(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
        let all = self.listed.iter().map(|one| self.instrument(one)).collect();
        Box::pin(std::future::ready(Ok(all)))
    }

    fn use_instruments(&self, instruments: &[Instrument]) -> Result<(), VenueError> {
        let is_listed = |one: &&Instrument| {
            let mut listed = self.listed.iter();
            !listed.any(|listed| self.name_of(listed) == one.name)
        };
        if let Some(unknown) = instruments.iter().find(is_listed) {
            let what = format!("the recording of {} has no {}", self.name, unknown.name);
            return Err(VenueError::Ours(what));
        }
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        *in_use = instruments.to_vec();
        Ok(())
    }

    fn changed_instruments(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn candles(
        &self,
        _instrument: InstrumentId,
        _interval: Interval,
        _range: CandleRange,
    ) -> Pending<'_, Result<Vec<Candle>, VenueError>> {
        let none = "a recording has no candles of before".to_owned();
        Box::pin(std::future::ready(Err(VenueError::Ours(none))))
    }

    fn symbol(&self, name: &str) -> Option<String> {
        let mut listed = self.listed.iter();
        let found = listed.find(|listed| self.name_of(listed) == name);
        found.map(|listed| listed.symbol.clone())
    }

    /// The whole recording is one source: its frames are in one order.
    fn market_sources(
        &self,
        topics: &[Topic],
        sink: &Arc<dyn MarketSink>,
        _settings: SourceSettings,
    ) -> Vec<Box<dyn Source>> {
        if topics.is_empty() {
            return Vec::new();
        }
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        vec![Box::new(Playback {
            reader: Frames {
                kind: self.kind,
                symbols: Arc::default(),
                in_use: in_use.clone(),
                connections: BTreeMap::new(),
            },
            name: self.name.clone(),
            files: self.files.clone(),
            topics: topics.to_vec(),
            sink: ToMarketSink(Arc::new(Arc::clone(sink))),
            clock: Arc::clone(&self.clock),
            connector: Arc::clone(&self.connector),
            live: BTreeMap::new(),
        })]
    }
}

/// A recording that is played once.
struct Playback {
    name: String,
    files: Vec<PathBuf>,
    reader: Frames,
    topics: Vec<Topic>,
    sink: ToMarketSink<Arc<dyn MarketSink>>,
    clock: Arc<dyn Clock>,
    connector: Arc<dyn Connector>,
    /// What each instrument's health is.
    live: BTreeMap<InstrumentId, FeedHealth>,
}

impl Source for Playback {
    fn run(self: Box<Self>, stop: CancellationToken) -> Pending<'static, ()> {
        Box::pin(async move {
            let mut this = *self;
            let stopped = stop.clone();
            tokio::select! {
                () = stopped.cancelled() => return,
                () = this.play() => {}
            }
            // A recording is over once: nothing begins again.
            stop.cancelled().await;
        })
    }
}

impl Playback {
    async fn play(&mut self) {
        let (clock, connector) = (Arc::clone(&self.clock), Arc::clone(&self.connector));
        let started = clock.now();
        let (send, mut blocks) = mpsc::channel(READ_AHEAD);
        let files = std::mem::take(&mut self.files);
        let reading = tokio::task::spawn_blocking(move || read_blocks(&files, &send));
        while let Some(text) = blocks.recv().await {
            for line in text.lines() {
                let Some(line) = own(line) else { continue };
                let at = line.at;
                let is_past = at < started;
                if !is_past {
                    until(at, &*clock, &*connector).await;
                }
                match line.what {
                    "instruments" => match instruments(line.data) {
                        Ok((_, listed)) => self.reader.take_into_use(&listed),
                        Err(error) => self.problem(&error),
                    },
                    "opened" | "closed" => {
                        let data: serde_json::Value =
                            serde_json::from_str(line.data).unwrap_or_default();
                        let connection = data["connection"].as_u64().unwrap_or_default();
                        self.reader.connections.remove(&connection);
                    }
                    "lost" => {
                        // Nobody knows of which connection they were.
                        self.reader.connections.clear();
                        self.all_are(FeedHealth::Gap, "the recorder lost frames here", is_past);
                    }
                    "frame" => {
                        if let Err(error) = self.frame((line.connection, line.data), at, is_past) {
                            self.problem(&error.into());
                        }
                    }
                    _ => {}
                }
            }
        }
        if let Ok(Err(error)) = reading.await {
            self.problem(&error);
        }
        tracing::info!(venue = %self.name, "The recording is over.");
        self.all_are(FeedHealth::Stale, "the recording is over", false);
    }

    fn frame(
        &mut self,
        (connection, frame): (u64, &str),
        at: Timestamp,
        is_past: bool,
    ) -> Result<(), VenueError> {
        let mut read = Vec::new();
        let reader = self.reader.of(connection)?;
        reader.read(frame.as_bytes(), at, &mut |incoming| read.push(incoming));
        for incoming in read {
            match incoming {
                Incoming::Event { topic, event, .. }
                    if !is_past && self.topics.contains(&topic) =>
                {
                    self.is(instrument_of(&event), FeedHealth::Live, "data", Some(at));
                    self.sink.event(event);
                }
                Incoming::Lost { topic, .. } if !is_past => {
                    let why = "changes of its book are missing in the recording";
                    if let Some(instrument) = topic.instrument() {
                        self.is(instrument, FeedHealth::Gap, why, Some(at));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn all_are(&mut self, health: FeedHealth, reason: &str, is_past: bool) {
        if is_past {
            return;
        }
        let all: Vec<InstrumentId> = self.live.keys().copied().collect();
        for instrument in all {
            self.is(instrument, health, reason, None);
        }
    }

    /// Announces the health of an instrument, if it is another.
    fn is(
        &mut self,
        instrument: InstrumentId,
        health: FeedHealth,
        reason: &str,
        received_at: Option<Timestamp>,
    ) {
        if self.live.insert(instrument, health) != Some(health) {
            self.sink.health(HealthChange {
                received_at,
                ..HealthChange::new(instrument, health, reason)
            });
        }
    }

    fn problem(&self, error: &anyhow::Error) {
        tracing::error!(venue = %self.name, error = %format!("{error:#}"), "A part of the recording cannot be played.");
    }
}

fn instrument_of(event: &MarketEvent) -> InstrumentId {
    match event {
        MarketEvent::Quote(quote) => quote.instrument,
        MarketEvent::Trade(trade) => trade.instrument,
        MarketEvent::Candle(candle) => candle.instrument,
        MarketEvent::Depth(depth) => depth.instrument,
        MarketEvent::Health { instrument, .. } => *instrument,
    }
}

/// Waits for a moment of the desk's clock.
async fn until(at: Timestamp, clock: &dyn Clock, connector: &dyn Connector) {
    loop {
        let left = at.since(clock.now());
        if left.is_zero() {
            return;
        }
        let wait = real(left, clock.speed()).max(Duration::from_micros(100));
        connector.sleep(wait.min(WAIT_MAX)).await;
    }
}

/// Reads the files block by block until nobody takes them any more.
fn read_blocks(files: &[PathBuf], to: &mpsc::Sender<String>) -> anyhow::Result<()> {
    for path in files {
        let mut blocks = Blocks::open(path)?;
        let reading = || format!("reading {}", path.display());
        while let Some(text) = blocks.next_block().with_context(reading)? {
            if to.blocking_send(text).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Reads frames with the instruments in use.
struct Frames {
    kind: VenueKind,
    in_use: Vec<Instrument>,
    symbols: Arc<SymbolTable>,
    connections: BTreeMap<u64, Box<dyn FrameReader>>,
}

impl Frames {
    fn of(&mut self, connection: u64) -> Result<&mut Box<dyn FrameReader>, VenueError> {
        match self.connections.entry(connection) {
            std::collections::btree_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::btree_map::Entry::Vacant(new) => {
                Ok(new.insert(frame_reader(self.kind, Arc::clone(&self.symbols))?))
            }
        }
    }

    /// Reads on with instruments as they are noted: the venue may write other decimals than before, and the desk keeps its own.
    fn take_into_use(&mut self, listed: &[Listed]) {
        let mut decimals = VenueDecimals::new();
        let mut named = Vec::new();
        for one in listed {
            let product = one.name.rsplit(':').next();
            let known = self.in_use.iter();
            let mut known = known.filter(|known| known.name.rsplit(':').next() == product);
            let Some(instrument) = known.next() else {
                continue;
            };
            decimals.insert(instrument.id, (one.price_decimals, one.quantity_decimals));
            named.push((one.symbol.clone(), instrument.clone()));
        }
        match SymbolTable::new(named) {
            Ok(table) => self.symbols = Arc::new(table.with_venue_decimals(decimals)),
            Err(error) => tracing::error!(%error, "A symbol of the recording cannot be read."),
        }
        self.connections.clear();
    }
}
