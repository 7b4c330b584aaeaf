//! Paper on live prices: the market of a venue moves the embedded exchange, on which the desk trades.
//!
//! Two adapters are used. One reads the venue; it has no key, so it cannot sign. The other is the desk's own and connects to
//! the embedded exchange over TCP. Data of the first goes into the exchange through its [`MirrorFeed`]. Data of the second
//! goes to the engine while the venue's feed is live ([`MirrorSink`]).
//!
//! When the venue sends nothing, the embedded market stops and its feeds are stale. When the venue is back, missed minutes
//! are requested before candles continue. Start with [`Mirror::connect`]; candles are in `candles.rs`.

mod candles;
mod sinks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;
use tradewind_model::{Clock, Instrument, Interval, Ppm, VenueId};
use tradewind_risk::KillLatch;
use tradewind_simx_server::{MarketChoice, MirrorFeed};
use tradewind_venues::execution::{RequestId, VenueResponse};
use tradewind_venues::{
    BookSource, MarketSink, OrderEntry, SourceSettings, Topic, Venue, VenueContext, build,
};

use super::bans::Bans;
use super::hot_path::keep;
use super::sinks::MarketToQueues;
use super::supervisor::Supervisor;
use super::venue::{connector, context, kept_budget, public_settings};
use crate::config::{DeskConfig, VenueSettings};
use crate::driver::InputQueues;
use candles::Refills;
pub(super) use sinks::MirrorSink;
use sinks::{MirrorHealth, VenueToExchange};

/// A mirrored venue.
#[derive(Debug)]
pub(super) struct Mirror {
    venue: Arc<dyn Venue>,
    instruments: Vec<Instrument>,
    feed: MirrorFeed,
    clock: Arc<dyn Clock>,
}

impl Mirror {
    /// Requests time, instruments and past candles of the venue `name`: the initial state of the embedded exchange.
    ///
    /// # Errors
    /// An account belongs to another venue, an instrument is not listed, the venue bans this address for long, or it does not
    /// answer.
    pub(super) async fn connect(
        config: &DeskConfig,
        name: &str,
        latch: &Arc<KillLatch>,
        clock: &Arc<dyn Clock>,
        bans: &Bans,
    ) -> anyhow::Result<(Self, MarketChoice)> {
        refuse_other_venues(config, name)?;
        let place = config.venues.iter().position(|venue| venue.name == name);
        let place = place.with_context(|| format!("{} has no venue {name}", config.file))?;
        let settings = &config.venues[place];
        let mut context = context(latch, clock, connector(settings)?);
        let (now, limits) = (context.connector.now(), (Ppm::ONE, settings.retries));
        context.budget = kept_budget(bans, &settings.rest_url, now, limits);
        let venue = reader(config, settings, place, context)?;
        bans.wait([&settings.rest_url]).await?;
        let requesting = || format!("requesting the market of {name}");
        venue.server_time().await.with_context(requesting)?;
        let prefix = format!("{name}:");
        // Only its own: the lengths of candles go by place.
        let mut names = config.instrument_names();
        names.retain(|name| name.starts_with(&prefix));
        let products: Vec<&str> = names
            .iter()
            .filter_map(|name| name.strip_prefix(&prefix))
            .collect();
        let instruments = venue
            .instruments(&products)
            .await
            .with_context(requesting)?;
        let wanted = candles::wanted(config, &names);
        let candles_before_start = candles::before_start(venue.as_ref(), &instruments, &wanted);
        let feed = MirrorFeed::default();
        let mirror = tradewind_simx_server::Mirror {
            venue: name.to_owned(),
            candles: candles_before_start.await.with_context(requesting)?,
            instruments: instruments.clone(),
            assets: venue.assets().snapshot(),
            feed: feed.clone(),
        };
        tracing::info!(
            venue = name,
            instruments = instruments.len(),
            "Mirroring the market of a venue."
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

    /// The feed into the embedded exchange, for its queue metrics.
    pub(super) fn feed(&self) -> MirrorFeed {
        self.feed.clone()
    }

    /// Starts reading the venue and returns the sink for the embedded exchange's market data.
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
        let sink: Arc<dyn MarketSink> = Arc::new(VenueToExchange {
            feed: self.feed.clone(),
            health: Arc::clone(&health),
        });
        let settings = SourceSettings {
            stale_after,
            ..SourceSettings::default()
        };
        let topics: Vec<Topic> = self.instruments.iter().flat_map(topics).collect();
        for source in self.venue.market_sources(&topics, &sink, settings) {
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
            venue.maintain(stop).await;
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

/// The embedded exchange has one market: accounts of another venue would trade on the wrong prices.
fn refuse_other_venues(config: &DeskConfig, name: &str) -> anyhow::Result<()> {
    match config.accounts.iter().find(|account| account.venue != name) {
        Some(account) => bail!(
            "account {} belongs to {}, but --venue {name} has the prices of {name} only; \
             run with --venue {} or set its venue to \"{name}\"",
            account.name,
            account.venue,
            account.venue
        ),
        None => Ok(()),
    }
}

/// An adapter without a key: it can read public data only.
fn reader(
    config: &DeskConfig,
    settings: &VenueSettings,
    place: usize,
    context: VenueContext,
) -> anyhow::Result<Arc<dyn Venue>> {
    let settings = tradewind_venues::VenueSettings {
        // So that the log tells its connections from the desk's own.
        name: format!("mirrored-{}", settings.name),
        order_entry: OrderEntry::Rest,
        books: BookSource::Top20,
        ..public_settings(config, settings, VenueId(u32::try_from(place)?))
    };
    let name = settings.name.clone();
    // Nothing is begun here: it reads by its own methods.
    let responses = Arc::new(|_: RequestId, _: VenueResponse| {});
    let venue = build(settings, context, responses);
    venue.with_context(|| format!("venue {name}"))
}
