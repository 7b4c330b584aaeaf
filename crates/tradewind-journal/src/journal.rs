//! The writer: appends to a buffer, hands it to the system, has it synced, begins new files.
//!
//! One thread owns a [`Journal`]. *Flushed* survives the process, *synced* survives the power. Events are announced after
//! a flush, live orders leave after a sync; neither is decided here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradewind_events::{Event, EventKind, Input, Intent};
use tradewind_model::Timestamp;

use crate::archive::{Archive, FlushedSnapshot};
use crate::error::{JournalError, Refusal};
use crate::event_log::EventReader;
use crate::market::{write_candle, write_quote, write_trade};
use crate::market_store::{MarketFault, MarketStore};
use crate::record::{Kind, pack};
use crate::reserve::{Reserve, Taken};
use crate::segment::{self, SegmentFile, StoreKind};
use crate::snapshot::{self, SNAPSHOT_MAX};
use crate::space::Space;
use crate::storage::{CrashPoint, Storage};
use crate::store::{Store, recover};
use crate::sync::Syncer;

/// How a journal is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The build that writes, as its header names it.
    pub build: String,
    /// Hash of the configuration, as its header names it.
    pub configuration: String,
    /// Bytes after which the next file begins.
    pub segment_bytes: u64,
    /// Bytes of zeros written ahead of the truth's records, so that a sync of them is short; 0 for none.
    pub preallocated_bytes: u64,
    /// Bytes of a reserve that takes the truth when the disk is full; 0 for none.
    pub reserve_bytes: u64,
    /// Bytes of market data that are kept.
    pub market_bytes: u64,
    /// Age at which market data goes.
    pub market_age: Duration,
}

impl Default for Options {
    /// 64 MiB a file; nothing written ahead, no reserve; 8 GiB or 24 hours of market data.
    fn default() -> Self {
        Self {
            build: String::new(),
            configuration: String::new(),
            segment_bytes: 64 << 20,
            preallocated_bytes: 0,
            reserve_bytes: 0,
            market_bytes: 8 << 30,
            market_age: Duration::from_hours(24),
        }
    }
}

/// What a start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The last sequence number that was used; the next input takes one more.
    pub last_seq: u64,
    /// The latest time in the journal; the driver's clock does not go behind it.
    pub last_at: Timestamp,
    /// Tails that were cut off: what the last run had not finished writing.
    pub torn: Vec<TornTail>,
}

/// A record that was never written to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// In which file.
    pub path: PathBuf,
    /// Where it began; the file ends there now.
    pub offset: u64,
    /// How much of it there was.
    pub bytes: u64,
}

/// The journal, open for writing.
#[derive(Debug)]
pub struct Journal {
    storage: Arc<dyn Storage>,
    truth: Store,
    market: MarketStore,
    syncer: Syncer,
    events: EventReader,
    reserve: Reserve,
    dir: PathBuf,
    preallocated_bytes: u64,
    /// A price update that is written if something follows from it.
    price: Option<Event>,
    /// The last input of a snapshot that is appended and not flushed yet.
    snapshot: Option<u64>,
    last_seq: u64,
    last_at: Timestamp,
}

