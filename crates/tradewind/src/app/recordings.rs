//! Recordings of a desk that runs: what its own connections to venues and sources receive, where their sections say `record`.
//!
//! The tasks that read hand a copy to the recorder's queue and never wait for it; what has no room there is counted and stands in
//! the recording as lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tradewind_data::{Former, RecordingSettings};
use tradewind_model::Clock;
use tradewind_venues::{Address, Connector};

use super::data_dir::RESERVE;
use super::recorder::{InstrumentNotes, Recorder, RecorderOptions};
use super::supervisor::Supervisor;

/// What recordings leave free of the disk: the journal's reserve, the files it writes next, and what a person needs to make room.
const FREE_MIN: u64 = 16 * RESERVE;
/// The most that one recording takes of the disk.
const TOTAL_MAX: u64 = 64 << 30;

/// The recorders of a desk.
#[derive(Debug)]
pub(crate) struct Recordings {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    recorders: Vec<(String, Recorder)>,
}

impl Recordings {
    /// None yet. They go into `recordings/NAME` of the data folder.
    pub(crate) fn new(data_dir: &Path, clock: &Arc<dyn Clock>) -> Self {
        Self {
            folder: data_dir.join("recordings"),
            clock: Arc::clone(clock),
            recorders: Vec::new(),
        }
    }

    /// A connector whose connections to an address are recorded, if its folder can be used: a desk trades without a recording.
    pub(crate) fn tap(
        &mut self,
        name: &str,
        address: &Address,
        connector: Arc<dyn Connector>,
    ) -> Arc<dyn Connector> {
        let folder = self.folder.join(name);
        let settings = RecordingSettings {
            free_min: FREE_MIN,
            total_max: TOTAL_MAX,
            ..RecordingSettings::new(name)
        };
        let options = RecorderOptions::of(address, folder, settings);
        let recorder = match Recorder::start(options, Arc::clone(&self.clock)) {
            Ok(recorder) => recorder,
            Err(error) => {
                tracing::error!(name, %error, "There is no recording of this: its folder cannot be used.");
                return connector;
            }
        };
        for Former { path, cut } in &recorder.former {
            let path = path.display();
            match cut {
                Ok(bytes) => {
                    tracing::warn!(%path, bytes, "Bytes at the end of a recording were no whole block and are cut off.");
                }
                Err(error) => {
                    tracing::warn!(%path, %error, "A recording is damaged; it is left as it is.");
                }
            }
        }
        let connector = recorder.tapped(connector, address, &self.clock);
        self.recorders.push((name.to_owned(), recorder));
        connector
    }

    /// What writes down what the instruments of a venue are, if it is recorded.
    pub(crate) fn notes(&self, name: &str) -> Option<InstrumentNotes> {
        let mut recorders = self.recorders.iter();
        let recorder = recorders.find(|(known, _)| known == name);
        recorder.map(|(_, recorder)| recorder.notes())
    }

    /// Keeps them until the desk stops. What is started after them is stopped before.
    pub(crate) fn keep(self, supervisor: &mut Supervisor) {
        for (name, recorder) in self.recorders {
            supervisor.start("recorder", move |stop| kept(name, recorder, stop));
        }
    }
}

async fn kept(name: String, recorder: Recorder, stop: CancellationToken) -> anyhow::Result<()> {
    stop.cancelled().await;
    let finished = tokio::task::spawn_blocking(move || recorder.finish());
    let (progress, is_whole) = finished.await.context("the recorder ended by itself")?;
    let (frames, lost) = (progress.frames, progress.written.lost);
    if is_whole && lost == 0 {
        tracing::info!(name, frames, "The recording is whole.");
    } else {
        tracing::error!(
            name,
            frames,
            lost,
            "Frames are missing in the recording, which says where."
        );
    }
    Ok(())
}
