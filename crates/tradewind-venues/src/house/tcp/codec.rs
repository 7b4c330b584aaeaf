//! Frames of a house's binary feed, both ways. Pure.
//!
//! A frame is its length as four bytes, big-endian, then that many bytes: a kind and its fields, little-endian. A symbol is
//! one byte for its length and its text. A price or quantity is a whole number; the places behind its point come first.

use std::borrow::Cow;

use tradewind_model::{Side, Timestamp};

/// The version that a login names.
pub const VERSION: u8 = 2;

/// The longest frame that is taken.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// What a subscription names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Best bid and ask of a symbol.
    Quotes(String),
    /// Public prints of a symbol.
    Trades(String),
}

/// A frame. Those of the server name the number of the latest data frame that was sent; data frames name their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Client: who we are and from which number on we want data.
    Login {
        /// The session that `from` belongs to; 0 for none.
        session: u64,
        /// The first number wanted; 0 for what comes next.
        from: u64,
        /// What the server may ask for; empty for nothing.
        token: String,
    },
    /// Client: send these.
    Subscribe(u64, Vec<Wanted>),
    /// Client: do not send these any more.
    Unsubscribe(u64, Vec<Wanted>),
    /// Client: are you there?
    Ping,
    /// Server: the answer to a login.
    Welcome {
        /// The number before that of the next data frame.
        number: u64,
        /// Changes whenever the server begins to number anew; never 0.
        session: u64,
        /// The number of the newest data; up to it, data frames are repetitions that were requested.
        newest: u64,
    },
    /// Server: I am there. Sent as the answer to a ping, and as often as the server likes.
    Heartbeat {
        /// The latest number.
        number: u64,
    },
    /// Server: a request was granted.
    Acked {
        /// The latest number.
        number: u64,
        /// Which request.
        request: u64,
    },
    /// Server: a request was refused.
    Refused {
        /// The latest number.
        number: u64,
        /// Which request.
        request: u64,
        /// Why.
        reason: String,
    },
    /// Server: this connection ends soon.
    ClosingSoon {
        /// The latest number.
        number: u64,
    },
    /// Server: best bid and ask.
    Quote(QuoteFrame<'a>),
    /// Server: a public print.
    Trade(TradeFrame<'a>),
    /// Server: a number of a series.
    Number(NumberFrame<'a>),
    /// Server: what a bot is to hold.
    Target(TargetFrame<'a>),
}

/// Best bid and ask of a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteFrame<'a> {
    /// Its own number.
    pub number: u64,
    /// The symbol.
    pub symbol: Cow<'a, str>,
    /// Places behind the point of both prices.
    pub price_places: u8,
    /// Places behind the point of both quantities.
    pub quantity_places: u8,
    /// Bid, ask, and their quantities.
    pub fields: [i64; 4],
    /// When it happened.
    pub event_time: Option<Timestamp>,
}

/// A public print of a symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeFrame<'a> {
    /// Its own number.
    pub number: u64,
    /// The symbol.
    pub symbol: Cow<'a, str>,
    /// Who took.
    pub taker: Side,
    /// Places behind the point of the price.
    pub price_places: u8,
    /// Places behind the point of the quantity.
    pub quantity_places: u8,
    /// Price and quantity.
    pub fields: [i64; 2],
    /// When it happened.
    pub event_time: Option<Timestamp>,
}

/// A number of a named series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberFrame<'a> {
    /// Its own number.
    pub number: u64,
    /// The series.
    pub name: Cow<'a, str>,
    /// Places behind the point of the value.
    pub places: u8,
    /// The value.
    pub value: i64,
    /// When it was so.
    pub event_time: Option<Timestamp>,
}

/// What a bot is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetFrame<'a> {
    /// Its own number.
    pub number: u64,
    /// Name of the bot.
    pub bot: Cow<'a, str>,
    /// Full name of the instrument.
    pub instrument: Cow<'a, str>,
    /// Places behind the point of the exposure.
    pub places: u8,
    /// Signed share of the bot's budget.
    pub exposure: i64,
    /// When it counts no more.
    pub expires: i64,
    /// When it was decided.
    pub event_time: Option<Timestamp>,
}

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a frame of the binary feed")]
pub struct BadFrame;

