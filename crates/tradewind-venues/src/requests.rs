//! Requests of one connection that the venue has not answered in full: some answer topic by topic, some without a number.

use std::collections::VecDeque;

use crate::book::keeping::Books;
use crate::error::cut;
use crate::protocol::{Ignored, Incoming, Topic};

/// Requests that are remembered; the source asks again for what is not answered in time.
const OPEN_MAX: usize = 64;
/// Of them a connection's own, so that these leave room for those of the source.
const OWN_MAX: usize = OPEN_MAX / 2;

/// The number of requests that a connection makes on its own. The source's begin at 1.
pub(crate) const OWN_REQUEST: u64 = 0;

/// Requests without a full answer, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    open: VecDeque<(u64, Vec<Topic>)>,
}

impl Requests {
    /// A request was sent.
    pub(crate) fn sent(&mut self, request: u64, topics: &[Topic]) {
        if self.open.len() == OPEN_MAX {
            self.open.pop_front();
        }
        self.open.push_back((request, topics.to_vec()));
    }

    /// A connection sent one message about lost books on its own. The venue may refuse each such message by itself, and the answer to
    /// none of them is one to a request of the source, whichever is the oldest one.
    pub(crate) fn sent_own(&mut self, topics: &[Topic]) {
        let is_own = |(open, _): &(u64, Vec<Topic>)| *open == OWN_REQUEST;
        if self.open.iter().filter(|one| is_own(one)).count() == OWN_MAX
            && let Some(oldest) = self.open.iter().position(is_own)
        {
            self.open.remove(oldest);
        }
        self.sent(OWN_REQUEST, topics);
    }

    /// One topic was granted; the request whose last one it was.
    fn granted_topic(&mut self, topic: Topic) -> Option<u64> {
        let holds = |(_, topics): &(u64, Vec<Topic>)| topics.contains(&topic);
        let at = self.open.iter().position(holds)?;
        let (request, topics) = self.open.get_mut(at)?;
        let request = *request;
        if request == OWN_REQUEST {
            self.close_own(topic);
            return None;
        }
        topics.retain(|other| *other != topic);
        let done = topics.is_empty().then_some(request)?;
        self.open.remove(at);
        Some(done)
    }

    /// A lost book was granted: no message about it is answered any more.
    fn close_own(&mut self, topic: Topic) {
        self.open.retain_mut(|(open, topics)| {
            if *open != OWN_REQUEST {
                return true;
            }
            topics.retain(|other| *other != topic);
            !topics.is_empty()
        });
    }

    /// What the source learns of a topic that was granted, if it is one: its request is granted with the last of its topics.
    pub(crate) fn acked_topic<E>(&mut self, topic: Result<Topic, Ignored>) -> Incoming<E> {
        match topic.map(|topic| self.granted_topic(topic)) {
            Ok(Some(request)) => Incoming::Acked { request },
            Ok(None) => Incoming::Ignored(Ignored::NotWanted),
            Err(why) => Incoming::Ignored(why),
        }
    }

    /// What the source learns of a request that was granted as a whole.
    pub(crate) fn acked<E>(&mut self, request: Option<u64>) -> Incoming<E> {
        match self.answered(request) {
            Some((request, _)) if request != OWN_REQUEST => Incoming::Acked { request },
            _ => Incoming::Ignored(Ignored::NotWanted),
        }
    }

    /// What the source learns of a request that was refused in these words. Its books are kept no longer.
    ///
    /// A topic that is subscribed already is subscribed, if the request names no other: of several, the others may be missing.
    pub(crate) fn refused<E>(
        &mut self,
        request: Option<u64>,
        words: &[u8],
        books: &mut Books,
    ) -> Incoming<E> {
        let Some((request, topics)) = self.answered(request) else {
            return Incoming::Ignored(Ignored::NotWanted);
        };
        // Its books stay lost and are requested again in time.
        if request == OWN_REQUEST {
            return Incoming::Ignored(Ignored::NotWanted);
        }
        let reason = String::from_utf8_lossy(words);
        if topics.len() == 1 && reason.contains("lready subscribed") {
            return Incoming::Acked { request };
        }
        books.close_all(&topics);
        Incoming::Refused {
            request,
            reason: cut(&reason),
        }
    }

