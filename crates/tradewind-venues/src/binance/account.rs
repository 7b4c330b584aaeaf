//! What [`BinanceVenue`] holds for the account: balances, orders, trades, permissions. Lists are read to the last page.

use std::collections::BTreeMap;

use reqwest::Method;
use tradewind_model::{ClientOrderId, Fill, InstrumentId, TradeId, VenueOrderId};

use super::answers::{self, OrderAnswer, OrderRecord, Restrictions, TradeAnswer};
use super::requests::Params;
use super::rest::{Call, Security};
use super::venue::{BinanceVenue, known};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::sink::AssetBalance;

/// Entries of a list in one answer.
pub(super) const PAGE: usize = 1_000;

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

    pub(super) async fn query_list(
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
}
