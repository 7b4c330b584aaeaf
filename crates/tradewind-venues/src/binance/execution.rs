//! [`BinanceVenue`] as a [`Venue`]: each request becomes a future, and its one answer goes to the response sink.
//!
//! Orders and cancels are written where they are begun, which is the engine's turn, and go on in [`Venue::maintain`]. Reads
//! run in [`Venue::serve_reads`] alone: decoding a page of history must not delay a quote.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_model::{
    Candle, ClientOrderId, Instrument, InstrumentId, Interval, Timestamp, Trade,
};

use super::assets::Assets;
use super::permissions::KeyRefusal;
use super::rest::lock;
use super::venue::{BinanceConfig, BinanceVenue, BookSource};
use crate::begun::BegunRequests;
use crate::error::VenueError;
use crate::execution::{
    CandleRange, ExecutionVenue, RequestId, ResponseSink, VenueRequest, VenueResponse,
};
use crate::machine::SourceSettings;
use crate::protocol::Topic;
use crate::sink::{AccountSink, AssetBalance, MarketSink};
use crate::venue::{
    MarketData, OrdersBlocked, Pending, Source, TradesFrom, Venue, VenueContext, VenueSettings,
};

/// An account at Binance that carries out requests.
struct BinanceAccount {
    venue: Arc<BinanceVenue>,
    responses: Arc<dyn ResponseSink>,
    orders: BegunRequests,
    reads: BegunRequests,
    /// The symbol of each listed instrument, by name.
    listed: Mutex<BTreeMap<String, String>>,
}

/// Builds an account's adapter; see [`build`](crate::build).
pub(crate) fn build(
    settings: VenueSettings,
    context: VenueContext,
    responses: Arc<dyn ResponseSink>,
) -> Result<Arc<dyn Venue>, VenueError> {
    let config = BinanceConfig {
        venue: settings.venue,
        name: settings.name,
        account: settings.account,
        rest_url: settings.rest_url,
        ws_url: settings.ws_url,
        ws_api_url: settings.ws_api_url,
        key: settings.key,
        order_entry: settings.order_entry,
        books: settings.books,
        seed: settings.seed,
        ..BinanceConfig::default()
    };
    let VenueContext {
        connector,
        clock,
        gate,
        budget,
        assets,
    } = context;
    let venue = Arc::new(BinanceVenue::new(
        config, connector, clock, gate, budget, assets,
    )?);
    Ok(Arc::new(BinanceAccount {
        venue,
        responses,
        orders: BegunRequests::default(),
        reads: BegunRequests::default(),
        listed: Mutex::default(),
    }))
}

impl std::fmt::Debug for BinanceAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.venue.fmt(f)
    }
}

/// Answers a request once: with what was found, or when it is dropped with a failure.
struct Reply {
    id: RequestId,
    responses: Arc<dyn ResponseSink>,
    response: VenueResponse,
}

impl Reply {
    fn to(id: RequestId, responses: &Arc<dyn ResponseSink>) -> Self {
        let ended = "the request ended without an answer".to_owned();
        Self {
            id,
            responses: Arc::clone(responses),
            response: VenueResponse::Failed(VenueError::Connection(ended)),
        }
    }

    fn answer(mut self, response: VenueResponse) {
        self.response = response;
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let taken = VenueError::Connection("answered".to_owned());
        let response = std::mem::replace(&mut self.response, VenueResponse::Failed(taken));
        self.responses.response(self.id, response);
    }
}

impl ExecutionVenue for BinanceAccount {
    fn begin(&self, id: RequestId, request: VenueRequest) {
        let (venue, reply) = (Arc::clone(&self.venue), Reply::to(id, &self.responses));
        let is_order = matches!(
            request,
            VenueRequest::Submit(_) | VenueRequest::Cancel { .. }
        );
        let work = async move { reply.answer(venue.carry_out(request).await) };
        if is_order {
            self.orders.begin(work);
        } else {
            self.reads.begin_later(work);
        }
    }

    fn withdraw(&self, order: ClientOrderId) {
        self.venue.gate.withdraw(order);
    }
}

impl BinanceVenue {
    async fn carry_out(&self, request: VenueRequest) -> VenueResponse {
        let answer = match request {
            VenueRequest::Submit(order) => Ok(VenueResponse::Submitted(self.submit(&order).await)),
            VenueRequest::Cancel {
                instrument,
                client_id,
            } => Ok(VenueResponse::Cancelled(
                self.cancel(instrument, client_id).await,
            )),
            VenueRequest::Query {
                instrument,
                client_id,
            } => self
                .query(instrument, client_id)
                .await
                .map(VenueResponse::Order),
            VenueRequest::Balances => self.account().await.map(VenueResponse::Balances),
            VenueRequest::OpenOrders => self.open_orders().await.map(VenueResponse::OpenOrders),
            VenueRequest::Fills { instrument, from } => self
                .my_trades(instrument, from)
                .await
                .map(VenueResponse::Fills),
            VenueRequest::FillsSince { instrument, since } => self
                .trades_between(instrument, since, self.rest.venue_time())
                .await
                .map(VenueResponse::Fills),
            VenueRequest::Book { instrument } => {
                self.book(instrument).await.map(VenueResponse::Book)
            }
            VenueRequest::Candles {
                instrument,
                interval,
                range,
            } => Self::candles(self, instrument, interval, range)
                .await
                .map(VenueResponse::Candles),
        };
        answer.unwrap_or_else(VenueResponse::Failed)
    }
}

