//! Recorded streams of the real venue, played fast: the bots that have data trade, the others say that they have none.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

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
fn recorded_streams_wake_the_bots_that_have_data() {
    let Some(data) = test_data() else { return };
    let folder = TempDir::new().unwrap();
    let data = data.join("binance_spot_ws");
    let arguments = ["--data", data.to_str().unwrap(), "--speed", "10"];
    let desk = Desk::start_with(folder.path(), &arguments);
    assert_eq!(desk.get("status")["mode"]["name"], "RECORDED");
    within(
        Duration::from_secs(120),
        "fills on both instruments",
        || {
            let fills = desk.all("fills");
            let on = |name: &str| fills.iter().any(|fill| fill["instrument"] == name);
            (on("binance:BTC/USDT") && on("binance:ETH/USDT")).then_some(())
        },
    );
    for bot in desk.get("bots")["items"].as_array().unwrap() {
        if has_data(bot) {
            assert_eq!(bot["state"], "running", "{bot}");
        } else {
            assert_eq!(bot["state"], "stopped", "{bot}");
            assert!(
                bot["state_reason"].as_str().unwrap().contains("no data"),
                "{bot}"
            );
        }
    }
    let woke = |bot: &&Value| has_data(bot) && bot["counts"]["wakes"].as_u64() > Some(0);
    let bots = desk.get("bots")["items"].clone();
    assert!(
        bots.as_array().unwrap().iter().filter(woke).count() >= 4,
        "{bots:#}"
    );
    assert_eq!(desk.get("balances")["equal"], true);
}

fn has_data(bot: &Value) -> bool {
    let instruments = bot["instruments"].as_array().unwrap();
    instruments
        .iter()
        .any(|name| name == "binance:BTC/USDT" || name == "binance:ETH/USDT")
}
