//! Scripts against the whole server without sockets.

mod bench;

use super::*;
use crate::rest::Method;
use crate::streams::connection::Form;
use bench::{Bench, MARKET, START, STEP};

/// The page with a script for each row.
const PAGE: &str = include_str!("../../../../../docs/faults.md");

/// The scripts of the page with the row each belongs to.
fn page_scripts() -> Vec<(String, String)> {
    let mut scripts = Vec::new();
    let mut row = String::new();
    let mut script: Option<String> = None;
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            row = title.to_owned();
        } else if line == "```toml" {
            script = Some(String::new());
        } else if line == "```" {
            scripts.extend(script.take().map(|script| (row.clone(), script)));
        } else if let Some(script) = &mut script {
            script.push_str(line);
            script.push('\n');
        }
    }
    scripts
}

#[test]
fn every_script_of_the_page_is_read_and_strikes() {
    let scripts = page_scripts();
    let rows = [
        "N01", "N02", "N03", "N04", "N05", "N06", "N07", "N08", "N09", "N10", "N11", "V01", "V02",
        "V03", "V04", "V05", "V06", "V07", "V08", "V09", "V10", "V11", "V12", "V13", "V14", "V15",
        "V16", "V17", "V18", "V19", "V20", "V21", "D01", "D02", "D03", "D04", "D05", "D06", "D07",
        "D08", "D09", "T01", "T02", "L04", "X07",
    ];
    for row in rows {
        assert!(
            scripts.iter().any(|(title, _)| title.contains(row)),
            "{row} has no script"
        );
    }
    for (title, script) in scripts {
        let parsed: Result<FaultScript, _> = script.parse();
        let faults = parsed.unwrap_or_else(|errors| panic!("{title}:\n{errors}"));
        assert!(!faults.is_empty(), "{title}");
        let mut bench = Bench::new(Conduct {
            seed: 1,
            faults,
            ..Conduct::default()
        });
        bench.listen();
        bench.work(Duration::from_secs(12));
        for (name, hits) in bench.hits() {
            assert!(hits > 0, "{title}: {name} did not strike");
        }
    }
}

#[test]
fn the_same_seed_and_inputs_leave_the_same_bytes() {
    let script = r#"
        [[fault]]
        do = "drop"
        chance = 0.1
        [[fault]]
        do = "duplicate"
        by = "exponential(200ms)"
        chance = 0.2
        [[fault]]
        do = "answer"
        code = -1007
        executed = "2s"
        chance = 0.3
        [[fault]]
        do = "lose-reply"
        chance = 0.2
    "#;
    let run = |seed| {
        let latencies =
            "request=2ms,match=uniform(10us,1ms),report=lognormal(3ms,0.5),market=pareto(1ms,1.5)";
        let conduct = Conduct {
            seed,
            latencies: latencies.parse().unwrap(),
            faults: script.parse().unwrap(),
        };
        let mut bench = Bench::new(conduct);
        bench.listen();
        bench.work(Duration::from_secs(10));
        format!("{:?} {:?} {:?}", bench.frames, bench.replies, bench.strokes)
    };
    let one = run(1);
    assert!(one.len() > 100_000);
    assert!(one == run(1), "the same bytes");
    assert!(one != run(2), "another seed, other bytes");
}

#[test]
fn latency_alone_never_changes_the_order_within_a_connection() {
    let latencies = "market=lognormal(50ms,2),report=lognormal(50ms,2),request=pareto(5ms,1)";
    let mut bench = Bench::new(Conduct {
        seed: 5,
        latencies: latencies.parse().unwrap(),
        ..Conduct::default()
    });
    bench.listen();
    bench.work(Duration::from_secs(10));
    bench.pass(Duration::from_secs(60));
    let updates: Vec<u64> = bench
        .events("depthUpdate")
        .iter()
        .filter(|frame| frame["stream"].is_null())
        .map(|frame| frame["u"].as_u64().unwrap())
        .collect();
    assert!(updates.len() > 20 && updates.is_sorted());
    let reports: Vec<u64> = bench
        .events("executionReport")
        .iter()
        .map(|frame| frame["event"]["I"].as_u64().unwrap())
        .collect();
    assert!(reports.len() > 5 && reports.is_sorted(), "{reports:?}");
    assert_eq!(
        bench.replies.len(),
        usize::try_from(bench.tokens).unwrap(),
        "every answer came"
    );
}

