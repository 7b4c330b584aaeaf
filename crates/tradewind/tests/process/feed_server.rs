//! OKX, Bybit, Kraken and Coinbase as far as a desk reads them: instruments and candles over HTTP, the rest over a WebSocket, on one port.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, SystemTime};

use data_encoding::BASE64;
use ring::digest;
use serde_json::{Value, json};

/// Between two messages of each channel.
const TALK_EVERY: Duration = Duration::from_millis(50);
const MINUTE: u64 = 60_000;
/// What it lists, against USDT.
pub(crate) const BASES: [&str; 8] = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "LINK"];
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

/// What a venue says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// The configuration's `kind`.
    pub(crate) kind: &'static str,
    /// The answer to a request for instruments.
    listings: fn() -> Value,
    /// Candles that begin at these times, and whether each is closed.
    candles: fn(&[(u64, bool)]) -> Value,
    /// The answers to a request, and the channels that it asks for.
    grants: fn(&Value) -> (Vec<Value>, Vec<Value>),
    /// A message of a channel under a number; a book's is its snapshot where the flag says so. Its prices are those of the first
    /// instrument, and its bid's quantity is [`SIZE`].
    message: fn(&Value, u64, bool) -> Option<Value>,
    is_book: fn(&Value) -> bool,
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

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_millis()).unwrap()
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

/// The quantity at the bid in a message before it is filled in.
const SIZE: &str = "9.87654";

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

/// OKX.
pub(crate) const OKX: Words = Words {
    kind: "okx",
    listings: || {
        let listed = BASES.map(|base| {
            json!({"instType": "SPOT", "instId": format!("{base}-USDT"), "baseCcy": base, "quoteCcy": "USDT",
            "state": "live", "tickSz": "0.1", "lotSz": "0.00000001", "minSz": "0.00001", "maxLmtSz": "9999"})
        });
        json!({"code": "0", "msg": "", "data": listed})
    },
    candles: |starts| {
        let row = |(start, closed): &(u64, bool)| {
            json!([
                start.to_string(),
                "60000",
                "60010.5",
                "59990",
                "60001",
                "1.5",
                "90000",
                "90000",
                if *closed { "1" } else { "0" }
            ])
        };
        let rows: Vec<Value> = starts.iter().map(row).collect();
        json!({"code": "0", "msg": "", "data": rows})
    },
    grants: |request| {
        let named = request["args"].as_array().unwrap().clone();
        let grant = |arg: &Value| json!({"event": request["op"], "arg": arg, "connId": "x"});
        (named.iter().map(grant).collect(), named)
    },
    message: |channel, number, is_first| {
        let stamp = now_ms().to_string();
        let name = channel["channel"].as_str().unwrap();
        let sides = json!({"asks": [["60001.5", "1", "0", "1"]], "bids": [["60000.5", SIZE, "0", "1"]], "ts": stamp});
        let mut message = json!({"arg": channel});
        let mut row = match name {
            "bbo-tbt" | "books" => sides,
            "trades" => {
                json!({"instId": channel["instId"], "tradeId": number.to_string(), "px": "60001",
                "sz": "0.1", "side": "buy", "ts": stamp})
            }
            _ => return None,
        };
        if name != "trades" {
            row["seqId"] = number.into();
        }
        if name == "books" {
            let previous = if is_first {
                -1
            } else {
                i64::try_from(number).unwrap() - 1
            };
            row["prevSeqId"] = previous.into();
            message["action"] = if is_first { "snapshot" } else { "update" }.into();
        }
        message["data"] = json!([row]);
        Some(message)
    },
    is_book: |channel| channel["channel"] == "books",
};

