//! Venues that are read without an account: prices that bots look at besides those they trade on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_events::Configuration;
use tradewind_model::{Instrument, Ppm, VenueId};
use tradewind_venues::{
    Connector, MarketData, MarketSink, VenueContext, VenueDecimals, VenueKind, build_feed,
};

use crate::app::bans::Bans;
use crate::app::feed_reads::{FeedReader, FeedReads};
use crate::app::hot_path::{HotPath, Tasks};
use crate::app::recorded_venue::RecordedVenue;
use crate::app::recorder::InstrumentNotes;
use crate::app::recordings::Recordings;
use crate::app::unanswered::{Start, at_start, recalled, waits};
use crate::app::venue::{kept_budget, public_settings, within_budget};
use crate::config::DeskConfig;
use crate::driver::InputQueues;

/// A venue without an account, of which some bot reads an instrument.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    name: String,
    address: String,
    data: Arc<dyn MarketData>,
    kind: VenueKind,
    recorded: OnceLock<Recorded>,
    /// Whether the venue has listed its instruments since the start.
    is_read: watch::Sender<bool>,
    /// Whether instruments that were listed after the start are in use.
    is_used: watch::Sender<bool>,
}

/// What keeps a recording's note of instruments as the venue writes their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    notes: InstrumentNotes,
    kind: VenueKind,
    named: Vec<(String, Instrument)>,
}

impl Recorded {
    /// Instruments by the venue's symbols.
    pub(crate) const fn new(
        notes: InstrumentNotes,
        kind: VenueKind,
        named: Vec<(String, Instrument)>,
    ) -> Self {
        Self { notes, kind, named }
    }

    /// Writes down what the instruments are, with the decimals that the venue writes now.
    pub(crate) fn note(&self, decimals: &VenueDecimals) {
        let mut named = self.named.clone();
        for (_, instrument) in &mut named {
            if let Some((price, quantity)) = decimals.get(&instrument.id) {
                instrument.price_decimals = *price;
                instrument.quantity_decimals = *quantity;
            }
        }
        self.notes.write(self.kind, &named);
    }
}

/// Builds a reader for each venue without accounts that some bot reads; connects nowhere. `connectors` are by venue. With `reads`
/// each is played from the recording that is given for it.
///
/// # Errors
/// An address is refused.
pub(super) fn prepare(
    config: &DeskConfig,
    connectors: &[Arc<dyn Connector>],
    shared: &VenueContext,
    (bans, reads): (&Bans, Option<&BTreeMap<String, PathBuf>>),
) -> anyhow::Result<Vec<Feed>> {
    if let Some(reads) = reads {
        all_are_read(config, reads)?;
    }
    let names = config.instrument_names();
    let mut feeds = Vec::new();
    let venues = (0..).map(VenueId).zip(&config.venues).zip(connectors);
    for ((id, venue), connector) in venues {
        let is_read = names.iter().any(|name| is_of(name, &venue.name));
        if venue.kind.has_accounts() || !is_read {
            continue;
        }
        if let Some(reads) = reads {
            let recording = reads.get(&venue.name).with_context(|| {
                let name = &venue.name;
                format!("bots read {name}, and recorded data is played: give its recording with --reads {name}=PATH")
            })?;
            let place = (&shared.assets, &shared.clock, connector);
            let data = RecordedVenue::open(recording, (&venue.name, venue.kind), id, place)?;
            feeds.push(Feed {
                name: venue.name.clone(),
                address: recording.display().to_string(),
                kind: venue.kind,
                recorded: OnceLock::new(),
                is_read: watch::Sender::new(false),
                is_used: watch::Sender::new(false),
                data: Arc::new(data),
            });
            continue;
        }
        let context = VenueContext {
            connector: Arc::clone(connector),
            // Its limits are its own, and it runs in real time whatever the desk's clock does.
            budget: kept_budget(
                bans,
                &venue.rest_url,
                connector.now(),
                (Ppm::ONE, venue.retries),
            ),
            ..shared.clone()
        };
        let data = build_feed(public_settings(config, venue, id), context);
        feeds.push(Feed {
            name: venue.name.clone(),
            address: venue.rest_url.clone(),
            kind: venue.kind,
            recorded: OnceLock::new(),
            is_read: watch::Sender::new(false),
            is_used: watch::Sender::new(false),
            data: data.with_context(|| format!("venue {}", venue.name))?,
        });
    }
    Ok(feeds)
}

/// Each recording that is given is of a venue without an account that some bot reads.
fn all_are_read(config: &DeskConfig, reads: &BTreeMap<String, PathBuf>) -> anyhow::Result<()> {
    let names = config.instrument_names();
    for name in reads.keys() {
        let mut venues = config.venues.iter();
        let is_feed = venues.any(|venue| venue.name == *name && !venue.kind.has_accounts());
        anyhow::ensure!(
            is_feed,
            "--reads {name}: {} has no venue {name:?} that is read without an account",
            config.file
        );
        anyhow::ensure!(
            names.iter().any(|one| is_of(one, name)),
            "--reads {name}: no bot reads an instrument of it; write reads = [\"{name}:BTC/USDT\"] in one"
        );
    }
    Ok(())
}

