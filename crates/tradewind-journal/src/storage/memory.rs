//! Files in memory that can crash: at a named point, at its n-th hit, keeping what survives a killed process or a power cut.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{CrashPoint, OpenMode, Storage, StorageFault, StorageFile};

/// A disk writes a sector whole or not at all.
const SECTOR: usize = 512;

/// What a crash takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The process died: everything handed to the system is there.
    Process,
    /// The power went: only what was synced is there, and this many bytes of what was not.
    Power {
        /// Bytes of each file from the first that was not synced on which reached the disk all the same; of what was
        /// written over, whole sectors.
        torn: usize,
    },
}

/// An in-memory [`Storage`] for tests. Clones share the files.
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage {
    disk: Arc<Mutex<State>>,
    /// Syncs begin only while this is false.
    hanging: Arc<(Mutex<bool>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, Arc<Mutex<Contents>>>,
    durable_names: BTreeMap<PathBuf, Arc<Mutex<Contents>>>,
    armed: Option<(CrashPoint, u32)>,
    hits: BTreeMap<CrashPoint, u32>,
    crashed: bool,
    failing_syncs: bool,
    fault: Option<StorageFault>,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Where `bytes` may differ from `durable`, of what both have.
    unsynced: Range<usize>,
}

#[derive(Debug)]
struct MemoryFile {
    disk: MemoryStorage,
    path: PathBuf,
    contents: Arc<Mutex<Contents>>,
}

impl MemoryStorage {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the world when `point` is reached for the `hit`-th time from now, counted from 1.
    pub fn crash_at(&self, point: CrashPoint, hit: u32) {
        let mut state = lock(&self.disk);
        state.hits.clear();
        state.armed = Some((point, hit));
    }

    /// Makes every sync fail from now on (S04), or work again.
    pub fn fail_syncs(&self, failing: bool) {
        lock(&self.disk).failing_syncs = failing;
    }

    /// What the disk refuses from now on; nothing more if `None`.
    pub fn set_fault(&self, fault: Option<StorageFault>) {
        lock(&self.disk).fault = fault;
    }

    /// How often the fault that was set last has refused something.
    #[must_use]
    pub fn refused(&self) -> u64 {
        lock(&self.disk)
            .fault
            .as_ref()
            .map_or(0, |fault| fault.refused)
    }

    /// Makes syncs wait from now on (S09), or lets them go on.
    pub fn hang_syncs(&self, hanging: bool) {
        *lock(&self.hanging.0) = hanging;
        self.hanging.1.notify_all();
    }

    fn wait_while_hanging(&self) {
        let hanging = lock(&self.hanging.0);
        let waited = self.hanging.1.wait_while(hanging, |hanging| *hanging);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether the world has ended.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        lock(&self.disk).crashed
    }

    /// How often each point was reached since the last arming.
    #[must_use]
    pub fn hits(&self, point: CrashPoint) -> u32 {
        lock(&self.disk).hits.get(&point).copied().unwrap_or(0)
    }

    /// The disk as the next start finds it.
    #[must_use]
    pub fn after(&self, loss: Loss) -> Self {
        let state = lock(&self.disk);
        let names = match loss {
            Loss::Process => &state.names,
            Loss::Power { .. } => &state.durable_names,
        };
        let survivors: BTreeMap<_, _> = names
            .iter()
            .map(|(path, contents)| {
                (
                    path.clone(),
                    Arc::new(Mutex::new(lock(contents).after(loss))),
                )
            })
            .collect();
        Self {
            disk: Arc::new(Mutex::new(State {
                durable_names: survivors.clone(),
                names: survivors,
                ..State::default()
            })),
            ..Self::default()
        }
    }

    /// Bytes of the files that `counts`, as they are after `loss`. A file that lies in two folders counts once.
    #[must_use]
    pub fn bytes_after(&self, loss: Loss, counts: impl Fn(&Path) -> bool) -> u64 {
        let state = lock(&self.disk);
        let names = match loss {
            Loss::Process => &state.names,
            Loss::Power { .. } => &state.durable_names,
        };
        let mut seen: Vec<&OsStr> = Vec::new();
        let mut bytes = 0;
        for (path, contents) in names.iter().filter(|(path, _)| counts(path)) {
            let Some(name) = path.file_name().filter(|name| !seen.contains(name)) else {
                continue;
            };
            seen.push(name);
            let contents = lock(contents);
            bytes += match loss {
                Loss::Process => contents.bytes.len(),
                Loss::Power { .. } => contents.durable.len(),
            } as u64;
        }
        bytes
    }

    /// Lets `change` damage a file's bytes, synced ones too.
    ///
    /// # Errors
    /// `NotFound` if there is no such file.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let contents = lock(&self.disk).find(path)?;
        let mut contents = lock(&contents);
        change(&mut contents.bytes);
        contents.durable = contents.bytes.clone();
        contents.unsynced = 0..0;
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn alive(&self) -> io::Result<()> {
        if self.crashed {
            return Err(io::Error::other("the simulated machine has crashed"));
        }
        Ok(())
    }

    /// A change of names, which the fault may refuse.
    fn change(&mut self, path: &Path) -> io::Result<()> {
        self.alive()?;
        self.fault
            .as_mut()
            .map_or(Ok(()), |fault| fault.change(path))
    }

    /// A read or a sync, which the fault may refuse.
    fn look(&mut self, path: &Path) -> io::Result<()> {
        self.alive()?;
        self.fault.as_mut().map_or(Ok(()), |fault| fault.look(path))
    }

    fn give_back(&mut self, bytes: usize) {
        if let Some(fault) = &mut self.fault {
            fault.give_back(bytes as u64);
        }
    }

    fn find(&self, path: &Path) -> io::Result<Arc<Mutex<Contents>>> {
        let found = self.names.get(path).cloned();
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

impl Contents {
    /// Notes that these bytes were written and not synced.
    fn wrote(&mut self, place: Range<usize>) {
        self.unsynced = match self.unsynced.is_empty() {
            true => place,
            false => self.unsynced.start.min(place.start)..self.unsynced.end.max(place.end),
        };
    }

    /// Makes all bytes durable. It costs what was written since, not what the file holds.
    fn sync(&mut self) {
        self.durable.truncate(self.bytes.len());
        let both = self.durable.len();
        let place = self.unsynced.start.min(both)..self.unsynced.end.min(both);
        self.durable[place.clone()].copy_from_slice(&self.bytes[place]);
        self.durable.extend_from_slice(&self.bytes[both..]);
        self.unsynced = 0..0;
    }

    fn after(&self, loss: Loss) -> Self {
        let bytes = match loss {
            Loss::Process => self.bytes.clone(),
            Loss::Power { torn } => {
                let both = self.bytes.len().min(self.durable.len());
                let differs = |at: &usize| self.bytes[*at] != self.durable[*at];
                let first = (0..both).find(differs).unwrap_or(both);
                let kept = self.bytes.len().min(first + torn);
                let over = if kept > both {
                    both
                } else {
                    kept / SECTOR * SECTOR
                };
                let mut bytes = self.durable.clone();
                if over > first {
                    bytes[first..over].copy_from_slice(&self.bytes[first..over]);
                }
                if kept > self.durable.len() {
                    bytes.extend_from_slice(&self.bytes[self.durable.len()..kept]);
                }
                bytes
            }
        };
        Self {
            durable: bytes.clone(),
            bytes,
            unsynced: 0..0,
        }
    }
}

impl Storage for MemoryStorage {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        lock(&self.disk).alive()
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        let mut state = lock(&self.disk);
        if mode == OpenMode::Create {
            state.change(path)?;
            state.names.insert(path.to_owned(), Arc::default());
        } else {
            state.look(path)?;
        }
        Ok(Arc::new(MemoryFile {
            disk: self.clone(),
            path: path.to_owned(),
            contents: state.find(path)?,
        }))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = lock(&self.disk);
        state.alive()?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = lock(&self.disk);
        state.change(from)?;
        let contents = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), contents);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = lock(&self.disk);
        state.change(path)?;
        let contents = state.find(path)?;
        state.names.remove(path);
        let bytes = lock(&contents).bytes.len();
        state.give_back(bytes);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.wait_while_hanging();
        let mut state = lock(&self.disk);
        state.look(dir)?;
        if state.failing_syncs {
            return Err(io::Error::other("simulated sync failure"));
        }
        state
            .durable_names
            .retain(|path, _| path.parent() != Some(dir));
        let synced: Vec<_> = state
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir))
            .map(|(path, contents)| (path.clone(), Arc::clone(contents)))
            .collect();
        state.durable_names.extend(synced);
        Ok(())
    }

    fn reach(&self, point: CrashPoint) -> io::Result<()> {
        let mut state = lock(&self.disk);
        let before = state.hits.get(&point).copied().unwrap_or(0);
        state.hits.insert(point, before + 1);
        if state.armed == Some((point, before + 1)) {
            state.crashed = true;
        }
        state.alive()
    }
}

