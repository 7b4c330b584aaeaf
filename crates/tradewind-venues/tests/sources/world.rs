//! A network of one server and a clock that moves when nobody can go on.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AssetId, Candle, Depth, FeedHealth, Instrument, InstrumentId, InstrumentStatus, ManualClock,
    Quote, Timestamp, Trade,
};
use tradewind_venues::house::{
    HouseNumber, HouseSettings, HouseSink, HouseSymbols, HouseTarget, Positions, Progress, Secret,
    Series, TargetError, Transport, source,
};
use tradewind_venues::{
    Address, ConnectError, Connector, HealthChange, MarketSink, Opening, Pending, RealTime,
    SendPermit, Sleeping, SourceSettings, Topic,
};

use crate::publisher::Publisher;
use crate::servers::{Dialect, Server};

/// How often the sources are pinged.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(5);

/// Most turns that everybody takes at one instant.
const ROUNDS_MAX: usize = 10_000;

/// How the server treats who connects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Door {
    #[default]
    Open,
    Refuses,
    /// Neither accepts nor refuses.
    Hangs,
    /// Accepts and closes at once.
    Slams,
}

#[derive(Debug)]
pub(crate) struct Network {
    /// How many bytes a connection holds on the way.
    pub(crate) pipe: AtomicUsize,
    now: Mutex<Duration>,
    deadlines: Mutex<Vec<Duration>>,
    accepted: Mutex<Vec<DuplexStream>>,
    /// Where somebody tried to connect to.
    pub(crate) places: Mutex<Vec<String>>,
    /// When somebody tried to connect.
    pub(crate) attempts: Mutex<Vec<Duration>>,
    pub(crate) door: Mutex<Door>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            pipe: AtomicUsize::new(1 << 16),
            now: Mutex::default(),
            deadlines: Mutex::default(),
            accepted: Mutex::default(),
            places: Mutex::default(),
            attempts: Mutex::default(),
            door: Mutex::default(),
        }
    }
}

impl Connector for Network {
    fn open<'a>(&'a self, address: &'a Address, _permit: Option<Arc<SendPermit>>) -> Opening<'a> {
        self.attempts.lock().unwrap().push(self.now());
        self.places.lock().unwrap().push(address.to_string());
        match *self.door.lock().unwrap() {
            Door::Hangs => Box::pin(std::future::pending()),
            Door::Refuses => {
                let why = std::io::ErrorKind::ConnectionRefused.into();
                let refused = ConnectError::Refused(address.host().to_owned(), why);
                Box::pin(std::future::ready(Err(refused)))
            }
            door => {
                let (ours, theirs) = duplex(self.pipe.load(Ordering::Relaxed));
                if door == Door::Open {
                    self.accepted.lock().unwrap().push(theirs);
                }
                Box::pin(std::future::ready(Ok(Box::new(ours) as _)))
            }
        }
    }

    fn nonce(&self) -> u64 {
        7
    }
}

impl RealTime for Network {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        let deadline = self.now() + wait;
        self.deadlines.lock().unwrap().push(deadline);
        Box::pin(poll_fn(move |_| match self.now() < deadline {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }))
    }
}

/// Writes down, in words, what it is given.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<String>>, Mutex<Vec<FeedHealth>>);

