//! Records feeds: copies of what their connections read become lines of a recording, on a thread of its own.
//!
//! Tasks that read a feed hand a copy to a queue of bounded size and never wait for it (`TappedConnector`). What does not fit is
//! counted there, message by message, and stands in the recording as lost. The thread puts messages together, checks that each
//! is a line that a player of captures can pass over or play, and writes them through `RecordingWriter`.

mod lines;
pub(crate) mod noted;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use serde_json::json;
use tradewind_data::{
    FolderDisk, Former, Loss, RecordingSettings, RecordingStatus, RecordingWriter,
};
use tradewind_model::{Clock, Instrument, Timestamp};
use tradewind_venues::{
    Address, Connector, Messages, Missing, Scheme, Tap, Tapped, TappedConnector, VenueKind,
};

/// Reads that may wait for the writer, and the bytes in them.
const READS_MAX: usize = 1 << 16;
const BYTES_MAX: u64 = 64 << 20;
/// How often the writer looks whether a block is old enough.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is recorded, where and how.
#[derive(Clone, Debug)]
pub(crate) struct RecorderOptions {
    /// How its messages travel.
    pub(crate) scheme: Scheme,
    /// The folder of the recording.
    pub(crate) folder: PathBuf,
    /// How files are cut.
    pub(crate) settings: RecordingSettings,
    /// What the recording begins with: what it is of.
    pub(crate) heading: String,
}

impl RecorderOptions {
    /// A recording of what comes from an address.
    pub(crate) fn of(address: &Address, folder: PathBuf, settings: RecordingSettings) -> Self {
        let is_socket = address.to_string().starts_with("ws");
        let scheme = if is_socket {
            Scheme::WebSocket
        } else {
            Scheme::Tcp
        };
        let heading = json!({ "version": 1, "of": settings.name, "address": address.to_string() });
        Self {
            scheme,
            folder,
            settings,
            heading: format!(r#"{{"stream":"tradewind@recording","data":{heading}}}"#),
        }
    }
}

/// The queue between the tasks that read and the thread that writes.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: Sender<Tapped>,
    waiting: AtomicU64,
    bytes_max: u64,
    /// What is missing at the end of connections whose end found no room.
    unsaid: Mutex<Option<Missing>>,
    /// What the instruments are, while it is not written down.
    instruments: Mutex<Option<String>>,
}

impl Tap for Queue {
    fn take(&self, tapped: Tapped) -> bool {
        let bytes = weight(&tapped);
        if bytes > 0 && self.waiting.load(Ordering::Relaxed) + bytes > self.bytes_max {
            return false;
        }
        self.waiting.fetch_add(bytes, Ordering::Relaxed);
        let Err(refused) = self.sender.try_send(tapped) else {
            return true;
        };
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
        if let Tapped::Closed {
            missing: Some(missing),
            ..
        } = refused.into_inner()
        {
            let mut unsaid = lock(&self.unsaid);
            *unsaid = Some(unsaid.map_or(missing, |known| Missing {
                messages: known.messages + missing.messages,
                from: known.from.min(missing.from),
                to: known.to.max(missing.to),
            }));
        }
        false
    }
}

/// Bytes that count against the queue.
const fn weight(tapped: &Tapped) -> u64 {
    match tapped {
        Tapped::Bytes { bytes, .. } => bytes.len() as u64,
        Tapped::Opened { .. } | Tapped::Closed { .. } => 0,
    }
}

/// How far a recorder is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Messages that were received, and their bytes.
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    /// What the writer has done.
    pub(crate) written: RecordingStatus,
}

/// A recorder at work.
#[derive(Debug)]
pub(crate) struct Recorder {
    scheme: Scheme,
    queue: Arc<Queue>,
    stop: Arc<AtomicBool>,
    progress: Arc<Mutex<Progress>>,
    thread: JoinHandle<bool>,
    /// Files of former runs that were torn at their end or are damaged.
    pub(crate) former: Vec<Former>,
}

impl Recorder {
    /// Begins to record.
    ///
    /// # Errors
    /// The folder cannot be used, or a recording in it is damaged.
    pub(crate) fn start(options: RecorderOptions, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        Self::with_room(options, clock, BYTES_MAX)
    }

    fn with_room(
        options: RecorderOptions,
        clock: Arc<dyn Clock>,
        bytes_max: u64,
    ) -> anyhow::Result<Self> {
        let scheme = options.scheme;
        let (disk, former) = FolderDisk::open(options.folder.clone(), &options.settings)?;
        let (sender, reads) = bounded(READS_MAX);
        let queue = Arc::new(Queue {
            sender,
            waiting: AtomicU64::new(0),
            bytes_max,
            unsaid: Mutex::default(),
            instruments: Mutex::default(),
        });
        let (stop, progress) = (
            Arc::<AtomicBool>::default(),
            Arc::<Mutex<Progress>>::default(),
        );
        let mut writing = Writing {
            writer: RecordingWriter::new(disk, options.settings.clone()),
            options,
            clock,
            queue: Arc::clone(&queue),
            links: BTreeMap::new(),
            progress: Arc::clone(&progress),
            frames: 0,
            bytes: 0,
            refused: false,
        };
        let stopping = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || writing.run(&reads, &stopping))
            .context("starting the recorder")?;
        Ok(Self {
            scheme,
            queue,
            stop,
            progress,
            thread,
            former,
        })
    }

    /// A connector whose connections to an address are recorded.
    pub(crate) fn tapped(
        &self,
        connector: Arc<dyn Connector>,
        address: &Address,
        clock: &Arc<dyn Clock>,
    ) -> Arc<dyn Connector> {
        let feeds = vec![(address.clone(), self.scheme)];
        TappedConnector::shared(connector, feeds, self.tap(), Arc::clone(clock))
    }

    /// What takes copies of what is read.
    pub(crate) fn tap(&self) -> Arc<dyn Tap> {
        Arc::<Queue>::clone(&self.queue)
    }

    /// What writes down what the instruments of a venue are.
    pub(crate) fn notes(&self) -> InstrumentNotes {
        InstrumentNotes(Arc::clone(&self.queue))
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Progress {
        lock(&self.progress).clone()
    }

    /// Writes all that waits, and ends. `false` if the disk did not take everything.
    pub(crate) fn finish(self) -> (Progress, bool) {
        self.stop.store(true, Ordering::Release);
        let is_whole = self.thread.join().unwrap_or(false);
        (lock(&self.progress).clone(), is_whole)
    }
}

