//! Acks lost, requests refused, paces kept, in virtual time.

use super::*;
use tradewind_model::InstrumentId;

const MS: Duration = Duration::from_millis(1);

fn topics(count: u32) -> Vec<Topic> {
    (0..count).map(|n| Topic::Quotes(InstrumentId(n))).collect()
}

struct Rig {
    machine: Subscriptions,
    now: Duration,
    out: Vec<SubscriptionOut>,
}

impl Rig {
    fn up(count: u32, settings: SubscriptionSettings) -> Self {
        let mut rig = Self {
            machine: Subscriptions::new(settings),
            now: Duration::ZERO,
            out: Vec::new(),
        };
        for topic in topics(count) {
            rig.give(SubscriptionIn::Want(topic));
        }
        assert_eq!(rig.out, [], "nothing is sent before the connection is up");
        rig.give(SubscriptionIn::Up);
        rig
    }

    fn give(&mut self, input: SubscriptionIn) {
        self.machine.handle(self.now, input, &mut self.out);
    }

    fn drain(&mut self) -> Vec<SubscriptionOut> {
        std::mem::take(&mut self.out)
    }

    fn wake(&mut self) -> Vec<SubscriptionOut> {
        self.now = self.machine.wake_at().expect("something is outstanding");
        self.give(SubscriptionIn::Tick);
        self.drain()
    }
}

fn small_batches(batch_max: usize) -> SubscriptionSettings {
    SubscriptionSettings {
        batch_max,
        ..SubscriptionSettings::default()
    }
}

#[test]
fn all_topics_are_sent_in_one_request_and_settle_with_its_answer() {
    let mut rig = Rig::up(10, SubscriptionSettings::default());
    let wanted = SubscriptionOut::Subscribe {
        request: 1,
        topics: topics(10),
    };
    assert_eq!(rig.drain(), [wanted]);
    rig.give(SubscriptionIn::Acked(99));
    assert!(!rig.machine.is_complete());
    rig.give(SubscriptionIn::Acked(1));
    assert_eq!(rig.drain(), [SubscriptionOut::Complete]);
    assert!(rig.machine.is_complete());
    assert_eq!(rig.machine.wake_at(), None);
}

#[test]
fn n07_eight_of_ten_acked_means_two_are_requested_again() {
    let mut rig = Rig::up(10, small_batches(1));
    let mut requested: Vec<Topic> = Vec::new();
    while requested.len() < 10 {
        for out in rig.drain() {
            if let SubscriptionOut::Subscribe { request, topics } = out {
                requested.extend(&topics);
                if request <= 8 {
                    rig.give(SubscriptionIn::Acked(request));
                }
            }
        }
        if requested.len() < 10 {
            rig.now = rig.machine.wake_at().unwrap();
            rig.give(SubscriptionIn::Tick);
        }
    }
    let mut again = Vec::new();
    while !rig.machine.is_complete() {
        for out in rig.wake() {
            if let SubscriptionOut::Subscribe { request, topics } = out {
                again.extend(topics);
                rig.give(SubscriptionIn::Acked(request));
            }
        }
    }
    assert_eq!(again, topics(10)[8..]);
}

#[test]
fn n07_a_failure_is_reported_once_after_ten_attempts_and_tried_on_every_minute() {
    let mut rig = Rig::up(1, SubscriptionSettings::default());
    let mut sent = 0;
    let mut failed = 0;
    let mut last = rig.drain();
    loop {
        for out in &last {
            match out {
                SubscriptionOut::Subscribe { .. } => sent += 1,
                SubscriptionOut::Failed { reason, .. } => {
                    failed += 1;
                    assert_eq!(reason, "no answer");
                }
                SubscriptionOut::Retrying { attempt, .. } => assert_eq!(*attempt, sent),
                SubscriptionOut::Complete | SubscriptionOut::Unsubscribe { .. } => {
                    panic!("nothing was granted or given back")
                }
            }
        }
        if sent == 200 {
            break;
        }
        last = rig.wake();
    }
    assert_eq!(failed, 1);
    assert!(
        (180 * 65..200 * 65).contains(&rig.now.as_secs()),
        "{:?}",
        rig.now
    );
    assert!(!rig.machine.is_complete());
}

#[test]
fn a_refused_batch_is_requested_one_by_one_so_that_one_bad_topic_fails_alone() {
    let bad = topics(3)[1];
    let mut rig = Rig::up(3, SubscriptionSettings::default());
    let mut last = rig.drain();
    let mut failed = Vec::new();
    for _ in 0..200 {
        for out in last {
            match out {
                SubscriptionOut::Subscribe { request, topics } if topics.contains(&bad) => {
                    rig.give(SubscriptionIn::Refused {
                        request,
                        reason: "no such stream".into(),
                    });
                }
                SubscriptionOut::Subscribe { request, .. } => {
                    rig.give(SubscriptionIn::Acked(request));
                }
                SubscriptionOut::Failed { topic, .. } => failed.push(topic),
                _ => {}
            }
        }
        last = rig.drain();
        if last.is_empty() && rig.machine.wake_at().is_some() {
            last = rig.wake();
        }
    }
    assert_eq!(failed, [bad]);
    assert!(rig.machine.is_acked(topics(3)[0]) && rig.machine.is_acked(topics(3)[2]));
}

#[test]
fn n08_requests_keep_to_four_a_second() {
    let mut rig = Rig::up(400, small_batches(10));
    let mut sent_at = Vec::new();
    let mut last = rig.drain();
    while sent_at.len() < 40 {
        for out in last {
            if let SubscriptionOut::Subscribe { request, .. } = out {
                sent_at.push(rig.now);
                rig.give(SubscriptionIn::Acked(request));
            }
        }
        rig.drain();
        if sent_at.len() == 40 {
            break;
        }
        last = rig.wake();
    }
    for window in sent_at.windows(5) {
        assert!(window[4] - window[0] >= 1_000 * MS);
    }
}

#[test]
fn a_reconnect_restores_what_is_wanted_and_nothing_else() {
    let mut rig = Rig::up(3, SubscriptionSettings::default());
    rig.drain();
    rig.give(SubscriptionIn::Acked(1));
    rig.give(SubscriptionIn::Unwant(topics(3)[0]));
    rig.drain();
    rig.give(SubscriptionIn::Down);
    rig.now += 1_000 * MS;
    rig.give(SubscriptionIn::Up);
    let restored = SubscriptionOut::Subscribe {
        request: 2,
        topics: topics(3)[1..].to_vec(),
    };
    assert_eq!(rig.drain().last(), Some(&restored));
    rig.give(SubscriptionIn::Acked(1));
    assert!(
        !rig.machine.is_complete(),
        "an answer from before counts for nothing"
    );
}

#[test]
fn a_topic_is_given_back_once_its_subscription_is_answered() {
    let mut rig = Rig::up(1, SubscriptionSettings::default());
    rig.drain();
    rig.give(SubscriptionIn::Unwant(topics(1)[0]));
    assert_eq!(rig.drain(), [SubscriptionOut::Complete]);
    rig.now += 1_000 * MS;
    rig.give(SubscriptionIn::Acked(1));
    let wanted = SubscriptionOut::Unsubscribe {
        request: 2,
        topics: topics(1),
    };
    assert_eq!(rig.drain(), [wanted]);
    rig.give(SubscriptionIn::Acked(2));
    assert_eq!(rig.machine.topics.len(), 0);
}

#[test]
fn n08_no_connection_carries_more_than_its_streams() {
    let groups = shards(&topics(2_500), 1_024);
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1_024, 1_024, 452]);
    assert_eq!(groups.concat(), topics(2_500));
}
