//! The least possible work: one thread reads quotes and posts signed orders, and waits for each answer.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tradewind_venues::binance::sign_hmac;

use crate::venue::{Venue, header, read_head, read_more};
use crate::wire::{Security, Wire};

/// Syncs, and frames, of one run.
const SYNCS: usize = 500;

pub(crate) fn measure(venue: &Venue) -> Vec<Duration> {
    let market = subscribe(Wire::connect(venue.market, venue.security));
    let orders = Wire::connect(venue.orders, venue.security);
    let trader = thread::spawn(move || trade(market, &orders));
    let taken = venue.measure();
    trader.join().unwrap();
    taken
}

fn subscribe(wire: Wire) -> (Wire, Vec<u8>) {
    let mut buffer = Vec::new();
    let mut socket = &wire;
    socket
        .write_all(b"GET /stream HTTP/1.1\r\nHost: venue\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        .unwrap();
    read_head(&mut socket, &mut buffer).unwrap();
    let request = br#"{"method":"SUBSCRIBE","id":1}"#;
    let mut frame = vec![0x81, 128 | u8::try_from(request.len()).unwrap(), 0, 0, 0, 0];
    frame.extend(request);
    socket.write_all(&frame).unwrap();
    (wire, buffer)
}

fn trade((market, mut buffer): (Wire, Vec<u8>), mut orders: &Wire) {
    let mut market = &market;
    let mut number = 0;
    while read_more(&mut market, &mut buffer).is_some() {
        while let Some(text) = next_text(&mut buffer) {
            let Some(price) = ask(&text) else { continue };
            number += 1;
            orders.write_all(order(price, number).as_bytes()).unwrap();
            read_answer(&mut orders);
        }
    }
}

/// The next whole frame of the server.
fn next_text(buffer: &mut Vec<u8>) -> Option<String> {
    let (start, length) = match buffer.as_slice() {
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        [_, short, ..] if *short < 126 => (2, usize::from(*short)),
        _ => return None,
    };
    let text = buffer.get(start..start + length)?.to_vec();
    buffer.drain(..start + length);
    String::from_utf8(text).ok()
}

/// The ask, cut to two places.
fn ask(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(r#""a":""#)?;
    let point = rest.find('.')?;
    rest.get(..point + 3)
}

fn order(price: &str, number: u32) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let form = format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price={price}&quantity=0.01&newClientOrderId={number:032x}&newOrderRespType=FULL&recvWindow=5000&timestamp={}",
        now.as_millis()
    );
    let signature = sign_hmac("secret", &form);
    format!(
        "POST /api/v3/order HTTP/1.1\r\nHost: venue\r\nContent-Type: application/x-www-form-urlencoded\r\nX-MBX-APIKEY: key\r\nContent-Length: {}\r\n\r\n{form}&signature={signature}",
        form.len() + "&signature=".len() + signature.len()
    )
}

fn read_answer(orders: &mut impl Read) {
    let mut buffer = Vec::new();
    let head = read_head(orders, &mut buffer).unwrap();
    let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
    while buffer.len() < length {
        read_more(orders, &mut buffer).unwrap();
    }
}

/// The least a durable intent costs: 256 bytes into space written before, and a sync of them, one each 10 ms.
pub(crate) fn sync() -> Vec<Duration> {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = File::create(dir.path().join("bare")).unwrap();
    file.write_all_at(&vec![0; SYNCS * 256], 0).unwrap();
    file.sync_all().unwrap();
    let record = |number: usize| {
        pause(Duration::from_millis(10));
        let began = Instant::now();
        file.write_all_at(&[1; 256], number as u64 * 256).unwrap();
        file.sync_data().unwrap();
        began.elapsed()
    };
    (0..SYNCS).map(record).collect()
}

/// The least time from a frame sent to a frame read: one thread writes `frame`, one each 10 ms, and another reads it.
pub(crate) fn frames(frame: &[u8], security: Security) -> Vec<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let length = frame.len();
    let reader = thread::spawn(move || {
        let wire = Wire::accept(listener.accept().unwrap().0, security);
        let mut buffer = vec![0; length];
        (&wire).read_exact(&mut [0]).unwrap();
        (&wire).write_all(b"!").unwrap();
        let read = |_| {
            (&wire).read_exact(&mut buffer).unwrap();
            Instant::now()
        };
        (0..SYNCS).map(read).collect::<Vec<_>>()
    });
    let wire = Wire::connect(address, security);
    // Each side has read once: the handshake is over.
    (&wire).write_all(b"?").unwrap();
    (&wire).read_exact(&mut [0]).unwrap();
    let write = |_| {
        pause(Duration::from_millis(10));
        let sent = Instant::now();
        (&wire).write_all(frame).unwrap();
        sent
    };
    let sent: Vec<_> = (0..SYNCS).map(write).collect();
    let arrived = reader.join().unwrap().into_iter().zip(sent);
    arrived
        .map(|(read, sent)| read.duration_since(sent))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench paces itself in real time"
)]
fn pause(time: Duration) {
    thread::sleep(time);
}
