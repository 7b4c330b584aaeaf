//! One of the two stores: the file being written, its buffer, and when the next file begins.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tradewind_model::Timestamp;

use crate::error::JournalError;
use crate::frame::{self, Header, Stamp};
use crate::frames::{Frames, Step};
use crate::journal::{Options, TornTail};
use crate::record::{Kind, pack};
use crate::segment::{self, SegmentFile, SegmentHeader, StoreKind};
use crate::space::Space;
use crate::storage::{CrashPoint, OpenMode, Storage};

/// Bytes that a buffer keeps when it is empty; a snapshot makes it longer.
const BUFFER_KEPT: usize = 1 << 20;

/// A store that is being written.
#[derive(Debug)]
pub(crate) struct Store {
    kind: StoreKind,
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    options: Options,
    segment: SegmentFile,
    space: Arc<Space>,
    flushed: u64,
    /// Bytes of the file known to be durable; `None` if that is unknown.
    durable: Option<u64>,
    buffer: Vec<u8>,
    chain: u64,
    /// The chain after the last flushed record.
    flushed_chain: u64,
}

/// Where a store ended when the desk was last down.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    pub(crate) last_seq: u64,
    pub(crate) last_at: Timestamp,
    pub(crate) torn: Option<TornTail>,
    /// Where space begins that was never used.
    unused: Option<u64>,
    chain: u64,
    ordinal: u32,
}

impl End {
    /// Whether its last file had space that was never used; it is cut off now.
    pub(crate) const fn had_unused(&self) -> bool {
        self.unused.is_some()
    }

    /// The file that continues the store.
    pub(crate) fn next_file(&self, dir: &Path, kind: StoreKind, next_seq: u64) -> SegmentFile {
        SegmentFile::new(dir, kind, self.ordinal + 1, next_seq)
    }
}

/// Finds the end of a store and cuts off its torn tail.
pub(crate) fn recover(
    storage: &dyn Storage,
    dir: &Path,
    kind: StoreKind,
) -> Result<End, JournalError> {
    let mut torn = None;
    for file in segment::list_all(storage, dir, kind)?.into_iter().rev() {
        let mut end = walk(storage, &file)?;
        torn = end.torn.take().or(torn);
        // A file whose very first record is torn was begun and never used.
        if end.chain == 0 {
            storage
                .remove(&file.path)
                .map_err(JournalError::io("remove the unused", &file.path))?;
            continue;
        }
        let torn_at = torn.as_ref().filter(|tail| tail.path == file.path);
        if let Some(offset) = torn_at.map(|tail| tail.offset).or(end.unused) {
            cut(storage, &file.path, offset)?;
        }
        return Ok(End { torn, ..end });
    }
    Ok(End {
        torn,
        ..End::default()
    })
}

fn walk(storage: &dyn Storage, file: &SegmentFile) -> Result<End, JournalError> {
    let mut frames = Frames::open(storage, &file.path)?;
    let length = frames.end();
    let mut end = End {
        last_seq: file.first_seq.saturating_sub(1),
        ordinal: file.ordinal,
        ..End::default()
    };
    loop {
        match frames.step()? {
            Step::Frame(frame) => {
                end.last_seq = end.last_seq.max(frame.header.seq);
                end.last_at = end.last_at.max(frame.header.at);
            }
            Step::End => break,
            Step::Torn { bytes } => {
                end.torn = Some(TornTail {
                    path: file.path.clone(),
                    offset: frames.offset(),
                    bytes,
                });
                break;
            }
        }
    }
    end.chain = frames.chain().unwrap_or(0);
    end.unused = (frames.offset() < length && end.torn.is_none()).then_some(frames.offset());
    Ok(end)
}

fn cut(storage: &dyn Storage, path: &Path, offset: u64) -> Result<(), JournalError> {
    let doing = || JournalError::io("cut the tail of", path);
    let file = storage.open(path, OpenMode::Write).map_err(doing())?;
    file.set_len(offset).map_err(doing())?;
    file.sync().map_err(doing())
}

impl Store {
    /// Begins a new file after `end`.
    pub(crate) fn begin(
        storage: Arc<dyn Storage>,
        dir: PathBuf,
        kind: StoreKind,
        options: Options,
        end: &End,
        (next_seq, at): (u64, Timestamp),
    ) -> Result<Self, JournalError> {
        let segment = end.next_file(&dir, kind, next_seq);
        let mut store = Self {
            kind,
            space: create(&*storage, &segment, kind, &options)?,
            storage,
            dir,
            options,
            segment,
            flushed: 0,
            durable: None,
            buffer: Vec::with_capacity(64 * 1024),
            chain: end.chain,
            flushed_chain: end.chain,
        };
        store.append_header(at)?;
        Ok(store)
    }

    /// Adds a record to the buffer; where in the file it will lie.
    pub(crate) fn append<E>(
        &mut self,
        kind: Kind,
        seq: u64,
        at: Timestamp,
        payload: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let offset = self.flushed + self.buffer.len() as u64;
        let stamp = Stamp {
            tag: kind.tag(),
            seq,
            at,
            unsynced: self
                .durable
                .map_or(0, |durable| frame::unsynced(offset, durable)),
        };
        frame::write(&mut self.buffer, stamp, &mut self.chain, payload)?;
        Ok(offset)
    }

