//! Frames of the binary feed, both ways. Pure.
//!
//! A frame is its length as four bytes, big-endian, then that many bytes: a kind and its fields, little-endian. Topics
//! are a kind and an instrument id.

use tradewind_model::{
    InstrumentId, Interval, Price, Quantity, Quote, Side, Timestamp, Trade, TradeId,
};

use crate::protocol::Topic;

/// The longest frame that is taken.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Client: send these topics.
    Subscribe {
        /// To be named in the answer.
        request: u64,
        /// What.
        topics: Vec<Topic>,
    },
    /// Client: do not send these topics any more.
    Unsubscribe {
        /// To be named in the answer.
        request: u64,
        /// What.
        topics: Vec<Topic>,
    },
    /// Client: are you there?
    Ping,
    /// Server: yes.
    Pong,
    /// Server: granted.
    Acked {
        /// Which request.
        request: u64,
    },
    /// Server: refused.
    Refused {
        /// Which request.
        request: u64,
        /// Why.
        reason: String,
    },
    /// Server: a quote and its number, which only grows.
    Quote(u64, Quote),
    /// Server: a trade; its id has no holes.
    Trade(Trade),
    /// Server: this connection ends soon.
    ClosingSoon,
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a frame of the binary feed")]
pub struct BadFrame;

/// Appends a frame with its length.
pub fn encode(frame: &Frame, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match frame {
        Frame::Subscribe { request, topics } => put_request(out, b'S', *request, topics),
        Frame::Unsubscribe { request, topics } => put_request(out, b'U', *request, topics),
        Frame::Ping => out.push(b'P'),
        Frame::Pong => out.push(b'p'),
        Frame::Acked { request } => {
            out.push(b'A');
            out.extend_from_slice(&request.to_le_bytes());
        }
        Frame::Refused { request, reason } => {
            out.push(b'R');
            out.extend_from_slice(&request.to_le_bytes());
            out.extend_from_slice(reason.as_bytes());
        }
        Frame::Quote(number, quote) => put_quote(out, *number, quote),
        Frame::Trade(trade) => put_trade(out, trade),
        Frame::ClosingSoon => out.push(b'C'),
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(prefix) = out.get_mut(start..start + 4) {
        prefix.copy_from_slice(&length.to_be_bytes());
    }
}

/// Reads one frame, without its length. `received_at` is stamped on data.
///
/// # Errors
/// [`BadFrame`] for anything else, whatever the bytes.
pub fn decode(bytes: &[u8], received_at: Timestamp) -> Result<Frame, BadFrame> {
    let (kind, rest) = bytes.split_first().ok_or(BadFrame)?;
    let mut reader = Reader(rest);
    let frame = match kind {
        b'S' => Frame::Subscribe {
            request: reader.u64()?,
            topics: reader.topics()?,
        },
        b'U' => Frame::Unsubscribe {
            request: reader.u64()?,
            topics: reader.topics()?,
        },
        b'P' => Frame::Ping,
        b'p' => Frame::Pong,
        b'A' => Frame::Acked {
            request: reader.u64()?,
        },
        b'R' => Frame::Refused {
            request: reader.u64()?,
            reason: reader.text()?,
        },
        b'Q' => Frame::Quote(reader.u64()?, reader.quote(received_at)?),
        b'T' => Frame::Trade(reader.trade(received_at)?),
        b'C' => Frame::ClosingSoon,
        _ => return Err(BadFrame),
    };
    if reader.0.is_empty() {
        Ok(frame)
    } else {
        Err(BadFrame)
    }
}

fn put_request(out: &mut Vec<u8>, kind: u8, request: u64, topics: &[Topic]) {
    out.push(kind);
    out.extend_from_slice(&request.to_le_bytes());
    for topic in topics {
        let (kind, id, interval) = match topic {
            Topic::Quotes(id) => (b'q', id.0, 0),
            Topic::Trades(id) => (b't', id.0, 0),
            Topic::Candles(id, interval) => (b'c', id.0, *interval as u8),
            Topic::Depth(id) => (b'd', id.0, 0),
            Topic::Account(id) => (b'a', id.0, 0),
        };
        out.push(kind);
        out.extend_from_slice(&id.to_le_bytes());
        out.push(interval);
    }
}

fn put_quote(out: &mut Vec<u8>, number: u64, quote: &Quote) {
    out.push(b'Q');
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&quote.instrument.0.to_le_bytes());
    let event_time = quote.event_time.map_or(i64::MIN, Timestamp::as_nanos);
    for field in [
        quote.bid.0,
        quote.ask.0,
        quote.bid_quantity.0,
        quote.ask_quantity.0,
        event_time,
    ] {
        out.extend_from_slice(&field.to_le_bytes());
    }
}