#[test]
fn an_answer_can_lie_about_an_order_that_exists_or_does_not() {
    for (executed, exists) in [("true", true), ("false", false)] {
        let script = format!(
            "[[fault]]\ndo = \"answer\"\ncall = \"order.place\"\nstatus = 503\ncode = -1006\nexecuted = {executed}"
        );
        let mut bench = Bench::script(&script);
        let token = bench.place_waiting("a");
        let Some(Reply::Sent(answer)) = bench.reply(token) else {
            panic!("no answer");
        };
        assert!(
            answer.status == 503 && answer.body.contains("-1006"),
            "{answer:?}"
        );
        let (status, body) = bench.answered(
            Method::Get,
            "/api/v3/order",
            "symbol=BTCUSDT&origClientOrderId=a",
        );
        assert_eq!(status == 200, exists, "{body}");
    }
}

#[test]
fn an_order_can_be_executed_long_after_its_answer() {
    let mut bench = Bench::script(
        "[[fault]]\ndo = \"answer\"\ncall = \"POST /api/v3/order\"\ncode = -1007\nexecuted = \"10s\"\n",
    );
    bench.place_waiting("late");
    let query = "symbol=BTCUSDT&origClientOrderId=late";
    bench.pass(Duration::from_millis(9_900));
    assert_eq!(
        bench.answered(Method::Get, "/api/v3/order", query).1["code"],
        -2013
    );
    bench.pass(Duration::from_millis(200));
    let (_, order) = bench.answered(Method::Get, "/api/v3/order", query);
    assert_eq!(
        (&order["status"], &order["time"]),
        (&"NEW".into(), &(START.as_millis() + 10_001).into())
    );
    assert_eq!(
        bench
            .replies
            .iter()
            .filter(|(token, _)| *token == 1)
            .count(),
        1,
        "it was answered once"
    );
}

#[test]
fn a_request_that_would_be_refused_is_not_executed_late_either() {
    let script = "[[fault]]\ndo = \"answer\"\ncode = -1007\nexecuted = \"10s\"\ncall = ";
    let order = |bench: &Bench| {
        let price = bench.bid() * 9 / 10;
        format!("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price={price}")
    };
    let endings = ["&foo=1", "&newClientOrderId=", "&newClientOrderId=right"];
    let mut rest = Bench::script(&format!("{script}\"POST /api/v3/order\"\n"));
    for ending in endings {
        let query = order(&rest) + ending;
        rest.signed(Method::Post, "/api/v3/order", &query);
    }
    // The WebSocket API takes parameters that a call does not have.
    let mut api = Bench::script(&format!("{script}\"order.place\"\n"));
    for ending in &endings[1..] {
        let query = order(&api) + ending;
        let pairs: Option<Vec<(&str, &str)>> =
            query.split('&').map(|pair| pair.split_once('=')).collect();
        api.api("order.place", &pairs.unwrap());
    }
    for bench in [&mut rest, &mut api] {
        bench.pass(Duration::from_secs(11));
        let (_, open) = bench.answered(Method::Get, "/api/v3/openOrders", "symbol=BTCUSDT");
        assert_eq!(open.as_array().unwrap().len(), 1, "{open}");
        assert_eq!(open[0]["clientOrderId"], "right");
    }
}

