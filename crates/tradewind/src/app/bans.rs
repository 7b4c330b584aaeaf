//! How long each venue has blocked this address, kept over a restart: a ban outlives the process (V12).
//!
//! A venue's answer is noted by the task that reads it, under the lock of the budget, often on the engine's thread. So the file is
//! written by a thread of its own.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::bail;
use tradewind_journal::StateFile;
use tradewind_model::Timestamp;
use tradewind_venues::RateBudget;

/// The longest ban that a venue gives: Binance's last three days (REST API, LIMITS).
const LONGEST: Duration = Duration::from_secs(3 * 24 * 3_600);
/// Longest wait of a start for the end of a ban.
const PATIENCE: Duration = Duration::from_secs(60);

/// The ends of the blocks by address, in milliseconds of the system's clock.
type Ends = BTreeMap<String, i64>;

/// The bans of a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Bans {
    ends: Arc<Mutex<Ends>>,
    wall: fn() -> Timestamp,
    /// Wakes the thread that writes the file; the thread ends with the last of these.
    changed: SyncSender<()>,
}

impl Bans {
    /// Reads what the last runs left. `wall` is the system's clock.
    pub(crate) fn open(file: StateFile, wall: fn() -> Timestamp) -> Self {
        let found: Option<Ends> = file.read();
        // So that a later write needs no room.
        if found.is_none() {
            write(&file, &Ends::new());
        }
        let ends = Arc::new(Mutex::new(found.unwrap_or_default()));
        let (changed, changes) = sync_channel(1);
        let kept = Arc::clone(&ends);
        let writer = move || write_changes(&file, &kept, wall, &changes);
        let started = thread::Builder::new().name("bans".to_owned()).spawn(writer);
        if let Err(error) = started {
            tracing::warn!(%error, "Blocks by the venue cannot be kept over a restart.");
        }
        Self {
            ends,
            wall,
            changed,
        }
    }

    /// How much is left of a block of this address.
    fn left(&self, address: &str) -> Duration {
        let end = lock(&self.ends).get(address).copied();
        let end = end.map(Timestamp::from_millis);
        end.map_or(Duration::ZERO, |end| end.since((self.wall)()).min(LONGEST))
    }

    /// Waits until the bans of these addresses are over: before that nothing can be read there, and no request leaves.
    ///
    /// # Errors
    /// A ban that outlasts a minute, after that minute: a desk that is started again and again then does not spin.
    pub(crate) async fn wait<'a>(
        &self,
        addresses: impl IntoIterator<Item = &'a String>,
    ) -> anyhow::Result<()> {
        let bans = addresses.into_iter().map(|at| (self.left(at), at));
        let Some((left, address)) = bans.max() else {
            return Ok(());
        };
        let until = (self.wall)() + left;
        tokio::time::sleep(left.min(PATIENCE)).await;
        if left > PATIENCE {
            bail!("{address} bans this address until {until}; start again then");
        }
        Ok(())
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
            budget.block_for(now, left);
        }
        let (bans, address) = (self.clone(), address.to_owned());
        budget.on_block(move |wait| bans.note(&address, wait));
    }

    fn note(&self, address: &str, wait: Duration) {
        let now = (self.wall)();
        {
            let mut ends = lock(&self.ends);
            ends.retain(|_, end| Timestamp::from_millis(*end) > now);
            let end = ends.entry(address.to_owned()).or_default();
            *end = (*end).max((now + wait).as_millis());
        }
        // It fails if a change waits already, and that one takes this one with it.
        self.changed.try_send(()).ok();
    }
}

/// Writes the ends after each change. Another process of the same folder may have written meanwhile: its bans are kept.
fn write_changes(
    file: &StateFile,
    ends: &Mutex<Ends>,
    wall: fn() -> Timestamp,
    changes: &Receiver<()>,
) {
    while changes.recv().is_ok() {
        let mut all: Ends = file.read().unwrap_or_default();
        let now = wall();
        all.retain(|_, end| Timestamp::from_millis(*end) > now);
        for (address, end) in &*lock(ends) {
            let kept = all.entry(address.clone()).or_default();
            *kept = (*kept).max(*end);
        }
        write(file, &all);
    }
}

fn write(file: &StateFile, ends: &Ends) {
    if let Err(error) = file.write(ends) {
        tracing::warn!(%error, "A block by the venue cannot be kept over a restart.");
    }
}

