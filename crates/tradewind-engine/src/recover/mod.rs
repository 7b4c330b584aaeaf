//! Recovery: durable state from a snapshot, then from the records behind it. No strategy runs and no order is made.
//!
//! An input and everything that followed from it make a group, under the number of the input. What an input does by
//! itself (a report, an account, a configuration) is done again by the same functions as at run time. What was
//! decided (a signal, an intent, a denial, a bot's state, a command's result) is read from the records. Market data
//! and the strategies' own state are not recovered: they warm up from fresh data. Quotes move the peaks of exit plans;
//! without them, a peak is the one of the snapshot.
//!
//! Start with [`recover`].

mod digest;
mod events;
mod group;
mod inputs;
mod orders;

use tradewind_events::{Configuration, Event, Input, Intent, Outputs};
use tradewind_model::Timestamp;
use tradewind_model::mutation::{Mutation, is_on};

use crate::context::StepContext;
use crate::engine::Engine;
use crate::parts::Parts;
use crate::state::{EngineState, RestoreError, restore_durable};
use crate::strategy_source::StrategySource;
use group::Group;

pub use digest::RecoveredPart;
pub(crate) use digest::recovered_parts;

/// One record of a journal, as far as recovery reads it.
#[derive(Clone, Copy, Debug)]
pub enum Recorded<'a> {
    /// An input, of the truth or of the market data.
    Input(&'a Input),
    /// An order that was decided on.
    Intent(&'a Intent),
    /// An announcement.
    Event(&'a Event),
}

/// An engine being recovered: records in, the engine out.
#[derive(Debug)]
pub struct Recovery {
    parts: Parts,
    group: Group,
    out: Outputs,
    /// Time of the last record that was passed.
    read_until: Timestamp,
}

impl Recovery {
    /// Begins with nothing, for a journal without a snapshot.
    #[must_use]
    pub fn from_nothing(strategies: StrategySource) -> Self {
        Self::of(Parts::new(strategies, 0))
    }

    /// Begins with the durable half of a snapshot. Its derived half is not read.
    ///
    /// # Errors
    /// A state of another version, and a damaged one.
    pub fn from_state(
        strategies: StrategySource,
        state: &EngineState,
    ) -> Result<Self, RestoreError> {
        Ok(Self::of(restore_durable(strategies, state.durable())?))
    }

    fn of(mut parts: Parts) -> Self {
        parts.is_recovering = true;
        Self {
            parts,
            group: Group::default(),
            out: Outputs::new(),
            read_until: Timestamp::EPOCH,
        }
    }

    /// Number of the input up to which the state is complete, or being completed.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.parts.context.seq()
    }

    /// Time of the last record that was folded, or of a later one that was passed; the epoch before the first.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts.now().max(self.read_until)
    }

    /// Passes a record that has nothing to fold. The next start is no earlier: its engine's time would stand still until then.
    pub fn pass(&mut self, at: Timestamp) {
        self.read_until = self.read_until.max(at);
    }

    /// The configuration as of the last record; empty before the first.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.parts.config
    }

    /// Folds the next record. Records come in the order in which they were written. One that the snapshot contains is
    /// ignored.
    pub fn fold(&mut self, seq: u64, at: Timestamp, record: Recorded<'_>) {
        if is_on(Mutation::TailIgnored) {
            return;
        }
        if seq != self.seq() || !self.group.is_open() {
            if seq <= self.seq() {
                return;
            }
            self.end_group();
            let at = at.max(self.parts.now());
            self.parts.context = StepContext::after(seq, at);
            self.group.open();
        }
        let (parts, group, out) = (&mut self.parts, &mut self.group, &mut self.out);
        match record {
            Recorded::Input(input) => inputs::fold(parts, group, input, out),
            Recorded::Intent(intent) => orders::fold_intent(parts, group, intent, out),
            Recorded::Event(event) => events::fold(parts, group, event, out),
        }
        self.out.clear();
    }

    /// The engine, whose inputs are numbered from behind `seq`, the last number that was used.
    #[must_use]
    pub fn finish(mut self, seq: u64, at: Timestamp) -> Engine {
        if !is_on(Mutation::LastGroupOpen) {
            self.end_group();
        }
        let (seq, at) = (seq.max(self.seq()), at.max(self.parts.now()));
        self.parts.context = StepContext::after(seq, at);
        self.parts.is_recovering = false;
        let is_empty = seq == 0;
        self.parts.bots.set_down_since((!is_empty).then_some(at));
        self.parts.drop_market();
        Engine::of(self.parts)
    }

    fn end_group(&mut self) {
        self.group.end(&mut self.parts, &mut self.out);
        self.out.clear();
    }
}

/// Recovers an engine from a snapshot, if there is one, and the records behind it.
///
/// # Errors
/// As [`Recovery::from_state`].
pub fn recover<'a>(
    strategies: StrategySource,
    snapshot: Option<&EngineState>,
    tail: impl IntoIterator<Item = (u64, Timestamp, Recorded<'a>)>,
) -> Result<Engine, RestoreError> {
    let mut recovery = match snapshot {
        Some(state) => Recovery::from_state(strategies, state)?,
        None => Recovery::from_nothing(strategies),
    };
    let mut end = (recovery.seq(), Timestamp::EPOCH);
    for (seq, at, record) in tail {
        recovery.fold(seq, at, record);
        end = (seq, at);
    }
    Ok(recovery.finish(end.0, end.1))
}
