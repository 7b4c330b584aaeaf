//! V12: a venue's ban outlives the process that earned it.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{CONTROL_TOKEN, Desk, unused_address, within};
use crate::exchange::Exchange;
use crate::http;
use crate::live::{configuration, live};

/// Every request is answered so until 25 seconds have passed.
const BAN: &str = "[[fault]]\ndo = \"answer\"\nstatus = 418\ncode = -1003\nfor = \"25s\"";

fn operate(control: &str, request: &str, body: &str) -> Value {
    let headers = format!("Authorization: Bearer {CONTROL_TOKEN}\r\n");
    let answer = http::ask(control, request, &headers, body).unwrap();
    assert_eq!(answer.status, 200, "{request}: {answer:?}");
    answer.json()
}

/// Requests that were answered by the ban.
fn hits(control: &str) -> u64 {
    let state = operate(control, "GET /state", "");
    let faults = state["conduct"]["faults"].as_array().unwrap().iter();
    faults.filter_map(|fault| fault["hits"].as_u64()).sum()
}

#[test]
fn a_ban_outlives_a_sigkill() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let (address, control) = (unused_address(), unused_address());
    let arguments = ["--listen", &address, "--control", &control];
    let exchange = Exchange::begun(at_venue.path(), &arguments);
    let config = configuration(folder, &exchange.address);
    let mut desk = Desk::start_from(folder, live(folder, &config));
    operate(&control, "POST /faults", BAN);
    within(Duration::from_secs(15), "a request that is banned", || {
        (hits(&control) > 0).then_some(())
    });
    within(Duration::from_secs(10), "the ban on disk", || {
        let bans = fs::read_to_string(folder.join("bans.json")).ok()?;
        bans.contains(&exchange.address).then_some(())
    });
    desk.crash();

    let before = hits(&control);
    let desk = thread::scope(|scope| {
        let next = scope.spawn(|| Desk::start_from(folder, live(folder, &config)));
        crate::desk::pause(Duration::from_secs(6));
        assert_eq!(hits(&control), before, "no request leaves in a ban");
        next.join().unwrap()
    });
    assert!(desk.said().contains("blocked requests before the start"));
    assert!(desk.started.elapsed() > Duration::from_secs(6));
}

/// A person, or a service manager, stops a start that waits for the end of a ban: that is no unclean end.
#[test]
fn a_signal_ends_a_start_in_a_ban_in_order() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let address = unused_address();
    let config = configuration(folder, &address);
    let until = jiff::Timestamp::now().as_millisecond() + 3_600_000;
    let ban = format!("{{\"http://{address}\":{until}}}");
    fs::write(folder.join("bans.json"), ban).unwrap();
    let log = folder.join("said");
    let mut desk = live(folder, &config)
        .stdin(Stdio::null())
        .stdout(File::create(&log).unwrap())
        .stderr(File::options().append(true).open(&log).unwrap())
        .spawn()
        .unwrap();
    let said = || fs::read_to_string(&log).unwrap();
    within(Duration::from_secs(15), "a start that waits", || {
        said().contains("blocked requests before").then_some(())
    });
    let pid = desk.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(sent.unwrap().success());
    let status = within(Duration::from_secs(15), "its end", || {
        desk.try_wait().unwrap()
    });
    assert!(status.success(), "{status}: {}", said());
    let runs = fs::read_to_string(folder.join("runs.json")).unwrap();
    let runs: Value = serde_json::from_str(&runs).unwrap();
    assert_eq!(runs["running"], false, "{runs}");
}
