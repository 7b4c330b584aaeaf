//! Recorded books, and the dialogue of a connection.

use super::*;

/// CRC32 (IEEE), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

/// The venue's checksum of 2022 over the texts of the best 25 levels.
fn checksum(book: &PlainBook) -> i64 {
    let bids: Vec<_> = book.bids.values().rev().take(25).collect();
    let asks: Vec<_> = book.asks.values().take(25).collect();
    let mut parts = Vec::new();
    for at in 0..25 {
        for (price, size) in [bids.get(at), asks.get(at)].into_iter().flatten() {
            parts.push(format!("{price}:{size}"));
        }
    }
    i64::from(crc32(parts.join(":").as_bytes()).cast_signed())
}

/// The frames of 2022 carry no numbers: each gets those that today's wire would have.
fn numbered(frame: &str, numbers: &mut BTreeMap<String, i64>) -> String {
    let mut json: Value = serde_json::from_str(frame).unwrap();
    let symbol = json["arg"]["instId"].as_str().unwrap().to_owned();
    let last = numbers.entry(symbol).or_insert(-1);
    let this = if *last < 0 { 77 } else { *last + 3 };
    json["data"][0]["prevSeqId"] = json!(*last);
    json["data"][0]["seqId"] = json!(this);
    *last = this;
    json.to_string()
}

#[test]
fn the_recorded_books_equal_an_independent_rebuild_at_every_frame() {
    let Some(path) = shared("data/raw_captures/OKX.ws.1.0") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let symbols = symbols();
    let mut dialogue = dialogue(Endpoint::Public);
    let topics: Vec<Topic> = [0, 2, 3].map(|id| Topic::Depth(InstrumentId(id))).to_vec();
    dialogue.does(|protocol, out| protocol.subscribe(1, &topics, out));
    let (mut plain, mut ours, mut numbers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut levels, mut frames_seen, mut shown, mut trades) = (Levels::default(), 0, 0, 0);
    for text in frames(&text) {
        let json: Value = serde_json::from_str(text).unwrap();
        if json["arg"]["channel"] == "trades" && json.get("data").is_some() {
            let wanted = json["data"].as_array().unwrap().len();
            trades += wanted;
            assert_eq!(events(dialogue.receives(text)).len(), wanted);
        }
        if json["arg"]["channel"] != "books" || json.get("action").is_none() {
            continue;
        }
        let symbol = json["arg"]["instId"].as_str().unwrap();
        let instrument = symbols.find(symbol.as_bytes()).unwrap();
        let row = &json["data"][0];
        let plain: &mut PlainBook = plain.entry(symbol.to_owned()).or_default();
        PlainBook::change(&mut plain.bids, &row["bids"]);
        PlainBook::change(&mut plain.asks, &row["asks"]);
        assert_eq!(
            checksum(plain),
            row["checksum"].as_i64().unwrap(),
            "{symbol}"
        );

        let text = numbered(text, &mut numbers);
        let Ok(Said::Data(data)) = read(text.as_bytes()) else {
            panic!("no data")
        };
        let message = decode_book(&data, instrument, &mut levels).unwrap();
        let book = ours
            .entry(symbol.to_owned())
            .or_insert_with(|| OrderBook::new(instrument.id, 1_000));
        let outcome = book.take(message, &levels);
        assert!(
            matches!(outcome, Outcome::Changed | Outcome::Same),
            "{outcome:?}"
        );
        plain.assert_same(book, instrument, symbol);
        assert!(book.bids().len() <= 400 && book.asks().len() <= 400);
        frames_seen += 1;

        let received = events(dialogue.receives(&text));
        assert_eq!(received.len(), usize::from(outcome == Outcome::Changed));
        if let [MarketEvent::Depth(depth)] = &received[..] {
            let [bids, asks] = plain.levels(instrument);
            assert_eq!(depth.bids, bids[..20.min(bids.len())]);
            assert_eq!(depth.asks, asks[..20.min(asks.len())]);
            shown += 1;
        }
    }
    assert_eq!(frames_seen, 290);
    assert!(shown > 200 && shown < 290, "{shown}");
    assert!(trades >= 74, "{trades}");
    eprintln!("OKX: {frames_seen} frames, {shown} tops shown, {trades} trades");
}

