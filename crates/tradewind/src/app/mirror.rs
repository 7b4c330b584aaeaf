//! Paper on live prices: a venue's market is read here and moves the embedded exchange, on which the desk trades as always.
//!
//! Two adapters are at work and never meet but here. One reads the venue: it has no key, so nothing signed can reach it.
//! The other is the desk's own and talks to the embedded exchange over TCP. What the first hears goes into the exchange
//! by its [`MirrorFeed`]; what the second hears goes to the engine, as far as the venue stands behind it ([`MirrorSink`]).
//!
//! When the venue falls silent the embedded market stands still and its feeds are stale; when it comes back, minutes that
//! were missed are read again before candles go on. Start with [`Mirror::connect`]; candles are in `candles.rs`.

mod candles;
mod sinks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use tradewind_model::{AssetTable, Clock, Instrument, Interval, VenueId};
use tradewind_risk::KillLatch;
use tradewind_simx_server::{MarketChoice, MirrorFeed};
use tradewind_venues::binance::{Assets, BinanceConfig};
use tradewind_venues::{BinanceVenue, OrderGate, RateBudget, SourceSettings, Topic, client_config};

use super::parts::keep;
use super::sinks::MarketToQueues;
use super::supervisor::Supervisor;
use super::venue::WEIGHT_PER_MINUTE;
use crate::config::{DeskConfig, VenueSettings};
use crate::driver::InputQueues;
use candles::Refills;
pub(super) use sinks::MirrorSink;
use sinks::{MirrorHealth, VenueToExchange};

/// A venue that is read.
#[derive(Debug)]
pub(super) struct Mirror {
    venue: Arc<BinanceVenue>,
    instruments: Vec<Instrument>,
    feed: MirrorFeed,
    clock: Arc<dyn Clock>,
}

impl Mirror {
    /// Asks the venue `name` for its time, its instruments and their past candles: what the embedded exchange begins with.
    ///
    /// # Errors
    /// An account lies at another venue, an instrument is not listed, or the venue does not answer.
    pub(super) async fn connect(
        config: &DeskConfig,
        name: &str,
        latch: &Arc<KillLatch>,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<(Self, MarketChoice)> {
        refuse_other_venues(config, name)?;
        let place = config.venues.iter().position(|venue| venue.name == name);
        let place = place.with_context(|| format!("{} has no venue {name}", config.file))?;
        let venue = reader(config, &config.venues[place], place, latch, clock)?;
        let asking = || format!("asking {name} for its market");
        venue.server_time().await.with_context(asking)?;
        let prefix = format!("{name}:");
        let names = config.instrument_names();
        let products: Vec<&str> = names
            .iter()
            .filter_map(|name| name.strip_prefix(&prefix))
            .collect();
        let instruments = venue.instruments(&products).await.with_context(asking)?;
        let wanted = candles::wanted(config, &names);
        let candles_before_start = candles::before_start(&venue, &instruments, &wanted);
        let feed = MirrorFeed::default();
        let mirror = tradewind_simx_server::Mirror {
            venue: name.to_owned(),
            candles: candles_before_start.await.with_context(asking)?,
            instruments: instruments.clone(),
            assets: venue.assets().snapshot(),
            feed: feed.clone(),
        };
        tracing::info!(
            venue = name,
            instruments = instruments.len(),
            "The market of a venue is mirrored."
        );
        let clock = Arc::clone(clock);
        let mirrored = Self {
            venue,
            instruments,
            feed,
            clock,
        };
        Ok((mirrored, MarketChoice::Mirror(Box::new(mirror))))
    }

    /// Where what is read goes: for whoever shows how well that flows.
    pub(super) fn feed(&self) -> MirrorFeed {
        self.feed.clone()
    }

    /// Begins to read the venue, and gives the sink for what the embedded exchange then says.
    pub(super) fn start(
        self,
        supervisor: &mut Supervisor,
        queues: &Arc<InputQueues>,
        stale_after: Duration,
    ) -> Arc<MirrorSink> {
        let (missed, requests) = mpsc::channel(self.instruments.len().max(1));
        let queues = MarketToQueues(Arc::clone(queues));
        let health = Arc::new(MirrorHealth::new(
            self.instruments.len(),
            queues,
            &self.clock,
            missed,
        ));
        let sink = Arc::new(VenueToExchange {
            feed: self.feed.clone(),
            health: Arc::clone(&health),
        });
        let settings = SourceSettings {
            stale_after,
            ..SourceSettings::default()
        };
        let topics: Vec<Topic> = self.instruments.iter().flat_map(topics).collect();
        for mut source in self.venue.market_sources(&topics, &sink, settings) {
            source.start();
            supervisor.start("mirrored market", |stop| keep(source, stop));
        }
        let refills = Refills {
            venue: Arc::clone(&self.venue),
            feed: self.feed,
            health: Arc::clone(&health),
            clock: self.clock,
            missed: BTreeMap::new(),
        };
        supervisor.start("missed minutes", |stop| refills.run(requests, stop));
        let venue = self.venue;
        supervisor.start("mirrored clock", |stop| async move {
            venue.keep_clock(stop).await;
            Ok(())
        });
        Arc::new(MirrorSink(health))
    }
}

fn topics(instrument: &Instrument) -> [Topic; 4] {
    let id = instrument.id;
    [
        Topic::Quotes(id),
        Topic::Depth(id),
        Topic::Trades(id),
        Topic::Candles(id, Interval::Minute1),
    ]
}

/// One embedded exchange has one market: accounts elsewhere would trade on prices that are not theirs.
fn refuse_other_venues(config: &DeskConfig, name: &str) -> anyhow::Result<()> {
    match config.accounts.iter().find(|account| account.venue != name) {
        Some(account) => bail!(
            "account {} lies at {}, but --venue {name} has the prices of {name} alone; \
             run with --venue {} or set its venue to \"{name}\"",
            account.name,
            account.venue,
            account.venue
        ),
        None => Ok(()),
    }
}

/// An adapter without a key: it can read what is public and nothing else.
fn reader(
    config: &DeskConfig,
    settings: &VenueSettings,
    place: usize,
    latch: &Arc<KillLatch>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<BinanceVenue>> {
    let venue = BinanceConfig {
        venue: VenueId(u32::try_from(place)?),
        // So that its connections are told from the desk's own in the log.
        name: format!("mirrored-{}", settings.name),
        rest_url: settings.rest_url.clone(),
        ws_url: settings.ws_url.clone(),
        ws_api_url: settings.ws_api_url.clone(),
        key: None,
        seed: config.simulation.seed,
        ..BinanceConfig::default()
    };
    let gate = OrderGate::new(Arc::clone(latch), Arc::clone(clock));
    let adapter = BinanceVenue::new(
        venue,
        client_config(None)?,
        Arc::clone(clock),
        gate,
        Arc::new(Mutex::new(RateBudget::new(WEIGHT_PER_MINUTE))),
        Arc::new(Assets::new(AssetTable::default())),
    );
    Ok(Arc::new(
        adapter.with_context(|| format!("venue {}", settings.name))?,
    ))
}