/// Bybit.
pub(crate) const BYBIT: Words = Words {
    kind: "bybit",
    listings: || {
        let listed = BASES.map(|base| {
            json!({"symbol": format!("{base}USDT"), "baseCoin": base, "quoteCoin": "USDT", "status": "Trading",
            "lotSizeFilter": {"basePrecision": "0.000001", "minOrderQty": "0.000048", "maxOrderQty": "71",
                "minOrderAmt": "1"},
            "priceFilter": {"tickSize": "0.01"}})
        });
        json!({"retCode": 0, "retMsg": "OK", "time": now_ms(), "result": {"category": "spot", "list": listed}})
    },
    candles: |starts| {
        let row = |(start, _): &(u64, bool)| {
            json!([
                start.to_string(),
                "60000",
                "60010.5",
                "59990",
                "60001",
                "1.5",
                "90000"
            ])
        };
        let rows: Vec<Value> = starts.iter().map(row).collect();
        json!({"retCode": 0, "retMsg": "OK", "time": now_ms(), "result": {"category": "spot", "symbol": "BTCUSDT",
            "list": rows}})
    },
    grants: |request| {
        if request["op"] == "ping" {
            return (
                vec![json!({"success": true, "ret_msg": "pong", "op": "ping"})],
                Vec::new(),
            );
        }
        let grant = json!({"success": true, "ret_msg": "", "conn_id": "x", "req_id": request["req_id"],
            "op": request["op"]});
        (vec![grant], request["args"].as_array().unwrap().clone())
    },
    message: |channel, number, is_first| {
        let (topic, stamp) = (channel.as_str().unwrap(), now_ms());
        let (name, symbol) = topic.rsplit_once('.').unwrap();
        let is_snapshot = is_first || name == "orderbook.1";
        let data = match name {
            "publicTrade" => json!([{"T": stamp, "s": symbol, "S": "Buy", "v": "0.1", "p": "60001",
                "i": number.to_string(), "BT": false, "seq": number}]),
            "orderbook.1" | "orderbook.50" => {
                json!({"s": symbol, "b": [["60000.5", SIZE]], "a": [["60001.5", "1"]],
                "u": number, "seq": number})
            }
            _ => return None,
        };
        let kind = if is_snapshot || name == "publicTrade" {
            "snapshot"
        } else {
            "delta"
        };
        Some(json!({"topic": topic, "type": kind, "ts": stamp, "cts": stamp, "data": data}))
    },
    is_book: |channel| {
        channel
            .as_str()
            .is_some_and(|topic| topic.starts_with("orderbook.50"))
    },
};

/// Kraken.
pub(crate) const KRAKEN: Words = Words {
    kind: "kraken",
    listings: || {
        let listed = BASES.map(|base| {
            let base = base.replace("BTC", "XBT");
            let pair = json!({"altname": format!("{base}USDT"), "wsname": format!("{base}/USDT"), "base": base,
                "quote": "USDT", "pair_decimals": 1, "lot_decimals": 8, "ordermin": "0.00005", "costmin": "0.5",
                "tick_size": "0.1", "status": "online"});
            (format!("{base}USDT"), pair)
        });
        json!({"error": [], "result": serde_json::Map::from_iter(listed)})
    },
    // It gives the newest 720 of which 20 are kept here, oldest first, and says which is the last closed one.
    candles: |_| {
        let open = now_ms() / MINUTE * 60;
        let row = |back: u64| {
            let start = open - back * 60;
            json!([
                start, "60000.0", "60010.5", "59990.0", "60001.0", "60000.0", "1.5", 3
            ])
        };
        let rows: Vec<Value> = (0..=20).rev().map(row).collect();
        json!({"error": [], "result": {"XBTUSDT": rows, "last": open - 60}})
    },
    grants: |request| {
        if request["method"] == "ping" {
            return (
                vec![json!({"method": "pong", "req_id": request["req_id"]})],
                Vec::new(),
            );
        }
        let params = &request["params"];
        let symbols = params["symbol"].as_array().unwrap();
        let named = symbols.iter().map(|symbol| {
            json!({"channel": params["channel"], "symbol": symbol, "interval": params["interval"]})
        });
        let named: Vec<Value> = named.collect();
        let grant = |result: &Value| {
            json!({"method": request["method"], "result": result, "success": true, "req_id": request["req_id"],
                "time_in": "2023-09-25T09:04:31.742599Z", "time_out": "2023-09-25T09:04:31.742648Z"})
        };
        (named.iter().map(grant).collect(), named)
    },
    message: |channel, number, is_first| {
        let (name, symbol) = (channel["channel"].as_str().unwrap(), &channel["symbol"]);
        let kind = if is_first { "snapshot" } else { "update" };
        // A change that is left out shows in the checksum of the next.
        let lost = LAST_NUMBER.with(|last| {
            let before = last.replace(if name == "book" { number } else { last.get() });
            name == "book" && !is_first && number > before + 1
        });
        let stamp = stamp_text();
        let row = match name {
            "ticker" => {
                json!({"symbol": symbol, "bid": 60_000.5, "bid_qty": number_of(SIZE), "ask": 60_001.5, "ask_qty": 1.0,
                "last": 60_001.0, "timestamp": stamp})
            }
            "trade" => {
                json!({"symbol": symbol, "side": "buy", "price": 60_001.0, "qty": 0.1, "ord_type": "limit",
                "trade_id": number, "timestamp": stamp})
            }
            "book" => {
                json!({"symbol": symbol, "bids": [{"price": 60_000.5, "qty": number_of(SIZE)}],
                "asks": [{"price": 60_001.5, "qty": 1.0}], "checksum": u32::from(lost), "timestamp": stamp})
            }
            _ => return None,
        };
        Some(json!({"channel": name, "type": kind, "data": [row]}))
    },
    is_book: |channel| channel["channel"] == "book",
};

