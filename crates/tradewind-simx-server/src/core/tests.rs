//! The whole server driven without sockets, on a clock that the test moves.

use super::*;
use crate::options::{Limits, MarketChoice, ServerOptions};
use crate::rest::{Method, TimeUnit};
use crate::startup;
use proptest::prelude::*;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tradewind_model::{ManualClock, OrderKind, Side};
use tradewind_simx::{CancelOrder, ClientId, FillModel, NewOrder, OrderRef, Size};

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn core() -> Core {
    core_at(START)
}

fn core_at(start: Timestamp) -> Core {
    startup::start(&options(start)).unwrap().core
}

fn options(start: Timestamp) -> ServerOptions {
    ServerOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        data_dir: None,
        accounts: vec!["key:secret:USDT=100000,BTC=2".parse().unwrap()],
        market: MarketChoice::Generated { seed: 7 },
        limits: Limits::Off,
        fill: FillModel::Book,
        history: crate::HISTORY,
        clock: Arc::new(ManualClock::new(start)),
    }
}

fn get(core: &mut Core, now: Timestamp, path: &str, query: &str) -> RestAnswer {
    let request = RestRequest {
        address: HERE,
        method: Method::Get,
        path: path.to_owned(),
        query: query.to_owned(),
        body: String::new(),
        key: None,
        unit: TimeUnit::Milliseconds,
    };
    core.handle(now, In::Rest { token: 1, request });
    core.take_out(Out::default()).answers.pop().unwrap().1
}

fn texts(core: &mut Core) -> Vec<String> {
    let out = core.take_out(Out::default());
    out.frames
        .iter()
        .map(|(_, frame)| frame.to_string())
        .collect()
}

/// Two runs of the same inputs, the market advanced in different steps.
#[test]
fn the_same_inputs_leave_the_same_frames() {
    let run = |step: Duration| {
        let (mut core, connection) = (core(), ConnectionId(1));
        for name in ["btcusdt@bookTicker", "ethusdt@trade"] {
            core.handle(
                START,
                In::Subscribe {
                    connection,
                    name: name.to_owned(),
                },
            );
        }
        let (mut now, mut frames) = (START, Vec::new());
        while now < START + Duration::from_secs(20) {
            now = now + step;
            core.advance(now);
            frames.extend(texts(&mut core));
        }
        frames
    };
    let frames = run(Duration::from_millis(20));
    assert!(frames.len() > 50);
    assert_eq!(frames, run(Duration::from_millis(500)));
}

#[test]
fn a_candle_is_told_closed_once_and_as_rest_tells_it() {
    let (mut core, connection) = (core(), ConnectionId(1));
    core.advance(START);
    core.handle(
        START,
        In::Subscribe {
            connection,
            name: "btcusdt@kline_1m".to_owned(),
        },
    );
    let (mut now, mut closed) = (START, Vec::new());
    while now < START + Duration::from_secs(200) {
        now = now + Duration::from_millis(20);
        core.advance(now);
        let told = texts(&mut core);
        closed.extend(
            told.into_iter()
                .filter(|text| text.contains("\"x\":true"))
                .map(|text| (now, text)),
        );
    }
    assert_eq!(closed.len(), 3);
    for (told_at, text) in closed {
        let frame: serde_json::Value = serde_json::from_str(&text).unwrap();
        let kline = &frame["k"];
        let end = Timestamp::from_millis(kline["T"].as_i64().unwrap() + 1);
        assert!(
            told_at.since(end) < Duration::from_millis(100),
            "told at once"
        );
        let open = &kline["t"];
        let query = format!("symbol=BTCUSDT&interval=1m&startTime={open}&limit=1");
        let rest: serde_json::Value =
            serde_json::from_str(&get(&mut core, now, "/api/v3/klines", &query).body).unwrap();
        let row = ["t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B"]
            .map(|key| kline[key].clone());
        assert_eq!(rest[0], serde_json::Value::from(row.to_vec()));
    }
}