/// Appends a frame with its length.
pub fn encode(frame: &Frame<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match frame {
        Frame::Login {
            session,
            from,
            token,
        } => {
            out.extend_from_slice(&[b'L', VERSION]);
            numbers(out, &[*session, *from]);
            out.extend_from_slice(token.as_bytes());
        }
        Frame::Subscribe(request, wanted) => put_request(out, b'S', *request, wanted),
        Frame::Unsubscribe(request, wanted) => put_request(out, b'U', *request, wanted),
        Frame::Ping => out.push(b'P'),
        Frame::Welcome {
            number,
            session,
            newest,
        } => {
            out.push(b'W');
            numbers(out, &[*number, *session, *newest]);
        }
        Frame::Heartbeat { number } => put(out, b'H', &[*number]),
        Frame::Acked { number, request } => put(out, b'A', &[*number, *request]),
        Frame::Refused {
            number,
            request,
            reason,
        } => {
            put(out, b'R', &[*number, *request]);
            out.extend_from_slice(reason.as_bytes());
        }
        Frame::ClosingSoon { number } => put(out, b'C', &[*number]),
        Frame::Quote(quote) => put_quote(out, quote),
        Frame::Trade(trade) => put_trade(out, trade),
        Frame::Number(number) => put_number(out, number),
        Frame::Target(target) => put_target(out, target),
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(prefix) = out.get_mut(start..start + 4) {
        prefix.copy_from_slice(&length.to_be_bytes());
    }
}

fn put(out: &mut Vec<u8>, kind: u8, fields: &[u64]) {
    out.push(kind);
    numbers(out, fields);
}

fn numbers(out: &mut Vec<u8>, fields: &[u64]) {
    for field in fields {
        out.extend_from_slice(&field.to_le_bytes());
    }
}

fn put_symbol(out: &mut Vec<u8>, symbol: &str) {
    out.push(u8::try_from(symbol.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(symbol.as_bytes());
}

fn put_request(out: &mut Vec<u8>, kind: u8, request: u64, wanted: &[Wanted]) {
    put(out, kind, &[request]);
    for one in wanted {
        let (kind, symbol) = match one {
            Wanted::Quotes(symbol) => (b'q', symbol),
            Wanted::Trades(symbol) => (b't', symbol),
        };
        out.push(kind);
        put_symbol(out, symbol);
    }
}

fn put_quote(out: &mut Vec<u8>, quote: &QuoteFrame<'_>) {
    put(out, b'Q', &[quote.number]);
    put_symbol(out, &quote.symbol);
    out.extend_from_slice(&[quote.price_places, quote.quantity_places]);
    put_fields(out, &quote.fields, quote.event_time);
}

fn put_trade(out: &mut Vec<u8>, trade: &TradeFrame<'_>) {
    put(out, b'T', &[trade.number]);
    put_symbol(out, &trade.symbol);
    let side = u8::from(trade.taker == Side::Sell);
    out.extend_from_slice(&[side, trade.price_places, trade.quantity_places]);
    put_fields(out, &trade.fields, trade.event_time);
}

fn put_number(out: &mut Vec<u8>, number: &NumberFrame<'_>) {
    put(out, b'N', &[number.number]);
    put_symbol(out, &number.name);
    out.push(number.places);
    put_fields(out, &[number.value], number.event_time);
}

fn put_target(out: &mut Vec<u8>, target: &TargetFrame<'_>) {
    put(out, b'X', &[target.number]);
    put_symbol(out, &target.bot);
    put_symbol(out, &target.instrument);
    out.push(target.places);
    put_fields(out, &[target.exposure, target.expires], target.event_time);
}

fn put_fields(out: &mut Vec<u8>, fields: &[i64], event_time: Option<Timestamp>) {
    let event_time = event_time.map_or(i64::MIN, Timestamp::as_nanos);
    for field in fields.iter().chain(&[event_time]) {
        out.extend_from_slice(&field.to_le_bytes());
    }
}

/// Reads one frame, without its length.
///
/// # Errors
/// [`BadFrame`] for anything else, whatever the bytes.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, BadFrame> {
    let (kind, rest) = bytes.split_first().ok_or(BadFrame)?;
    let mut reader = Reader(rest);
    let frame = match kind {
        b'L' => {
            if reader.u8()? != VERSION {
                return Err(BadFrame);
            }
            Frame::Login {
                session: reader.u64()?,
                from: reader.u64()?,
                token: reader.rest()?,
            }
        }
        b'S' => Frame::Subscribe(reader.u64()?, reader.wanted()?),
        b'U' => Frame::Unsubscribe(reader.u64()?, reader.wanted()?),
        b'P' => Frame::Ping,
        b'W' => Frame::Welcome {
            number: reader.u64()?,
            session: reader.u64()?,
            newest: reader.u64()?,
        },
        b'H' => Frame::Heartbeat {
            number: reader.u64()?,
        },
        b'A' => Frame::Acked {
            number: reader.u64()?,
            request: reader.u64()?,
        },
        b'R' => Frame::Refused {
            number: reader.u64()?,
            request: reader.u64()?,
            reason: reader.rest()?,
        },
        b'C' => Frame::ClosingSoon {
            number: reader.u64()?,
        },
        b'Q' => Frame::Quote(QuoteFrame {
            number: reader.u64()?,
            symbol: reader.symbol()?,
            price_places: reader.u8()?,
            quantity_places: reader.u8()?,
            fields: [reader.i64()?, reader.i64()?, reader.i64()?, reader.i64()?],
            event_time: reader.instant()?,
        }),
        b'T' => Frame::Trade(TradeFrame {
            number: reader.u64()?,
            symbol: reader.symbol()?,
            taker: reader.side()?,
            price_places: reader.u8()?,
            quantity_places: reader.u8()?,
            fields: [reader.i64()?, reader.i64()?],
            event_time: reader.instant()?,
        }),
        b'N' => Frame::Number(NumberFrame {
            number: reader.u64()?,
            name: reader.symbol()?,
            places: reader.u8()?,
            value: reader.i64()?,
            event_time: reader.instant()?,
        }),
        b'X' => Frame::Target(TargetFrame {
            number: reader.u64()?,
            bot: reader.symbol()?,
            instrument: reader.symbol()?,
            places: reader.u8()?,
            exposure: reader.i64()?,
            expires: reader.i64()?,
            event_time: reader.instant()?,
        }),
        _ => return Err(BadFrame),
    };
    reader.0.is_empty().then_some(frame).ok_or(BadFrame)
}

/// The number of a data frame, though the rest of it may be unreadable.
pub(super) fn data_number(bytes: &[u8]) -> Option<u64> {
    let (b'Q' | b'T' | b'N' | b'X', rest) = bytes.split_first()? else {
        return None;
    };
    Reader(rest).u64().ok()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadFrame> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(BadFrame)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, BadFrame> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Result<u64, BadFrame> {
        self.array().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, BadFrame> {
        self.array().map(i64::from_le_bytes)
    }

    fn side(&mut self) -> Result<Side, BadFrame> {
        match self.u8()? {
            0 => Ok(Side::Buy),
            1 => Ok(Side::Sell),
            _ => Err(BadFrame),
        }
    }

    fn instant(&mut self) -> Result<Option<Timestamp>, BadFrame> {
        let nanos = self.i64()?;
        Ok((nanos != i64::MIN).then_some(Timestamp::from_nanos(nanos)))
    }

    fn symbol(&mut self) -> Result<Cow<'a, str>, BadFrame> {
        let length = usize::from(self.u8()?);
        let (symbol, rest) = self.0.split_at_checked(length).ok_or(BadFrame)?;
        self.0 = rest;
        text(symbol).map(Cow::Borrowed)
    }

    fn rest(&mut self) -> Result<String, BadFrame> {
        text(std::mem::take(&mut self.0)).map(str::to_owned)
    }

    fn wanted(&mut self) -> Result<Vec<Wanted>, BadFrame> {
        let mut wanted = Vec::new();
        while !self.0.is_empty() {
            wanted.push(match self.u8()? {
                b'q' => Wanted::Quotes(self.symbol()?.into_owned()),
                b't' => Wanted::Trades(self.symbol()?.into_owned()),
                _ => return Err(BadFrame),
            });
        }
        Ok(wanted)
    }
}

fn text(bytes: &[u8]) -> Result<&str, BadFrame> {
    std::str::from_utf8(bytes).map_err(|_| BadFrame)
}

#[cfg(test)]
mod tests;
