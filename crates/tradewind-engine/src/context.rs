//! Where the engine is in its inputs: sequence number, time, and what caused what is happening.

use tradewind_events::{Event, EventKind, Output, Outputs};
use tradewind_model::{EventId, Quote, Timestamp};

/// What the current input is about, so that events can name their cause.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Trigger {
    /// Nothing that events can follow from.
    #[default]
    None,
    /// A quote, and its event once it was announced: when something follows from it.
    Quote(Quote, Option<EventId>),
    /// An event.
    Event(EventId),
}

/// The input being handled.
#[derive(Debug, Default)]
pub(crate) struct StepContext {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) trigger: Trigger,
    next_index: u32,
}

impl StepContext {
    /// Goes on to the next input. Time never runs backwards.
    pub(crate) fn advance(&mut self, at: Timestamp) {
        self.seq += 1;
        self.at = self.at.max(at);
        self.trigger = Trigger::None;
        self.next_index = 0;
    }

    /// Announces something that follows from `cause`.
    pub(crate) fn emit(
        &mut self,
        out: &mut Outputs,
        cause: Option<EventId>,
        kind: EventKind,
    ) -> EventId {
        let id = self.reserve();
        out.push(Output::Event(Event {
            id,
            at: self.at,
            cause,
            kind,
        }));
        id
    }

    /// An id for an event that is announced later in this input but stands before what is emitted meanwhile.
    pub(crate) fn reserve(&mut self) -> EventId {
        let id = EventId {
            seq: self.seq,
            index: self.next_index,
        };
        self.next_index += 1;
        id
    }

    /// The event everything in this input follows from; announces the quote if it is one.
    pub(crate) fn cause(&mut self, out: &mut Outputs) -> Option<EventId> {
        match self.trigger {
            Trigger::None => None,
            Trigger::Event(id) => Some(id),
            Trigger::Quote(_, Some(id)) => Some(id),
            Trigger::Quote(quote, None) => {
                let id = self.emit(out, None, EventKind::PriceUpdate(quote));
                self.trigger = Trigger::Quote(quote, Some(id));
                Some(id)
            }
        }
    }

    /// The quote that what happens now is decided on, if it is one.
    pub(crate) const fn quote(&self) -> Option<Quote> {
        match self.trigger {
            Trigger::Quote(quote, _) => Some(quote),
            Trigger::None | Trigger::Event(_) => None,
        }
    }
}