/// In the middle of a month of which the first days are unknown, and across its end, by two clocks.
#[test]
fn a_month_is_told_as_rest_tells_it() {
    const MINUTE: Duration = Duration::from_secs(60);
    let within = Timestamp::from_secs(1_700_000_000);
    for (stream, zone, end) in [
        ("btcusdt@kline_1M", "", 1_701_388_800),
        ("btcusdt@kline_1M@+08:00", "&timeZone=8", 1_701_360_000),
    ] {
        let end = Timestamp::from_secs(end);
        for (start, closes) in [(within, 0), (end - MINUTE, 1)] {
            let (mut core, connection) = (core_at(start), ConnectionId(1));
            core.advance(start);
            let name = stream.to_owned();
            core.handle(start, In::Subscribe { connection, name });
            let (mut now, mut told) = (start, Vec::new());
            while now < start + MINUTE + MINUTE / 10 {
                now = now + Duration::from_millis(500);
                core.advance(now);
                let frames = texts(&mut core).into_iter();
                told.extend(
                    frames.map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap()),
                );
            }
            let closed = told.iter().filter(|frame| frame["k"]["x"] == true);
            assert_eq!(closed.count(), closes, "{stream}");
            assert!(told.iter().all(|frame| frame["k"]["i"] == "1M"));

            let query = format!("symbol=BTCUSDT&interval=1M{zone}");
            let rest: serde_json::Value =
                serde_json::from_str(&get(&mut core, now, "/api/v3/klines", &query).body).unwrap();
            // The last frame of each month is what REST tells of it.
            let last = |row: &serde_json::Value| {
                let frame = told.iter().rfind(|frame| frame["k"]["t"] == row[0])?;
                let keys = ["t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B"];
                let told = keys.map(|key| frame["k"][key].clone());
                Some((row.clone(), serde_json::Value::from(told.to_vec())))
            };
            let both: Vec<_> = rest.as_array().unwrap().iter().filter_map(last).collect();
            assert_eq!(both.len(), 1 + closes, "{stream}");
            both.iter().for_each(|(rest, told)| assert_eq!(rest, told));
        }
    }
}

/// Whether `last - first + 1` is the number of trades, and ids are those of trades.
fn numbered(told: &serde_json::Value, [first, last, count]: [&str; 3]) -> (i64, i64) {
    let [first, last, count] = [first, last, count].map(|key| told[key].as_i64().unwrap());
    assert!(count > 0 && first > 0, "{told}");
    assert_eq!(last - first + 1, count, "{told}");
    (first, last)
}

#[test]
fn trades_of_the_past_and_of_today_have_ids_in_one_row() {
    let (mut core, connection) = (core(), ConnectionId(1));
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let day = |core: &mut Core, now| {
        let told = json(&get(core, now, "/api/v3/ticker/24hr", "symbol=BTCUSDT").body);
        let quantity: f64 = told["lastQty"].as_str().unwrap().parse().unwrap();
        assert!(quantity > 0.0, "{told}");
        numbered(&told, ["firstId", "lastId", "count"])
    };
    let newest = |core: &mut Core, now| {
        json(&get(core, now, "/api/v3/trades", "symbol=BTCUSDT&limit=1").body)
    };
    core.advance(START);
    assert_eq!(newest(&mut core, START), serde_json::json!([]));
    let (_, past) = day(&mut core, START);
    // The whole past has room before the first id.
    let days = json(
        &get(
            &mut core,
            START,
            "/api/v3/klines",
            "symbol=BTCUSDT&interval=1d",
        )
        .body,
    );
    let counts = days.as_array().unwrap().iter();
    let count: i64 = counts.map(|row| row[8].as_i64().unwrap()).sum();
    assert!(count * 10 < past, "{count} trades before {past}");

    for name in ["btcusdt@kline_1m", "btcusdt@kline_1d", "btcusdt@trade"] {
        let name = name.to_owned();
        core.handle(START, In::Subscribe { connection, name });
    }
    let (mut now, mut first_trade, mut minutes) = (START, None, Vec::new());
    while now < START + Duration::from_secs(200) {
        now = now + Duration::from_millis(20);
        core.advance(now);
        for frame in texts(&mut core).iter().map(|text| json(text)) {
            if frame["e"] == "trade" {
                first_trade = first_trade.or(frame["t"].as_i64());
                continue;
            }
            let ids = numbered(&frame["k"], ["f", "L", "n"]);
            if frame["k"]["x"] == true {
                minutes.push(ids);
            }
        }
    }
    assert_eq!(first_trade, Some(past + 1));
    let pairs = minutes.iter().zip(&minutes[1..]);
    assert_eq!(pairs.clone().count(), 2);
    pairs.for_each(|(one, next)| assert_eq!(one.1 + 1, next.0));
    let (_, last) = day(&mut core, now);
    assert_eq!(newest(&mut core, now)[0]["id"], last);
}

