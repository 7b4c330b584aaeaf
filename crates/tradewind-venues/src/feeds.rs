//! Venues whose market data is read without an account: instruments and past candles over REST, the rest from their streams.
//!
//! They list instruments with prices only, so no order goes there. `dialect.rs` has what they call things; the HTTP client, its
//! budget and the sources are those of every venue.

mod dialect;
mod refills;
mod sinks;

use std::collections::BTreeMap;
use std::ops::RangeFrom;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    Candle, Clock, Instrument, InstrumentId, InstrumentStatus, Interval, VenueId,
};

use crate::address::{Address, Scheme};
use crate::binance::Assets;
use crate::binance::rest::{Call, Rest, RestSettings, lock};
use crate::budget::RateBudget;
use crate::clock_offset::ClockOffset;
use crate::error::VenueError;
use crate::execution::CandleRange;
use crate::machine::SourceSettings;
use crate::protocol::Topic;
use crate::public_session::{PublicSession, Spelling};
use crate::rules::{ListedFor, Listings, changed_rules};
use crate::sink::{MarketSink, ToMarketSink};
use crate::source::DataSource;
use crate::subscriptions::shards;
use crate::symbols::{SymbolTable, Symbols, VenueDecimals};
use crate::venue::{MarketData, Pending, Source, VenueContext, VenueKind, VenueSettings};
use crate::wire::{Connector, PacedConnector};
use crate::{bybit, coinbase, kraken, okx};
use dialect::Dialect;
use refills::Refills;
use sinks::{FeedSink, Speaks};

/// Longest to wait for the answer to a reading.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Most pages of one reading of candles.
const PAGES_MAX: usize = 200;
/// Topics on one connection to OKX: subscribed in three requests, of the 480 that an hour allows.
const OKX_TOPICS_MAX: usize = 300;
/// Topics on one connection to Kraken and to Coinbase, which name no limit: the first snapshots of a hundred books are many.
const TOPICS_MAX: usize = 400;
/// Before a hole in candles that could not be read is read again.
const REFILL_AGAIN: Duration = Duration::from_secs(5);

/// A venue without an account.
#[derive(Debug)]
struct Feed {
    dialect: Dialect,
    venue: VenueId,
    name: String,
    seed: u64,
    ws_address: Address,
    rest: Rest,
    budget: Arc<Mutex<RateBudget>>,
    /// When the next request may leave.
    next_request: Mutex<Duration>,
    connector: Arc<dyn Connector>,
    /// Opens the connections of its streams, no faster than the venue takes them.
    streams: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
    assets: Arc<Assets>,
    symbols: Arc<Symbols>,
    /// The symbol of each listed instrument, by name.
    listed: Mutex<BTreeMap<String, String>>,
    refills: Arc<Refills>,
    /// Notified when market data shows that instruments have other rules than were read.
    doubts: Arc<Notify>,
}

/// Builds the reader of a venue that has market data only. It connects nowhere.
///
/// # Errors
/// [`VenueError::Ours`] for an address that is refused, with the cure, or a venue that is used through an account.
pub fn build(
    settings: VenueSettings,
    context: VenueContext,
) -> Result<Arc<dyn MarketData>, VenueError> {
    let dialect = match settings.kind {
        VenueKind::Okx => Dialect::Okx,
        VenueKind::Bybit => Dialect::Bybit,
        VenueKind::Kraken => Dialect::Kraken,
        VenueKind::Coinbase => Dialect::Coinbase,
        VenueKind::Binance => {
            let what = format!("{} is read through an account", settings.name);
            return Err(VenueError::Ours(what));
        }
    };
    let address = |text: &str, scheme| {
        Address::parse(text, scheme).map_err(|error| VenueError::Ours(error.to_string()))
    };
    lock(&context.budget).set_limit(dialect.requests_per_minute());
    let rest = Rest::new(RestSettings {
        address: address(&settings.rest_url, Scheme::Http)?,
        connector: Arc::clone(&context.connector),
        key: None,
        window_ms: 0,
        within: ANSWER_WITHIN,
        order_within: ANSWER_WITHIN,
        clock: Arc::clone(&context.clock),
        offset: Arc::new(Mutex::new(ClockOffset::default())),
        budget: Arc::clone(&context.budget),
        seed: settings.seed,
    });
    let streams = match dialect.connection_spacing() {
        Some(spacing) => PacedConnector::shared(Arc::clone(&context.connector), spacing),
        None => Arc::clone(&context.connector),
    };
    let feed = Feed {
        dialect,
        venue: settings.venue,
        name: settings.name,
        seed: settings.seed,
        ws_address: address(&settings.ws_url, Scheme::WebSocket)?,
        rest,
        budget: context.budget,
        next_request: Mutex::default(),
        connector: context.connector,
        streams,
        clock: context.clock,
        assets: context.assets,
        symbols: Arc::default(),
        listed: Mutex::default(),
        refills: Arc::default(),
        doubts: Arc::default(),
    };
    Ok(Arc::new(FeedHandle(Arc::new(feed))))
}

