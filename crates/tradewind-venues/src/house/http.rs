//! A house's XML over long-polled HTTP as a [`Protocol`]: one request at a time, each behind the cursor of the last answer.
//!
//! A request waits at the server until there are messages, or until its time is over: its answer is the sign of life that
//! other transports give by a pong.

use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use tradewind_model::Timestamp;

use super::payloads::Payloads;
use super::redis::{CURSOR, Positions};
use super::xml::Envelope;
use crate::address::Address;
use crate::error::cut;
use crate::house::data::HouseData;
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::wire::http::{HttpConnection, HttpError, Method, Request, Response};

/// Longest answer, as it travels and unpacked.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Longest cursor.
const CURSOR_BYTES_MAX: usize = 256;

/// Answers in a row that begin behind an earlier cursor than the request's, after which the cursors have begun anew.
const REPEATS_MAX: u32 = 3;

/// Answers in a row behind one cursor that cannot be read, after which what lies behind it is passed over.
const FAILURES_MAX: u32 = 3;

/// A connection to a feed that is polled.
#[derive(Debug)]
pub(super) struct HttpProtocol {
    address: Address,
    token: Option<SecretString>,
    http: HttpConnection,
    /// How long a request waits at the server.
    wait: Duration,
    payloads: Payloads,
    /// The cursor, over connections.
    positions: Positions,
    is_open: bool,
    /// The cursor of the request under way, and when it was sent where that is known.
    polled: Option<(Option<String>, Option<Timestamp>)>,
    /// Requests for topics that the next answer confirms.
    unconfirmed: Vec<u64>,
    /// An answer has confirmed some.
    is_granted: bool,
    /// Nothing was read over this connection yet.
    is_first: bool,
    /// Messages of the past are being read.
    is_filling: bool,
    /// Answers in a row that were there before.
    repeats: u32,
    /// The last answer is no reason to ask again before the next ping.
    is_hasty: bool,
}

impl HttpProtocol {
    pub(super) fn new(
        address: Address,
        token: Option<SecretString>,
        wait: Duration,
        payloads: Payloads,
        positions: Positions,
    ) -> Self {
        Self {
            address,
            token,
            http: HttpConnection::new(BODY_BYTES_MAX).with_gzip(),
            wait,
            payloads,
            positions,
            is_open: false,
            polled: None,
            unconfirmed: Vec::new(),
            is_granted: false,
            is_first: true,
            is_filling: false,
            repeats: 0,
            is_hasty: false,
        }
    }

    /// Asks for what comes behind the cursor, unless a request is under way.
    fn poll(&mut self, now: Option<Timestamp>, out: &mut Vec<u8>) -> Result<(), ProtocolError> {
        if self.polled.is_some() {
            return Ok(());
        }
        let cursor = self.positions.get(CURSOR);
        let path = self.address.target("");
        let mark = if path.contains('?') { '&' } else { '?' };
        // An answer that confirms a request is wanted at once.
        let wait = match self.unconfirmed.is_empty() {
            true => self.wait,
            false => Duration::ZERO,
        };
        let mut target = format!("{path}{mark}wait={}", wait.as_millis());
        if let Some(cursor) = &cursor {
            target.push_str("&cursor=");
            target.extend(utf8_percent_encode(cursor, NON_ALPHANUMERIC));
        }
        let token = self.token.as_ref();
        let token = token.map(|token| format!("Bearer {}", token.expose_secret()));
        let mut fields = vec![("accept", "application/xml"), ("accept-encoding", "gzip")];
        fields.extend(token.as_deref().map(|token| ("authorization", token)));
        let request = Request {
            method: Method::Get,
            target: &target,
            host: &self.address.authority(),
            fields: &fields,
            body: b"",
        };
        self.http.send(&request, out).map_err(ProtocolError::new)?;
        self.polled = Some((cursor, now));
        Ok(())
    }

