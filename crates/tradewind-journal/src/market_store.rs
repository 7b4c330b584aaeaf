//! The market data's store: it drops what is old, and a disk error turns it off, not the desk.
//!
//! While it is off, market data is dropped and counted, and a new file is tried with growing waits. The first file after
//! that continues the last record that was written whole.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradewind_model::Timestamp;

use crate::error::JournalError;
use crate::frames::{Frames, Step};
use crate::journal::Options;
use crate::record::Kind;
use crate::segment::{self, SegmentFile, StoreKind};
use crate::storage::{OpenMode, Storage};
use crate::store::{End, Store, recover};

/// Wait before the first attempt to write again.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// Longest wait between two attempts.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Why market data is not written at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketFault {
    /// Since when, by the driver's clock.
    pub since: Timestamp,
    /// The disk's error at the last attempt.
    pub error: String,
    /// Records that were dropped since.
    pub dropped: u64,
}

/// The store, on or off.
#[derive(Debug)]
pub(crate) struct MarketStore {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    options: Options,
    state: State,
    /// Full files, oldest first; limited by [`Options::market_bytes`] and [`Options::market_age`].
    full: VecDeque<FullFile>,
    /// When the file being written was begun.
    begun_at: Timestamp,
}

#[derive(Debug)]
struct FullFile {
    file: SegmentFile,
    bytes: u64,
    begun_at: Timestamp,
}

#[derive(Debug)]
enum State {
    On(Store),
    Off(Off),
}

#[derive(Debug)]
struct Off {
    fault: MarketFault,
    retry_at: Timestamp,
    wait: Duration,
    /// Where the store ended; `None` if that could not be read.
    end: Option<End>,
    /// A file and how much of it was written whole; what is behind that must go before another file is begun.
    unfinished: Option<(SegmentFile, u64)>,
}

