//! Market data that [`BinanceVenue`] reads by request: instruments and candles.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use tradewind_model::{Candle, Instrument, InstrumentId, Interval, Price, Quantity, Timestamp};

use super::answers;
use super::instruments;
use super::requests::{self, CANDLES_MAX, Params};
use super::rest::{Call, Security, lock};
use super::venue::{BinanceVenue, known};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::execution::CandleRange;
use crate::rules::Listing;
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
    /// Their numbers keep the number of decimals they had, since prices elsewhere use it too. Rules that need more
    /// decimals take effect at the next restart; the log reports them.
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
            let new = Instrument {
                id: old.id,
                revision: old.revision,
                ..listing.instrument
            };
            let mut new = in_decimals_of(&new, old).unwrap_or_else(|| {
                tracing::error!(
                    instrument = %old.name,
                    "The venue's new rules are finer than the numbers in use: restart to trade by them."
                );
                old.clone()
            });
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

    pub(super) async fn exchange_information(
        &self,
        params: Params,
    ) -> Result<Vec<Listing>, VenueError> {
        let call = Call {
            method: Method::Get,
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
            path: "/api/v3/klines",
            params: requests::candles(symbol, interval, range, from),
            security: Security::Public,
            priority: Priority::Data,
            weight: 2,
        };
        let body = self.rest.read(&call).await?;
        answers::candles(&body, rules, interval, self.rest.venue_time())
    }
}

/// The instrument with its numbers as counts in the decimals of `old`, if they can be.
fn in_decimals_of(new: &Instrument, old: &Instrument) -> Option<Instrument> {
    let price = |price: Price| rescale(price.0, new.price_decimals, old.price_decimals).map(Price);
    let quantity = |quantity: Quantity| {
        rescale(quantity.0, new.quantity_decimals, old.quantity_decimals).map(Quantity)
    };
    Some(Instrument {
        price_decimals: old.price_decimals,
        quantity_decimals: old.quantity_decimals,
        tick: price(new.tick)?,
        price_min: price(new.price_min)?,
        price_max: price(new.price_max)?,
        step: quantity(new.step)?,
        quantity_min: quantity(new.quantity_min)?,
        quantity_max: quantity(new.quantity_max)?,
        market_quantity_max: quantity(new.market_quantity_max)?,
        ..new.clone()
    })
}

/// A count of 10^-`from` as a count of 10^-`to`, if it is a whole one.
fn rescale(count: i64, from: u8, to: u8) -> Option<i64> {
    let factor = |more: u8, fewer: u8| 10_i64.checked_pow(u32::from(more - fewer));
    if to >= from {
        return count.checked_mul(factor(to, from)?);
    }
    let divisor = factor(from, to)?;
    (count % divisor == 0).then_some(count / divisor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::instrument;

    #[test]
    fn new_rules_are_returned_in_the_decimals_in_use() {
        let old = instrument(0, 2, 5);
        for (decimals, tick, wanted) in [
            (0, 10, Some(1_000)),
            (1, 5, Some(50)),
            (2, 5, Some(5)),
            (3, 20, Some(2)),
            (3, 5, None),
        ] {
            let rules = Instrument {
                tick: Price(tick),
                price_min: Price(0),
                price_max: Price(1_000_000_000),
                ..instrument(0, decimals, 5)
            };
            let tick = in_decimals_of(&rules, &old).map(|new| (new.price_decimals, new.tick.0));
            assert_eq!(tick, wanted.map(|tick| (2, tick)), "{decimals}");
        }
        let huge = Instrument {
            price_max: Price(i64::MAX),
            ..instrument(0, 0, 5)
        };
        assert_eq!(in_decimals_of(&huge, &old), None);
    }
}