/// Closes idle connections for what is no order as soon as the venue does.
struct IdleWatch(Arc<BinanceVenue>);

impl Source for IdleWatch {
    fn run(self: Box<Self>, stop: CancellationToken) -> Pending<'static, ()> {
        Box::pin(async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.0.rest.watch_idle() => {}
            }
        })
    }
}

/// Reads the snapshots of books that are kept by their changes.
struct SnapshotReader(Arc<BinanceVenue>);

impl Source for SnapshotReader {
    fn run(self: Box<Self>, stop: CancellationToken) -> Pending<'static, ()> {
        Box::pin(async move { self.0.read_snapshots(stop).await })
    }
}

impl MarketData for BinanceAccount {
    fn listings(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
        Box::pin(async {
            let listings = self.venue.listings().await?;
            let mut listed = lock(&self.listed);
            let named = |listing: super::Listing| {
                listed.insert(listing.instrument.name.clone(), listing.symbol);
                listing.instrument
            };
            Ok(listings.into_iter().map(named).collect())
        })
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
        self.venue.use_instruments(named?)
    }

    fn recall(&self, known: &[Instrument]) -> bool {
        let mut listed = lock(&self.listed);
        listed.extend(known.iter().map(|instrument| {
            let name = &instrument.name;
            // A spot symbol is base and quote in one word.
            let product = name.split_once(':').map_or(name.as_str(), |(_, rest)| rest);
            (name.clone(), product.replace('/', ""))
        }));
        true
    }

    fn changed_instruments(&self) -> Pending<'_, Result<Vec<Instrument>, VenueError>> {
        Box::pin(self.venue.changed_instruments())
    }

    fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        range: CandleRange,
    ) -> Pending<'_, Result<Vec<Candle>, VenueError>> {
        Box::pin(self.venue.candles(instrument, interval, range))
    }

    fn past_trades(
        &self,
        instrument: InstrumentId,
        from: TradesFrom,
    ) -> Pending<'_, Result<Vec<Trade>, VenueError>> {
        Box::pin(self.venue.past_trades(instrument, from))
    }

    fn market_sources(
        &self,
        topics: &[Topic],
        sink: &Arc<dyn MarketSink>,
        settings: SourceSettings,
    ) -> Vec<Box<dyn Source>> {
        let sink = Arc::new(Arc::clone(sink));
        let sources = self.venue.market_sources(topics, &sink, settings);
        let boxed = |source| Box::new(source) as Box<dyn Source>;
        let mut sources: Vec<Box<dyn Source>> = sources.into_iter().map(boxed).collect();
        sources.push(Box::new(IdleWatch(Arc::clone(&self.venue))));
        if self.venue.config.books == BookSource::Diffs {
            sources.push(Box::new(SnapshotReader(Arc::clone(&self.venue))));
        }
        sources
    }
}

impl Venue for BinanceAccount {
    fn server_time(&self) -> Pending<'_, Result<Timestamp, VenueError>> {
        Box::pin(self.venue.server_time())
    }

    fn check_key(&self) -> Pending<'_, Result<(), KeyRefusal>> {
        Box::pin(self.venue.check_key())
    }

    fn instruments<'a>(
        &'a self,
        products: &'a [&'a str],
    ) -> Pending<'a, Result<Vec<Instrument>, VenueError>> {
        Box::pin(self.venue.instruments(products))
    }

    fn balances(&self) -> Pending<'_, Result<Vec<AssetBalance>, VenueError>> {
        Box::pin(self.venue.account())
    }

    fn account_source(
        &self,
        sink: &Arc<dyn AccountSink>,
        settings: SourceSettings,
    ) -> Result<Box<dyn Source>, VenueError> {
        let sink = Arc::new(Arc::clone(sink));
        Ok(Box::new(self.venue.user_source(&sink, settings)?))
    }

    fn maintain(&self, stop: CancellationToken) -> Pending<'_, ()> {
        Box::pin(async move {
            let clock = self.venue.keep_clock(stop.clone());
            let entry = self.venue.keep_order_entry(stop.clone());
            tokio::join!(clock, entry, self.orders.run(stop));
        })
    }

    fn serve_reads(&self, stop: CancellationToken) -> Pending<'_, ()> {
        Box::pin(self.reads.run(stop))
    }

    fn clock_uncertainty(&self) -> Option<Duration> {
        self.venue.clock_uncertainty()
    }

    fn orders_blocked(&self) -> Option<OrdersBlocked> {
        self.venue.orders_blocked()
    }

    fn assets(&self) -> &Arc<Assets> {
        self.venue.assets()
    }
}
