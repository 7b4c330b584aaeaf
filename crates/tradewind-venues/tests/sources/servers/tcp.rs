//! The server of frames over TCP.

use std::time::Duration;

use tradewind_model::{Decimal, Side, Timestamp};
use tradewind_venues::house::tcp::{
    Frame, NumberFrame, QuoteFrame, TargetFrame, TradeFrame, decode, encode,
};

use super::Server;
use crate::publisher::{Message, Publisher};

const SESSION: u64 = 9;

#[derive(Default)]
pub(crate) struct Tcp {
    input: Vec<u8>,
    /// Where this connection's numbers begin; its session has that name, too.
    base: usize,
    /// Messages that were sent, after a login.
    sent: Option<usize>,
    /// Messages that are sent though they are dropped at first: they were requested.
    repeated: usize,
}

impl Tcp {
    fn number(&self) -> u64 {
        (self.sent.unwrap_or(self.base) - self.base) as u64
    }

    fn take(&mut self, frame: Frame<'_>, publisher: &mut Publisher, out: &mut Vec<u8>) {
        let number = self.number();
        match frame {
            Frame::Login {
                session,
                from,
                token,
            } => {
                assert_eq!(token, "a-token");
                if self.sent.is_none() {
                    self.base = publisher.base;
                }
                let ours = SESSION + self.base as u64;
                let newest = publisher.messages.len();
                let known = self.base + usize::try_from(from.saturating_sub(1)).unwrap();
                let sent = if session == ours { known } else { newest };
                self.sent = Some(sent);
                self.repeated = newest;
                let welcome = Frame::Welcome {
                    number: self.number(),
                    session: ours,
                    newest: (newest - self.base) as u64,
                };
                encode(&welcome, out);
            }
            Frame::Subscribe(request, wanted) => {
                assert!(!wanted.is_empty());
                publisher.requests += 1;
                let answer = if publisher.refuses {
                    let reason = "no".to_owned();
                    Frame::Refused {
                        number,
                        request,
                        reason,
                    }
                } else {
                    Frame::Acked { number, request }
                };
                encode(&answer, out);
            }
            Frame::Unsubscribe(request, _) => encode(&Frame::Acked { number, request }, out),
            Frame::Ping => encode(&Frame::Heartbeat { number }, out),
            other => panic!("{other:?} of a client"),
        }
    }
}

/// A message as a frame.
pub(crate) fn frame(message: &Message, number: u64) -> Frame<'static> {
    let symbol = message.symbol.into();
    let (price_places, quantity_places, event_time) = (2, 0, None);
    if let Some(value) = message.value {
        return Frame::Number(NumberFrame {
            number,
            name: symbol,
            places: 2,
            value,
            event_time: Some(Timestamp::from_nanos(1)),
        });
    }
    if let Some(exposure) = message.exposure {
        // A frame has no other text than names: a number is spoilt by its places.
        let hundredths = exposure.parse::<Decimal>().ok();
        let hundredths = hundredths.and_then(|exposure| exposure.scaled(2));
        let (exposure, places) = hundredths.map_or((1, 99), |exposure| (exposure, 2));
        return Frame::Target(TargetFrame {
            number,
            bot: symbol,
            instrument: "simx:BTC/USDT".into(),
            places,
            exposure,
            expires: 1_700_000_060_000_000_000,
            event_time: Some(Timestamp::from_secs(1_700_000_000)),
        });
    }
    if message.is_quote {
        let fields = [message.price, message.price + 1, 1, 2];
        Frame::Quote(QuoteFrame {
            number,
            symbol,
            price_places,
            quantity_places,
            fields,
            event_time,
        })
    } else {
        let (fields, taker) = ([message.price, 1], Side::Buy);
        Frame::Trade(TradeFrame {
            number,
            symbol,
            taker,
            price_places,
            quantity_places,
            fields,
            event_time,
        })
    }
}

impl Server for Tcp {
    fn received(
        &mut self,
        _now: Duration,
        bytes: &[u8],
        publisher: &mut Publisher,
        out: &mut Vec<u8>,
    ) {
        self.input.extend_from_slice(bytes);
        while let Some((prefix, rest)) = self.input.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*prefix) as usize;
            let Some(body) = rest.get(..length) else {
                return;
            };
            let body = body.to_vec();
            self.input.drain(..4 + length);
            self.take(decode(&body).unwrap(), publisher, out);
        }
    }

    fn publish(&mut self, _now: Duration, publisher: &Publisher, out: &mut Vec<u8>) {
        let Some(sent) = self.sent else {
            return;
        };
        for (place, message) in publisher.messages.iter().enumerate().skip(sent) {
            let number = place + 1 - self.base;
            self.sent = Some(place + 1);
            if !message.is_dropped || place < self.repeated {
                match &message.bad {
                    None => encode(&frame(message, number as u64), out),
                    Some(rest) => {
                        let number = (number as u64).to_le_bytes();
                        self.payload(&[b"Q", &number[..], rest].concat(), out);
                    }
                }
            }
        }
    }

    fn closing(&mut self, out: &mut Vec<u8>) {
        let number = self.number();
        encode(&Frame::ClosingSoon { number }, out);
    }

    fn payload(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&u32::try_from(payload.len()).unwrap().to_be_bytes());
        out.extend_from_slice(payload);
    }
}