fn book_frame(action: &str, previous: i64, this: i64, bid: &str, size: &str) -> String {
    json!({"arg": {"channel": "books", "instId": "BTC-USDT"}, "action": action, "data": [{
        "asks": [["101", "1", "0", "1"]], "bids": [[bid, size, "0", "1"]],
        "ts": "1597026383085", "checksum": 0, "prevSeqId": previous, "seqId": this}]})
    .to_string()
}

#[test]
fn requests_are_batched_and_granted_topic_by_topic() {
    let mut dialogue = dialogue(Endpoint::Public);
    let topics = [Topic::Quotes(BTC), Topic::Trades(BTC)];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(7, &topics, out));
    let wanted = json!({"id": "7", "op": "subscribe", "args": [
        {"channel": "bbo-tbt", "instId": "BTC-USDT"}, {"channel": "trades", "instId": "BTC-USDT"}]});
    assert_eq!(
        sent.iter()
            .map(|text| serde_json::from_str::<Value>(text).unwrap())
            .collect::<Vec<_>>(),
        [wanted]
    );
    let granted = |channel: &str| {
        format!(
            r#"{{"event":"subscribe","arg":{{"channel":"{channel}","instId":"BTC-USDT"}},"connId":"a4d3ae55"}}"#
        )
    };
    assert_eq!(
        dialogue.receives(&granted("trades")),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    assert_eq!(
        dialogue.receives(&granted("bbo-tbt")),
        [Incoming::Acked { request: 7 }]
    );
    dialogue.does(|protocol, out| protocol.subscribe(8, &topics, out));
    let refused = r#"{"id":"8","event":"error","code":"60018","msg":"Wrong URL or channel:trades","connId":"a4d3ae55"}"#;
    let reason = "60018 Wrong URL or channel:trades".to_owned();
    assert_eq!(
        dialogue.receives(refused),
        [Incoming::Refused { request: 8, reason }]
    );
    dialogue.does(|protocol, out| protocol.subscribe(9, &topics, out));
    let unnumbered = r#"{"event":"error","code":"60012","msg":"Invalid request"}"#;
    let reason = "60012 Invalid request".to_owned();
    assert_eq!(
        dialogue.receives(unnumbered),
        [Incoming::Refused { request: 9, reason }]
    );
    assert_eq!(
        dialogue.receives(unnumbered),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
}

#[test]
fn what_the_venue_does_not_have_it_refuses_itself() {
    let mut dialogue = dialogue(Endpoint::Business);
    let topics = [
        Topic::Candles(BTC, Interval::Hour8),
        Topic::Candles(BTC, Interval::Hour1),
        Topic::Candles(InstrumentId(77), Interval::Day1),
    ];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(3, &topics, out));
    let args = serde_json::from_str::<Value>(&sent[0]).unwrap()["args"].clone();
    let wanted = json!([{"channel": "candle8h", "instId": "BTC-USDT"}, {"channel": "candle1H", "instId": "BTC-USDT"},
        {"channel": "candle1Dutc", "instId": "UNKNOWN"}]);
    assert_eq!(args, wanted);
}

#[test]
fn pings_are_texts_and_a_notice_announces_the_end() {
    let mut dialogue = dialogue(Endpoint::Public);
    assert_eq!(dialogue.does(|protocol, out| protocol.ping(out)), ["ping"]);
    assert_eq!(dialogue.receives("pong"), [Incoming::Pong]);
    let notice = r#"{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.","connId":"a4d3ae55"}"#;
    assert_eq!(dialogue.receives(notice), [Incoming::ClosingSoon]);
}