/// A feed that its sources share.
#[derive(Clone, Debug)]
struct FeedHandle(Arc<Feed>);

impl Feed {
    /// Sends a reading when its turn has come, and keeps to what the venue says about its limits.
    async fn read(&self, call: &Call) -> Result<Vec<u8>, VenueError> {
        let now = self.connector.now();
        let at = {
            let mut next = lock(&self.next_request);
            let at = now.max(*next);
            *next = at + self.dialect.spacing();
            at
        };
        self.connector.sleep(at - now).await;
        let body = self.rest.read(call).await;
        body.map_err(|error| self.noted(error))
    }

    /// An error, after what it says about the venue's limits was noted.
    fn noted(&self, error: VenueError) -> VenueError {
        if let Some(wait) = self.dialect.blocks(&error) {
            let (venue, wait_s) = (&self.name, wait.as_secs());
            tracing::warn!(venue, wait_s, "Venue limits requests");
            lock(&self.budget).blocked(self.connector.now(), wait);
        }
        error
    }

    async fn listed(&self) -> Result<Listings, VenueError> {
        let body = self.read(&self.dialect.listings()).await?;
        let desk = ListedFor {
            venue: self.venue,
            name: &self.name,
            assets: &self.assets,
        };
        let listings = self.dialect.decode_listings(&body, desk);
        let mut listings = listings.map_err(|error| self.noted(error))?;
        for listing in &mut listings.listings {
            listing.instrument.status = InstrumentStatus::PricesOnly;
        }
        Ok(listings)
    }

    async fn read_listings(&self) -> Result<Vec<Instrument>, VenueError> {
        let listings = self.listed().await?;
        let mut listed = lock(&self.listed);
        let named = |listing: crate::rules::Listing| {
            listed.insert(listing.instrument.name.clone(), listing.symbol);
            listing.instrument
        };
        Ok(listings.listings.into_iter().map(named).collect())
    }

    async fn read_rules(&self) -> Result<Vec<Instrument>, VenueError> {
        let listings = self.listed().await?;
        let before = self.symbols.current();
        let (table, changed, decimals) = changed_rules(&before, listings.listings);
        if !changed.is_empty() || decimals != *before.venue_decimals() {
            self.take_into_use(table, decimals)?;
        }
        Ok(changed)
    }

    fn take_into_use(
        &self,
        named: Vec<(String, Instrument)>,
        decimals: VenueDecimals,
    ) -> Result<(), VenueError> {
        let table = SymbolTable::new(named);
        let table = table.map_err(|error| VenueError::Ours(error.to_string()))?;
        self.symbols.set(table.with_venue_decimals(decimals));
        Ok(())
    }

