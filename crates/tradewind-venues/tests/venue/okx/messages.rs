//! Every message of the shared collection, and what REST answers.

use super::*;

fn message(name: &str) -> Option<String> {
    let path = shared(&format!("data/venue_messages/okx/{name}.json"))?;
    Some(std::fs::read_to_string(path).unwrap())
}

/// A frame in one line, for the table.
fn in_words(text: &str, symbols: &SymbolTable) -> String {
    match read(text.as_bytes()) {
        Ok(Said::Data(data)) if data.is_book() => {
            let mut levels = Levels::default();
            let Some(instrument) = symbols.find(data.symbol()) else {
                return "wrong symbol".to_owned();
            };
            match decode_book(&data, instrument, &mut levels) {
                Ok(message) => format!("{message:?} {} {}", levels.bids.len(), levels.asks.len()),
                Err(why) => format!("{why:?}"),
            }
        }
        Ok(Said::Data(data)) => {
            let mut said = Vec::new();
            decode(&data, Timestamp::EPOCH, symbols, &mut |incoming| {
                said.push(match incoming {
                    Incoming::Event { topic, .. } => format!("{topic:?}"),
                    Incoming::Ignored(why) => format!("{why:?}"),
                    other => format!("{other:?}"),
                });
            });
            said.join(", ")
        }
        Ok(said) => format!("{said:?}"),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn every_message_of_the_collection_is_understood_or_named() {
    let Some(folder) = shared("data/venue_messages/okx") else {
        return;
    };
    let symbols = symbols();
    let mut seen = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ws_") {
            let text = std::fs::read_to_string(&path).unwrap();
            seen.insert(name, in_words(&text, &symbols));
        }
    }
    let wanted = [
        ("ws_account", "NoSymbol"),
        ("ws_account_empty", "NoSymbol"),
        ("ws_bbo_tbt", "Quotes(InstrumentId(0))"),
        (
            "ws_books_snapshot",
            "Snapshot(After { previous: -1, this: 123456 }) 8 8",
        ),
        (
            "ws_books_update",
            "Update(After { previous: 123456, this: 123457 }) 8 8",
        ),
        // The documentation's example: days that start at UTC+8, which the desk never asks for.
        ("ws_candle", "NotWanted"),
        ("ws_funding_rate", "WrongSymbol"),
        ("ws_instruments", "NoSymbol"),
        // Rows alone, without the frame around them.
        ("ws_opt_summary", "Malformed"),
        ("ws_orders", "NoSymbol"),
        ("ws_orders_adl", "NoSymbol"),
        ("ws_orders_algo", "NoSymbol"),
        ("ws_orders_fok", "NoSymbol"),
        ("ws_orders_ioc", "NoSymbol"),
        ("ws_orders_liquidation", "NoSymbol"),
        ("ws_orders_optimal_limit_ioc", "NoSymbol"),
        ("ws_orders_option", "NoSymbol"),
        ("ws_orders_trigger", "NoSymbol"),
        ("ws_sprd_orders", "NoSymbol"),
        ("ws_tickers", "NotWanted"),
        ("ws_trades", "Trades(InstrumentId(1))"),
    ];
    let wanted = wanted.map(|(name, words)| (name.to_owned(), words.to_owned()));
    assert_eq!(seen, BTreeMap::from(wanted));
}

fn events_of(text: &str) -> Vec<MarketEvent> {
    let symbols = symbols();
    let mut said = Vec::new();
    let Ok(Said::Data(data)) = read(text.as_bytes()) else {
        panic!("no data: {text}");
    };
    decode(&data, Timestamp::EPOCH, &symbols, &mut |incoming| {
        said.push(incoming)
    });
    events(said)
}

#[test]
fn quotes_trades_and_candles_are_exact() {
    let (Some(quote), Some(trade), Some(candle)) = (
        message("ws_bbo_tbt"),
        message("ws_trades"),
        message("ws_candle"),
    ) else {
        return;
    };
    let [MarketEvent::Quote(quote)] = events_of(&quote)[..] else {
        panic!("one quote")
    };
    assert_eq!((quote.bid, quote.ask), (Price(847_697), Price(847_698)));
    assert_eq!(
        (quote.bid_quantity, quote.ask_quantity),
        (Quantity(25_600_000_000), Quantity(41_500_000_000))
    );
    assert_eq!(
        quote.event_time,
        Some(Timestamp::from_millis(1_597_026_383_085))
    );
    let [MarketEvent::Trade(trade)] = events_of(&trade)[..] else {
        panic!("one trade")
    };
    assert_eq!((trade.taker, trade.id), (Side::Buy, TradeId(130_639_474)));
    assert_eq!(
        (trade.price, trade.quantity),
        (Price(422_199), Quantity(12_060_306))
    );
    let daily = candle.replace("candle1D", "candle1Dutc");
    assert_eq!(events_of(&daily), [], "it does not start at a day's start");
    let daily = daily.replace("1597026383085", "1597017600000");
    let [MarketEvent::Candle(candle)] = events_of(&daily)[..] else {
        panic!("one candle")
    };
    assert_eq!(
        (candle.open, candle.close),
        (Price(853_302), Price(854_826))
    );
    assert_eq!((candle.high, candle.low), (Price(855_374), Price(852_717)));
    assert_eq!(
        (candle.interval, candle.volume),
        (Interval::Day1, Amount::whole(45_247))
    );
    let open = daily.replace("\"1\"\n", "\"0\"\n");
    assert_ne!(open, daily);
    assert_eq!(events_of(&open), [], "a candle that is open");
}

