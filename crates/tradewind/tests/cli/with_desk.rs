//! The client commands against a desk that says what it is told to say.

use tempfile::TempDir;

use crate::fake_desk::{Answer, start};
use crate::{expect, json, stderr, stdout, tradewind};

const BOTS: &str = r#"{"seq":7,"items":[
    {"name":"btc-rsi","state":"running","strategy":"rsi_reversion","wakes":["1m"],"counts":{"signals":2,"denials":1,"fills":3},
     "realized":"-0.25","reason":"RSI 44, needs < 30\u001b[2J","new_field":{"unknown":true}}],"next":null}"#;

const CONFIG: &str = r#"{"instruments":[{"name":"binance:BTC/USDT"},{"name":"binance:ETH/USDT"}]}"#;
const ACCEPTED: &str =
    r#"{"command":"9f86","accepted":true,"client_id":"5457deadbeef00000001000000000008"}"#;
const REFUSED: &str = r#"{"error":{"code":"unknown_bot","message":"there is no bot \"x\"","hint":"GET /api/v1/bots lists them"}}"#;

/// Runs a command against a desk with these answers; gives its output and what the desk was asked.
fn against(
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    arguments: &[&str],
) -> (std::process::Output, Vec<String>) {
    let dir = TempDir::new().unwrap();
    let asked = start(dir.path(), answer);
    let data = dir.path().to_str().unwrap();
    let output = tradewind(dir.path(), &[arguments, &["--data-dir", data]].concat());
    let asked = asked.try_iter().map(|asked| {
        format!("{} {}", asked.line, asked.body)
            .trim_end()
            .to_owned()
    });
    (output, asked.collect())
}

#[test]
fn bots_are_a_table_for_people_and_json_for_scripts() {
    let (output, asked) = against(|_| Answer::Json(200, BOTS), &["bots"]);
    expect(&output, 0);
    let wanted = "\
BOT      STATE    STRATEGY       RUNS ON  SIGNALS  DENIED  FILLS  REALISED  REASON
btc-rsi  running  rsi_reversion  1m             2       1      3     -0.25  RSI 44, needs < 30\u{fffd}[2J
";
    assert_eq!(stdout(&output), wanted);
    assert_eq!(asked, ["GET /api/v1/bots"]);
    let (output, _) = against(|_| Answer::Json(200, BOTS), &["bots", "list", "--json"]);
    assert_eq!(json(&output)["items"][0]["new_field"]["unknown"], true);
}

#[test]
fn commands_reach_their_routes() {
    let accepts = |line: &str| {
        let reads = line.starts_with("GET /api/v1/config");
        Answer::Json(200, if reads { CONFIG } else { ACCEPTED })
    };
    let check = |arguments: &[&str], wanted: &str| {
        let (output, asked) = against(accepts, arguments);
        expect(&output, 0);
        assert_eq!(asked.last().map(String::as_str), Some(wanted));
    };
    check(
        &["bots", "start", "btc-rsi"],
        "POST /api/v1/bots/btc-rsi/start {}",
    );
    check(
        &["bots", "pause", "btc-rsi"],
        "POST /api/v1/bots/btc-rsi/pause {}",
    );
    check(
        &["bots", "stop", "a", "--close"],
        "POST /api/v1/bots/a/stop {\"mode\":\"close\"}",
    );
    check(
        &["bots", "start", "../kill"],
        "POST /api/v1/bots/%2E%2E%2Fkill/start {}",
    );
    let order = "5457deadbeef00000001000000000008";
    check(
        &["orders", "cancel", order],
        &format!("DELETE /api/v1/orders/{order}"),
    );
    let close = "POST /api/v1/positions/close {\"bot\":\"a\",\"instrument\":\"binance:BTC/USDT\"}";
    check(&["positions", "close", "BTCUSDT", "--bot", "a"], close);
    check(&["positions", "close", "BTC/USDT", "--bot", "a"], close);
    check(
        &["kill", "--reason", "drill"],
        "POST /api/v1/kill {\"flatten\":false,\"include_external\":false,\"reason\":\"drill\"}",
    );
}

#[test]
fn reset_brings_back_the_nonce_it_was_given() {
    let answer = |line: &str| match line {
        "GET /api/v1/reset" => Answer::Json(200, r#"{"nonce":"abc","expires_in_seconds":60}"#),
        _ => Answer::Json(200, ACCEPTED),
    };
    let (output, asked) = against(answer, &["reset", "--reason", "over"]);
    expect(&output, 0);
    assert_eq!(
        asked[1],
        "POST /api/v1/reset {\"nonce\":\"abc\",\"reason\":\"over\"}"
    );
}

#[test]
fn what_the_desk_refuses_is_code_1_in_its_own_words() {
    let (output, _) = against(|_| Answer::Json(404, REFUSED), &["bots", "start", "x"]);
    expect(&output, 1);
    assert_eq!(
        stderr(&output),
        "tradewind: there is no bot \"x\"; GET /api/v1/bots lists them\n"
    );
    let (output, _) = against(|_| Answer::Json(200, "<html>"), &["status"]);
    expect(&output, 1);
    assert!(stderr(&output).contains("not JSON"), "{}", stderr(&output));
}

#[test]
fn a_desk_that_does_not_answer_in_time_is_code_5() {
    let (output, _) = against(|_| Answer::Silence, &["status", "--timeout", "200ms"]);
    expect(&output, 5);
    assert!(
        stderr(&output).contains("did not answer within 0.2 s"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_kill_that_gets_no_answer_leaves_the_file_that_kills() {
    let dir = TempDir::new().unwrap();
    let _asked = start(dir.path(), |_| Answer::Silence);
    let data = dir.path().to_str().unwrap();
    let arguments = [
        "kill",
        "--reason",
        "drill",
        "--timeout",
        "200ms",
        "--data-dir",
        data,
    ];
    let output = tradewind(dir.path(), &arguments);
    expect(&output, 5);
    assert!(dir.path().join("KILL").exists());
    assert!(
        stderr(&output).contains("the file KILL was written"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn events_are_followed_and_the_log_is_read_to_its_end() {
    const LOG: &str = "id: 1.0\nevent: reconciled\ndata: {\"id\":\"1.0\",\"at\":\"2026-03-02T10:05:00.5Z\",\"type\":\"reconciled\",\"data\":{\"account\":\"paper\"}}\n\n\
        event: price_update\ndata: {\"id\":null,\"type\":\"price_update\",\"data\":{}}\n\n\
        id: 2.0\ndata: {\"id\":\"2.0\",\"at\":\"2026-03-02T10:05:01Z\",\"type\":\"command\",\"data\":{\"action\":\"pause\"}}\n\n: ping\n\n: ping\n\n";
    let (output, asked) = against(
        |_| Answer::Stream(LOG),
        &["events", "--types", "command,reconciled"],
    );
    expect(&output, 0);
    let wanted = "\
2026-03-02T10:05:00Z  1.0         reconciled              account=paper
2026-03-02T10:05:01Z  2.0         command                 action=pause
";
    assert_eq!(stdout(&output), wanted);
    assert_eq!(asked, ["GET /api/v1/events?types=command%2Creconciled"]);
    let (output, _) = against(
        |_| Answer::Stream(LOG),
        &["events", "--limit", "1", "--json"],
    );
    assert_eq!(json(&output)["id"], "2.0");

    // A stream that falls silent is a desk that is gone.
    let (output, _) = against(
        |_| Answer::Stream(LOG),
        &["events", "--follow", "--timeout", "200ms"],
    );
    expect(&output, 5);
    assert_eq!(stdout(&output).lines().count(), 3, "{}", stdout(&output));
}
