//! The event stream over a real loopback socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::common::client::{Running, TOKEN};
use crate::common::world::{BTC, ETH, candle, event, id, quote};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tradewind_events::{Event, EventKind};
use tradewind_model::InstrumentId;

fn breaker(seq: u64) -> Arc<Event> {
    let kind = EventKind::CircuitBreakerFired {
        name: "venue".into(),
        failures: 5,
    };
    event(id(seq, 0), None, kind)
}

fn price(seq: u64, instrument: InstrumentId, bid: i64) -> Arc<Event> {
    event(
        id(seq, 0),
        None,
        EventKind::PriceUpdate(quote(instrument, bid)),
    )
}

fn closed(seq: u64) -> Arc<Event> {
    event(id(seq, 0), None, EventKind::CandleClosed(candle()))
}

fn ids(range: impl Iterator<Item = u64>) -> Vec<String> {
    range.map(|seq| format!("{seq}.0")).collect()
}

#[tokio::test]
async fn events_come_in_order_with_id_type_and_data() {
    let desk = Running::start().await;
    let mut stream = desk
        .stream("?types=circuit_breaker_fired,desk_stopping", "")
        .await;
    stream.ping().await;
    for seq in 201..=300 {
        desk.desk.publish(&breaker(seq));
    }
    let first = stream.next().await.unwrap();
    assert_eq!(first.id.as_deref(), Some("201.0"));
    assert_eq!(first.event, "circuit_breaker_fired");
    assert_eq!(first.data["v"], 1);
    assert_eq!(first.data["id"], "201.0");
    assert_eq!(first.data["type"], "circuit_breaker_fired");
    assert_eq!(first.data["data"]["failures"], 5);
    assert_eq!(stream.ids(99).await, ids(202..=300));
}

