//! Market data that [`BinanceVenue`] reads by request: instruments and candles.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use tradewind_model::{Candle, Instrument, InstrumentId, Interval, Timestamp};

use super::answers;
use super::instruments;
use super::requests::{self, CANDLES_MAX, Params};
use super::rest::{Call, Security, lock};
use super::venue::{BinanceVenue, known};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::execution::CandleRange;
use crate::rules::{Listing, changed_rules};
use crate::symbols::SymbolTable;
use crate::wire::http::Method;

impl BinanceVenue {
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
        let result = self
            .exchange_information(Params::of("symbols", &list))
            .await;
        let listings = match result {
            // One unknown symbol fails the whole request. The full list then shows which one is unknown.
            Err(VenueError::Refused {
                code: -1121 | -1100,
                ..
            }) => self.listings().await?,
            result => result?,
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
        let (table, changed, _) = changed_rules(&symbols, listings);
        if !changed.is_empty() {
            self.use_instruments(table)?;
        }
        Ok(changed)
    }

    pub(super) async fn exchange_information(
        &self,
        params: Params,
    ) -> Result<Vec<Listing>, VenueError> {
        let call = Call {
            method: Method::Get,
            path: "/api/v3/exchangeInfo".into(),
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
            method: Method::Get,
            path: "/api/v3/klines".into(),
            params: requests::candles(symbol, interval, range, from),
            security: Security::Public,
            priority: Priority::Data,
            weight: 2,
        };
        let body = self.rest.read(&call).await?;
        answers::candles(&body, rules, interval, self.rest.venue_time())
    }
}
