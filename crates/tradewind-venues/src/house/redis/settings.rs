//! What a source has in Redis, and how far its streams were read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// Most entries of one reading.
const ENTRIES_MAX: usize = 100;

/// What the cursor of a feed that is polled is kept under.
pub(in crate::house) const CURSOR: &str = "";

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
    /// The name of the master, where the address is that of a Sentinel.
    pub sentinel: Option<String>,
}

/// Where the master is that a Sentinel named. Each connection to it uses that once: the next one asks again.
#[derive(Clone, Debug, Default)]
pub(in crate::house) struct Master(Arc<Mutex<Option<Address>>>);

impl Master {
    pub(in crate::house) fn take(&self) -> Option<Address> {
        let mut address = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        address.take()
    }

    pub(super) fn set(&self, address: Address) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
    }
}

/// The last entry of each stream that was read, or the cursor of a feed that is polled, over connections.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    last: Arc<Mutex<BTreeMap<String, String>>>,
    /// Entries that are too long to be read and were passed over.
    passed: Arc<Mutex<BTreeMap<String, String>>>,
    /// Streams that are begun anew though they were read before: a gap that is not announced yet.
    skipped: Arc<Mutex<BTreeSet<String>>>,
    /// Nothing was read in this run yet.
    is_of_last_run: Arc<AtomicBool>,
    /// Answers of a feed that is polled that could not be read, in a row behind one cursor.
    failures: Arc<AtomicU32>,
    /// Entries of one reading, as a power of ten fewer than the most.
    fewer: Arc<AtomicU32>,
}

/// What is kept of [`Positions`] over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPositions {
    last: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    passed: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    skipped: BTreeSet<String>,
}

impl KeptPositions {
    /// Those of one feed that is polled (an empty list), or of these streams alone.
    #[must_use]
    pub fn of(mut self, streams: &[String]) -> Self {
        let is_wanted = |name: &String| match streams {
            [] => name == CURSOR,
            _ => streams.contains(name),
        };
        self.last.retain(|name, _| is_wanted(name));
        self.passed.retain(|name, _| is_wanted(name));
        self.skipped.retain(is_wanted);
        self
    }

    /// Positions too old to be read on from: reading begins with what comes, and what lies between is announced as a gap.
    #[must_use]
    pub fn skip(mut self) -> Self {
        self.skipped.extend(self.last.into_keys());
        Self {
            skipped: self.skipped,
            ..Self::default()
        }
    }
}

impl From<KeptPositions> for Positions {
    fn from(kept: KeptPositions) -> Self {
        Self {
            last: Arc::new(Mutex::new(kept.last)),
            passed: Arc::new(Mutex::new(kept.passed)),
            skipped: Arc::new(Mutex::new(kept.skipped)),
            is_of_last_run: Arc::new(AtomicBool::new(true)),
            ..Self::default()
        }
    }
}

impl Positions {
    /// What a later run begins with to continue here.
    #[must_use]
    pub fn kept(&self) -> KeptPositions {
        let now = |of: &Mutex<BTreeMap<String, String>>| {
            of.lock().unwrap_or_else(PoisonError::into_inner).clone()
        };
        let skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        KeptPositions {
            last: now(&self.last),
            passed: now(&self.passed),
            skipped: skipped.clone(),
        }
    }

    /// Whether a stream is begun anew though it was read before. It is announced once.
    pub(in crate::house) fn take_skipped(&self, stream: &str) -> bool {
        let mut skipped = self.skipped.lock().unwrap_or_else(PoisonError::into_inner);
        skipped.remove(stream)
    }

    /// Whether all of it is of an earlier run, which the publisher may not know any more.
    pub(in crate::house) fn is_of_last_run(&self) -> bool {
        self.is_of_last_run.load(Ordering::Relaxed)
    }

    /// Counts an answer that cannot be read; how many there were in a row.
    pub(in crate::house) fn failed(&self) -> u32 {
        self.failures.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// An answer was read.
    pub(in crate::house) fn restore_failures(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Entries that one reading names at most.
    pub(super) fn count(&self) -> usize {
        let fewer = 10_usize.checked_pow(self.fewer.load(Ordering::Relaxed));
        (ENTRIES_MAX / fewer.unwrap_or(ENTRIES_MAX)).max(1)
    }

    /// The next entry of a stream is too long: what follows it is read.
    pub(super) fn pass_over(&self, stream: &str, id: &str) {
        self.set(stream, id);
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.insert(stream.to_owned(), id.to_owned());
    }

    /// Whether an entry of a stream was passed over.
    pub(super) fn is_passed(&self, stream: &str, id: &str) -> bool {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.get(stream).is_some_and(|passed| passed == id)
    }

    /// A reading was too long: the next one names fewer entries.
    pub(super) fn lower_count(&self) {
        self.fewer.fetch_add(1, Ordering::Relaxed);
    }

    /// A reading was not full: the next one may be longer again.
    pub(super) fn restore_count(&self) {
        self.fewer.store(0, Ordering::Relaxed);
    }

    pub(in crate::house) fn get(&self, stream: &str) -> Option<String> {
        let positions = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        positions.get(stream).cloned()
    }

    pub(in crate::house) fn set(&self, stream: &str, id: &str) {
        let mut positions = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        positions.insert(stream.to_owned(), id.to_owned());
        self.is_of_last_run.store(false, Ordering::Relaxed);
    }

    pub(in crate::house) fn remove(&self, stream: &str) {
        let mut positions = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        positions.remove(stream);
    }
}

/// Whether entry `id` of a stream comes before `other`. What is no id comes before all.
pub(super) fn is_before(id: &str, other: &str) -> bool {
    let parts = |id: &str| -> Option<(u64, u64)> {
        let (time, number) = id.split_once('-')?;
        Some((time.parse().ok()?, number.parse().ok()?))
    };
    parts(id) < parts(other)
}
