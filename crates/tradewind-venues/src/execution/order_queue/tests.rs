//! The queues of an account by the clock of the test: who goes first, who waits, and who has waited too long.

use std::time::Duration;

use tradewind_risk::PositionEffect;

use super::super::orders_for_tests::{GOOD_FOR, ONE_A_SECOND, START, sealed};
use super::*;

const FREE: Room = Room {
    entry: true,
    exit: true,
};

#[test]
fn exits_go_before_entries_and_the_rate_holds_both() {
    let (entry, exit) = (
        sealed(1, PositionEffect::Entry),
        sealed(2, PositionEffect::Exit),
    );
    let mut queue = OrderQueue::new(Some(ONE_A_SECOND));
    assert!(queue.push(entry, None));
    assert!(queue.push(exit, None));
    assert_eq!(queue.next(START, FREE), Some(Next::Send(exit)));
    assert_eq!(queue.next(START, FREE), Some(Next::Later));
    let second = START + Duration::from_secs(1);
    assert_eq!(queue.next(second, FREE), Some(Next::Send(entry)));
    assert_eq!((queue.next(second, FREE), queue.len()), (None, 0));
}

#[test]
fn an_entry_too_old_costs_none_of_the_rate() {
    let (old, exit) = (
        sealed(1, PositionEffect::Entry),
        sealed(2, PositionEffect::Exit),
    );
    let mut queue = OrderQueue::new(Some(ONE_A_SECOND));
    assert!(queue.push(old, None));
    let late = START + GOOD_FOR;
    assert_eq!(queue.next(late, FREE), Some(Next::TooOld(old)));
    assert!(queue.push(exit, None));
    assert_eq!(queue.next(late, FREE), Some(Next::Send(exit)));
}

#[test]
fn an_order_that_waits_can_be_taken_back_and_is_never_sent() {
    let mut queue = OrderQueue::new(None);
    assert!(queue.push(sealed(1, PositionEffect::Entry), None));
    assert!(queue.contains(ClientOrderId(1)));
    assert_eq!(
        queue.remove(ClientOrderId(1)),
        Some(sealed(1, PositionEffect::Entry))
    );
    assert_eq!(queue.remove(ClientOrderId(1)), None);
    assert_eq!(queue.next(START, FREE), None);
}

#[test]
fn without_room_in_flight_an_order_waits_and_takes_nothing_of_the_rate() {
    let (entry, exit) = (
        sealed(1, PositionEffect::Entry),
        sealed(2, PositionEffect::Exit),
    );
    let mut queue = OrderQueue::new(Some(ONE_A_SECOND));
    assert!(queue.push(entry, None));
    let (full, reserved) = (
        Room {
            entry: false,
            exit: false,
        },
        Room {
            entry: false,
            exit: true,
        },
    );
    assert_eq!(queue.next(START, full), Some(Next::Later));
    assert_eq!(queue.next(START, reserved), Some(Next::Later));
    assert!(queue.push(exit, None));
    assert_eq!(queue.next(START, full), Some(Next::Later));
    assert_eq!(queue.next(START, reserved), Some(Next::Send(exit)));
    let late = START + GOOD_FOR;
    assert_eq!(queue.next(late, full), Some(Next::TooOld(entry)));
}

#[test]
fn no_more_wait_than_may() {
    let mut queue = OrderQueue::new(None);
    let order = sealed(1, PositionEffect::Exit);
    assert!((0..QUEUED_MAX).all(|_| queue.push(order, None)));
    assert!(!queue.push(order, None));
    assert_eq!(queue.drain().count(), QUEUED_MAX);
    assert_eq!(queue.len(), 0);
}

/// R16: a bot that wants much does not keep the others waiting.
#[test]
fn bots_are_served_in_turn_and_exits_of_all_before_entries() {
    let mut queue = OrderQueue::new(None);
    let (greedy, other, person) = (Some(BotId(1)), Some(BotId(2)), None);
    let mut push = |id: u128, bot: Option<BotId>, purpose: PositionEffect| {
        assert!(queue.push(sealed(id, purpose), bot));
    };
    for id in [1, 2, 3] {
        push(id, greedy, PositionEffect::Entry);
        push(10 + id, greedy, PositionEffect::Exit);
    }
    push(4, other, PositionEffect::Entry);
    push(14, other, PositionEffect::Exit);
    push(15, other, PositionEffect::Exit);
    push(16, person, PositionEffect::Exit);
    assert!(queue.remove(ClientOrderId(15)).is_some());
    let sent = std::iter::from_fn(|| match queue.next(START, FREE)? {
        Next::Send(order) => Some(order.terms().client_id.0),
        other => panic!("{other:?}"),
    });
    assert!(sent.eq([11, 14, 16, 12, 13, 1, 4, 2, 3]));
    assert_eq!(queue.len(), 0);
}

#[test]
fn an_entry_too_old_is_dropped_and_the_next_bot_is_served() {
    let mut queue = OrderQueue::new(None);
    let (old, exit) = (
        sealed(1, PositionEffect::Entry),
        sealed(2, PositionEffect::Entry),
    );
    assert!(queue.push(old, Some(BotId(1))));
    assert!(queue.push(exit, Some(BotId(2))));
    let late = START + GOOD_FOR;
    assert_eq!(queue.next(late, FREE), Some(Next::TooOld(old)));
    assert_eq!(queue.next(late, FREE), Some(Next::TooOld(exit)));
    assert_eq!((queue.next(late, FREE), queue.len()), (None, 0));
}

/// An order that need not wait allocates nothing once its bot has had one before.
#[test]
fn the_queue_of_a_bot_is_kept_when_it_is_empty() {
    let mut queue = OrderQueue::new(None);
    let mut kept = None;
    for id in 0..100_u128 {
        let bot = Some(BotId(u32::from(id % 2 == 1)));
        assert!(queue.push(sealed(id, PositionEffect::Exit), bot));
        if id % 3 == 0 {
            assert!(queue.remove(ClientOrderId(id)).is_some());
        } else {
            assert!(matches!(queue.next(START, FREE), Some(Next::Send(_))));
        }
        let queues = queue.exits.orders.values();
        let now: Vec<_> = queues.map(VecDeque::capacity).collect();
        if id > 0 {
            assert!(now.len() == 2 && now.iter().all(|capacity| *capacity > 0));
            assert_eq!(*kept.get_or_insert(now.clone()), now, "as large as before");
        }
    }
    assert_eq!((queue.len(), queue.exits.turns.len()), (0, 0));
}