    /// A whole request was answered: the one with the number, or the oldest one where the venue gives none.
    /// It comes with its topics that were not granted.
    fn answered(&mut self, request: Option<u64>) -> Option<(u64, Vec<Topic>)> {
        let at = match request {
            Some(wanted) => self.open.iter().position(|(open, _)| *open == wanted)?,
            None => 0,
        };
        self.open.remove(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::resync::Pace;
    use tradewind_model::InstrumentId;

    #[test]
    fn a_request_is_granted_with_its_last_topic() {
        let topics = [0, 1].map(|id| Topic::Quotes(InstrumentId(id)));
        let mut requests = Requests::default();
        requests.sent(7, &topics);
        assert_eq!(requests.granted_topic(Topic::Trades(InstrumentId(0))), None);
        assert_eq!(requests.granted_topic(topics[1]), None);
        assert_eq!(requests.granted_topic(topics[1]), None, "said twice");
        assert_eq!(requests.granted_topic(topics[0]), Some(7));
        assert_eq!(requests.granted_topic(topics[0]), None);
    }

    #[test]
    fn what_is_subscribed_already_grants_a_request_for_it_alone() {
        let topics = [0, 1].map(|id| Topic::Quotes(InstrumentId(id)));
        let (mut requests, mut books) = (Requests::default(), Books::new(Pace::of(1)));
        let mut refused = |topics: &[Topic], words: &[u8]| {
            requests.sent(7, topics);
            requests.refused::<()>(Some(7), words, &mut books)
        };
        let request = 7;
        let refusal = |reason: &str| Incoming::Refused {
            request,
            reason: reason.to_owned(),
        };
        let again = b"Already subscribed";
        assert_eq!(refused(&topics[..1], again), Incoming::Acked { request });
        assert_eq!(refused(&topics, again), refusal("Already subscribed"));
        assert_eq!(refused(&topics[..1], b"no such"), refusal("no such"));
    }

    /// Coinbase refuses without a number: a refused resync must not take back a subscription that the venue grants. A resync is two
    /// messages, and each may be refused.
    #[test]
    fn the_refusal_of_a_resync_is_no_subscriptions() {
        let [book, other] = [Topic::Depth(InstrumentId(0)), Topic::Depth(InstrumentId(1))];
        let (mut requests, mut books) = (Requests::default(), Books::new(Pace::of(1)));
        requests.sent_own(&[book]);
        requests.sent_own(&[book]);
        requests.sent(7, &[other]);
        let mut refused = || requests.refused::<()>(None, b"slow down", &mut books);
        for _ in 0..2 {
            assert_eq!(refused(), Incoming::Ignored(Ignored::NotWanted));
        }
        let (request, reason) = (7, "slow down".to_owned());
        assert_eq!(refused(), Incoming::Refused { request, reason });
        for _ in 0..1_000 {
            requests.sent_own(&[book]);
        }
        requests.sent(8, &[other]);
        let acked = |requests: &mut Requests, topic| requests.acked_topic::<()>(Ok(topic));
        assert_eq!(
            acked(&mut requests, book),
            Incoming::Ignored(Ignored::NotWanted)
        );
        assert_eq!(acked(&mut requests, other), Incoming::Acked { request: 8 });
        assert_eq!(requests.open.len(), 0);
    }

    #[test]
    fn an_answer_without_a_number_is_the_oldest_requests() {
        let topics = vec![Topic::Quotes(InstrumentId(0))];
        let mut requests = Requests::default();
        assert_eq!(requests.answered(None), None);
        for request in [3, 4, 5] {
            requests.sent(request, &topics);
        }
        assert_eq!(requests.answered(Some(9)), None);
        assert_eq!(requests.answered(Some(4)), Some((4, topics.clone())));
        assert_eq!(requests.answered(None), Some((3, topics)));
        for request in 0..1_000 {
            requests.sent(request, &[]);
        }
        assert_eq!(requests.open.len(), OPEN_MAX);
    }
}
