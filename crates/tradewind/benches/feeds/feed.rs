//! What is sent, and the other side of each transport's handshake.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use data_encoding::BASE64;
use ring::digest;
use serde_json::{Value, json};

const QUOTES: u64 = 500_000;
/// With snapshots: one of about a mebibyte after so many quotes.
const SNAPSHOT_EVERY: u64 = 10_000;
/// Quotes of an answer to a poll, some 250 KiB.
const POLLED: u64 = 2_000;

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Binance,
    Snapshots,
    Json,
    Tcp,
    Redis,
    Http,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Binance => "binance",
            Self::Snapshots => "snapshots",
            Self::Json => "json",
            Self::Tcp => "tcp",
            Self::Redis => "redis",
            Self::Http => "xml",
        }
    }

    pub(crate) const fn is_websocket(self) -> bool {
        matches!(self, Self::Binance | Self::Snapshots | Self::Json)
    }

    /// The source in a configuration; none for the venue.
    pub(crate) fn source(self, address: SocketAddr) -> Option<String> {
        let (kind, scheme, more) = match self {
            Self::Binance | Self::Snapshots => return None,
            Self::Json => ("websocket", "ws", MAPPING),
            Self::Tcp => ("tcp", "tcp", ""),
            Self::Redis => ("redis", "redis", "channels = [\"prices\"]\n"),
            Self::Http => ("http", "http", ""),
        };
        let path = if self == Self::Http { "/feed" } else { "" };
        Some(format!(
            "[sources.house]\nkind = \"{kind}\"\naddress = \"{scheme}://{address}{path}\"\nheartbeat = \"60s\"\n\
             instruments = [{{ name = \"BTC/USDT\", price_decimals = 2, quantity_decimals = 5 }}]\n{more}"
        ))
    }
}

const MAPPING: &str = r#"
[sources.house.messages]
kind = "type"
quote = "book"
symbol = "data.market"
sequence = "seq"
bid = "data.bids.0.0"
bid_size = "data.bids.0.1"
ask = "data.asks.0.0"
ask_size = "data.asks.0.1"
"#;

/// What is sent over one connection.
pub(crate) struct Feed {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
    pub(crate) quotes: u64,
    /// Where the answers to polls end; a feed that is not polled has none.
    answers: Vec<usize>,
}

impl Feed {
    pub(crate) fn of(kind: Kind) -> Self {
        let mut bytes = Vec::new();
        let mut answers = Vec::new();
        let snapshot = snapshot();
        for number in 1..=QUOTES {
            match kind {
                Kind::Binance | Kind::Snapshots => text_frame(&ticker(number), &mut bytes),
                Kind::Json => text_frame(&book(number), &mut bytes),
                Kind::Tcp => binary(number, &mut bytes),
                Kind::Redis => published(&message(number), &mut bytes),
                Kind::Http if number % POLLED == 0 => {
                    answer_poll(number - POLLED, &mut bytes);
                    answers.push(bytes.len());
                }
                Kind::Http => {}
            }
            if kind == Kind::Snapshots && number % SNAPSHOT_EVERY == 1 {
                text_frame(&snapshot, &mut bytes);
            }
        }
        Self {
            kind,
            bytes,
            quotes: QUOTES,
            answers,
        }
    }

    /// How many quotes one message has, or one answer to a poll.
    pub(crate) const fn quotes_of_a_message(&self) -> u64 {
        match self.kind {
            Kind::Http => POLLED,
            _ => 1,
        }
    }