#[tokio::test]
async fn only_the_types_asked_for_come() {
    let desk = Running::start().await;
    let mut stream = desk.stream("?types=circuit_breaker_fired", "").await;
    stream.ping().await;
    desk.desk.publish(&closed(201));
    desk.desk.publish(&breaker(202));
    desk.desk.publish(&closed(203));
    desk.desk.publish(&breaker(204));
    assert_eq!(stream.ids(2).await, ["202.0", "204.0"]);
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing_lossless_and_gets_nothing_twice() {
    let desk = Running::start().await;
    let mut stream = desk.stream("?types=circuit_breaker_fired", "").await;
    stream.ping().await;
    (201..=210).for_each(|seq| desk.desk.publish(&breaker(seq)));
    assert_eq!(stream.ids(5).await, ids(201..=205));
    drop(stream);
    (211..=1_900).for_each(|seq| desk.desk.publish(&breaker(seq)));
    let mut stream = desk
        .stream("?types=circuit_breaker_fired", "Last-Event-ID: 205.0\r\n")
        .await;
    assert_eq!(stream.ids(1_695).await, ids(206..=1_900));
    (1_901..=1_910).for_each(|seq| desk.desk.publish(&breaker(seq)));
    assert_eq!(stream.ids(10).await, ids(1_901..=1_910));
}

#[tokio::test]
async fn a_break_is_announced_where_types_are_not_resumed() {
    let desk = Running::start().await;
    let mut stream = desk
        .stream(
            "?types=risk_decision_rejected,command,equity_snapshot,circuit_breaker_fired",
            "Last-Event-ID: 103.0\r\n",
        )
        .await;
    let gap = stream.next().await.unwrap();
    assert_eq!((gap.id, gap.event.as_str()), (None, "gap"));
    assert!(gap.data["data"]["missing"].is_null(), "{}", gap.data);
    // A denial and a command follow in the log; the equity snapshot behind them is of a type that is not resumed.
    assert_eq!(stream.ids(2).await, ["104.0", "105.0"]);
    desk.desk.publish(&breaker(201));
    assert_eq!(stream.ids(1).await, ["201.0"]);
    let head = format!("Authorization: Bearer {TOKEN}\r\nLast-Event-ID: yesterday\r\n");
    let got = desk
        .ask_with("GET", "/api/v1/events", &desk.host(), &head, "")
        .await;
    assert_eq!((got.status, got.code().as_str()), (400, "bad_request"));
}

#[tokio::test]
async fn prices_are_the_latest_of_each_instrument_and_begin_with_a_snapshot() {
    let desk = Running::start().await;
    let mut stream = desk.stream("?types=price_update", "").await;
    let first = stream.next().await.unwrap();
    assert_eq!((first.id, first.event.as_str()), (None, "price_update"));
    assert_eq!(first.data["data"]["bid"], "61837.62", "the view's quote");
    for step in 0..500 {
        desk.desk.publish(&price(
            1_000 + 2 * step,
            BTC,
            6_000_000 + i64::try_from(step).unwrap(),
        ));
        desk.desk.publish(&price(
            1_001 + 2 * step,
            ETH,
            250_000 + i64::try_from(step).unwrap(),
        ));
    }
    let (mut seen, mut done) = (0, [false; 2]);
    while done != [true; 2] {
        let message = stream.next().await.unwrap();
        seen += 1;
        done[0] |= message.data["data"]["bid"] == "60004.99";
        done[1] |= message.data["data"]["bid"] == "2504.99";
    }
    assert!(
        seen <= 8,
        "{seen} messages for 1,000 quotes within one or two flushes"
    );
    let mut late = desk
        .stream("?types=price_update", "Last-Event-ID: 1.0\r\n")
        .await;
    let both = [late.next().await.unwrap(), late.next().await.unwrap()];
    assert_eq!(
        both[0].data["data"]["bid"], "60004.99",
        "a snapshot, nothing resumed"
    );
    assert_eq!(both[1].data["data"]["bid"], "2504.99");
}

#[tokio::test]
async fn a_reader_that_falls_behind_gets_a_gap_and_gets_the_rest_from_the_log() {
    let desk = Running::start().await;
    let mut stream = desk
        .stream("?types=circuit_breaker_fired,candle_closed", "")
        .await;
    stream.ping().await;
    // The publisher runs without a pause: the ring of 1,024 goes round many times before the client is polled again.
    (201..=8_200).for_each(|seq| {
        desk.desk.publish(&if seq % 2 == 0 {
            breaker(seq)
        } else {
            closed(seq)
        });
    });
    let (mut breakers, mut candles, mut missing, mut last) = (0_u64, 0_u64, 0_u64, 0_u64);
    while breakers < 4_000 {
        let message = stream.next().await.unwrap();
        match message.event.as_str() {
            "gap" => missing += message.data["data"]["missing"].as_u64().unwrap(),
            other => {
                let id = message.id.unwrap();
                let seq: u64 = id.strip_suffix(".0").unwrap().parse().unwrap();
                assert!(seq > last, "{seq} after {last}");
                last = seq;
                let breaker = other == "circuit_breaker_fired";
                breakers += u64::from(breaker);
                candles += u64::from(!breaker);
            }
        }
    }
    assert_eq!(last, 8_200);
    assert_eq!(
        candles + missing,
        4_000,
        "{candles} candles came, {missing} were reported missing"
    );
}

#[tokio::test]
async fn a_hundred_readers_that_do_not_read_delay_nobody() {
    let desk = Running::start().await;
    let mut stalled = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(desk.address).await.unwrap();
        let request = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
            desk.host()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stalled.push(stream);
    }
    let mut stream = desk.stream("?types=circuit_breaker_fired", "").await;
    stream.ping().await;
    let mut took = Vec::new();
    for seq in 201..=1_200 {
        let began = Instant::now();
        desk.desk.publish(&breaker(seq));
        assert_eq!(stream.ids(1).await, ids(seq..=seq));
        took.push(began.elapsed());
    }
    took.sort_unstable();
    // The figure is for the reader; the bound is loose, since the machine may be busy with other tests.
    eprintln!(
        "from publishing to the socket: p50 {:?}, p99 {:?}",
        took[499], took[989]
    );
    assert!(took[989] < Duration::from_secs(1), "{:?}", took[989]);
    assert_eq!(stalled.len(), 100);
}

#[tokio::test]
async fn places_are_bounded_and_given_back() {
    let desk = Running::start_with(|options| options.streams_max = 1).await;
    let mut first = desk.stream("", "").await;
    let got = desk.get("/api/v1/events").await;
    assert_eq!((got.status, got.code().as_str()), (429, "too_many_streams"));
    first.ping().await;
    drop(first);
    // The server notices with its next write.
    while !desk
        .get("/metrics")
        .await
        .body
        .contains("tradewind_streams 0.0")
    {}
    drop(desk.stream("", "").await);
}

#[tokio::test]
async fn the_last_words_of_the_desk_are_heard() {
    let mut desk = Running::start().await;
    let mut stream = desk
        .stream("?types=circuit_breaker_fired,desk_stopping", "")
        .await;
    stream.ping().await;
    desk.desk
        .publish(&event(id(201, 0), None, EventKind::DeskStopping));
    assert_eq!(stream.ids(1).await, ["201.0"]);
    desk.shutdown.cancel();
    assert_eq!(stream.next().await, None);
    desk.tasks.join_next().await.unwrap().unwrap();
}
