//! The templates of `tradewind init --style`: valid, clean at a start, and at work all through normal days.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tradewind::config::{DeskConfig, INTRADAY, Listing, SWING, Sources};
use tradewind_backtest::Report;

use crate::candle_history::{Desk, History, Table};

/// Seconds.
const DAY: i64 = 86_400;
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

/// 15 January to 24 February 2024: BTC moved between -5 % and +8 % a day.
#[test]
fn a_swing_desk_trades_through_normal_weeks() {
    let Some(data) = test_data() else { return };
    let from = 1_705_276_800;
    let read = |file| Table::read(&data.join(file), from, from + 40 * DAY).unwrap();
    let btc = read("binance_1h/BTCUSDT_1h_jan_feb_2024.csv");
    let eth = read("binance_1h/ETHUSDT_1h_jan_feb_2024.csv");
    let tables = BTreeMap::from([(PRODUCTS[0], &btc), (PRODUCTS[1], &eth)]);
    trades_on(Desk::swing(&PRODUCTS).unwrap(), &tables, 40);
}

/// 8 to 18 January 2022: BTC moved between -3 % and +3 % a day. Only the template's two bots on it have candles so short.
#[test]
fn an_intraday_desk_trades_through_normal_days() {
    let Some(data) = test_data() else { return };
    let from = 1_641_600_000;
    let file = data.join("candles_1m/btc-perp-20211231-20220201_1m.csv.gz");
    let btc = Table::read(&file, from, from + 10 * DAY).unwrap();
    let (two_bots, _) = INTRADAY.split_once("[[bots]]\nid = \"eth").unwrap();
    let desk = Desk::new(two_bots, &PRODUCTS[..1]).unwrap();
    trades_on(desk, &BTreeMap::from([(PRODUCTS[0], &btc)]), 40);
}

/// No limit changes a state, none denies more than a few entries, and the desk still trades in the last quarter.
fn trades_on(desk: Desk, tables: &BTreeMap<&str, &Table>, fills: u64) {
    let history = History::new(&desk, tables).unwrap();
    let (from, until) = (history.0[0].0, history.0.back().unwrap().0);
    let late = until - until.since(from) / 4;
    let report: Report = desk.run(history).unwrap();
    let told = format!(
        "{} orders, {} fills, denials {:?}, {}",
        report.orders,
        report.fills,
        report.denials,
        report.last_denial.as_deref().unwrap_or("none")
    );
    assert_eq!(report.state_changes, [] as [String; 0], "{told}");
    assert_eq!(report.bot_errors, 0, "{told}");
    assert!(report.fills >= fills, "{told}");
    let late = report.newest_fills.iter().filter(|fill| fill.at >= late);
    assert!(late.count() > 0, "{told}");
    let denials: u64 = report.denials.values().sum();
    assert!(denials * 10 <= report.orders, "{told}");
    eprintln!("{told}");
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
