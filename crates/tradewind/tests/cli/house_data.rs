//! Numbers, targets and recordings of house sources: into the catalogue, out of it as CSV and Parquet, and played from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tradewind_data::{FolderDisk, RecordingSettings, RecordingWriter};
use tradewind_model::Timestamp;

use crate::{expect, json, stderr, stdout, tradewind, written};

const BEGIN: i64 = 1_727_740_800;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(BEGIN + second)
}

/// Rows that were added and known, by series.
#[track_caller]
fn imported(dir: &TempDir, arguments: &[&str]) -> Vec<(String, u64, u64, String)> {
    let output = tradewind(
        dir.path(),
        &[&["--json", "data", "import"], arguments].concat(),
    );
    expect(&output, 0);
    let told = json(&output);
    let items = told["items"].as_array().unwrap().iter();
    let count = |item: &serde_json::Value, key: &str| item[key].as_u64().unwrap();
    let one = |item: &serde_json::Value| {
        let series = item["series"].as_str().unwrap().to_owned();
        (
            series,
            count(item, "added"),
            count(item, "known"),
            item["notes"].to_string(),
        )
    };
    items.map(one).collect()
}

#[track_caller]
fn exported(dir: &TempDir, series: &str) -> String {
    let output = tradewind(dir.path(), &["data", "export", series]);
    expect(&output, 0);
    stdout(&output)
}

const NUMBERS: &str = "time,received_at,value,max_age\n\
    2024-09-30T23:59:50Z,2024-10-01T00:00:00Z,-12.5,0.5\n\
    2024-10-01T00:00:00Z,2024-10-01T00:00:05.000000001Z,123456789.123456789,3600\n\
    2024-11-01T00:00:00Z,2024-11-01T00:00:00Z,3,\n";

#[test]
fn numbers_go_into_the_catalogue_and_come_out_as_they_were() {
    let dir = TempDir::new().unwrap();
    let file = written(&dir, "fear.csv", NUMBERS);
    let series = "house:fear@numbers";
    let arguments = [text(&file), "--series", series];
    let added = |added, known| vec![(series.to_owned(), added, known, "[]".to_owned())];
    assert_eq!(imported(&dir, &arguments), added(3, 0));
    assert_eq!(imported(&dir, &arguments), added(0, 3));
    assert_eq!(exported(&dir, series), NUMBERS);
    let verified = tradewind(dir.path(), &["data", "verify"]);
    expect(&verified, 0);
    assert!(
        stdout(&verified).contains("2 files with 3 rows are sound"),
        "{}",
        stdout(&verified)
    );
    let listed = stdout(&tradewind(dir.path(), &["data", "list"]));
    assert!(listed.contains(series), "{listed}");
    // What differs is refused with its line, and what is no price is not played.
    let other = written(&dir, "other.csv", "time,value\n2024-11-01T00:00:00Z,4\n");
    let refused = tradewind(
        dir.path(),
        &["data", "import", text(&other), "--series", series],
    );
    expect(&refused, 1);
    assert!(
        stderr(&refused).contains("other.csv: line 2: the catalogue has other values"),
        "{}",
        stderr(&refused)
    );
    let played = [
        "backtest",
        "--strategy",
        "ma_cross",
        "--data",
        "catalogue:house:fear@numbers",
    ];
    let refused = tradewind(dir.path(), &played);
    expect(&refused, 1);
    assert!(
        stderr(&refused).contains("write --numbers for them"),
        "{}",
        stderr(&refused)
    );
    for (name, words) in [
        ("house:fe@r@numbers", "names no series"),
        ("house:follower@targets", "names no series"),
        (
            "binance:BTC/USDT@1m",
            "--series is for tables of numbers and targets",
        ),
    ] {
        let refused = tradewind(
            dir.path(),
            &["data", "import", text(&file), "--series", name],
        );
        assert!(
            !refused.status.success() && stderr(&refused).contains(words),
            "{}",
            stderr(&refused)
        );
    }
}