impl Recorder {
    fn note(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl HouseSink for Recorder {
    fn number(&self, number: HouseNumber) {
        let age = number.max_age.as_secs();
        self.note(format!("{} {} {age}s", number.series, number.value));
    }

    fn target(&self, source: &str, target: Result<HouseTarget, TargetError>) {
        let target = match target {
            Ok(target) => target,
            Err(error) => return self.note(format!("no target of {source}: {error}")),
        };
        let seconds = |at: Timestamp| at.as_nanos() / 1_000_000_000;
        self.note(format!(
            "target of {source}: {} {} {} of {} until {}, {}",
            target.bot,
            target.instrument,
            target.exposure,
            seconds(target.event_time),
            seconds(target.expires),
            target.sequence.unwrap(),
        ));
    }

    fn source_health(&self, _source: &str, health: FeedHealth) {
        self.1.lock().unwrap().push(health);
    }
}

impl MarketSink for Recorder {
    fn quote(&self, quote: Quote) {
        self.note(format!("quote {} {}", quote.instrument.0, quote.bid.0));
    }

    fn trade(&self, trade: Trade) {
        self.note(format!("trade {} {}", trade.instrument.0, trade.price.0));
    }

    fn candle(&self, _: Candle) {}

    fn depth(&self, _: Box<Depth>) {}

    fn health(&self, change: &HealthChange) {
        self.note(format!(
            "{} {:?}: {}",
            change.instrument.0, change.health, change.reason
        ));
    }

    fn failed(&self, topic: Topic, _reason: &str) {
        self.note(format!("failed {topic:?}"));
    }
}

/// Whether the source wants to go on at once.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Connection {
    stream: DuplexStream,
    server: Box<dyn Server>,
    out: Vec<u8>,
    is_gone: bool,
}

/// A source and its server.
pub(crate) struct World {
    pub(crate) network: Arc<Network>,
    pub(crate) publisher: Publisher,
    dialect: Dialect,
    recorder: Arc<Recorder>,
    connections: Vec<Connection>,
    stop: CancellationToken,
    clock: Arc<ManualClock>,
    source: Option<Pending<'static, ()>>,
}

fn instrument(id: u32) -> Instrument {
    Instrument {
        price_decimals: 2,
        quantity_decimals: 2,
        status: InstrumentStatus::PricesOnly,
        ..Instrument::spot(
            InstrumentId(id),
            format!("house:{id}"),
            AssetId(0),
            AssetId(1),
        )
    }
}

impl World {
    /// A source that runs, and a server behind an open door.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self::behind(dialect, Door::Open)
    }

    /// A source that runs, and a server behind a door of one's choice.
    pub(crate) fn behind(dialect: Dialect, door: Door) -> Self {
        Self::over(dialect, dialect.transport(), door)
    }

    /// The same over a transport with settings of its own.
    pub(crate) fn over(dialect: Dialect, transport: Transport, door: Door) -> Self {
        let network = Arc::new(Network::default());
        *network.door.lock().unwrap() = door;
        let recorder = Arc::new(Recorder::default());
        let listed = [("A", 0), ("B", 1)].map(|(name, id)| (name.to_owned(), instrument(id)));
        let series = Series {
            name: "house:fear".into(),
            max_age: Duration::from_secs(60),
        };
        let symbols = HouseSymbols::new(listed).unwrap();
        let symbols = symbols.with_series([("fear".to_owned(), series)]).unwrap();
        let (address, scheme) = dialect.address();
        let house = HouseSettings {
            name: "house".to_owned(),
            address: Address::parse(address, scheme).unwrap(),
            transport,
            symbols: Arc::new(symbols),
            token: Some(Secret::from("a-token")),
            heartbeat: HEARTBEAT,
            progress: Progress::default(),
            positions: Positions::default(),
            seed: 1,
        };
        let sink: Arc<dyn HouseSink> = Arc::clone(&recorder) as _;
        let connector: Arc<dyn Connector> = Arc::clone(&network) as _;
        let clock = Arc::<ManualClock>::default();
        let settings = SourceSettings::default();
        let made = source(&house, &sink, settings, connector, Arc::clone(&clock) as _);
        let stop = CancellationToken::new();
        Self {
            network,
            publisher: Publisher::default(),
            dialect,
            recorder,
            connections: Vec::new(),
            source: Some(made.run(stop.clone())),
            stop,
            clock,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.network.now()
    }

    /// Lets virtual time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now() + time;
        loop {
            self.settle();
            let mut deadlines = self.network.deadlines.lock().unwrap();
            let now = self.network.now();
            deadlines.retain(|deadline| *deadline > now);
            let servers = self.connections.iter();
            let servers = servers.filter_map(|connection| connection.server.wake_at());
            let next = servers.chain(deadlines.iter().copied());
            let next = next.filter(|next| now < *next && *next < until).min();
            *self.network.now.lock().unwrap() = next.unwrap_or(until);
            let nanos = next.unwrap_or(until).as_nanos();
            let now = Timestamp::from_nanos(i64::try_from(nanos).unwrap());
            self.clock.advance_to(now);
            drop(deadlines);
            if next.is_none() {
                return self.settle();
            }
        }
    }

