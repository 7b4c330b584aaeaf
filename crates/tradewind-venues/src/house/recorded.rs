//! What the connections of a house source received and a recorder kept, read as they read it: for importing recordings.
//!
//! Nothing is sent, so what is missing in a recording stays missing.

use std::sync::Arc;
use std::time::Duration;

use tradewind_model::Timestamp;

use super::data::HouseData;
use super::http::HttpProtocol;
use super::payloads::{Payloads, Reader};
use super::progress::Progress;
use super::redis::{Positions, RedisProtocol};
use super::settings::Transport;
use super::symbols::HouseSymbols;
use super::tcp::TcpProtocol;
use super::websocket::{SubscribeMode, is_answer};
use crate::address::Address;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError};
use crate::tap::Message;

/// A source that was recorded: how far its connections were read is known to the next one.
#[derive(Debug)]
pub struct RecordedHouse {
    address: Address,
    transport: Transport,
    symbols: Arc<HouseSymbols>,
    reader: Arc<Reader>,
    progress: Progress,
    positions: Positions,
}

impl RecordedHouse {
    /// A source whose messages travel so.
    #[must_use]
    pub fn new(address: Address, transport: Transport, symbols: Arc<HouseSymbols>) -> Self {
        let mapping = match &transport {
            Transport::Tcp => super::mapping::Mapping::default(),
            Transport::WebSocket { mapping, .. }
            | Transport::Redis { mapping, .. }
            | Transport::Http { mapping } => mapping.clone(),
        };
        Self {
            address,
            reader: Arc::new(Reader::new(mapping, Arc::clone(&symbols))),
            transport,
            symbols,
            progress: Progress::default(),
            positions: Positions::default(),
        }
    }

    /// A connection that was opened.
    #[must_use]
    pub fn connection(&self) -> RecordedConnection {
        let progress = self.progress.clone();
        let session = match &self.transport {
            Transport::Tcp => {
                let symbols = Arc::clone(&self.symbols);
                Session::Tcp(TcpProtocol::new(
                    self.address.clone(),
                    symbols,
                    None,
                    progress,
                ))
            }
            Transport::WebSocket { subscribe, .. } => Session::WebSocket {
                payloads: Payloads::new(Arc::clone(&self.reader), progress),
                has_answers: *subscribe == SubscribeMode::House,
            },
            Transport::Redis { redis, .. } => {
                let login = (Arc::new(redis.clone()), None);
                let read = (progress, self.positions.clone());
                let (address, reader) = (self.address.clone(), Arc::clone(&self.reader));
                Session::Redis(RedisProtocol::new(
                    address,
                    login,
                    Duration::ZERO,
                    reader,
                    read,
                    None,
                ))
            }
            Transport::Http { .. } => {
                let payloads = Payloads::new(Arc::clone(&self.reader), progress);
                let (address, positions) = (self.address.clone(), self.positions.clone());
                Session::Http(HttpProtocol::new(
                    address,
                    None,
                    Duration::ZERO,
                    payloads,
                    positions,
                ))
            }
        };
        RecordedConnection {
            session,
            rest: Vec::new(),
        }
    }
}

#[derive(Debug)]
enum Session {
    WebSocket {
        payloads: Payloads,
        has_answers: bool,
    },
    Tcp(TcpProtocol),
    Redis(RedisProtocol),
    Http(HttpProtocol),
}

/// One connection of a source that was recorded.
#[derive(Debug)]
pub struct RecordedConnection {
    session: Session,
    /// What was read and is not whole yet.
    rest: Vec<u8>,
}

impl RecordedConnection {
    /// Whether messages are read one by one, so that one that is lost does not hide where the next begins.
    #[must_use]
    pub const fn is_of_messages(&self) -> bool {
        matches!(self.session, Session::WebSocket { .. })
    }

