//! The venue of the benchmark: blocking sockets, so that a stamp is as near the wire as a program gets.
//!
//! It serves what the adapter needs: one WebSocket with one subscription, and `POST /api/v3/order`, whose answer is an
//! order without a fill. Signatures are not checked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use ring::digest;

use crate::wire::{Security, Wire};

pub(crate) const QUOTES: usize = 1_000;
const EVERY: Duration = Duration::from_millis(10);
/// After the last quote, for the last order.
const GRACE: Duration = Duration::from_millis(500);
/// Ask of the first quote, in cents; each next one is a cent dearer.
const FIRST_CENTS: usize = 1_000_000;

type Arrivals = Arc<Mutex<Vec<Option<Instant>>>>;

pub(crate) struct Venue {
    pub(crate) market: SocketAddr,
    pub(crate) orders: SocketAddr,
    pub(crate) security: Security,
    subscribed: Receiver<Wire>,
    arrivals: Arrivals,
}

impl Venue {
    /// Listens for one market stream and for as many order connections as come.
    pub(crate) fn open(security: Security) -> Self {
        let market = TcpListener::bind("127.0.0.1:0").unwrap();
        let orders = TcpListener::bind("127.0.0.1:0").unwrap();
        let arrivals: Arrivals = Arc::new(Mutex::new(vec![None; QUOTES]));
        let (subscribe, subscribed) = channel();
        let addresses = [&market, &orders].map(|listener| listener.local_addr().unwrap());
        // Both threads end with the process, because nothing stops a listener.
        thread::spawn(move || {
            let (socket, _) = market.accept().unwrap();
            let wire = Wire::accept(socket, security);
            shake_hands(&mut &wire);
            grant(&mut &wire);
            subscribe.send(wire).unwrap();
        });
        let noted = Arc::clone(&arrivals);
        thread::spawn(move || {
            for socket in orders.incoming() {
                let noted = Arc::clone(&noted);
                let wire = Wire::accept(socket.unwrap(), security);
                thread::spawn(move || take_orders(&mut &wire, &noted));
            }
        });
        Self {
            market: addresses[0],
            orders: addresses[1],
            security,
            subscribed,
            arrivals,
        }
    }

    /// Sends the quotes to the subscriber. Returns the time from quote to order for each quote that led to an order.
    pub(crate) fn measure(&self) -> Vec<Duration> {
        let wire = self
            .subscribed
            .recv_timeout(Duration::from_secs(20))
            .unwrap();
        let mut sent = Vec::with_capacity(QUOTES);
        let origin = Instant::now() + Duration::from_millis(200);
        for number in 0..QUOTES {
            let frame = frame(number);
            let due = origin + EVERY * u32::try_from(number).unwrap();
            #[expect(
                clippy::disallowed_methods,
                reason = "a bench paces its venue in real time"
            )]
            thread::sleep(due.saturating_duration_since(Instant::now()));
            sent.push(Instant::now());
            (&wire).write_all(&frame).unwrap();
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a bench paces its venue in real time"
        )]
        thread::sleep(GRACE);
        let arrivals = self.arrivals.lock().unwrap();
        let taken = arrivals.iter().zip(&sent);
        taken
            .filter_map(|(arrived, sent)| Some((*arrived)?.duration_since(*sent)))
            .collect()
    }
}

/// A book ticker as a text frame.
fn frame(number: usize) -> Vec<u8> {
    let (bid, ask) = (FIRST_CENTS + number - 1, FIRST_CENTS + number);
    let text = format!(
        r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{},"s":"BTCUSDT","b":"{}.{:02}000000","B":"3.78826000","a":"{}.{:02}000000","A":"1.54698000"}}}}"#,
        number + 1,
        bid / 100,
        bid % 100,
        ask / 100,
        ask % 100,
    );
    server_frame(&text)
}

pub(crate) fn server_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length) if length < 126 => frame.push(length),
        _ => {
            frame.push(126);
            frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend(text.bytes());
    frame
}

/// RFC 6455, section 4.2.2.
fn shake_hands(socket: &mut (impl Read + Write)) {
    let head = read_head(socket, &mut Vec::new()).unwrap();
    let key = header(&head, "sec-websocket-key").unwrap();
    let salted = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, salted.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        BASE64.encode(hash.as_ref())
    );
    socket.write_all(answer.as_bytes()).unwrap();
}

/// Reads the subscription, whose frame is masked, and grants it.
fn grant(socket: &mut (impl Read + Write)) {
    let mut start = [0; 2];
    socket.read_exact(&mut start).unwrap();
    let mut length = usize::from(start[1] & 127);
    if length == 126 {
        let mut long = [0; 2];
        socket.read_exact(&mut long).unwrap();
        length = usize::from(u16::from_be_bytes(long));
    }
    let mut masked = vec![0; 4 + length];
    socket.read_exact(&mut masked).unwrap();
    let (mask, text) = masked.split_at(4);
    let text = text
        .iter()
        .zip(mask.iter().cycle())
        .map(|(byte, mask)| byte ^ mask);
    let request: serde_json::Value = serde_json::from_slice(&text.collect::<Vec<u8>>()).unwrap();
    let granted = format!(r#"{{"result":null,"id":{}}}"#, request["id"]);
    socket.write_all(&server_frame(&granted)).unwrap();
}

/// Stamps each order of one connection and answers it, until the other side closes.
fn take_orders(socket: &mut (impl Read + Write), arrivals: &Arrivals) {
    let mut buffer = Vec::new();
    let mut count = 0;
    while let Some(form) = read_request(socket, &mut buffer) {
        let now = Instant::now();
        let value = |name: &str| {
            let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
            let mut named = pairs.filter(|(known, _)| *known == name);
            named.next().unwrap().1
        };
        let price = value("price");
        let cents = cents(price);
        arrivals.lock().unwrap()[cents - FIRST_CENTS] = Some(now);
        count += 1;
        let body = format!(
            r#"{{"symbol":"BTCUSDT","orderId":{count},"clientOrderId":"{}","transactTime":1700000000000,"price":"{price}","origQty":"{}","executedQty":"0.00000000","status":"EXPIRED","timeInForce":"IOC","type":"LIMIT","side":"BUY","fills":[]}}"#,
            value("newClientOrderId"),
            value("quantity"),
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if socket.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A price of at most two places.
fn cents(price: &str) -> usize {
    let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
    format!("{whole}{fraction:0<2}").parse().unwrap()
}

/// The body of the next request.
fn read_request(socket: &mut impl Read, buffer: &mut Vec<u8>) -> Option<String> {
    let head = read_head(socket, buffer)?;
    let length: usize = header(&head, "content-length")?.parse().ok()?;
    while buffer.len() < length {
        read_more(socket, buffer)?;
    }
    let body: Vec<u8> = buffer.drain(..length).collect();
    String::from_utf8(body).ok()
}

/// A head up to its empty line, which is taken out of the buffer.
pub(crate) fn read_head(socket: &mut impl Read, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = buffer.drain(..end + 4).collect();
            return String::from_utf8(head).ok();
        }
        read_more(socket, buffer)?;
    }
}

/// `None` once the other side has closed.
pub(crate) fn read_more(socket: &mut impl Read, buffer: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4_096];
    let length = socket.read(&mut chunk).ok().filter(|length| *length > 0)?;
    buffer.extend(&chunk[..length]);
    Some(())
}

pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    Some(named.next()?.1.trim())
}