#[test]
fn diffs_applied_to_a_snapshot_give_the_book() {
    let (mut core, connection) = (core(), ConnectionId(1));
    core.advance(START + Duration::from_secs(5));
    let mut now = START + Duration::from_secs(5);
    core.handle(
        now,
        In::Subscribe {
            connection,
            name: "btcusdt@depth@100ms".to_owned(),
        },
    );
    let depth = |core: &mut Core, now| -> serde_json::Value {
        let answer = get(core, now, "/api/v3/depth", "symbol=BTCUSDT&limit=5000");
        serde_json::from_str(&answer.body).unwrap()
    };
    let snapshot = depth(&mut core, now);
    let mut book = std::collections::BTreeMap::new();
    let mut apply = |side: &'static str, rows: &serde_json::Value| {
        for row in rows.as_array().unwrap() {
            let (price, quantity) = (
                row[0].as_str().unwrap().to_owned(),
                row[1].as_str().unwrap().to_owned(),
            );
            if quantity == "0.00000000" {
                book.remove(&(side, price));
            } else {
                book.insert((side, price), quantity);
            }
        }
        book.clone()
    };
    apply("bids", &snapshot["bids"]);
    let mut folded = apply("asks", &snapshot["asks"]);
    let mut last = snapshot["lastUpdateId"].as_u64().unwrap();
    for _ in 0..200 {
        now = now + Duration::from_millis(50);
        core.advance(now);
        for text in texts(&mut core) {
            let update: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(update["U"].as_u64(), Some(last + 1), "no gap");
            last = update["u"].as_u64().unwrap();
            apply("bids", &update["b"]);
            folded = apply("asks", &update["a"]);
        }
    }
    let wanted = depth(&mut core, now);
    assert_eq!(wanted["lastUpdateId"].as_u64(), Some(last));
    let rows = ["bids", "asks"].into_iter().flat_map(|side| {
        let rows = wanted[side].as_array().unwrap().iter();
        rows.map(move |row| {
            (
                (side, row[0].as_str().unwrap().to_owned()),
                row[1].as_str().unwrap().to_owned(),
            )
        })
    });
    assert_eq!(folded, rows.collect());
}