#[test]
fn d01_a_gap_is_announced_once_and_the_book_is_requested_again() {
    let mut dialogue = dialogue(Endpoint::Public);
    let topic = [Topic::Depth(BTC)];
    dialogue.does(|protocol, out| protocol.subscribe(1, &topic, out));
    assert_eq!(
        dialogue.receives(&book_frame("update", 3, 4, "100", "1")),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    let first = events(dialogue.receives(&book_frame("snapshot", -1, 5, "100", "1")));
    assert!(matches!(&first[..], [MarketEvent::Depth(depth)] if depth.bids.len() == 1));
    let repeated = dialogue.receives(&book_frame("update", 5, 6, "100", "2"));
    assert_eq!(events(repeated).len(), 1);
    assert_eq!(
        dialogue.receives(&book_frame("update", 5, 6, "100", "2")),
        [Incoming::Ignored(Ignored::Repeated)]
    );
    assert!(dialogue.sent().is_empty());

    let gap = dialogue.receives(&book_frame("update", 7, 8, "100", "3"));
    let [
        Incoming::Lost {
            topic: Topic::Depth(BTC),
            ..
        },
    ] = &gap[..]
    else {
        panic!("{gap:?}")
    };
    let sent = dialogue.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0].contains("unsubscribe") && sent[1].contains(r#""op":"subscribe""#));
    // More of the old subscription says nothing, and what is requested once is not requested again at once.
    assert_eq!(
        events(dialogue.receives(&book_frame("update", 8, 9, "100", "4"))),
        []
    );
    assert!(dialogue.sent().is_empty());
    // The answers to what the connection requested on its own are nobody's.
    let answer = r#"{"id":"0","event":"error","code":"60014","msg":"Requests too frequent"}"#;
    assert_eq!(
        dialogue.receives(answer),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    dialogue.now = dialogue.now + Duration::from_secs(2);
    dialogue.receives("pong");
    assert_eq!(dialogue.sent().len(), 2, "no snapshot came");
    let whole = dialogue.receives(&book_frame("snapshot", -1, 50, "100", "9"));
    let [
        Incoming::Whole { .. },
        Incoming::Event {
            event: MarketEvent::Depth(depth),
            ..
        },
    ] = &whole[..]
    else {
        panic!("{whole:?}")
    };
    assert_eq!(depth.bids[0].quantity, Quantity(900_000_000));
}

#[test]
fn a_change_that_cannot_be_read_is_a_gap() {
    let mut dialogue = dialogue(Endpoint::Public);
    dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(BTC)], out));
    dialogue.receives(&book_frame("snapshot", -1, 5, "100", "1"));
    let received = dialogue.receives(&book_frame("update", 5, 6, "1e2", "1"));
    assert_eq!(received[0], Incoming::Ignored(Ignored::Content));
    assert!(matches!(received[1..], [Incoming::Lost { .. }]));
}

