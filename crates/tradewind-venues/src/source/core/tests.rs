//! A source's whole life without a socket, a task or a clock.

use std::sync::Mutex;

use tradewind_model::{InstrumentId, MarketEvent, Price, Quantity, Quote};

use super::*;
use crate::address::Address;
use crate::connection::ConnectionSettings;
use crate::framed::{Frame, FramedProtocol, decode, encode};
use crate::health::HealthChange;
use crate::protocol::{ProtocolError, Topic};

const QUOTES: Topic = Topic::Quotes(InstrumentId(0));
const RENEWAL: Duration = Duration::from_secs(100);

type Lines = Arc<Mutex<Vec<String>>>;

struct Sink(Lines);

impl Sink {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl SourceSink<MarketEvent> for Sink {
    fn event(&mut self, event: MarketEvent) {
        if let MarketEvent::Quote(quote) = event {
            self.note(format!(
                "{} at {}",
                quote.bid.0,
                quote.received_at.as_millis()
            ));
        }
    }

    fn health(&mut self, change: HealthChange) {
        self.note(format!("{:?}", change.health));
    }

    fn ready(&mut self) {
        self.note("ready".to_owned());
    }

    fn down(&mut self, reason: &str) {
        self.note(format!("down: {reason}"));
    }

    fn failed(&mut self, _topic: Topic, reason: &str) {
        self.note(reason.to_owned());
    }
}

/// A source that neither pings nor minds silence, and what its sink notes.
fn source<P, M>(make: M) -> (SourceCore<P, M, Sink>, Lines)
where
    P: Protocol<Event = MarketEvent>,
    M: Fn() -> P,
{
    let settings = SourceSettings {
        connection: ConnectionSettings {
            ping_every: RENEWAL * 10,
            silence_max: None,
            renew_after: RENEWAL,
            ..ConnectionSettings::default()
        },
        stale_after: RENEWAL * 10,
        ..SourceSettings::default()
    };
    let lines = Lines::default();
    let sink = Sink(Arc::clone(&lines));
    (
        SourceCore::new("test".to_owned(), make, sink, settings, 1),
        lines,
    )
}

fn framed() -> FramedProtocol {
    FramedProtocol::new(([127, 0, 0, 1], 9).into()).unwrap()
}

fn open_link(links: &mut impl Links, now: Duration) -> LinkId {
    let Some(LinkAction::Open(id, ..)) = links.next_action() else {
        panic!("a connection is to be opened")
    };
    assert!(links.opened(now, id, 7));
    id
}

/// The request that was written, granted.
fn grant(links: &mut impl Links, id: LinkId) -> Vec<u8> {
    let out = std::mem::take(links.buffers(id).unwrap().out());
    let Ok(Frame::Subscribe { request, topics }) = decode(&out[4..], Timestamp::EPOCH) else {
        panic!("a subscription is written")
    };
    assert_eq!(topics, [QUOTES]);
    let mut granted = Vec::new();
    encode(&Frame::Acked { request }, &mut granted);
    granted
}

fn quote(number: u64) -> Vec<u8> {
    let quote = Quote {
        instrument: InstrumentId(0),
        bid: Price(i64::try_from(number).unwrap()),
        ask: Price(1_000),
        bid_quantity: Quantity(1),
        ask_quantity: Quantity(1),
        event_time: None,
        received_at: Timestamp::EPOCH,
    };
    let mut bytes = Vec::new();
    encode(&Frame::Quote(number, quote), &mut bytes);
    bytes
}

#[test]
fn it_subscribes_decodes_renews_and_comes_back() {
    let (mut source, lines) = source(framed);
    let noted = || std::mem::take(&mut *lines.lock().unwrap());
    let give = |source: &mut SourceCore<_, _, _>, now, id, at, bytes: &[u8]| {
        source.buffers(id).unwrap().fill(bytes);
        source.received(now, id, Timestamp::from_millis(at));
    };
    source.handle(Duration::ZERO, SourceIn::Want(QUOTES));
    source.handle(Duration::ZERO, SourceIn::Start);
    let first = open_link(&mut source, Duration::ZERO);
    let granted = grant(&mut source, first);
    let five = quote(5);
    let (head, tail) = five.split_at(9);
    give(
        &mut source,
        Duration::ZERO,
        first,
        10,
        &[&granted, head].concat(),
    );
    assert_eq!(noted(), ["Resync", "ready"]);
    give(
        &mut source,
        Duration::ZERO,
        first,
        20,
        &[tail, &quote(6), &quote(6)].concat(),
    );
    assert_eq!(noted(), ["Live", "5 at 20", "6 at 20"]);

    source.tick(RENEWAL);
    let second = open_link(&mut source, RENEWAL);
    give(&mut source, RENEWAL, first, 30, &quote(7));
    let granted = grant(&mut source, second);
    give(
        &mut source,
        RENEWAL,
        second,
        30,
        &[quote(7), granted, quote(8)].concat(),
    );
    assert_eq!(noted(), ["7 at 30", "ready", "8 at 30"]);
    let closed = source.next_action();
    assert!(matches!(closed, Some(LinkAction::Close(id, _)) if id == first));

    source.lost(RENEWAL, second, "closed".to_owned());
    assert_eq!(noted()[0], "down: broken: closed");
    source.tick(source.wake_at().unwrap());
    assert!(matches!(source.next_action(), Some(LinkAction::Close(..))));
    let third = open_link(&mut source, RENEWAL * 2);
    assert!(third > second);
    assert!(
        !source.opened(RENEWAL * 2, second, 7),
        "late news of an old connection"
    );
}

/// D09: a message that cannot be read is passed over; many within a minute end the connection.
#[test]
fn many_messages_that_cannot_be_read_end_a_connection_and_few_do_not() {
    let (mut source, lines) = source(framed);
    source.handle(Duration::ZERO, SourceIn::Want(QUOTES));
    source.handle(Duration::ZERO, SourceIn::Start);
    let first = open_link(&mut source, Duration::ZERO);
    let granted = grant(&mut source, first);
    let mut garbled = quote(5);
    garbled[4] = 0xff;
    let give = |source: &mut SourceCore<_, _, _>, now: u64, bytes: &[u8]| {
        let buffers = source.buffers(first).expect("the connection is there");
        buffers.fill(bytes);
        source.received(Duration::from_secs(now), first, Timestamp::EPOCH);
    };
    give(&mut source, 0, &granted);
    // Fifteen a minute.
    for number in 0..60 {
        give(&mut source, number * 4, &garbled);
    }
    assert_eq!(*lines.lock().unwrap(), ["Resync", "ready"]);
    for _ in 0..20 {
        give(&mut source, 300, &garbled);
    }
    let down = "down: broken: 20 messages within a minute could not be read";
    assert_eq!(lines.lock().unwrap()[2], down);
}

/// Is ready after one byte; each byte behind it is a pong.
struct Shaking(Address, bool);

impl Protocol for Shaking {
    type Event = MarketEvent;

