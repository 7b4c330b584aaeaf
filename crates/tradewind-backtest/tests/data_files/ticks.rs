//! Runs over captures and over tables of quotes and trades.

use tradewind_backtest::{FileOptions, run_files};
use tradewind_model::{Amount, Parameter};

use crate::common::test_data;

#[test]
fn recorded_streams_are_traded_and_the_books_agree() {
    let Some(folder) = test_data("binance_spot_ws") else {
        return;
    };
    let files = ["btcusdt_20240808.gz", "ethusdt_20240808.gz"].map(|name| folder.join(name));
    let mut options = FileOptions::new("ma_cross", files.to_vec());
    options.cash = Amount::whole(1_000_000);
    options.fill_model = tradewind_simx::FillModel::Book;
    let report = run_files(&options).expect("the captures are sound");
    assert!(
        report.quotes > 20_000 && report.trades > 2_000,
        "{} {}",
        report.quotes,
        report.trades
    );
    assert!(report.fills > 20, "{}", report.to_json());
    assert!(
        report.assets.iter().all(|line| line.difference.is_zero()),
        "{:?}",
        report.assets
    );
    assert_eq!(report, run_files(&options).expect("again"));
}

#[test]
fn tables_of_quotes_and_trades_are_played_together() {
    let Some(folder) = test_data("binance_ticks_2021") else {
        return;
    };
    let files = ["btcusdt-quotes.csv", "btcusdt-trades.csv"].map(|name| folder.join(name));
    let mut options = FileOptions::new("ma_cross", files.to_vec());
    let whole = |value| Parameter::Number(tradewind_model::Decimal::whole(value));
    options.parameters = [("fast".to_owned(), whole(2)), ("slow".to_owned(), whole(4))].into();
    let report = run_files(&options).expect("the tables are sound");
    assert_eq!((report.quotes, report.trades), (451, 2_001));
    assert!(report.orders > 3, "{}", report.to_json());
    let alone = FileOptions::new("ma_cross", vec![folder.join("btcusdt-trades.csv")]);
    let alone = run_files(&alone).expect("trades alone are quoted");
    assert_eq!((alone.quotes, alone.trades), (2_001, 2_001));
}
