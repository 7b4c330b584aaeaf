//! A house's symbols and our instruments, both ways.

use std::collections::BTreeMap;

use tradewind_model::{Instrument, InstrumentId};

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

/// The instruments of a source, by symbol and by id.
#[derive(Clone, Debug, Default)]
pub struct HouseSymbols {
    by_symbol: BTreeMap<String, Instrument>,
    by_id: BTreeMap<InstrumentId, String>,
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
            let is_printed = !symbol.chars().any(char::is_control);
            if symbol.is_empty() || symbol.len() > SYMBOL_BYTES_MAX || !is_printed {
                return Err(SymbolError::Malformed(symbol));
            }
            symbols.by_id.insert(instrument.id, symbol.clone());
            if symbols.by_symbol.contains_key(&symbol) {
                return Err(SymbolError::Twice(symbol));
            }
            symbols.by_symbol.insert(symbol, instrument);
        }
        Ok(symbols)
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
