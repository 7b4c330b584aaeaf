//! Binance as the desk uses it: one account's requests, orders and streams.
//!
//! Every method has a time-out. Orders go through the gate, once; what their answers mean is decided in `verdict.rs`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use rustls::ClientConfig;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AccountId, Candle, ClientOrderId, ExecutionReport, Fill, Instrument, InstrumentId, Interval,
    NotSentReason, OrderTerms, RejectReason, ReportKind, Timestamp, TradeId, VenueId, VenueOrderId,
};
use tradewind_risk::Checked;

use super::answers::{self, OrderAnswer, OrderRecord, Restrictions, TradeAnswer};
use super::assets::Assets;
use super::instruments::{self, Listing};
use super::requests::{self, CANDLES_MAX, CandleRange, Params};
use super::rest::{Call, KEY_HEADER, Rest, RestSettings, Security, lock};
use super::session::MarketProtocol;
use super::signing::ApiKey;
use super::symbols::SymbolTable;
use super::user_stream::{UserProtocol, UserSettings};
use super::verdict::{Verdict, judge_cancel, judge_order};
use crate::address::{Address, Scheme};
use crate::budget::{Priority, RateBudget};
use crate::clock::Clock;
use crate::clock_offset::ClockOffset;
use crate::connection::ConnectionSettings;
use crate::error::VenueError;
use crate::gate::OrderGate;
use crate::machine::SourceSettings;
use crate::order_line::{OrderLine, OrderRequest, Sent};
use crate::protocol::Topic;
use crate::sink::{AccountSink, AssetBalance, MarketSink, ToAccountSink, ToMarketSink};
use crate::source::DataSource;
use crate::subscriptions::shards;

/// Streams on one connection, by the venue's rules.
const STREAMS_MAX: usize = 1_024;
/// Entries of a list in one answer.
const PAGE: usize = 1_000;
/// How often the venue's clock is read.
const CLOCK_EVERY: Duration = Duration::from_secs(60);

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
    /// Longest to wait for an answer.
    pub request_timeout: Duration,
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
            receive_window_ms: 5_000,
            seed: 0,
        }
    }
}

/// What a question about an order brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderQuery {
    /// The venue knows it; what happened to it so far, fills included.
    Found(Vec<ExecutionReport>),
    /// The venue says that it does not exist. Soon after sending that is no evidence: its databases lag.
    Absent {
        /// The venue's time when it said so.
        venue_time: Timestamp,
    },
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
    config: BinanceConfig,
    ws_address: Address,
    ws_api_address: Address,
    tls: Arc<ClientConfig>,
    clock: Arc<dyn Clock>,
    gate: Arc<OrderGate>,
    rest: Rest,
    orders: OrderLine,
    offset: Arc<Mutex<ClockOffset>>,
    budget: Arc<Mutex<RateBudget>>,
    assets: Arc<Assets>,
    symbols: RwLock<Arc<SymbolTable>>,
}

