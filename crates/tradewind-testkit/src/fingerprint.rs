//! One number for all outputs of an engine: two runs that differ anywhere differ here.

use tradewind_engine::{Digest, Engine, StrategySource};
use tradewind_events::{Output, Outputs};

use crate::storm::Storm;

/// A running hash of outputs, written as MessagePack, with the number of the input they belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(Digest);

impl Fingerprint {
    /// Adds the outputs of one input.
    ///
    /// # Panics
    /// Never: every output can be written.
    pub fn add(&mut self, seq: u64, outputs: &[Output]) {
        self.0.add(&seq.to_le_bytes());
        for output in outputs {
            rmp_serde::encode::write(&mut self.0, output)
                .expect("every output can be written down");
        }
    }

    /// The hash so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0.value()
    }
}

/// The fingerprint of an engine with the built-in strategies after so many inputs of the storm of `seed`.
///
/// With `nudged`, the ask of the quote at that input, or the next quote after it, is one tick higher.
#[must_use]
pub fn fingerprint_of_storm(seed: u64, inputs: u64, nudged: Option<u64>) -> u64 {
    let mut storm = Storm::new(seed, inputs);
    let mut engine = Engine::new(StrategySource::built_in());
    let (mut fingerprint, mut outputs) = (Fingerprint::default(), Outputs::new());
    let mut nudge = nudged;
    for seq in 1..=inputs {
        let (at, mut input) = storm.next_input();
        if nudge.is_some_and(|from| seq >= from) && Storm::nudge(&mut input) {
            nudge = None;
        }
        engine.handle(at, &input, &mut outputs);
        fingerprint.add(seq, &outputs);
        storm.observe(&outputs);
        outputs.clear();
    }
    fingerprint.value()
}
