//! Two venues at once: one is traded on, the other one is read.

use std::path::PathBuf;

use tradewind_backtest::{FileOptions, run_files};
use tradewind_model::{Decimal, Parameter};

/// Quotes of both venues, one second apart, those of the other half a second later. The own price falls 1 % below the other
/// from second 20 to second 40.
fn files(folder: &std::path::Path) -> [PathBuf; 2] {
    let head = "timestamp,bid_price,bid_amount,ask_price,ask_amount\n";
    let (mut own, mut other) = (head.to_owned(), head.to_owned());
    for second in 0..60_u64 {
        let at = 1_704_067_200_000 + second * 1_000;
        let bid = if (20..40).contains(&second) {
            9_900
        } else {
            10_000
        };
        own += &format!("{at},{bid}.00,5.0,{}.00,5.0\n", bid + 1);
        let at = at + 500;
        other += &format!("{at},10000.500,5.0,10000.700,5.0\n");
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a folder of the test's own");
        path
    };
    [
        write("BTC_USDT-quotes.csv", &own),
        write("okx_BTC_USDT-quotes.csv", &other),
    ]
}

fn options(folder: &std::path::Path) -> FileOptions {
    let [own, other] = files(folder);
    let mut options = FileOptions::new("cross_venue_spread", vec![own]);
    options.reads = vec![("okx".to_owned(), other)];
    let whole = |value| Parameter::Number(Decimal::whole(value));
    options.parameters = [
        ("entry_bps".to_owned(), whole(50)),
        ("exit_bps".to_owned(), whole(5)),
    ]
    .into();
    options
}

#[test]
fn a_spread_between_two_series_is_traded_and_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let report = run_files(&options).unwrap();
    assert_eq!((report.quotes, report.orders, report.fills), (120, 2, 2));
    let prices: Vec<String> = report
        .newest_fills
        .iter()
        .map(|fill| fill.price.to_string())
        .collect();
    assert_eq!(prices, ["9901", "10000"]);
    assert_eq!(report, run_files(&options).unwrap());
    // Whichever file is named first, what is traded and what is read follows from its venue.
    let json = report.to_json().to_string();
    assert!(json.contains("simx:BTC/USDT"), "{json}");
}

#[test]
fn a_strategy_that_compares_is_refused_without_a_second_venue() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.reads.clear();
    let refused = run_files(&options).unwrap_err().to_string();
    assert!(
        refused.contains("name its data with --reads okx=FILE"),
        "{refused}"
    );
}
