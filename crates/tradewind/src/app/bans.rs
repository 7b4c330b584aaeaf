//! How long each venue has blocked this address, kept over a restart: a ban outlives the process (V12).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tradewind_journal::StateFile;
use tradewind_model::Timestamp;
use tradewind_venues::RateBudget;

/// The longest ban that a venue gives: Binance's last three days (REST API, LIMITS).
const LONGEST: Duration = Duration::from_secs(3 * 24 * 3_600);

/// The ends of the blocks by address, in milliseconds of the system's clock.
type Ends = BTreeMap<String, i64>;

/// The bans of a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Bans {
    file: StateFile,
    ends: Arc<Mutex<Ends>>,
    wall: fn() -> Timestamp,
}

impl Bans {
    /// Reads what the last runs left. `wall` is the system's clock.
    pub(crate) fn open(file: StateFile, wall: fn() -> Timestamp) -> Self {
        let ends: Ends = file.read().unwrap_or_default();
        Self {
            file,
            ends: Arc::new(Mutex::new(ends)),
            wall,
        }
    }

    /// How much is left of a block of this address.
    pub(crate) fn left(&self, address: &str) -> Duration {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let end = ends.get(address).copied().map(Timestamp::from_millis);
        end.map_or(Duration::ZERO, |end| end.since((self.wall)()).min(LONGEST))
    }

    /// A budget of an address that keeps what is left of a block at `now`, and each block that the venue answers.
    pub(crate) fn keep(&self, address: &str, budget: &mut RateBudget, now: Duration) {
        let left = self.left(address);
        if !left.is_zero() {
            let seconds = left.as_secs();
            tracing::warn!(
                address,
                seconds,
                "The venue has blocked requests before the start; none leaves until then."
            );
            budget.blocked(now, left);
        }
        let (bans, address) = (self.clone(), address.to_owned());
        budget.on_block(move |wait| bans.note(&address, wait));
    }

    fn note(&self, address: &str, wait: Duration) {
        let now = (self.wall)();
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.retain(|_, end| Timestamp::from_millis(*end) > now);
        let end = ends.entry(address.to_owned()).or_default();
        *end = (*end).max((now + wait).as_millis());
        if let Err(error) = self.file.write(&*ends) {
            tracing::warn!(%error, "A block by the venue cannot be kept over a restart.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tradewind_journal::{MemoryStorage, Storage as _};
    use tradewind_venues::{Admission, Priority};

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn now() -> Timestamp {
        NOW
    }

    fn a_while_later() -> Timestamp {
        NOW + Duration::from_secs(100)
    }

    /// V12, I14.
    #[test]
    fn a_ban_outlives_the_process() {
        let storage = MemoryStorage::new();
        storage.create_dir(Path::new("desk")).unwrap();
        let file = StateFile::new(Arc::new(storage), Path::new("desk"), "bans.json");
        let mut budget = RateBudget::new(6_000);
        let before = Bans::open(file.clone(), now);
        before.keep("https://a", &mut budget, Duration::ZERO);
        assert_eq!(
            budget.acquire(Duration::ZERO, Priority::Cancel, 1),
            Admission::Go
        );
        budget.blocked(Duration::from_secs(5), Duration::from_secs(120));
        budget.blocked(Duration::from_secs(6), Duration::from_secs(1));

        let after = Bans::open(file, a_while_later);
        let check = |address: &str, wanted: Admission| {
            let mut budget = RateBudget::new(6_000);
            after.keep(address, &mut budget, Duration::from_secs(9));
            let admission = budget.acquire(Duration::from_secs(9), Priority::Cancel, 1);
            assert_eq!(admission, wanted, "{address}");
        };
        check("https://a", Admission::Wait(Duration::from_secs(20)));
        check("https://b", Admission::Go);
    }
}
