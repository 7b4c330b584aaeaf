//! Assets: what balances and fees are counted in.

use serde::{Deserialize, Serialize};

use crate::id::AssetId;

/// An asset's name, such as `USDT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its dense id.
    pub id: AssetId,
    /// Its name, upper case.
    pub name: String,
}

/// All assets of a desk, in the order in which they were first named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetTable {
    names: Vec<String>,
}

impl AssetTable {
    /// The id of `name`, added if it is new.
    ///
    /// # Panics
    /// With more than 2^32 assets.
    pub fn intern(&mut self, name: &str) -> AssetId {
        self.find(name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            AssetId(u32::try_from(self.names.len() - 1).expect("a desk has fewer than 2^32 assets"))
        })
    }

    /// The id of `name`, if it is known.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<AssetId> {
        let index = self.names.iter().position(|known| known == name)?;
        u32::try_from(index).ok().map(AssetId)
    }

    /// The name of `id`, `?` for one that is not in the table.
    #[must_use]
    pub fn name(&self, id: AssetId) -> &str {
        self.names.get(id.index()).map_or("?", String::as_str)
    }

    /// All assets in order.
    pub fn iter(&self) -> impl Iterator<Item = Asset> + '_ {
        (0..).zip(&self.names).map(|(id, name)| Asset {
            id: AssetId(id),
            name: name.clone(),
        })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}
