//! Every message of the shared collection, and what REST answers.

use super::*;

fn message(name: &str) -> Option<String> {
    let path = shared(&format!("data/venue_messages/bybit/{name}.json"))?;
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
        Ok(Said::Refused { request, message }) => {
            format!("refused {request:?} {}", String::from_utf8_lossy(message))
        }
        Ok(said) => format!("{said:?}"),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn every_message_of_the_collection_is_understood_or_named() {
    let Some(folder) = shared("data/venue_messages/bybit") else {
        return;
    };
    let symbols = symbols();
    let mut seen = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ws_") && !name.starts_with("ws_account") {
            let text = std::fs::read_to_string(&path).unwrap();
            seen.insert(name, in_words(&text, &symbols));
        }
    }
    let wanted = [
        ("ws_auth_failure", "Other"),
        ("ws_auth_success", "Other"),
        (
            "ws_kline",
            "Alive { topic: Candles(InstrumentId(0), Minute5) }",
        ),
        ("ws_order_response", "Other"),
        // A change of the top of the book is what spot never sends.
        ("ws_orderbook_delta", "NotWanted"),
        ("ws_orderbook_snapshot", "Quotes(InstrumentId(0))"),
        // Named as the collection's own code names it, not as the venue does.
        ("ws_public_trade", "NotWanted"),
        ("ws_subscription_ack", "Granted { request: None }"),
        (
            "ws_subscription_failure",
            "refused None Invalid topic: invalid.topic.BTCUSDT",
        ),
        ("ws_ticker_linear", "NotWanted"),
        ("ws_ticker_option", "WrongSymbol"),
    ];
    let wanted = wanted.map(|(name, words)| (name.to_owned(), words.to_owned()));
    assert_eq!(seen, BTreeMap::from(wanted));
    let Some(folder) = shared("data/venue_messages/bybit") else {
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("ws_account") {
            let text = std::fs::read_to_string(&path).unwrap();
            let words = in_words(&text, &symbols);
            assert!(
                ["NoSymbol", "Other", "WrongSymbol"].contains(&words.as_str()),
                "{path:?}: {words}"
            );
        }
    }
}

#[test]
fn the_collections_book_and_trade_are_read_under_the_names_of_spot() {
    let (Some(delta), Some(snapshot), Some(trade)) = (
        message("ws_orderbook_delta"),
        message("ws_orderbook_snapshot"),
        message("ws_public_trade"),
    ) else {
        return;
    };
    let book = |text: &str| in_words(&text.replace("orderbook.1.", "orderbook.50."), &symbols());
    assert_eq!(
        book(&snapshot),
        "Snapshot(Next { number: 123456789, cross: 987654321 }) 2 2"
    );
    assert_eq!(
        book(&delta),
        "Update(Next { number: 123456790, cross: 987654322 }) 1 1"
    );
    let [MarketEvent::Trade(trade)] = events_of(&trade.replace("trade.linear", "publicTrade"))[..]
    else {
        panic!("one trade")
    };
    assert_eq!(
        (trade.taker, trade.id),
        (Side::Buy, TradeId(0x9dc7_5fca_4bdd_4773))
    );
    assert_eq!(
        (trade.price, trade.quantity),
        (Price(2_745_100), Quantity(10_000))
    );
    assert_eq!(
        trade.event_time,
        Some(Timestamp::from_millis(1_709_891_679_000))
    );
}

fn events_of(text: &str) -> Vec<MarketEvent> {
    events(said(text))
}

fn said(text: &str) -> Vec<Incoming<MarketEvent>> {
    let mut said = Vec::new();
    let Ok(Said::Data(data)) = read(text.as_bytes()) else {
        panic!("no data: {text}");
    };
    decode(&data, Timestamp::EPOCH, &symbols(), &mut |incoming| {
        said.push(incoming)
    });
    said
}

#[test]
fn quotes_and_candles_are_exact() {
    let (Some(quote), Some(candle)) = (message("ws_orderbook_snapshot"), message("ws_kline"))
    else {
        return;
    };
    let [MarketEvent::Quote(quote)] = events_of(&quote)[..] else {
        panic!("one quote")
    };
    assert_eq!((quote.bid, quote.ask), (Price(2_745_000), Price(2_745_100)));
    assert_eq!(
        (quote.bid_quantity, quote.ask_quantity),
        (Quantity(500_000), Quantity(750_000))
    );
    assert_eq!(
        quote.event_time,
        Some(Timestamp::from_millis(1_709_891_679_000))
    );
    let closed = candle.replace("\"confirm\": false", "\"confirm\": true");
    let [MarketEvent::Candle(candle)] = events_of(&closed)[..] else {
        panic!("one candle")
    };
    assert_eq!(
        (candle.open, candle.close),
        (Price(1_664_950), Price(1_667_700))
    );
    assert_eq!(
        (candle.high, candle.low),
        (Price(1_667_700), Price(1_660_800))
    );
    assert_eq!(candle.volume, Amount(2_081_000_000_000_000_000));
    assert_eq!(
        events_of(&closed.replace("1672324800000", "1672324800001")),
        []
    );
}

