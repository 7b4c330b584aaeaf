//! OKX, Bybit, Kraken and Coinbase as far as a desk reads them: instruments and candles over HTTP, the rest over a WebSocket, on one port.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use ring::digest;
use serde_json::Value;

use crate::desk::pause;
use crate::feed_book::{Book, Market, Moment};
use crate::feed_words::{BASES, MINUTE, Words, coinbase_list, now_ms};

/// Between two steps of the market.
const STEP_EVERY: Duration = Duration::from_millis(50);
/// How soon a connection sees a step.
const TALK_EVERY: Duration = Duration::from_millis(20);

/// How the venue behaves.
#[derive(Debug, Default)]
pub(crate) struct Conduct {
    /// Its market stands, and it says nothing but pongs.
    pub(crate) is_stalled: bool,
    /// Its books do not change.
    pub(crate) is_held: bool,
    /// It leaves out one change of each book.
    pub(crate) skips_change: bool,
    /// The best bid and ask of its first instrument, in place of those that it has otherwise.
    pub(crate) prices: Option<[String; 2]>,
    /// It sends no snapshots of books.
    pub(crate) withholds_books: bool,
    /// Heads of the requests it was sent.
    pub(crate) requests: Vec<String>,
}

/// What all connections of a venue share.
#[derive(Debug)]
struct Venue {
    words: Words,
    conduct: Mutex<Conduct>,
    market: Mutex<Market>,
}

pub(crate) struct FeedServer {
    pub(crate) address: String,
    venue: Arc<Venue>,
}

impl FeedServer {
    pub(crate) fn start(words: Words) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let venue = Arc::new(Venue {
            words,
            conduct: Mutex::default(),
            market: Mutex::new(Market::new()),
        });
        let (shared, moved) = (Arc::clone(&venue), Arc::clone(&venue));
        // They end with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let venue = Arc::clone(&shared);
                // A connection that breaks is the desk's affair.
                thread::spawn(move || serve(stream, &venue).ok());
            }
        });
        thread::spawn(move || {
            loop {
                pause(STEP_EVERY);
                moved.step();
            }
        });
        Self { address, venue }
    }

    pub(crate) fn conduct(&self) -> MutexGuard<'_, Conduct> {
        self.venue.conduct.lock().unwrap()
    }

    /// The configuration's name of the venue.
    pub(crate) fn kind(&self) -> &'static str {
        self.venue.words.kind
    }

    /// An instrument's book as it is now.
    pub(crate) fn book(&self, base: &str) -> Arc<Book> {
        self.venue.market.lock().unwrap().book(base)
    }

    /// So many of the best levels of each side of all books vanish, but the last `left` stay.
    pub(crate) fn peel(&self, levels: usize, left: usize) {
        self.venue.market.lock().unwrap().peel(levels, left);
    }
}

impl Venue {
    fn step(&self) {
        let (is_held, is_left_out, prices) = {
            let mut conduct = self.conduct.lock().unwrap();
            if conduct.is_stalled {
                return;
            }
            let is_left_out = !conduct.is_held && std::mem::take(&mut conduct.skips_change);
            (conduct.is_held, is_left_out, conduct.prices.clone())
        };
        let tenths = |price: String| price.replace('.', "").parse().unwrap();
        let mut market = self.market.lock().unwrap();
        if is_held {
            market.rest();
        } else {
            market.step(is_left_out, prices.map(|both| both.map(tenths)));
        }
    }
}

fn serve(mut stream: TcpStream, venue: &Venue) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else {
            let mut more = [0; 4_096];
            match stream.read(&mut more)? {
                0 => return Ok(()),
                count => bytes.extend_from_slice(&more[..count]),
            }
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        bytes.drain(..end + 4);
        let first = head.lines().next().unwrap_or_default().to_owned();
        venue.conduct.lock().unwrap().requests.push(first.clone());
        let mut lines = head.lines();
        let key = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_key = name.eq_ignore_ascii_case("sec-websocket-key");
            is_key.then(|| value.trim().to_owned())
        });
        if let Some(key) = key {
            return talk(stream, &key, venue);
        }
        let body = answer(&first, venue.words).to_string();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all((head + &body).as_bytes())?;
    }
}