impl MarketStore {
    /// Begins a new file, or is off if the disk refuses. Damage in the last file is an error all the same.
    pub(crate) fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: &Options,
    ) -> Result<(Self, End), JournalError> {
        let (found, refused) = match recover(&*storage, dir, StoreKind::Market) {
            Ok(end) => (Some(end), None),
            Err(error @ JournalError::Io { .. }) => (None, Some(error)),
            Err(damage) => return Err(damage),
        };
        let full = full_files(&*storage, dir).unwrap_or_default();
        let error = refused.map(|error| describe(&error)).unwrap_or_default();
        let end = found.clone().unwrap_or_default();
        let store = Self {
            storage,
            dir: dir.to_owned(),
            options: options.clone(),
            state: State::Off(Off {
                fault: MarketFault {
                    since: Timestamp::EPOCH,
                    error,
                    dropped: 0,
                },
                retry_at: Timestamp::EPOCH,
                wait: WAIT_MIN,
                end: found,
                unfinished: None,
            }),
            full,
            begun_at: Timestamp::EPOCH,
        };
        Ok((store, end))
    }

    /// Adds a record to the buffer, or drops it while the store is off.
    pub(crate) fn append<E>(
        &mut self,
        kind: Kind,
        seq: u64,
        at: Timestamp,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &mut self.state {
            State::On(store) => store.append(kind, seq, at, payload).map(drop),
            State::Off(off) => {
                off.fault.dropped += 1;
                Ok(())
            }
        }
    }

    /// Hands the buffer to the system and begins the next file where one is full. An error turns the store off; once it
    /// has waited, it is turned on again here.
    pub(crate) fn flush(&mut self, next_seq: u64, now: Timestamp) {
        let result = match &mut self.state {
            State::On(_) => self.write(next_seq, now),
            State::Off(off) if now < off.retry_at => Ok(()),
            State::Off(_) => self.turn_on(next_seq, now),
        };
        if let Err(error) = result {
            self.turn_off(&error, now);
        }
    }

    pub(crate) const fn fault(&self) -> Option<&MarketFault> {
        match &self.state {
            State::On(_) => None,
            State::Off(off) => Some(&off.fault),
        }
    }

    pub(crate) const fn buffered(&self) -> usize {
        match &self.state {
            State::On(store) => store.buffered(),
            State::Off(_) => 0,
        }
    }

    fn write(&mut self, next_seq: u64, now: Timestamp) -> Result<(), JournalError> {
        let State::On(store) = &mut self.state else {
            return Ok(());
        };
        store.flush()?;
        if store.is_full() {
            let (file, bytes) = store.rotate(next_seq, now)?;
            let begun_at = std::mem::replace(&mut self.begun_at, now);
            self.full.push_back(FullFile {
                file,
                bytes,
                begun_at,
            });
            self.drop_old(now)?;
        }
        Ok(())
    }

    /// Drops the oldest files while there are too many bytes or they are too old.
    fn drop_old(&mut self, now: Timestamp) -> Result<(), JournalError> {
        let current = match &self.state {
            State::On(store) => store.flushed(),
            State::Off(_) => 0,
        };
        let mut total: u64 = self.full.iter().map(|full| full.bytes).sum();
        while let Some(oldest) = self.full.front() {
            // A file's newest record is as old as the begin of the file after it.
            let next = self.full.get(1).map(|next| next.begun_at);
            let age = now.since(next.unwrap_or(self.begun_at));
            if total + current <= self.options.market_bytes && age <= self.options.market_age {
                break;
            }
            let path = &oldest.file.path;
            remove(&*self.storage, path)?;
            total -= oldest.bytes;
            self.full.pop_front();
        }
        Ok(())
    }

    fn turn_on(&mut self, next_seq: u64, now: Timestamp) -> Result<(), JournalError> {
        let State::Off(off) = &mut self.state else {
            return Ok(());
        };
        if let Some((file, whole)) = &off.unfinished {
            trim(&*self.storage, &file.path, *whole)?;
            off.unfinished = None;
        }
        let end = match off.end.clone() {
            Some(end) => end,
            None => recover(&*self.storage, &self.dir, StoreKind::Market)?,
        };
        let file = end.next_file(&self.dir, StoreKind::Market, next_seq);
        off.end = Some(end.clone());
        off.unfinished = Some((file, 0));
        let mut store = Store::begin(
            Arc::clone(&self.storage),
            self.dir.clone(),
            StoreKind::Market,
            self.options.clone(),
            &end,
            (next_seq, now),
        )?;
        store.flush()?;
        self.begun_at = now;
        self.state = State::On(store);
        self.drop_old(now)
    }

    fn turn_off(&mut self, error: &JournalError, now: Timestamp) {
        let error = describe(error);
        match &mut self.state {
            State::On(store) => {
                let (end, file, whole) = store.given_up();
                // It is a full file as soon as what was not written whole is cut off.
                self.full.push_back(FullFile {
                    file: file.clone(),
                    bytes: whole,
                    begun_at: self.begun_at,
                });
                self.state = State::Off(Off {
                    fault: MarketFault {
                        since: now,
                        error,
                        dropped: 0,
                    },
                    retry_at: now + WAIT_MIN,
                    wait: WAIT_MIN,
                    end: Some(end),
                    unfinished: Some((file, whole)),
                });
            }
            State::Off(off) => {
                if off.fault.since == Timestamp::EPOCH {
                    off.fault.since = now;
                }
                off.fault.error = error;
                off.retry_at = now + off.wait;
                off.wait = (off.wait * 2).min(WAIT_MAX);
            }
        }
    }
}

/// Cuts off what is behind the last record that was written whole; a file without any is removed.
fn trim(storage: &dyn Storage, path: &Path, whole: u64) -> Result<(), JournalError> {
    if whole == 0 {
        return remove(storage, path);
    }
    let opened = storage.open(path, OpenMode::Write);
    let trimmed = opened.and_then(|file| file.set_len(whole));
    trimmed.map_err(JournalError::io("cut the tail of", path))
}

/// Removes a file; one that is not there needs nothing.
fn remove(storage: &dyn Storage, path: &Path) -> Result<(), JournalError> {
    match storage.remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(JournalError::io("remove", path)),
    }
}

fn describe(error: &JournalError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

/// The files that are there, with their sizes and when each was begun. Of each its first header is read.
fn full_files(storage: &dyn Storage, dir: &Path) -> Result<VecDeque<FullFile>, JournalError> {
    let mut full = VecDeque::new();
    for file in segment::list(storage, dir, StoreKind::Market)? {
        let mut frames = Frames::open(storage, &file.path)?;
        let bytes = frames.end();
        let begun_at = match frames.step()? {
            Step::Frame(frame) => frame.header.at,
            Step::End | Step::Torn { .. } => Timestamp::EPOCH,
        };
        full.push_back(FullFile {
            file,
            bytes,
            begun_at,
        });
    }
    Ok(full)
}
