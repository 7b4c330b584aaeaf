//! HTTP/1.1, the client's side, as a machine over bytes: one request at a time, one response to it.
//!
//! Bodies are framed by length, by chunks or by the connection's end. Nothing is decompressed here, redirected or repeated. Every
//! length is bounded before memory is taken for it. Source: RFC 9112.

use std::mem;

/// The longest head of a response, and the most header fields in one.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const FIELDS_MAX: usize = 100;
/// The longest line that gives a chunk's size, extensions included, and the longest trailer line.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Interim responses (1xx) before the final one.
const INTERIM_MAX: u8 = 8;
/// Memory taken for a body on the word of its length.
const RESERVE_MAX: u64 = 1024 * 1024;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: &'a str,
    /// As the `Host` field names it.
    pub(crate) host: &'a str,
    /// Further fields.
    pub(crate) fields: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        fields(&self.head)
            .find_map(|(field, value)| field.eq_ignore_ascii_case(name).then_some(value))
    }
}

/// Why a connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("a request holds a character that HTTP does not allow there")]
    Unsendable,
    #[error("the connection takes no further request")]
    Busy,
    #[error("the answer is not HTTP/1.1")]
    Malformed,
    #[error("the answer is too long")]
    TooLong,
    #[error("the answer has an encoding that was not requested")]
    Encoded,
    #[error("bytes without a request")]
    Unasked,
    #[error("connection closed before the answer was complete")]
    Closed,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// After so many more bytes.
    Length(u64),
    /// The line with a chunk's size comes next.
    ChunkSize,
    /// In a chunk, which has so many more bytes.
    Chunk(u64),
    /// Behind a chunk.
    ChunkEnd,
    /// Behind the last chunk.
    Trailers,
    /// With the connection.
    Close,
}

#[derive(Clone, Debug)]
enum State {
    Idle,
    Head { interim: u8 },
    Body(Response, Framing),
    Broken,
}

/// One connection.
#[derive(Clone, Debug)]
pub(crate) struct HttpConnection {
    state: State,
    body_max: usize,
    /// Bodies may be compressed; they are handed out as they came.
    takes_gzip: bool,
    closes: bool,
}

/// What [`HttpConnection::receive`] made of its bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Bytes that are done with; the rest is to be shown again with what follows.
    pub(crate) used: usize,
    pub(crate) response: Option<Response>,
}

impl HttpConnection {
    /// A connection that was just opened, for bodies of at most so many bytes.
    pub(crate) const fn new(body_max: usize) -> Self {
        Self {
            state: State::Idle,
            body_max,
            takes_gzip: false,
            closes: false,
        }
    }

    /// The same for bodies that may be compressed with gzip, which the requests' fields say.
    pub(crate) fn with_gzip(self) -> Self {
        Self {
            takes_gzip: true,
            ..self
        }
    }

    /// Appends a request to `out`.
    ///
    /// # Errors
    /// The request before it was not answered, or this one is [`HttpError::Unsendable`]; nothing was appended.
    pub(crate) fn send(
        &mut self,
        request: &Request<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), HttpError> {
        if !self.is_reusable() {
            return Err(HttpError::Busy);
        }
        if !is_sendable(request) {
            return Err(HttpError::Unsendable);
        }
        let mut put = |text: &str| out.extend_from_slice(text.as_bytes());
        put(request.method.name());
        put(" ");
        put(request.target);
        put(" HTTP/1.1\r\n");
        let length = request.body.len().to_string();
        let length =
            (request.method == Method::Post).then_some(("content-length", length.as_str()));
        let host = [("host", request.host)];
        for (name, value) in host.iter().chain(request.fields).chain(&length) {
            put(name);
            put(": ");
            put(value);
            put("\r\n");
        }
        put("\r\n");
        out.extend_from_slice(request.body);
        self.state = State::Head { interim: 0 };
        Ok(())
    }

    /// Whether another request can be sent.
    pub(crate) const fn is_reusable(&self) -> bool {
        matches!(self.state, State::Idle) && !self.closes
    }