#[test]
fn a_fill_can_be_missing_or_told_twice() {
    for (deed, told) in [("drop", 0), ("duplicate", 2)] {
        let script = format!(
            "[[fault]]\ndo = \"{deed}\"\nframe = \"executionReport/TRADE\"\naccount = \"key\"\nsymbol = \"BTCUSDT\"\n"
        );
        let mut bench = Bench::script(&script);
        bench.listen();
        let order = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.001";
        assert_eq!(
            bench.answered(Method::Post, "/api/v3/order", order).1["status"],
            "FILLED"
        );
        bench.pass(STEP);
        assert_eq!(bench.events("\"x\":\"NEW\"").len(), 1);
        assert_eq!(bench.events("\"x\":\"TRADE\"").len(), told, "{deed}");
    }
}

#[test]
fn young_orders_can_be_invisible() {
    let mut bench =
        Bench::script("[[fault]]\ndo = \"hide-orders\"\ncall = \"order.status\"\nlag = \"3s\"\n");
    bench.place_waiting("young");
    let query = "symbol=BTCUSDT&origClientOrderId=young";
    assert_eq!(
        bench.answered(Method::Get, "/api/v3/order", query),
        (
            400,
            serde_json::json!({"code": -2013, "msg": "Order does not exist."})
        )
    );
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.answered(Method::Get, "/api/v3/order", query).0, 200);
}

#[test]
fn a_halt_and_other_filters_end_with_their_span() {
    let script = r#"
        [[fault]]
        do = "halt"
        symbol = "BTCUSDT"
        status = "HALT"
        expire = true
        after = "1s"
        for = "5s"
        [[fault]]
        do = "filters"
        symbol = "ETHUSDT"
        minNotional = "1000000"
        for = "5s"
    "#;
    let mut bench = Bench::script(script);
    bench.listen();
    bench.place_waiting("waiting");
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        bench
            .answered(Method::Get, "/api/v3/openOrders", "symbol=BTCUSDT")
            .1,
        serde_json::json!([])
    );
    let order = |symbol| format!("symbol={symbol}&side=SELL&type=MARKET&quantity=0.01");
    assert_eq!(
        bench
            .answered(Method::Post, "/api/v3/order", &order("BTCUSDT"))
            .1["msg"],
        "Market is closed."
    );
    let buy = "symbol=ETHUSDT&side=BUY&type=MARKET&quantity=1";
    assert_eq!(
        bench.answered(Method::Post, "/api/v3/order", buy).1["msg"],
        "Filter failure: NOTIONAL"
    );
    let before = bench.events("bookTicker").len();
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        bench.events("btcusdt@bookTicker").len(),
        bench.events("btcusdt@bookTicker").len().min(before)
    );
    bench.pass(Duration::from_secs(4));
    assert_eq!(
        bench
            .answered(Method::Post, "/api/v3/order", &order("BTCUSDT"))
            .0,
        200
    );
    assert_eq!(bench.answered(Method::Post, "/api/v3/order", buy).0, 200);
}

#[test]
fn prices_follow_a_path_and_come_back() {
    let mut bench = Bench::script(
        "[[fault]]\ndo = \"price\"\nsymbol = \"BTCUSDT\"\npath = [[\"1s\", 1], [\"2s\", 10]]\nfor = \"5s\"\n",
    );
    bench.pass(Duration::from_secs(1));
    let before = bench.bid();
    bench.pass(Duration::from_secs(3));
    let high = bench.bid();
    assert!(high > before * 9 && high < before * 11, "{before} {high}");
    bench.pass(Duration::from_secs(3));
    let after = bench.bid();
    assert!((after - before).abs() < before / 50, "{before} {after}");
}

