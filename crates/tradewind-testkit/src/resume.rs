//! A storm that is interrupted: what a second process needs to continue, and the result it must have.

use serde::{Deserialize, Serialize};
use tradewind_engine::{Engine, EngineState, RestoreError, StrategySource};
use tradewind_events::{Input, Outputs};
use tradewind_model::Timestamp;

use crate::fingerprint::Fingerprint;
use crate::storm::Storm;

/// A saved engine and the inputs that follow.
#[derive(Debug, Serialize, Deserialize)]
pub struct Interrupted {
    state: EngineState,
    inputs: Vec<(Timestamp, Input)>,
}

/// The result of the inputs that follow a save: two runs that differ anywhere differ here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Continued {
    /// Of all outputs after the save.
    pub outputs: u64,
    /// Of the state at the end.
    pub state: u64,
}

impl Interrupted {
    /// Runs the storm of `seed` to its end, saving the engine after input `save_at`. Returns what a second process needs,
    /// and what the run that was not interrupted came to.
    #[must_use]
    pub fn run(seed: u64, inputs: u64, save_at: u64) -> (Self, Continued) {
        let mut storm = Storm::new(seed, inputs);
        let mut engine = Engine::new(StrategySource::built_in());
        let mut outputs = Outputs::new();
        for _ in 0..save_at {
            let (at, input) = storm.next_input();
            engine.handle(at, &input, &mut outputs);
            storm.observe(&outputs);
            outputs.clear();
        }
        let mut interrupted = Self {
            state: engine.save(),
            inputs: Vec::new(),
        };
        let mut fingerprint = Fingerprint::default();
        for _ in save_at..inputs {
            let (at, input) = storm.next_input();
            engine.handle(at, &input, &mut outputs);
            storm.observe(&outputs);
            fingerprint.add(engine.seq(), &outputs);
            outputs.clear();
            interrupted.inputs.push((at, input));
        }
        (interrupted, continued(&engine, fingerprint))
    }

    /// Restores the engine and handles the inputs that follow.
    ///
    /// # Errors
    /// A state that this build does not restore.
    pub fn resume(&self) -> Result<Continued, RestoreError> {
        let mut engine = Engine::restore(StrategySource::built_in(), &self.state)?;
        let (mut fingerprint, mut outputs) = (Fingerprint::default(), Outputs::new());
        for (at, input) in &self.inputs {
            engine.handle(*at, input, &mut outputs);
            fingerprint.add(engine.seq(), &outputs);
            outputs.clear();
        }
        Ok(continued(&engine, fingerprint))
    }
}

fn continued(engine: &Engine, fingerprint: Fingerprint) -> Continued {
    Continued {
        outputs: fingerprint.value(),
        state: engine.save().digest(),
    }
}