    /// Takes in the bytes that were read and not used yet.
    ///
    /// # Errors
    /// The connection is of no more use.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<Received, HttpError> {
        let mut used = 0;
        loop {
            let rest = bytes.get(used..).unwrap_or_default();
            let step = self
                .step(rest)
                .inspect_err(|_| self.state = State::Broken)?;
            used += step.used;
            if step.response.is_some() || step.used == 0 {
                return Ok(Received { used, ..step });
            }
        }
    }

    /// The connection has ended, which some bodies end with.
    pub(crate) fn ended(&mut self) -> Result<Response, HttpError> {
        match mem::replace(&mut self.state, State::Broken) {
            State::Body(response, Framing::Close) => Ok(response),
            state => limited(state).ok_or(HttpError::Closed),
        }
    }

    /// The connection was lost, whatever its body was to end with.
    pub(crate) fn lost(&mut self) -> Option<Response> {
        limited(mem::replace(&mut self.state, State::Broken))
    }

    fn step(&mut self, bytes: &[u8]) -> Result<Received, HttpError> {
        match &mut self.state {
            State::Broken => Err(HttpError::Closed),
            State::Idle if bytes.is_empty() => Ok(Received::default()),
            State::Idle => Err(HttpError::Unasked),
            State::Head { interim } => {
                let interim = *interim;
                self.head(bytes, interim)
            }
            State::Body(response, framing) => {
                let used = body(response, framing, bytes, self.body_max)?;
                Ok(self.finished(used))
            }
        }
    }

    fn head(&mut self, bytes: &[u8], interim: u8) -> Result<Received, HttpError> {
        let Some(head) = parse_head(bytes)? else {
            return Ok(Received::default());
        };
        if (100..200).contains(&head.status) && head.status != 101 {
            if interim == INTERIM_MAX {
                return Err(HttpError::Malformed);
            }
            let interim = interim + 1;
            self.state = State::Head { interim };
            return Ok(Received {
                used: head.bytes.len(),
                response: None,
            });
        }
        let framing = framing(&head, self.takes_gzip)?;
        self.closes = head.closes() || framing == Framing::Close;
        let mut response = Response {
            status: head.status,
            head: head.bytes.to_vec(),
            body: Vec::new(),
        };
        if let Framing::Length(length) = framing {
            if length > self.body_max as u64 {
                return Err(HttpError::TooLong);
            }
            let reserve = usize::try_from(length.min(RESERVE_MAX)).unwrap_or(0);
            response.body.reserve(reserve);
        }
        self.state = State::Body(response, framing);
        Ok(self.finished(head.bytes.len()))
    }

    /// Hands out the response once its body is complete.
    fn finished(&mut self, used: usize) -> Received {
        let complete = matches!(self.state, State::Body(_, Framing::Length(0)));
        if !complete {
            return Received {
                used,
                response: None,
            };
        }
        match mem::replace(&mut self.state, State::Idle) {
            State::Body(response, _) => Received {
                used,
                response: Some(response),
            },
            State::Idle | State::Head { .. } | State::Broken => Received::default(),
        }
    }
}

/// The response of 418 or 429 whose body was cut: its head says for how long nothing may leave.
fn limited(state: State) -> Option<Response> {
    match state {
        State::Body(response, _) if matches!(response.status, 418 | 429) => Some(response),
        State::Idle | State::Head { .. } | State::Body(..) | State::Broken => None,
    }
}

/// Takes body bytes; how many. A complete body is one of which no bytes are left.
fn body(
    response: &mut Response,
    framing: &mut Framing,
    bytes: &[u8],
    body_max: usize,
) -> Result<usize, HttpError> {
    let (used, next) = match *framing {
        Framing::Length(left) => {
            let taken = take(response, bytes, left);
            (taken, Framing::Length(left - taken as u64))
        }
        Framing::Close => {
            let room = body_max - response.body.len();
            if bytes.len() > room {
                return Err(HttpError::TooLong);
            }
            (take(response, bytes, u64::MAX), Framing::Close)
        }
        Framing::Chunk(left) => {
            let taken = take(response, bytes, left);
            let left = left - taken as u64;
            let next = if left == 0 {
                Framing::ChunkEnd
            } else {
                Framing::Chunk(left)
            };
            (taken, next)
        }
        Framing::ChunkSize => return chunk_size(response, framing, bytes, body_max),
        Framing::ChunkEnd => match bytes {
            [b'\r', b'\n', ..] => (2, Framing::ChunkSize),
            [] | [b'\r'] => (0, Framing::ChunkEnd),
            _ => return Err(HttpError::Malformed),
        },
        Framing::Trailers => match line(bytes)? {
            None => (0, Framing::Trailers),
            Some(b"\n" | b"\r\n") => (line(bytes)?.map_or(0, <[u8]>::len), Framing::Length(0)),
            Some(trailer) => (trailer.len(), Framing::Trailers),
        },
    };
    *framing = next;
    Ok(used)
}