fn lock(ends: &Mutex<Ends>) -> MutexGuard<'_, Ends> {
    ends.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use tradewind_journal::{MemoryStorage, Storage as _, StorageFault};
    use tradewind_model::Ppm;
    use tradewind_venues::{Admission, Priority};

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn now() -> Timestamp {
        NOW
    }

    fn a_while_later() -> Timestamp {
        NOW + Duration::from_secs(100)
    }

    fn file(storage: &MemoryStorage) -> StateFile {
        storage.create_dir(Path::new("desk")).unwrap();
        StateFile::new(Arc::new(storage.clone()), Path::new("desk"), "bans.json")
    }

    fn until_written(file: &StateFile) {
        while file.read().is_none_or(|ends: Ends| ends.is_empty()) {
            thread::yield_now();
        }
    }

    /// V12, I14.
    #[test]
    fn a_ban_outlives_the_process() {
        let file = file(&MemoryStorage::new());
        let mut budget = RateBudget::new(6_000);
        let before = Bans::open(file.clone(), now);
        before.keep("https://a", &mut budget, Duration::ZERO);
        assert_eq!(
            budget.acquire(Duration::ZERO, Priority::Cancel, 1),
            Admission::Go
        );
        budget.blocked(Duration::from_secs(5), Duration::from_secs(120));
        budget.blocked(Duration::from_secs(6), Duration::from_secs(1));
        until_written(&file);

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

    /// The embedded exchange's clock runs faster: its `Retry-After` is shorter in real time. What is left of it is not
    /// divided once more.
    #[test]
    fn what_is_left_of_a_ban_is_real_time() {
        let fast = || RateBudget::new(6_000).at_speed(Ppm(20_000_000));
        let file = file(&MemoryStorage::new());
        let mut budget = fast();
        let before = Bans::open(file.clone(), now);
        before.keep("https://a", &mut budget, Duration::ZERO);
        budget.blocked(Duration::ZERO, Duration::from_secs(2_400));
        until_written(&file);

        let mut budget = fast();
        Bans::open(file, a_while_later).keep("https://a", &mut budget, Duration::ZERO);
        assert_eq!(budget.blocked_for(Duration::ZERO), Duration::from_secs(20));
    }

    /// The task that reads a venue's answer, often on the engine's thread, waits for no disk. A first write syncs.
    #[test]
    fn a_ban_is_noted_while_the_disk_hangs() {
        let storage = MemoryStorage::new();
        let file = file(&storage);
        storage.set_fault(Some(StorageFault::read_only()));
        let bans = Bans::open(file.clone(), now);
        storage.set_fault(None);
        storage.hang_syncs(true);
        let mut budget = RateBudget::new(6_000);
        bans.keep("https://a", &mut budget, Duration::ZERO);
        budget.blocked(Duration::ZERO, Duration::from_secs(120));
        assert_eq!(file.read::<Ends>(), None);
        storage.hang_syncs(false);
        until_written(&file);
    }

    #[test]
    fn the_file_has_its_room_from_the_start() {
        let file = file(&MemoryStorage::new());
        assert_eq!(file.read::<Ends>(), None);
        let _bans = Bans::open(file.clone(), now);
        assert_eq!(file.read(), Some(Ends::new()));
    }

    /// Another process of the same folder has a ban of its own.
    #[test]
    fn bans_of_two_processes_are_both_kept() {
        let file = file(&MemoryStorage::new());
        let (one, other) = (Bans::open(file.clone(), now), Bans::open(file.clone(), now));
        one.note("https://a", Duration::from_secs(100));
        until_written(&file);
        other.note("https://b", Duration::from_secs(200));
        while file.read::<Ends>().unwrap().len() < 2 {
            thread::yield_now();
        }
    }

    /// V12: a start waits for the end of a ban, but not for days.
    #[tokio::test(start_paused = true)]
    async fn a_start_waits_a_minute_for_the_end_of_a_ban() {
        let bans = Bans::open(file(&MemoryStorage::new()), now);
        let check = async |address: &str, waits: u64, fails: bool| {
            let began = tokio::time::Instant::now();
            let waited = bans
                .wait(&["https://free".to_owned(), address.to_owned()])
                .await;
            assert_eq!(began.elapsed().as_secs(), waits, "{address}");
            assert_eq!(waited.is_err(), fails, "{waited:?}");
            waited
        };
        bans.note("https://brief", Duration::from_secs(60));
        bans.note("https://long", Duration::from_secs(3 * 24 * 3_600));
        check("https://none", 0, false).await.unwrap();
        check("https://brief", 60, false).await.unwrap();
        let error = check("https://long", 60, true).await.unwrap_err();
        let wanted = "https://long bans this address until 1970-01-04T00:16:40";
        assert!(error.to_string().starts_with(wanted), "{error}");
    }
}
