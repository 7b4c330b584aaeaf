//! Asset names and their ids, shared by everything that reads a venue's answers.

use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use tradewind_model::{AssetId, AssetTable};

/// The desk's asset table where an edge can add to it: a fee may be charged, or a deposit made, in an asset that is not configured.
#[derive(Debug, Default)]
pub struct Assets(RwLock<Shared>);

#[derive(Default)]
struct Shared {
    table: AssetTable,
    added: Option<Added>,
}

/// Receives each new asset before its id is used.
type Added = Box<dyn Fn(AssetId, &str) + Send + Sync>;

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.table).finish()
    }
}

impl Assets {
    /// Starts from the desk's table.
    #[must_use]
    pub fn new(table: AssetTable) -> Self {
        Self(RwLock::new(Shared { table, added: None }))
    }

    /// Continues with the table that the desk has made of a [`snapshot`](Self::snapshot), and calls `added` for every asset that comes
    /// later, in the order of their ids. `added` must not block.
    pub fn follow(&self, table: AssetTable, added: impl Fn(AssetId, &str) + Send + Sync + 'static) {
        let mut shared = self.write();
        let known = std::mem::replace(&mut shared.table, table);
        shared.added = Some(Box::new(added));
        for asset in known.iter() {
            shared.intern(&asset.name);
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shared> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_table<T>(&self, read: impl FnOnce(&AssetTable) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner).table)
    }

    /// The id of `name`, added if it is new.
    pub fn intern(&self, name: &str) -> AssetId {
        let known = self.with_table(|table| table.find(name));
        known.unwrap_or_else(|| self.write().intern(name))
    }

    /// The table as it is now.
    #[must_use]
    pub fn snapshot(&self) -> AssetTable {
        self.with_table(AssetTable::clone)
    }
}

impl Shared {
    fn intern(&mut self, name: &str) -> AssetId {
        let before = self.table.len();
        let asset = self.table.intern(name);
        if let Some(added) = self.added.as_ref().filter(|_| self.table.len() > before) {
            added(asset, name);
        }
        asset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// V17: what the desk's table has is kept, and each asset that comes later is reported once, before its id is used.
    #[test]
    fn an_asset_that_comes_later_is_reported_once_with_its_id() {
        let assets = Assets::default();
        assets.intern("USDT");
        let mut table = assets.snapshot();
        table.intern("EUR");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = Arc::clone(&seen);
        assets.follow(table, move |asset, name| {
            note.lock().unwrap().push((asset.0, name.to_owned()));
        });
        let ids = ["EUR", "DOGE", "USDT", "SHIB", "DOGE"].map(|name| assets.intern(name).0);
        assert_eq!(ids, [1, 2, 0, 3, 2]);
        let wanted = [(2, "DOGE".to_owned()), (3, "SHIB".to_owned())];
        assert_eq!(*seen.lock().unwrap(), wanted);
    }
}
