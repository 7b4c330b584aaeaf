//! Runs over tables of candles: no look ahead, no line without a name when it is bad.

use std::fmt::Write as _;
use std::path::PathBuf;

use tradewind_backtest::{BacktestError, FileOptions, Report, run_files};
use tradewind_data::DataError;
use tradewind_model::{Amount, Decimal, Parameter, Ppm};
use tradewind_simx::Fees;

use crate::common::test_data;

/// 2024-01-01T00:00:00Z.
const START: i64 = 1_704_067_200;

/// Opens that differ from every close, so that it shows at which of the two an order was filled.
fn walk(rows: i64) -> Vec<(i64, [i64; 4])> {
    let mut close = 1_000_000;
    let mut dice = 7_u64;
    let mut draw = move || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from(dice >> 40).expect("24 bits") % 4_001 - 2_000
    };
    let candles = (0..rows).map(|row| {
        let open = close + 137;
        close = (open + draw()).max(100_000);
        let (high, low) = (open.max(close) + 100, open.min(close) - 100);
        (START + row * 60, [open, high, low, close])
    });
    candles.collect()
}

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder was made for it");
    path
}

fn table(rows: &[(i64, [i64; 4])]) -> String {
    let mut text = "open_time_s,open,high,low,close,volume\n".to_owned();
    for (at, prices) in rows {
        write!(text, "{at}").expect("to memory");
        for price in prices {
            write!(text, ",{}.{:02}", price / 100, price % 100).expect("to memory");
        }
        text.push_str(",12.5\n");
    }
    text
}

fn options(strategy: &str, files: Vec<PathBuf>) -> FileOptions {
    let interval = ("interval".to_owned(), Parameter::Text("1m".to_owned()));
    FileOptions {
        parameters: [interval].into(),
        ..FileOptions::new(strategy, files)
    }
}

fn reversion(files: Vec<PathBuf>) -> FileOptions {
    let mut options = options("rsi_reversion", files);
    let period = Parameter::Number(Decimal::whole(3));
    options.parameters.insert("period".to_owned(), period);
    options
}

fn sound(report: &Report) {
    assert!(report.orders > 10, "{}", report.to_json());
    assert!(
        report.assets.iter().all(|line| line.difference.is_zero()),
        "{:?}",
        report.assets
    );
}

#[test]
fn what_is_decided_on_a_close_is_filled_at_the_next_open_and_half_a_spread() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let rows = walk(2_000);
    let path = write(&folder, "BTC_USDT-1m.csv", &table(&rows));
    let report = run_files(&reversion(vec![path])).expect("the table is sound");
    sound(&report);
    for fill in &report.newest_fills {
        let at = fill.at.as_nanos() / 1_000_000_000;
        let place = rows.iter().position(|(open_time, _)| *open_time == at);
        let open = rows[place.expect("a fill is at the start of a candle")].1[0];
        let half = open / 10_000;
        let wanted = if fill.side == "buy" {
            open + half
        } else {
            open - half
        };
        let count = fill.price.parse::<Amount>().expect("a price").0 / 10_000_000_000_000_000;
        assert_eq!(count, i128::from(wanted), "{fill:?}");
    }
}

#[test]
fn what_comes_later_changes_nothing_before_it() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let rows = walk(1_200);
    let mut other = rows.clone();
    for (_, prices) in other.iter_mut().skip(900) {
        *prices = prices.map(|price| price * 3);
    }
    let until = START + 900 * 60;
    let fills = |rows: &[(i64, [i64; 4])], name: &str| {
        let path = write(&folder, name, &table(rows));
        let report = run_files(&reversion(vec![path])).expect("the table is sound");
        let before = report.newest_fills.into_iter();
        before
            .filter(|fill| fill.at.as_nanos() < until * 1_000_000_000)
            .collect::<Vec<_>>()
    };
    let first = fills(&rows, "BTC_USDT-1m.csv");
    assert!(first.len() > 5);
    assert_eq!(first, fills(&other, "BTCUSDT-1m-other.csv"));
}

