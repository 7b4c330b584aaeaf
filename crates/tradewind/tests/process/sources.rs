//! House sources: the example publishers of `contrib/sources` feed the built desk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{Desk, unused_address, within};

const PATIENCE: Duration = Duration::from_secs(20);

/// An example publisher. It is killed when the test is over.
struct Publisher(Child);

impl Publisher {
    #[track_caller]
    fn start(script: &str, arguments: &[&str]) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contrib/sources");
        let mut command = Command::new("python3");
        command.arg(folder.join(script)).args(arguments);
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        // It may have ended already, and there is nothing to be done about a failure.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The test desk with `source` in its configuration.
fn configuration(folder: &Path, source: &str) -> String {
    let base = include_str!("../config/base.toml");
    let path = folder.join("sources.toml");
    let (settings, bots) = base.split_once("[[bots]]").unwrap();
    fs::write(&path, format!("{settings}{source}\n[[bots]]{bots}")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A desk with one source at `address`.
fn start(folder: &Path, source: &str) -> Desk {
    let configuration = configuration(folder, source);
    Desk::start_with(folder, &["--config", &configuration])
}

fn feed(desk: &Desk) -> Value {
    let mut feeds = desk.items("feeds").into_iter();
    let found = feeds.find(|feed| feed["instrument"] == "house:BTC/USDT");
    found.expect("a feed of the source")
}

#[track_caller]
fn until_health(desk: &Desk, health: &str) -> Value {
    within(PATIENCE, health, || {
        let feed = feed(desk);
        (feed["health"] == health).then_some(feed)
    })
}

/// The feed has quotes and trades, is stale while its publisher is away, and comes back.
#[track_caller]
fn lives_dies_and_comes_back(desk: &Desk, start: impl Fn() -> Publisher) {
    let publisher = start();
    let live = until_health(desk, "LIVE");
    let bid: f64 = live["quote"]["bid"].as_str().unwrap().parse().unwrap();
    assert!((50_000.0..70_000.0).contains(&bid), "{live}");
    within(PATIENCE, "trades", || {
        let feed = feed(desk);
        (feed["trades"].as_u64() > Some(0) && feed["quotes"].as_u64() > Some(3)).then_some(())
    });
    drop(publisher);
    until_health(desk, "STALE");
    let _publisher = start();
    until_health(desk, "LIVE");
    let rules = desk.get("config");
    let rules = rules["instruments"].as_array().unwrap();
    assert!(rules.iter().any(|one| one["name"] == "house:BTC/USDT"));
}

#[test]
fn frames_over_tcp_are_prices_on_the_desk() {
    let (folder, address) = (TempDir::new().unwrap(), unused_address());
    let port = address.rsplit_once(':').unwrap().1;
    let source = format!(
        "[sources.house]\nkind = \"tcp\"\naddress = \"tcp://{address}\"\nheartbeat = \"1s\"\n\
         instruments = [{{ name = \"BTC/USDT\", price_decimals = 2, quantity_decimals = 5 }}]\n"
    );
    let desk = start(folder.path(), &source);
    lives_dies_and_comes_back(&desk, || Publisher::start("tcp_feed.py", &[port]));
}