#[test]
fn d04_a_new_connection_starts_with_nothing_of_the_old_one() {
    let topic = [Topic::Depth(BTC)];
    let mut old = dialogue(Endpoint::Public);
    old.does(|protocol, out| protocol.subscribe(1, &topic, out));
    old.receives(&book_frame("snapshot", -1, 5, "100", "1"));
    let mut new = dialogue(Endpoint::Public);
    new.does(|protocol, out| protocol.subscribe(1, &topic, out));
    assert_eq!(
        events(new.receives(&book_frame("update", 5, 6, "100", "2"))),
        []
    );
    let shown = events(new.receives(&book_frame("snapshot", -1, 9, "99", "1")));
    let [MarketEvent::Depth(depth)] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert_eq!(
        depth
            .bids
            .iter()
            .map(|level| level.price)
            .collect::<Vec<_>>(),
        [Price(9_900)]
    );
    // The same connection, subscribed once more: as new.
    new.does(|protocol, out| protocol.unsubscribe(2, &topic, out));
    assert_eq!(
        new.receives(&book_frame("update", 9, 10, "98", "2")),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    new.does(|protocol, out| protocol.subscribe(3, &topic, out));
    assert_eq!(
        events(new.receives(&book_frame("update", 10, 11, "98", "2"))),
        []
    );
}

#[test]
fn quotes_that_start_over_do_not_look_like_old_ones() {
    let mut dialogue = dialogue(Endpoint::Public);
    let quote = |number: u64| {
        format!(
            r#"{{"arg":{{"channel":"bbo-tbt","instId":"BTC-USDT"}},"data":[{{"asks":[["101","1"]],"bids":[["100","1"]],"ts":"1","seqId":{number}}}]}}"#
        )
    };
    let mut number = |of: u64| match &dialogue.receives(&quote(of))[..] {
        [Incoming::Event { sequence, .. }] => *sequence,
        other => panic!("{other:?}"),
    };
    assert_eq!(number(500), Some(Sequence::Increasing(500)));
    assert_eq!(number(500), Some(Sequence::Increasing(500)));
    assert_eq!(number(501), Some(Sequence::Increasing(501)));
    assert_eq!(number(3), None);
    assert_eq!(number(600), None);
}

fn texts() -> Vec<String> {
    vec![
        book_frame("snapshot", -1, 5, "100", "1"),
        book_frame("update", 5, 6, "100", "0"),
        r#"{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["101","1","0","1"]],"bids":[["100","1","0","1"]],"ts":"1597026383085","seqId":5}]}"#.to_owned(),
        r#"{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9","sz":"0.12060306","side":"buy","ts":"1630048897897","count":"3"},{"instId":"BTC-USDT","tradeId":"130639475","px":"42219.9","sz":"0.1","side":"sell","ts":"1630048897898","count":"1"}]}"#.to_owned(),
        r#"{"arg":{"channel":"candle1m","instId":"BTC-USDT"},"data":[["1597026360000","8533.02","8553.74","8527.17","8548.26","45247","529.58","5529.58","1"]]}"#.to_owned(),
        r#"{"event":"subscribe","arg":{"channel":"trades","instId":"BTC-USDT"}}"#.to_owned(),
        "pong".to_owned(),
    ]
}

fn subscribed() -> Dialogue<MarketProtocol> {
    let mut dialogue = dialogue(Endpoint::Public);
    dialogue
        .does(|protocol, out| protocol.subscribe(1, &[Topic::Trades(BTC), Topic::Depth(BTC)], out));
    dialogue
}

proptest! {
    #[test]
    fn any_text_gives_an_answer(bytes in ".{0,200}") {
        prop_assert!(!subscribed().receives(&bytes).is_empty());
    }

    #[test]
    fn a_damaged_text_gives_an_answer(which in 0_usize..7, at: prop::sample::Index, byte in 32_u8..127, cut: prop::sample::Index) {
        let mut text = texts()[which].clone().into_bytes();
        let place = at.index(text.len());
        text[place] = byte;
        subscribed().receives(std::str::from_utf8(&text).unwrap());
        text.truncate(cut.index(text.len()));
        prop_assert!(!subscribed().receives(std::str::from_utf8(&text).unwrap()).is_empty());
    }

    #[test]
    fn any_split_of_the_bytes_gives_the_same_messages(cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let all: Vec<u8> = texts().iter().flat_map(|text| frame(text)).collect();
        let whole = subscribed().bytes(&all);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).collect();
        cuts.sort_unstable();
        let (mut pieces, mut from) = (subscribed(), 0);
        let mut received = Vec::new();
        for cut in cuts {
            received.extend(pieces.bytes(&all[from..cut]));
            from = cut;
        }
        received.extend(pieces.bytes(&all[from..]));
        prop_assert_eq!(received, whole);
    }
}
