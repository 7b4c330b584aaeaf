//! The exchange as its wires see it: the core, and what may stand between.
//!
//! A perfect exchange has nothing between, and pays one look for it. What does stand there is in `faults/`.

use tradewind_model::Timestamp;

use crate::core::{Core, In, Out};
use crate::faults::{Between, Conduct, FaultScript, Parts, WireKind};
use crate::streams::ConnectionId;

/// The core and what stands before it.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) core: Core,
    between: Option<Box<Between>>,
    seed: u64,
}

impl Front {
    pub(crate) fn new(core: Core, now: Timestamp, conduct: Conduct) -> Self {
        let seed = conduct.seed;
        let between =
            (!conduct.is_perfect()).then(|| Box::new(Between::new(Parts { now, conduct })));
        Self {
            core,
            between,
            seed,
        }
    }

    /// Lets time pass up to `now`.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        match &mut self.between {
            None => self.core.advance(now),
            Some(between) => between.advance(&mut self.core, now),
        }
    }

    /// Handles one input; time has passed up to `now` before.
    pub(crate) fn handle(&mut self, now: Timestamp, input: In) {
        match &mut self.between {
            None => self.core.handle(now, input),
            Some(between) => between.handle(&mut self.core, now, input),
        }
    }

    /// A WebSocket was opened.
    pub(crate) fn connected(&mut self, now: Timestamp, connection: ConnectionId, wire: WireKind) {
        if let Some(between) = &mut self.between {
            between.connected(&mut self.core, now, connection, wire);
        }
    }

    /// Takes what is to be done, and gives back `used` to be filled next.
    pub(crate) fn take_out(&mut self, used: Out) -> Out {
        match &mut self.between {
            None => self.core.take_out(used),
            Some(between) => {
                // What was done beside handling inputs, such as an operator's act, is still in the core.
                between.collect_rest(&mut self.core);
                between.take_out(used)
            }
        }
    }

    /// When something is due that no clock tick should be awaited for.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.between.as_ref().and_then(|between| between.next_at())
    }

    /// Adds faults and says how many.
    pub(crate) fn add_faults(&mut self, now: Timestamp, script: FaultScript) -> usize {
        let conduct = Conduct {
            seed: self.seed,
            ..Conduct::default()
        };
        let between = self
            .between
            .get_or_insert_with(|| Box::new(Between::new(Parts { now, conduct })));
        between.add(now, script)
    }

    /// Takes all faults back.
    pub(crate) fn clear_faults(&mut self, now: Timestamp) {
        if let Some(between) = &mut self.between {
            between.clear(&mut self.core, now);
        }
    }

    /// Latencies, and each fault with how often it was reached.
    pub(crate) fn state(&self) -> serde_json::Value {
        self.between.as_ref().map_or_else(
            || serde_json::json!({ "latencies": "none", "faults": [] }),
            |between| between.state(),
        )
    }
}