    /// Takes a message of a WebSocket, or what was read of another transport.
    ///
    /// # Errors
    /// What was read cannot be followed: nothing more is to be read of this connection.
    pub fn read(
        &mut self,
        message: Message<'_>,
        received_at: Timestamp,
        mut on: &mut dyn FnMut(Incoming<HouseData>),
    ) -> Result<(), ProtocolError> {
        let bytes = match (message, &mut self.session) {
            (
                Message::Text(text),
                Session::WebSocket {
                    payloads,
                    has_answers,
                },
            ) => {
                if !(*has_answers && is_answer(text)) {
                    payloads.json(text, received_at, &mut on);
                }
                return Ok(());
            }
            (Message::Bytes(bytes), Session::Tcp(_) | Session::Redis(_) | Session::Http(_)) => {
                bytes
            }
            _ => {
                on(Incoming::Ignored(Ignored::NotWanted));
                return Ok(());
            }
        };
        self.rest.extend_from_slice(bytes);
        let (mut at, mut unsent) = (0, Vec::new());
        loop {
            let rest = self.rest.get(at..).unwrap_or_default();
            let used = match &mut self.session {
                Session::WebSocket { .. } => 0,
                Session::Tcp(session) => {
                    session.receive(rest, received_at, &mut unsent, &mut on)?
                }
                Session::Redis(session) => session.recorded(rest, received_at, &mut on)?,
                Session::Http(session) => {
                    // An answer is one to a request.
                    session.ping(&mut unsent);
                    session.receive(rest, received_at, &mut unsent, &mut on)?
                }
            };
            unsent.clear();
            at += used;
            if used == 0 {
                break;
            }
        }
        self.rest.drain(..at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tradewind_model::{AssetId, Instrument, InstrumentId};

    use super::*;
    use crate::address::Scheme;
    use crate::house::{Mapping, Redis, RedisUse};

    fn source(transport: Transport) -> RecordedHouse {
        let spot = Instrument::spot(InstrumentId(0), "house:BTC/USDT", AssetId(0), AssetId(1));
        let symbols = HouseSymbols::new([("BTC/USDT".to_owned(), spot)]).unwrap();
        let address = Address::parse("tcp://127.0.0.1:1", Scheme::Tcp).unwrap();
        RecordedHouse::new(address, transport, Arc::new(symbols))
    }

    /// How many events there are, and how many gaps.
    fn read(connection: &mut RecordedConnection, messages: &[Message<'_>]) -> (usize, usize) {
        let (mut events, mut gaps) = (0, 0);
        for message in messages {
            let read =
                connection.read(
                    *message,
                    Timestamp::from_secs(1),
                    &mut |incoming| match incoming {
                        Incoming::Event { .. } => events += 1,
                        Incoming::Gap { .. } => gaps += 1,
                        _ => {}
                    },
                );
            read.unwrap();
        }
        (events, gaps)
    }

    fn quote(number: u64) -> String {
        format!(
            r#"{{"kind":"quote","symbol":"BTC/USDT","sequence":{number},"bid":"1","ask":"2","bid_size":"1","ask_size":"1"}}"#
        )
    }

    #[test]
    fn texts_of_a_socket_are_read_and_repeated_by_no_second_connection() {
        let house = source(Transport::WebSocket {
            mapping: Mapping::default(),
            subscribe: SubscribeMode::House,
        });
        let (mut one, mut two) = (house.connection(), house.connection());
        let ack = br#"{"op": "acked", "request": 1}"#;
        let texts = [quote(1), quote(2), quote(5)];
        let messages: Vec<Message<'_>> = texts
            .iter()
            .map(|text| Message::Text(text.as_bytes()))
            .collect();
        assert_eq!(read(&mut one, &[Message::Text(ack)]), (0, 0));
        assert_eq!(read(&mut one, &messages), (3, 1));
        assert_eq!(read(&mut two, &messages), (0, 0));
    }

    #[test]
    fn replies_of_redis_are_read_whatever_was_requested() {
        let reads = RedisUse::Streams(vec!["prices".to_owned()]);
        let redis = Redis {
            user: None,
            reads,
            sentinel: None,
        };
        let house = source(Transport::Redis {
            mapping: Mapping::default(),
            redis,
        });
        let entry = |id: &str, number| {
            let json = quote(number);
            let length = json.len();
            format!(
                "*1\r\n*2\r\n$6\r\nprices\r\n*1\r\n*2\r\n${}\r\n{id}\r\n*2\r\n$4\r\njson\r\n${length}\r\n{json}\r\n",
                id.len()
            )
        };
        // A login's answer, the last entry, which was not read, and then readings; one entry twice.
        let bytes = format!(
            "*2\r\n$6\r\nserver\r\n$5\r\nredis\r\n*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$4\r\njson\r\n$2\r\n{{}}\r\n*-1\r\n{}{}{}",
            entry("2-0", 1),
            entry("3-0", 2),
            entry("3-0", 2)
        );
        let (head, tail) = bytes.as_bytes().split_at(bytes.len() / 2);
        let mut connection = house.connection();
        assert_eq!(
            read(
                &mut connection,
                &[Message::Bytes(head), Message::Bytes(tail)]
            ),
            (2, 0)
        );
    }

    #[test]
    fn documents_of_a_polled_feed_are_read_and_a_jump_of_cursors_is_a_gap() {
        let house = source(Transport::Http {
            mapping: Mapping::default(),
        });
        let answer = |from: u64, next: u64| {
            let body = format!(
                r#"<feed from="{from}" next="{next}"><quote symbol="BTC/USDT" sequence="{next}" bid="1" ask="2" bid_size="1" ask_size="1"/></feed>"#
            );
            let length = body.len();
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
        };
        let bytes = [
            answer(0, 1),
            answer(1, 2),
            "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
            answer(3, 4),
        ]
        .concat();
        let parts: Vec<Message<'_>> = bytes.as_bytes().chunks(50).map(Message::Bytes).collect();
        // The number that is missing is a gap as well.
        assert_eq!(read(&mut house.connection(), &parts), (3, 2));
    }
}