#[test]
fn a_partition_lets_nothing_through_and_ends_with_new_connections() {
    let mut bench = Bench::script("[[fault]]\ndo = \"partition\"\nafter = \"1s\"\nfor = \"3s\"\n");
    bench.listen();
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        (bench.door, bench.strokes.as_slice()),
        (
            DoorState::Closed,
            [(Target::All(None), Stroke::Mute)].as_slice()
        )
    );
    bench.frames.clear();
    let token = bench.place_waiting("never");
    bench.pass(Duration::from_secs(1));
    assert_eq!(
        (bench.reply(token), bench.frames.len()),
        (Some(&Reply::Silence), 0)
    );
    bench.pass(Duration::from_secs(2));
    assert_eq!(
        (bench.door, bench.strokes.last()),
        (
            DoorState::Open,
            Some(&(Target::All(None), Stroke::Close(1001)))
        )
    );
    assert_eq!(
        bench
            .answered(
                Method::Get,
                "/api/v3/order",
                "symbol=BTCUSDT&origClientOrderId=never"
            )
            .1["code"],
        -2013
    );
}

#[test]
fn a_wrong_clock_judges_and_tells_wrongly() {
    let mut bench =
        Bench::script("[[fault]]\ndo = \"clock\"\nskew = \"-1h\"\nafter = \"1s\"\nfor = \"2s\"\n");
    bench.pass(Duration::from_secs(2));
    let (_, body) = bench.answered(Method::Get, "/api/v3/openOrders", "");
    assert_eq!(body["code"], -1021, "the client's clock is an hour ahead");
    let asked = bench.ask(Method::Get, "/api/v3/time", "");
    let (_, time) = bench.told(asked);
    assert_eq!(time["serverTime"], (bench.now.as_millis() - 3_600_000));
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.answered(Method::Get, "/api/v3/openOrders", "").0, 200);
}

#[test]
fn frames_can_overtake_each_other_and_none_is_lost() {
    let mut bench = Bench::script("[[fault]]\ndo = \"reorder\"\nframe = \"trade\"\nevery = 3\n");
    bench.subscribe(MARKET, Form::Raw, &["btcusdt@trade"]);
    bench.pass(Duration::from_secs(30));
    let ids: Vec<u64> = bench
        .events("\"trade\"")
        .iter()
        .map(|frame| frame["t"].as_u64().unwrap())
        .collect();
    let mut sorted = ids.clone();
    sorted.sort_unstable();
    assert!(ids.len() > 6 && ids != sorted, "{ids:?}");
    assert!(
        sorted.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "none is missing"
    );
}

#[test]
fn a_frame_that_is_cut_keeps_its_place() {
    let script = "[[fault]]\ndo = \"cut\"\nframe = \"bookTicker\"\nevery = 3\n";
    let mut bench = Bench::script(script);
    bench.subscribe(MARKET, Form::Raw, &["btcusdt@bookTicker"]);
    bench.pass(Duration::from_secs(5));
    bench.pass(Duration::from_secs(1));
    let updates: Vec<u64> = bench
        .events("\"A\"")
        .iter()
        .map(|frame| frame["u"].as_u64().unwrap())
        .collect();
    assert!(updates.len() > 9 && updates.is_sorted(), "{updates:?}");
    assert!(bench.strokes.len() >= 3, "{:?}", bench.strokes);
}

#[test]
fn subscriptions_can_be_kept_in_part_and_acknowledged_as_one_likes() {
    for (ack, wanted) in [
        ("ok", Some("result")),
        ("error", Some("error")),
        ("lost", None),
    ] {
        let mut bench = Bench::script(&format!(
            "[[fault]]\ndo = \"refuse-subscribe\"\nkeep = 1\nack = \"{ack}\"\n"
        ));
        bench.subscribe(
            MARKET,
            Form::Combined,
            &["btcusdt@bookTicker", "ethusdt@bookTicker"],
        );
        let told = bench.events("\"id\":1");
        assert_eq!(told.len(), usize::from(wanted.is_some()), "{ack}");
        assert!(
            wanted.is_none_or(|key| told[0].get(key).is_some()),
            "{ack}: {told:?}"
        );
        bench.pass(Duration::from_secs(2));
        assert!(
            !bench.events("btcusdt").is_empty() && bench.events("ethusdt").is_empty(),
            "{ack}"
        );
    }
}