fn answer(request: &str, words: Words) -> Value {
    if ["instruments", "AssetPairs", "product_type"]
        .iter()
        .any(|word| request.contains(word))
    {
        return (words.listings)();
    }
    // Pages of six minutes, newest first, as far as twenty minutes back; "after" itself is not among them.
    let open = now_ms() / MINUTE * MINUTE;
    let end = [("after=", 1), ("end=", 0)]
        .iter()
        .find_map(|(name, less)| {
            let (_, behind) = request.split_once(name)?;
            let digits = behind
                .split(|letter: char| !letter.is_ascii_digit())
                .next()?;
            let end = digits.parse::<u64>().ok()? - less;
            // Coinbase counts in seconds.
            Some(if end < 100_000_000_000 {
                end * 1_000
            } else {
                end
            })
        });
    let newest = end.map_or(open, |end| end / MINUTE * MINUTE);
    let starts = (0..6).map(|back| newest - back * MINUTE);
    let starts = starts.filter(|start| *start >= open - 20 * MINUTE);
    let starts = starts.map(|start| (start, start < open));
    (words.candles)(&starts.collect::<Vec<_>>())
}

fn talk(mut stream: TcpStream, key: &str, venue: &Venue) -> io::Result<()> {
    let words = venue.words;
    let joined = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, joined.as_bytes());
    let accept = BASE64.encode(hash.as_ref());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.set_read_timeout(Some(TALK_EVERY))?;
    let (mut bytes, mut sent) = (Vec::new(), 0_u64);
    let mut seen = venue.market.lock().unwrap().at();
    let mut channels: Vec<(Value, bool)> = Vec::new();
    loop {
        let mut more = [0; 4_096];
        match stream.read(&mut more) {
            Ok(0) => return Ok(()),
            Ok(count) => bytes.extend_from_slice(&more[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        while let Some(text) = take_text(&mut bytes) {
            if text == "ping" {
                say(&mut stream, "pong")?;
                continue;
            }
            let Ok(request) = serde_json::from_str::<Value>(&text) else {
                continue;
            };
            let (answers, named) = (words.grants)(&request);
            channels.retain(|(known, _)| !named.contains(known));
            let verb = ["op", "method", "type"].map(|key| &request[key]);
            if verb.contains(&&Value::from("subscribe")) {
                channels.extend(named.into_iter().map(|channel| (channel, true)));
            }
            for mut answer in answers {
                if answer["channel"] == "subscriptions" {
                    let all: Vec<&Value> = channels.iter().map(|(channel, _)| channel).collect();
                    answer = coinbase_list(&all, sent);
                    sent += 1;
                }
                say(&mut stream, &answer.to_string())?;
            }
        }
        let withholds = venue.conduct.lock().unwrap().withholds_books;
        let steps = venue.market.lock().unwrap().since(seen);
        for step in steps {
            seen = step.at;
            // Where the connection's messages are counted, one is missing then; of the others, one change of each book.
            if step.is_left_out {
                sent += 1;
                continue;
            }
            for (channel, is_first) in &mut channels {
                if *is_first && withholds && (words.is_book)(channel) {
                    continue;
                }
                let moment = moment_of(channel, &step.moments);
                if let Some(mut message) = (words.message)(channel, moment, *is_first) {
                    if message.get("sequence_num").is_some() {
                        message["sequence_num"] = sent.into();
                        sent += 1;
                    }
                    say(&mut stream, &message.to_string())?;
                }
                *is_first = false;
            }
        }
    }
}

/// That of the instrument that a channel names; of the first one where it names none.
fn moment_of<'a>(channel: &Value, moments: &'a [Moment]) -> &'a Moment {
    let name = channel.to_string();
    let place = BASES.iter().position(|base| name.contains(base));
    &moments[place.unwrap_or_default()]
}

/// The next text that a client sent whole; other frames are skipped.
fn take_text(bytes: &mut Vec<u8>) -> Option<String> {
    loop {
        let (kind, length, begin) = match bytes[..] {
            [kind, length, ..] if length & 0x7f < 126 => (kind, usize::from(length & 0x7f), 2),
            [kind, length, high, low, ..] if length & 0x7f == 126 => {
                (kind, usize::from(u16::from_be_bytes([high, low])), 4)
            }
            _ => return None,
        };
        let frame = bytes.get(begin..begin + 4 + length)?.to_vec();
        bytes.drain(..begin + 4 + length);
        let (mask, payload) = frame.split_at(4);
        let plain = payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b);
        if kind & 0x0f == 1 {
            return Some(String::from_utf8(plain.collect()).unwrap());
        }
    }
}

fn say(stream: &mut TcpStream, text: &str) -> io::Result<()> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(short) if short < 126 => frame.push(short),
        _ => match u16::try_from(text.len()) {
            Ok(length) => {
                frame.push(126);
                frame.extend(length.to_be_bytes());
            }
            Err(_) => {
                frame.push(127);
                frame.extend(u64::try_from(text.len()).unwrap().to_be_bytes());
            }
        },
    }
    frame.extend(text.as_bytes());
    stream.write_all(&frame)
}