#[test]
fn what_is_not_ours_or_cannot_be_exact_is_ignored() {
    let quote = r#"{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["8476.98","415","0","13"]],"bids":[["8476.97","256","0","12"]],"ts":"1","seqId":5}]}"#;
    let check = |text: &str, wanted: &str| assert_eq!(in_words(text, &symbols()), wanted, "{text}");
    check(quote, "Quotes(InstrumentId(0))");
    check(&quote.replace("BTC-USDT", "DOGE-USDT"), "WrongSymbol");
    check(&quote.replace(r#","instId":"BTC-USDT""#, ""), "NoSymbol");
    check(&quote.replace("8476.98", "8476.981"), "OffGrid");
    check(&quote.replace("8476.98", "NaN"), "Content");
    check(&quote.replace("8476.98", "-1"), "Content");
    check(
        &quote.replace(r#"[["8476.98","415","0","13"]]"#, "[]"),
        "NotWanted",
    );
    check(&quote.replace("bbo-tbt", "books5"), "NotWanted");
    check("", "Malformed");
    check("ping", "Malformed");
    check("pong", "Pong");
    check("{}", "Other");
    check(&"[".repeat(1_000_000), "Malformed");
    let trade = r#"{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USD","tradeId":"1","px":"1","sz":"1","side":"buy","ts":"1"}]}"#;
    check(trade, "WrongSymbol");
}

fn desk(assets: &Assets) -> ListedFor<'_> {
    ListedFor {
        venue: VenueId(2),
        name: "okx",
        assets,
    }
}

#[test]
fn the_list_of_instruments_has_their_rules() {
    let (Some(spot), Some(swap)) = (
        message("http_get_instruments_spot"),
        message("http_get_instruments_swap"),
    ) else {
        return;
    };
    let assets = Assets::default();
    let listings = decode_listings(spot.as_bytes(), desk(&assets)).unwrap();
    assert_eq!(listings.left_out, []);
    let bitcoin = &listings.listings[0];
    assert_eq!(
        (bitcoin.symbol.as_str(), bitcoin.product.as_str()),
        ("BTC-USD", "BTC/USD")
    );
    let rules = &bitcoin.instrument;
    assert_eq!(rules.name, "okx:BTC/USD");
    assert_eq!((rules.price_decimals, rules.quantity_decimals), (1, 8));
    assert_eq!((rules.tick, rules.step), (Price(1), Quantity(1)));
    assert_eq!(
        (rules.quantity_min, rules.status),
        (Quantity(1_000), InstrumentStatus::Trading)
    );
    assert_eq!(rules.quantity_max, Quantity(999_999_999_900_000_000));
    let halted = spot.replace("\"live\"", "\"suspend\"");
    let halted = decode_listings(halted.as_bytes(), desk(&assets)).unwrap();
    assert_eq!(
        halted.listings[0].instrument.status,
        InstrumentStatus::Halted
    );
    let none = decode_listings(swap.as_bytes(), desk(&assets)).unwrap();
    assert_eq!(none.listings, []);
    let refused = decode_listings(
        br#"{"code":"50011","msg":"Too Many Requests"}"#,
        desk(&assets),
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("50011: Too Many Requests")
    );
}

#[test]
fn every_instrument_of_a_real_list_is_read_or_named() {
    let Some(path) = shared("data/raw_captures/OKX.0") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let (_, body) = text.lines().next().unwrap().split_once(": ").unwrap();
    let json: Value = serde_json::from_str(body).unwrap();
    let listings = decode_listings(body.as_bytes(), desk(&Assets::default())).unwrap();
    let count = listings.listings.len() + listings.left_out.len();
    assert_eq!(count, json["data"].as_array().unwrap().len());
    assert_eq!(
        listings
            .left_out
            .iter()
            .map(|(symbol, _)| symbol.as_str())
            .collect::<Vec<_>>(),
        [""; 0]
    );
}

#[test]
fn candle_history_is_closed_candles_oldest_first() {
    let (Some(full), Some(open)) = (
        message("http_get_candlesticks_full"),
        message("http_get_candlesticks"),
    ) else {
        return;
    };
    let rules = instrument(0, 1, 8);
    let candles = decode_candles(full.as_bytes(), &rules, Interval::Minute1).unwrap();
    let times: Vec<i64> = candles
        .iter()
        .map(|candle| candle.open_time.as_millis())
        .collect();
    assert_eq!(times, [1_747_093_980_000, 1_747_094_040_000]);
    assert_eq!(
        (candles[1].open, candles[1].high),
        (Price(1_028_061), Price(1_028_204))
    );
    assert_eq!(
        decode_candles(open.as_bytes(), &rules, Interval::Minute1).unwrap(),
        []
    );
    let hourly = decode_candles(full.as_bytes(), &rules, Interval::Hour1);
    assert!(hourly.unwrap_err().to_string().contains("1747094040000"));
}
