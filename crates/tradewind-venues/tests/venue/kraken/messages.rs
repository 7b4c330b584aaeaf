//! Every message of the shared collection, and what REST answers.

use super::*;

fn message(name: &str) -> Option<String> {
    let path = shared(&format!("data/venue_messages/kraken/{name}.json"))?;
    Some(std::fs::read_to_string(path).unwrap())
}

fn said(text: &str, candles: &mut OpenCandles) -> Vec<Incoming<MarketEvent>> {
    let Ok(Said::Data(data)) = read(text.as_bytes()) else {
        panic!("no data: {text}");
    };
    let mut said = Vec::new();
    decode(
        &data,
        Timestamp::EPOCH,
        &symbols(),
        candles,
        &mut |incoming| said.push(incoming),
    );
    said
}

/// A frame in one line, for the table.
fn in_words(text: &str) -> String {
    let symbols = symbols();
    match read(text.as_bytes()) {
        Ok(Said::Data(data)) if data.is_book() => {
            let mut levels = Levels::default();
            match decode_book(&data, &symbols, &mut levels) {
                Ok((_, message)) => {
                    format!("{message:?} {} {}", levels.bids.len(), levels.asks.len())
                }
                Err((_, why)) => format!("{why:?}"),
            }
        }
        Ok(Said::Data(_)) => {
            let word = |incoming: &Incoming<MarketEvent>| match incoming {
                Incoming::Event { topic, .. } => format!("{topic:?}"),
                Incoming::Ignored(why) => format!("{why:?}"),
                other => format!("{other:?}"),
            };
            let said: Vec<String> = said(text, &mut OpenCandles::default())
                .iter()
                .map(word)
                .collect();
            said.join(", ")
        }
        Ok(Said::Granted {
            channel,
            symbol,
            minutes,
        }) => format!(
            "granted {} {} {minutes:?}",
            String::from_utf8_lossy(channel),
            String::from_utf8_lossy(symbol)
        ),
        Ok(Said::Refused { request, message }) => {
            format!("refused {request:?} {}", String::from_utf8_lossy(message))
        }
        Ok(said) => format!("{said:?}"),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn every_message_of_the_collection_is_understood_or_named() {
    let Some(folder) = shared("data/venue_messages/kraken") else {
        return;
    };
    let mut seen = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ws_") {
            seen.insert(name, in_words(&std::fs::read_to_string(&path).unwrap()));
        }
    }
    let wanted = [
        (
            "ws_book_snapshot",
            "Snapshot(Checked { checksum: 2439117997, at: Some(Timestamp(1696613755440295000)), finer: (0, 0) }) 3 3",
        ),
        (
            "ws_book_update",
            "Update(Checked { checksum: 2114181697, at: Some(Timestamp(1696613755440295000)), finer: (0, 0) }) 1 0",
        ),
        (
            "ws_ohlc_update",
            "Alive { topic: Candles(InstrumentId(0), Minute1) }",
        ),
        ("ws_pong", "Alive"),
        ("ws_subscribe_response", "granted ticker BTC/USD None"),
        ("ws_ticker_snapshot", "Quotes(InstrumentId(0))"),
        (
            "ws_trade_update",
            "Trades(InstrumentId(0)), Trades(InstrumentId(0))",
        ),
    ];
    for (name, words) in wanted {
        assert_eq!(seen.remove(name).as_deref(), Some(words), "{name}");
    }
    // What is left is about orders and single orders in the book, which this connection does not ask for.
    for (name, words) in seen {
        let is_trading = ["ws_add", "ws_amend", "ws_batch", "ws_cancel", "ws_l3"]
            .iter()
            .any(|start| name.starts_with(start));
        assert!(is_trading, "{name}");
        assert!(
            !words.contains("Quotes") && !words.contains("Trades") && !words.contains("Update("),
            "{name}: {words}"
        );
    }
}

#[test]
fn numbers_are_read_from_their_digits() {
    let (Some(quote), Some(trade)) = (message("ws_ticker_snapshot"), message("ws_trade_update"))
    else {
        return;
    };
    let none = &mut OpenCandles::default();
    let [MarketEvent::Quote(quote)] = events(said(&quote, none))[..] else {
        panic!("one quote")
    };
    assert_eq!((quote.bid, quote.ask), (Price(1_059_442), Price(1_059_443)));
    assert_eq!(
        (quote.bid_quantity, quote.ask_quantity),
        (Quantity(250_000_000), Quantity(320_000_000))
    );
    assert_eq!(
        quote.event_time,
        Some(Timestamp::from_nanos(1_671_960_659_123_456_000))
    );
    let small = trade.replace("0.00027625", "2.7625e-4");
    for text in [trade, small] {
        let [MarketEvent::Trade(first), MarketEvent::Trade(second)] = events(said(&text, none))[..]
        else {
            panic!("two trades")
        };
        assert_eq!((first.taker, second.taker), (Side::Buy, Side::Sell));
        assert_eq!(
            (first.id, second.id),
            (TradeId(10_218_208), TradeId(10_218_209))
        );
        assert_eq!(
            (first.price, first.quantity),
            (Price(1_059_442), Quantity(27_625))
        );
    }
}