    /// Listens, shakes hands with the desk and sends everything. With a desk that does not ask, it sends at once.
    pub(crate) fn serve(self: &Arc<Self>, asks: bool) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let feed = Arc::clone(self);
        let serving = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            socket.set_nodelay(true).unwrap();
            match feed.kind {
                kind if kind.is_websocket() => {
                    shake_hands(&mut socket);
                    if asks {
                        grant(&mut socket, kind);
                    }
                }
                Kind::Tcp if asks => welcome(&mut socket),
                Kind::Redis if asks => subscribe(&mut socket),
                _ => {}
            }
            let mut sent = 0;
            for answer in &feed.answers {
                read_head(&mut socket);
                socket.write_all(&feed.bytes[sent..*answer]).unwrap();
                sent = *answer;
            }
            socket.write_all(&feed.bytes[sent..]).unwrap();
            // The other side closes first, so that nothing under way is lost.
            let mut rest = [0; 4_096];
            while socket.read(&mut rest).is_ok_and(|length| length > 0) {}
        });
        (address, serving)
    }
}

fn cents(number: u64) -> u64 {
    number % 100
}

fn ticker(number: u64) -> String {
    let (cents, update) = (cents(number), 50_093_239_212 + number);
    format!(
        r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{update},"s":"BTCUSDT","b":"61837.{cents:02}000000","B":"3.78826000","a":"61838.{cents:02}000000","A":"1.54698000"}}}}"#
    )
}

fn snapshot() -> String {
    let side = |first: u64, step: i64| {
        let level = |place: i64| {
            let price = i64::try_from(first).unwrap() + step * place;
            format!(
                r#"["{}.{:02}000000","1.50000000"]"#,
                price / 100,
                price % 100
            )
        };
        (0..15_000).map(level).collect::<Vec<_>>().join(",")
    };
    format!(
        r#"{{"stream":"btcusdt@depth20@100ms","data":{{"lastUpdateId":1,"bids":[{}],"asks":[{}]}}}}"#,
        side(6_183_700, -1),
        side(6_183_900, 1)
    )
}

fn book(number: u64) -> String {
    let cents = cents(number);
    format!(
        r#"{{"type":"book","seq":{number},"data":{{"market":"BTC/USDT","bids":[["61837.{cents:02}","3.78826"]],"asks":[["61838.{cents:02}","1.54698"]]}}}}"#
    )
}

fn message(number: u64) -> String {
    let cents = cents(number);
    format!(
        r#"{{"kind":"quote","symbol":"BTC/USDT","sequence":{number},"bid":"61837.{cents:02}","ask":"61838.{cents:02}","bid_size":"3.78826","ask_size":"1.54698"}}"#
    )
}

/// A text in one frame, as a server sends it.
pub(crate) fn text_frame(text: &str, out: &mut Vec<u8>) {
    out.push(0x81);
    match u16::try_from(text.len()) {
        Ok(length @ 126..) => {
            out.push(126);
            out.extend(length.to_be_bytes());
        }
        Ok(length) => out.push(u8::try_from(length).unwrap()),
        Err(_) => {
            out.push(127);
            out.extend((text.len() as u64).to_be_bytes());
        }
    }
    out.extend(text.bytes());
}

fn binary(number: u64, out: &mut Vec<u8>) {
    let mut frame = vec![b'Q'];
    frame.extend(number.to_le_bytes());
    symbol("BTC/USDT", &mut frame);
    frame.extend([2, 5]);
    let cents = i64::try_from(cents(number)).unwrap();
    for value in [
        6_183_700 + cents,
        6_183_800 + cents,
        378_826,
        154_698,
        i64::MIN,
    ] {
        frame.extend(value.to_le_bytes());
    }
    framed(&frame, out);
}

fn symbol(text: &str, out: &mut Vec<u8>) {
    out.push(u8::try_from(text.len()).unwrap());
    out.extend(text.bytes());
}

fn framed(frame: &[u8], out: &mut Vec<u8>) {
    out.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
    out.extend_from_slice(frame);
}

fn published(message: &str, out: &mut Vec<u8>) {
    let length = message.len();
    let text = format!("*3\r\n$7\r\nmessage\r\n$6\r\nprices\r\n${length}\r\n{message}\r\n");
    out.extend(text.bytes());
}

