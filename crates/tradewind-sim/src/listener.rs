//! A subscriber of the desk's bus that is slower than the desk: whatever it has no room for, it reads from the journal later.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tradewind_bus::{Bus, Class, EventLog, Received, Subscription, SubscriptionOptions, TypeSet};
use tradewind_events::{Delivery, Event};
use tradewind_journal::{EventReader, MemoryStorage, Reader, Record, StoreKind};
use tradewind_model::EventId;
use tradewind_simx_server::simulation::Violation;
use tradewind_venues::RealTime;

use crate::executor::{Executor, VirtualTime};
use crate::world::JOURNAL;

/// Events that it has room for.
const ROOM: usize = 4;
/// Between two times that it takes what there is.
const SLEEPS: Duration = Duration::from_secs(2);

/// What the subscribers of the desk's runs received, one list a run.
pub(crate) type Listened = Arc<Mutex<Vec<Vec<EventId>>>>;

/// The journal as the event log of the bus.
#[derive(Debug)]
pub(crate) struct Log(pub(crate) EventReader);

impl EventLog for Log {
    fn read_after(&self, after: EventId, limit: usize) -> std::io::Result<Vec<Arc<Event>>> {
        let read = self.0.read_after(after, limit);
        read.map_err(std::io::Error::other)
    }
}

/// Subscribes, and takes events now and then.
pub(crate) fn listen(bus: &Bus, executor: &mut Executor, time: &VirtualTime, listened: &Listened) {
    let types = TypeSet::delivered(Delivery::Lossless);
    let options = SubscriptionOptions::new("listener", Class::Lossless, types).capacity(ROOM);
    let (mut subscription, time, listened) =
        (bus.subscribe(options), time.clone(), Arc::clone(listened));
    listened.lock().unwrap().push(Vec::new());
    executor.start("listener", |stop| async move {
        while !stop.is_cancelled() {
            take(&mut subscription, &listened);
            time.sleep(SLEEPS).await;
        }
        Ok(())
    });
}

fn take(subscription: &mut Subscription, listened: &Listened) {
    while let Some(received) = subscription.try_recv() {
        if let Received::Event(event) = received
            && let Some(run) = listened.lock().unwrap().last_mut()
        {
            run.push(event.id);
        }
    }
}

/// Forgets what the last subscriber received and the disk has lost: later events have the same numbers.
pub(crate) fn forget_lost(listened: &Listened, disk: &MemoryStorage) {
    let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
    let records = reader.records(StoreKind::Truth).into_iter().flatten();
    let last = records
        .map_while(Result::ok)
        .filter_map(|found| match found.record {
            Record::Event(event) => Some(event.id),
            _ => None,
        })
        .last();
    if let Some(run) = listened.lock().unwrap().last_mut() {
        run.retain(|id| last.is_some_and(|last| *id <= last));
    }
}

/// I09: between the first and the last event that a run's subscriber received it has all of the journal's, once and in order.
pub(crate) fn is_complete(listened: &Listened, disk: &MemoryStorage) -> Option<Violation> {
    let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
    let records = reader.records(StoreKind::Truth).ok()?;
    let events = records
        .map_while(Result::ok)
        .filter_map(|found| match found.record {
            Record::Event(event) => Some(event),
            _ => None,
        });
    let lossless = |event: &Event| event.kind.event_type().delivery() == Delivery::Lossless;
    let all: Vec<EventId> = events.filter(lossless).map(|event| event.id).collect();
    for run in listened.lock().unwrap().iter() {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        let wanted = all.iter().filter(|id| (first..=last).contains(id));
        if !wanted.eq(run) {
            let found = format!(
                "of the events {first:?} to {last:?} a lossless subscriber received {}",
                run.len()
            );
            return Some(Violation::new("I09", found));
        }
    }
    None
}
