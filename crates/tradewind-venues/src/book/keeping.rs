//! The books of one connection: what their messages become for the source, and which are to be requested again.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{InstrumentId, MarketEvent, Timestamp};

use super::resync::{Allowance, Pace, Resync};
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
#[derive(Debug)]
pub(crate) struct Books {
    kept: BTreeMap<InstrumentId, Kept>,
    allowance: Allowance,
    /// When to look for lost books; `None` for at once.
    look_at: Option<Timestamp>,
    /// Levels of the message at hand, kept for their memory.
    pub(crate) levels: Levels,
}

impl Books {
    /// None yet. Lost ones are requested at this pace.
    pub(crate) const fn new(pace: Pace) -> Self {
        Self {
            kept: BTreeMap::new(),
            allowance: Allowance::new(pace),
            look_at: None,
            levels: Levels {
                bids: Vec::new(),
                asks: Vec::new(),
            },
        }
    }

    /// Keeps the books among these topics from now on; nothing of a former one is left.
    pub(crate) fn open_all(&mut self, topics: &[Topic], make: impl Fn(InstrumentId) -> OrderBook) {
        self.look_at = None;
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
        self.look_again(outcome);
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
                on(Incoming::Ignored(why.of_instrument()));
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
                self.look_again(outcome);
            }
        }
    }

    /// Gives up all books: messages of the connection are missing.
    pub(crate) fn lose_all(
        &mut self,
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) {
        let all: Vec<InstrumentId> = self.kept.keys().copied().collect();
        for instrument in all {
            self.lose(instrument, Loss::Gap, received_at, on);
        }
    }

    const fn look_again(&mut self, outcome: Outcome) {
        if matches!(outcome, Outcome::Lost(_)) {
            self.look_at = None;
        }
    }

    /// What comes beside a book that tells the same and more: a sign of life, while the book is whole.
    pub(crate) fn instead_of_quote(
        &self,
        incoming: Incoming<MarketEvent>,
    ) -> Incoming<MarketEvent> {
        match incoming {
            Incoming::Event {
                topic: topic @ Topic::Quotes(instrument),
                ..
            } if self
                .kept
                .get(&instrument)
                .is_some_and(|kept| kept.book.is_whole()) =>
            {
                Incoming::Alive { topic }
            }
            other => other,
        }
    }

    /// The lost books that are to be requested now, together; the others' turn comes later.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Topic> {
        if self.look_at.is_some_and(|at| now < at) {
            return Vec::new();
        }
        let allowed_at = self.allowance.next(now);
        if now < allowed_at {
            self.look_at = Some(allowed_at);
            return Vec::new();
        }
        let mut due = Vec::new();
        for (instrument, kept) in &mut self.kept {
            if due.len() < self.allowance.batch_max() && kept.resync.ask(now) {
                due.push(Topic::Depth(*instrument));
            }
        }
        if !due.is_empty() {
            self.allowance.used(now);
        }
        // Without a lost book there is nothing to look for until one is lost.
        let next = self
            .kept
            .values()
            .filter_map(|kept| kept.resync.due())
            .min();
        let never = now + Duration::from_secs(86_400);
        self.look_at = Some(next.map_or(never, |at| at.max(self.allowance.next(now))));
        due
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
        match outcome {
            Outcome::Changed | Outcome::Same => self.resync.whole(received_at),
            Outcome::Lost(_) => self.resync.lost(received_at),
            Outcome::Repeated | Outcome::Waiting => {}
        }
        let book = (instrument, &self.book);
        tell(book, &mut self.is_down, outcome, received_at, on);
    }
}

/// What a message to a book becomes for the source. `is_down`: that the book is whole was not announced since its last loss.
pub(crate) fn tell(
    (instrument, book): (InstrumentId, &OrderBook),
    is_down: &mut bool,
    outcome: Outcome,
    received_at: Timestamp,
    on: &mut impl FnMut(Incoming<MarketEvent>),
) {
    let topic = Topic::Depth(instrument);
    match outcome {
        Outcome::Changed | Outcome::Same => {
            if std::mem::take(is_down) {
                on(Incoming::Whole { topic });
            }
            match book.top(received_at) {
                Some(depth) if outcome == Outcome::Changed => on(Incoming::Event {
                    topic,
                    sequence: None,
                    event: MarketEvent::Depth(Box::new(depth)),
                }),
                _ => on(Incoming::Alive { topic }),
            }
        }
        Outcome::Lost(why) => {
            *is_down = true;
            on(Incoming::Lost { topic, why });
        }
        Outcome::Repeated => on(Incoming::Ignored(Ignored::Repeated)),
        Outcome::Waiting => on(Incoming::Ignored(Ignored::NotWanted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Step;

    /// Many books that are lost at once are requested in the venue's batches, at its pace, and without looking at all of them
    /// for each message.
    #[test]
    fn many_lost_books_are_requested_together_and_no_faster_than_allowed() {
        let pace = Pace {
            batch_max: 10,
            burst: 2,
            refill: Duration::from_secs(20),
        };
        let at = |second: i64| Timestamp::from_secs(1_000 + second);
        let mut books = Books::new(pace);
        let topics: Vec<Topic> = (0..35).map(|id| Topic::Depth(InstrumentId(id))).collect();
        books.open_all(&topics, |id| OrderBook::new(id, 100));
        let snapshot = |number: i64| {
            Message::Snapshot(Step::After {
                previous: -1,
                this: number,
            })
        };
        for topic in &topics {
            let instrument = topic.instrument().unwrap();
            books.take(instrument, snapshot(1), at(0), &mut |_| ());
        }
        assert_eq!(books.due(at(0)), []);
        assert_eq!(books.look_at, Some(at(86_400)), "nothing to look for");
        books.lose_all(at(1), &mut |_| ());
        let mut requested = Vec::new();
        for second in 1..30 {
            for _ in 0..3 {
                let lost = books.due(at(second));
                for topic in &lost {
                    books.take(
                        topic.instrument().unwrap(),
                        snapshot(2),
                        at(second),
                        &mut |_| (),
                    );
                }
                if !lost.is_empty() {
                    requested.push((second, lost.len()));
                }
            }
        }
        assert_eq!(requested, [(1, 10), (1, 10), (21, 10)]);
    }
}