/// An answer with the quotes behind a cursor.
fn answer_poll(cursor: u64, out: &mut Vec<u8>) {
    let next = cursor + POLLED;
    let mut body = format!(r#"<feed from="{cursor}" next="{next}">"#);
    if cursor == 0 {
        body = format!(r#"<feed next="{next}">"#);
    }
    for number in cursor + 1..=next {
        let cents = cents(number);
        write!(
            body,
            r#"<quote symbol="BTC/USDT" sequence="{number}" bid="61837.{cents:02}" ask="61838.{cents:02}" bid_size="3.78826" ask_size="1.54698"/>"#
        )
        .unwrap();
    }
    body.push_str("</feed>");
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\r\n"
    );
    out.extend(head.bytes().chain(body.bytes()));
}

/// The head of a request.
fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

/// RFC 6455, section 4.2.2.
pub(crate) fn shake_hands(socket: &mut TcpStream) {
    let head = read_head(socket);
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then_some(value)
    });
    let text = format!("{}258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key.unwrap());
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let accept = BASE64.encode(digest.as_ref());
    write!(
        socket,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .unwrap();
}

/// Reads the subscription and grants it.
fn grant(socket: &mut TcpStream, kind: Kind) {
    let request = client_text(socket);
    let answer = if kind == Kind::Json {
        json!({ "op": "acked", "request": request["request"] })
    } else {
        json!({ "result": null, "id": request["id"] })
    };
    let mut frame = Vec::new();
    text_frame(&answer.to_string(), &mut frame);
    socket.write_all(&frame).unwrap();
}

/// A text of a client, masked.
pub(crate) fn client_text(socket: &mut TcpStream) -> Value {
    let mut head = [0; 2];
    socket.read_exact(&mut head).unwrap();
    let mut length = usize::from(head[1] & 0x7f);
    if length == 126 {
        let mut long = [0; 2];
        socket.read_exact(&mut long).unwrap();
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut mask = [0; 4];
    socket.read_exact(&mut mask).unwrap();
    let mut text = vec![0; length];
    socket.read_exact(&mut text).unwrap();
    for (byte, mask) in text.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    serde_json::from_slice(&text).unwrap()
}

/// Answers the login, and grants what is subscribed to.
fn welcome(socket: &mut TcpStream) {
    loop {
        let mut length = [0; 4];
        socket.read_exact(&mut length).unwrap();
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        socket.read_exact(&mut frame).unwrap();
        let mut out = Vec::new();
        match frame[0] {
            b'L' => answer(b'W', &[0, 1, 0], &mut out),
            b'S' => {
                let request = u64::from_le_bytes(frame[1..9].try_into().unwrap());
                answer(b'A', &[0, request], &mut out);
            }
            _ => answer(b'H', &[0], &mut out),
        }
        socket.write_all(&out).unwrap();
        if frame[0] == b'S' {
            return;
        }
    }
}

fn answer(kind: u8, words: &[u64], out: &mut Vec<u8>) {
    let mut frame = vec![kind];
    for word in words {
        frame.extend(word.to_le_bytes());
    }
    framed(&frame, out);
}

/// Answers HELLO and PING, and grants the channel.
fn subscribe(socket: &mut TcpStream) {
    let mut input = Vec::new();
    loop {
        let mut part = [0; 1_024];
        let length = socket.read(&mut part).unwrap();
        input.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&input).to_uppercase();
        let mut out = String::new();
        if text.contains("HELLO") {
            out.push_str(
                "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n",
            );
        }
        let subscribes = text.contains("SUBSCRIBE");
        if subscribes {
            out.push_str("*3\r\n$9\r\nsubscribe\r\n$6\r\nprices\r\n:1\r\n");
        }
        if text.contains("PING") {
            out.push_str(if subscribes {
                "*2\r\n$4\r\npong\r\n$0\r\n\r\n"
            } else {
                "+PONG\r\n"
            });
        }
        input.clear();
        socket.write_all(out.as_bytes()).unwrap();
        if subscribes {
            return;
        }
    }
}
