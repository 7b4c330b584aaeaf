//! Binance as the desk uses it: one account's requests, orders and streams.
//!
//! Here is what it is made of, its clock and its streams; its requests are in `listing.rs`, `account.rs` and `orders.rs`.
//! Every method has a time-out. Orders go through the gate, once; what their answers mean is decided in `verdict.rs`.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_model::{AccountId, Clock, Instrument, InstrumentId, Timestamp, VenueId};

use super::assets::Assets;
use super::client_ids::ClientIds;
use super::entry::{Entry, OrderEntry};
use super::order_socket::{OrderSocket, SocketSettings};
use super::rest::{Rest, RestSettings, lock};
use super::session::MarketProtocol;
use super::signing::ApiKey;
use super::snapshots::Snapshots;
use super::user_events::AccountReader;
use super::user_stream::UserProtocol;
use crate::address::{Address, Scheme};
use crate::budget::RateBudget;
use crate::clock_offset::ClockOffset;
use crate::connection::ConnectionSettings;
use crate::error::VenueError;
use crate::gate::OrderGate;
use crate::machine::SourceSettings;
use crate::order_pool::OrderConnectionPool;
use crate::protocol::Topic;
use crate::sink::{AccountSink, MarketSink, ToAccountSink, ToMarketSink};
use crate::source::DataSource;
use crate::subscriptions::shards;
use crate::symbols::SymbolTable;
use crate::venue::OrdersBlocked;
use crate::wire::Connector;

/// Streams on one connection, by the venue's rules.
const STREAMS_MAX: usize = 1_024;
/// How often the venue's clock is read.
const CLOCK_EVERY: Duration = Duration::from_secs(60);

/// How books come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookSource {
    /// The best 20 levels, whole each time: nothing can be missed.
    Top20,
    /// A snapshot over REST and all changes since, by their numbers.
    Diffs,
}

/// Where Binance is and who we are there.
#[derive(Clone, Debug)]
pub struct BinanceConfig {
    /// The venue's id in the desk.
    pub venue: VenueId,
    /// Its name in printed instrument names.
    pub name: String,
    /// The account requests are made for.
    pub account: AccountId,
    /// REST: `scheme://host:port`.
    pub rest_url: String,
    /// Market streams: `scheme://host:port`.
    pub ws_url: String,
    /// WebSocket API, whole: `wss://ws-api.binance.com:443/ws-api/v3`.
    pub ws_api_url: String,
    /// The account's key; without one nothing signed is sent.
    pub key: Option<ApiKey>,
    /// Longest to wait for the answer to a reading.
    pub request_timeout: Duration,
    /// Longest to wait for the answer to an order, a cancel or a query.
    pub order_timeout: Duration,
    /// Which interface new orders go to.
    pub order_entry: OrderEntry,
    /// How books come.
    pub books: BookSource,
    /// How old a signed request may be when it arrives, in milliseconds, at most 60,000.
    pub receive_window_ms: u64,
    /// Seed of all jitter.
    pub seed: u64,
}

impl Default for BinanceConfig {
    fn default() -> Self {
        Self {
            venue: VenueId(0),
            name: "binance".to_owned(),
            account: AccountId(0),
            rest_url: "https://api.binance.com".to_owned(),
            ws_url: "wss://stream.binance.com:9443".to_owned(),
            ws_api_url: "wss://ws-api.binance.com:443/ws-api/v3".to_owned(),
            key: None,
            request_timeout: Duration::from_secs(30),
            order_timeout: Duration::from_secs(5),
            order_entry: OrderEntry::Rest,
            books: BookSource::Top20,
            receive_window_ms: 5_000,
            seed: 0,
        }
    }
}

/// A source of market data of this venue.
pub type MarketSource<S> = DataSource<MarketProtocol, MakeMarket, ToMarketSink<S>>;
/// The source of one account's events.
pub type UserSource<S> = DataSource<UserProtocol, MakeUser, ToAccountSink<S>>;
type MakeMarket = Box<dyn Fn() -> MarketProtocol + Send>;
type MakeUser = Box<dyn Fn() -> UserProtocol + Send>;

