//! The venue of the benchmark: blocking sockets, so that a stamp is as near the wire as a program gets.
//!
//! It serves what the adapter needs: one WebSocket with one subscription, the requests of a start, and
//! `POST /api/v3/order`, whose answer is an order without a fill. Signatures are not checked.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use ring::digest;

use crate::wire::{Security, Wire};

pub(crate) const QUOTES: usize = 1_000;
const EVERY: Duration = Duration::from_millis(10);
/// After the last quote, for the last order.
const GRACE: Duration = Duration::from_millis(500);
/// Ask of the first quote, in cents; each next one is a cent dearer.
const FIRST_CENTS: usize = 1_000_000;

/// The one instrument.
const LISTING: &str = r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","baseAssetPrecision":8,"quoteAsset":"USDT","quoteAssetPrecision":8,"orderTypes":["LIMIT","MARKET"],"isSpotTradingAllowed":true,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01","maxPrice":"1000000.00","tickSize":"0.01"},{"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000.00","stepSize":"0.00001"},{"filterType":"NOTIONAL","minNotional":"5.00","maxNotional":"9000000.00","applyMinToMarket":true,"applyMaxToMarket":false,"avgPriceMins":5}]}]}"#;
const BALANCES: &str = r#"{"balances":[{"asset":"USDT","free":"100000.00","locked":"0.00"}]}"#;

/// The orders that came.
struct Orders {
    /// By the number of its quote, when each came.
    arrivals: Vec<Option<Instant>>,
    /// By its client id, what is answered about each.
    answers: BTreeMap<String, String>,
}

pub(crate) struct Venue {
    pub(crate) market: SocketAddr,
    pub(crate) orders: SocketAddr,
    pub(crate) security: Security,
    subscribed: Receiver<Wire>,
    taken: Arc<Mutex<Orders>>,
}

impl Venue {
    /// Listens for one market stream and for as many order connections as come.
    pub(crate) fn open(security: Security) -> Self {
        let market = TcpListener::bind("127.0.0.1:0").unwrap();
        let orders = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = Arc::new(Mutex::new(Orders {
            arrivals: vec![None; QUOTES],
            answers: BTreeMap::new(),
        }));
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
        let noted = Arc::clone(&taken);
        thread::spawn(move || {
            for socket in orders.incoming() {
                let noted = Arc::clone(&noted);
                let wire = Wire::accept(socket.unwrap(), security);
                thread::spawn(move || answer(&mut &wire, &noted));
            }
        });
        Self {
            market: addresses[0],
            orders: addresses[1],
            security,
            subscribed,
            taken,
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
        let orders = self.taken.lock().unwrap();
        let taken = orders.arrivals.iter().zip(&sent);
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

/// Answers the requests of one connection until the other side closes.
fn answer(socket: &mut (impl Read + Write), orders: &Mutex<Orders>) {
    let mut buffer = Vec::new();
    while let Some((head, form)) = read_request(socket, &mut buffer) {
        let now = Instant::now();
        let mut words = head.split(['?', ' ']);
        let body = match (words.next(), words.next(), words.next()) {
            (Some("POST"), Some("/api/v3/order"), _) => take_order(&form, now, orders),
            (_, Some("/api/v3/order"), Some(query)) => {
                let orders = orders.lock().unwrap();
                orders.answers[value(query, "origClientOrderId")].clone()
            }
            (_, Some("/api/v3/exchangeInfo"), _) => LISTING.to_owned(),
            (_, Some("/api/v3/account"), _) => BALANCES.to_owned(),
            (_, Some("/api/v3/time"), _) => format!(r#"{{"serverTime":{}}}"#, unix_ms()),
            _ => "[]".to_owned(),
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if socket.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Stamps an order.
fn take_order(form: &str, now: Instant, orders: &Mutex<Orders>) -> String {
    let (price, client_id) = (value(form, "price"), value(form, "newClientOrderId"));
    let number = cents(price) - FIRST_CENTS;
    let mut orders = orders.lock().unwrap();
    orders.arrivals[number] = Some(now);
    let answer = format!(
        r#"{{"symbol":"BTCUSDT","orderId":{},"clientOrderId":"{client_id}","transactTime":{},"price":"{price}","origQty":"{}","executedQty":"0.00000000","status":"EXPIRED","timeInForce":"IOC","type":"LIMIT","side":"BUY","fills":[]}}"#,
        number + 1,
        unix_ms(),
        value(form, "quantity"),
    );
    orders.answers.insert(client_id.to_owned(), answer.clone());
    answer
}

/// The value of a parameter.
fn value<'a>(form: &'a str, name: &str) -> &'a str {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(known, _)| *known == name);
    named.next().unwrap().1
}

fn unix_ms() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_millis()
}

/// A price of at most two places.
fn cents(price: &str) -> usize {
    let (whole, fraction) = price.split_once('.').unwrap_or((price, ""));
    format!("{whole}{fraction:0<2}").parse().unwrap()
}

/// Head and body of the next request.
fn read_request(socket: &mut impl Read, buffer: &mut Vec<u8>) -> Option<(String, String)> {
    let head = read_head(socket, buffer)?;
    let length = header(&head, "content-length").unwrap_or("0");
    let length: usize = length.parse().ok()?;
    while buffer.len() < length {
        read_more(socket, buffer)?;
    }
    let body: Vec<u8> = buffer.drain(..length).collect();
    Some((head, String::from_utf8(body).ok()?))
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
