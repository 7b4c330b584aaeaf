//! Recordings of two venues on one timeline: a bot trades on one of them by the prices of the other.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tradewind_data::{FolderDisk, RecordingSettings, RecordingWriter};
use tradewind_model::Timestamp;

use crate::desk::{Desk, command, tradewind, within};
use crate::feed_words::OKX;
use crate::feeds::configuration;
use crate::recorded::test_data;

/// When the capture of Binance begins, a little rounded up, in milliseconds.
const BEGIN: i64 = 1_723_161_256_000;
/// OKX is dear from this second of the recording on, and has the price of Binance again from the other one on.
const DEAR: (i64, i64) = (20, 60);
/// Seconds of OKX that are recorded, from before the capture of Binance on.
const RECORDED: std::ops::Range<i64> = -30..150;

/// Writes a recording of OKX: four quotes a second, whose bid is above that of Binance for a while.
fn record(folder: &Path) {
    let settings = RecordingSettings::new("okx");
    let (disk, _) = FolderDisk::open(folder.to_owned(), &settings).unwrap();
    let mut writer = RecordingWriter::new(disk, settings);
    let note = r#"{"stream":"tradewind@instruments","data":{"kind":"okx","instruments":[{"name":"recorder:BTC/USDT","symbol":"BTC-USDT","price_decimals":1,"quantity_decimals":8}]}}"#;
    let mut at = Timestamp::from_millis(BEGIN + RECORDED.start * 1_000);
    writer.note(at, note.as_bytes(), at);
    let mut number = 0;
    for second in RECORDED {
        for quarter in 0..4 {
            at = Timestamp::from_millis(BEGIN + second * 1_000 + quarter * 250);
            number += 1;
            let bid = if (DEAR.0..DEAR.1).contains(&second) {
                63_100
            } else {
                61_850
            };
            let (bid, ask) = (bid + number % 3, bid + 1 + number % 3);
            let ts = at.as_nanos() / 1_000_000;
            let frame = format!(
                r#"{{"stream":"tradewind@frame","data":{{"arg":{{"channel":"bbo-tbt","instId":"BTC-USDT"}},"data":[{{"asks":[["{ask}.0","1","0","1"]],"bids":[["{bid}.0","1","0","1"]],"ts":"{ts}","seqId":{number}}}]}},"connection":1}}"#
            );
            writer.frame(at, frame.as_bytes(), at);
        }
    }
    assert!(writer.finish(at));
}

fn seconds(at: &Value) -> f64 {
    let at: Timestamp = at.as_str().unwrap().parse().unwrap();
    Duration::from_nanos(u64::try_from(at.as_nanos()).unwrap()).as_secs_f64() - 1e-3 * BEGIN as f64
}

#[test]
fn recordings_of_two_venues_are_played_on_one_timeline() {
    let Some(data) = test_data() else { return };
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let (binance, okx) = (data.join("binance_spot_ws"), folder.join("okx"));
    record(&okx);
    let file = configuration(folder, OKX.kind, "127.0.0.1:1");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replacen(
        "strategy = \"ma_cross\"",
        "strategy = \"cross_venue_spread\"",
        1,
    );
    let text = text.replacen(
        "params = { fast = 10, slow = 20 }",
        "params = { entry_bps = 60, exit_bps = 20 }",
        1,
    );
    fs::write(&file, text).unwrap();
    let (binance, okx) = (binance.to_str().unwrap(), format!("okx={}", okx.display()));

    // What is missing is named, and nothing is read from the real venue.
    let fixed = ["run", "--config", &file, "--data", binance];
    let refused = command(folder, &fixed);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("--reads okx=PATH"),
        "{said}"
    );
    let unread = command(
        folder,
        &[&fixed[..], &["--reads", &okx, "--reads", "bybit=x"]].concat(),
    );
    let said = String::from_utf8_lossy(&unread.stderr);
    assert!(
        !unread.status.success() && said.contains("--reads bybit"),
        "{said}"
    );

    let run = tradewind(
        folder,
        &[&fixed[..], &["--speed", "5", "--reads", &okx]].concat(),
    );
    let desk = Desk::start_from(folder, run);
    let of_first = |side: &'static str| {
        let desk = &desk;
        move || {
            let fills = desk.items("fills");
            let is_it = |fill: &&Value| fill["bot"] == "first" && fill["side"] == side;
            fills.iter().find(is_it).cloned()
        }
    };
    let bought = within(Duration::from_secs(60), "an entry", of_first("buy"));
    let feeds = desk.items("feeds");
    for name in ["binance:BTC/USDT", "okx:BTC/USDT"] {
        let feed = feeds
            .iter()
            .find(|feed| feed["instrument"] == name)
            .unwrap();
        assert_eq!(feed["health"], "LIVE", "{feed}");
        let received = seconds(&feed["quote"]["received_at"]);
        // `RECORDED`, as what was read.
        assert!((-30.0..150.0).contains(&received), "{received}: {feed}");
    }
    let sold = within(Duration::from_secs(60), "an exit", of_first("sell"));
    // Both while OKX was recorded as dear, and as cheap again; fills are stamped by the desk's clock.
    let (bought, sold) = (seconds(&bought["event_time"]), seconds(&sold["event_time"]));
    let (dear, cheap) = (DEAR.0 as f64, DEAR.1 as f64);
    assert!(
        (dear - 0.5..dear + 10.0).contains(&bought),
        "bought at second {bought}"
    );
    assert!(
        (cheap - 0.5..cheap + 10.0).contains(&sold),
        "sold at second {sold}"
    );
}