fn chunk_size(
    response: &Response,
    framing: &mut Framing,
    bytes: &[u8],
    body_max: usize,
) -> Result<usize, HttpError> {
    let Some(line) = line(bytes)? else {
        return Ok(0);
    };
    let Ok(httparse::Status::Complete((used, size))) = httparse::parse_chunk_size(line) else {
        return Err(HttpError::Malformed);
    };
    if size > (body_max - response.body.len()) as u64 {
        return Err(HttpError::TooLong);
    }
    *framing = if size == 0 {
        Framing::Trailers
    } else {
        Framing::Chunk(size)
    };
    Ok(used)
}

fn take(response: &mut Response, bytes: &[u8], left: u64) -> usize {
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    response.body.extend_from_slice(&bytes[..count]);
    count
}

/// The first line with its end, once it is whole.
fn line(bytes: &[u8]) -> Result<Option<&[u8]>, HttpError> {
    let within = bytes.get(..LINE_BYTES_MAX).unwrap_or(bytes);
    match within.iter().position(|byte| *byte == b'\n') {
        Some(end) => Ok(within.get(..=end)),
        None if within.len() == LINE_BYTES_MAX => Err(HttpError::TooLong),
        None => Ok(None),
    }
}

/// A response's head.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) status: u16,
    /// All of it, with the empty line.
    pub(crate) bytes: &'a [u8],
    is_1_1: bool,
}

impl Head<'_> {
    /// The values of a field, in order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let named =
            move |(field, value): (&str, _)| field.eq_ignore_ascii_case(name).then_some(value);
        fields(self.bytes).filter_map(named)
    }

    /// Whether a field is a list with this word in it.
    pub(crate) fn lists(&self, name: &str, word: &str) -> bool {
        let mut words = self.values(name).flat_map(|value| value.split(','));
        words.any(|listed| listed.trim().eq_ignore_ascii_case(word))
    }

    fn closes(&self) -> bool {
        self.lists("connection", "close")
            || (!self.is_1_1 && !self.lists("connection", "keep-alive"))
    }
}

/// Reads a response's head, once it is whole.
///
/// # Errors
/// It is none, or too long.
pub(crate) fn parse_head(bytes: &[u8]) -> Result<Option<Head<'_>>, HttpError> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let within = bytes.get(..HEAD_BYTES_MAX).unwrap_or(bytes);
    match response.parse(within) {
        Ok(httparse::Status::Complete(length)) => Ok(Some(Head {
            status: response.code.ok_or(HttpError::Malformed)?,
            is_1_1: response.version == Some(1),
            bytes: within.get(..length).ok_or(HttpError::Malformed)?,
        })),
        Ok(httparse::Status::Partial) if within.len() == HEAD_BYTES_MAX => Err(HttpError::TooLong),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(HttpError::TooLong),
        Err(_) => Err(HttpError::Malformed),
    }
}

/// The fields of a head that httparse has accepted; a value that is no text is left out.
fn fields(head: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    lines.filter_map(|line| {
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        Some((name, value.trim()))
    })
}

fn framing(head: &Head<'_>, takes_gzip: bool) -> Result<Framing, HttpError> {
    let is_taken = |coding: &str| {
        coding.eq_ignore_ascii_case("identity")
            || (takes_gzip && coding.eq_ignore_ascii_case("gzip"))
    };
    if !head.values("content-encoding").all(is_taken) {
        return Err(HttpError::Encoded);
    }
    if matches!(head.status, 101 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let mut codings = head.values("transfer-encoding");
    if let Some(coding) = codings.next() {
        // A Content-Length beside it is ignored (RFC 9112, 6.3).
        return match codings.next() {
            None if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::ChunkSize),
            _ => Err(HttpError::Encoded),
        };
    }
    let mut lengths = head.values("content-length");
    let Some(length) = lengths.next() else {
        return Ok(Framing::Close);
    };
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse() {
        Ok(count) if is_number && lengths.all(|other| other == length) => {
            Ok(Framing::Length(count))
        }
        _ => Err(HttpError::Malformed),
    }
}

/// Whether the request can be written without turning into something else.
fn is_sendable(request: &Request<'_>) -> bool {
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let value = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
    };
    let field = |(name, text): &(&str, &str)| plain(name) && value(text);
    request.target.starts_with('/')
        && plain(request.target)
        && plain(request.host)
        && request.fields.iter().all(field)
}

#[cfg(test)]
mod tests;
