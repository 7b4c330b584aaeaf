//! Where the engine is in its inputs: sequence number, time, and the cause of what happens now.

use tradewind_events::{Event, EventKind, Output, Outputs};
use tradewind_model::{EventId, Price, Quote, Timestamp};

/// What the current input is about, so that events can name their cause.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Trigger {
    /// Nothing that an event can name.
    #[default]
    None,
    /// A quote. It becomes an event when something follows from it, and then has an id.
    Quote(Quote, Option<EventId>),
    /// An event.
    Event(EventId),
}

/// The input being handled.
#[derive(Debug, Default)]
pub(crate) struct StepContext {
    seq: u64,
    at: Timestamp,
    trigger: Trigger,
    /// The price that what is decided now is decided at, where no quote decides it.
    reference: Option<Price>,
    next_index: u32,
}

impl StepContext {
    /// The context behind input `seq`, which was handled at `at`.
    pub(crate) fn after(seq: u64, at: Timestamp) -> Self {
        Self {
            seq,
            at,
            ..Self::default()
        }
    }

    /// Moves to the next input. Time never runs backwards.
    pub(crate) fn advance(&mut self, at: Timestamp) {
        self.seq += 1;
        self.at = self.at.max(at);
        self.trigger = Trigger::None;
        self.reference = None;
        self.next_index = 0;
    }

    /// Number of the input.
    pub(crate) const fn seq(&self) -> u64 {
        self.seq
    }

    /// Time of the input.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    /// From now on events of this input follow from `trigger`.
    pub(crate) const fn set_trigger(&mut self, trigger: Trigger) {
        self.trigger = trigger;
    }

    /// From now on decisions of this input are made at this price.
    pub(crate) const fn set_reference(&mut self, price: Option<Price>) {
        self.reference = price;
    }

    /// The price that what is decided now is decided at, where no quote decides it.
    pub(crate) const fn reference(&self) -> Option<Price> {
        self.reference
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

    /// An id for an event that is announced at the end of this input. Events emitted meanwhile get later ids.
    pub(crate) fn reserve(&mut self) -> EventId {
        let id = EventId {
            seq: self.seq,
            index: self.next_index,
        };
        self.next_index += 1;
        id
    }

    /// The event that everything in this input follows from. Announces the quote if the trigger is one.
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

    /// The quote that the current decision is made on, if it is made on one.
    pub(crate) const fn quote(&self) -> Option<Quote> {
        match self.trigger {
            Trigger::Quote(quote, _) => Some(quote),
            Trigger::None | Trigger::Event(_) => None,
        }
    }
}
