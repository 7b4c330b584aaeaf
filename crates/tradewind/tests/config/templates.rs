//! The templates of `tradewind init --style`: valid, clean at a start, and at work all through normal days.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tradewind::config::{DeskConfig, INTRADAY, Listing, SWING, Sources};
use tradewind_backtest::Report;

use crate::candle_history::{Desk, History, Table};

/// Seconds.
const DAY: i64 = 86_400;
/// 15 January to 24 February 2024: six weeks in which BTC moved between -5 % and +8 % a day.
const FROM: i64 = 1_705_276_800;
const UNTIL: i64 = FROM + 40 * DAY;
const PRODUCTS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

#[test]
fn both_are_valid_and_start_clean() {
    for (name, text) in [("swing", SWING), ("intraday", INTRADAY)] {
        let config = DeskConfig::read(&Sources {
            file: name,
            text,
            environment: &BTreeMap::new(),
            listing: Listing::Generated,
        })
        .unwrap();
        assert_eq!(config.bots.len(), 8, "{name}");
        assert!(config.limits.missing().is_none(), "{name}");
    }
}

#[test]
fn a_swing_desk_trades_through_normal_weeks() {
    trades_on(Desk::swing(&PRODUCTS).unwrap(), 40);
}

#[test]
fn an_intraday_desk_trades_through_normal_weeks() {
    let text = INTRADAY
        .replace("SOL/USDT", PRODUCTS[0])
        .replace("XRP/USDT", PRODUCTS[1]);
    trades_on(Desk::new(&text, &PRODUCTS).unwrap(), 100);
}

/// No limit changes a state, none denies more than a few entries, and the desk still trades in the last days.
fn trades_on(desk: Desk, fills: u64) {
    let Some(data) = test_data() else { return };
    let read = |file: &str| Table::read(&data.join("binance_1h").join(file), FROM, UNTIL).unwrap();
    let btc = read("BTCUSDT_1h_jan_feb_2024.csv");
    let eth = read("ETHUSDT_1h_jan_feb_2024.csv");
    let tables = BTreeMap::from([(PRODUCTS[0], &btc), (PRODUCTS[1], &eth)]);
    let history = History::new(&desk, &tables).unwrap();
    let last_week = history.0.back().unwrap().0 - Duration::from_secs(7 * 86_400);
    let report: Report = desk.run(history).unwrap();
    assert_eq!(report.state_changes, [] as [String; 0], "{report:#?}");
    assert_eq!(report.bot_errors, 0, "{report:#?}");
    assert!(report.fills >= fills, "{report:#?}");
    let late = report.newest_fills.iter().filter(|fill| fill.at >= last_week);
    assert!(late.count() > 0, "{report:#?}");
    let denials: u64 = report.denials.values().sum();
    assert!(denials * 10 <= report.orders, "{:?} of {}", report.denials, report.orders);
}

/// The folder of recorded market data. Without it the test says so and ends, except where that must not be.
fn test_data() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("TRADEWIND_TEST_DATA") {
        return Some(PathBuf::from(folder).join("data"));
    }
    let wanted = "TRADEWIND_TEST_DATA is not set: it names the folder of recorded market data";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{wanted}");
    eprintln!("SKIPPED: {wanted}");
    None
}
