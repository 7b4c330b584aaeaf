//! The driver's journal and effects in a replay: outcomes are kept to be compared, and nothing leaves.

use std::convert::Infallible;

use tradewind_driver::{Effect, Effects, Journal};
use tradewind_events::{
    CommandId, CommandResult, EvaluationRequest, Event, EventKind, Input, Intent,
};
use tradewind_model::{BotId, Reason, Timestamp};

use crate::replay::history::Outcome;

/// Keeps what the current input leads to, as the journal on disk would have recorded it.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    all: Vec<Outcome>,
    /// A price update is recorded only if another event of the same input follows it.
    price: Option<Event>,
}

impl Outcomes {
    /// What the last input led to.
    pub(super) fn all(&self) -> &[Outcome] {
        &self.all
    }
}

impl Journal for Outcomes {
    type Error = Infallible;

    const INPUTS_PER_WRITE: usize = 1;

    #[inline]
    fn append_input(&mut self, _: u64, _: Timestamp, _: &Input) -> Result<(), Infallible> {
        if !self.all.is_empty() || self.price.is_some() {
            self.all.clear();
            self.price = None;
        }
        Ok(())
    }

    fn append_intent(&mut self, _: u64, _: Timestamp, intent: &Intent) -> Result<(), Infallible> {
        self.all.push(Outcome::Intent(Box::new(intent.clone())));
        Ok(())
    }

    fn append_event(&mut self, event: &Event) -> Result<(), Infallible> {
        if let Some(price) = self.price.take() {
            self.all.push(Outcome::Event(Box::new(price)));
        }
        if matches!(event.kind, EventKind::PriceUpdate(_)) {
            self.price = Some(event.clone());
        } else {
            self.all.push(Outcome::Event(Box::new(as_read_back(event))));
        }
        Ok(())
    }

    #[inline]
    fn write(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn sync(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn durable(&self) -> u64 {
        u64::MAX
    }
}

/// An event as a journal gives it back: a reason is a text there.
fn as_read_back(event: &Event) -> Event {
    let mut event = event.clone();
    if let EventKind::SignalGenerated { reason, .. } = &mut event.kind {
        *reason = Reason::Text(reason.to_string().into());
    }
    event
}

/// Effects that lead nowhere: their answers are inputs of the journal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nowhere;

impl Effects for Nowhere {
    fn perform(&mut self, _: Timestamp, _: Effect) {}

    fn publish(&mut self, _: &Event) {}

    fn reply(&mut self, _: CommandId, _: CommandResult) {}

    fn evaluate(&mut self, _: Box<EvaluationRequest>) {}

    fn reset(&mut self, _: BotId) {}
}
