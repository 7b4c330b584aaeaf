//! A house's binary feed as a [`Protocol`]: logs in behind the last number that was read, and asks for what is missing.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tradewind_model::{MarketEvent, Quote, Timestamp, Trade, TradeId};

use super::codec::{
    FRAME_BYTES_MAX, Frame, NumberFrame, QuoteFrame, TargetFrame, TradeFrame, Wanted, data_number,
    decode, encode,
};
use crate::address::Address;
use crate::house::data::{HouseData, HouseTarget, TargetError};
use crate::house::numbers::Scaled;
use crate::house::progress::{Open, Progress, REPEATS_MAX};
use crate::house::symbols::HouseSymbols;
use crate::house::targets;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};

/// A connection to a binary feed.
#[derive(Debug)]
pub struct TcpProtocol {
    address: Address,
    symbols: Arc<HouseSymbols>,
    token: Option<SecretString>,
    progress: Progress,
    /// This connection among those that read, from the welcome on.
    open: Option<Open>,
    /// The first number that the last login named; 0 for none.
    wanted_from: u64,
    /// Repeated data in a row.
    repeats: u32,
    /// The session of this connection, once the server has named it.
    session: Option<u64>,
    /// The number of the next data frame.
    next: u64,
    /// Up to this number, data are repetitions that were requested.
    repeats_until: Option<u64>,
    /// Missing frames are requested, and this many pings were sent since.
    requested: Option<u8>,
}

impl TcpProtocol {
    /// A connection that is not open yet.
    #[must_use]
    pub const fn new(
        address: Address,
        symbols: Arc<HouseSymbols>,
        token: Option<SecretString>,
        progress: Progress,
    ) -> Self {
        Self {
            address,
            symbols,
            token,
            progress,
            open: None,
            wanted_from: 0,
            repeats: 0,
            session: None,
            next: 0,
            repeats_until: None,
            requested: None,
        }
    }

    /// Asks for everything from `from` on.
    fn log_in(&mut self, session: u64, from: u64, out: &mut Vec<u8>) {
        self.wanted_from = from;
        let token = self.token.as_ref();
        let token = token.map_or_else(String::new, |token| token.expose_secret().to_owned());
        let login = Frame::Login {
            session,
            from,
            token,
        };
        encode(&login, out);
    }

    fn wanted(&self, topics: &[Topic]) -> Vec<Wanted> {
        let wanted = |topic: &Topic| {
            let symbol = self.symbols.symbol(topic.instrument()?)?.to_owned();
            match topic {
                Topic::Quotes(_) => Some(Wanted::Quotes(symbol)),
                Topic::Trades(_) => Some(Wanted::Trades(symbol)),
                Topic::Candles(..) | Topic::Depth(_) | Topic::Account(_) => None,
            }
        };
        topics.iter().filter_map(wanted).collect()
    }