    fn answered(
        &mut self,
        response: &Response,
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<(), ProtocolError> {
        let (cursor, requested_at) = self.polled.take().unwrap_or_default();
        let is_first = std::mem::take(&mut self.is_first) && cursor.is_some();
        let is_read = match response.status {
            200 if !response.body.is_empty() => {
                let at = (cursor.as_deref(), is_first);
                let read = unpacked(response).and_then(|body| {
                    let text = std::str::from_utf8(&body).map_err(|_| not_xml())?;
                    self.document(text, at, received_at, on)
                });
                match read {
                    Ok(is_read) => is_read,
                    Err(error) => return Err(self.failed(error, on)),
                }
            }
            200 | 204 | 304 => false,
            status if cursor.is_some() && self.is_unknown(status) => {
                // The server does not have what follows the cursor any more.
                on(Incoming::Gap { missing: 0 });
                self.positions.remove(CURSOR);
                self.is_hasty = true;
                false
            }
            status @ (400..=407 | 409..=424 | 426..=428 | 430..=499) => {
                return self.refused(status, on);
            }
            status => return Err(ProtocolError(format!("HTTP status {status}"))),
        };
        self.is_granted = true;
        on(Incoming::Pong);
        for request in self.unconfirmed.drain(..) {
            on(Incoming::Acked { request });
        }
        if !self.http.is_reusable() {
            let why = "the server ends connections after an answer: it must keep them";
            return Err(ProtocolError(why.to_owned()));
        }
        // A server that does not wait is polled twice in a heartbeat at most, not as fast as it answers.
        let waited = requested_at.map(|requested_at| received_at.since(requested_at));
        let has_waited = waited.is_none_or(|waited| waited >= self.wait / 2);
        let has_waited = has_waited && !std::mem::take(&mut self.is_hasty);
        if is_read || has_waited {
            self.poll(Some(received_at), out)?;
        }
        Ok(())
    }

    /// Takes in a document; whether the next request is to follow at once.
    fn document(
        &mut self,
        text: &str,
        (cursor, is_first): (Option<&str>, bool),
        received_at: Timestamp,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<bool, ProtocolError> {
        let (envelope, messages) = self.payloads.envelope(text).map_err(|_| not_xml())?;
        let next = checked(&envelope)?;
        if self.is_repeated(&envelope, cursor, on) {
            self.is_hasty = true;
            return Ok(false);
        }
        if envelope.messages > 0 && cursor == Some(next) {
            let why = "messages behind which the cursor is the same as before";
            return Err(ProtocolError(why.to_owned()));
        }
        if cursor.is_none() && self.positions.take_skipped(CURSOR) {
            on(Incoming::Gap { missing: 0 });
        }
        let is_past = envelope.messages > 0 && (is_first || envelope.has_more);
        if is_past && !self.is_filling {
            self.is_filling = true;
            on(Incoming::Filling);
        }
        self.payloads.xml(messages, received_at, on);
        self.positions.set(CURSOR, next);
        if !envelope.has_more && std::mem::take(&mut self.is_filling) {
            on(Incoming::Synced);
        }
        self.positions.restore_failures();
        Ok(envelope.messages > 0 || cursor.is_none())
    }

    /// Whether an answer says that the cursor is not known. A server that began anew may refuse the one of an earlier run by another
    /// status: nothing would ever be read then.
    fn is_unknown(&self, status: u16) -> bool {
        status == 410 || ([400, 404, 422].contains(&status) && self.positions.is_of_last_run())
    }

    /// An answer cannot be read. After some of them behind one cursor, reading begins with what comes: the rest would never be
    /// read either.
    fn failed(
        &self,
        error: ProtocolError,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> ProtocolError {
        if self.positions.get(CURSOR).is_some() && self.positions.failed() >= FAILURES_MAX {
            self.positions.restore_failures();
            self.positions.remove(CURSOR);
            on(Incoming::Gap { missing: 0 });
        }
        error
    }

    /// Whether an answer was there before; one that begins too late is a gap.
    fn is_repeated(
        &mut self,
        envelope: &Envelope,
        cursor: Option<&str>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> bool {
        let (Some(from), Some(cursor)) = (envelope.from.as_deref(), cursor) else {
            return false;
        };
        if from == cursor {
            self.repeats = 0;
            return false;
        }
        let is_earlier = match (from.parse::<u64>(), cursor.parse::<u64>()) {
            (Ok(from), Ok(cursor)) => from < cursor,
            _ => false,
        };
        if is_earlier && self.repeats < REPEATS_MAX {
            self.repeats += 1;
            on(Incoming::Ignored(Ignored::Repeated));
            return true;
        }
        self.repeats = 0;
        on(Incoming::Gap { missing: 0 });
        false
    }

    /// The server does not give what is wanted.
    fn refused(
        &mut self,
        status: u16,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<(), ProtocolError> {
        let reason = format!("HTTP status {status}");
        if self.is_granted || !self.http.is_reusable() {
            return Err(ProtocolError(reason));
        }
        on(Incoming::Pong);
        for request in self.unconfirmed.drain(..) {
            let reason = reason.clone();
            on(Incoming::Refused { request, reason });
        }
        Ok(())
    }
}

fn not_xml() -> ProtocolError {
    ProtocolError("an answer that is no XML document of messages".to_owned())
}

/// The next cursor of a document, if it can be sent.
fn checked(envelope: &Envelope) -> Result<&str, ProtocolError> {
    let next = envelope.next.as_deref().unwrap_or_default();
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic());
    if next.is_empty() || next.len() > CURSOR_BYTES_MAX || !is_plain {
        let why = format!("an answer whose next cursor is {:?}", cut(next));
        return Err(ProtocolError(why));
    }
    Ok(next)
}

/// The body of an answer, which may grow to [`BODY_BYTES_MAX`] when it is unpacked.
fn unpacked(response: &Response) -> Result<Cow<'_, [u8]>, ProtocolError> {
    let coding = response.field("content-encoding").unwrap_or_default();
    if !coding.eq_ignore_ascii_case("gzip") {
        return Ok(Cow::Borrowed(&response.body));
    }
    let mut body = Vec::new();
    let most = BODY_BYTES_MAX as u64 + 1;
    let read = MultiGzDecoder::new(&response.body[..])
        .take(most)
        .read_to_end(&mut body);
    match read {
        Ok(_) if body.len() > BODY_BYTES_MAX => {
            let why = "an answer that is too long when it is unpacked";
            Err(ProtocolError(why.to_owned()))
        }
        Ok(_) => Ok(Cow::Owned(body)),
        Err(_) => Err(ProtocolError("an answer that is no gzip".to_owned())),
    }
}

impl Protocol for HttpProtocol {
    type Event = HouseData;

    fn address(&self) -> &Address {
        &self.address
    }

    fn start(&mut self, _nonce: u64, _out: &mut Vec<u8>) {
        self.is_open = true;
    }

    fn is_ready(&self) -> bool {
        self.is_open
    }

    /// The feed sends all of its messages: the next answer confirms what is wanted.
    fn subscribe(&mut self, request: u64, _topics: &[Topic], out: &mut Vec<u8>) {
        self.unconfirmed.push(request);
        self.ping(out);
    }

    fn unsubscribe(&mut self, request: u64, topics: &[Topic], out: &mut Vec<u8>) {
        self.subscribe(request, topics, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        // A request that cannot be sent is missed as a pong: the connection ends.
        let _sent = self.poll(None, out);
    }

    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn receive(
        &mut self,
        bytes: &[u8],
        received_at: Timestamp,
        out: &mut Vec<u8>,
        on: &mut impl FnMut(Incoming<HouseData>),
    ) -> Result<usize, ProtocolError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let received = match self.http.receive(bytes) {
            Ok(received) => received,
            Err(error @ HttpError::TooLong) => {
                return Err(self.failed(ProtocolError::new(error), on));
            }
            Err(error) => return Err(ProtocolError::new(error)),
        };
        if let Some(response) = received.response {
            self.answered(&response, received_at, out, on)?;
        }
        Ok(received.used)
    }
}

#[cfg(test)]
mod tests;
