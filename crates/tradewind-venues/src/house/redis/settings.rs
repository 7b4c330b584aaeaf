//! What a source has in Redis, and how far its streams were read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is read in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisUse {
    /// Channels of pub/sub.
    Channels(Vec<String>),
    /// Streams.
    Streams(Vec<String>),
}

/// What a source has in Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// The user to log in as; `default` where only a password is configured.
    pub user: Option<String>,
    /// What is read.
    pub reads: RedisUse,
}

/// The last entry of each stream that was read, or the cursor of a feed that is polled, over connections.
#[derive(Clone, Debug, Default)]
pub struct Positions(Arc<Mutex<BTreeMap<String, String>>>);

impl Positions {
    pub(in crate::house) fn get(&self, stream: &str) -> Option<String> {
        let positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        positions.get(stream).cloned()
    }

    pub(in crate::house) fn set(&self, stream: &str, id: &str) {
        let mut positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        positions.insert(stream.to_owned(), id.to_owned());
    }

    pub(in crate::house) fn remove(&self, stream: &str) {
        let mut positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        positions.remove(stream);
    }
}
