//! A source against a venue that opens every link and grants every request, in virtual time.

use super::*;
use crate::health::SequenceVerdict;
use crate::protocol::Sequence;
use tradewind_model::{FeedHealth, InstrumentId};

const QUOTES: Topic = Topic::Quotes(InstrumentId(0));
const TRADES: Topic = Topic::Trades(InstrumentId(0));

struct Rig {
    machine: SourceMachine,
    now: Duration,
    out: Vec<SourceOut>,
    /// Subscription requests that were sent.
    requested: usize,
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Rig {
    fn new() -> Self {
        let mut rig = Self {
            machine: SourceMachine::new(SourceSettings::default(), 11),
            now: Duration::ZERO,
            out: Vec::new(),
            requested: 0,
        };
        rig.give(SourceIn::Want(QUOTES));
        rig.give(SourceIn::Want(TRADES));
        rig.give(SourceIn::Start);
        rig
    }

    fn give(&mut self, input: SourceIn) {
        self.machine.handle(self.now, input, &mut self.out);
    }

    fn drain(&mut self) -> Vec<SourceOut> {
        std::mem::take(&mut self.out)
    }

    /// A venue that opens every link and grants every request; returns the other outputs.
    fn serve(&mut self) -> Vec<SourceOut> {
        let mut rest = Vec::new();
        loop {
            let out = self.drain();
            if out.is_empty() {
                return rest;
            }
            for order in out {
                match order {
                    SourceOut::Open(link) => self.give(SourceIn::Opened(link)),
                    SourceOut::Subscribe(link, request, _)
                    | SourceOut::Unsubscribe(link, request, _) => {
                        self.give(SourceIn::Acked(link, request));
                    }
                    SourceOut::Ping(link) => self.give(SourceIn::Pong(link)),
                    other => rest.push(other),
                }
            }
        }
    }

    /// The same for a while, with the time passing.
    fn serve_for(&mut self, span: Duration) -> Vec<SourceOut> {
        let (mut rest, end) = (self.serve(), self.now + span);
        while self.now < end {
            self.second();
            rest.extend(self.serve());
        }
        rest
    }

    /// A venue that opens every link, sends data on it and refuses every request, for this long.
    fn refuse_for(&mut self, span: Duration) -> Vec<SourceOut> {
        let (mut rest, end) = (Vec::new(), self.now + span);
        while self.now < end {
            for order in self.drain() {
                match order {
                    SourceOut::Open(link) => self.give(SourceIn::Opened(link)),
                    SourceOut::Subscribe(link, request, _) => {
                        self.requested += 1;
                        self.give(SourceIn::Refused(link, request, "no".to_owned()));
                    }
                    SourceOut::Ping(link) => self.give(SourceIn::Pong(link)),
                    other => rest.push(other),
                }
            }
            self.second();
        }
        rest
    }

    /// Lets a second pass with data on every link.
    fn second(&mut self) {
        self.now += secs(1);
        let links = [&self.machine.current, &self.machine.successor];
        let ids = links.map(|link| link.as_ref().map(|link| link.id.0));
        for id in ids.into_iter().flatten() {
            self.data(id, TRADES, self.now.as_secs());
        }
        self.give(SourceIn::Tick);
    }

    fn data(&mut self, link: u64, topic: Topic, number: u64) -> (SequenceVerdict, Vec<FeedHealth>) {
        let mut health = Vec::new();
        let sequence = Some(Sequence::Contiguous(number));
        let verdict = self
            .machine
            .data(self.now, LinkId(link), topic, sequence, &mut health);
        (
            verdict,
            health.into_iter().map(|change| change.health).collect(),
        )
    }

    fn link(&self) -> u64 {
        self.machine.current.as_ref().unwrap().id.0
    }

    /// Lets the time pass with data on the current link each second.
    fn live_until(&mut self, end: Duration, number: &mut u64) -> Vec<SourceOut> {
        let mut rest = Vec::new();
        while self.now < end {
            self.now += secs(1).min(end - self.now);
            *number += 1;
            let link = self.link();
            self.data(link, TRADES, *number);
            self.give(SourceIn::Tick);
            rest.extend(self.serve());
        }
        rest
    }
}

#[test]
fn it_connects_subscribes_and_becomes_live_with_the_first_data() {
    let mut rig = Rig::new();
    let said = rig.serve();
    assert!(said.contains(&SourceOut::Ready));
    assert_eq!(rig.machine.missing(), []);
    assert_eq!(
        rig.machine.health().health(InstrumentId(0)),
        FeedHealth::Resync
    );
    let link = rig.link();
    assert_eq!(rig.data(link, TRADES, 1).1, [FeedHealth::Live]);
}

#[test]
fn a_lost_link_is_reopened_under_a_new_number_with_its_subscriptions() {
    let mut rig = Rig::new();
    rig.serve();
    let old = rig.link();
    rig.give(SourceIn::Lost(
        LinkId(old),
        LossReason::Broken("reset".into()),
    ));
    let said = rig.serve();
    assert!(said.iter().any(|out| matches!(out, SourceOut::Down { .. })));
    assert!(!rig.machine.is_up());
    rig.now = rig.machine.wake_at().unwrap();
    rig.give(SourceIn::Tick);
    rig.give(SourceIn::Opened(LinkId(old)));
    assert!(
        !rig.machine.is_up(),
        "news of the old socket changes nothing"
    );
    assert!(rig.serve().contains(&SourceOut::Ready));
    assert_ne!(rig.link(), old);
    assert_eq!(rig.machine.missing(), []);
    assert_eq!(rig.machine.reconnects(), 1);
}

#[test]
fn n05_the_daily_renewal_overlaps_and_loses_nothing() {
    let mut rig = Rig::new();
    rig.serve();
    let (old, mut number) = (rig.link(), 0);
    let day = SourceSettings::default().connection.renew_after;
    let said = rig.live_until(day + secs(2), &mut number);
    assert!(said.contains(&SourceOut::Close(LinkId(old))));
    assert!(!said.iter().any(|out| matches!(out, SourceOut::Down { .. })));
    let new = rig.link();
    assert_ne!(new, old);
    assert_eq!(rig.data(new, TRADES, number).0, SequenceVerdict::Repeated);
    assert_eq!(rig.data(new, TRADES, number + 1).0, SequenceVerdict::Next);
    assert_eq!(rig.machine.reconnects(), 0);
}

#[test]
fn n07_a_refused_subscription_is_not_ready_and_is_tried_for_ever() {
    let mut rig = Rig::new();
    let said = rig.refuse_for(secs(600));
    assert!(!said.contains(&SourceOut::Ready));
    let failed = |out: &&SourceOut| matches!(out, SourceOut::TopicFailed(..));
    assert_eq!(said.iter().filter(failed).count(), 2);
    let requested = rig.requested;
    rig.refuse_for(secs(3_600));
    // Two topics, each at least once a minute.
    assert!(
        (requested + 110..requested + 130).contains(&rig.requested),
        "{requested}, {}",
        rig.requested
    );
    assert!(rig.serve_for(secs(60)).contains(&SourceOut::Ready));
}

#[test]
fn n05_a_healthy_link_stays_until_its_successor_is_acknowledged() {
    let mut rig = Rig::new();
    rig.serve();
    let old = rig.link();
    rig.give(SourceIn::ClosingSoon(LinkId(old)));
    let said = rig.refuse_for(secs(3_600));
    assert!(!said.contains(&SourceOut::Close(LinkId(old))));
    assert_eq!(rig.link(), old);
    let said = rig.serve_for(secs(60));
    assert!(said.contains(&SourceOut::Close(LinkId(old))));
    assert!(!said.iter().any(|out| matches!(out, SourceOut::Down { .. })));
}

#[test]
fn a_successor_that_is_not_subscribed_takes_over_from_a_lost_link_as_down() {
    let mut rig = Rig::new();
    rig.serve();
    let old = rig.link();
    rig.give(SourceIn::ClosingSoon(LinkId(old)));
    rig.refuse_for(secs(5));
    rig.give(SourceIn::Lost(
        LinkId(old),
        LossReason::Broken("24 h".into()),
    ));
    let said = rig.drain();
    assert!(said.iter().any(|out| matches!(out, SourceOut::Down { .. })));
    assert!(rig.serve_for(secs(60)).contains(&SourceOut::Ready));
}

#[test]
fn of_two_connections_books_of_the_one_in_use_are_shown() {
    let mut rig = Rig::new();
    let book = Topic::Depth(InstrumentId(0));
    rig.give(SourceIn::Want(book));
    rig.serve();
    let old = rig.link();
    let health = |changes: &[HealthChange]| -> Vec<FeedHealth> {
        changes.iter().map(|change| change.health).collect()
    };
    rig.data(old, TRADES, 1);
    rig.give(SourceIn::ClosingSoon(LinkId(old)));
    let opened = rig.drain();
    let [SourceOut::Open(new)] = opened[..] else {
        panic!("{opened:?}")
    };
    let (now, mut changes) = (rig.now, Vec::new());
    let mut data =
        |rig: &mut Rig, link: LinkId| rig.machine.data(now, link, book, None, &mut changes);
    assert_eq!(data(&mut rig, LinkId(old)), SequenceVerdict::Next);
    assert_eq!(data(&mut rig, new), SequenceVerdict::Repeated);

    // What the new one has lost counts from when it takes over.
    let mut changes = Vec::new();
    rig.machine
        .kept(now, new, book, Some("a gap"), &mut changes);
    assert_eq!(health(&changes), []);
    rig.give(SourceIn::Opened(new));
    let said = rig.serve_for(secs(50));
    assert!(
        !said.contains(&SourceOut::Close(LinkId(old))),
        "its book is awaited"
    );
    let said = rig.serve_for(secs(20));
    assert!(said.contains(&SourceOut::Close(LinkId(old))), "{said:?}");
    assert_eq!(
        rig.machine.data(rig.now, new, book, None, &mut changes),
        SequenceVerdict::Next
    );
    assert_eq!(
        rig.machine.health().health(InstrumentId(0)),
        FeedHealth::Resync
    );
    rig.machine.kept(rig.now, new, book, None, &mut changes);
    assert_eq!(health(&changes), [FeedHealth::Live]);
}

#[test]
fn n05_a_successor_takes_over_once_its_books_are_whole() {
    let mut rig = Rig::new();
    let book = Topic::Depth(InstrumentId(0));
    rig.give(SourceIn::Want(book));
    rig.serve();
    let old = rig.link();
    let mut changes = Vec::new();
    rig.machine.awaits_books(LinkId(old), &mut changes);
    rig.data(old, TRADES, 1);
    assert_eq!(
        rig.machine.health().health(InstrumentId(0)),
        FeedHealth::Resync
    );
    rig.machine
        .kept(rig.now, LinkId(old), book, None, &mut changes);
    assert_eq!(
        rig.machine.health().health(InstrumentId(0)),
        FeedHealth::Live
    );
    rig.give(SourceIn::ClosingSoon(LinkId(old)));
    let opened = rig.drain();
    let [SourceOut::Open(new)] = opened[..] else {
        panic!("{opened:?}")
    };
    rig.give(SourceIn::Opened(new));
    rig.machine.awaits_books(new, &mut changes);
    let said = rig.serve_for(secs(10));
    assert!(!said.contains(&SourceOut::Close(LinkId(old))), "{said:?}");
    rig.machine.kept(rig.now, new, book, None, &mut changes);
    let said = rig.serve_for(secs(1));
    assert!(said.contains(&SourceOut::Close(LinkId(old))), "{said:?}");
    assert_eq!(
        rig.machine.health().health(InstrumentId(0)),
        FeedHealth::Live
    );
}

#[test]
fn n05_an_announced_shutdown_is_a_renewal() {
    let mut rig = Rig::new();
    rig.serve();
    let old = rig.link();
    rig.give(SourceIn::ClosingSoon(LinkId(old)));
    let out = rig.drain();
    let [SourceOut::Open(successor)] = out[..] else {
        panic!("{out:?}");
    };
    rig.data(old, TRADES, 1);
    rig.give(SourceIn::Opened(successor));
    rig.serve();
    assert_eq!(rig.link(), successor.0);
    assert_eq!(
        rig.machine.health().health(InstrumentId(0)),
        FeedHealth::Live
    );
}

#[test]
fn data_without_a_subscription_is_not_passed_on() {
    let mut rig = Rig::new();
    rig.serve();
    let link = rig.link();
    let other = Topic::Trades(InstrumentId(7));
    assert_eq!(rig.data(link, other, 1).0, SequenceVerdict::Repeated);
    rig.give(SourceIn::Unwant(TRADES));
    assert_eq!(rig.data(link, TRADES, 1).0, SequenceVerdict::Repeated);
}

#[test]
fn stopping_closes_the_link_and_it_can_start_again() {
    let mut rig = Rig::new();
    rig.serve();
    let link = rig.link();
    rig.give(SourceIn::Stop);
    assert_eq!(rig.drain()[0], SourceOut::Close(LinkId(link)));
    assert_eq!(rig.machine.wake_at(), None);
    rig.give(SourceIn::Start);
    assert!(rig.serve().contains(&SourceOut::Ready));
}

#[test]
fn ten_failed_connects_in_a_row_are_reported_once_and_it_is_tried_on() {
    let mut rig = Rig::new();
    let (mut attempts, mut reported) = (0, Vec::new());
    while rig.now < secs(20 * 60) {
        for order in rig.drain() {
            match order {
                SourceOut::Open(link) => {
                    attempts += 1;
                    let why = LossReason::NotOpened("refused".to_owned());
                    rig.give(SourceIn::Lost(link, why));
                }
                SourceOut::Unreachable(_) => reported.push(attempts),
                _ => {}
            }
        }
        rig.now = rig.machine.wake_at().unwrap();
        rig.give(SourceIn::Tick);
    }
    assert_eq!(reported, [10]);
    assert!(attempts > 20, "{attempts}");
}