impl StorageFile for MemoryFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        lock(&self.disk.disk).look(&self.path)?;
        let contents = lock(&self.contents);
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let rest = contents.bytes.get(offset..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = lock(&self.disk.disk);
        state.alive()?;
        let mut contents = lock(&self.contents);
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let growth = (start + bytes.len()).saturating_sub(contents.bytes.len());
        let (written, result) = match &mut state.fault {
            Some(fault) => fault.write(&self.path, bytes.len(), growth),
            None => (bytes.len(), Ok(())),
        };
        let end = start + written;
        if written > 0 && contents.bytes.len() < end {
            contents.bytes.resize(end, 0);
        }
        contents.bytes[start..end].copy_from_slice(&bytes[..written]);
        contents.wrote(start..end);
        result
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.wait_while_hanging();
        let mut state = lock(&self.disk.disk);
        state.look(&self.path)?;
        if state.failing_syncs {
            return Err(io::Error::other("simulated sync failure"));
        }
        lock(&self.contents).sync();
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut state = lock(&self.disk.disk);
        state.change(&self.path)?;
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut contents = lock(&self.contents);
        let cut_off = contents.bytes.len().saturating_sub(length);
        let kept = contents.bytes.len().min(length);
        contents.bytes.resize(length, 0);
        contents.wrote(kept..usize::MAX);
        state.give_back(cut_off);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        lock(&self.disk.disk).alive()?;
        Ok(lock(&self.contents).bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is done to a file: a byte so often from a place on, a length, or a sync.
    #[derive(Clone, Debug)]
    enum Deed {
        Write(u8, usize, usize),
        Length(usize),
        Sync,
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let deed = prop_oneof![
            (1_u8.., 0_usize..40, 1_usize..20)
                .prop_map(|(byte, start, count)| Deed::Write(byte, start, count)),
            (0_usize..40).prop_map(Deed::Length),
            Just(Deed::Sync),
        ];
        proptest::collection::vec(deed, 0..30)
    }

    proptest! {
        /// S01: after a power cut a file is as it was at its last sync.
        #[test]
        fn what_was_synced_is_there_and_nothing_else(deeds in deeds()) {
            let (disk, path) = (MemoryStorage::new(), Path::new("dir/file"));
            let file = disk.open(path, OpenMode::Create).unwrap();
            disk.sync_dir(Path::new("dir")).unwrap();
            let (mut bytes, mut durable) = (Vec::new(), Vec::new());
            for deed in deeds {
                match deed {
                    Deed::Write(byte, start, count) => {
                        file.write_at(&vec![byte; count], start as u64).unwrap();
                        if bytes.len() < start + count {
                            bytes.resize(start + count, 0);
                        }
                        bytes[start..start + count].fill(byte);
                    }
                    Deed::Length(length) => {
                        file.set_len(length as u64).unwrap();
                        bytes.resize(length, 0);
                    }
                    Deed::Sync => {
                        file.sync().unwrap();
                        durable.clone_from(&bytes);
                    }
                }
            }
            let after = disk.after(Loss::Power { torn: 0 });
            let file = after.open(path, OpenMode::Read).unwrap();
            let mut found = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
            file.read_at(&mut found, 0).unwrap();
            prop_assert_eq!(found, durable);
        }
    }
}
