//! A transport of one's own in one file: quotes as lines of text over TCP.
//!
//! The feed sends `Q BTC/USDT 60000.50 1.5 60001.50 2` (bid, its size, ask, its size). The desk sends `SUB 1 BTC/USDT` and is
//! answered `OK 1`, and sends `PING`, which is answered `PONG`. Connecting, retrying, subscribing again and the health of
//! instruments are [`DataSource`](tradewind_venues::DataSource)'s business, as for every transport.

use std::sync::Arc;

use tradewind_model::{Instrument, MarketEvent, Quote, Timestamp};
use tradewind_venues::{Address, Ignored, Incoming, Protocol, ProtocolError, Topic};

/// The longest line; without an end of line it is no feed of this kind.
const LINE_MAX: usize = 1_024;

/// One connection to a feed of lines.
#[derive(Clone, Debug)]
pub struct LineProtocol {
    address: Address,
    /// Each instrument with what the feed calls it.
    symbols: Arc<[(String, Instrument)]>,
}

impl LineProtocol {
    /// A connection that is not open yet.
    #[must_use]
    pub const fn new(address: Address, symbols: Arc<[(String, Instrument)]>) -> Self {
        Self { address, symbols }
    }

    fn request(&self, verb: &str, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let wanted = |topic: &Topic| {
            let mut symbols = self.symbols.iter();
            let found = symbols.find(|(_, one)| Some(one.id) == topic.instrument());
            found.map(|(symbol, _)| symbol.as_str())
        };
        let symbols: Vec<&str> = topics.iter().filter_map(wanted).collect();
        let line = format!("{verb} {request} {}\n", symbols.join(" "));
        out.extend_from_slice(line.as_bytes());
    }

    /// What a line means; `None` for one that cannot be read.
    fn read(&self, line: &str, received_at: Timestamp) -> Option<Incoming<MarketEvent>> {
        let mut words = line.split_ascii_whitespace();
        match words.next()? {
            "PONG" => Some(Incoming::Pong),
            "OK" => Some(Incoming::Acked {
                request: words.next()?.parse().ok()?,
            }),
            "Q" => {
                let symbol = words.next()?;
                let (_, of) = self.symbols.iter().find(|(known, _)| known == symbol)?;
                let quote = Quote {
                    instrument: of.id,
                    bid: of.parse_price(words.next()?).ok()?,
                    bid_quantity: of.parse_quantity(words.next()?).ok()?,
                    ask: of.parse_price(words.next()?).ok()?,
                    ask_quantity: of.parse_quantity(words.next()?).ok()?,
                    event_time: None,
                    received_at,
                };
                Some(Incoming::Event {
                    topic: Topic::Quotes(of.id),
                    sequence: None,
                    event: MarketEvent::Quote(quote),
                })
            }
            _ => None,
        }
    }
}

impl Protocol for LineProtocol {
    type Event = MarketEvent;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, _nonce: u64, _out: &mut Vec<u8>) {}

    fn is_ready(&self) -> bool {
        true
    }

    fn subscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.request("SUB", request, topics, out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.request("UNSUB", request, topics, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PING\n");
    }

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        _out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) -> Result<usize, ProtocolError> {
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            if bytes.len() > LINE_MAX {
                return Err(ProtocolError("a line without an end".to_owned()));
            }
            return Ok(0);
        };
        let line = bytes.get(..end).and_then(|line| str::from_utf8(line).ok());
        let read = line.and_then(|line| self.read(line, received_at));
        on(read.unwrap_or(Incoming::Ignored(Ignored::Malformed)));
        Ok(end + 1)
    }
}