/// Writes down what the instruments of a venue are.
#[derive(Clone, Debug)]
pub(crate) struct InstrumentNotes(Arc<Queue>);

impl InstrumentNotes {
    /// As they are from now on, with the venue's symbols.
    pub(crate) fn write(&self, kind: VenueKind, instruments: &[(String, Instrument)]) {
        *lock(&self.0.instruments) = Some(lines::instruments(kind.name(), instruments));
    }
}

/// The thread that writes.
struct Writing {
    options: RecorderOptions,
    writer: RecordingWriter<FolderDisk>,
    clock: Arc<dyn Clock>,
    queue: Arc<Queue>,
    links: BTreeMap<u64, Messages>,
    progress: Arc<Mutex<Progress>>,
    frames: u64,
    bytes: u64,
    /// Whether the disk refused when it was last looked at.
    refused: bool,
}

impl Writing {
    fn run(&mut self, reads: &Receiver<Tapped>, stop: &AtomicBool) -> bool {
        let begun = self.clock.now();
        let heading = self.options.heading.clone();
        self.writer.note(begun, heading.as_bytes(), begun);
        self.writer.head_with(vec![heading]);
        let mut looked = begun;
        loop {
            let next = reads.recv_timeout(LOOK_EVERY);
            let now = self.clock.now();
            self.note_instruments(now);
            match next {
                Ok(tapped) => self.take(tapped, now),
                Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Acquire) => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if now.since(looked) >= LOOK_EVERY {
                looked = now;
                self.look(now);
            }
        }
        let now = self.clock.now();
        self.note_instruments(now);
        self.look(now);
        let is_whole = self.writer.finish(now);
        self.look(now);
        is_whole
    }

    /// Before what comes next: without it a frame says nothing.
    fn note_instruments(&mut self, now: Timestamp) {
        let Some(note) = lock(&self.queue.instruments).take() else {
            return;
        };
        self.note(now, &note, now);
        let heading = self.options.heading.clone();
        self.writer.head_with(vec![heading, note]);
    }

    fn look(&mut self, now: Timestamp) {
        if let Some(missing) = lock(&self.queue.unsaid).take() {
            self.writer.lose(loss(missing));
        }
        self.writer.tick(now);
        let status = self.writer.status();
        let refused = std::mem::replace(&mut self.refused, status.refused.is_some());
        if let (false, Some(why)) = (refused, &status.refused) {
            tracing::error!(folder = %self.options.folder.display(), why, "The recording stops: the disk refuses it. It continues when there is room.");
        } else if refused && status.refused.is_none() {
            let lost = status.lost;
            tracing::warn!(
                lost,
                "The recording continues; what was lost is noted in it."
            );
        }
        *lock(&self.progress) = Progress {
            frames: self.frames,
            bytes: self.bytes,
            written: status.clone(),
        };
    }

    fn take(&mut self, tapped: Tapped, now: Timestamp) {
        self.queue
            .waiting
            .fetch_sub(weight(&tapped), Ordering::Relaxed);
        let scheme = self.options.scheme;
        match tapped {
            Tapped::Opened { link, at } => {
                self.links.insert(link, Messages::new(scheme));
                self.note(at, &lines::connection("opened", link), now);
            }
            Tapped::Closed { link, at, missing } => {
                self.links.remove(&link);
                if let Some(missing) = missing {
                    self.lose(missing);
                }
                self.note(at, &lines::connection("closed", link), now);
            }
            Tapped::Bytes {
                link,
                at,
                bytes,
                missing,
            } => {
                if let Some(missing) = missing {
                    self.lose(missing);
                }
                let Self { links, writer, .. } = self;
                let (mut frames, mut length) = (0, 0);
                let messages = links.entry(link).or_insert_with(|| Messages::new(scheme));
                messages.read(&bytes, missing, |message| {
                    frames += 1;
                    length += lines::bytes(&message);
                    writer.frame(at, &lines::line(link, message), now);
                });
                self.frames += frames;
                self.bytes += length;
            }
        }
    }

    fn note(&mut self, at: Timestamp, note: &str, now: Timestamp) {
        self.writer.note(at, note.as_bytes(), now);
    }

    fn lose(&mut self, missing: Missing) {
        self.frames += missing.messages;
        if missing.messages > 0 {
            self.writer.lose(loss(missing));
        }
    }
}

const fn loss(missing: Missing) -> Loss {
    Loss {
        frames: missing.messages,
        from: missing.from,
        to: missing.to,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
