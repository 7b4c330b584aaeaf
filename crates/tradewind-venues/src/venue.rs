//! The desk's interface to a venue, besides the execution of requests. [`build`] builds every kind of venue.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AccountId, Candle, Clock, Instrument, InstrumentId, Interval, Timestamp, Trade, TradeId,
    VenueId,
};

use crate::binance::{self, ApiKey, Assets, BookSource, KeyRefusal, OrderEntry};
use crate::budget::RateBudget;
use crate::error::VenueError;
use crate::execution::{CandleRange, ExecutionVenue, ResponseSink};
use crate::gate::OrderGate;
use crate::machine::SourceSettings;
use crate::protocol::{Protocol, Topic};
use crate::sink::{AccountSink, AssetBalance, MarketSink, SourceSink};
use crate::source::DataSource;
use crate::symbols::VenueDecimals;
use crate::wire::Connector;

/// A future that a trait object gives.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a page of trades begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradesFrom {
    /// With the first trade at this time or later.
    Time(Timestamp),
    /// With this trade, or the first one after it.
    Id(TradeId),
}

/// The public market data of a venue. Every method that waits has a time-out.
pub trait MarketData: std::fmt::Debug + Send + Sync {
    /// All that the venue lists. Each id is 0 until [`use_instruments`](Self::use_instruments) sets it.
    fn listings(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>>;

    /// Takes instruments into use, which [`listings`](Self::listings) has named, by the ids they have here.
    ///
    /// # Errors
    /// [`VenueError::Ours`] for one that was not listed.
    fn use_instruments(&self, instruments: &[Instrument]) -> Result<(), VenueError>;

    /// Takes instruments for listed that an earlier run used, while the venue cannot be read. False if their symbols are not known
    /// without a listing.
    fn recall(&self, _known: &[Instrument]) -> bool {
        false
    }

    /// Reads the rules of the instruments in use again. Those that changed come back, each as a new revision.
    fn changed_instruments(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>>;

    /// The decimals of prices and quantities in which the venue writes numbers, of instruments whose own are others.
    fn venue_decimals(&self) -> VenueDecimals {
        VenueDecimals::new()
    }

    /// Resolves when market data shows that the rules may have changed.
    fn rules_doubted(&self) -> Pending<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// Closed candles, oldest first.
    fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        range: CandleRange,
    ) -> Pending<'_, Result<Vec<Candle>, VenueError>>;

    /// What the venue calls an instrument of this name, after it was listed.
    fn symbol(&self, _name: &str) -> Option<String> {
        None
    }

    /// A page of public trades of the past, oldest first; an empty one if there are none.
    fn past_trades(
        &self,
        _instrument: InstrumentId,
        _from: TradesFrom,
    ) -> Pending<'_, Result<Vec<Trade>, VenueError>> {
        let none = "past trades are not read from this venue".to_owned();
        Box::pin(std::future::ready(Err(VenueError::Ours(none))))
    }

    /// Sources of market data of `topics`, to be run.
    fn market_sources(
        &self,
        topics: &[Topic],
        sink: &Arc<dyn MarketSink>,
        settings: SourceSettings,
    ) -> Vec<Box<dyn Source>>;
}

/// What keeps every order of an account here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrdersBlocked {
    /// The venue blocks requests, or the budget of the minute is spent: for so long.
    Budget(Duration),
    /// The venue refused a time stamp, and its clock could not be read since.
    Clock,
}

/// One account at a venue. Every method that waits has a time-out.
pub trait Venue: ExecutionVenue + MarketData {
    /// The venue's time. Also corrects the clock offset that signed requests use.
    fn server_time(&self) -> Pending<'_, Result<Timestamp, VenueError>>;

    /// Refuses a key that is not fit for trading with real money (X07).
    fn check_key(&self) -> Pending<'_, Result<(), KeyRefusal>>;

