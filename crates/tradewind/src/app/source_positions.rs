//! How far each house source was read in its streams or behind its cursors, kept over a restart: what came while the desk was
//! away is read then.
//!
//! What is written was put into the engine's queues, handled and taken by the journal before, and while the disk refuses the
//! journal nothing is written. So after an end of any kind some messages are read twice and none is lost.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_journal::StateFile;
use tradewind_model::Timestamp;
use tradewind_venues::house::{KeptPositions, Positions, RedisUse, Transport};

use crate::app::supervisor::Supervisor;
use crate::config::SourceSettings;
use crate::driver::InputQueues;
use crate::driver::input_queues::Mark;

/// Three of these lie between a reading and its place on disk where the engine has nothing to do.
const PERIOD: Duration = Duration::from_millis(500);
/// Absence after which reading begins with what comes. What was published before that steers nothing any more.
const ABSENCE_MAX: Duration = Duration::from_secs(3_600);
/// Room of one position beside its stream's name, which stands there up to three times: two ids of 41 characters, or a cursor of
/// 256 that may need escapes.
const POSITION_ROOM: usize = 640;

/// What is in the file: when the desk was there last, in whole minutes, and positions by source and address.
type Kept = (i64, BTreeMap<String, KeptPositions>);

/// The positions of all sources.
#[derive(Clone, Debug)]
pub(crate) struct SourcePositions {
    /// Where they are kept; nowhere for who reads without a desk.
    file: Option<StateFile>,
    wall: fn() -> Timestamp,
    found: Kept,
    sources: Vec<(String, Positions)>,
    /// Bytes that the sources may need.
    room: usize,
    /// What was read and is not known to be in the journal.
    pending: Option<(Mark, Kept)>,
    written: Kept,
}

impl SourcePositions {
    /// Reads what the last run left. `wall` is the system's clock.
    pub(crate) fn open(file: StateFile, wall: fn() -> Timestamp) -> Self {
        Self {
            found: file.read().unwrap_or_default(),
            file: Some(file),
            wall,
            ..Self::nowhere()
        }
    }

    /// Those of who reads without a desk.
    pub(crate) fn nowhere() -> Self {
        Self {
            file: None,
            wall: || Timestamp::EPOCH,
            found: Kept::default(),
            sources: Vec::new(),
            room: 64,
            pending: None,
            written: Kept::default(),
        }
    }

    /// Where a source begins. Another address has other streams, and another master of a Sentinel.
    pub(crate) fn of(&mut self, source: &SourceSettings) -> Positions {
        let (streams, master) = match &source.transport {
            Transport::Http { .. } => (&[][..], None),
            Transport::Redis { redis, .. } => match &redis.reads {
                RedisUse::Streams(streams) => (&streams[..], redis.sentinel.as_deref()),
                RedisUse::Channels(_) => return Positions::default(),
            },
            _ => return Positions::default(),
        };
        let master = master.unwrap_or_default();
        let name = format!("{} {} {master}", source.name, source.address);
        // A character may need six in JSON.
        let texts = streams
            .iter()
            .map(|stream| POSITION_ROOM + 18 * stream.len());
        self.room += POSITION_ROOM + 6 * name.len() + texts.sum::<usize>();
        let mut kept = self.found.1.remove(&name).unwrap_or_default();
        kept = kept.of(streams);
        let away = (self.wall)().since(Timestamp::from_secs(self.found.0 * 60));
        if away > ABSENCE_MAX && kept != KeptPositions::default() {
            tracing::warn!(
                source = source.name,
                "The desk was away for more than an hour: what was published meanwhile is passed over."
            );
            kept = kept.skip();
        }
        let positions = Positions::from(kept);
        self.sources.push((name, positions.clone()));
        positions
    }

    /// Keeps them until the desk stops. They are written by a thread of their own: a disk may hang.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn keep(
        mut self,
        queues: &Arc<InputQueues>,
        supervisor: &mut Supervisor,
    ) -> io::Result<()> {
        let Some(file) = self.file.take().filter(|_| !self.sources.is_empty()) else {
            return Ok(());
        };
        let writer = self.writer(file)?;
        let queues = Arc::clone(queues);
        supervisor.keep("source positions", move |stop| {
            self.clone().run(Arc::clone(&queues), writer.clone(), stop)
        });
        Ok(())
    }

    /// The thread that writes. It ends with the last sender.
    fn writer(&self, file: StateFile) -> io::Result<SyncSender<Kept>> {
        let file = file.with_room(self.room);
        let first = (self.found.0, self.now());
        let (writer, changes) = sync_channel(1);
        thread::Builder::new()
            .name("positions".to_owned())
            .spawn(move || write_changes(&file, first, &changes))?;
        Ok(writer)
    }

    async fn run(
        mut self,
        queues: Arc<InputQueues>,
        writer: SyncSender<Kept>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        while tokio::time::timeout(PERIOD, stop.cancelled())
            .await
            .is_err()
        {
            self.step(&queues, &writer);
        }
        Ok(())
    }

    /// Hands on what was read before, once it is in the journal, and looks at what is read by now.
    fn step(&mut self, queues: &InputQueues, writer: &SyncSender<Kept>) {
        if let Some((mark, read)) = &self.pending {
            if !queues.is_journaled(*mark) {
                return;
            }
            // It fails while the disk hangs.
            if writer.try_send(read.clone()).is_ok() {
                self.written = read.clone();
            }
            self.pending = None;
        }
        let minute = (self.wall)().as_millis().div_euclid(60_000);
        let read = (minute, self.now());
        // Each position moves behind what it stands for, so all of that is before the mark.
        self.pending = (read != self.written).then(|| (queues.mark(), read));
    }

    fn now(&self) -> BTreeMap<String, KeptPositions> {
        let sources = self.sources.iter();
        let sources = sources.map(|(name, positions)| (name.clone(), positions.kept()));
        sources.collect()
    }
}

/// Writes `state`, so that a later write needs no room, and what comes then.
fn write_changes(file: &StateFile, mut state: Kept, changes: &Receiver<Kept>) {
    let mut has_room = false;
    let mut is_refused = false;
    loop {
        let written = match has_room {
            true => file.write(&state),
            false => file.renew(&state),
        };
        has_room = written.is_ok();
        let was_refused = std::mem::replace(&mut is_refused, written.is_err());
        if let Err(error) = written
            && !was_refused
        {
            tracing::warn!(%error, "How far sources were read cannot be kept over a restart.");
        }
        let Ok(next) = changes.recv() else {
            return;
        };
        state = next;
    }
}

#[cfg(test)]
mod tests;