    /// Pages from the newest to the oldest that is needed.
    async fn read_candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        range: CandleRange,
    ) -> Result<Vec<Candle>, VenueError> {
        let symbols = self.symbols.current();
        let found = symbols
            .symbol(instrument)
            .zip(symbols.instrument(instrument));
        let (symbol, rules) = found.ok_or_else(|| {
            VenueError::Ours(format!("instrument {} is not in use here", instrument.0))
        })?;
        let (start, mut before, wanted) = match range {
            CandleRange::Latest(count) => (None, None, count as usize),
            CandleRange::Between(start, end) => (Some(start), Some(end), usize::MAX),
        };
        let (mut pages, mut count) = (Vec::new(), 0);
        while count < wanted && pages.len() < PAGES_MAX {
            let now = self.clock.now();
            let call = self
                .dialect
                .candles(symbol, interval, before, wanted - count, now);
            let body = self.read(&call).await?;
            let page = self.dialect.decode_candles(&body, rules, interval, now);
            let mut page = page.map_err(|error| self.noted(error))?;
            page.retain(|candle| before.is_none_or(|before| candle.open_time < before));
            let Some(oldest) = page.first().map(|candle| candle.open_time) else {
                break;
            };
            count += page.len();
            pages.push(page);
            before = Some(oldest);
            if start.is_some_and(|start| oldest <= start) {
                break;
            }
        }
        let mut candles: Vec<Candle> = pages.into_iter().rev().flatten().collect();
        candles.retain(|candle| start.is_none_or(|start| candle.open_time >= start));
        let surplus = candles.len().saturating_sub(wanted);
        candles.drain(..surplus);
        Ok(candles)
    }

    /// Reads the holes of its candles by request, until `stop`.
    async fn refill(&self, sink: &dyn MarketSink, stop: CancellationToken) {
        let mut again = false;
        loop {
            let wait = async {
                match again {
                    true => self.connector.sleep(REFILL_AGAIN).await,
                    false => self.refills.found().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = wait => {}
            }
            again = false;
            for hole in self.refills.holes() {
                // With the candles beside it: without them an answer says nothing of the hole.
                let one = hole.interval.duration();
                let range = CandleRange::Between(hole.from - one, hole.end + one);
                let read = tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    read = self.read_candles(hole.instrument, hole.interval, range) => read,
                };
                match read {
                    Ok(candles) => {
                        let hand_on = |next: refills::Next| next.to(sink, &self.name);
                        again |= self.refills.filled(&hole, candles, hand_on);
                    }
                    Err(error) => {
                        let venue = &self.name;
                        tracing::warn!(venue, ?hole, %error, "Missed candles could not be read");
                        let hand_on = |next: refills::Next| next.to(sink, &self.name);
                        again |= self.refills.failed(&hole, hand_on);
                    }
                }
            }
        }
    }

    /// Sources of topics, as many as the venue takes on one connection each.
    fn sources<S: Spelling>(
        &self,
        (topics, topics_max): (&[Topic], usize),
        numbers: &mut RangeFrom<u64>,
        make: impl Fn(Address, Arc<SymbolTable>) -> PublicSession<S> + Clone + Send + 'static,
        (sink, settings): (FeedSink, SourceSettings),
    ) -> Vec<Box<dyn Source>> {
        let sink = Arc::new(sink);
        let source = |(group, number): (Vec<Topic>, u64)| {
            let (address, symbols) = (self.ws_address.clone(), Arc::clone(&self.symbols));
            let make = make.clone();
            let mut source = DataSource::new(
                format!("{}-market-{number}", self.name),
                move || make(address.clone(), symbols.current()).following(Arc::clone(&symbols)),
                ToMarketSink(Arc::clone(&sink)),
                settings,
                Arc::clone(&self.streams),
                Arc::clone(&self.clock),
                self.seed.wrapping_add(number),
            );
            source.want(group);
            Box::new(source) as Box<dyn Source>
        };
        let groups = shards(topics, topics_max);
        groups.into_iter().zip(numbers).map(source).collect()
    }
}

/// Reads the holes of a feed's candles, and closes connections for that when the venue does.
struct Refilling {
    feed: FeedHandle,
    sink: Arc<dyn MarketSink>,
}

impl Source for Refilling {
    fn run(self: Box<Self>, stop: CancellationToken) -> Pending<'static, ()> {
        Box::pin(async move {
            let refill = self.feed.0.refill(&*self.sink, stop);
            tokio::select! {
                biased;
                () = refill => {}
                () = self.feed.0.rest.watch_idle() => {}
            }
        })
    }
}

impl MarketData for FeedHandle {
    fn listings(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
        Box::pin(self.0.read_listings())
    }

