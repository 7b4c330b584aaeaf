//! The binary feed as a [`Protocol`] over TCP.

use std::net::SocketAddr;

use tradewind_model::{MarketEvent, Timestamp};

use super::codec::{FRAME_BYTES_MAX, Frame, decode, encode};
use crate::address::{Address, AddressError};
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Sequence, Topic};

/// A connection to a binary feed.
#[derive(Debug)]
pub struct FramedProtocol {
    address: Address,
}

impl FramedProtocol {
    /// A connection that is not open yet.
    ///
    /// # Errors
    /// [`AddressError::PlainText`] for another machine's address: the feed is not encrypted.
    pub fn new(address: SocketAddr) -> Result<Self, AddressError> {
        let address = Address::tcp(address)?;
        Ok(Self { address })
    }
}

/// The first frame, without its length, if it is whole.
fn first_frame(bytes: &[u8]) -> Result<Option<&[u8]>, ProtocolError> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*prefix)).map_err(ProtocolError::new)?;
    if length > FRAME_BYTES_MAX {
        return Err(ProtocolError(format!("a frame of {length} bytes")));
    }
    Ok(rest.get(..length))
}

impl Protocol for FramedProtocol {
    type Event = MarketEvent;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, _nonce: u64, _out: &mut Vec<u8>) {}

    fn is_ready(&self) -> bool {
        true
    }

    fn subscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let topics = topics.to_vec();
        encode(&Frame::Subscribe { request, topics }, out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        let topics = topics.to_vec();
        encode(&Frame::Unsubscribe { request, topics }, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        encode(&Frame::Ping, out);
    }

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        _out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<MarketEvent>),
    ) -> Result<usize, ProtocolError> {
        let Some(frame) = first_frame(bytes)? else {
            return Ok(0);
        };
        on(match decode(frame, received_at) {
            Ok(Frame::Quote(number, quote)) => Incoming::Event {
                topic: Topic::Quotes(quote.instrument),
                sequence: Some(Sequence::Increasing(number)),
                event: MarketEvent::Quote(quote),
            },
            Ok(Frame::Trade(trade)) => Incoming::Event {
                topic: Topic::Trades(trade.instrument),
                sequence: Some(Sequence::Contiguous(trade.id.0)),
                event: MarketEvent::Trade(trade),
            },
            Ok(Frame::Acked { request }) => Incoming::Acked { request },
            Ok(Frame::Refused { request, reason }) => Incoming::Refused { request, reason },
            Ok(Frame::Pong) => Incoming::Pong,
            Ok(Frame::ClosingSoon) => Incoming::ClosingSoon,
            Ok(Frame::Subscribe { .. } | Frame::Unsubscribe { .. } | Frame::Ping) => {
                Incoming::Ignored(Ignored::NotWanted)
            }
            Err(_) => Incoming::Ignored(Ignored::Malformed),
        });
        Ok(4 + frame.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_plain_text() {
        assert!(FramedProtocol::new("127.0.0.1:9".parse().unwrap()).is_ok());
        assert!(FramedProtocol::new("10.0.0.1:9".parse().unwrap()).is_err());
    }

    #[test]
    fn frames_are_cut_from_the_stream_wherever_it_was_split() {
        let mut bytes = Vec::new();
        for request in 0..3 {
            encode(&Frame::Acked { request }, &mut bytes);
        }
        let mut protocol = FramedProtocol::new("127.0.0.1:9".parse().unwrap()).unwrap();
        let (mut buffer, mut seen) = (Vec::new(), Vec::new());
        for byte in bytes {
            buffer.push(byte);
            let used = protocol.receive(&buffer, Timestamp::EPOCH, &mut Vec::new(), &mut |said| {
                seen.push(said);
            });
            buffer.drain(..used.unwrap());
        }
        let acked = |request| Incoming::Acked { request };
        assert_eq!(seen, [acked(0), acked(1), acked(2)]);
        let broken = protocol.receive(&[0xff; 8], Timestamp::EPOCH, &mut Vec::new(), &mut |_| {});
        assert!(broken.is_err());
    }
}