    /// Hands the buffer to the system; how many bytes. After an error the same bytes are tried again next time.
    pub(crate) fn flush(&mut self) -> Result<usize, JournalError> {
        let bytes = self.buffer.len();
        if bytes > 0 {
            self.space
                .write(&self.buffer, self.flushed)
                .map_err(JournalError::io("write", &self.segment.path))?;
            self.flushed += bytes as u64;
            self.flushed_chain = self.chain;
            self.buffer.clear();
            self.buffer.shrink_to(BUFFER_KEPT);
        }
        Ok(bytes)
    }

    /// Whether the file is as long as it should get.
    pub(crate) const fn is_full(&self) -> bool {
        self.flushed >= self.options.segment_bytes
    }

    /// Begins the next file; its header goes out with the next flush. The buffer must be empty. Returns the full file and
    /// its size.
    pub(crate) fn rotate(
        &mut self,
        next_seq: u64,
        at: Timestamp,
    ) -> Result<(SegmentFile, u64), JournalError> {
        self.reach(CrashPoint::BeforeRotation)?;
        let segment = SegmentFile::new(&self.dir, self.kind, self.segment.ordinal + 1, next_seq);
        let next = create(&*self.storage, &segment, self.kind, &self.options)?;
        let finished = std::mem::replace(&mut self.space, next).finish(self.flushed);
        finished.map_err(JournalError::io("trim", &self.segment.path))?;
        let full = std::mem::replace(&mut self.segment, segment);
        let bytes = std::mem::replace(&mut self.flushed, 0);
        self.durable = self.durable.map(|_| 0);
        self.append_header(at)?;
        self.reach(CrashPoint::AfterRotation)?;
        Ok((full, bytes))
    }

    /// The first sequence number that is appended and not flushed, but for a snapshot's.
    pub(crate) fn first_buffered(&self) -> Option<u64> {
        let inputs = frame::split(&self.buffer).filter(|(header, _)| !is_frame(header));
        inputs.map(|(header, _)| header.seq).min()
    }

    /// Continues in `next`, whose file has `room`: what is not flushed goes there. Returns the file written so far, which
    /// ends with its last flushed record.
    pub(crate) fn continue_in(
        &mut self,
        next: SegmentFile,
        space: Space,
        at: Timestamp,
    ) -> Result<SegmentFile, JournalError> {
        let cut = self.space.cut(self.flushed);
        cut.map_err(JournalError::io("cut the tail of", &self.segment.path))?;
        let waiting = std::mem::take(&mut self.buffer);
        let before = std::mem::replace(&mut self.segment, next);
        self.space = Arc::new(space);
        (self.flushed, self.chain) = (0, self.flushed_chain);
        self.durable = self.durable.map(|_| 0);
        self.append_header(at)?;
        for (header, payload) in frame::split(&waiting) {
            if header.kind == Kind::Segment as u8 {
                continue;
            }
            let stamp = Stamp {
                tag: (header.kind, header.version),
                seq: header.seq,
                at: header.at,
                unsynced: 0,
            };
            frame::write(&mut self.buffer, stamp, &mut self.chain, |out| {
                out.extend_from_slice(payload);
                Ok::<_, JournalError>(())
            })?;
        }
        Ok(before)
    }

    /// Stores how much of the file is durable; later records contain it.
    pub(crate) const fn note_durable(&mut self, bytes: u64) {
        self.durable = Some(bytes);
    }

    /// Where the store ends if nothing more is written to this file: with what was flushed.
    pub(crate) fn given_up(&self) -> (End, SegmentFile, u64) {
        let end = End {
            chain: self.flushed_chain,
            ordinal: self.segment.ordinal,
            ..End::default()
        };
        (end, self.segment.clone(), self.flushed)
    }

    pub(crate) const fn segment(&self) -> &SegmentFile {
        &self.segment
    }

    pub(crate) const fn space(&self) -> &Arc<Space> {
        &self.space
    }

    pub(crate) const fn flushed(&self) -> u64 {
        self.flushed
    }

    pub(crate) const fn buffered(&self) -> usize {
        self.buffer.len()
    }

    fn append_header(&mut self, at: Timestamp) -> Result<(), JournalError> {
        let header = SegmentHeader {
            store: self.kind,
            build: self.options.build.clone(),
            configuration: self.options.configuration.clone(),
            first_seq: self.segment.first_seq,
            chain_before: self.chain,
        };
        // It belongs to no input: the last one before it is the nearest.
        let seq = header.first_seq.saturating_sub(1);
        self.append(Kind::Segment, seq, at, |out| pack(out, &header))?;
        Ok(())
    }

    fn reach(&self, point: CrashPoint) -> Result<(), JournalError> {
        let reached = self.storage.reach(point);
        reached.map_err(JournalError::io("begin a file after", &self.segment.path))
    }
}

/// Whether a record belongs to no input: a segment's header, or a part of a snapshot.
const fn is_frame(header: &Header) -> bool {
    header.kind == Kind::Segment as u8 || header.kind == Kind::Snapshot as u8
}

/// Makes the file of a segment. Without room for space ahead it begins without.
fn create(
    storage: &dyn Storage,
    segment: &SegmentFile,
    kind: StoreKind,
    options: &Options,
) -> Result<Arc<Space>, JournalError> {
    let step = match kind {
        StoreKind::Truth => options.preallocated_bytes,
        StoreKind::Market => 0,
    };
    let file = storage
        .open(&segment.path, OpenMode::Create)
        .map_err(JournalError::io("create", &segment.path))?;
    let space = Space::new(file, step, options.segment_bytes);
    drop(space.extend());
    Ok(Arc::new(space))
}