impl Journal {
    /// Opens the journal in `dir`, making it if it is not there, cuts torn tails and begins a new file in each store.
    ///
    /// `now` stands in the new files' headers.
    ///
    /// # Errors
    /// [`JournalError`]. A full disk is none: the journal opens, and `flush` says so. Damage in the last files is found here, damage further back by [`Reader`](crate::Reader). If only
    /// the market data cannot be written, the journal opens without it: see [`market_fault`](Self::market_fault).
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        options: &Options,
        now: Timestamp,
    ) -> Result<(Self, Recovery), JournalError> {
        storage
            .create_dir(dir)
            .map_err(JournalError::io("create", dir))?;
        let truth_end = recover(&*storage, dir, StoreKind::Truth)?;
        let (market, market_end) = MarketStore::open(Arc::clone(&storage), dir, options)?;
        let recovery = Recovery {
            last_seq: truth_end.last_seq.max(market_end.last_seq),
            last_at: truth_end.last_at.max(market_end.last_at),
            torn: [&truth_end, &market_end]
                .iter()
                .filter_map(|end| end.torn.clone())
                .collect(),
        };
        let start = (recovery.last_seq + 1, now.max(recovery.last_at));
        let older = segment::list_all(&*storage, dir, StoreKind::Truth)?;
        let unarchived = segment::list(&*storage, dir, StoreKind::Truth)?;
        let archive = Archive::new(Arc::clone(&storage), dir.to_owned(), unarchived, start.0);
        let truth = Store::begin(
            Arc::clone(&storage),
            dir.to_owned(),
            StoreKind::Truth,
            options.clone(),
            &truth_end,
            start,
        )?;
        let events = EventReader::new(Arc::clone(&storage), older);
        events.begin_file(truth.segment());
        let syncer = Syncer::new(Arc::clone(&storage), dir.to_owned(), archive);
        syncer.begin_file(truth.segment().path.clone(), Arc::clone(truth.space()));
        let mut journal = Self {
            truth,
            market,
            syncer,
            events,
            reserve: Reserve::open(Arc::clone(&storage), dir, options.reserve_bytes, start.1),
            dir: dir.to_owned(),
            preallocated_bytes: options.preallocated_bytes,
            price: None,
            snapshot: None,
            last_seq: recovery.last_seq,
            last_at: start.1,
            storage,
        };
        // The truth's header is written before the market data's: a replay finds the times of starts in the truth alone.
        match journal.sync() {
            // What is buffered is written once the disk takes it.
            Err(error) if error.refusal() == Some(Refusal::Full) => {}
            synced => synced?,
        }
        Ok((journal, recovery))
    }

    /// Appends an input to the store it belongs to.
    ///
    /// # Errors
    /// [`JournalError::Failed`] after a failed sync.
    pub fn append_input(
        &mut self,
        seq: u64,
        at: Timestamp,
        input: &Input,
    ) -> Result<(), JournalError> {
        self.check()?;
        debug_assert!(seq > self.last_seq, "inputs are numbered upwards");
        (self.last_seq, self.last_at) = (seq, at);
        let (truth, market) = (&mut self.truth, &mut self.market);
        match input {
            Input::Quote(quote) => market.append(Kind::Quote, seq, at, |out| {
                write_quote(out, quote);
                Ok(())
            }),
            Input::Trade(trade) => market.append(Kind::Trade, seq, at, |out| {
                write_trade(out, trade);
                Ok(())
            }),
            Input::Candle(candle) => market.append(Kind::Candle, seq, at, |out| {
                write_candle(out, candle);
                Ok(())
            }),
            other if other.is_market_data() => {
                market.append(Kind::Input, seq, at, |out| pack(out, other))
            }
            other => truth
                .append(Kind::Input, seq, at, |out| pack(out, other))
                .map(drop),
        }?;
        Ok(())
    }

    /// Appends an intent that input `seq` led to.
    ///
    /// # Errors
    /// [`JournalError::Failed`] after a failed sync.
    pub fn append_intent(
        &mut self,
        seq: u64,
        at: Timestamp,
        intent: &Intent,
    ) -> Result<(), JournalError> {
        self.check()?;
        self.truth
            .append(Kind::Intent, seq, at, |out| pack(out, intent))?;
        Ok(())
    }

    /// Appends an event.
    ///
    /// A `price_update` repeats its quote and is written only once another event of the same input follows it: then it
    /// is where a chain of causes begins.
    ///
    /// # Errors
    /// [`JournalError::Failed`] after a failed sync.
    pub fn append_event(&mut self, event: &Event) -> Result<(), JournalError> {
        self.check()?;
        let price = self.price.take();
        if let Some(price) = price.filter(|price| price.id.seq == event.id.seq) {
            self.write_event(&price)?;
        }
        if matches!(event.kind, EventKind::PriceUpdate(_)) {
            self.price = Some(event.clone());
            return Ok(());
        }
        self.write_event(event)
    }

    /// Appends a snapshot of the state that the engine had after input `seq`, at its time `at`.
    ///
    /// Later inputs may have been appended meanwhile: a reader takes the records behind `seq`, not behind the snapshot.
    /// It counts once it is flushed, like every record.
    ///
    /// # Errors
    /// [`JournalError::SnapshotTooLong`], and [`JournalError::Failed`] after a failed sync.
    pub fn append_snapshot(
        &mut self,
        seq: u64,
        at: Timestamp,
        bytes: &[u8],
    ) -> Result<(), JournalError> {
        self.check()?;
        if bytes.len() > SNAPSHOT_MAX {
            return Err(JournalError::SnapshotTooLong {
                bytes: bytes.len(),
                max: SNAPSHOT_MAX,
            });
        }
        for (head, part) in snapshot::payloads(bytes) {
            self.truth.append(Kind::Snapshot, seq, at, |out| {
                out.extend_from_slice(&head);
                out.extend_from_slice(part);
                Ok::<_, JournalError>(())
            })?;
        }
        self.snapshot = Some(seq);
        Ok(())
    }

    fn write_event(&mut self, event: &Event) -> Result<(), JournalError> {
        let seq = event.id.seq;
        let offset = self
            .truth
            .append(Kind::Event, seq, event.at, |out| pack(out, event))?;
        self.events.note(seq, offset);
        Ok(())
    }

    /// Hands everything appended to the system, where the end of this process cannot reach it, and begins a new file
    /// where one is full: [`flush_truth`](Self::flush_truth) and [`flush_rest`](Self::flush_rest).
    ///
    /// # Errors
    /// [`JournalError::Io`]; nothing is lost, the same bytes are written again by the next flush. On a full disk the
    /// reserve is used first.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.flush_truth()?;
        self.flush_rest()
    }

    /// Hands the truth to the system. [`flush_rest`](Self::flush_rest) must follow before the next record.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn flush_truth(&mut self) -> Result<(), JournalError> {
        self.check()?;
        self.reach(CrashPoint::BeforeFlush)?;
        let bytes = match self.truth.flush() {
            Err(error) if error.refusal() == Some(Refusal::Full) => self.use_reserve(error)?,
            flushed => flushed?,
        };
        self.syncer.note_flushed(bytes);
        if self.preallocated_bytes > 0 {
            self.truth.note_durable(self.syncer.durable_in_file());
        }
        self.events.note_flushed(self.truth.flushed());
        if let Some(seq) = self.snapshot.take() {
            self.syncer.archive().note_snapshot(FlushedSnapshot {
                seq,
                ordinal: self.truth.segment().ordinal,
                position: self.syncer.flushed(),
            });
        }
        Ok(())
    }

    /// What no order waits for: market data, the reserve, and a new file where the truth's is full.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn flush_rest(&mut self) -> Result<(), JournalError> {
        self.market.flush(self.last_seq + 1, self.last_at);
        self.reach(CrashPoint::AfterFlush)?;
        self.reserve.fill(self.last_at);
        if self.truth.is_full() {
            self.rotate()?;
        }
        Ok(())
    }

    /// Whether the whole reserve is there: not in use, and not missing because the disk has no room.
    #[must_use]
    pub const fn has_reserve(&self) -> bool {
        self.reserve.is_complete()
    }

    /// Continues in the reserve, if there is one, and flushes into it; how many bytes.
    fn use_reserve(&mut self, full: JournalError) -> Result<usize, JournalError> {
        let first_seq = self.truth.first_buffered();
        let next = self.truth.segment().next(
            &self.dir,
            StoreKind::Truth,
            first_seq.unwrap_or(self.last_seq + 1),
        );
        let taken = self.reserve.take(&next);
        let taken = taken.map_err(JournalError::io("take the reserve for", &next.path))?;
        let Some(Taken { file, bytes }) = taken else {
            return Err(full);
        };
        let (next_seq, space) = (
            next.first_seq,
            Space::with_room(file, self.preallocated_bytes, bytes),
        );
        let before = self.truth.continue_in(next, space, self.last_at)?;
        self.file_begun(before, next_seq);
        self.truth.flush()
    }

    fn rotate(&mut self) -> Result<(), JournalError> {
        let next_seq = self.last_seq + 1;
        let (full, _) = self.truth.rotate(next_seq, self.last_at)?;
        self.file_begun(full, next_seq);
        Ok(())
    }

    fn file_begun(&mut self, before: SegmentFile, next_seq: u64) {
        self.syncer.archive().note_full(before, next_seq);
        let (path, space) = (&self.truth.segment().path, self.truth.space());
        self.syncer.begin_file(path.clone(), Arc::clone(space));
        self.events.begin_file(self.truth.segment());
    }

    /// Moves full files that lie behind the newest flushed snapshot to the archive.
    ///
    /// For a desk that syncs nothing: with it, flushed is as safe as its records have to be. A sync does the same for
    /// files behind a durable snapshot.
    pub fn archive(&self) {
        self.syncer.archive_behind(self.flushed());
    }

    /// Why market data is not written at the moment; `None` while it is.
    #[must_use]
    pub const fn market_fault(&self) -> Option<&MarketFault> {
        self.market.fault()
    }

    /// Position behind the last flushed byte of the truth, counted over all files since the start; what a
    /// [`SyncThread`](crate::SyncThread) reports as durable is counted the same way.
    #[must_use]
    pub fn flushed(&self) -> u64 {
        self.syncer.flushed()
    }

    /// Flushes, and returns once the truth is durable against power loss. Market data is not synced.
    ///
    /// # Errors
    /// As [`flush`](Self::flush) and [`Syncer::sync`].
    pub fn sync(&mut self) -> Result<(), JournalError> {
        self.flush()?;
        self.syncer.sync()?;
        self.syncer.archive_durable();
        Ok(())
    }

    /// A handle that syncs what was flushed, for the thread that waits for it.
    #[must_use]
    pub fn syncer(&self) -> Syncer {
        self.syncer.clone()
    }

    /// A handle that reads events back while this journal writes; it sees what was flushed.
    #[must_use]
    pub fn events(&self) -> EventReader {
        self.events.clone()
    }

    /// The last sequence number appended.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Bytes appended and not yet flushed.
    #[must_use]
    pub const fn buffered(&self) -> usize {
        self.truth.buffered() + self.market.buffered()
    }

    fn check(&self) -> Result<(), JournalError> {
        if self.syncer.has_failed() {
            return Err(JournalError::Failed);
        }
        Ok(())
    }

    fn reach(&self, point: CrashPoint) -> Result<(), JournalError> {
        let path = &self.truth.segment().path;
        self.storage
            .reach(point)
            .map_err(JournalError::io("flush", path))
    }
}
