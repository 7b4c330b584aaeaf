//! Venues whose market data is read without an account: instruments and past candles over REST, the rest from their streams.
//!
//! They list instruments with prices only, so no order goes there. `dialect.rs` has what they call things; the HTTP client, its
//! budget and the sources are those of every venue.

mod dialect;
mod sinks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

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
use crate::protocol::{Protocol, Topic};
use crate::rules::ListedFor;
use crate::sink::{MarketSink, ToMarketSink};
use crate::source::DataSource;
use crate::subscriptions::shards;
use crate::symbols::SymbolTable;
use crate::venue::{MarketData, Pending, Source, VenueContext, VenueKind, VenueSettings};
use crate::wire::Connector;
use crate::{bybit, okx};
use dialect::Dialect;
use sinks::WithoutHealth;

/// Longest to wait for the answer to a reading.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Most pages of one reading of candles.
const PAGES_MAX: usize = 200;
/// Topics on one connection to OKX: subscribed in three requests, of the 480 that an hour allows.
const OKX_TOPICS_MAX: usize = 300;

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
    clock: Arc<dyn Clock>,
    assets: Arc<Assets>,
    symbols: RwLock<Arc<SymbolTable>>,
    /// The symbol of each listed instrument, by name.
    listed: Mutex<BTreeMap<String, String>>,
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
    Ok(Arc::new(Feed {
        dialect,
        venue: settings.venue,
        name: settings.name,
        seed: settings.seed,
        ws_address: address(&settings.ws_url, Scheme::WebSocket)?,
        rest,
        budget: context.budget,
        next_request: Mutex::default(),
        connector: context.connector,
        clock: context.clock,
        assets: context.assets,
        symbols: RwLock::default(),
        listed: Mutex::default(),
    }))
}

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

    fn symbols(&self) -> Arc<SymbolTable> {
        let symbols = self.symbols.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&symbols)
    }

    async fn read_listings(&self) -> Result<Vec<Instrument>, VenueError> {
        let body = self.read(&self.dialect.listings()).await?;
        let desk = ListedFor {
            venue: self.venue,
            name: &self.name,
            assets: &self.assets,
        };
        let listings = self.dialect.decode_listings(&body, desk);
        let listings = listings.map_err(|error| self.noted(error))?;
        let mut listed = lock(&self.listed);
        let priced = |listing: crate::rules::Listing| {
            listed.insert(listing.instrument.name.clone(), listing.symbol);
            Instrument {
                status: InstrumentStatus::PricesOnly,
                ..listing.instrument
            }
        };
        Ok(listings.listings.into_iter().map(priced).collect())
    }

    /// Pages from the newest to the oldest that is needed.
    async fn read_candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        range: CandleRange,
    ) -> Result<Vec<Candle>, VenueError> {
        let symbols = self.symbols();
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
            let call = self
                .dialect
                .candles(symbol, interval, before, wanted - count);
            let body = self.read(&call).await?;
            let page = self.dialect.decode_candles(&body, rules, interval);
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

    /// One source of a group of topics, under a number of its own.
    fn source<P>(
        &self,
        number: u64,
        topics: Vec<Topic>,
        make: impl Fn() -> P + Send + 'static,
        sink: &Arc<dyn MarketSink>,
        settings: SourceSettings,
    ) -> Box<dyn Source>
    where
        P: Protocol<Event = tradewind_model::MarketEvent>,
    {
        let mut source = DataSource::new(
            format!("{}-market-{number}", self.name),
            make,
            ToMarketSink(Arc::new(Arc::clone(sink))),
            settings,
            Arc::clone(&self.connector),
            Arc::clone(&self.clock),
            self.seed.wrapping_add(number),
        );
        source.want(topics);
        Box::new(source)
    }
}

impl MarketData for Feed {
    fn listings(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
        Box::pin(self.read_listings())
    }

    fn use_instruments(&self, instruments: &[Instrument]) -> Result<(), VenueError> {
        let listed = lock(&self.listed);
        let with_symbol = |instrument: &Instrument| match listed.get(&instrument.name) {
            Some(symbol) => Ok((symbol.clone(), instrument.clone())),
            None => Err(VenueError::Ours(format!(
                "{} was not listed",
                instrument.name
            ))),
        };
        let named: Result<Vec<_>, _> = instruments.iter().map(with_symbol).collect();
        let table = SymbolTable::new(named?);
        let table = table.map_err(|error| VenueError::Ours(error.to_string()))?;
        *self.symbols.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        Ok(())
    }

    fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        range: CandleRange,
    ) -> Pending<'_, Result<Vec<Candle>, VenueError>> {
        Box::pin(self.read_candles(instrument, interval, range))
    }

    fn market_sources(
        &self,
        topics: &[Topic],
        sink: &Arc<dyn MarketSink>,
        settings: SourceSettings,
    ) -> Vec<Box<dyn Source>> {
        let of_venue = match self.dialect {
            Dialect::Okx => okx::settings(),
            Dialect::Bybit => bybit::settings(),
        };
        let settings = SourceSettings {
            stale_after: settings.stale_after,
            ..of_venue
        };
        match self.dialect {
            Dialect::Okx => {
                let is_public = |topic: &Topic| okx::Endpoint::of(*topic) == okx::Endpoint::Public;
                let (public, business): (Vec<Topic>, Vec<Topic>) =
                    topics.iter().partition(|topic| is_public(topic));
                let groups = |topics: &[Topic], endpoint| {
                    let groups = shards(topics, OKX_TOPICS_MAX).into_iter();
                    groups.map(move |group| (endpoint, group))
                };
                let all = groups(&public, okx::Endpoint::Public)
                    .chain(groups(&business, okx::Endpoint::Business));
                // Candles come seldom: whether prices are current is for the quotes' connection to say.
                let quiet: Arc<dyn MarketSink> = Arc::new(WithoutHealth(Arc::clone(sink)));
                (0..)
                    .zip(all)
                    .map(|(number, (endpoint, group))| {
                        let (address, symbols) = (self.ws_address.clone(), self.symbols());
                        let make = move || {
                            let symbols = Arc::clone(&symbols);
                            okx::MarketProtocol::new(address.clone(), endpoint, symbols)
                        };
                        match endpoint {
                            okx::Endpoint::Public => {
                                self.source(number, group, make, sink, settings)
                            }
                            okx::Endpoint::Business => {
                                self.source(number, group, make, &quiet, settings)
                            }
                        }
                    })
                    .collect()
            }
            Dialect::Bybit => (0..)
                .zip(shards(topics, bybit::TOPICS_MAX))
                .map(|(number, group)| {
                    let (address, symbols) = (self.ws_address.clone(), self.symbols());
                    let make =
                        move || bybit::MarketProtocol::new(address.clone(), Arc::clone(&symbols));
                    self.source(number, group, make, sink, settings)
                })
                .collect(),
        }
    }
}
