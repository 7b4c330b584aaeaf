//! What [`BinanceVenue`] holds for the account: balances, orders, trades. Lists are read to their end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use tradewind_model::{ClientOrderId, Fill, InstrumentId, Timestamp, TradeId, VenueOrderId};

use super::answers::{self, OrderAnswer, TradeAnswer};
use super::pages::{ORDERS, TRADES};
use super::requests::Params;
use super::rest::{Call, Security, lock};
use super::venue::{BinanceVenue, known};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::execution::OrderRecord;
use crate::sink::AssetBalance;
use crate::wire::http::Method;

impl BinanceVenue {
    /// The account's balances that are not zero.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn account(&self) -> Result<Vec<AssetBalance>, VenueError> {
        let params = Params::of("omitZeroBalances", "true");
        let body = self.query_list("/api/v3/account", params, 20).await?;
        answers::balances(&body, &self.assets)
    }

    /// Orders open now on the instruments in use, those of other clients of the account included.
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
        self.orders_until(instrument, from, |_| false).await
    }

    /// All orders of an instrument placed at or after `start` and before `end`, oldest first.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn orders_between(
        &self,
        instrument: InstrumentId,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<OrderRecord>, VenueError> {
        let number = |body: &[u8]| {
            let page: Vec<OrderAnswer<'_>> = answers::read(ORDERS.what, body)?;
            Ok(page.first().map(|order| order.order_id))
        };
        let first = self.first_between(ORDERS, instrument, (start, end), number);
        let Some(first) = first.await? else {
            return Ok(Vec::new());
        };
        let late = |order: &OrderRecord| order.placed_at >= end;
        let mut orders = self
            .orders_until(instrument, VenueOrderId(first), late)
            .await?;
        orders.retain(|order| (start..end).contains(&order.placed_at));
        Ok(orders)
    }

    /// Orders from an id on, to the page with one that is `enough`.
    async fn orders_until(
        &self,
        instrument: InstrumentId,
        from: VenueOrderId,
        enough: impl Fn(&OrderRecord) -> bool,
    ) -> Result<Vec<OrderRecord>, VenueError> {
        let symbols = self.symbols();
        let (_, rules) = known(&symbols, instrument)?;
        let mut records: Vec<OrderRecord> = Vec::new();
        let take = |body: &[u8]| {
            let page: Vec<OrderAnswer<'_>> = answers::read(ORDERS.what, body)?;
            let mut flow = ControlFlow::Continue(());
            for order in &page {
                let record = order.record(self.config.account, rules)?;
                lock(&self.client_ids).note(instrument, record.venue_order_id, record.client_id);
                if enough(&record) {
                    flow = ControlFlow::Break(());
                }
                records.push(record);
            }
            Ok((page.iter().map(|order| order.order_id).collect(), flow))
        };
        self.pages(ORDERS, instrument, from.0, take).await?;
        Ok(records)
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
        self.trades_until(instrument, from, |_| false).await
    }

    /// All fills of an instrument at or after `start` and before `end`, oldest first.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn trades_between(
        &self,
        instrument: InstrumentId,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<Fill>, VenueError> {
        let number = |body: &[u8]| {
            let page: Vec<TradeAnswer<'_>> = answers::read(TRADES.what, body)?;
            Ok(page.first().map(|trade| trade.id))
        };
        let first = self.first_between(TRADES, instrument, (start, end), number);
        let Some(first) = first.await? else {
            return Ok(Vec::new());
        };
        let late = |fill: &Fill| fill.event_time >= end;
        let mut fills = self.trades_until(instrument, TradeId(first), late).await?;
        fills.retain(|fill| (start..end).contains(&fill.event_time));
        Ok(fills)
    }

    /// Fills from a trade id on, to the page with one that is `enough`.
    async fn trades_until(
        &self,
        instrument: InstrumentId,
        from: TradeId,
        enough: impl Fn(&Fill) -> bool,
    ) -> Result<Vec<Fill>, VenueError> {
        let symbols = self.symbols();
        let (_, rules) = known(&symbols, instrument)?;
        let mut fills: Vec<Fill> = Vec::new();
        let take = |body: &[u8]| {
            let page: Vec<TradeAnswer<'_>> = answers::read(TRADES.what, body)?;
            let mut flow = ControlFlow::Continue(());
            for trade in &page {
                let unnamed = answers::client_id(&format!("order {}", trade.order_id));
                let fill = trade.fill(self.config.account, rules, unnamed, &self.assets)?;
                if enough(&fill) {
                    flow = ControlFlow::Break(());
                }
                fills.push(fill);
            }
            Ok((page.iter().map(|trade| trade.id).collect(), flow))
        };
        self.pages(TRADES, instrument, from.0, take).await?;
        self.find_client_ids(instrument, &mut fills).await?;
        Ok(fills)
    }

    /// Orders are read from the first to the last that a fill names and that is not known yet: what comes after them is of no
    /// interest here.
    async fn find_client_ids(
        &self,
        instrument: InstrumentId,
        fills: &mut [Fill],
    ) -> Result<(), VenueError> {
        let unknown: BTreeSet<VenueOrderId> = {
            let known = lock(&self.client_ids);
            let mut unknown = BTreeSet::new();
            for fill in fills.iter_mut() {
                match known.of(instrument, fill.venue_order_id) {
                    Some(id) => fill.client_id = id,
                    None => drop(unknown.insert(fill.venue_order_id)),
                }
            }
            unknown
        };
        let (Some(first), Some(last)) = (unknown.first(), unknown.last()) else {
            return Ok(());
        };
        let reached = |order: &OrderRecord| order.venue_order_id >= *last;
        let records = self.orders_until(instrument, *first, reached).await?;
        let ids: BTreeMap<VenueOrderId, ClientOrderId> = records
            .iter()
            .map(|record| (record.venue_order_id, record.client_id))
            .collect();
        let unnamed = fills.iter_mut();
        for fill in unnamed.filter(|fill| unknown.contains(&fill.venue_order_id)) {
            match ids.get(&fill.venue_order_id) {
                Some(id) => fill.client_id = *id,
                None => tracing::warn!(
                    order = fill.venue_order_id.0,
                    trade = fill.trade_id.0,
                    "A fill's order is not in the venue's list any more; the fill counts as somebody else's"
                ),
            }
        }
        Ok(())
    }

    /// Asks about one order, or about what weighs as little.
    pub(super) async fn query_one(
        &self,
        path: &'static str,
        params: Params,
        weight: u64,
    ) -> Result<Vec<u8>, VenueError> {
        let cost = (Priority::Query, weight);
        self.ask(path, params, cost).await
    }

    /// Reads a list or the balances, within the share that readings have of the budget.
    pub(super) async fn query_list(
        &self,
        path: &'static str,
        params: Params,
        weight: u64,
    ) -> Result<Vec<u8>, VenueError> {
        let cost = (Priority::Reading, weight);
        self.ask(path, params, cost).await
    }

    async fn ask(
        &self,
        path: &'static str,
        params: Params,
        (priority, weight): (Priority, u64),
    ) -> Result<Vec<u8>, VenueError> {
        let call = Call {
            method: Method::Get,
            path: path.into(),
            params,
            security: Security::Signed,
            priority,
            weight,
        };
        self.rest.read(&call).await
    }
}
