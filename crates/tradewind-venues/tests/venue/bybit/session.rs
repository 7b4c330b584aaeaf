//! A recorded book, and the dialogue of a connection.

use super::*;

/// The only file of a zip archive, which is stored as it is.
fn unzipped(bytes: &[u8]) -> &str {
    let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    assert_eq!(number(8), 0, "compressed");
    let (start, length) = (
        30 + number(26) + number(28),
        number(22) + (number(24) << 16),
    );
    std::str::from_utf8(&bytes[start..start + length]).unwrap()
}

#[test]
fn a_recorded_book_equals_an_independent_rebuild_at_every_frame() {
    let Some(path) = shared("data/bybit_v5/xrpusdt-ob500.data.zip") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let text = unzipped(&bytes);
    let symbols = symbols();
    let rules = symbols.instrument(XRP).unwrap();
    let mut dialogue = dialogue();
    dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(XRP)], out));
    let (mut plain, mut book) = (PlainBook::default(), OrderBook::new(XRP, 1_000));
    let (mut levels, mut seen, mut shown) = (Levels::default(), 0, 0);
    for line in text.lines() {
        // 500 levels, kept by linear; spot has other depths and the same form.
        let line = line.replace("orderbook.500.", "orderbook.50.");
        let json: Value = serde_json::from_str(&line).unwrap();
        if json["type"] == "snapshot" {
            plain = PlainBook::default();
        }
        PlainBook::change(&mut plain.bids, &json["data"]["b"]);
        PlainBook::change(&mut plain.asks, &json["data"]["a"]);
        let Ok(Said::Data(data)) = read(line.as_bytes()) else {
            panic!("no data")
        };
        let message = decode_book(&data, rules, &mut levels).unwrap();
        let outcome = book.take(message, &levels);
        assert!(
            matches!(outcome, Outcome::Changed | Outcome::Same),
            "{outcome:?}: {line}"
        );
        plain.assert_same(&book, rules, &line);
        let received = events(dialogue.receives(&line));
        let [bids, asks] = plain.levels(rules);
        if let [MarketEvent::Depth(depth)] = &received[..] {
            assert_eq!(depth.bids, bids[..20]);
            assert_eq!(depth.asks, asks[..20]);
            shown += 1;
        }
        seen += 1;
    }
    assert_eq!(seen, 50);
    assert!(shown >= 45, "{shown}");
    eprintln!("Bybit: {seen} frames, {shown} tops shown");
}

fn book_frame(kind: &str, number: u64, bid: &str, size: &str) -> String {
    json!({"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 1, "cts": 1, "data": {
        "s": "BTCUSDT", "b": [[bid, size]], "a": [["101", "1"]], "u": number, "seq": number + 1_000}})
    .to_string()
}

