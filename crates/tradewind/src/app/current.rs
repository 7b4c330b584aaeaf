//! The configuration in force, for those who turn ids into names: it grows by the assets that the accounts turn out to have, and its
//! bots may be replaced.

use std::sync::{Arc, PoisonError, RwLock};

use tradewind_events::Configuration;
use tradewind_model::AssetId;

/// The configuration as it is now.
#[derive(Debug)]
pub(crate) struct CurrentConfiguration(RwLock<Arc<Configuration>>);

impl CurrentConfiguration {
    pub(crate) fn new(configuration: Arc<Configuration>) -> Self {
        Self(RwLock::new(configuration))
    }

    pub(crate) fn get(&self) -> Arc<Configuration> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Names the next asset. Returns the configuration with it.
    pub(crate) fn add_asset(&self, asset: AssetId, name: &str) -> Arc<Configuration> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if asset.index() == current.assets.len() {
            Arc::make_mut(&mut current).assets.intern(name);
        }
        Arc::clone(&current)
    }

    /// Takes over the bots of another configuration. Returns the configuration with them.
    pub(crate) fn replace_bots(&self, other: &Configuration) -> Arc<Configuration> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let configuration = Arc::make_mut(&mut current);
        configuration.bots.clone_from(&other.bots);
        configuration.bots_revision = other.bots_revision;
        configuration.bots_text.clone_from(&other.bots_text);
        Arc::clone(&current)
    }
}
