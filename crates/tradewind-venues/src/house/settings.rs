//! A house source as it is configured, and the one place that puts a transport under the machine.

use std::sync::Arc;
use std::time::Duration;

use tradewind_model::Clock;

use super::data::{HouseData, HouseSink, ToHouseSink};
use super::http::HttpProtocol;
use super::mapping::Mapping;
use super::payloads::{Payloads, Reader};
use super::progress::Progress;
use super::redis::{Master, Positions, Redis, RedisProtocol};
use super::symbols::HouseSymbols;
use super::tcp::TcpProtocol;
use super::websocket::{SubscribeMode, WebSocketProtocol};
use crate::address::Address;
use crate::connection::ConnectionSettings;
use crate::machine::SourceSettings;
use crate::protocol::{Protocol, Topic};
use crate::source::DataSource;
use crate::venue::Source;
use crate::wire::Connector;

/// Longer than any connection lives.
const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// A password or token; it is never printed.
pub type Secret = secrecy::SecretString;

/// How a source's messages travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Length-prefixed frames, version 2.
    Tcp,
    /// JSON over WebSocket.
    WebSocket {
        /// Where messages have what.
        mapping: Mapping,
        /// How instruments are requested.
        subscribe: SubscribeMode,
    },
    /// JSON in channels of Redis, or entries of its streams.
    Redis {
        /// Where messages have what.
        mapping: Mapping,
        /// Who reads what.
        redis: Redis,
    },
    /// XML over long-polled HTTP.
    Http {
        /// Where messages have what.
        mapping: Mapping,
    },
}

/// A house source.
#[derive(Clone, Debug)]
pub struct HouseSettings {
    /// Its name, with which the names of its instruments begin.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// How its messages travel.
    pub transport: Transport,
    /// Its symbols and their instruments.
    pub symbols: Arc<HouseSymbols>,
    /// What it may ask for.
    pub token: Option<Secret>,
    /// How often it is pinged, and how long an answer may take.
    pub heartbeat: Duration,
    /// How far it was read, over connections.
    pub progress: Progress,
    /// The same for streams of Redis and feeds that are polled.
    pub positions: Positions,
    /// Seed of its jitter.
    pub seed: u64,
}

impl HouseSettings {
    /// Quotes and trades of all of its instruments.
    fn topics(&self) -> Vec<Topic> {
        let ids = self.symbols.instruments().map(|instrument| instrument.id);
        ids.flat_map(|id| [Topic::Quotes(id), Topic::Trades(id)])
            .collect()
    }
}

/// A source of market data into `sink`, to be run.
#[must_use]
pub fn source(
    house: &HouseSettings,
    sink: &Arc<dyn HouseSink>,
    settings: SourceSettings,
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
) -> Box<dyn Source> {
    let (address, symbols) = (house.address.clone(), Arc::clone(&house.symbols));
    let (token, progress) = (house.token.clone(), house.progress.clone());
    match &house.transport {
        Transport::Tcp => {
            let make = move || {
                let symbols = Arc::clone(&symbols);
                TcpProtocol::new(address.clone(), symbols, token.clone(), progress.clone())
            };
            under_machine(house, make, sink, settings, connector, clock)
        }
        Transport::WebSocket { mapping, subscribe } => {
            let reader = Arc::new(Reader::new(mapping.clone(), symbols));
            let subscribe = subscribe.clone();
            let make = move || {
                let (reader, subscribe) = (Arc::clone(&reader), subscribe.clone());
                let subscribe = (subscribe, token.as_ref());
                WebSocketProtocol::new(address.clone(), reader, subscribe, progress.clone())
            };
            under_machine(house, make, sink, settings, connector, clock)
        }
        Transport::Redis { mapping, redis } => {
            let reader = Arc::new(Reader::new(mapping.clone(), symbols));
            let (redis, positions) = (Arc::new(redis.clone()), house.positions.clone());
            let block = house.heartbeat / 2;
            let master = Master::default();
            let make = move || {
                let login = (Arc::clone(&redis), token.clone());
                let read = (progress.clone(), positions.clone());
                // A connection to a Sentinel ends with its answer; the next one is to the master that it names.
                let (address, asks_sentinel) = match (&redis.sentinel, master.take()) {
                    (Some(_), Some(found)) => (found, None),
                    (Some(_), None) => (address.clone(), Some(master.clone())),
                    (None, _) => (address.clone(), None),
                };
                let reader = Arc::clone(&reader);
                RedisProtocol::new(address, login, block, reader, read, asks_sentinel)
            };
            under_machine(house, make, sink, settings, connector, clock)
        }
        Transport::Http { mapping } => {
            let reader = Arc::new(Reader::new(mapping.clone(), symbols));
            let (positions, wait) = (house.positions.clone(), house.heartbeat / 2);
            let make = move || {
                let payloads = Payloads::new(Arc::clone(&reader), progress.clone());
                let (address, token) = (address.clone(), token.clone());
                HttpProtocol::new(address, token, wait, payloads, positions.clone())
            };
            under_machine(house, make, sink, settings, connector, clock)
        }
    }
}

fn under_machine<P>(
    house: &HouseSettings,
    make: impl Fn() -> P + Send + 'static,
    sink: &Arc<dyn HouseSink>,
    settings: SourceSettings,
    connector: Arc<dyn Connector>,
    clock: Arc<dyn Clock>,
) -> Box<dyn Source>
where
    P: Protocol<Event = HouseData>,
{
    let settings = SourceSettings {
        connection: ConnectionSettings {
            ping_every: house.heartbeat,
            pong_within: house.heartbeat,
            // A feed may have nothing to send; its answers to pings show that it is there.
            silence_max: None,
            // Nobody ends these connections daily: one replaces another only when the feed says that it closes.
            renew_after: NEVER,
            ..settings.connection
        },
        ..settings
    };
    let name = house.name.clone();
    let sink = ToHouseSink {
        sink: Arc::clone(sink),
        source: name.clone(),
    };
    let mut source = DataSource::new(name, make, sink, settings, connector, clock, house.seed);
    source.want(house.topics());
    Box::new(source)
}