#[test]
fn requests_are_granted_and_refused_as_a_whole() {
    let mut dialogue = dialogue();
    let topics = [
        Topic::Quotes(BTC),
        Topic::Trades(BTC),
        Topic::Depth(BTC),
        Topic::Candles(BTC, Interval::Hour1),
    ];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(7, &topics, out));
    let wanted = json!({"req_id": "7", "op": "subscribe", "args": [
        "orderbook.1.BTCUSDT", "publicTrade.BTCUSDT", "orderbook.50.BTCUSDT", "kline.60.BTCUSDT"]});
    assert_eq!(serde_json::from_str::<Value>(&sent[0]).unwrap(), wanted);
    let granted = r#"{"success":true,"ret_msg":"","conn_id":"x","req_id":"7","op":"subscribe"}"#;
    assert_eq!(dialogue.receives(granted), [Incoming::Acked { request: 7 }]);
    assert_eq!(
        dialogue.receives(granted),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    dialogue.does(|protocol, out| protocol.subscribe(8, &topics, out));
    let refused =
        r#"{"success":false,"ret_msg":"Invalid topic: x","conn_id":"x","op":"subscribe"}"#;
    let reason = "Invalid topic: x".to_owned();
    assert_eq!(
        dialogue.receives(refused),
        [Incoming::Refused { request: 8, reason }]
    );
    // Of several, the others may be missing.
    dialogue.does(|protocol, out| protocol.subscribe(9, &topics[..1], out));
    let again = r#"{"success":false,"ret_msg":"error:already subscribed,topic:orderbook.1.BTCUSDT","req_id":"9","op":"subscribe"}"#;
    assert_eq!(dialogue.receives(again), [Incoming::Acked { request: 9 }]);
    let none = [Topic::Candles(BTC, Interval::Day3)];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(10, &none, out));
    assert!(sent[0].contains("kline.3d.BTCUSDT"), "{sent:?}");
    let pong = r#"{"success":true,"ret_msg":"pong","conn_id":"x","op":"ping"}"#;
    assert_eq!(dialogue.receives(pong), [Incoming::Pong]);
    assert_eq!(
        dialogue.does(|protocol, out| protocol.ping(out)),
        [r#"{"op":"ping"}"#]
    );
    assert_eq!(
        dialogue.receives(r#"{"op":"pong","args":["1"]}"#),
        [Incoming::Pong]
    );
}

#[test]
fn d01_a_gap_is_announced_and_the_book_requested_again() {
    let mut dialogue = dialogue();
    dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(BTC)], out));
    assert_eq!(
        events(dialogue.receives(&book_frame("snapshot", 5, "100", "1"))).len(),
        1
    );
    assert_eq!(
        events(dialogue.receives(&book_frame("delta", 6, "100", "2"))).len(),
        1
    );
    assert_eq!(
        dialogue.receives(&book_frame("delta", 6, "100", "2")),
        [Incoming::Ignored(Ignored::Repeated)]
    );
    let gap = dialogue.receives(&book_frame("delta", 8, "100", "3"));
    assert!(matches!(gap[..], [Incoming::Lost { .. }]), "{gap:?}");
    let sent = dialogue.sent();
    assert!(
        sent[0].contains("unsubscribe") && sent[1].contains(r#""op":"subscribe""#),
        "{sent:?}"
    );
    let own = r#"{"success":true,"ret_msg":"","conn_id":"x","req_id":"0","op":"subscribe"}"#;
    assert_eq!(
        dialogue.receives(own),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    let whole = dialogue.receives(&book_frame("snapshot", 1, "100", "9"));
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
    assert_eq!(depth.bids[0].quantity, Quantity(9_000_000));
    assert_eq!(
        events(dialogue.receives(&book_frame("delta", 2, "100", "8"))).len(),
        1
    );
}

#[test]
fn a_quote_said_again_has_its_old_number_and_one_after_a_restart_none() {
    let mut dialogue = dialogue();
    let mut number = |of: u64| {
        let text = format!(
            r#"{{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1,"data":{{"s":"BTCUSDT","b":[["100","1"]],"a":[["101","1"]],"u":{of},"seq":9}}}}"#
        );
        match &dialogue.receives(&text)[..] {
            [Incoming::Event { sequence, .. }] => *sequence,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(number(500), Some(Sequence::Increasing(500)));
    assert_eq!(number(500), Some(Sequence::Increasing(500)));
    assert_eq!(number(1), None);
    assert_eq!(number(2), None);
}

fn texts() -> Vec<String> {
    vec![
        book_frame("snapshot", 5, "100", "1"),
        book_frame("delta", 6, "100", "0"),
        trades(&["5", "6"]),
        r#"{"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1,"data":{"s":"BTCUSDT","b":[["100","1"]],"a":[["101","1"]],"u":5,"seq":9}}"#.to_owned(),
        r#"{"topic":"kline.5.BTCUSDT","data":[{"start":1672324800000,"end":1672325099999,"interval":"5","open":"16649.5","close":"16677","high":"16677","low":"16608","volume":"2.081","turnover":"34666.4005","confirm":true,"timestamp":1672324988882}],"ts":1672324988882,"type":"snapshot"}"#.to_owned(),
        r#"{"success":true,"ret_msg":"","conn_id":"x","req_id":"1","op":"subscribe"}"#.to_owned(),
        r#"{"success":true,"ret_msg":"pong","conn_id":"x","op":"ping"}"#.to_owned(),
    ]
}

fn subscribed() -> Dialogue<MarketProtocol> {
    let mut dialogue = dialogue();
    dialogue
        .does(|protocol, out| protocol.subscribe(1, &[Topic::Trades(BTC), Topic::Depth(BTC)], out));
    dialogue
}

proptest! {
    #[test]
    fn any_text_gives_an_answer(text in ".{0,200}") {
        prop_assert!(!subscribed().receives(&text).is_empty());
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
        let (mut pieces, mut from, mut received) = (subscribed(), 0, Vec::new());
        for cut in cuts {
            received.extend(pieces.bytes(&all[from..cut]));
            from = cut;
        }
        received.extend(pieces.bytes(&all[from..]));
        prop_assert_eq!(received, whole);
    }
}
