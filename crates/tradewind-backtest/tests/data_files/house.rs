//! Numbers and targets of house sources in a backtest, out of files.

use std::path::{Path, PathBuf};

use tradewind_backtest::{FileOptions, run_files, run_files_with};
use tradewind_engine::StrategySource;
use tradewind_model::{Candle, Decision, Interval, Ppm, Reason, Target, Timestamp};
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

/// The first moment of the data, in seconds.
const BEGIN: i64 = 1_704_067_200;

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a folder of the test's own");
    path
}

/// Twenty candles of a minute.
fn candles(folder: &Path) -> PathBuf {
    let mut text = "time,open,high,low,close,volume\n".to_owned();
    for minute in 0..20 {
        let (at, price) = (BEGIN + 60 * minute, 10_000 + minute);
        text += &format!("{at},{price},{price},{price},{price},1\n");
    }
    write(folder, "BTC_USDT-1m.csv", &text)
}

/// Quotes of two minutes, one a second.
fn quotes(folder: &Path) -> PathBuf {
    let mut text = "timestamp,bid_price,bid_amount,ask_price,ask_amount\n".to_owned();
    for second in 0..120 {
        let (at, bid) = (BEGIN + second, 10_000 + second);
        text += &format!("{at},{bid}.00,5.0,{}.00,5.0\n", bid + 1);
    }
    write(folder, "BTC_USDT-quotes.csv", &text)
}

/// Holds while `house:fear` is below 20, and is flat while it is higher or not known.
#[derive(Debug)]
struct Fearless;

impl Strategy for Fearless {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: Interval::Minute1,
            candles: 0,
        }]
    }

    fn on_candle(&mut self, view: &View<'_>, _: &Candle) -> Result<Decision, StrategyError> {
        let fear = view.number("house:fear").map(|fear| fear.value);
        let holds = fear.is_some_and(|fear| fear < "20".parse().expect("a number"));
        Ok(Decision::Target(Target {
            adds: false,
            exposure: if holds { Ppm::ONE } else { Ppm::ZERO },
            limit: None,
            exit: None,
            reason: Reason::plain("fear"),
        }))
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}

fn fills(options: &FileOptions) -> Vec<(String, i64)> {
    let strategies = StrategySource::new(|_| Ok(Box::new(Fearless)));
    let report = run_files_with(options, &[Interval::Minute1], strategies);
    let report = report.expect("it is in order");
    let fill = |fill: &tradewind_backtest::FillReport| {
        let second = fill.at.as_nanos() / 1_000_000_000 - BEGIN;
        (fill.side.to_owned(), second / 60)
    };
    report.newest_fills.iter().map(fill).collect()
}

#[test]
fn a_strategy_that_reads_numbers_decides_by_those_it_would_have_had() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut options = FileOptions::new("fearless", vec![candles(folder)]);
    assert_eq!(fills(&options), [], "without numbers it does nothing");
    // High before the beginning, low from minute 5 on, received two minutes later; too old after four minutes.
    let at = |minute: i64| BEGIN + 60 * minute;
    let text = format!(
        "time,value,received_at,max_age\n{},80,,\n{},10,{},240\n",
        at(-60),
        at(5),
        at(7),
    );
    let fear = write(folder, "fear.csv", &text);
    options.numbers = vec![("house:fear".to_owned(), fear)];
    let wanted = [("buy".to_owned(), 7), ("sell".to_owned(), 10)];
    assert_eq!(fills(&options), wanted);
    assert_eq!(fills(&options), wanted, "the same each time");
}

#[test]
fn targets_of_a_file_are_followed_until_they_expire() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut options = FileOptions::new("external", vec![quotes(folder)]);
    let text = format!(
        "time,exposure,expires\n{},0.5,{}\n{},0,{}\n{},1,{}\n",
        BEGIN + 10,
        BEGIN + 100,
        BEGIN + 30,
        BEGIN + 100,
        BEGIN + 60,
        BEGIN + 90,
    );
    options.targets = vec![write(folder, "targets.csv", &text)];
    let report = run_files(&options).unwrap();
    let second = |at: Timestamp| at.as_nanos() / 1_000_000_000 - BEGIN;
    let fills = report.newest_fills.iter();
    let fills: Vec<_> = fills
        .map(|fill| (fill.side.to_owned(), second(fill.at)))
        .collect();
    let wanted = [("buy", 10), ("sell", 30), ("buy", 60), ("sell", 90)];
    let wanted = wanted.map(|(side, at)| (side.to_owned(), at));
    assert_eq!(fills, wanted);
    options.strategy = "ma_cross".to_owned();
    let refused = run_files(&options).unwrap_err().to_string();
    assert!(refused.contains("--strategy external"), "{refused}");
}