/// What reads past candles of instruments without an account at their venue.
pub(super) fn reads(
    feeds: &[Feed],
    configuration: &Configuration,
    queues: &Arc<InputQueues>,
) -> (FeedReads, Vec<FeedReader>) {
    let instruments = &configuration.instruments;
    let of_feed = |feed: &Feed| {
        let here = instruments.iter();
        let here = here.filter(|one| one.has_data() && feed.has(one));
        (Arc::clone(&feed.data), here.map(|one| one.id).collect())
    };
    let feeds = feeds.iter().map(of_feed).collect();
    FeedReads::new(queues, instruments.len(), feeds)
}

/// Whether an instrument's name begins with the venue's.
fn is_of(instrument: &str, venue: &str) -> bool {
    let begins = instrument.split_once(':');
    begins.is_some_and(|(begin, _)| begin == venue)
}

impl Feed {
    /// Where it is requested.
    pub(super) const fn address(&self) -> &String {
        &self.address
    }

    /// Writes into its recording what its instruments are, if it has one.
    pub(super) fn note(&self, recordings: &Recordings, configuration: &Configuration) {
        let here = configuration.instruments.iter().filter(|one| self.has(one));
        let named = here.filter_map(|one| Some((self.data.symbol(&one.name)?, one.clone())));
        let notes = recordings.notes(&self.name);
        let Some(notes) = notes.filter(|_| *self.is_read.borrow()) else {
            return;
        };
        let recorded = self
            .recorded
            .get_or_init(|| Recorded::new(notes, self.kind, named.collect()));
        recorded.note(&self.data.venue_decimals());
    }

    /// What notes its instruments in its recording, if it has one.
    pub(super) fn recorded(&self) -> Option<Recorded> {
        self.recorded.get().cloned()
    }

    /// What reads it.
    pub(super) const fn data(&self) -> &Arc<dyn MarketData> {
        &self.data
    }

    /// Whether an instrument is of this venue.
    pub(super) fn has(&self, instrument: &Instrument) -> bool {
        is_of(&instrument.name, &self.name)
    }

    /// What it lists, or what an earlier run knew of it while it does not answer. Without that it is waited for.
    ///
    /// # Errors
    /// It refuses.
    pub(super) async fn listings(
        &self,
        config: &DeskConfig,
        known: &Configuration,
    ) -> anyhow::Result<Vec<Instrument>> {
        let recalled = || recalled(config, &self.name, known);
        let start = at_start(&self.name, || self.read(), recalled).await?;
        Ok(match start {
            Start::Read(listed) => {
                self.is_read.send_replace(true);
                listed
            }
            Start::Recalled(listed, _) => listed,
        })
    }

    async fn read(&self) -> anyhow::Result<Vec<Instrument>> {
        let listed = within_budget(|| self.data.listings()).await;
        listed.with_context(|| {
            let name = &self.name;
            format!("requesting the instruments of {name}, which bots read; without {name} in their reads the desk starts")
        })
    }

    /// Reads what it lists, again and again until it answers, and takes what the configuration has of it into use. Its market data
    /// starts then.
    ///
    /// # Errors
    /// It does not list an instrument.
    async fn read_late(
        self,
        configuration: Arc<Configuration>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut backoff = waits();
        while let Err(error) = self.read().await {
            let wait = backoff.next_wait();
            let (venue, error) = (&self.name, format!("{error:#}"));
            tracing::warn!(
                venue,
                error,
                wait_s = wait.as_secs(),
                "A venue that bots read does not answer; it is tried again."
            );
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.is_read.send_replace(true);
        self.take_into_use(&configuration)?;
        self.is_used.send_replace(true);
        tracing::info!(venue = self.name, "A venue that bots read answers now.");
        stop.cancelled().await;
        Ok(())
    }

    /// Takes its instruments of the configuration into use, by the ids they have there.
    ///
    /// # Errors
    /// One that it does not list.
    pub(super) fn take_into_use(&self, configuration: &Configuration) -> anyhow::Result<()> {
        if !*self.is_read.borrow() {
            return Ok(());
        }
        let here = configuration.instruments.iter();
        let here = here.filter(|one| one.has_data() && self.has(one));
        let here: Vec<Instrument> = here.cloned().collect();
        Ok(self.data.use_instruments(&here)?)
    }

    /// Starts its market data, if an instrument of it is in use.
    pub(super) fn start(&self, path: &HotPath, tasks: &mut impl Tasks, sink: &Arc<dyn MarketSink>) {
        let mut instruments = path.configuration.instruments.iter();
        let Some(one) = instruments.find(|one| self.has(one)) else {
            return;
        };
        if *self.is_read.borrow() {
            return path.start_market_data_of(tasks, one.venue, &self.data, sink);
        }
        let (feed, configuration) = (self.clone(), Arc::clone(&path.configuration));
        tasks.keep_slow("venue start", move |stop| {
            feed.clone().read_late(Arc::clone(&configuration), stop)
        });
        let place = (one.venue, &self.data);
        path.start_market_data_after(tasks, &self.is_used, place, sink);
    }
}
