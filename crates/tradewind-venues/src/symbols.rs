//! A venue's symbols and our instruments, both ways. Looking one up allocates nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tradewind_model::{Instrument, InstrumentId};

/// A symbol that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("symbol {0:?} is not 1 to 16 ASCII characters")]
pub struct SymbolError(String);

/// The instruments in use, by symbol and by id.
#[derive(Clone, Debug, Default)]
pub struct SymbolTable {
    listed: Vec<Listed>,
    by_symbol: Vec<(u128, usize)>,
    by_id: Vec<Option<usize>>,
    venue_decimals: VenueDecimals,
}

/// The decimals of prices and quantities in which a venue writes numbers, of instruments whose own are others.
pub type VenueDecimals = BTreeMap<InstrumentId, (u8, u8)>;

/// The instruments in use as they were read last, shared by the connections of a venue.
#[derive(Debug, Default)]
pub struct Symbols(RwLock<Arc<SymbolTable>>);

impl Symbols {
    /// As they are now.
    #[must_use]
    pub fn current(&self) -> Arc<SymbolTable> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set(&self, table: SymbolTable) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }
}

#[derive(Clone, Debug)]
struct Listed {
    symbol: String,
    stream: String,
    instrument: Instrument,
}

impl SymbolTable {
    /// A table of symbols and their instruments.
    ///
    /// # Errors
    /// [`SymbolError`] for a symbol that cannot be one.
    pub fn new(
        listings: impl IntoIterator<Item = (String, Instrument)>,
    ) -> Result<Self, SymbolError> {
        let mut table = Self::default();
        for (symbol, instrument) in listings {
            let packed = pack(symbol.as_bytes()).ok_or_else(|| SymbolError(symbol.clone()))?;
            let at = table.listed.len();
            table.by_symbol.push((packed, at));
            let index = instrument.id.index();
            if table.by_id.len() <= index {
                table.by_id.resize(index + 1, None);
            }
            table.by_id[index] = Some(at);
            table.listed.push(Listed {
                stream: symbol.to_ascii_lowercase(),
                symbol,
                instrument,
            });
        }
        table.by_symbol.sort_unstable();
        Ok(table)
    }

    /// The same, with what the venue writes in other decimals.
    #[must_use]
    pub fn with_venue_decimals(mut self, decimals: VenueDecimals) -> Self {
        self.venue_decimals = decimals;
        self
    }

    /// What the venue writes in other decimals.
    pub(crate) const fn venue_decimals(&self) -> &VenueDecimals {
        &self.venue_decimals
    }

    /// How many more decimals the venue writes prices and quantities of an instrument with than we count in; fewer are negative.
    pub(crate) fn finer(&self, instrument: &Instrument) -> (i8, i8) {
        let own = (instrument.price_decimals, instrument.quantity_decimals);
        let (price, quantity) = self
            .venue_decimals
            .get(&instrument.id)
            .copied()
            .unwrap_or(own);
        let more = |written: u8, own: u8| written.cast_signed() - own.cast_signed();
        (more(price, own.0), more(quantity, own.1))
    }

    /// The instrument of a symbol, in whichever case.
    #[must_use]
    pub fn find(&self, symbol: &[u8]) -> Option<&Instrument> {
        let packed = pack(symbol)?;
        let at = self
            .by_symbol
            .binary_search_by_key(&packed, |(symbol, _)| *symbol)
            .ok()?;
        let (_, listed) = self.by_symbol.get(at)?;
        self.listed.get(*listed).map(|listed| &listed.instrument)
    }

    /// An instrument by its id.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.by_listed(id).map(|listed| &listed.instrument)
    }

    /// The symbol of an instrument, as requests write it.
    #[must_use]
    pub fn symbol(&self, id: InstrumentId) -> Option<&str> {
        self.by_listed(id).map(|listed| listed.symbol.as_str())
    }

    /// The symbol of an instrument, as stream names write it.
    #[must_use]
    pub fn stream(&self, id: InstrumentId) -> Option<&str> {
        self.by_listed(id).map(|listed| listed.stream.as_str())
    }

    /// All instruments, in the order they were given.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.listed.iter().map(|listed| &listed.instrument)
    }

    fn by_listed(&self, id: InstrumentId) -> Option<&Listed> {
        let at = (*self.by_id.get(id.index())?)?;
        self.listed.get(at)
    }
}

/// Up to 16 characters as one number, letters in upper case.
fn pack(symbol: &[u8]) -> Option<u128> {
    if symbol.is_empty() || symbol.len() > 16 || !symbol.is_ascii() {
        return None;
    }
    Some(symbol.iter().fold(0, |packed, byte| {
        packed << 8 | u128::from(byte.to_ascii_uppercase())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::instrument;

    #[test]
    fn symbols_are_found_in_either_case_and_by_id() {
        let table = SymbolTable::new([
            ("ETHUSDT".to_owned(), instrument(4, 2, 4)),
            ("BTCUSDT".to_owned(), instrument(2, 2, 5)),
        ])
        .unwrap();
        let id = |symbol: &str| table.find(symbol.as_bytes()).map(|found| found.id.0);
        assert_eq!((id("BTCUSDT"), id("ethusdt")), (Some(2), Some(4)));
        for unknown in [
            "BTCUSD",
            "BTCUSDTX",
            "",
            "A_VERY_LONG_SYMBOL_INDEED",
            "BTC\u{df}",
        ] {
            assert_eq!(id(unknown), None, "{unknown}");
        }
        assert_eq!(table.symbol(InstrumentId(2)), Some("BTCUSDT"));
        assert_eq!(table.stream(InstrumentId(4)), Some("ethusdt"));
        assert_eq!(table.symbol(InstrumentId(3)), None);
        assert_eq!(table.symbol(InstrumentId(9)), None);
    }

    #[test]
    fn a_symbol_that_is_too_long_is_refused() {
        let listing = ("A_VERY_LONG_SYMBOL".to_owned(), instrument(0, 2, 2));
        assert!(SymbolTable::new([listing]).is_err());
    }
}