impl BinanceVenue {
    /// Prepares everything; connects nowhere. `budget` is shared by all accounts behind one address.
    ///
    /// # Errors
    /// [`VenueError::Ours`] for an address that is refused, with the cure.
    pub fn new(
        config: BinanceConfig,
        tls: Arc<ClientConfig>,
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
            key: config.key.clone(),
            window_ms: config.receive_window_ms,
            within: config.request_timeout,
            clock: Arc::clone(&clock),
            offset: Arc::clone(&offset),
            budget: Arc::clone(&budget),
            seed: config.seed,
            origin: Instant::now(),
        };
        Ok(Self {
            ws_address: address(&config.ws_url, Scheme::WebSocket)?,
            ws_api_address: address(&config.ws_api_url, Scheme::WebSocket)?,
            rest: Rest::new(settings, &tls)?,
            orders: OrderLine::new(
                rest_address,
                Arc::clone(&tls),
                Arc::clone(&gate),
                config.request_timeout,
            ),
            config,
            tls,
            clock,
            gate,
            offset,
            budget,
            assets,
            symbols: RwLock::default(),
        })
    }

    /// The venue's time; also corrects the offset that signed requests use.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn server_time(&self) -> Result<Timestamp, VenueError> {
        self.rest.sync_clock().await
    }

    /// Reads the venue's clock every minute, and whenever the venue found ours wrong, until told to stop. Its owner
    /// awaits it.
    pub async fn keep_clock(&self, stop: CancellationToken) {
        let mut ticks = interval(CLOCK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.rest.clock_doubted() => {}
                _ = ticks.tick() => {}
            }
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

    /// How far our idea of the venue's clock may be wrong; `None` before the first reading.
    #[must_use]
    pub fn clock_uncertainty(&self) -> Option<Duration> {
        lock(&self.offset).uncertainty(self.clock.now())
    }

    /// The venue's clock minus ours, in nanoseconds.
    #[must_use]
    pub fn clock_offset_nanos(&self) -> i64 {
        lock(&self.offset).offset_nanos(self.clock.now())
    }

    /// Everything the venue lists.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn listings(&self) -> Result<Vec<Listing>, VenueError> {
        self.exchange_information(Params::default()).await
    }

    /// Reads the instruments of `products` (such as `BTC/USDT`, or the venue's own `BTCUSDT`) and takes them into use.
    /// Ids are given in the order of the names, from 0.
    ///
    /// # Errors
    /// [`VenueError::Ours`] names every product the venue does not have.
    pub async fn instruments(&self, products: &[&str]) -> Result<Vec<Instrument>, VenueError> {
        let symbols: Vec<String> = products
            .iter()
            .map(|name| name.replace('/', "").to_ascii_uppercase())
            .collect();
        let list = serde_json::json!(symbols).to_string();
        let asked = self
            .exchange_information(Params::of("symbols", &list))
            .await;
        let listings = match asked {
            // One unknown symbol fails the whole question, so the whole list has to say which.
            Err(VenueError::Refused {
                code: -1121 | -1100,
                ..
            }) => self.listings().await?,
            asked => asked?,
        };
        let mut by_symbol: BTreeMap<String, Instrument> = listings
            .into_iter()
            .map(|listing| (listing.symbol, listing.instrument))
            .collect();
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for (id, (symbol, product)) in (0..).zip(symbols.iter().zip(products)) {
            match by_symbol.remove(symbol) {
                Some(instrument) => found.push((
                    symbol.clone(),
                    Instrument {
                        id: InstrumentId(id),
                        ..instrument
                    },
                )),
                None => missing.push(*product),
            }
        }
        if !missing.is_empty() {
            return Err(VenueError::Ours(format!(
                "{} does not list {}",
                self.config.name,
                missing.join(", ")
            )));
        }
        let instruments = found
            .iter()
            .map(|(_, instrument)| instrument.clone())
            .collect();
        self.use_instruments(found)?;
        Ok(instruments)
    }

    /// Takes instruments into use that the desk has given ids, each with its symbol.
    ///
    /// # Errors
    /// [`VenueError::Ours`] for a symbol that cannot be one.
    pub fn use_instruments(
        &self,
        instruments: impl IntoIterator<Item = (String, Instrument)>,
    ) -> Result<(), VenueError> {
        let table =
            SymbolTable::new(instruments).map_err(|error| VenueError::Ours(error.to_string()))?;
        *self.symbols.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        Ok(())
    }

    /// Reads the rules of the instruments in use again; those that changed come back with the next revision.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn changed_instruments(&self) -> Result<Vec<Instrument>, VenueError> {
        let symbols = self.symbols();
        let names: Vec<&str> = symbols
            .instruments()
            .filter_map(|instrument| symbols.symbol(instrument.id))
            .collect();
        let list = serde_json::json!(names).to_string();
        let listings = self
            .exchange_information(Params::of("symbols", &list))
            .await?;
        let mut table = Vec::new();
        let mut changed = Vec::new();
        for listing in listings {
            let Some(old) = symbols.find(listing.symbol.as_bytes()) else {
                continue;
            };
            let mut new = Instrument {
                id: old.id,
                revision: old.revision,
                ..listing.instrument
            };
            if new != *old {
                new.revision += 1;
                changed.push(new.clone());
            }
            table.push((listing.symbol, new));
        }
        if table.len() == names.len() && !changed.is_empty() {
            self.use_instruments(table)?;
        }
        Ok(changed)
    }

    /// Closed candles, oldest first.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        range: CandleRange,
    ) -> Result<Vec<Candle>, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let range = match range {
            CandleRange::Latest(count) if count >= CANDLES_MAX => {
                let end = interval.open_time(self.rest.venue_time());
                CandleRange::Between(end - interval.duration() * count, end)
            }
            range => range,
        };
        let mut candles: Vec<Candle> = Vec::new();
        loop {
            let from = candles.last().map(Candle::close_time);
            let page = self
                .candle_page(symbol, rules, interval, range, from)
                .await?;
            let full = page.len() >= CANDLES_MAX as usize;
            candles.extend(page);
            match range {
                CandleRange::Between(_, end) if full => {
                    if candles.last().is_some_and(|last| last.close_time() >= end) {
                        break;
                    }
                }
                CandleRange::Between(..) | CandleRange::Latest(_) => break,
            }
        }
        if let CandleRange::Latest(count) = range {
            let surplus = candles.len().saturating_sub(count as usize);
            candles.drain(..surplus);
        }
        Ok(candles)
    }

    async fn candle_page(
        &self,
        symbol: &str,
        rules: &Instrument,
        interval: Interval,
        range: CandleRange,
        from: Option<Timestamp>,
    ) -> Result<Vec<Candle>, VenueError> {
        let call = Call {
            method: Method::GET,
            path: "/api/v3/klines",
            params: requests::candles(symbol, interval, range, from),
            security: Security::Public,
            priority: Priority::Data,
            weight: 2,
        };
        let body = self.rest.read(&call).await?;
        answers::candles(&body, rules, interval, self.rest.venue_time())
    }

    /// The account's balances that are not zero.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn account(&self) -> Result<Vec<AssetBalance>, VenueError> {
        let params = Params::of("omitZeroBalances", "true");
        let body = self.query_list("/api/v3/account", params, 20).await?;
        answers::balances(&body, &self.assets)
    }

    /// Orders open now on the instruments in use, whoever placed them.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn open_orders(&self) -> Result<Vec<OrderRecord>, VenueError> {
        let body = self
            .query_list("/api/v3/openOrders", Params::default(), 80)
            .await?;
        let orders: Vec<OrderAnswer<'_>> = answers::read("open orders", &body)?;
        let symbols = self.symbols();
        let ours = orders
            .iter()
            .filter_map(|order| Some((order, symbols.find(order.symbol.as_bytes())?)));
        ours.map(|(order, rules)| order.record(self.config.account, rules))
            .collect()
    }

    /// All orders of an instrument from one of the venue's ids on, finished ones too, oldest first.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn orders_since(
        &self,
        instrument: InstrumentId,
        from: VenueOrderId,
    ) -> Result<Vec<OrderRecord>, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let mut records: Vec<OrderRecord> = Vec::new();
        let mut next = from.0;
        loop {
            let params = Params::of("symbol", symbol)
                .with_number("orderId", next)
                .with_number("limit", PAGE);
            let body = self.query_list("/api/v3/allOrders", params, 20).await?;
            let page: Vec<OrderAnswer<'_>> = answers::read("orders", &body)?;
            for order in &page {
                records.push(order.record(self.config.account, rules)?);
            }
            let last = page.iter().map(|order| order.order_id).max();
            match last {
                Some(last) if page.len() >= PAGE && last >= next => next = last + 1,
                _ => return Ok(records),
            }
        }
    }

    /// All fills of an instrument from a trade id on, to the last page, oldest first.
    ///
    /// The venue's list names its own order ids only, so ours are looked up in the order list.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn my_trades(
        &self,
        instrument: InstrumentId,
        from: TradeId,
    ) -> Result<Vec<Fill>, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let mut fills: Vec<Fill> = Vec::new();
        let mut next = from.0;
        loop {
            let params = Params::of("symbol", symbol)
                .with_number("fromId", next)
                .with_number("limit", PAGE);
            let body = self.query_list("/api/v3/myTrades", params, 20).await?;
            let page: Vec<TradeAnswer<'_>> = answers::read("trades", &body)?;
            for trade in &page {
                let unnamed = answers::client_id(&format!("order {}", trade.order_id));
                fills.push(trade.fill(self.config.account, rules, unnamed, &self.assets)?);
            }
            let last = page.iter().map(|trade| trade.id).max();
            match last {
                Some(last) if page.len() >= PAGE && last >= next => next = last + 1,
                _ => break,
            }
        }
        self.name_orders(instrument, &mut fills).await?;
        Ok(fills)
    }

    async fn name_orders(
        &self,
        instrument: InstrumentId,
        fills: &mut [Fill],
    ) -> Result<(), VenueError> {
        let Some(first) = fills.iter().map(|fill| fill.venue_order_id).min() else {
            return Ok(());
        };
        let records = self.orders_since(instrument, first).await?;
        let names: BTreeMap<VenueOrderId, ClientOrderId> = records
            .iter()
            .map(|record| (record.venue_order_id, record.client_id))
            .collect();
        for fill in fills {
            if let Some(name) = names.get(&fill.venue_order_id) {
                fill.client_id = *name;
            }
        }
        Ok(())
    }

    /// What the account's key may do.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn api_restrictions(&self) -> Result<Restrictions, VenueError> {
        let body = self
            .query_list("/sapi/v1/account/apiRestrictions", Params::default(), 1)
            .await?;
        answers::read("key permissions", &body)
    }

    /// Sends an order once and says what became of it. Never fails: what cannot be known is a report as well.
    pub async fn submit(&self, order: &Checked) -> Vec<ExecutionReport> {
        let terms = *order.terms();
        let symbols = self.symbols();
        let Ok((symbol, rules)) = known(&symbols, terms.instrument) else {
            return vec![self.not_sent(&terms, NotSentReason::Unreachable)];
        };
        if let Err(reason) = self.admit(order).await {
            return vec![self.not_sent(&terms, reason)];
        }
        let Ok(key) = self.rest.key() else {
            tracing::error!("An account without a key was given an order");
            return vec![self.not_sent(&terms, NotSentReason::Unreachable)];
        };
        let params = requests::order(&terms, symbol, rules);
        let make = || OrderRequest {
            path: "/api/v3/order",
            key_header: (KEY_HEADER, key.key().to_owned()),
            form: params
                .signed(key, self.rest.venue_time(), self.config.receive_window_ms)
                .into_string(),
        };
        match self.orders.send(order, make).await {
            Sent::Kept(reason) => vec![self.not_sent(&terms, reason)],
            Sent::Unanswered(why) => {
                tracing::warn!(order = %terms.client_id, why, "Order without an answer");
                vec![self.plain(&terms, ReportKind::Unknown)]
            }
            Sent::Answered(answer) => {
                let status = StatusCode::from_u16(answer.status)
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                self.rest.heard(status, &answer.headers);
                self.order_answer(&terms, rules, answer.status, &answer.body)
            }
        }
    }

    /// Waits for the budget as long as the order is good for; a kill ends the wait.
    async fn admit(&self, order: &Checked) -> Result<(), NotSentReason> {
        self.gate.admit(order)?;
        let priority = if order.is_exit() {
            Priority::Exit
        } else {
            Priority::Entry
        };
        let patience = order
            .expires_at()
            .map_or(self.config.request_timeout, |end| {
                end.since(self.clock.now())
            });
        tokio::select! {
            biased;
            () = self.gate.cut() => Err(NotSentReason::Killed),
            admitted = self.rest.admitted(priority, 1, patience) => admitted.map_err(|error| {
                tracing::warn!(%error, order = %order.terms().client_id, "Order not sent");
                NotSentReason::Expired
            }),
        }
    }

    fn order_answer(
        &self,
        terms: &OrderTerms,
        rules: &Instrument,
        status: u16,
        body: &[u8],
    ) -> Vec<ExecutionReport> {
        if (200..300).contains(&status) {
            let read = answers::read("order", body).and_then(|answer: OrderAnswer<'_>| {
                if answer.our_id() == terms.client_id {
                    answer.reports(terms.account, rules, &self.assets)
                } else {
                    Err(VenueError::unreadable("order", "another order's answer"))
                }
            });
            return read.unwrap_or_else(|error| {
                tracing::error!(%error, order = %terms.client_id, "Order answer cannot be read");
                vec![self.plain(terms, ReportKind::Unknown)]
            });
        }
        match judge_order(status, body) {
            Verdict::Refused(reason) => {
                self.rest.refused(reason.code);
                vec![self.plain(terms, ReportKind::Rejected(reason))]
            }
            Verdict::Unknown(why) => {
                tracing::warn!(order = %terms.client_id, why, "Order's fate is unknown");
                vec![self.plain(terms, ReportKind::Unknown)]
            }
        }
    }

    /// Cancels an order by our id. Goes through when killed, and before everything else in the budget.
    pub async fn cancel(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
    ) -> ExecutionReport {
        let report = |kind| self.report(instrument, client_id, kind);
        let symbols = self.symbols();
        let Ok((symbol, rules)) = known(&symbols, instrument) else {
            let reason = RejectReason {
                code: 0,
                text: "instrument not in use".to_owned(),
            };
            return report(ReportKind::CancelRejected(reason));
        };
        let call = Call {
            method: Method::DELETE,
            path: "/api/v3/order",
            params: requests::by_client_id(symbol, client_id),
            security: Security::Signed,
            priority: Priority::Cancel,
            weight: 1,
        };
        let answer = match self.rest.send(&call).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(%error, order = %client_id, "Cancel without an answer");
                return report(ReportKind::Unknown);
            }
        };
        if (200..300).contains(&answer.status) {
            let read = answers::read("cancel", &answer.body)
                .and_then(|order: OrderAnswer<'_>| order.cancel_report(self.config.account, rules));
            return read.unwrap_or_else(|error| {
                tracing::error!(%error, order = %client_id, "Cancel answer cannot be read");
                report(ReportKind::Unknown)
            });
        }
        match judge_cancel(answer.status, &answer.body) {
            Verdict::Refused(reason) => {
                self.rest.refused(reason.code);
                report(ReportKind::CancelRejected(reason))
            }
            Verdict::Unknown(why) => {
                tracing::warn!(order = %client_id, why, "Cancel's outcome is unknown");
                report(ReportKind::Unknown)
            }
        }
    }

    /// Asks what became of an order; its fills are read too when there are some.
    ///
    /// # Errors
    /// See [`VenueError`]; the order stays as unknown as it was.
    pub async fn query(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
    ) -> Result<OrderQuery, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let params = requests::by_client_id(symbol, client_id);
        let body = match self.query_list("/api/v3/order", params, 4).await {
            Err(VenueError::Refused { code: -2013, .. }) => {
                let venue_time = self.rest.venue_time();
                return Ok(OrderQuery::Absent { venue_time });
            }
            asked => asked?,
        };
        let answer: OrderAnswer<'_> = answers::read("order", &body)?;
        let mut reports = answer.reports(self.config.account, rules, &self.assets)?;
        if answer
            .executed(rules)?
            .is_some_and(|executed| !executed.is_zero())
        {
            let fills = self
                .fills_of(symbol, rules, answer.order_id, client_id)
                .await?;
            // Fills come after the acceptance and before the order's end.
            reports.splice(1..1, fills);
        }
        Ok(OrderQuery::Found(reports))
    }

    async fn fills_of(
        &self,
        symbol: &str,
        rules: &Instrument,
        order_id: u64,
        client_id: ClientOrderId,
    ) -> Result<Vec<ExecutionReport>, VenueError> {
        let params = Params::of("symbol", symbol)
            .with_number("orderId", order_id)
            .with_number("limit", PAGE);
        let body = self.query_list("/api/v3/myTrades", params, 5).await?;
        let trades: Vec<TradeAnswer<'_>> = answers::read("trades", &body)?;
        let report = |trade: &TradeAnswer<'_>| {
            let fill = trade.fill(self.config.account, rules, client_id, &self.assets)?;
            Ok(ExecutionReport {
                venue_order_id: Some(fill.venue_order_id),
                event_time: Some(fill.event_time),
                ..self.report(rules.id, client_id, ReportKind::Filled(fill))
            })
        };
        trades.iter().map(report).collect()
    }

    /// Market data of `topics` into `sink`: one source for each 1,024 of them, stopped until they are started.
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
                let (address, tls, symbols) = (
                    self.ws_address.clone(),
                    Arc::clone(&self.tls),
                    self.symbols(),
                );
                let make: MakeMarket = Box::new(move || {
                    MarketProtocol::new(address.clone(), Arc::clone(&tls), Arc::clone(&symbols))
                });
                let mut source = DataSource::new(
                    format!("{}-market-{number}", self.config.name),
                    make,
                    ToMarketSink(Arc::clone(sink)),
                    settings,
                    Arc::clone(&self.clock),
                    self.config.seed.wrapping_add(number),
                );
                source.want(group);
                source
            })
            .collect()
    }

    /// The account's events into `sink`, stopped until it is started. It may be silent for as long as nothing happens.
    ///
    /// # Errors
    /// [`VenueError::Ours`] for an account without a key.
    pub fn user_source<S: AccountSink>(
        &self,
        sink: &Arc<S>,
        settings: SourceSettings,
    ) -> Result<UserSource<S>, VenueError> {
        let account = self.config.account;
        let user = UserSettings {
            address: self.ws_api_address.clone(),
            tls: Arc::clone(&self.tls),
            key: self.rest.key()?.clone(),
            account,
            window_ms: self.config.receive_window_ms,
            clock: Arc::clone(&self.clock),
            offset: Arc::clone(&self.offset),
            symbols: self.symbols(),
            assets: Arc::clone(&self.assets),
        };
        let make: MakeUser = Box::new(move || UserProtocol::new(user.clone()));
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
            ToAccountSink {
                sink: Arc::clone(sink),
                account,
            },
            settings,
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

    async fn exchange_information(&self, params: Params) -> Result<Vec<Listing>, VenueError> {
        let call = Call {
            method: Method::GET,
            path: "/api/v3/exchangeInfo",
            params,
            security: Security::Public,
            priority: Priority::Data,
            weight: 20,
        };
        let body = self.rest.read(&call).await?;
        let info = instruments::decode(&body, self.config.venue, &self.config.name, &self.assets)?;
        if let Some(limit) = info.weight_limit {
            lock(&self.budget).set_limit(limit);
        }
        Ok(info.listings)
    }

    async fn query_list(
        &self,
        path: &'static str,
        params: Params,
        weight: u64,
    ) -> Result<Vec<u8>, VenueError> {
        let call = Call {
            method: Method::GET,
            path,
            params,
            security: Security::Signed,
            priority: Priority::Query,
            weight,
        };
        self.rest.read(&call).await
    }

    fn not_sent(&self, terms: &OrderTerms, reason: NotSentReason) -> ExecutionReport {
        self.plain(terms, ReportKind::NotSent(reason))
    }

    fn plain(&self, terms: &OrderTerms, kind: ReportKind) -> ExecutionReport {
        self.report(terms.instrument, terms.client_id, kind)
    }

    const fn report(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
        kind: ReportKind,
    ) -> ExecutionReport {
        ExecutionReport {
            account: self.config.account,
            instrument,
            client_id,
            venue_order_id: None,
            kind,
            cumulative: None,
            event_time: None,
        }
    }
}

fn known(
    symbols: &SymbolTable,
    instrument: InstrumentId,
) -> Result<(&str, &Instrument), VenueError> {
    symbols
        .symbol(instrument)
        .zip(symbols.instrument(instrument))
        .ok_or_else(|| VenueError::Ours(format!("instrument {} is not in use here", instrument.0)))
}
