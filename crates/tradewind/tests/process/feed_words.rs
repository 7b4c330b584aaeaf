//! How OKX, Bybit, Kraken and Coinbase spell what `feed_server.rs` says.

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::feed_book::{Book, Moment};

pub(crate) const MINUTE: u64 = 60_000;
/// What it lists, against USDT.
pub(crate) const BASES: [&str; 8] = ["BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "LINK"];
/// Levels a side of Kraken's book and of Bybit's.
const KRAKEN_LEVELS: usize = 10;
const BYBIT_LEVELS: usize = 50;

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
    /// What a channel says of a moment of its instrument; a book says its snapshot where the flag says so.
    pub(crate) message: fn(&Value, &Moment, bool) -> Option<Value>,
    pub(crate) is_book: fn(&Value) -> bool,
}

/// Prices are tenths.
pub(crate) fn price_text(price: u64) -> String {
    format!("{}.{}", price / 10, price % 10)
}

/// Quantities are in units of 1e-8.
pub(crate) fn size_text(size: u64) -> String {
    let text = format!("{}.{:08}", size / 100_000_000, size % 100_000_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// Both sides as lists of levels, the best first; bids, then asks.
fn lists(book: &Book, level: impl Fn(u64, u64) -> Value) -> [Value; 2] {
    let each = |side: Vec<(u64, u64)>| {
        side.into_iter()
            .map(|(price, size)| level(price, size))
            .collect()
    };
    book.best_first().map(each)
}

fn taker(is_buy: bool, words: [&'static str; 2]) -> &'static str {
    words[usize::from(!is_buy)]
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
    message: |channel, moment, is_first| {
        let stamp = now_ms().to_string();
        let row = |book: &Book, numbers: Value| {
            let [bids, asks] = lists(book, |price, size| {
                json!([price_text(price), size_text(size), "0", "1"])
            });
            let mut row = json!({"asks": asks, "bids": bids, "ts": stamp});
            row.as_object_mut()
                .unwrap()
                .extend(numbers.as_object().unwrap().clone());
            row
        };
        let number = moment.number;
        Some(match channel["channel"].as_str().unwrap() {
            "bbo-tbt" => {
                json!({"arg": channel, "data": [row(&moment.now.top(1), json!({"seqId": number}))]})
            }
            // Where nothing changed both numbers are the same.
            "books" if is_first => {
                let numbers = json!({"checksum": 0, "seqId": number, "prevSeqId": -1});
                json!({"arg": channel, "action": "snapshot", "data": [row(&moment.now, numbers)]})
            }
            "books" => {
                let changed = moment.now.since(&moment.before);
                let numbers = json!({"checksum": 0, "seqId": number, "prevSeqId": moment.previous});
                json!({"arg": channel, "action": "update", "data": [row(&changed, numbers)]})
            }
            "trades" => {
                let matched = moment.matched?;
                json!({"arg": channel, "data": [{"instId": channel["instId"], "tradeId": matched.number.to_string(),
                    "px": price_text(matched.price), "sz": size_text(matched.size),
                    "side": taker(matched.is_buy, ["buy", "sell"]), "ts": stamp, "count": "1"}]})
            }
            _ => return None,
        })
    },
    is_book: |channel| channel["channel"] == "books",
};

/// Bybit.
pub(crate) const BYBIT: Words = Words {
    kind: "bybit",
    listings: || {
        let listed = BASES.map(|base| {
            json!({"symbol": format!("{base}USDT"), "baseCoin": base, "quoteCoin": "USDT", "status": "Trading",
            "lotSizeFilter": {"basePrecision": "0.00000001", "minOrderQty": "0.000048", "maxOrderQty": "71",
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
    message: |channel, moment, is_first| {
        let (topic, stamp) = (channel.as_str().unwrap(), now_ms());
        let (name, symbol) = topic.rsplit_once('.').unwrap();
        let frame = |kind: &str, data: Value| {
            Some(json!({"topic": topic, "type": kind, "ts": stamp, "cts": stamp, "data": data}))
        };
        let book = |book: &Book| {
            let [bids, asks] = lists(book, |price, size| {
                json!([price_text(price), size_text(size)])
            });
            json!({"s": symbol, "b": bids, "a": asks, "u": moment.step, "seq": moment.number})
        };
        match name {
            "orderbook.1" => frame("snapshot", book(&moment.now.top(1))),
            "orderbook.50" if is_first => frame("snapshot", book(&moment.now.top(BYBIT_LEVELS))),
            "orderbook.50" => {
                let [before, now] = [&moment.before, &moment.now].map(|one| one.top(BYBIT_LEVELS));
                frame("delta", book(&now.since(&before)))
            }
            "publicTrade" => {
                let matched = moment.matched?;
                frame(
                    "snapshot",
                    json!([{"T": stamp, "s": symbol, "S": taker(matched.is_buy, ["Buy", "Sell"]),
                    "v": size_text(matched.size), "p": price_text(matched.price), "L": "PlusTick",
                    "i": matched.number.to_string(), "BT": false, "seq": moment.number}]),
                )
            }
            _ => None,
        }
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
    message: |channel, moment, is_first| {
        let (name, symbol) = (channel["channel"].as_str().unwrap(), &channel["symbol"]);
        let kind = if is_first { "snapshot" } else { "update" };
        let stamp = stamp_text();
        let number = |text: String| text.parse::<f64>().unwrap();
        let top = moment.now.top(KRAKEN_LEVELS);
        let row = match name {
            "ticker" => {
                let [(bid, bid_size), (ask, ask_size)] = top.best_first().map(|side| side[0]);
                let [bid, ask] = [bid, ask].map(|price| number(price_text(price)));
                let [bid_size, ask_size] = [bid_size, ask_size].map(|size| number(size_text(size)));
                json!({"symbol": symbol, "bid": bid, "bid_qty": bid_size, "ask": ask, "ask_qty": ask_size,
                "last": bid, "timestamp": stamp})
            }
            "trade" => {
                let matched = moment.matched?;
                json!({"symbol": symbol, "side": taker(matched.is_buy, ["buy", "sell"]),
                "price": number(price_text(matched.price)), "qty": number(size_text(matched.size)),
                "ord_type": "limit", "trade_id": matched.number, "timestamp": stamp})
            }
            "book" => {
                let mut told = top.clone();
                if !is_first {
                    let before = moment.before.top(KRAKEN_LEVELS);
                    told = top.since(&before);
                    // Of a level that only falls out of the ten nothing is said.
                    told.bids
                        .retain(|price, size| *size > 0 || !moment.now.bids.contains_key(price));
                    told.asks
                        .retain(|price, size| *size > 0 || !moment.now.asks.contains_key(price));
                    if told == Book::default() {
                        return None;
                    }
                }
                let level = |price, size| json!({"price": number(price_text(price)), "qty": number(size_text(size))});
                let [bids, asks] = lists(&told, level);
                json!({"symbol": symbol, "bids": bids, "asks": asks, "checksum": kraken_checksum(&top),
                "timestamp": stamp})
            }
            _ => return None,
        };
        Some(json!({"channel": name, "type": kind, "data": [row]}))
    },
    is_book: |channel| channel["channel"] == "book",
};

/// The CRC32 of asks, then bids: the digits of each price and quantity in the pair's decimals, without zeros in front.
fn kraken_checksum(top: &Book) -> u32 {
    let [bids, asks] = top.best_first();
    let levels = asks.into_iter().chain(bids);
    let digits: String = levels
        .map(|(price, size)| format!("{price}{size}"))
        .collect();
    crc32fast::hash(digits.as_bytes())
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
    message: |channel, moment, is_first| {
        let (name, symbol) = (channel["channel"].as_str().unwrap(), &channel["product_id"]);
        let kind = if is_first { "snapshot" } else { "update" };
        let stamp = stamp_text();
        Some(match name {
            "heartbeats" => coinbase_message(
                name,
                &json!({"current_time": stamp, "heartbeat_counter": moment.step}),
            ),
            "ticker" => {
                let [(bid, bid_size), (ask, ask_size)] =
                    moment.now.best_first().map(|side| side[0]);
                coinbase_message(
                    name,
                    &json!({"type": kind, "tickers": [{"type": "ticker", "product_id": symbol, "price": price_text(bid),
                    "best_bid": price_text(bid), "best_bid_quantity": size_text(bid_size),
                    "best_ask": price_text(ask), "best_ask_quantity": size_text(ask_size)}]}),
                )
            }
            // It says whose order was there before.
            "market_trades" => {
                let matched = moment.matched?;
                coinbase_message(
                    name,
                    &json!({"type": kind, "trades": [{"trade_id": matched.number.to_string(), "product_id": symbol,
                    "price": price_text(matched.price), "size": size_text(matched.size),
                    "side": taker(matched.is_buy, ["SELL", "BUY"]), "time": stamp}]}),
                )
            }
            "level2" => {
                let told = match is_first {
                    true => moment.now.as_ref().clone(),
                    false => moment.now.since(&moment.before),
                };
                if told == Book::default() {
                    return None;
                }
                let [bids, asks] = told.best_first();
                let sides = [("bid", bids), ("offer", asks)];
                let updates = sides.into_iter().flat_map(|(side, levels)| {
                    let stamp = stamp.clone();
                    levels.into_iter().map(move |(price, size)| {
                        json!({"side": side, "event_time": stamp,
                        "price_level": price_text(price), "new_quantity": size_text(size)})
                    })
                });
                let updates: Vec<Value> = updates.collect();
                coinbase_message(
                    "l2_data",
                    &json!({"type": kind, "product_id": symbol, "updates": updates}),
                )
            }
            _ => return None,
        })
    },
    is_book: |channel| channel["channel"] == "level2",
};