fn put_trade(out: &mut Vec<u8>, trade: &Trade) {
    out.push(b'T');
    out.extend_from_slice(&trade.instrument.0.to_le_bytes());
    out.push(u8::from(trade.taker == Side::Sell));
    out.extend_from_slice(&trade.id.0.to_le_bytes());
    let event_time = trade.event_time.map_or(i64::MIN, Timestamp::as_nanos);
    for field in [trade.price.0, trade.quantity.0, event_time] {
        out.extend_from_slice(&field.to_le_bytes());
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadFrame> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(BadFrame)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, BadFrame> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, BadFrame> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, BadFrame> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, BadFrame> {
        self.array().map(i64::from_le_bytes)
    }

    fn instant(&mut self) -> Result<Option<Timestamp>, BadFrame> {
        let nanos = self.i64()?;
        Ok((nanos != i64::MIN).then_some(Timestamp::from_nanos(nanos)))
    }

    fn text(&mut self) -> Result<String, BadFrame> {
        let bytes = std::mem::take(&mut self.0);
        std::str::from_utf8(bytes)
            .map(str::to_owned)
            .map_err(|_| BadFrame)
    }

    fn topics(&mut self) -> Result<Vec<Topic>, BadFrame> {
        let mut topics = Vec::new();
        while !self.0.is_empty() {
            let (kind, id, interval) = (self.u8()?, self.u32()?, self.u8()?);
            let instrument = InstrumentId(id);
            topics.push(match (kind, interval) {
                (b'q', 0) => Topic::Quotes(instrument),
                (b't', 0) => Topic::Trades(instrument),
                (b'd', 0) => Topic::Depth(instrument),
                (b'a', 0) => Topic::Account(tradewind_model::AccountId(id)),
                (b'c', interval) => {
                    let known = Interval::all().nth(usize::from(interval));
                    Topic::Candles(instrument, known.ok_or(BadFrame)?)
                }
                _ => return Err(BadFrame),
            });
        }
        Ok(topics)
    }

    fn quote(&mut self, received_at: Timestamp) -> Result<Quote, BadFrame> {
        Ok(Quote {
            instrument: InstrumentId(self.u32()?),
            bid: Price(self.i64()?),
            ask: Price(self.i64()?),
            bid_quantity: Quantity(self.i64()?),
            ask_quantity: Quantity(self.i64()?),
            event_time: self.instant()?,
            received_at,
        })
    }

    fn trade(&mut self, received_at: Timestamp) -> Result<Trade, BadFrame> {
        Ok(Trade {
            instrument: InstrumentId(self.u32()?),
            taker: match self.u8()? {
                0 => Side::Buy,
                1 => Side::Sell,
                _ => return Err(BadFrame),
            },
            id: TradeId(self.u64()?),
            price: Price(self.i64()?),
            quantity: Quantity(self.i64()?),
            event_time: self.instant()?,
            received_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn topic() -> impl Strategy<Value = Topic> {
        let interval = (0_usize..15).prop_map(|at| Interval::all().nth(at).unwrap());
        (any::<u32>(), 0..5, interval).prop_map(|(id, kind, interval)| match kind {
            0 => Topic::Quotes(InstrumentId(id)),
            1 => Topic::Trades(InstrumentId(id)),
            2 => Topic::Candles(InstrumentId(id), interval),
            3 => Topic::Depth(InstrumentId(id)),
            _ => Topic::Account(tradewind_model::AccountId(id)),
        })
    }

    fn instant() -> impl Strategy<Value = Option<Timestamp>> {
        proptest::option::of((0..i64::MAX).prop_map(Timestamp::from_nanos))
    }

    fn frame() -> impl Strategy<Value = Frame> {
        let topics = || proptest::collection::vec(topic(), 0..5);
        let quote = (any::<u64>(), any::<[i64; 4]>(), any::<u32>(), instant());
        let trade = (any::<u64>(), any::<[i64; 2]>(), any::<bool>(), instant());
        prop_oneof![
            (any::<u64>(), topics())
                .prop_map(|(request, topics)| Frame::Subscribe { request, topics }),
            (any::<u64>(), topics())
                .prop_map(|(request, topics)| Frame::Unsubscribe { request, topics }),
            Just(Frame::Ping),
            Just(Frame::Pong),
            Just(Frame::ClosingSoon),
            any::<u64>().prop_map(|request| Frame::Acked { request }),
            (any::<u64>(), "[a-zé ]{0,20}")
                .prop_map(|(request, reason)| Frame::Refused { request, reason }),
            quote.prop_map(
                |(number, [bid, ask, bids, asks], id, event_time)| Frame::Quote(
                    number,
                    Quote {
                        instrument: InstrumentId(id),
                        bid: Price(bid),
                        ask: Price(ask),
                        bid_quantity: Quantity(bids),
                        ask_quantity: Quantity(asks),
                        event_time,
                        received_at: Timestamp::EPOCH,
                    }
                )
            ),
            trade.prop_map(
                |(id, [price, quantity], sell, event_time)| Frame::Trade(Trade {
                    instrument: InstrumentId(3),
                    taker: if sell { Side::Sell } else { Side::Buy },
                    id: TradeId(id),
                    price: Price(price),
                    quantity: Quantity(quantity),
                    event_time,
                    received_at: Timestamp::EPOCH,
                })
            ),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(frame in frame()) {
            let mut bytes = Vec::new();
            encode(&frame, &mut bytes);
            let (prefix, body) = bytes.split_first_chunk::<4>().unwrap();
            prop_assert_eq!(u32::from_be_bytes(*prefix) as usize, body.len());
            prop_assert_eq!(decode(body, Timestamp::EPOCH), Ok(frame.clone()));
            if !body.is_empty() && !matches!(frame, Frame::Refused { .. } | Frame::Subscribe { .. } | Frame::Unsubscribe { .. }) {
                prop_assert_eq!(decode(&body[..body.len() - 1], Timestamp::EPOCH), Err(BadFrame));
            }
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _answer = decode(&bytes, Timestamp::EPOCH);
        }
    }
}