#[test]
fn longer_candles_are_put_together_from_the_ones_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = write(&folder, "BTC_USDT-1m.csv", &table(&walk(30_000)));
    let options = FileOptions::new("rsi_trend", vec![path]);
    let report = run_files(&options).expect("1m makes 5m and 1h");
    assert_eq!(report.candles, 30_000 + 6_000 + 500);
    assert_eq!(report.bot_errors, 0, "{:?}", report.last_error);
    assert!(report.assets.iter().all(|line| line.difference.is_zero()));
}

#[test]
fn real_candles_of_three_layouts_are_traded_and_the_books_agree() {
    let Some(folder) = test_data("") else { return };
    for (file, interval) in [
        ("binance_multi_tf_2018/BTC_USDT-5m.csv", "5m"),
        ("candles_2018_5m/ETH_BTC-5m.csv.gz", "5m"),
        ("binance_1h/SOLUSDT_1h_2020_2026.csv.gz", "1h"),
    ] {
        let mut options = reversion(vec![folder.join(file)]);
        let interval = Parameter::Text(interval.to_owned());
        options.parameters.insert("interval".to_owned(), interval);
        options.fees = Fees {
            maker: Ppm(1_000),
            taker: Ppm(1_000),
        };
        options.cash = Amount::whole(10_000);
        let report = run_files(&options).unwrap_or_else(|error| panic!("{file}: {error}"));
        sound(&report);
        assert!(!report.fees.is_empty(), "{file}");
    }
}

#[test]
fn a_bad_line_is_reported_with_file_line_and_reason_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let good = table(&walk(3));
    let check = |name: &str, text: &str, line: u64, words: &str| {
        let path = write(&folder, name, text);
        let error = run_files(&reversion(vec![path])).expect_err("the table is bad");
        let wanted = format!("{name}: line {line}: ");
        let shown = error.to_string();
        assert!(shown.contains(&wanted) && shown.contains(words), "{shown}");
        assert_eq!(shown.lines().count(), 1);
    };
    check(
        "BTC_USDT-1m-a.csv",
        &format!("{good}{START},1,1,1,1,1\n"),
        5,
        "not later",
    );
    check(
        "BTC_USDT-1m-b.csv",
        &format!("{good}1704070000,1,2,3,1,1\n"),
        5,
        "enclose",
    );
    check(
        "BTC_USDT-1m-c.csv",
        &format!("{good}1704070000,1,2\n"),
        5,
        "no column",
    );
    check("BTC_USDT-1m-d.csv", "time,open,high,low\n", 1, "close");
}

#[test]
fn the_malformed_table_is_refused_for_its_rounded_times() {
    let Some(path) = test_data("malformed/BTCUSDT-1h-2023-11-18.csv") else {
        return;
    };
    let error = run_files(&reversion(vec![path])).expect_err("it is malformed");
    assert!(
        matches!(
            error,
            BacktestError::Data(DataError::Malformed { line: 2, .. })
        ),
        "{error}"
    );
    assert!(error.to_string().contains("1.70027E+12"), "{error}");
}

#[test]
fn choices_that_do_not_fit_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = write(&folder, "BTC_USDT-5m.csv", &table(&walk(50)));
    let text = |options: &FileOptions| run_files(options).expect_err("it does not fit").to_string();
    assert!(text(&FileOptions::new("no_such", vec![path.clone()])).contains("no_such"));
    assert!(
        text(&reversion(vec![path.clone()])).contains("1m"),
        "1m cannot be made from 5m"
    );
    assert!(text(&FileOptions::new("ma_cross", Vec::new())).contains("no file"));
    let unnamed = write(&folder, "prices.csv", &table(&walk(5)));
    assert!(text(&FileOptions::new("ma_cross", vec![unnamed])).contains("BTC/USDT"));
    let absent = folder.path().join("absent-1m.csv");
    assert!(text(&FileOptions::new("ma_cross", vec![absent])).contains("absent-1m.csv"));
}