/// Who read the book between two frames is told what it saw, even if that changed back.
#[test]
fn a_level_that_changed_and_changed_back_is_told_to_who_read_it() {
    let (mut core, connection) = (core(), ConnectionId(1));
    core.advance(START + Duration::from_secs(5));
    let now = START + Duration::from_secs(5);
    core.handle(now, In::Pause { paused: true });
    let name = "btcusdt@depth@100ms".to_owned();
    core.handle(now, In::Subscribe { connection, name });
    texts(&mut core);
    let order = |side, price: i64| {
        NewOrder::new(
            AccountId(0),
            InstrumentId(0),
            ClientId::new("there-and-back").unwrap(),
            side,
            Size::Base(Quantity(100_000)),
            OrderKind::PostOnly {
                price: Price(price),
            },
        )
    };
    let price = touch_or_zero(&core.exchange, InstrumentId(0)).bid.0 - 500_000;
    let placed = Action::Submit(order(Side::Buy, price));
    core.act(now, &placed).unwrap();
    let snapshot = get(&mut core, now, "/api/v3/depth", "symbol=BTCUSDT&limit=5000").body;
    let text = format!("{}.{:02}000000", price / 100, price % 100);
    assert!(snapshot.contains(&text), "{text} in {snapshot}");
    let gone = CancelOrder {
        account: AccountId(0),
        instrument: InstrumentId(0),
        order: OrderRef::Client(ClientId::new("there-and-back").unwrap()),
        cancel_id: None,
    };
    core.act(now, &Action::Cancel(gone)).unwrap();
    core.advance(now + Duration::from_millis(200));
    let frames = texts(&mut core);
    let update: serde_json::Value = serde_json::from_str(&frames[0]).unwrap();
    assert_eq!(update["b"], serde_json::json!([[text, "0.00000000"]]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_request_and_no_frame_panics(
        calls in prop::collection::vec((0_usize..8, "[a-zA-Z]{0,12}", "[-0-9A-Za-z.,%\\[\\]\"]{0,24}"), 1..30),
        text in "\\PC{0,80}",
        stream in "[a-z]{0,8}@?[a-zA-Z0-9_@]{0,14}",
    ) {
        const PATHS: [&str; 8] = ["klines", "depth", "trades", "ticker/24hr", "exchangeInfo", "order", "ticker/price", "aggTrades"];
        const NAMES: [&str; 8] = ["symbol", "symbols", "limit", "startTime", "endTime", "interval", "fromId", "type"];
        let mut core = core();
        core.advance(START + Duration::from_secs(1));
        for (place, name, value) in &calls {
            let known = NAMES[(place + name.len()) % NAMES.len()];
            let query = format!("symbol=BTCUSDT&interval=1m&{known}={value}&{name}={value}");
            let path = format!("/api/v3/{}", PATHS[*place]);
            let answer = get(&mut core, START, &path, &query);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_ok());
        }
        let connection = ConnectionId(1);
        core.handle(START, In::Subscribe { connection, name: stream.clone() });
        core.handle(START, In::Unsubscribe { connection, name: stream });
        let asker = Asker { connection, address: HERE, unit: TimeUnit::Milliseconds, rate_limits: true };
        let method = format!(r#"{{"id":1,"method":"klines","params":{{"symbol":"BTCUSDT","limit":{:?}}}}}"#, text);
        core.handle(START, In::WsApi { asker, text });
        core.handle(START, In::WsApi { asker, text: method });
        prop_assert_eq!(texts(&mut core).len(), 2);
    }
}

/// What the log holds is a session: every input that had an effect, in order, with its time.
#[test]
fn a_recorded_session_comes_to_the_same_bytes_again() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions {
        data_dir: Some(folder.path().to_owned()),
        ..options(START)
    };
    let started = startup::start(&options).unwrap();
    let (mut core, mut store) = (started.core, started.store.unwrap());
    for number in 1..=200_u32 {
        let now = START + Duration::from_millis(100) * number;
        core.advance(now);
        let touch = core.exchange.touch(InstrumentId(0)).unwrap();
        let kind = match number % 3 {
            0 => OrderKind::Market,
            1 => OrderKind::PostOnly {
                price: Price(touch.bid.0 - 1),
            },
            _ => OrderKind::Limit {
                price: touch.bid,
                time_in_force: tradewind_model::TimeInForce::GoodTillCancel,
            },
        };
        let name = ClientId::new(&format!("order-{number}")).unwrap();
        let size = Size::Base(Quantity(100));
        let side = if number % 2 == 0 {
            Side::Buy
        } else {
            Side::Sell
        };
        let order = NewOrder::new(AccountId(0), InstrumentId(0), name, side, size, kind);
        // One that is refused leaves nothing to repeat.
        drop(core.act(now, &Action::Submit(order)));
        for record in core.take_out(Out::default()).records {
            store.append(&record);
        }
    }
    store.sync().unwrap();
    drop(store);
    let told = serde_json::to_vec(&core.exchange).unwrap();
    let again = startup::start(&options).unwrap().core;
    assert!(core.counters().executions > 20, "{:?}", core.counters());
    assert_eq!(serde_json::to_vec(&again.exchange).unwrap(), told);
}
