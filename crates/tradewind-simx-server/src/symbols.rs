//! The venue's spelling of instruments and assets. Nothing behind the wire knows it.

use std::collections::BTreeMap;

use tradewind_model::{AssetId, AssetTable, Instrument, InstrumentId};

/// Symbols by instrument and back, and asset names.
#[derive(Clone, Debug)]
pub(crate) struct Symbols {
    names: Vec<String>,
    ids: BTreeMap<String, InstrumentId>,
    assets: AssetTable,
}

impl Symbols {
    pub(crate) fn new(instruments: &[Instrument], assets: AssetTable) -> Self {
        let name = |instrument: &Instrument| {
            format!(
                "{}{}",
                assets.name(instrument.base),
                assets.name(instrument.quote)
            )
        };
        let names: Vec<String> = instruments.iter().map(name).collect();
        let ids = names
            .iter()
            .cloned()
            .zip(instruments.iter().map(|instrument| instrument.id))
            .collect();
        Self { names, ids, assets }
    }

    /// The instrument spelled `symbol`, in upper case.
    pub(crate) fn find(&self, symbol: &str) -> Option<InstrumentId> {
        self.ids.get(symbol).copied()
    }

    /// The symbol of `instrument`.
    pub(crate) fn name(&self, instrument: InstrumentId) -> &str {
        self.names
            .get(instrument.index())
            .map_or("?", String::as_str)
    }

    /// All assets.
    pub(crate) const fn assets(&self) -> &AssetTable {
        &self.assets
    }

    /// The name of `asset`.
    pub(crate) fn asset(&self, asset: AssetId) -> &str {
        self.assets.name(asset)
    }
}