    /// Reads the instruments of `products`, such as `BTC/USDT`, and takes them into use with ids in this order, from 0.
    /// Products that the venue does not list are [`VenueError::Ours`].
    fn instruments<'a>(
        &'a self,
        products: &'a [&'a str],
    ) -> Pending<'a, Result<Vec<Instrument>, VenueError>>;

    /// The account's balances that are not zero.
    fn balances(&self) -> Pending<'_, Result<Vec<AssetBalance>, VenueError>>;

    /// The source of the account's events, to be run.
    ///
    /// # Errors
    /// [`VenueError::Ours`] for an account without a key.
    fn account_source(
        &self,
        sink: &Arc<dyn AccountSink>,
        settings: SourceSettings,
    ) -> Result<Box<dyn Source>, VenueError>;

    /// Keeps the clock offset and the connections for orders, and carries out orders and cancels, until `stop`. Then each
    /// that has no answer fails. Its place is the thread that begins orders.
    fn maintain(&self, stop: CancellationToken) -> Pending<'_, ()>;

    /// Carries out the requests that read until `stop`. Then each that has no answer fails. Answers may take long to
    /// decode, so its place is another thread.
    fn serve_reads(&self, stop: CancellationToken) -> Pending<'_, ()>;

    /// How far the offset of the venue's clock may be wrong; `None` before its first reading.
    fn clock_uncertainty(&self) -> Option<Duration>;

    /// What keeps every order here now, as far as that is known without a request.
    fn orders_blocked(&self) -> Option<OrdersBlocked>;

    /// The assets that the venue's answers named so far.
    fn assets(&self) -> &Arc<Assets>;
}

/// A source that connects, subscribes and reconnects by itself. Its owner awaits it, and gets its panic.
pub trait Source: Send {
    /// Runs until `stop`.
    fn run(self: Box<Self>, stop: CancellationToken) -> Pending<'static, ()>;
}

impl<P, M, K> Source for DataSource<P, M, K>
where
    P: Protocol,
    M: Fn() -> P + Send + 'static,
    K: SourceSink<P::Event>,
    Self: Send + 'static,
{
    fn run(mut self: Box<Self>, stop: CancellationToken) -> Pending<'static, ()> {
        Box::pin(async move { Self::run(&mut self, stop).await })
    }
}

/// Which adapter talks to a venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueKind {
    /// Binance, spot.
    Binance,
    /// OKX, the market data of its spot instruments.
    Okx,
    /// Bybit, the market data of its spot instruments.
    Bybit,
    /// Kraken, the market data of its spot instruments.
    Kraken,
    /// Coinbase Advanced, the market data of its spot instruments.
    Coinbase,
}

impl VenueKind {
    /// Whether it takes orders of an account; the others have market data only.
    #[must_use]
    pub const fn has_accounts(self) -> bool {
        matches!(self, Self::Binance)
    }

    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::Okx => "okx",
            Self::Bybit => "bybit",
            Self::Kraken => "kraken",
            Self::Coinbase => "coinbase",
        }
    }

    /// The one with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [
            Self::Binance,
            Self::Okx,
            Self::Bybit,
            Self::Kraken,
            Self::Coinbase,
        ];
        all.into_iter().find(|kind| kind.name() == name)
    }
}

/// One account at a venue, as it is configured.
#[derive(Clone, Debug)]
pub struct VenueSettings {
    /// The adapter.
    pub kind: VenueKind,
    /// The venue's id in the desk.
    pub venue: VenueId,
    /// Its name, with which the names of its instruments begin.
    pub name: String,
    /// The account.
    pub account: AccountId,
    /// REST: `scheme://host:port`.
    pub rest_url: String,
    /// Market streams: `scheme://host:port`.
    pub ws_url: String,
    /// The WebSocket API, as a whole address.
    pub ws_api_url: String,
    /// The account's key; without one only public data can be read.
    pub key: Option<ApiKey>,
    /// Which interface new orders go to.
    pub order_entry: OrderEntry,
    /// How books come.
    pub books: BookSource,
    /// Seed of all jitter.
    pub seed: u64,
}

/// What the venues of one desk share.
#[derive(Clone, Debug)]
pub struct VenueContext {
    /// Opens every connection.
    pub connector: Arc<dyn Connector>,
    /// The desk's clock.
    pub clock: Arc<dyn Clock>,
    /// What every order passes.
    pub gate: Arc<OrderGate>,
    /// The request weight of the address, shared by all accounts behind it.
    pub budget: Arc<Mutex<RateBudget>>,
    /// Assets by id.
    pub assets: Arc<Assets>,
}

/// Builds the adapter of `settings.kind`. It connects nowhere. Its responses go to `responses`.
///
/// # Errors
/// [`VenueError::Ours`] for an address that is refused, with the cure.
pub fn build(
    settings: VenueSettings,
    context: VenueContext,
    responses: Arc<dyn ResponseSink>,
) -> Result<Arc<dyn Venue>, VenueError> {
    match settings.kind {
        VenueKind::Binance => binance::build(settings, context, responses),
        VenueKind::Okx | VenueKind::Bybit | VenueKind::Kraken | VenueKind::Coinbase => {
            let what = format!(
                "{} has market data only: it takes no orders here",
                settings.name
            );
            Err(VenueError::Ours(what))
        }
    }
}