    fn welcome(
        &mut self,
        (number, session, newest): (u64, u64, u64),
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<(), ProtocolError> {
        let before = self.progress.get();
        if session == 0 || newest < number {
            // It may be what the last position makes of a feed that began anew: the next login names none.
            if before.session != 0 {
                on(Incoming::Gap { missing: 0 });
                self.progress.begin(0, 0);
            }
            return Err(ProtocolError("a welcome that is none".to_owned()));
        }
        // A feed whose newest number is below what was read has begun anew, whatever it calls its session.
        let is_known = before.session == session && newest >= self.wanted_from.saturating_sub(1);
        if is_known && number > before.last {
            let missing = number - before.last;
            on(Incoming::Gap { missing });
        } else if !is_known {
            if before.session != 0 {
                // The server began anew; how much it sent before that is not known.
                on(Incoming::Gap { missing: 0 });
            }
            self.progress.begin(session, number);
        }
        self.progress.read(session, number);
        self.session = Some(session);
        self.open.get_or_insert_with(|| self.progress.open());
        self.repeats = 0;
        self.next = number.saturating_add(1);
        self.requested = None;
        self.repeats_until = (newest > number).then_some(newest);
        on(match self.repeats_until {
            Some(_) => Incoming::Filling,
            None => Incoming::Synced,
        });
        Ok(())
    }

    /// Whether data of this number is the next; if some is missing, asks for it.
    fn follows(
        &mut self,
        number: u64,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> bool {
        if number < self.next {
            self.repeats = self.repeats.saturating_add(1);
            on(Incoming::Ignored(Ignored::Repeated));
            return false;
        }
        self.repeats = 0;
        if number > self.next {
            self.missing(number - self.next, out, on);
            on(Incoming::Ignored(Ignored::Repeated));
            return false;
        }
        if self.requested.is_some() {
            return false;
        }
        // Another connection has read it, or has found that the feed began anew.
        let is_read = self.is_superseded() || number <= self.progress.get().last;
        if is_read {
            on(Incoming::Ignored(Ignored::Repeated));
            self.read(number, on);
        }
        !is_read
    }

    /// Whether another connection was welcomed to a later session.
    fn is_superseded(&self) -> bool {
        self.session
            .is_some_and(|session| session != self.progress.get().session)
    }

    /// Announces a gap and asks for what is missing, once.
    fn missing(
        &mut self,
        missing: u64,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        let is_possible = self.requested.is_none() && !self.is_superseded();
        let Some(session) = self.session.filter(|_| is_possible) else {
            return;
        };
        self.requested = Some(0);
        on(Incoming::Gap { missing });
        on(Incoming::Filling);
        self.log_in(session, self.next, out);
    }

    /// A frame that cannot be read. The one that is next counts as read, else it would be missing and be sent again. Another
    /// number of such a frame means nothing.
    fn malformed(&mut self, frame: &[u8], on: &mut impl FnMut(Incoming<HouseData>)) {
        on(Incoming::Ignored(Ignored::Malformed));
        let is_awaited = self.session.is_some() && self.requested.is_none();
        if is_awaited && data_number(frame) == Some(self.next) {
            self.read(self.next, on);
        }
    }

    fn read(&mut self, number: u64, on: &mut impl FnMut(Incoming<HouseData>)) {
        self.next = number.saturating_add(1);
        if let Some(session) = self.session {
            self.progress.read(session, number);
        }
        if self.repeats_until.is_some_and(|until| number >= until) {
            self.repeats_until = None;
            on(Incoming::Synced);
        }
    }

    /// A frame that is no data names the latest number: with a later one, the last data was lost.
    fn compare(
        &mut self,
        number: u64,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) {
        if number >= self.next && self.repeats_until.is_none() {
            self.missing((number - self.next).saturating_add(1), out, on);
        }
    }

    fn take(
        &mut self,
        frame: Frame<'_>,
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<(), ProtocolError> {
        match frame {
            Frame::Welcome {
                number,
                session,
                newest,
            } => self.welcome((number, session, newest), on)?,
            Frame::Refused {
                request, reason, ..
            } if self.session.is_none() => {
                return Err(ProtocolError(format!("login {request} refused: {reason}")));
            }
            _ if self.session.is_none() => {
                return Err(ProtocolError("data before a welcome".to_owned()));
            }
            Frame::Quote(frame) if self.follows(frame.number, out, on) => {
                on(self.quote(&frame, received_at));
                self.read(frame.number, on);
            }
            Frame::Trade(frame) if self.follows(frame.number, out, on) => {
                on(self.trade(&frame, received_at));
                self.read(frame.number, on);
            }
            Frame::Number(frame) if self.follows(frame.number, out, on) => {
                on(self.number(&frame, received_at));
                self.read(frame.number, on);
            }
            Frame::Target(frame) if self.follows(frame.number, out, on) => {
                let event = HouseData::Target(target(&frame, received_at));
                on(Incoming::Unlisted { event });
                self.read(frame.number, on);
            }
            Frame::Quote(_) | Frame::Trade(_) | Frame::Number(_) | Frame::Target(_) => {}
            Frame::Heartbeat { number } => {
                self.compare(number, out, on);
                on(Incoming::Pong);
            }
            Frame::Acked { number, request } => {
                self.compare(number, out, on);
                on(Incoming::Acked { request });
            }
            Frame::Refused {
                request, reason, ..
            } => on(Incoming::Refused { request, reason }),
            Frame::ClosingSoon { number } => {
                self.compare(number, out, on);
                on(Incoming::ClosingSoon);
            }
            Frame::Login { .. } | Frame::Subscribe(..) | Frame::Unsubscribe(..) | Frame::Ping => {
                on(Incoming::Ignored(Ignored::NotWanted));
            }
        }
        Ok(())
    }

    fn quote(&self, frame: &QuoteFrame<'_>, received_at: Timestamp) -> Incoming<HouseData> {
        let Some(instrument) = self.symbols.find(&frame.symbol) else {
            return Incoming::Ignored(Ignored::WrongSymbol);
        };
        let [bid, ask, bids, asks] = frame.fields;
        let price = |count| Scaled::new(count, frame.price_places)?.price(instrument);
        let quantity = |count| Scaled::new(count, frame.quantity_places)?.quantity(instrument);
        let (Some(bid), Some(ask), Some(bid_quantity), Some(ask_quantity)) =
            (price(bid), price(ask), quantity(bids), quantity(asks))
        else {
            return Incoming::Ignored(Ignored::Malformed);
        };
        Incoming::Event {
            topic: Topic::Quotes(instrument.id),
            sequence: None,
            event: HouseData::Market(MarketEvent::Quote(Quote {
                instrument: instrument.id,
                bid,
                ask,
                bid_quantity,
                ask_quantity,
                event_time: frame.event_time,
                received_at,
            })),
        }
    }

    fn trade(&self, frame: &TradeFrame<'_>, received_at: Timestamp) -> Incoming<HouseData> {
        let Some(instrument) = self.symbols.find(&frame.symbol) else {
            return Incoming::Ignored(Ignored::WrongSymbol);
        };
        let [price, quantity] = frame.fields;
        let price = Scaled::new(price, frame.price_places);
        let quantity = Scaled::new(quantity, frame.quantity_places);
        let (Some(price), Some(quantity)) = (
            price.and_then(|price| price.price(instrument)),
            quantity.and_then(|quantity| quantity.quantity(instrument)),
        ) else {
            return Incoming::Ignored(Ignored::Malformed);
        };
        Incoming::Event {
            topic: Topic::Trades(instrument.id),
            sequence: None,
            event: HouseData::Market(MarketEvent::Trade(Trade {
                instrument: instrument.id,
                taker: frame.taker,
                id: TradeId(frame.number),
                price,
                quantity,
                event_time: frame.event_time,
                received_at,
            })),
        }
    }

    fn number(&self, frame: &NumberFrame<'_>, received_at: Timestamp) -> Incoming<HouseData> {
        let Some(series) = self.symbols.series(&frame.name) else {
            return Incoming::Ignored(Ignored::WrongSymbol);
        };
        let value = Scaled::new(frame.value, frame.places).and_then(Scaled::decimal);
        let read = value.zip(frame.event_time);
        read.map_or(
            Incoming::Ignored(Ignored::Malformed),
            |(value, event_time)| {
                let number = series.number(value, event_time, received_at);
                let event = HouseData::Number(number);
                Incoming::Unlisted { event }
            },
        )
    }
}

fn target(frame: &TargetFrame<'_>, received_at: Timestamp) -> Result<HouseTarget, TargetError> {
    let exposure = Scaled::new(frame.exposure, frame.places).and_then(Scaled::decimal);
    let exposure = exposure.ok_or_else(|| TargetError::Malformed {
        field: "exposure",
        text: format!("{} with {} places", frame.exposure, frame.places),
        wanted: "number of at most 18 places",
    });
    Ok(HouseTarget {
        bot: targets::name(&frame.bot, "bot")?,
        instrument: targets::name(&frame.instrument, "instrument")?,
        exposure: exposure?,
        event_time: frame.event_time.ok_or(TargetError::Missing("time"))?,
        expires: Timestamp::from_nanos(frame.expires),
        sequence: Some(frame.number),
        received_at,
    })
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

impl Protocol for TcpProtocol {
    type Event = HouseData;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, _nonce: u64, out: &mut Vec<u8>) {
        let position = self.progress.get();
        let from = match position.session {
            0 => 0,
            _ => position.last.saturating_add(1),
        };
        self.log_in(position.session, from, out);
    }

    fn is_ready(&self) -> bool {
        self.session.is_some()
    }

    fn subscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        encode(&Frame::Subscribe(request, self.wanted(topics)), out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        encode(&Frame::Unsubscribe(request, self.wanted(topics)), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        self.requested = self.requested.map(|pings| pings.saturating_add(1));
        encode(&Frame::Ping, out);
    }

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<usize, ProtocolError> {
        let Some(frame) = first_frame(bytes)? else {
            return Ok(0);
        };
        if self.requested.is_some_and(|pings| pings > 1) {
            let why = "missing messages were requested and do not come";
            return Err(ProtocolError(why.to_owned()));
        }
        let is_alone = self.open.as_ref().is_some_and(Open::is_alone);
        if self.repeats >= REPEATS_MAX || (is_alone && self.is_superseded()) {
            return Err(ProtocolError("the numbers began anew".to_owned()));
        }
        match decode(frame) {
            Ok(frame) => self.take(frame, received_at, out, on)?,
            Err(_) => self.malformed(frame, on),
        }
        Ok(4 + frame.len())
    }
}
