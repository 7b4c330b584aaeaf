//! Venues and sources of the configuration, read without a desk: for the recorder and for what fetches the past.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use tradewind_journal::{Disk, StateFile};
use tradewind_model::{Clock, Instrument, InstrumentId, Ppm, Timestamp, VenueId};
use tradewind_venues::execution::{RequestId, VenueResponse};
use tradewind_venues::{Connector, MarketData, VenueContext, VenueKind, build, build_feed};

use super::bans::Bans;
use super::feeds::Recorded;
pub(crate) use super::house::alone as house_source;
use super::recorder::InstrumentNotes;
pub(crate) use super::rules::Rules;
use super::venue::{context, kept_budget, public_settings, within_budget};
use crate::config::{DeskConfig, VenueSettings};

/// The bans that earlier runs in this folder left. The desk keeps its own there, too.
///
/// # Errors
/// The folder cannot be made.
pub(crate) fn bans(folder: &Path, now: fn() -> Timestamp) -> anyhow::Result<Bans> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = StateFile::new(Arc::new(Disk), folder, "bans.json");
    Ok(Bans::open(file, now))
}

/// A venue or a source of the configuration.
pub(crate) enum Feed<'a> {
    /// A venue, with its place among them.
    Venue(VenueId, &'a VenueSettings),
    /// A house source, by its name.
    House(&'a str),
}

impl<'a> Feed<'a> {
    /// Finds one by its name.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn find(config: &'a DeskConfig, name: &str) -> anyhow::Result<Self> {
        let mut venues = (0..).map(VenueId).zip(&config.venues);
        if let Some((id, venue)) = venues.find(|(_, venue)| venue.name == name) {
            return Ok(Self::Venue(id, venue));
        }
        let mut sources = config.sources.iter();
        if let Some(source) = sources.find(|source| source.name == name) {
            return Ok(Self::House(&source.name));
        }
        let venues = config.venues.iter().map(|venue| venue.name.as_str());
        let sources = config.sources.iter().map(|source| source.name.as_str());
        let known: Vec<&str> = venues.chain(sources).collect();
        bail!(
            "the configuration has no venue and no source {name:?}; it has {}",
            known.join(", ")
        )
    }
}

/// A venue that answers, with the instruments that are wanted of it in use.
#[derive(Debug)]
pub(crate) struct OpenVenue {
    /// What reads it.
    pub(crate) data: Arc<dyn MarketData>,
    /// What is in use, with ids from 0.
    pub(crate) instruments: Vec<Instrument>,
}

impl OpenVenue {
    /// Reads what a venue lists. `products` are names such as `BTC/USDT`; none are those of the configuration.
    ///
    /// # Errors
    /// The venue bans this address, does not answer, or does not list one of them.
    pub(crate) async fn open(
        config: &DeskConfig,
        (id, venue): (VenueId, &VenueSettings),
        products: &[String],
        connector: Arc<dyn Connector>,
        clock: &Arc<dyn Clock>,
        bans: &Bans,
    ) -> anyhow::Result<Self> {
        let (data, listed) = listings(config, (id, venue), connector, clock, bans).await?;
        let wanted = wanted(config, &venue.name, products)?;
        let mut instruments = Vec::new();
        for (id, name) in (0..).map(InstrumentId).zip(&wanted) {
            let found = listed.iter().find(|listed| listed.name == *name);
            let found = found.with_context(|| format!("the venue does not list {name}"))?;
            instruments.push(Instrument {
                id,
                ..found.clone()
            });
        }
        data.use_instruments(&instruments)?;
        Ok(Self { data, instruments })
    }

    /// Notes in a recording what its instruments are; what keeps the note true, for as long as it is run.
    pub(crate) fn note(&self, kind: VenueKind, notes: InstrumentNotes) -> Option<Rules> {
        let symbol = |one: &Instrument| Some((self.data.symbol(&one.name)?, one.clone()));
        let named: Vec<_> = self.instruments.iter().filter_map(symbol).collect();
        if named.is_empty() {
            return None;
        }
        let recorded = Recorded::new(notes, kind, named);
        recorded.note(&self.data.venue_decimals());
        Some(Rules::of_recording(Arc::clone(&self.data), recorded))
    }
}

/// What a venue lists, and what reads it.
///
/// # Errors
/// The venue bans this address, or does not answer.
pub(crate) async fn listings(
    config: &DeskConfig,
    (id, venue): (VenueId, &VenueSettings),
    connector: Arc<dyn Connector>,
    clock: &Arc<dyn Clock>,
    bans: &Bans,
) -> anyhow::Result<(Arc<dyn MarketData>, Vec<Instrument>)> {
    bans.wait([&venue.rest_url]).await?;
    let now = connector.now();
    let context = VenueContext {
        budget: kept_budget(bans, &venue.rest_url, now, (Ppm::ONE, venue.retries)),
        ..context(&Arc::default(), clock, connector)
    };
    let settings = public_settings(config, venue, id);
    let data: Arc<dyn MarketData> = if venue.kind.has_accounts() {
        let no_responses = |_: RequestId, _: VenueResponse| {};
        build(settings, context, Arc::new(no_responses))?
    } else {
        build_feed(settings, context)?
    };
    let listed = within_budget(|| data.listings()).await;
    let listed = listed.with_context(|| format!("requesting the instruments of {}", venue.name))?;
    Ok((data, listed))
}

/// The full names of products at a venue; without any those that the configuration names there.
fn wanted(config: &DeskConfig, venue: &str, products: &[String]) -> anyhow::Result<Vec<String>> {
    let prefix = format!("{venue}:");
    let mut names: Vec<String> = products
        .iter()
        .map(|product| format!("{prefix}{}", product.trim_start_matches(&prefix)))
        .collect();
    if names.is_empty() {
        names = config.instrument_names();
        names.retain(|name| name.starts_with(&prefix));
    }
    names.dedup();
    if names.is_empty() {
        bail!("the configuration names no instrument of {venue}; name some with --instruments");
    }
    Ok(names)
}