/// One account at Binance, real or simulated: the address decides.
#[derive(Debug)]
pub struct BinanceVenue {
    pub(super) config: BinanceConfig,
    ws_address: Address,
    ws_api_address: Address,
    connector: Arc<dyn Connector>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gate: Arc<OrderGate>,
    pub(super) rest: Rest,
    pub(super) entry: Entry,
    pub(super) offset: Arc<Mutex<ClockOffset>>,
    pub(super) budget: Arc<Mutex<RateBudget>>,
    pub(super) assets: Arc<Assets>,
    pub(super) symbols: RwLock<Arc<SymbolTable>>,
    pub(super) snapshots: Arc<Snapshots>,
    /// Our ids of the orders that answers named with the venue's.
    pub(super) client_ids: Mutex<ClientIds>,
}

impl BinanceVenue {
    /// Prepares everything; connects nowhere. Each socket will open through `connector`. `budget` is shared by all accounts
    /// behind one address.
    ///
    /// # Errors
    /// [`VenueError::Ours`] for an address that is refused, with the cure.
    pub fn new(
        config: BinanceConfig,
        connector: Arc<dyn Connector>,
        clock: Arc<dyn Clock>,
        gate: Arc<OrderGate>,
        budget: Arc<Mutex<RateBudget>>,
        assets: Arc<Assets>,
    ) -> Result<Self, VenueError> {
        let address = |text: &str, scheme| {
            Address::parse(text, scheme).map_err(|error| VenueError::Ours(error.to_string()))
        };
        let rest_address = address(&config.rest_url, Scheme::Http)?;
        let offset = Arc::new(Mutex::new(ClockOffset::default()));
        let settings = RestSettings {
            address: rest_address.clone(),
            connector: Arc::clone(&connector),
            key: config.key.clone(),
            window_ms: config.receive_window_ms,
            within: config.request_timeout,
            order_within: config.order_timeout,
            clock: Arc::clone(&clock),
            offset: Arc::clone(&offset),
            budget: Arc::clone(&budget),
            seed: config.seed,
        };
        let ws_api_address = address(&config.ws_api_url, Scheme::WebSocket)?;
        let entry = match config.order_entry {
            OrderEntry::Rest => Entry::Rest(Box::new(OrderConnectionPool::new(
                rest_address,
                Arc::clone(&connector),
                Arc::clone(&gate),
                config.order_timeout,
            ))),
            OrderEntry::WebSocket => Entry::WebSocket(Box::new(OrderSocket::new(SocketSettings {
                address: ws_api_address.clone(),
                connector: Arc::clone(&connector),
                clock: Arc::clone(&clock),
                gate: Arc::clone(&gate),
                within: config.order_timeout,
                seed: config.seed.wrapping_add(0x6f),
            }))),
        };
        Ok(Self {
            ws_address: address(&config.ws_url, Scheme::WebSocket)?,
            ws_api_address,
            rest: Rest::new(settings),
            entry,
            config,
            connector,
            clock,
            gate,
            offset,
            budget,
            assets,
            symbols: RwLock::default(),
            snapshots: Arc::default(),
            client_ids: Mutex::default(),
        })
    }

