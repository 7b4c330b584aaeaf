//! A universe in a backtest chooses of what was listed at the time, and of nothing that came later or had ended.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tradewind_backtest::{FileOptions, Report, run_files};
use tradewind_events::WakeRule;
use tradewind_model::{Amount, Interval, Ppm, Sizer, Timestamp, Universe};
use tradewind_rules::{ClauseText, RuleText, WakeText};

/// 2024-01-01T00:00:00Z.
const START: i64 = 1_704_067_200;
const DAY: i64 = 86_400;

/// Hourly candles from one day until another, so many units an hour at a price that climbs.
fn file(folder: &tempfile::TempDir, name: &str, days: (i64, i64), volume: i64) -> PathBuf {
    let mut text = "open_time_s,open,high,low,close,volume\n".to_owned();
    for hour in days.0 * 24..days.1 * 24 {
        let (at, price) = (START + hour * 3_600, 1_000 + hour);
        let row = format!(
            "{at},{price}.00,{}.00,{}.00,{price}.50,{volume}",
            price + 1,
            price - 1
        );
        writeln!(text, "{row}").expect("to memory");
    }
    let path = folder.path().join(format!("{name}_USDT-1h.csv"));
    std::fs::write(&path, text).expect("the folder was made for it");
    path
}

/// A buys whatever is a member, each day at 00:05.
fn run(files: Vec<PathBuf>, universe: Universe) -> Report {
    let rules = RuleText {
        timeframe: Some(Interval::Hour1),
        wake: WakeText::Timer,
        enter: vec![ClauseText {
            tag: None,
            when: "rank(roc(1)@1d) <= 9".to_owned(),
        }],
        stop: Some("none".to_owned()),
        size: Some("20%".to_owned()),
        ..RuleText::default()
    };
    let candles = [Interval::Hour1, Interval::Day1].map(WakeRule::Candles);
    let timer = WakeRule::EveryAt {
        every: Duration::from_secs(86_400),
        offset: Duration::from_secs(300),
    };
    let options = FileOptions {
        parameters: rules.to_parameters(),
        wakes: Some(std::iter::once(timer).chain(candles).collect()),
        positions_max: Some(4),
        sizer: Sizer::Share(Ppm(200_000)),
        cash: Amount::whole(100_000),
        universe: Some(universe),
        ..FileOptions::new("rules", files)
    };
    run_files(&options).expect("the data is in order")
}

fn universe(top: u32) -> Universe {
    Universe {
        top,
        by: "volume 2d".parse().expect("it is a ranking"),
        min_age: Duration::from_secs(5 * 86_400),
    }
}

#[test]
fn the_members_of_each_day_are_those_that_were_listed_and_old_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = vec![
        file(&folder, "AAA", (0, 30), 100),
        // It trades most until it is delisted.
        file(&folder, "BBB", (0, 15), 300),
        // It trades more than all, and is listed later.
        file(&folder, "CCC", (10, 30), 1_000),
        file(&folder, "DDD", (0, 30), 50),
    ];
    let report = run(files.clone(), universe(2));
    let name = |one: &String| {
        one.trim_start_matches("simx:")
            .trim_end_matches("/USDT")
            .to_owned()
    };
    let changes: Vec<(i64, Vec<String>, Vec<String>)> = report
        .universe
        .iter()
        .map(|change| {
            let seconds = change.at.as_nanos() / 1_000_000_000 - START;
            assert_eq!(seconds % DAY, 60, "a minute after midnight: {}", change.at);
            let names = |of: &[String]| of.iter().map(name).collect();
            (seconds / DAY, names(&change.joined), names(&change.left))
        })
        .collect();
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|one| (*one).to_owned())
            .collect::<Vec<_>>()
    };
    let wanted = [
        (5, names(&["BBB", "AAA"]), names(&[])),
        (15, names(&["CCC"]), names(&["AAA"])),
        (16, names(&["AAA"]), names(&["BBB"])),
    ];
    assert_eq!(changes, wanted);
    let day = |at: Timestamp| (at.as_nanos() / 1_000_000_000 - START) / DAY;
    let buys: Vec<(String, i64)> = report
        .newest_fills
        .iter()
        .map(|fill| (name(&fill.instrument), day(fill.at)))
        .collect();
    let first = |of: &str| {
        buys.iter()
            .find(|(name, _)| name == of)
            .map(|(_, day)| *day)
    };
    assert_eq!(
        (first("AAA"), first("BBB"), first("CCC")),
        (Some(5), Some(5), Some(15))
    );
    assert_eq!(first("DDD"), None, "never a member: {buys:?}");
    // What comes later changes nothing of before.
    let shorter = vec![
        file(&folder, "AAA", (0, 12), 100),
        file(&folder, "BBB", (0, 12), 300),
        file(&folder, "CCC", (10, 12), 1_000),
        file(&folder, "DDD", (0, 12), 50),
    ];
    let until = run(shorter, universe(2));
    assert_eq!(until.universe, report.universe[..1]);
}