/// Candles of ten hours and targets on the way, in one file and from the catalogue: the same report.
#[test]
fn a_backtest_follows_targets_and_numbers_of_the_catalogue() {
    let dir = TempDir::new().unwrap();
    let mut candles = "time,open,high,low,close,volume\n".to_owned();
    for minute in 0..600 {
        let price = 100 + minute % 7;
        candles += &format!(
            "{},{price},{},{price},{price},5\n",
            BEGIN + minute * 60,
            price + 1
        );
    }
    let candles = written(&dir, "BTC_USDT-1m.csv", &candles);
    let mut targets = "time,instrument,exposure,expires\n".to_owned();
    for hour in 0..8 {
        let time = BEGIN + hour * 3_600;
        targets += &format!(
            "{time},BTC/USDT,{},{}\n",
            ["1", "0.5", "0"][usize::try_from(hour % 3).unwrap()],
            time + 3_000
        );
    }
    let file = written(&dir, "targets.csv", &targets);
    let series = "signals:follower:BTC/USDT@targets";
    assert_eq!(imported(&dir, &[text(&file), "--series", series])[0].1, 8);
    let numbers = written(&dir, "fear.csv", NUMBERS);
    imported(&dir, &[text(&numbers), "--series", "house:fear@numbers"]);
    let run = |targets: &str, numbers: &str| {
        let numbers = format!("house:fear={numbers}");
        let arguments = [
            "--json",
            "backtest",
            "--strategy",
            "external",
            "--data",
            text(&candles),
            "--targets",
            targets,
            "--numbers",
            &numbers,
        ];
        let output = tradewind(dir.path(), &arguments);
        expect(&output, 0);
        json(&output)
    };
    let from_files = run(text(&file), text(&numbers));
    assert!(
        from_files["fills"].as_u64() > Some(3)
            || from_files["fills"]
                .as_array()
                .is_some_and(|fills| fills.len() > 3),
        "{from_files}"
    );
    assert_eq!(
        run(
            &format!("catalogue:{series}"),
            "catalogue:house:fear@numbers"
        ),
        from_files
    );
    let wrong = [
        "backtest",
        "--strategy",
        "external",
        "--data",
        text(&candles),
        "--targets",
        "catalogue:house:fear@numbers",
    ];
    let refused = tradewind(dir.path(), &wrong);
    expect(&refused, 1);
    assert!(
        stderr(&refused).contains("house:fear@numbers has numbers, and targets are needed"),
        "{}",
        stderr(&refused)
    );
}

/// The interpreter with pyarrow, if there is one.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("TRADEWIND_PYARROW").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    let has = Command::new(&python)
        .args(["-c", "import pyarrow.parquet"])
        .output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("SKIPPED: there is no pyarrow; name an interpreter that has it in TRADEWIND_PYARROW");
    None
}

const READ: &str = r#"
import sys, pyarrow.parquet
table = pyarrow.parquet.read_table(sys.argv[1])
for name in table.column_names:
    column = table.column(name)
    values = column.cast("int64") if str(column.type).startswith("timestamp") else column
    print(name, column.type, *(str(value) for value in values.to_pylist()))
"#;

#[test]
fn pyarrow_reads_the_numbers_and_targets_that_are_exported() {
    let Some(python) = python() else { return };
    let dir = TempDir::new().unwrap();
    let numbers = written(&dir, "fear.csv", NUMBERS);
    imported(&dir, &[text(&numbers), "--series", "house:fear@numbers"]);
    let targets = written(
        &dir,
        "targets.csv",
        "time,exposure,expires\n1727740800,-0.25,1727744400\n",
    );
    let series = "signals:follower:binance:BTC/USDT@targets";
    imported(&dir, &[text(&targets), "--series", series]);
    let read = |series: &str| {
        let out = dir.path().join("out.parquet");
        let arguments = [
            "data",
            "export",
            series,
            "--format",
            "parquet",
            "--output",
            text(&out),
        ];
        expect(&tradewind(dir.path(), &arguments), 0);
        let output = Command::new(&python)
            .args(["-c", READ, text(&out)])
            .output()
            .unwrap();
        expect(&output, 0);
        stdout(&output)
    };
    assert_eq!(
        read("house:fear@numbers"),
        "time timestamp[ns, tz=UTC] 1727740790000000000 1727740800000000000 1730419200000000000\n\
         received_at timestamp[ns, tz=UTC] 1727740800000000000 1727740805000000001 1730419200000000000\n\
         value decimal128(18, 9) -12.500000000 123456789.123456789 3.000000000\n\
         max_age int64 500000000 3600000000000 0\n"
    );
    assert_eq!(
        read(series),
        "time timestamp[ns, tz=UTC] 1727740800000000000\n\
         received_at timestamp[ns, tz=UTC] 1727740800000000000\n\
         exposure decimal128(18, 2) -0.25\n\
         expires timestamp[ns, tz=UTC] 1727744400000000000\n"
    );
}

