//! A venue's side of a WebSocket, written down: what a protocol machine receives and what it sends, without a socket.

use tradewind_model::{MarketEvent, Timestamp};
use tradewind_venues::{Incoming, Protocol};
use tungstenite::handshake::derive_accept_key;

/// When dialogues begin.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A protocol behind its handshake.
pub(crate) struct Dialogue<P> {
    pub(crate) protocol: P,
    pub(crate) now: Timestamp,
    input: Vec<u8>,
    out: Vec<u8>,
}

impl<P: Protocol<Event = MarketEvent>> Dialogue<P> {
    pub(crate) fn open(mut protocol: P) -> Self {
        let mut out = Vec::new();
        protocol.start(7, &mut out);
        let request = std::str::from_utf8(&out).unwrap();
        let (_, key) = request.split_once("Sec-WebSocket-Key: ").unwrap();
        let accept = derive_accept_key(key.trim().as_bytes());
        let mut dialogue = Self {
            protocol,
            now: START,
            input: Vec::new(),
            out: Vec::new(),
        };
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        assert!(dialogue.bytes(answer.as_bytes()).is_empty());
        assert!(dialogue.protocol.is_ready());
        dialogue
    }

    /// The venue says a text.
    pub(crate) fn receives(&mut self, text: &str) -> Vec<Incoming<MarketEvent>> {
        self.bytes(&frame(text))
    }

    /// Bytes arrive.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Vec<Incoming<MarketEvent>> {
        let mut received = Vec::new();
        self.input.extend_from_slice(bytes);
        loop {
            let mut on = |incoming| received.push(incoming);
            let used = self
                .protocol
                .receive(&self.input, self.now, &mut self.out, &mut on)
                .unwrap();
            if used == 0 {
                return received;
            }
            self.input.drain(..used);
        }
    }

    /// Lets the protocol write something.
    pub(crate) fn does(&mut self, act: impl FnOnce(&mut P, &mut Vec<u8>)) -> Vec<String> {
        act(&mut self.protocol, &mut self.out);
        self.sent()
    }

    /// The texts that were sent since the last look.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        let mut rest = self.out.as_slice();
        while let [_, length, more @ ..] = rest {
            let (length, more) = match length & 0x7f {
                126 => (
                    usize::from(u16::from_be_bytes([more[0], more[1]])),
                    &more[2..],
                ),
                short => (usize::from(short), more),
            };
            let (mask, more) = more.split_at(4);
            let (payload, after) = more.split_at(length);
            let text = payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
            texts.push(String::from_utf8(text.collect()).unwrap());
            rest = after;
        }
        self.out.clear();
        texts
    }
}

/// A text in one frame, as a server writes it.
pub(crate) fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        short @ 0..126 => frame.push(u8::try_from(short).unwrap()),
        longer @ 126..65_536 => {
            frame.push(126);
            frame.extend(u16::try_from(longer).unwrap().to_be_bytes());
        }
        long => {
            frame.push(127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}

/// The events among what was received.
pub(crate) fn events(received: Vec<Incoming<MarketEvent>>) -> Vec<MarketEvent> {
    let event = |incoming| match incoming {
        Incoming::Event { event, .. } => Some(event),
        _ => None,
    };
    received.into_iter().filter_map(event).collect()
}
