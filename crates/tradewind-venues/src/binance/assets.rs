//! Asset names and their ids, shared by everything that reads a venue's answers.

use std::sync::{PoisonError, RwLock};

use tradewind_model::{AssetId, AssetTable};

/// The desk's asset table where an edge can add to it: a fee may be charged in an asset that is not configured.
#[derive(Debug, Default)]
pub struct Assets(RwLock<AssetTable>);

impl Assets {
    /// Starts from the desk's table.
    #[must_use]
    pub const fn new(table: AssetTable) -> Self {
        Self(RwLock::new(table))
    }

    /// The id of `name`, added if it is new.
    pub fn intern(&self, name: &str) -> AssetId {
        if let Some(id) = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .find(name)
        {
            return id;
        }
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .intern(name)
    }

    /// The table as it is now.
    #[must_use]
    pub fn snapshot(&self) -> AssetTable {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