#[test]
fn a_candle_is_closed_by_the_next_ones_beginning() {
    let candles = &mut OpenCandles::default();
    let mut hear = |begin: &str, close: &str| events(said(&bar(begin, close), candles));
    assert_eq!(hear("2023-10-04T16:25:00.000000000Z", "106040.1"), []);
    assert_eq!(hear("2023-10-04T16:25:00.000000000Z", "106041.5"), []);
    let closed = hear("2023-10-04T16:26:00.000000000Z", "106042.0");
    let [MarketEvent::Candle(candle)] = closed[..] else {
        panic!("{closed:?}")
    };
    assert_eq!(
        (candle.open, candle.close),
        (Price(1_060_382), Price(1_060_415))
    );
    assert_eq!(candle.open_time, Timestamp::from_secs(1_696_436_700));
    assert_eq!(candle.volume, Amount(30_927_680_662_260_000_000_000));
    assert_eq!(
        hear("2023-10-04T16:26:30.000000000Z", "1.0"),
        [],
        "not the start of a minute"
    );
}

fn desk(assets: &Assets) -> ListedFor<'_> {
    ListedFor {
        venue: VenueId(4),
        name: "kraken",
        assets,
    }
}

#[test]
fn the_list_of_pairs_has_their_rules_under_the_new_names() {
    let Some(text) = message("http_asset_pairs") else {
        return;
    };
    let assets = Assets::default();
    let listings = decode_listings(text.as_bytes(), desk(&assets)).unwrap();
    assert_eq!(listings.left_out, []);
    let bitcoin = listings
        .listings
        .iter()
        .find(|listing| listing.symbol == "BTC/USDT")
        .unwrap();
    let rules = &bitcoin.instrument;
    assert_eq!((rules.price_decimals, rules.quantity_decimals), (1, 8));
    assert_eq!(
        (rules.tick, rules.step, rules.quantity_min),
        (Price(1), Quantity(1), Quantity(5_000))
    );
    assert_eq!(rules.notional_min, Amount(500_000_000_000_000_000));
    assert_eq!(
        (rules.status, rules.name.as_str()),
        (InstrumentStatus::Trading, "kraken:BTC/USDT")
    );
    let refused = decode_listings(
        br#"{"error":["EGeneral:Too many requests"]}"#,
        desk(&assets),
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("EGeneral:Too many requests")
    );
    let Some(path) = shared("data/raw_captures/KRAKEN.0") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let (_, body) = text.lines().next().unwrap().split_once(": ").unwrap();
    let json: Value = serde_json::from_str(body).unwrap();
    let listings = decode_listings(body.as_bytes(), desk(&assets)).unwrap();
    let count = listings.listings.len() + listings.left_out.len();
    assert_eq!(count, json["result"].as_object().unwrap().len());
    assert_eq!(
        (listings.listings.len(), listings.left_out.len()),
        (293, 11)
    );
    let named =
        |(_, why): &(String, String)| why.contains("no name") || why.contains("decimal places");
    assert!(
        listings.left_out.iter().all(named),
        "{:?}",
        listings.left_out
    );
}

#[test]
fn candle_history_ends_with_the_last_closed_one() {
    let Some(text) = message("http_ohlc") else {
        return;
    };
    let candles = decode_candles(text.as_bytes(), &instrument(0, 1, 8), Interval::Minute1).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let rows = json["result"]["XBTUSDT"].as_array().unwrap();
    let last = json["result"]["last"].as_i64().unwrap();
    let closed = rows
        .iter()
        .filter(|row| row[0].as_i64().unwrap() <= last)
        .count();
    assert_eq!(candles.len(), closed);
    assert!(
        closed > 100 && closed < rows.len(),
        "{closed} of {}",
        rows.len()
    );
    assert_eq!(
        candles.last().unwrap().open_time,
        Timestamp::from_secs(last)
    );
    assert!(
        candles
            .windows(2)
            .all(|pair| pair[0].close_time() == pair[1].open_time)
    );
}