    fn use_instruments(&self, instruments: &[Instrument]) -> Result<(), VenueError> {
        let listed = lock(&self.0.listed);
        let with_symbol = |instrument: &Instrument| match listed.get(&instrument.name) {
            Some(symbol) => Ok((symbol.clone(), instrument.clone())),
            None => Err(VenueError::Ours(format!(
                "{} was not listed",
                instrument.name
            ))),
        };
        let named: Result<Vec<_>, _> = instruments.iter().map(with_symbol).collect();
        self.0.take_into_use(named?, VenueDecimals::new())
    }

    fn changed_instruments(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
        Box::pin(self.0.read_rules())
    }

    fn venue_decimals(&self) -> VenueDecimals {
        self.0.symbols.current().venue_decimals().clone()
    }

    fn symbol(&self, name: &str) -> Option<String> {
        lock(&self.0.listed).get(name).cloned()
    }

    fn rules_doubted(&self) -> Pending<'_, ()> {
        Box::pin(self.0.doubts.notified())
    }

    fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        range: CandleRange,
    ) -> Pending<'_, Result<Vec<Candle>, VenueError>> {
        Box::pin(self.0.read_candles(instrument, interval, range))
    }

    fn market_sources(
        &self,
        topics: &[Topic],
        sink: &Arc<dyn MarketSink>,
        settings: SourceSettings,
    ) -> Vec<Box<dyn Source>> {
        let feed = &*self.0;
        let (topics, missing): (Vec<Topic>, Vec<Topic>) =
            topics.iter().partition(|topic| match topic {
                Topic::Candles(_, interval) => feed.dialect.streams(*interval),
                _ => true,
            });
        for topic in missing {
            tracing::warn!(
                venue = feed.name,
                ?topic,
                "The venue does not stream such candles"
            );
        }
        let of_venue = match feed.dialect {
            Dialect::Okx => okx::settings(),
            Dialect::Bybit => bybit::settings(),
            Dialect::Kraken => kraken::settings(),
            Dialect::Coinbase => coinbase::settings(),
        };
        let mut settings = SourceSettings {
            stale_after: settings.stale_after,
            ..of_venue
        };
        // A connection may wait until all the others were opened.
        if let Some(spacing) = feed.dialect.connection_spacing() {
            let count = u32::try_from(topics.len() / OKX_TOPICS_MAX + 2).unwrap_or(u32::MAX);
            settings.connection.connect_within += spacing.saturating_mul(count);
        }
        let to = |speaks| {
            let sink = FeedSink {
                sink: Arc::clone(sink),
                venue: feed.name.clone(),
                refills: Arc::clone(&feed.refills),
                doubts: Arc::clone(&feed.doubts),
                speaks,
            };
            (sink, settings)
        };
        let (all, mut numbers) = (&topics[..], 0..);
        let mut sources = match feed.dialect {
            Dialect::Okx => {
                let mut sources = Vec::new();
                for (endpoint, speaks) in [
                    (okx::Endpoint::Public, Speaks::OfHealth),
                    // Candles come seldom: whether prices are current is for the quotes' connection to say.
                    (okx::Endpoint::Business, Speaks::OfDataOnly),
                ] {
                    let here = all.iter().copied();
                    let here: Vec<Topic> = here
                        .filter(|one| okx::Endpoint::of(*one) == endpoint)
                        .collect();
                    let make = move |address, symbols| {
                        okx::MarketProtocol::new(address, endpoint, symbols)
                    };
                    let here = (&here[..], OKX_TOPICS_MAX);
                    sources.extend(feed.sources(here, &mut numbers, make, to(speaks)));
                }
                sources
            }
            Dialect::Bybit => {
                let make = bybit::MarketProtocol::new;
                let all = (all, bybit::TOPICS_MAX);
                feed.sources(all, &mut numbers, make, to(Speaks::OfHealth))
            }
            Dialect::Kraken => {
                let make = kraken::MarketProtocol::new;
                let all = (all, TOPICS_MAX);
                feed.sources(all, &mut numbers, make, to(Speaks::OfHealth))
            }
            Dialect::Coinbase => {
                let make = coinbase::MarketProtocol::new;
                let all = (all, TOPICS_MAX);
                feed.sources(all, &mut numbers, make, to(Speaks::OfHealth))
            }
        };
        sources.push(Box::new(Refilling {
            feed: self.clone(),
            sink: Arc::clone(sink),
        }));
        sources
    }
}