fn number_of(text: &str) -> f64 {
    text.parse().unwrap()
}

thread_local! {
    /// The number of the last change of a book on this connection, which has a thread of its own.
    static LAST_NUMBER: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Now, as texts have it.
fn stamp_text() -> String {
    let now = now_ms();
    let (seconds, of_day) = (now / 1_000, now / 1_000 % 86_400);
    let date = time_of(seconds / 86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!(
        "{date}T{hour:02}:{minute:02}:{second:02}.{:03}Z",
        now % 1_000
    )
}

/// The date of a day since 1970.
fn time_of(days: u64) -> String {
    let (mut year, mut left) = (1_970, days);
    loop {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = 365 + u64::from(is_leap);
        if left < length {
            let february = 28 + u64::from(is_leap);
            let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(lengths) {
                if left < length {
                    return format!("{year}-{month:02}-{:02}", left + 1);
                }
                left -= length;
            }
        }
        left -= length;
        year += 1;
    }
}

fn coinbase_message(channel: &str, event: &Value) -> Value {
    json!({"channel": channel, "client_id": "", "timestamp": stamp_text(), "sequence_num": 0, "events": [event]})
}

/// All that is subscribed on a connection.
fn coinbase_list(channels: &[&Value], number: u64) -> Value {
    let mut all = serde_json::Map::new();
    for channel in channels {
        let name = channel["channel"].as_str().unwrap().to_owned();
        let symbols = all.entry(name).or_insert_with(|| json!([]));
        symbols
            .as_array_mut()
            .unwrap()
            .push(channel["product_id"].clone());
    }
    let mut message = coinbase_message("subscriptions", &json!({"subscriptions": all}));
    message["sequence_num"] = number.into();
    message
}

/// Coinbase. It streams candles of five minutes only.
pub(crate) const COINBASE: Words = Words {
    kind: "coinbase",
    listings: || {
        let listed = BASES.map(|base| {
            json!({"product_id": format!("{base}-USDT"), "product_type": "SPOT", "base_currency_id": base,
            "quote_currency_id": "USDT", "status": "online", "price_increment": "0.01", "base_increment": "0.00000001",
            "base_min_size": "0.00000001", "base_max_size": "3400", "quote_min_size": "1", "alias": "",
            "trading_disabled": false, "cancel_only": false})
        });
        json!({"products": listed, "num_products": BASES.len()})
    },
    candles: |starts| {
        let row = |(start, _): &(u64, bool)| {
            json!({"start": (start / 1_000).to_string(), "low": "59990", "high": "60010.5", "open": "60000",
                "close": "60001", "volume": "1.5"})
        };
        let rows: Vec<Value> = starts.iter().map(row).collect();
        json!({"candles": rows})
    },
    grants: |request| {
        let channel = &request["channel"];
        let symbols = request["product_ids"].as_array().cloned();
        let symbols = symbols.unwrap_or_else(|| vec![channel.clone()]);
        let named = symbols
            .iter()
            .map(|symbol| json!({"channel": channel, "product_id": symbol}));
        (vec![json!({"channel": "subscriptions"})], named.collect())
    },
    message: |channel, number, is_first| {
        let (name, symbol) = (channel["channel"].as_str().unwrap(), &channel["product_id"]);
        let kind = if is_first { "snapshot" } else { "update" };
        let stamp = stamp_text();
        let level = |side: &str, price: &str| json!({"side": side, "event_time": stamp, "price_level": price, "new_quantity": "1"});
        Some(match name {
            "heartbeats" => coinbase_message(
                name,
                &json!({"current_time": stamp, "heartbeat_counter": number}),
            ),
            "ticker" => coinbase_message(
                name,
                &json!({"type": kind, "tickers": [{"type": "ticker", "product_id": symbol,
                "price": "60001", "best_bid": "60000.5", "best_bid_quantity": SIZE, "best_ask": "60001.5",
                "best_ask_quantity": "1"}]}),
            ),
            "market_trades" => coinbase_message(
                name,
                &json!({"type": kind, "trades": [{"trade_id": number.to_string(),
                "product_id": symbol, "price": "60001", "size": "0.1", "side": "SELL", "time": stamp}]}),
            ),
            // The best bid's quantity changes, so that there are quotes.
            "level2" => coinbase_message(
                "l2_data",
                &json!({"type": kind, "product_id": symbol, "updates": [
                {"side": "bid", "event_time": stamp, "price_level": "60000.5", "new_quantity": SIZE},
                level("offer", "60001.5")]}),
            ),
            _ => return None,
        })
    },
    is_book: |channel| channel["channel"] == "level2",
};
