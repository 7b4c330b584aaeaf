//! How long the stages of the path from frame to order take, counted since the start.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tradewind_api::StageTimes;

/// A stage of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the socket to the engine's thread, of quotes.
    Receive,
    /// One input through the engine.
    Engine,
    /// From an order's decision to the venue's adapter.
    Send,
    /// From the adapter to the venue's answer.
    Ack,
}

const NAMES: [&str; 4] = ["receive", "engine", "send", "ack"];

/// Times of all stages. Clones share them.
#[derive(Clone, Debug)]
pub struct LatencyStages {
    times: Arc<[Mutex<StageTimes>; 4]>,
}

impl Default for LatencyStages {
    fn default() -> Self {
        let stage = |name: &str| {
            Mutex::new(StageTimes {
                name: name.to_owned(),
                ..StageTimes::default()
            })
        };
        Self {
            times: Arc::new(NAMES.map(stage)),
        }
    }
}

impl LatencyStages {
    /// Counts one run of a stage.
    pub fn record(&self, stage: Stage, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut times = self.times[stage as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        times.record(micros);
    }

    /// All stages, in the order of the path.
    #[must_use]
    pub fn snapshot(&self) -> Vec<StageTimes> {
        self.times
            .iter()
            .map(|times| times.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .collect()
    }
}
