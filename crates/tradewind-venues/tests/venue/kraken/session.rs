//! 4,269 recorded checksums, and the dialogue of a connection.

use super::*;

/// The levels of a frame of 2021's wire, for the plain book and for ours.
fn levels_of(side: &Value, places: (u8, u8)) -> Vec<Level> {
    let mut plain = Vec::new();
    for level in side.as_array().unwrap() {
        let count = |at: usize, decimals: u8| {
            let value =
                tradewind_model::parse_fixed(level[at].as_str().unwrap(), decimals).unwrap();
            i64::try_from(value).unwrap()
        };
        plain.push(Level {
            price: Price(count(0, places.0)),
            quantity: Quantity(count(1, places.1)),
        });
    }
    plain
}

const fn checked_step(checksum: u32) -> Step {
    Step::Checked {
        checksum,
        at: None,
        finer: (0, 0),
    }
}

#[test]
fn every_recorded_checksum_is_that_of_our_book() {
    let Some(path) = shared("data/raw_captures/KRAKEN.ws.50.0") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut books: BTreeMap<String, (OrderBook, PlainBook, (u8, u8))> = BTreeMap::new();
    let (mut checked, mut snapshots) = (0, 0);
    for text in frames(&text) {
        let json: Value = serde_json::from_str(text).unwrap();
        let Some(parts) = json.as_array() else {
            continue;
        };
        let pair = parts.last().unwrap().as_str().unwrap();
        let found = |name: &str| {
            parts[1..parts.len() - 2]
                .iter()
                .find_map(|part| part.get(name))
        };
        let none = json!([]);
        if let (Some(asks), Some(bids)) = (found("as"), found("bs")) {
            let decimals = |text: &Value| {
                let (_, fraction) = text.as_str().unwrap().split_once('.').unwrap();
                u8::try_from(fraction.len()).unwrap()
            };
            let places = (decimals(&asks[0][0]), decimals(&asks[0][1]));
            let mut book = OrderBook::of_depth(InstrumentId(0), 1_000);
            let levels = Levels {
                bids: levels_of(bids, places),
                asks: levels_of(asks, places),
            };
            // Snapshots of that wire have no checksum: ours is taken, and the next one proves it.
            let mut unchecked = OrderBook::new(InstrumentId(0), 2_000);
            unchecked.take(Message::Snapshot(Step::Span { first: 0, last: 0 }), &levels);
            let checksum = unchecked.checksum();
            let outcome = book.take(Message::Snapshot(checked_step(checksum)), &levels);
            assert_eq!(outcome, Outcome::Changed, "{pair}");
            let mut plain = PlainBook::default();
            PlainBook::change(&mut plain.bids, bids);
            PlainBook::change(&mut plain.asks, asks);
            books.insert(pair.to_owned(), (book, plain, places));
            snapshots += 1;
            continue;
        }
        let (book, plain, places) = books.get_mut(pair).unwrap();
        let (asks, bids) = (found("a").unwrap_or(&none), found("b").unwrap_or(&none));
        let levels = Levels {
            bids: levels_of(bids, *places),
            asks: levels_of(asks, *places),
        };
        let checksum = found("c").unwrap().as_str().unwrap().parse().unwrap();
        let outcome = book.take(Message::Update(checked_step(checksum)), &levels);
        assert!(
            matches!(outcome, Outcome::Changed | Outcome::Same),
            "{outcome:?}: {text}"
        );
        PlainBook::change(&mut plain.bids, bids);
        PlainBook::change(&mut plain.asks, asks);
        while plain.bids.len() > 1_000 {
            plain.bids.pop_first();
        }
        while plain.asks.len() > 1_000 {
            plain.asks.pop_last();
        }
        plain.assert_same(book, &instrument(0, places.0, places.1), text);
        checked += 1;
    }
    assert_eq!((checked, snapshots), (4_269, 10));
    eprintln!("Kraken: {checked} checksums of {snapshots} books");
}

fn level(price: i64, quantity: i64) -> Level {
    Level {
        price: Price(price),
        quantity: Quantity(quantity),
    }
}

/// A frame of the book with the checksum of what the book is after it.
fn book_frame(kind: &str, change: &Levels, after: &OrderBook) -> String {
    let side = |levels: &[Level]| -> String {
        let level = |level: &Level| {
            let (price, quantity) = (level.price.0, level.quantity.0);
            format!(
                r#"{{"price":{}.{},"qty":{}.{:08}}}"#,
                price / 10,
                price % 10,
                quantity / 100_000_000,
                quantity % 100_000_000
            )
        };
        levels.iter().map(level).collect::<Vec<_>>().join(",")
    };
    format!(
        r#"{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{}],"asks":[{}],"checksum":{},"timestamp":"2023-10-06T17:35:55.440295Z"}}]}}"#,
        side(&change.bids),
        side(&change.asks),
        after.checksum()
    )
}

