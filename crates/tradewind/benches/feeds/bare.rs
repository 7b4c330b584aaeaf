//! The least work there is with each transport.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;

use crate::feed::{Feed, Kind};

/// A blocking read, and steps from message to message.
pub(crate) fn read(feed: &Arc<Feed>) -> Duration {
    let (address, serving) = feed.serve(false);
    let mut socket = TcpStream::connect(address).unwrap();
    if feed.kind.is_websocket() {
        socket
            .write_all(b"GET / HTTP/1.1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
    }
    let started = Instant::now();
    let mut buffer = vec![0; 4 << 20];
    let (mut kept, mut total) = (0, 0);
    let mut messages = 0_u64;
    let is_polled = feed.kind == Kind::Http;
    if is_polled {
        poll(&mut socket);
    }
    while total < feed.bytes.len() {
        let length = socket.read(&mut buffer[kept..]).unwrap();
        total += length;
        kept += length;
        let mut at = 0;
        while let Some(step) = step(feed.kind, &buffer[at..kept]) {
            at += step;
            messages += feed.quotes_of_a_message();
            if is_polled && messages < feed.quotes {
                poll(&mut socket);
            }
        }
        buffer.copy_within(at..kept, 0);
        kept -= at;
    }
    let taken = started.elapsed();
    assert!(messages >= feed.quotes, "{messages}");
    drop(socket);
    serving.join().unwrap();
    taken
}

/// How long the first message is, if it is whole.
fn step(kind: Kind, bytes: &[u8]) -> Option<usize> {
    let length = match kind {
        Kind::Tcp => 4 + u32::from_be_bytes(*bytes.first_chunk()?) as usize,
        Kind::Redis => {
            // Everything before the last length has one form.
            let head = "*3\r\n$7\r\nmessage\r\n$6\r\nprices\r\n$".len();
            let rest = bytes.get(head..)?;
            let end = rest.iter().position(|byte| *byte == b'\r')?;
            let digits = rest[..end].iter();
            let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
            head + end + 2 + length + 2
        }
        Kind::Http => {
            let (head, length) = head_of_answer(bytes)?;
            head + length
        }
        Kind::Binance | Kind::Snapshots | Kind::Json => match bytes.get(1)? {
            126 => 4 + usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
            127 => {
                10 + usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).unwrap()
            }
            short => 2 + usize::from(*short),
        },
    };
    (bytes.len() >= length).then_some(length)
}

/// The next request of a feed that is polled.
fn poll(socket: &mut TcpStream) {
    socket
        .write_all(b"GET /feed HTTP/1.1\r\nHost: bare\r\n\r\n")
        .unwrap();
}

/// How long the head of an answer is, and its body; nothing while the head still comes.
fn head_of_answer(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(head) = response.parse(bytes).unwrap() else {
        return None;
    };
    let length = response
        .headers
        .iter()
        .find(|field| field.name == "Content-Length");
    let length = std::str::from_utf8(length.unwrap().value).unwrap();
    Some((head, length.parse().unwrap()))
}

/// What a client's library alone makes of the same bytes; nothing where our own protocol has none.
pub(crate) fn library(feed: &Arc<Feed>) -> Option<Duration> {
    match feed.kind {
        Kind::Binance | Kind::Snapshots | Kind::Json => Some(websocket(feed)),
        Kind::Redis => Some(redis(feed)),
        Kind::Http => Some(xml(feed)),
        Kind::Tcp => None,
    }
}

/// The parser of the Redis client. It does not look into the payload, which is JSON.
fn redis(feed: &Arc<Feed>) -> Duration {
    let (address, serving) = feed.serve(false);
    let socket = BufReader::with_capacity(1 << 16, TcpStream::connect(address).unwrap());
    let mut socket = socket;
    let started = Instant::now();
    let mut parser = redis::Parser::new();
    for _ in 0..feed.quotes {
        let value = parser.parse_value(&mut socket).unwrap();
        assert!(matches!(black_box(value), redis::Value::Array(_)));
    }
    let taken = started.elapsed();
    drop(socket);
    serving.join().unwrap();
    taken
}

/// Whole answers in UTF-8, and by the XML library every attribute of every element, with what its entities stand for.
fn xml(feed: &Arc<Feed>) -> Duration {
    let (address, serving) = feed.serve(false);
    let mut socket = BufReader::with_capacity(1 << 16, TcpStream::connect(address).unwrap());
    let started = Instant::now();
    let mut elements = 0;
    while elements < feed.quotes {
        poll(socket.get_mut());
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            socket.read_until(b'\n', &mut head).unwrap();
        }
        let (_, length) = head_of_answer(&head).unwrap();
        let mut body = vec![0; length];
        socket.read_exact(&mut body).unwrap();
        let text = std::str::from_utf8(&body).unwrap();
        let mut reader = quick_xml::Reader::from_str(text);
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Empty(tag) => {
                    elements += 1;
                    for attribute in tag.attributes() {
                        let attribute = attribute.unwrap();
                        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
                        black_box((attribute.key, value.unwrap()));
                    }
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
    }
    let taken = started.elapsed();
    drop(socket);
    serving.join().unwrap();
    taken
}

fn websocket(feed: &Arc<Feed>) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (address, serving) = feed.serve(false);
    let taken = runtime.block_on(async {
        let url = format!("ws://{address}/stream");
        let (mut stream, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let started = Instant::now();
        let (feed, mut tasks) = (Arc::clone(feed), tokio::task::JoinSet::new());
        tasks.spawn(async move {
            let mut left = feed.quotes;
            while left > 0 {
                let message = black_box(stream.next().await.unwrap().unwrap());
                left -= u64::from(message.len() < 100_000);
            }
        });
        tasks.join_all().await;
        started.elapsed()
    });
    serving.join().unwrap();
    taken
}
