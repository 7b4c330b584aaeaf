//! Checks of a disk and of transfers: each finds nothing in what a desk left, and what is wrong once that is changed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tradewind_events::{Event, EventKind, Input, Started};
use tradewind_journal::{Journal, Loss, MemoryStorage, Options};
use tradewind_model::{
    AccountId, Amount, ClientOrderId, EventId, InstrumentId, OrderKind, OrderTerms, Quantity, Side,
    Timestamp,
};
use tradewind_risk::PositionEffect;

use crate::evidence::truth_bytes;
use crate::listener::{forget_lost, is_complete};
use crate::mischief::{change, read_alike};
use crate::plan::Harm;
use crate::story::{nothing_before_a_reading, transfers_add_up};
use crate::world::{Choices, JOURNAL, World};

const SECOND: Duration = Duration::from_secs(1);

fn traded() -> World {
    let mut world = World::new(Choices::busy(3));
    world.start_desk();
    world.run(60 * SECOND);
    world
}

#[test]
fn i09_an_event_that_a_lossless_subscriber_did_not_receive_or_received_twice_is_found() {
    let world = traded();
    assert_eq!(is_complete(&world.listened, &world.storage), None);
    let whole = world.listened.lock().unwrap()[0].clone();
    assert!(whole.len() > 10);
    let with = |change: fn(&mut Vec<EventId>)| {
        let mut other = whole.clone();
        change(&mut other);
        *world.listened.lock().unwrap() = vec![other];
        is_complete(&world.listened, &world.storage).is_some()
    };
    let without = |ids: &mut Vec<EventId>| {
        ids.remove(5);
    };
    assert!(with(without), "one is missing");
    assert!(with(|ids| ids.insert(5, ids[5])), "one came twice");
    assert!(with(|ids| ids.swap(5, 6)), "two changed places");
    assert!(!with(|ids| ids.truncate(5)), "later ones had not come yet");
}

#[test]
fn i03_a_transfer_that_nobody_reported_is_found() {
    let mut world = traded();
    world.add_faults(
        "[[fault]]\ndo = \"deposit\"\naccount = \"key\"\nasset = \"USDT\"\namount = \"500\"\ntimes = 1",
    );
    world.run(120 * SECOND);
    world.input(Input::Stopping);
    world.assert_settles(120 * SECOND);
    assert_eq!(world.transfers(), []);
    let (mut events, configuration) = (world.events(), world.configuration());
    let all = events.len();
    events.retain(|kind| !matches!(kind, EventKind::TransferReported { .. }));
    assert!(events.len() < all);
    let began_with = ("USDT", Amount::ONE.mul_div(100_000, 1).unwrap());
    let missing = transfers_add_up(&events, &configuration, &world.venue_books(), began_with);
    assert_eq!(missing.len(), 1, "{missing:?}");
}

/// A journal with a start and an order, and between them a reading of the account or none.
fn started(is_read: bool) -> MemoryStorage {
    let storage = MemoryStorage::new();
    let (dir, at) = (Path::new(JOURNAL), Timestamp::from_secs(1));
    let opened = Journal::open(Arc::new(storage.clone()), dir, &Options::default(), at);
    let (mut journal, _) = opened.unwrap();
    let start = Input::Started(Started {
        instance: 1,
        epoch: 1,
        killed: false,
        former: Vec::new(),
    });
    journal.append_input(1, at, &start).unwrap();
    let account = AccountId(0);
    let placed = EventKind::OrderPlaced {
        terms: OrderTerms {
            account,
            instrument: InstrumentId(0),
            client_id: ClientOrderId(1),
            side: Side::Buy,
            kind: OrderKind::Market,
            quantity: Quantity(1),
        },
        bot: None,
        purpose: PositionEffect::Entry,
    };
    let read = EventKind::Reconciled {
        account,
        fills: 0,
        orders: 0,
    };
    for (index, kind) in is_read
        .then_some(read)
        .into_iter()
        .chain([placed])
        .enumerate()
    {
        let id = EventId {
            seq: 1,
            index: u32::try_from(index).unwrap(),
        };
        let event = Event {
            id,
            at,
            cause: None,
            kind,
        };
        journal.append_event(&event).unwrap();
    }
    journal.flush().unwrap();
    storage
}

#[test]
fn i11_an_order_before_the_first_reading_is_found() {
    assert!(nothing_before_a_reading(&started(false)).is_some());
    assert_eq!(nothing_before_a_reading(&started(true)), None);
}

#[test]
fn i11_a_damaged_disk_that_reads_as_another_state_is_found() {
    let read = |whole, damaged| read_alike(whole, damaged, Harm::Bit, Path::new("truth"));
    assert!(read(Some("1"), Some("2")).is_some());
    assert!(read(None, Some("2")).is_some(), "nor out of nothing");
    assert_eq!(read(Some("1"), Some("1")), None);
    assert_eq!(read(Some("1"), None), None, "refused");
    let whole: Vec<u8> = (0..8_192_u32).flat_map(u32::to_le_bytes).collect();
    for harm in [Harm::Bit, Harm::Zeros, Harm::Misdirected(700_000)] {
        let mut other = whole.clone();
        change(&mut other, harm, 300_000);
        assert_ne!(other, whole, "{harm:?}");
    }
}

/// What the power takes is not on the disk, and a subscriber is not blamed for it.
#[test]
fn i05_what_was_not_synced_is_gone_with_the_power() {
    let mut world = World::new(Choices {
        power_safe: true,
        ..Choices::busy(3)
    });
    world.start_desk();
    world.run(60 * SECOND);
    let power = Loss::Power { torn: 0 };
    let (written, durable) = (
        truth_bytes(&world.storage, Loss::Process),
        truth_bytes(&world.storage, power),
    );
    assert!(durable > 0 && durable < written, "{durable} of {written}");
    let left = world.storage.after(power);
    assert_eq!(truth_bytes(&left, Loss::Process), durable);
    let whole = world.listened.lock().unwrap()[0].len();
    forget_lost(&world.listened, &left);
    assert!(world.listened.lock().unwrap()[0].len() < whole);
    assert_eq!(is_complete(&world.listened, &left), None);
}