    /// The venue's time; also corrects the offset that signed requests use.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn server_time(&self) -> Result<Timestamp, VenueError> {
        self.rest.sync_clock().await
    }

    /// Reads the venue's clock every minute, and whenever the venue refuses our timestamp, until `stop` is cancelled.
    /// Its owner awaits it.
    pub async fn keep_clock(&self, stop: CancellationToken) {
        let mut wait = Duration::ZERO;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.rest.clock_doubted() => {}
                () = self.connector.sleep(wait) => {}
            }
            wait = CLOCK_EVERY;
            let synced = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                synced = self.rest.sync_clock() => synced,
            };
            if let Err(error) = synced {
                tracing::warn!(%error, "Clock of the venue not read");
            }
        }
    }

    /// Keeps the connection for new orders up, if the configuration has one, until `stop` is cancelled. Its owner
    /// awaits it. While it does not run, orders over the WebSocket API come back unsent.
    pub async fn keep_order_entry(&self, stop: CancellationToken) {
        match &self.entry {
            Entry::Rest(pool) => tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = pool.watch_idle() => {}
            },
            Entry::WebSocket(socket) => socket.run(stop).await,
        }
    }

    /// How far our idea of the venue's clock may be wrong; `None` before the first reading.
    #[must_use]
    pub fn clock_uncertainty(&self) -> Option<Duration> {
        lock(&self.offset).uncertainty(self.clock.now())
    }

    /// What keeps every order here now.
    #[must_use]
    pub fn orders_blocked(&self) -> Option<OrdersBlocked> {
        let wait = lock(&self.budget).exit_waits(self.connector.now());
        if !wait.is_zero() {
            return Some(OrdersBlocked::Budget(wait));
        }
        let is_refused = self.rest.is_clock_refused();
        is_refused.then_some(OrdersBlocked::Clock)
    }

    /// The venue's clock minus ours, in nanoseconds.
    #[must_use]
    pub fn clock_offset_nanos(&self) -> i64 {
        lock(&self.offset).offset_nanos(self.clock.now())
    }

    /// Market data of `topics` into `sink`: one source for each 1,024 of them, to be run. With books of changes, somebody must read
    /// their snapshots meanwhile.
    pub fn market_sources<S: MarketSink>(
        &self,
        topics: &[Topic],
        sink: &Arc<S>,
        settings: SourceSettings,
    ) -> Vec<MarketSource<S>> {
        let groups = shards(topics, STREAMS_MAX);
        let numbered = (0_u64..).zip(groups);
        numbered
            .map(|(number, group)| {
                let (address, symbols) = (self.ws_address.clone(), self.symbols());
                let snapshots = Arc::clone(&self.snapshots);
                let has_diffs = self.config.books == BookSource::Diffs;
                let make: MakeMarket = Box::new(move || {
                    let new = MarketProtocol::new(address.clone(), Arc::clone(&symbols));
                    match has_diffs {
                        true => new.with_diffs(Arc::clone(&snapshots)),
                        false => new,
                    }
                });
                let mut source = DataSource::new(
                    format!("{}-market-{number}", self.config.name),
                    make,
                    ToMarketSink(Arc::clone(sink)),
                    settings,
                    Arc::clone(&self.connector),
                    Arc::clone(&self.clock),
                    self.config.seed.wrapping_add(number),
                );
                source.want(group);
                source
            })
            .collect()
    }

    /// The account's events into `sink`, from a source to be run. It may be silent for as long as nothing happens.
    ///
    /// # Errors
    /// [`VenueError::Ours`] for an account without a key.
    pub fn user_source<S: AccountSink>(
        &self,
        sink: &Arc<S>,
        settings: SourceSettings,
    ) -> Result<UserSource<S>, VenueError> {
        let account = self.config.account;
        let (address, signer) = (self.ws_api_address.clone(), self.rest.signer()?);
        let reader = AccountReader {
            account,
            symbols: self.symbols(),
            assets: Arc::clone(&self.assets),
        };
        let make: MakeUser =
            Box::new(move || UserProtocol::new(address.clone(), signer.clone(), reader.clone()));
        let settings = SourceSettings {
            connection: ConnectionSettings {
                silence_max: None,
                ..settings.connection
            },
            ..settings
        };
        let mut source = DataSource::new(
            format!("{}-account", self.config.name),
            make,
            ToAccountSink::new(Arc::clone(sink), account),
            settings,
            Arc::clone(&self.connector),
            Arc::clone(&self.clock),
            self.config.seed.wrapping_add(0x75),
        );
        source.want([Topic::Account(account)]);
        Ok(source)
    }

    /// The assets its answers named so far.
    #[must_use]
    pub const fn assets(&self) -> &Arc<Assets> {
        &self.assets
    }

    /// The gate its orders pass.
    #[must_use]
    pub const fn gate(&self) -> &Arc<OrderGate> {
        &self.gate
    }

    /// The instruments in use.
    #[must_use]
    pub fn symbols(&self) -> Arc<SymbolTable> {
        let symbols = self.symbols.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&symbols)
    }
}

pub(super) fn known(
    symbols: &SymbolTable,
    instrument: InstrumentId,
) -> Result<(&str, &Instrument), VenueError> {
    symbols
        .symbol(instrument)
        .zip(symbols.instrument(instrument))
        .ok_or_else(|| VenueError::Ours(format!("instrument {} is not in use here", instrument.0)))
}
