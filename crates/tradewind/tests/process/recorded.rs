//! Recorded streams of the real venue, played fast: the bots that have data trade, the others say that they have none.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tradewind::config::DEFAULT;

use crate::desk::{Desk, within};

/// The folder of recorded market data. Without it a test that needs it says so and ends, except where that must not be.
pub(crate) fn test_data() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("TRADEWIND_TEST_DATA") {
        return Some(PathBuf::from(folder).join("data"));
    }
    let wanted = "TRADEWIND_TEST_DATA is not set: it names the folder of recorded market data";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{wanted}");
    eprintln!("SKIPPED: {wanted}");
    None
}

#[test]
fn recorded_streams_trade_at_ten_times_their_speed() {
    plays("10", Duration::from_secs(120));
}

#[test]
fn recorded_streams_trade_at_their_own_speed() {
    plays("1", Duration::from_secs(300));
}

/// Bots on both instruments of the recording fill an order in time, and every other bot says why it does nothing.
#[track_caller]
fn plays(speed: &str, time: Duration) {
    let Some(data) = test_data() else { return };
    let folder = TempDir::new().unwrap();
    let data = data.join("binance_spot_ws");
    let (data, config) = (data.to_str().unwrap(), sooner(folder.path()));
    let arguments = ["--data", data, "--speed", speed, "--config", &config];
    let desk = Desk::start_with(folder.path(), &arguments);
    assert_eq!(desk.get("status")["mode"]["name"], "RECORDED");
    within(
        time,
        "four bots that woke, fills on both instruments",
        || {
            let settled = |bot: &Value| bot["state"] == "running" || bot["state"] == "stopped";
            let woke = |bot: &&Value| has_data(bot) && bot["counts"]["wakes"].as_u64() > Some(0);
            let bots = desk.items("bots");
            if !bots.iter().all(settled) || bots.iter().filter(woke).count() < 4 {
                return None;
            }
            let fills = desk.all("fills");
            let on = |name: &str| fills.iter().any(|fill| fill["instrument"] == name);
            (on("binance:BTC/USDT") && on("binance:ETH/USDT")).then_some(())
        },
    );
    for bot in desk.items("bots") {
        let wanted = if has_data(&bot) { "running" } else { "stopped" };
        assert_eq!(bot["state"], wanted, "{bot}");
        let why = bot["state_reason"].as_str().unwrap();
        assert!(has_data(&bot) || why.contains("no data"), "{bot}");
    }
    assert_ne!(desk.get("balances")["equal"], false);
}

/// Writes the default configuration with averages that cross within the minutes that a recording lasts.
fn sooner(folder: &Path) -> String {
    let slow = "{ fast = 1000, slow = 3000 }";
    assert!(DEFAULT.contains(slow), "{slow} is not in the default");
    let path = folder.join("sooner.toml");
    fs::write(&path, DEFAULT.replace(slow, "{ fast = 200, slow = 700 }")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn has_data(bot: &Value) -> bool {
    let instruments = bot["instruments"].as_array().unwrap();
    instruments
        .iter()
        .any(|name| name == "binance:BTC/USDT" || name == "binance:ETH/USDT")
}
