//! Between the desk and the exchange: passes everything on, but the quotes of one instrument are its own, and it stamps
//! the arrival of that instrument's orders.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::venue::{header, read_head, read_more, server_frame};
use crate::wire::{Security, Wire};

/// The relay. Its threads end with their connections, or with the process.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    orders: Receiver<Instant>,
    quotes: u64,
}

struct Shared {
    /// The venue's spelling of the instrument, such as `LTCUSDT`.
    symbol: String,
    exchange: String,
    /// The connection on which the desk receives the instrument's quotes.
    market: Mutex<Option<Arc<Wire>>>,
    orders: Sender<Instant>,
}

impl Relay {
    /// Listens, and passes on to `exchange`.
    pub(crate) fn start(exchange: &str, symbol: &str, security: Security) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, orders) = channel();
        let shared = Arc::new(Shared {
            symbol: symbol.to_owned(),
            exchange: exchange.to_owned(),
            market: Mutex::new(None),
            orders: sender,
        });
        let relaying = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (shared, socket) = (Arc::clone(&relaying), socket.unwrap());
                thread::spawn(move || shared.serve(socket, security));
            }
        });
        Self {
            address,
            shared,
            orders,
            quotes: 0,
        }
    }

    /// Whether the desk receives the instrument's quotes.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.shared.market.lock().unwrap().is_some()
    }

    /// Sends a quote, with the price in hundredths. Returns the time until the order arrives; `None` if none does.
    pub(crate) fn quote(&mut self, cents: u64, patience: Duration) -> Option<Duration> {
        // An order that comes too late belongs to an earlier quote.
        while self.orders.try_recv().is_ok() {}
        let market = self.shared.market.lock().unwrap().clone().unwrap();
        self.quotes += 1;
        let frame = self.frame(cents);
        let sent = Instant::now();
        (&*market).write_all(&frame).unwrap();
        let arrived = self.orders.recv_timeout(patience).ok()?;
        Some(arrived.duration_since(sent))
    }

    /// A book ticker as a text frame. Its update number is above each of the exchange's.
    fn frame(&self, cents: u64) -> Vec<u8> {
        let symbol = &self.shared.symbol;
        let price = |cents: u64| format!("{}.{:02}000000", cents / 100, cents % 100);
        server_frame(&format!(
            r#"{{"stream":"{}@bookTicker","data":{{"u":{},"s":"{symbol}","b":"{}","B":"900.00000000","a":"{}","A":"900.00000000"}}}}"#,
            symbol.to_lowercase(),
            1_000_000_000_000 + self.quotes,
            price(cents - 1),
            price(cents),
        ))
    }
}

impl Shared {
    /// Serves a connection of the desk until either side closes.
    fn serve(self: Arc<Self>, socket: TcpStream, security: Security) {
        let wire = Arc::new(Wire::accept(socket, security));
        let upstream = TcpStream::connect(&self.exchange).unwrap();
        upstream.set_nodelay(true).unwrap();
        let (mut back, mut up) = (upstream.try_clone().unwrap(), upstream);
        let mut buffer = Vec::new();
        let Some(head) = read_head(&mut &*wire, &mut buffer) else {
            return;
        };
        let desk = Arc::clone(&wire);
        if header(&head, "upgrade").is_none() {
            thread::spawn(move || pass(&mut back, &mut &*desk));
            self.pass_requests((&wire, buffer), head, &mut up);
        } else {
            let shared = Arc::clone(&self);
            thread::spawn(move || shared.pass_frames(&mut back, &desk));
            up.write_all(head.as_bytes()).unwrap();
            up.write_all(&buffer).unwrap();
            pass(&mut &*wire, &mut up);
        }
        // It may be closed already.
        drop(up.shutdown(std::net::Shutdown::Both));
        wire.shut_down();
    }

    /// Requests of one connection, each stamped as soon as it is whole.
    fn pass_requests(
        &self,
        (wire, mut buffer): (&Wire, Vec<u8>),
        first: String,
        up: &mut TcpStream,
    ) {
        let mut next = Some(first);
        while let Some(head) = next {
            let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
            while buffer.len() < length {
                if read_more(&mut &*wire, &mut buffer).is_none() {
                    return;
                }
            }
            let arrived = Instant::now();
            let body: Vec<u8> = buffer.drain(..length).collect();
            // Entries, and exits that replace their stop; the stops themselves answer fills.
            if head.starts_with("POST /api/v3/order") && is_of(&body, &self.symbol) {
                self.orders.send(arrived).unwrap();
            }
            let request = [head.as_bytes(), &body].concat();
            if up.write_all(&request).is_err() {
                return;
            }
            next = read_head(&mut &*wire, &mut buffer);
        }
    }

    /// The exchange's frames, without the quotes of the instrument.
    fn pass_frames(&self, exchange: &mut TcpStream, desk: &Arc<Wire>) {
        let mut buffer = Vec::new();
        let Some(head) = read_head(exchange, &mut buffer) else {
            return;
        };
        let quote = format!("\"{}@bookTicker\"", self.symbol.to_lowercase());
        let mut open = (&**desk).write_all(head.as_bytes()).is_ok();
        while open {
            while let Some(frame) = next_frame(&mut buffer) {
                if contains(&frame, quote.as_bytes()) {
                    *self.market.lock().unwrap() = Some(Arc::clone(desk));
                } else if (&**desk).write_all(&frame).is_err() {
                    return;
                }
            }
            open = read_more(exchange, &mut buffer).is_some();
        }
        desk.shut_down();
    }
}

/// Copies until either side closes.
fn pass(from: &mut impl Read, to: &mut impl Write) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

/// Whether a form is a market order of the symbol.
fn is_of(form: &[u8], symbol: &str) -> bool {
    contains(form, format!("symbol={symbol}&").as_bytes()) && contains(form, b"type=MARKET&")
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|part| part == wanted)
}

/// The next whole frame of a server, which masks nothing; its bytes are taken out of the buffer.
fn next_frame(buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (start, length) = match buffer.as_slice() {
        [_, 127, long @ ..] => {
            let length = u64::from_be_bytes(*long.first_chunk()?);
            (10, usize::try_from(length).unwrap())
        }
        [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        [_, short, ..] if *short < 126 => (2, usize::from(*short)),
        _ => return None,
    };
    (buffer.len() >= start + length).then(|| buffer.drain(..start + length).collect())
}
