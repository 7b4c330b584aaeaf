//! HTTP/1.1, the server's side over bytes: one request at a time, framed by length.
//!
//! Source: RFC 9112 and, for the opening of a WebSocket, RFC 6455. Bodies in chunks are refused: no client of this interface
//! sends them.

use std::io::Write as _;
use std::net::IpAddr;

use axum::http::StatusCode;
use tradewind_model::Timestamp;
use tungstenite::handshake::derive_accept_key;

use crate::rest::{
    ApiError, BODY_BYTES_MAX, CONTENT_TYPE, Head, KEY_FIELD, RestAnswer, RestRequest, UNIT_FIELD,
};
use crate::websocket::Target;

/// The longest head, and the most fields in one.
const HEAD_BYTES_MAX: usize = 64 << 10;
const FIELDS_MAX: usize = 100;

/// A request that has arrived whole.
#[derive(Debug)]
pub(crate) struct HttpRequest {
    pub(crate) call: Call,
    /// Whether the connection ends with the answer.
    pub(crate) is_last: bool,
    /// Its length, body included.
    pub(crate) bytes: usize,
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Call {
    Rest(RestRequest),
    Upgrade(Upgrade),
    /// It cannot be read, or its method is unknown.
    Refused(ApiError),
}

/// A WebSocket to be opened.
#[derive(Debug)]
pub(crate) struct Upgrade {
    pub(crate) target: Target,
    pub(crate) query: String,
    /// The client's key as the answer proves that it was read.
    accept: String,
}

/// Reads the request at the beginning of `input`, if all of it is there.
pub(crate) fn read(input: &[u8], address: IpAddr) -> Option<HttpRequest> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    let within = input.get(..HEAD_BYTES_MAX).unwrap_or(input);
    let head_bytes = match request.parse(within) {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) if within.len() < HEAD_BYTES_MAX => return None,
        Ok(httparse::Status::Partial) => return Some(unreadable(431)),
        Err(_) => return Some(unreadable(400)),
    };
    let fields = Fields(request.headers);
    if fields.text("transfer-encoding").is_some() {
        return Some(unreadable(411));
    }
    let length = fields.text("content-length").unwrap_or("0");
    let Ok(body_bytes) = length.parse::<usize>() else {
        return Some(unreadable(400));
    };
    let body = if body_bytes > BODY_BYTES_MAX {
        None
    } else {
        Some(input.get(head_bytes..head_bytes + body_bytes)?)
    };
    let (path, query) = split(request.path.unwrap_or_default());
    let head = Head {
        method: request.method.unwrap_or_default(),
        path,
        query,
        key: fields.text(KEY_FIELD),
        unit: fields.text(UNIT_FIELD),
    };
    let call = match Target::of(path) {
        Some(target) => upgrade(target, head, &fields).map(Call::Upgrade),
        None => RestRequest::read(address, head, body).map(Call::Rest),
    };
    Some(HttpRequest {
        call: call.unwrap_or_else(Call::Refused),
        is_last: body.is_none()
            || request.version == Some(0)
            || fields.lists("connection", "close"),
        bytes: head_bytes + body.map_or(0, <[u8]>::len),
    })
}

/// A request behind which no other can be found.
fn unreadable(status: u16) -> HttpRequest {
    let error = ApiError {
        status,
        ..ApiError::UNKNOWN
    };
    HttpRequest {
        call: Call::Refused(error),
        is_last: true,
        bytes: 0,
    }
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn upgrade(target: Target, head: Head<'_>, fields: &Fields<'_>) -> Result<Upgrade, ApiError> {
    let is_upgrade = head.method == "GET"
        && fields.lists("connection", "upgrade")
        && fields.lists("upgrade", "websocket")
        && fields.text("sec-websocket-version") == Some("13");
    let key = fields.text("sec-websocket-key").filter(|_| is_upgrade);
    let key = key.ok_or(ApiError {
        status: 400,
        ..ApiError::UNKNOWN
    })?;
    Ok(Upgrade {
        target,
        query: head.query.to_owned(),
        accept: derive_accept_key(key.as_bytes()),
    })
}

/// The fields of a request's head.
struct Fields<'a>(&'a [httparse::Header<'a>]);

impl<'a> Fields<'a> {
    /// The first field of this name; a value that is no text is left out.
    fn text(&self, name: &str) -> Option<&'a str> {
        let mut named = self
            .0
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name));
        std::str::from_utf8(named.next()?.value).ok()
    }

    /// Whether the field is a list with `word` in it.
    fn lists(&self, name: &str, word: &str) -> bool {
        self.text(name).is_some_and(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case(word))
        })
    }
}

/// Appends an answer, with the fields and in the order of the server on sockets.
pub(super) fn write(out: &mut Vec<u8>, answer: &RestAnswer, now: Timestamp, is_last: bool) {
    let reason = StatusCode::from_u16(answer.status).ok();
    let reason = reason
        .and_then(|status| status.canonical_reason())
        .unwrap_or("<none>");
    let mut head = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: {CONTENT_TYPE}\r\n",
        answer.status
    );
    for (name, value) in answer.fields() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if is_last {
        head.push_str("connection: close\r\n");
    }
    let (length, date) = (answer.body.len(), date(now));
    head.push_str(&format!("content-length: {length}\r\ndate: {date}\r\n\r\n"));
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(answer.body.as_bytes());
}

/// Appends the answer that opens a WebSocket.
pub(super) fn write_upgrade(out: &mut Vec<u8>, upgrade: &Upgrade, now: Timestamp) {
    let (accept, date) = (&upgrade.accept, date(now));
    // A write into memory cannot fail.
    drop(write!(
        out,
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-accept: {accept}\r\ndate: {date}\r\n\r\n"
    ));
}

fn date(now: Timestamp) -> String {
    let seconds = jiff::Timestamp::from_second(now.as_millis() / 1_000).unwrap_or_default();
    seconds.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
