//! The binary feed as a [`Protocol`] over TCP.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tradewind_model::{MarketEvent, Timestamp};

use super::codec::{FRAME_BYTES_MAX, Frame, decode, encode};
use crate::address::AddressError;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Sequence, Topic};

/// A connection to a binary feed.
#[derive(Debug)]
pub struct FramedProtocol {
    address: SocketAddr,
    socket: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl FramedProtocol {
    /// A connection that is not open yet.
    ///
    /// # Errors
    /// [`AddressError::PlainText`] for another machine's address: the feed is not encrypted.
    pub fn new(address: SocketAddr) -> Result<Self, AddressError> {
        if !address.ip().is_loopback() {
            return Err(AddressError::PlainText(address.to_string(), "127.0.0.1"));
        }
        Ok(Self {
            address,
            socket: None,
            buffer: Vec::new(),
        })
    }

    async fn send(&mut self, frame: &Frame) -> Result<(), ProtocolError> {
        let mut bytes = Vec::new();
        encode(frame, &mut bytes);
        self.socket()?
            .write_all(&bytes)
            .await
            .map_err(ProtocolError::new)
    }

    fn socket(&mut self) -> Result<&mut TcpStream, ProtocolError> {
        self.socket
            .as_mut()
            .ok_or_else(|| ProtocolError("not connected".to_owned()))
    }

    /// The first whole frame in the buffer, without its length.
    fn take_frame(&mut self) -> Result<Option<Vec<u8>>, ProtocolError> {
        let Some((prefix, rest)) = self.buffer.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*prefix)).map_err(ProtocolError::new)?;
        if length > FRAME_BYTES_MAX {
            return Err(ProtocolError(format!("a frame of {length} bytes")));
        }
        let Some(frame) = rest.get(..length).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.buffer.drain(..4 + length);
        Ok(Some(frame))
    }
}

impl Protocol for FramedProtocol {
    type Message = Vec<u8>;
    type Event = MarketEvent;

    async fn connect(&mut self) -> Result<(), ProtocolError> {
        let connect = async {
            let socket = TcpStream::connect(self.address).await?;
            socket.set_nodelay(true)?;
            Ok::<_, io::Error>(socket)
        };
        self.socket = Some(connect.await.map_err(ProtocolError::new)?);
        self.buffer.clear();
        Ok(())
    }

    async fn subscribe(&mut self, request: u64, topics: &[Topic]) -> Result<(), ProtocolError> {
        let topics = topics.to_vec();
        self.send(&Frame::Subscribe { request, topics }).await
    }

    async fn unsubscribe(&mut self, request: u64, topics: &[Topic]) -> Result<(), ProtocolError> {
        let topics = topics.to_vec();
        self.send(&Frame::Unsubscribe { request, topics }).await
    }

    async fn ping(&mut self) -> Result<(), ProtocolError> {
        self.send(&Frame::Ping).await
    }

    /// What was read stays in the buffer if the future is dropped, so nothing is lost.
    async fn receive(&mut self) -> Result<Vec<u8>, ProtocolError> {
        loop {
            if let Some(frame) = self.take_frame()? {
                return Ok(frame);
            }
            let Some(socket) = &mut self.socket else {
                return Err(ProtocolError("not connected".to_owned()));
            };
            let read = socket
                .read_buf(&mut self.buffer)
                .await
                .map_err(ProtocolError::new)?;
            if read == 0 {
                return Err(ProtocolError("closed".to_owned()));
            }
        }
    }

    async fn disconnect(&mut self) {
        if let Some(mut socket) = self.socket.take()
            && let Err(error) = socket.shutdown().await
        {
            tracing::trace!(%error, "Closing not finished");
        }
    }

    fn decode(
        &self,
        message: &Vec<u8>,
        received_at: Timestamp,
        out: &mut impl FnMut(Incoming<MarketEvent>),
    ) -> usize {
        out(match decode(message, received_at) {
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
        message.len()
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
        let mut seen = 0;
        for byte in bytes {
            protocol.buffer.push(byte);
            while let Some(frame) = protocol.take_frame().unwrap() {
                let request = seen;
                assert_eq!(
                    decode(&frame, Timestamp::EPOCH),
                    Ok(Frame::Acked { request })
                );
                seen += 1;
            }
        }
        assert_eq!(seen, 3);
        protocol.buffer = vec![0xff; 8];
        assert!(protocol.take_frame().is_err());
    }
}