    fn address(&self) -> &Address {
        &self.0
    }

    fn start(&mut self, _nonce: u64, _out: &mut Vec<u8>) {}

    fn is_ready(&self) -> bool {
        self.1
    }

    fn subscribe(&mut self, _request: u64, _topics: &[Topic], _out: &mut Vec<u8>) {}

    fn unsubscribe(&mut self, _request: u64, _topics: &[Topic], _out: &mut Vec<u8>) {}

    fn ping(&mut self, _out: &mut Vec<u8>) {}

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        bytes: &[u8],
        _received_at: Timestamp,
        _out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) -> Result<usize, ProtocolError> {
        if std::mem::replace(&mut self.1, true) && !bytes.is_empty() {
            on(Incoming::Pong);
        }
        Ok(bytes.len().min(1))
    }
}

#[test]
fn a_successor_that_takes_over_in_the_middle_of_its_bytes_reads_on() {
    let address = Address::tcp(([127, 0, 0, 1], 9).into()).unwrap();
    let (mut source, _) = source(move || Shaking(address.clone(), false));
    source.handle(Duration::ZERO, SourceIn::Start);
    let first = open_link(&mut source, Duration::ZERO);
    source.buffers(first).unwrap().fill(b"x");
    source.received(Duration::ZERO, first, Timestamp::EPOCH);
    source.tick(RENEWAL);
    let second = open_link(&mut source, RENEWAL);
    source.buffers(second).unwrap().fill(b"xxxx");
    source.received(RENEWAL, second, Timestamp::EPOCH);
    assert_eq!(source.buffers(second).unwrap().input(), b"");
    assert!(source.buffers(first).is_none());
    assert_eq!(source.stats().snapshot().messages, 3);
}
