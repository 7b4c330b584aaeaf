//! Recordings of a desk that runs: what its own connections to venues and sources receive, where their sections say `record`.
//!
//! The tasks that read hand a copy to the recorder's queue and never wait for it; what has no room there is counted and stands in
//! the recording as lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tradewind_data::RecordingSettings;
use tradewind_model::{Clock, Instrument};
use tradewind_venues::{Address, Connector, VenueKind};

use super::recorder::{Recorder, RecorderOptions};
use super::supervisor::Supervisor;

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

    /// A connector whose connections to an address are recorded.
    ///
    /// # Errors
    /// The folder of the recording cannot be used.
    pub(crate) fn tap(
        &mut self,
        name: &str,
        address: &Address,
        connector: Arc<dyn Connector>,
    ) -> anyhow::Result<Arc<dyn Connector>> {
        let folder = self.folder.join(name);
        let options = RecorderOptions::of(address, folder, RecordingSettings::new(name));
        let recorder = Recorder::start(options, Arc::clone(&self.clock));
        let recorder = recorder.with_context(|| format!("recording {name}"))?;
        let connector = recorder.tapped(connector, address, &self.clock);
        self.recorders.push((name.to_owned(), recorder));
        Ok(connector)
    }

    /// Writes down what the instruments of a venue are, if it is recorded.
    pub(crate) fn note(&self, name: &str, kind: VenueKind, instruments: &[(String, Instrument)]) {
        let mut recorders = self.recorders.iter();
        if let Some((_, recorder)) = recorders.find(|(known, _)| known == name) {
            recorder.note_instruments(kind, instruments);
        }
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