fn plain_book() -> OrderBook {
    OrderBook::of_depth(BTC, 10)
}

/// A venue's book of depth 10, and what it sends.
fn first() -> (OrderBook, Levels) {
    let levels = Levels {
        bids: (0..10).map(|at| level(1_000 - at, 5)).collect(),
        asks: (0..10).map(|at| level(1_001 + at, 5)).collect(),
    };
    let mut book = plain_book();
    book.take(Message::Snapshot(Step::Span { first: 0, last: 0 }), &levels);
    (book, levels)
}

fn change(book: &mut OrderBook, number: u64, bids: Vec<Level>) -> (Levels, String) {
    let change = Levels { bids, asks: vec![] };
    book.take(
        Message::Update(Step::Span {
            first: number,
            last: number,
        }),
        &change,
    );
    let text = book_frame("update", &change, book);
    (change, text)
}

#[test]
fn d01_a_missing_change_is_noticed_by_the_checksum_of_the_next() {
    let (mut venue, snapshot) = first();
    let mut dialogue = dialogue();
    let sent = dialogue.does(|protocol, out| protocol.subscribe(1, &[Topic::Depth(BTC)], out));
    assert_eq!(
        serde_json::from_str::<Value>(&sent[0]).unwrap(),
        json!({"method": "subscribe", "req_id": 1, "params": {"channel": "book", "depth": 10, "symbol": ["BTC/USD"]}})
    );
    let shown = events(dialogue.receives(&book_frame("snapshot", &snapshot, &venue)));
    assert!(matches!(&shown[..], [MarketEvent::Depth(_)]), "{shown:?}");
    // A level that falls out of the depth is not said to go.
    let (_, inserted) = change(
        &mut venue,
        1,
        vec![level(995, 7), level(1_000, 0), level(1_000, 9)],
    );
    assert_eq!(events(dialogue.receives(&inserted)).len(), 1);
    let (_, lost) = change(&mut venue, 2, vec![level(999, 1)]);
    let (_, next) = change(&mut venue, 3, vec![level(998, 1)]);
    let received = dialogue.receives(&next);
    let [
        Incoming::Lost {
            why: Loss::Checksum,
            ..
        },
    ] = &received[..]
    else {
        panic!("{received:?}")
    };
    let sent = dialogue.sent();
    assert!(
        sent[0].contains("unsubscribe") && sent[1].contains(r#""method":"subscribe""#),
        "{sent:?}"
    );
    assert_eq!(
        dialogue.receives(&lost),
        [Incoming::Ignored(Ignored::NotWanted)]
    );
    let whole = Levels {
        bids: venue.bids().collect(),
        asks: venue.asks().collect(),
    };
    let whole = dialogue.receives(&book_frame("snapshot", &whole, &venue));
    assert!(matches!(
        &whole[..],
        [
            Incoming::Whole { .. },
            Incoming::Event {
                event: MarketEvent::Depth(_),
                ..
            }
        ]
    ));
    // The last change once more: the book has it already.
    assert_eq!(events(dialogue.receives(&next)), []);
    assert!(dialogue.sent().is_empty());
}

#[test]
fn d03_repeated_changes_are_ignored_and_former_levels_may_come_back() {
    let (mut venue, snapshot) = first();
    let mut dialogue = subscribed();
    dialogue.receives(&book_frame("snapshot", &snapshot, &venue));
    let mut changed = |second: u64, quantity: i64| {
        let (_, text) = change(&mut venue, second, vec![level(999, quantity)]);
        text.replace("17:35:55", &format!("17:36:{second:02}"))
    };
    let (one, two, back) = (changed(1, 1), changed(2, 2), changed(3, 1));
    for text in [&one, &two] {
        assert_eq!(events(dialogue.receives(text)).len(), 1);
    }
    let repeated = [Incoming::Ignored(Ignored::Repeated)];
    // Its levels and its checksum would fit: the book was like that.
    assert_eq!(dialogue.receives(&one), repeated);
    assert_eq!(dialogue.receives(&two), repeated);
    assert_eq!(events(dialogue.receives(&back)).len(), 1);
    assert_eq!(dialogue.receives(&two), repeated);
    assert_eq!(events(dialogue.receives(&changed(4, 3))).len(), 1);
    assert!(dialogue.sent().is_empty(), "no book was lost");
}

#[test]
fn requests_go_channel_by_channel_and_are_granted_topic_by_topic() {
    let mut dialogue = dialogue();
    let topics = [
        Topic::Quotes(BTC),
        Topic::Quotes(InstrumentId(1)),
        Topic::Trades(BTC),
        Topic::Candles(BTC, Interval::Hour1),
    ];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(7, &topics, out));
    let sent: Vec<Value> = sent
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    assert_eq!(
        sent,
        [
            json!({"method": "subscribe", "req_id": 7, "params": {"channel": "ticker", "event_trigger": "bbo", "symbol": ["BTC/USD", "ETH/USD"]}}),
            json!({"method": "subscribe", "req_id": 7, "params": {"channel": "trade", "snapshot": false, "symbol": ["BTC/USD"]}}),
            json!({"method": "subscribe", "req_id": 7, "params": {"channel": "ohlc", "interval": 60, "snapshot": false, "symbol": ["BTC/USD"]}}),
        ]
    );
    let granted = |channel: &str, symbol: &str| {
        json!({"method": "subscribe", "result": {"channel": channel, "symbol": symbol, "interval": 60}, "success": true, "req_id": 7}).to_string()
    };
    for (channel, symbol) in [
        ("ticker", "BTC/USD"),
        ("ticker", "ETH/USD"),
        ("ohlc", "BTC/USD"),
    ] {
        assert_eq!(
            dialogue.receives(&granted(channel, symbol)),
            [Incoming::Ignored(Ignored::NotWanted)]
        );
    }
    assert_eq!(
        dialogue.receives(&granted("trade", "BTC/USD")),
        [Incoming::Acked { request: 7 }]
    );
    dialogue.does(|protocol, out| protocol.subscribe(8, &topics, out));
    let refused = r#"{"error":"Currency pair not supported ETH/USD","method":"subscribe","req_id":8,"success":false,"symbol":"ETH/USD"}"#;
    let reason = "Currency pair not supported ETH/USD".to_owned();
    assert_eq!(
        dialogue.receives(refused),
        [Incoming::Refused { request: 8, reason }]
    );
    dialogue.does(|protocol, out| protocol.subscribe(9, &topics[..1], out));
    let again = r#"{"error":"Already subscribed","method":"subscribe","req_id":9,"success":false,"symbol":"BTC/USD"}"#;
    assert_eq!(dialogue.receives(again), [Incoming::Acked { request: 9 }]);
    let none = [Topic::Candles(BTC, Interval::Hour2)];
    let sent = dialogue.does(|protocol, out| protocol.subscribe(10, &none, out));
    assert!(sent[0].contains(r#""interval":120"#), "{sent:?}");
    assert_eq!(
        dialogue.receives(r#"{"channel":"heartbeat"}"#),
        [Incoming::Pong]
    );
    let sent = dialogue.does(|protocol, out| protocol.unsubscribe(11, &topics[2..3], out));
    assert!(!sent[0].contains("snapshot"), "{sent:?}");
}

fn texts() -> Vec<String> {
    let (mut venue, snapshot) = first();
    let snapshot = book_frame("snapshot", &snapshot, &venue);
    let (_, update) = change(&mut venue, 1, vec![level(999, 1)]);
    vec![
        snapshot,
        update,
        bar("2023-10-04T16:25:00.000000000Z", "106041.5"),
        bar("2023-10-04T16:26:00.000000000Z", "106042.5"),
        r#"{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,"ask":105944.30,"ask_qty":3.2,"last":105899.40}]}"#.to_owned(),
        r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":105944.20,"qty":0.00027625,"ord_type":"limit","trade_id":10218208,"timestamp":"2023-10-06T17:35:55.440295Z"}]}"#.to_owned(),
        r#"{"method":"pong","req_id":42}"#.to_owned(),
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

    /// Changes are dropped, said again and moved to the end: the book is the venue's at some moment, or not shown.
    #[test]
    fn whatever_the_wire_does_a_shown_book_was_the_venues(
        moves in proptest::collection::vec((990_i64..1_001, 0_i64..4), 1..30),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..6), 0..20),
    ) {
        let (mut venue, snapshot) = first();
        let mut moments = vec![venue.bids().collect::<Vec<_>>()];
        let mut sent = Vec::new();
        let start = book_frame("snapshot", &snapshot, &venue);
        for (at, (price, quantity)) in (1..).zip(&moves) {
            let (_, text) = change(&mut venue, at, vec![level(*price, *quantity)]);
            sent.push(text);
            moments.push(venue.bids().collect());
        }
        for (at, what) in &order {
            if sent.is_empty() { break; }
            let at = at.index(sent.len());
            match what {
                0 => { sent.remove(at); }
                1 => sent.insert(at, sent[at].clone()),
                2 => { let moved = sent.remove(at); sent.push(moved); }
                _ => {}
            }
        }
        let mut dialogue = subscribed();
        let mut shown = events(dialogue.receives(&start));
        for text in &sent {
            shown.extend(events(dialogue.receives(text)));
        }
        for event in shown {
            if let MarketEvent::Depth(depth) = event {
                prop_assert!(moments.contains(&depth.bids), "{:?}", depth.bids);
            }
        }
    }
}