#[test]
fn a_number_that_says_nothing_about_order_is_not_one() {
    let numbers = |ids: &[&str]| -> Vec<Option<Sequence>> {
        let number = |incoming: &Incoming<MarketEvent>| match incoming {
            Incoming::Event { sequence, .. } => *sequence,
            other => panic!("{other:?}"),
        };
        said(&trades(ids)).iter().map(number).collect()
    };
    let at = |number| Some(Sequence::Increasing(number));
    let growing = numbers(&["2290000000061666327", "2290000000061666328"]);
    assert_eq!(
        growing,
        [at(2_290_000_000_061_666_327), at(2_290_000_000_061_666_328)]
    );
    assert_eq!(numbers(&["8", "7", "9"]), [at(8), None, at(9)]);
    assert_eq!(numbers(&["9dc75fca-4bdd-4773-9f78-6f5d7ab2a110"]), [None]);
    assert_eq!(
        said(&trades(&["9dc75"])),
        [Incoming::Ignored(Ignored::Content)]
    );
}

#[test]
fn what_is_not_ours_or_cannot_be_exact_is_ignored() {
    let quote = r#"{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1,"data":{"s":"BTCUSDT","b":[["100.5","1"]],"a":[["101","1"]],"u":5,"seq":9},"cts":1}"#;
    let check = |text: &str, wanted: &str| assert_eq!(in_words(text, &symbols()), wanted, "{text}");
    check(quote, "Quotes(InstrumentId(0))");
    check(&quote.replace("BTCUSDT", "DOGEUSDT"), "WrongSymbol");
    check(&quote.replacen("BTCUSDT", "XRPUSDT", 1), "WrongSymbol");
    check(&quote.replace(r#""s":"BTCUSDT","#, ""), "NoSymbol");
    check(&quote.replace("100.5", "100.505"), "OffGrid");
    check(&quote.replace("100.5", "NaN"), "Content");
    check(&quote.replace(r#"[["100.5","1"]]"#, "[]"), "NotWanted");
    check(
        &quote.replace("orderbook.1.", "orderbook.200."),
        "NotWanted",
    );
    check(
        &quote.replace("orderbook.1.BTCUSDT", "orderbook"),
        "NoSymbol",
    );
    check(r#"{"topic":"publicTrade.BTCUSDT","data":{}}"#, "Content");
    check(r#"{"topic":"publicTrade.BTCUSDT"}"#, "Malformed");
    check("", "Malformed");
    check("{}", "Other");
    check(&"[".repeat(1_000_000), "Malformed");
}

fn desk(assets: &Assets) -> ListedFor<'_> {
    ListedFor {
        venue: VenueId(3),
        name: "bybit",
        assets,
    }
}

#[test]
fn the_list_of_instruments_has_their_rules() {
    let (Some(spot), Some(linear), Some(option)) = (
        message("http_get_instruments_spot"),
        message("http_get_instruments_linear"),
        message("http_get_instruments_option"),
    ) else {
        return;
    };
    let assets = Assets::default();
    let listings = decode_listings(spot.as_bytes(), desk(&assets)).unwrap();
    assert_eq!((listings.listings.len(), listings.left_out.len()), (2, 0));
    let bitcoin = &listings.listings[0];
    assert_eq!(
        (bitcoin.symbol.as_str(), bitcoin.product.as_str()),
        ("BTCUSDT", "BTC/USDT")
    );
    let rules = &bitcoin.instrument;
    assert_eq!((rules.price_decimals, rules.quantity_decimals), (1, 4));
    assert_eq!(
        (rules.tick, rules.step, rules.quantity_min),
        (Price(1), Quantity(1), Quantity(10))
    );
    assert_eq!(
        (rules.quantity_max, rules.notional_min),
        (Quantity(1_000_000), Amount::whole(10))
    );
    assert_eq!(rules.status, InstrumentStatus::Trading);
    for other in [linear, option] {
        assert_eq!(
            decode_listings(other.as_bytes(), desk(&assets))
                .unwrap()
                .listings,
            []
        );
    }
    let odd = spot.replacen("\"0.1\"", "\"0.000000000000001\"", 1);
    let listings = decode_listings(odd.as_bytes(), desk(&assets)).unwrap();
    assert_eq!(
        listings.listings.len(),
        1,
        "one odd instrument hides no other"
    );
    assert!(
        listings.left_out[0].1.contains("15 and 4 decimal places"),
        "{listings:?}"
    );
    let refused = decode_listings(
        br#"{"retCode":10006,"retMsg":"Too many visits!","result":{}}"#,
        desk(&assets),
    );
    assert!(refused.is_err());
    let Some(stocks) = message("http_get_instruments_spot_xstocks") else {
        return;
    };
    assert!(
        !decode_listings(stocks.as_bytes(), desk(&assets))
            .unwrap()
            .listings
            .is_empty()
    );
}

#[test]
fn candle_history_is_closed_candles_oldest_first() {
    let Some(text) = message("http_get_klines_linear") else {
        return;
    };
    let rules = instrument(0, 1, 4);
    let unaligned = decode_candles(text.as_bytes(), &rules, Interval::Minute1);
    assert!(unaligned.unwrap_err().to_string().contains("1709891679000"));
    let body = r#"{"retCode":0,"retMsg":"OK","result":{"category":"spot","symbol":"BTCUSDT","list":[
        ["1709891700000","3","3","3","3","1","1"],["1709891640000","2","2","2","2","1","1"],
        ["1709891580000","1","1","1","1","1","1"]]},"retExtInfo":{},"time":1709891759999}"#;
    let candles = decode_candles(body.as_bytes(), &rules, Interval::Minute1).unwrap();
    let opens: Vec<i64> = candles.iter().map(|candle| candle.open.0).collect();
    assert_eq!(opens, [10, 20], "the third closes a millisecond later");
    let later = body.replace("1709891759999", "1709891760000");
    assert_eq!(
        decode_candles(later.as_bytes(), &rules, Interval::Minute1)
            .unwrap()
            .len(),
        3
    );
}
