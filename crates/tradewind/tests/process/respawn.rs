//! Whoever keeps the desk's process: it is started again, in SAFE mode if it dies too often, and tells a service manager.

use std::fs::{self, File};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, command, pause, reset, tradewind, within};
use crate::fast_bots::fast_bots;
use crate::shim::compiled;

const SOON: Duration = Duration::from_secs(60);

fn fills(desk: &Desk) -> u64 {
    let status = desk.get("status");
    status["counters"]["fills"].as_u64().unwrap()
}

fn is_safe(desk: &Desk) -> bool {
    let status = desk.get("status");
    let mut causes = status["causes"].as_array().unwrap().iter();
    causes.any(|cause| cause["reason"].as_str().unwrap().starts_with("SAFE"))
}

/// P06: no bot is started, stops at the venue stay, kill and reset work, and a person ends it.
#[test]
fn three_unclean_ends_lead_to_safe_mode_until_a_person_clears_it() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("safe_after = 0\n", "")).unwrap();
    for life in 1..=3 {
        let mut desk = Desk::start_with(folder, &["--config", &config]);
        assert!(!is_safe(&desk), "life {life}");
        within(SOON, "a position", || {
            (!desk.items("positions").is_empty()).then_some(())
        });
        desk.crash();
    }
    let mut desk = Desk::start_with(folder, &["--config", &config]);
    assert!(is_safe(&desk));
    let status = desk.get("status");
    assert_eq!(status["state"], "REDUCING", "{status}");
    assert_eq!(status["bots"]["running"], 0, "{status}");
    within(SOON, "cover of every position", || {
        let positions = desk.items("positions");
        let is_covered = |position: &Value| position["venue_stop_quantity"] != "0";
        positions.iter().all(is_covered).then_some(())
    });
    let killed = command(folder, &["kill", "--reason", "a drill"]);
    assert!(killed.status.success(), "{killed:?}");
    assert_eq!(desk.get("status")["state"], "KILLED");
    reset(folder, &[]);
    assert_eq!(desk.get("status")["state"], "REDUCING");
    pause(Duration::from_secs(3));
    assert_eq!(desk.get("status")["bots"]["running"], 0);
    desk.signal("TERM");
    assert!(desk.ended(SOON).success());

    // An end in order does not clear it, a person does.
    let desk = Desk::start_with(folder, &["--config", &config]);
    assert!(is_safe(&desk));
    let cleared = command(folder, &["risk", "clear", "desk", "--reason", "found it"]);
    assert!(cleared.status.success(), "{cleared:?}");
    assert!(!is_safe(&desk));
    let before = fills(&desk);
    within(SOON, "trades", || (fills(&desk) > before + 3).then_some(()));
}

/// What a service manager is sent: ready, signs of life, and the end.
#[test]
fn a_service_manager_is_notified() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(SOON)).unwrap();
    let received = || {
        let mut bytes = [0; 64];
        let length = manager.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    let mut run = tradewind(
        folder.path(),
        &["run", "--config", &fast_bots(folder.path())],
    );
    run.env("NOTIFY_SOCKET", &path);
    let mut desk = Desk::start_from(folder.path(), run);
    assert_eq!(received(), "READY=1");
    assert_eq!([received(), received()], ["WATCHDOG=1", "WATCHDOG=1"]);
    desk.signal("TERM");
    within(SOON, "the announcement of the end", || {
        (received() == "STOPPING=1").then_some(())
    });
    assert!(desk.ended(SOON).success());
}

/// The process that `desk.json` names.
fn announced(folder: &Path) -> Option<u64> {
    let text = fs::read_to_string(folder.join("desk.json")).ok()?;
    let desk: Value = serde_json::from_str(&text).ok()?;
    desk["pid"].as_u64()
}

struct Keeper(Child);

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn signal(name: &str, pid: u64) {
    let pid = pid.to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
}

/// P03: a panic within a turn of the engine ends the process, which is started again and trades.
#[test]
fn a_panic_of_the_engine_ends_the_process_and_the_next_one_trades() {
    let (folder, scratch) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let config = fast_bots(folder);
    let panic_at = scratch.path().join("panic");
    let run = tradewind(folder, &["run", "--config", &config]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/run");
    let mut keep = Command::new(script);
    keep.arg("keep")
        .arg(run.get_program())
        .args(run.get_args())
        .env("TRADEWIND__API__LISTEN", "127.0.0.1:0")
        .env("LD_PRELOAD", compiled(scratch.path(), "panic_shim"))
        .env("PANIC_AT", &panic_at)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("stderr")).unwrap());
    let mut keeper = Keeper(keep.spawn().unwrap());
    let first = within(SOON, "a desk", || announced(folder));
    fs::write(&panic_at, "").unwrap();
    let second = within(SOON, "another desk", || {
        announced(folder).filter(|pid| *pid != first)
    });
    assert!(!panic_at.exists(), "the engine panicked");
    let said = fs::read_to_string(folder.join("stderr")).unwrap();
    assert!(said.contains("The core panicked"), "{said}");
    assert!(!Path::new(&format!("/proc/{first}")).exists());
    within(SOON, "fills of the second process", || {
        let shown = command(folder, &["status", "--json"]);
        let shown: Value = serde_json::from_slice(&shown.stdout).ok()?;
        (shown["counters"]["fills"].as_u64()? >= 5).then_some(())
    });
    signal("TERM", u64::from(keeper.0.id()));
    let ended = within(SOON, "the end of both", || keeper.0.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0));
    assert!(!Path::new(&format!("/proc/{second}")).exists());
}

/// P01: what `make run` does with a desk that is killed, and with one that is stopped.
#[test]
fn a_killed_desk_is_started_again_and_a_stopped_one_is_not() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let config = fast_bots(folder);
    let run = tradewind(folder, &["run", "--config", &config]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/run");
    let mut keep = Command::new(script);
    keep.arg("keep")
        .arg(run.get_program())
        .args(run.get_args())
        .env("TRADEWIND__API__LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut keeper = Keeper(keep.spawn().unwrap());
    let first = within(SOON, "a desk", || announced(folder));
    signal("KILL", first);
    let another = |dead: u64| {
        within(SOON, "another desk", || {
            announced(folder).filter(|pid| *pid != dead)
        })
    };
    let second = another(first);
    signal("ABRT", second);
    let third = another(second);
    signal("TERM", u64::from(keeper.0.id()));
    let ended = within(SOON, "the end of both", || keeper.0.try_wait().unwrap());
    assert_eq!(ended.code(), Some(0));
    assert!(!Path::new(&format!("/proc/{third}")).exists());
}