const SOURCE: &str = r#"
[sources.house]
kind = "websocket"
address = "ws://127.0.0.1:9101/feed"
instruments = [{ name = "BTC/USDT", price_decimals = 2, quantity_decimals = 5 }]
numbers = [{ name = "fear", symbol = "FNG", max_age = "1h" }]
"#;

/// A recording of a house source: messages of two connections, one of them lost.
fn recording(folder: &Path) {
    let settings = RecordingSettings::new("house");
    let (disk, _) = FolderDisk::open(folder.to_owned(), &settings).unwrap();
    let mut writer = RecordingWriter::new(disk, settings);
    let heading = r#"{"stream":"tradewind@recording","data":{"version":1,"of":"house","address":"ws://127.0.0.1:9101/feed"}}"#;
    writer.note(at(0), heading.as_bytes(), at(0));
    let opened = r#"{"stream":"tradewind@opened","data":{"connection":1}}"#;
    writer.note(at(0), opened.as_bytes(), at(0));
    let messages = [
        r#"{"kind":"quote","symbol":"BTC/USDT","sequence":1,"time":1727740801000,"bid":"60000.5","ask":"60001.5","bid_size":"1.5","ask_size":"2"}"#,
        r#"{"kind":"trade","symbol":"BTC/USDT","sequence":2,"time":1727740801500,"price":"60001","quantity":"0.1","side":"buy"}"#,
        r#"{"kind":"number","name":"FNG","sequence":3,"time":1727740802000,"value":"12.50"}"#,
        r#"{"kind":"target","bot":"follower","instrument":"binance:BTC/USDT","exposure":"0.5","sequence":5,"time":1727740803000,"expires":1727740900000}"#,
        r#"{"kind":"target","bot":"follower","sequence":6}"#,
        r#"{"kind":"number","name":"unknown","sequence":7,"time":1727740802000,"value":"1"}"#,
    ];
    for (message, second) in messages.iter().zip(1..) {
        let frame = format!(r#"{{"stream":"tradewind@frame","data":{message},"connection":1}}"#);
        writer.frame(at(second), frame.as_bytes(), at(second));
    }
    assert!(writer.finish(at(9)));
}

#[test]
fn a_recording_of_a_house_source_becomes_series_by_its_section() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("frames");
    recording(&folder);
    let base = include_str!("../config/base.toml");
    let config = written(
        &dir,
        "house.toml",
        &base.replacen("[[bots]]", &format!("{SOURCE}\n[[bots]]"), 1),
    );
    let arguments = [text(&folder), "--config", text(&config)];
    let found = imported(&dir, &arguments);
    let series: Vec<(&str, u64)> = found.iter().map(|one| (one.0.as_str(), one.1)).collect();
    let wanted = [
        ("house:BTC/USDT@trades", 1),
        ("house:BTC/USDT@quotes", 1),
        ("house:fear@numbers", 1),
        ("house:follower:binance:BTC/USDT@targets", 1),
    ];
    assert_eq!(series, wanted);
    let notes = &found[0].3;
    assert!(
        notes.contains("1 times messages of the source are missing")
            && notes.contains("1 targets cannot be read"),
        "{notes}"
    );
    assert_eq!(
        exported(&dir, "house:fear@numbers"),
        "time,received_at,value,max_age\n2024-10-01T00:00:02Z,2024-10-01T00:00:03Z,12.5,3600\n"
    );
    assert_eq!(
        exported(&dir, "house:follower:binance:BTC/USDT@targets"),
        "time,received_at,exposure,expires\n2024-10-01T00:00:03Z,2024-10-01T00:00:04Z,0.5,2024-10-01T00:01:40Z\n"
    );
    assert_eq!(
        exported(&dir, "house:BTC/USDT@quotes"),
        "time,bid,ask,bid_size,ask_size\n2024-10-01T00:00:01Z,60000.5,60001.5,1.5,2\n"
    );
    assert!(imported(&dir, &arguments).iter().all(|one| one.1 == 0));
    expect(&tradewind(dir.path(), &["data", "verify"]), 0);
    // Without the section nobody knows what its messages mean.
    let bare = written(&dir, "bare.toml", base);
    let refused = tradewind(
        dir.path(),
        &["data", "import", text(&folder), "--config", text(&bare)],
    );
    expect(&refused, 1);
    let said = stderr(&refused);
    assert!(
        said.contains("there is nothing in it") || said.contains("[sources.house]"),
        "{said}"
    );
    let listed = stdout(&tradewind(dir.path(), &["data", "list"]));
    assert!(!listed.contains("file:"), "{listed}");
}
