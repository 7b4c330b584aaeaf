//! `tradewind certify` against an exchange in a process of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::desk::{CONTROL_TOKEN, tradewind};
use crate::exchange::{KEY, SECRET};
use crate::http;
use crate::live_desk::{LoggedVenue, live_text};

/// What the account has.
const USDT: &str = "87654321.5";
const STEPS: [&str; 13] = [
    "certify",
    "start",
    "minimum_order",
    "stop_order",
    "sigkill",
    "restart",
    "compare",
    "exit",
    "partial_fill",
    "cancel",
    "flat",
    "compare",
    "stop",
];

fn certify(folder: &Path, address: &str, budget: &str) -> Command {
    let config = folder.join("tradewind.toml");
    fs::write(
        &config,
        live_text(include_str!("../config/base.toml"), address),
    )
    .unwrap();
    let mut command = tradewind(&folder.join("certify"), &["certify", "--budget", budget]);
    command
        .current_dir(folder)
        .arg("--config")
        .arg(config)
        .env("BINANCE_API_KEY", KEY)
        .env("BINANCE_API_SECRET", SECRET);
    command
}

#[test]
fn a_desk_is_certified_against_an_exchange_and_its_transcript_keeps_no_secret() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let venue = LoggedVenue::with_usdt(at_venue.path(), USDT, &["--control", "127.0.0.1:0"]);
    let mut command = certify(folder, &venue.address, "20");
    let running = thread::spawn(move || command.output().unwrap());
    let output = loop {
        if running.is_finished() {
            break running.join().unwrap();
        }
        fill_in_part(&venue);
        crate::desk::pause(Duration::from_millis(300));
    };
    let said = told(&output);
    let transcript = fs::read_to_string(folder.join("certify/certify.jsonl"));
    let transcript = transcript.unwrap_or_else(|error| panic!("{error}: {said}"));
    assert!(output.status.success(), "{said}\n{transcript}");
    let lines: Vec<Value> = transcript
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, steps) = lines.split_last().unwrap();
    assert_eq!(last["result"], "passed", "{transcript}");
    let names: Vec<&str> = steps
        .iter()
        .map(|line| line["step"].as_str().unwrap())
        .collect();
    assert_eq!(names, STEPS);
    for secret in [KEY, SECRET, "signature", "87654321"] {
        assert!(!transcript.contains(secret), "{secret}: {transcript}");
    }

    // What was placed is what the transcript says, and nothing is left.
    let events = venue.events();
    let of = |name: &str| {
        let found = events.iter().filter(|event| event["event"] == name);
        found
            .map(|event| event["client"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    for step in ["minimum_order", "stop_order", "exit", "partial_fill"] {
        let line = lines.iter().find(|line| line["step"] == step).unwrap();
        let id = line["facts"]["client_id"].as_str().unwrap();
        assert!(of("order_accepted").contains(&id), "{step}: {line}");
    }
    let compared = &lines[11]["facts"];
    assert_eq!(compared["trades"], of("order_filled").len(), "{compared}");
    assert_eq!(compared["open_orders"], 0);
}

/// Fills most of an order that rests, once.
fn fill_in_part(venue: &LoggedVenue) {
    let events = venue.events();
    let resting = events
        .iter()
        .find(|event| event["event"] == "order_accepted" && event["type"] == "LIMIT_MAKER");
    let Some(order) = resting else { return };
    if events
        .iter()
        .any(|event| event["event"] == "order_filled" && event["client"] == order["client"])
    {
        return;
    }
    // Multiples of 10^-5 bitcoin.
    let quantity = order["quantity"].as_str().unwrap();
    let counts = (quantity.parse::<f64>().unwrap() * 1e5).round() - 2.0;
    let fill =
        json!({ "account": KEY, "symbol": "BTCUSDT", "quantity": format!("{:.5}", counts / 1e5) });
    let address = venue.facts["control"]["address"].as_str().unwrap();
    let headers =
        format!("Authorization: Bearer {CONTROL_TOKEN}\r\nContent-Type: application/json\r\n");
    let filled = http::ask(address, "POST /fill", &headers, &fill.to_string()).unwrap();
    eprintln!("filled in part: {filled:?}");
}

#[test]
fn what_is_missing_is_said_before_anything_is_ordered() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let venue = LoggedVenue::with_usdt(at_venue.path(), USDT, &[]);
    let refused = |command: &mut Command, wanted: &str| {
        let output = command.output().unwrap();
        let said = told(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(wanted), "{said:?} lacks {wanted:?}");
    };
    let mut without_key = certify(folder, &venue.address, "20");
    refused(
        without_key.env_remove("BINANCE_API_SECRET"),
        "set BINANCE_API_SECRET in the environment",
    );
    refused(
        &mut certify(folder, "127.0.0.1:1", "20"),
        "requesting binance at http://127.0.0.1:1",
    );
    refused(
        &mut certify(folder, &venue.address, "3"),
        "a budget of 3 is too small",
    );
    let mut elsewhere = certify(folder, &venue.address, "20");
    refused(
        elsewhere.args(["--account", "other"]),
        "no such live account",
    );
    assert!(!folder.join("certify").join("certify.toml").exists());
    assert_eq!(venue.events().len(), 0);
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
