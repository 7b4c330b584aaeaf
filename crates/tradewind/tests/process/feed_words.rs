//! How OKX, Bybit, Kraken and Coinbase spell what `feed_server.rs` says.

use std::time::SystemTime;

use serde_json::{Value, json};

pub(crate) const MINUTE: u64 = 60_000;
/// What it lists, against USDT.
pub(crate) const BASES: [&str; 8] = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "LINK"];
/// The quantity at the bid in a message before it is filled in.
pub(crate) const SIZE: &str = "9.87654";

/// What a venue says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    /// The configuration's `kind`.
    pub(crate) kind: &'static str,
    /// The answer to a request for instruments.
    pub(crate) listings: fn() -> Value,
    /// Candles that begin at these times, and whether each is closed.
    pub(crate) candles: fn(&[(u64, bool)]) -> Value,
    /// The answers to a request, and the channels that it asks for.
    pub(crate) grants: fn(&Value) -> (Vec<Value>, Vec<Value>),
    /// A message of a channel under a number; a book's is its snapshot where the flag says so. Its prices are those of the first
    /// instrument, and its bid's quantity is [`SIZE`].
    pub(crate) message: fn(&Value, u64, bool) -> Option<Value>,
    pub(crate) is_book: fn(&Value) -> bool,
}

pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_millis()).unwrap()
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
pub(crate) fn coinbase_list(channels: &[&Value], number: u64) -> Value {
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
