//! OKX, Bybit, Kraken and Coinbase as far as a desk reads them: instruments and candles over HTTP, the rest over a WebSocket, on one port.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use ring::digest;
use serde_json::Value;

use crate::feed_words::{BASES, MINUTE, SIZE, Words, coinbase_list, now_ms};

/// Between two messages of each channel.
const TALK_EVERY: Duration = Duration::from_millis(50);
/// Between the prices of two of them.
const APART: u32 = 100;

/// How the venue behaves.
#[derive(Debug, Default)]
pub(crate) struct Conduct {
    /// It says nothing but pongs.
    pub(crate) is_stalled: bool,
    /// It leaves out one change of each book.
    pub(crate) skips_change: bool,
    /// Its bid and ask, in place of those that it has otherwise.
    pub(crate) prices: Option<[String; 2]>,
    /// The quantity at its bid, in place of one that changes with each message.
    pub(crate) size: Option<String>,
    /// It sends no snapshots of books.
    pub(crate) withholds_books: bool,
    /// Heads of the requests it was sent.
    pub(crate) requests: Vec<String>,
}

pub(crate) struct FeedServer {
    pub(crate) address: String,
    conduct: Arc<Mutex<Conduct>>,
}

impl FeedServer {
    pub(crate) fn start(words: Words) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let conduct = Arc::new(Mutex::new(Conduct::default()));
        let shared = Arc::clone(&conduct);
        // They end with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let conduct = Arc::clone(&shared);
                // A connection that breaks is the desk's affair.
                thread::spawn(move || serve(stream, words, &conduct).ok());
            }
        });
        Self { address, conduct }
    }

    pub(crate) fn conduct(&self) -> MutexGuard<'_, Conduct> {
        self.conduct.lock().unwrap()
    }
}

fn serve(mut stream: TcpStream, words: Words, conduct: &Mutex<Conduct>) -> io::Result<()> {
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
        conduct.lock().unwrap().requests.push(first.clone());
        let mut lines = head.lines();
        let key = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_key = name.eq_ignore_ascii_case("sec-websocket-key");
            is_key.then(|| value.trim().to_owned())
        });
        if let Some(key) = key {
            return talk(stream, &key, words, conduct);
        }
        let body = answer(&first, words).to_string();
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

fn talk(
    mut stream: TcpStream,
    key: &str,
    words: Words,
    conduct: &Mutex<Conduct>,
) -> io::Result<()> {
    let joined = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, joined.as_bytes());
    let accept = BASE64.encode(hash.as_ref());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.set_read_timeout(Some(TALK_EVERY))?;
    let (mut bytes, mut number, mut sent) = (Vec::new(), 1, 0_u64);
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
        let (is_stalled, skips, withholds, prices, size) = {
            let mut conduct = conduct.lock().unwrap();
            let skips = !conduct.is_stalled && std::mem::take(&mut conduct.skips_change);
            let (prices, size) = (conduct.prices.clone(), conduct.size.clone());
            (
                conduct.is_stalled,
                skips,
                conduct.withholds_books,
                prices,
                size,
            )
        };
        if is_stalled {
            continue;
        }
        // What is skipped is one message where the connection counts them, and one change of each book where books do.
        number += 1 + u64::from(skips);
        sent += u64::from(skips);
        for (channel, is_first) in &mut channels {
            if *is_first && withholds && (words.is_book)(channel) {
                continue;
            }
            if let Some(mut message) = (words.message)(channel, number, *is_first) {
                if message.get("sequence_num").is_some() {
                    message["sequence_num"] = sent.into();
                    sent += 1;
                }
                let name = channel.to_string();
                let prices = prices.clone().unwrap_or_else(|| prices_of(&name));
                let usual = ["1.25", "1.75"][usize::from(number % 2 == 0)];
                let size = size.as_deref().unwrap_or(usual);
                if words.kind == "kraken" && (words.is_book)(channel) {
                    let wrong = message["data"][0]["checksum"] == 1;
                    let checksum = kraken_checksum(&prices, size) ^ u32::from(wrong);
                    message["data"][0]["checksum"] = checksum.into();
                }
                let text = message.to_string();
                let text = text
                    .replace("60000.5", &prices[0])
                    .replace("60001.5", &prices[1])
                    .replace(SIZE, size);
                say(&mut stream, &text)?;
            }
            *is_first = false;
        }
    }
}

/// Bid and ask of the instrument that a text names.
pub(crate) fn prices_of(name: &str) -> [String; 2] {
    let place = (0..).zip(BASES).find(|(_, base)| name.contains(base));
    let apart = f64::from(APART * place.map_or(0, |(place, _)| place));
    [60_000.5, 60_001.5].map(|price| format!("{:.1}", price + apart))
}

/// The CRC32 of Kraken's book of one level a side: the digits of ask and bid, and of their quantities in eight decimals.
fn kraken_checksum([bid, ask]: &[String; 2], size: &str) -> u32 {
    let digits = |price: &str| price.replace('.', "");
    let size = size.parse::<f64>().unwrap();
    let size = digits(&format!("{size:.8}"));
    let text = format!("{}100000000{}{size}", digits(ask), digits(bid));
    crc32fast::hash(text.as_bytes())
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
        _ => {
            frame.push(126);
            frame.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    stream.write_all(&frame)
}
