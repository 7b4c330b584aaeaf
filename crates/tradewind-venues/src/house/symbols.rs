//! A house's symbols and our instruments, both ways.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tradewind_model::{Decimal, Instrument, InstrumentId, Timestamp};

use super::data::HouseNumber;

/// Longest symbol: a frame has one byte for its length.
const SYMBOL_BYTES_MAX: usize = 255;

/// A symbol that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolError {
    /// It has no characters, too many, or some that are not printed.
    #[error("symbol {0:?} is not 1 to 255 printed characters")]
    Malformed(String),
    /// Another instrument has it.
    #[error("symbol {0:?} is named twice")]
    Twice(String),
}

/// A series of numbers that a source may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its full name: `house:fear`.
    pub name: Arc<str>,
    /// Age from which on a number of it is of no use.
    pub max_age: Duration,
}

impl Series {
    /// A number of it.
    pub(super) fn number(
        &self,
        value: Decimal,
        event_time: Timestamp,
        received_at: Timestamp,
    ) -> HouseNumber {
        HouseNumber {
            series: Arc::clone(&self.name),
            value,
            event_time,
            received_at,
            max_age: self.max_age,
        }
    }
}

/// The instruments of a source, by symbol and by id, and its series by what the source calls them.
#[derive(Clone, Debug, Default)]
pub struct HouseSymbols {
    by_symbol: BTreeMap<String, Instrument>,
    by_id: BTreeMap<InstrumentId, String>,
    series: BTreeMap<String, Series>,
}

impl HouseSymbols {
    /// Symbols and their instruments.
    ///
    /// # Errors
    /// [`SymbolError`], for the first symbol that cannot be used.
    pub fn new(
        listed: impl IntoIterator<Item = (String, Instrument)>,
    ) -> Result<Self, SymbolError> {
        let mut symbols = Self::default();
        for (symbol, instrument) in listed {
            check(&symbol)?;
            symbols.by_id.insert(instrument.id, symbol.clone());
            if symbols.by_symbol.contains_key(&symbol) {
                return Err(SymbolError::Twice(symbol));
            }
            symbols.by_symbol.insert(symbol, instrument);
        }
        Ok(symbols)
    }

    /// The same with series that the source may send.
    ///
    /// # Errors
    /// [`SymbolError`], for the first symbol that cannot be used.
    pub fn with_series(
        mut self,
        listed: impl IntoIterator<Item = (String, Series)>,
    ) -> Result<Self, SymbolError> {
        for (symbol, series) in listed {
            check(&symbol)?;
            if self.series.contains_key(&symbol) {
                return Err(SymbolError::Twice(symbol));
            }
            self.series.insert(symbol, series);
        }
        Ok(self)
    }

    /// The series that the source calls so.
    #[must_use]
    pub fn series(&self, symbol: &str) -> Option<&Series> {
        self.series.get(symbol)
    }

    /// The instrument of a symbol.
    #[must_use]
    pub fn find(&self, symbol: &str) -> Option<&Instrument> {
        self.by_symbol.get(symbol)
    }

    /// The symbol of an instrument.
    #[must_use]
    pub fn symbol(&self, id: InstrumentId) -> Option<&str> {
        self.by_id.get(&id).map(String::as_str)
    }

    /// All of its instruments.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.by_symbol.values()
    }
}

fn check(symbol: &str) -> Result<(), SymbolError> {
    let is_printed = !symbol.chars().any(char::is_control);
    if symbol.is_empty() || symbol.len() > SYMBOL_BYTES_MAX || !is_printed {
        return Err(SymbolError::Malformed(symbol.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::AssetId;

    #[test]
    fn a_symbol_is_printed_and_names_one_instrument() {
        let spot = |id| Instrument::spot(InstrumentId(id), "house:A/B", AssetId(0), AssetId(1));
        let make = |one: &str, two: &str| {
            HouseSymbols::new([(one.to_owned(), spot(0)), (two.to_owned(), spot(1))])
        };
        let symbols = make("a b", "ü").unwrap();
        assert_eq!(symbols.find("ü").unwrap().id, InstrumentId(1));
        assert_eq!(symbols.symbol(InstrumentId(0)), Some("a b"));
        assert!(make("a", "a").is_err());
        assert!(make("a", "").is_err());
        assert!(make("a", "b\n").is_err());
        assert!(make("a", &"b".repeat(256)).is_err());
    }
}
