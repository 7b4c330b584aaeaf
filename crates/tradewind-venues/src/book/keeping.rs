//! The books of one connection: what their messages become for the source, and which are to be requested again.

use std::collections::BTreeMap;

use tradewind_model::{InstrumentId, MarketEvent, Timestamp};

use super::resync::Resync;
use super::{Levels, Loss, Message, OrderBook, Outcome};
use crate::protocol::{Ignored, Incoming, Topic};

#[derive(Debug)]
struct Kept {
    book: OrderBook,
    resync: Resync,
    /// It was not whole yet on this connection, or its loss was announced and its recovery was not.
    is_down: bool,
}

/// The books that are subscribed on one connection.
#[derive(Debug, Default)]
pub(crate) struct Books {
    kept: BTreeMap<InstrumentId, Kept>,
    /// Levels of the message at hand, kept for their memory.
    pub(crate) levels: Levels,
}

impl Books {
    /// Keeps the books among these topics from now on; nothing of a former one is left.
    pub(crate) fn open_all(&mut self, topics: &[Topic], make: impl Fn(InstrumentId) -> OrderBook) {
        for topic in topics {
            if let Topic::Depth(instrument) = *topic {
                let kept = Kept {
                    book: make(instrument),
                    resync: Resync::default(),
                    is_down: true,
                };
                self.kept.insert(instrument, kept);
            }
        }
    }

    /// Keeps the books among these topics no longer.
    pub(crate) fn close_all(&mut self, topics: &[Topic]) {
        for topic in topics {
            if let Topic::Depth(instrument) = topic {
                self.kept.remove(instrument);
            }
        }
    }

    /// Takes in a message with the levels in [`levels`](Self::levels).
    pub(crate) fn take(
        &mut self,
        instrument: InstrumentId,
        message: Message,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let levels = &self.levels;
        let Some(kept) = self.kept.get_mut(&instrument) else {
            return on(Incoming::Ignored(Ignored::NotWanted));
        };
        let outcome = kept.book.take(message, levels);
        kept.tell(instrument, outcome, received_at, on);
    }

    /// Takes in a message that was read into [`levels`](Self::levels). A book whose message cannot be read is lost.
    pub(crate) fn take_read(
        &mut self,
        instrument: InstrumentId,
        message: Result<Message, Ignored>,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        match message {
            Ok(message) => self.take(instrument, message, received_at, on),
            Err(why) => {
                on(Incoming::Ignored(why));
                self.lose(instrument, Loss::Unreadable, received_at, on);
            }
        }
    }

    /// Gives a book up, for a reason that does not lie in its levels.
    fn lose(
        &mut self,
        instrument: InstrumentId,
        why: Loss,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        if let Some(kept) = self.kept.get_mut(&instrument) {
            // Its message was counted already; what is not whole is not lost again.
            let outcome = kept.book.lose(why);
            if outcome != Outcome::Waiting {
                kept.tell(instrument, outcome, received_at, on);
            }
        }
    }

    /// A book that is lost and to be requested now.
    pub(crate) fn next_to_ask(&mut self, now: Timestamp) -> Option<InstrumentId> {
        let mut kept = self.kept.iter_mut();
        kept.find_map(|(instrument, kept)| kept.resync.ask(now).then_some(*instrument))
    }
}

impl Kept {
    fn tell(
        &mut self,
        instrument: InstrumentId,
        outcome: Outcome,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let topic = Topic::Depth(instrument);
        match outcome {
            Outcome::Changed | Outcome::Same => {
                self.resync.whole(received_at);
                if std::mem::take(&mut self.is_down) {
                    on(Incoming::Whole { topic });
                }
                match self.book.top(received_at) {
                    Some(depth) if outcome == Outcome::Changed => on(Incoming::Event {
                        topic,
                        sequence: None,
                        event: MarketEvent::Depth(Box::new(depth)),
                    }),
                    _ => on(Incoming::Alive { topic }),
                }
            }
            Outcome::Lost(why) => {
                self.resync.lost(received_at);
                self.is_down = true;
                let reason = why.to_string();
                on(Incoming::Lost { topic, reason });
            }
            Outcome::Repeated => on(Incoming::Ignored(Ignored::Repeated)),
            Outcome::Waiting => on(Incoming::Ignored(Ignored::NotWanted)),
        }
    }
}