    /// Lets everybody go on until nobody can.
    pub(crate) fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let woken = Arc::new(Woken::default());
            self.poll_source_with(&Arc::clone(&woken).into());
            let now = self.now();
            let accepted = std::mem::take(&mut *self.network.accepted.lock().unwrap());
            let mut has_moved = !accepted.is_empty() || woken.0.load(Ordering::Relaxed);
            for stream in accepted {
                self.connections.push(Connection {
                    stream,
                    server: self.dialect.server(),
                    out: Vec::new(),
                    is_gone: false,
                });
            }
            for connection in &mut self.connections {
                has_moved |= connection.serve(now, &mut self.publisher);
            }
            self.connections.retain(|connection| !connection.is_gone);
            if !has_moved {
                return;
            }
        }
        panic!("they answer each other without end");
    }

    /// Lets the source go on once.
    pub(crate) fn poll_source(&mut self) {
        self.poll_source_with(Waker::noop());
    }

    fn poll_source_with(&mut self, waker: &Waker) {
        let mut context = Context::from_waker(waker);
        if let Some(source) = &mut self.source
            && source.as_mut().poll(&mut context).is_ready()
        {
            self.source = None;
        }
    }

    /// Lets the servers go on, and not the source.
    pub(crate) fn serve(&mut self) {
        let now = self.now();
        for connection in &mut self.connections {
            while connection.serve(now, &mut self.publisher) {}
        }
    }

    /// Ends every connection.
    pub(crate) fn cut(&mut self) {
        self.connections.clear();
    }

    /// Connections that the source holds.
    pub(crate) fn open(&self) -> usize {
        self.connections.len()
    }

    /// Sends a message that is none, in whatever carries messages here.
    pub(crate) fn send_payload(&mut self, payload: &[u8]) {
        for connection in &mut self.connections {
            connection.server.payload(payload, &mut connection.out);
        }
        self.settle();
    }

    /// Announces the end of every connection there is.
    pub(crate) fn announce_closing(&mut self) {
        for connection in &mut self.connections {
            connection.server.closing(&mut connection.out);
        }
        self.settle();
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        for connection in &mut self.connections {
            connection.server.raw(bytes, &mut connection.out);
        }
        self.settle();
    }

    /// What reached the sink since the last call.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::mem::take(&mut *self.recorder.0.lock().unwrap())
    }

    /// How the source was since the last call.
    pub(crate) fn health(&self) -> Vec<FeedHealth> {
        std::mem::take(&mut *self.recorder.1.lock().unwrap())
    }

    /// Stops the source; whether it has ended at once.
    pub(crate) fn stop(&mut self) -> bool {
        self.stop.cancel();
        self.settle();
        self.source.is_none()
    }
}

impl Connection {
    /// Moves bytes both ways; whether there were any.
    fn serve(&mut self, now: Duration, publisher: &mut Publisher) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let mut has_moved = false;
        let mut storage = [0; 4096];
        let mut space = ReadBuf::new(&mut storage);
        match Pin::new(&mut self.stream).poll_read(&mut context, &mut space) {
            Poll::Ready(Ok(())) if !space.filled().is_empty() => {
                has_moved = true;
                if !publisher.is_silent {
                    self.server
                        .received(now, space.filled(), publisher, &mut self.out);
                }
            }
            Poll::Ready(_) => {
                self.is_gone = true;
                return true;
            }
            Poll::Pending => {}
        }
        if !publisher.is_silent {
            self.server.publish(now, publisher, &mut self.out);
        }
        while !self.out.is_empty() {
            match Pin::new(&mut self.stream).poll_write(&mut context, &self.out) {
                Poll::Ready(Ok(count)) => {
                    has_moved = true;
                    self.out.drain(..count);
                }
                Poll::Ready(Err(_)) => {
                    self.is_gone = true;
                    return true;
                }
                Poll::Pending => break,
            }
        }
        has_moved
    }
}
