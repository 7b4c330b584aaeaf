//! Files as people have them: what `backtest`, `simx` and `data` say of them, and the catalogue from end to end.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::{expect, json, stderr, stdout, tradewind, written};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Exactly one line of complaint, which names the file and has these words.
#[track_caller]
fn refused(output: &Output, file: &Path, words: &str) {
    expect(output, 1);
    let said = stderr(output);
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("tradewind: "))
        .collect();
    let [complaint] = complaints.as_slice() else {
        panic!("{said}")
    };
    assert!(
        complaint.contains(text(file)) && complaint.contains(words),
        "{said}"
    );
}

#[test]
fn every_command_that_reads_files_says_file_line_column_reason_and_cure() {
    let dir = TempDir::new().unwrap();
    let head = "time,open,high,low,close,volume\n1727740800,100,102,99,101,3\n";
    for (name, row, words) in [
        (
            "BTC_USDT-1m.csv",
            "1727740860,\"62,000.00\",102,99,101,3",
            "line 3, column open: \"62,000.00\" has a thousands separator or a decimal comma; write it with digits and one point",
        ),
        (
            "ETH_USDT-1m.csv",
            "1727740800,100,102,99,100,3",
            "line 3: the candle is not later than the one before it: line 2 has the same time and other values; delete the wrong one",
        ),
        (
            "SOL_USDT-1m.csv",
            "1727740860,100,102",
            "line 3: there is no column 4 of 6; mend the line or delete it",
        ),
    ] {
        let file = written(&dir, name, &format!("{head}{row}\n"));
        let backtest = tradewind(
            dir.path(),
            &["backtest", "--strategy", "ma_cross", "--data", text(&file)],
        );
        refused(&backtest, &file, words);
        refused(
            &tradewind(dir.path(), &["simx", "--data", text(&file)]),
            &file,
            words,
        );
        refused(
            &tradewind(dir.path(), &["run", "--data", text(&file)]),
            &file,
            words,
        );
        refused(
            &tradewind(dir.path(), &["data", "import", text(&file)]),
            &file,
            words,
        );
    }
    assert_eq!(
        stdout(&tradewind(dir.path(), &["data", "list"])),
        "the catalogue is empty; `tradewind data import FILE` fills it\n"
    );
}

#[test]
fn files_go_into_the_catalogue_are_played_from_it_and_come_out_again() {
    let dir = TempDir::new().unwrap();
    let mut table = "time;open;high;low;close;volume\n".to_owned();
    for minute in 0..600 {
        if minute == 300 {
            continue;
        }
        let price = 100 + minute % 7;
        // Past the end of a month, with a decimal comma and more decimals than a binary float keeps.
        let time = 1_730_415_600 + minute * 60;
        writeln!(
            table,
            "{time};{price},5;{},5;{price};{price},000000000001;1,5",
            price + 1
        )
        .unwrap();
    }
    let file = written(&dir, "BTC_USDT-1m.csv", &table);
    let import = [
        "--json",
        "data",
        "import",
        text(&file),
        "--venue",
        "binance",
    ];
    let output = tradewind(dir.path(), &import);
    expect(&output, 0);
    let told = &json(&output)["items"][0];
    assert_eq!(
        (
            told["series"].as_str(),
            told["added"].as_u64(),
            told["known"].as_u64()
        ),
        (Some("binance:BTC/USDT@1m"), Some(599), Some(0))
    );
    assert!(
        told["notes"][0]
            .as_str()
            .unwrap()
            .contains("candles missing: 1, in 1 holes"),
        "{told}"
    );
    assert_eq!(
        json(&tradewind(dir.path(), &import))["items"][0]["known"],
        599
    );
    let shown = stdout(&tradewind(dir.path(), &["data", "list"]));
    assert!(
        shown.contains("binance:BTC/USDT@1m") && shown.contains("599"),
        "{shown}"
    );
    let listed = &json(&tradewind(dir.path(), &["--json", "data", "list"]))["items"];
    assert_eq!(
        (
            listed[0]["rows"].as_u64(),
            listed[0]["missing"].as_u64(),
            listed[0]["files"].as_u64()
        ),
        (Some(599), Some(1), Some(2))
    );
    let verified = tradewind(dir.path(), &["data", "verify"]);
    expect(&verified, 0);
    assert!(
        stdout(&verified).contains("2 files with 599 rows are sound"),
        "{}",
        stdout(&verified)
    );

    let backtest = |data: &str, span: &[&str]| {
        let arguments = [
            "--json",
            "backtest",
            "--strategy",
            "rsi_reversion",
            "--param",
            "interval=1m",
            "--product",
            "BTC/USDT",
            "--data",
            data,
        ];
        let output = tradewind(dir.path(), &[&arguments[..], span].concat());
        expect(&output, 0);
        let mut report = json(&output);
        report.as_object_mut().unwrap().remove("data_notes");
        report
    };
    let from_file = backtest(text(&file), &[]);
    assert_eq!(from_file["candles"], 599);
    assert_eq!(backtest("catalogue:binance:BTC/USDT@1m", &[]), from_file);
    let span = ["--from", "2024-11-01", "--to", "2024-11-01T01:00:00Z"];
    let part = backtest("catalogue:binance:BTC/USDT@1m", &span);
    assert_eq!(part["candles"], 60);
    assert_eq!(backtest(text(&file), &span), part);

    let out = dir.path().join("BTC_USDT-1m-out.csv");
    let export = [
        "data",
        "export",
        "binance:BTC/USDT@1m",
        "--output",
        text(&out),
    ];
    expect(&tradewind(dir.path(), &export), 0);
    let exported = fs::read_to_string(&out).unwrap();
    assert_eq!(
        exported.lines().nth(1),
        Some("2024-10-31T23:00:00Z,100.5,101.5,100,100.000000000001,1.5")
    );
    let again = json(&tradewind(
        dir.path(),
        &["--json", "data", "import", text(&out), "--venue", "binance"],
    ));
    assert_eq!(
        (
            again["items"][0]["known"].as_u64(),
            again["items"][0]["added"].as_u64()
        ),
        (Some(599), Some(0))
    );
    let parquet = dir.path().join("out.parquet");
    expect(
        &tradewind(
            dir.path(),
            &[
                "data",
                "export",
                "binance:BTC/USDT@1m",
                "--format",
                "parquet",
                "--output",
                text(&parquet),
            ],
        ),
        0,
    );
    assert!(fs::read(&parquet).unwrap().ends_with(b"PAR1"));
    let none = tradewind(
        dir.path(),
        &[
            "data",
            "export",
            "binance:ETH/USDT@1m",
            "--output",
            text(&out),
        ],
    );
    expect(&none, 1);
    assert_eq!(fs::read_to_string(&out).unwrap(), exported);
}

/// What the catalogue gives out it takes back, with and without volumes, sizes, ids and takers.
#[test]
fn what_is_exported_is_imported_again() {
    let dir = TempDir::new().unwrap();
    for (name, series, content) in [
        (
            "BTC_USDT-1m.csv",
            "file:BTC/USDT@1m",
            "time,open,high,low,close\n1727740800,1,3,1,2\n1727740860,1,3,1,2\n",
        ),
        (
            "ETH_USDT-1m.csv",
            "file:ETH/USDT@1m",
            "time,open,high,low,close,volume\n1727740800,1,3,1,2,5\n1727740860,1,3,1,2,6\n",
        ),
        (
            "BTC_USDT.csv",
            "file:BTC/USDT@quotes",
            "time,bid,ask\n1727740800,100,101\n1727740860,101,102\n",
        ),
        (
            "ETH_USDT.csv",
            "file:ETH/USDT@quotes",
            "time,bid,ask,bid_size,ask_size\n1727740800,100,101,2,0\n1727740860,101,102,3,4\n",
        ),
        (
            "SOL_USDT.csv",
            "file:SOL/USDT@trades",
            "time,price,quantity\n1727740800,100,1\n1727740800,101,1\n",
        ),
    ] {
        let file = written(&dir, name, content);
        expect(&tradewind(dir.path(), &["data", "import", text(&file)]), 0);
        let out = dir.path().join(format!("out-{name}"));
        let export = ["data", "export", series, "--output", text(&out)];
        expect(&tradewind(dir.path(), &export), 0);
        let back = dir.path().join(name);
        fs::rename(&out, &back).unwrap();
        let again = tradewind(dir.path(), &["--json", "data", "import", text(&back)]);
        expect(&again, 0);
        let told = &json(&again)["items"][0];
        assert_eq!(
            (told["known"].as_u64(), told["added"].as_u64()),
            (Some(2), Some(0)),
            "{told}"
        );
    }
}
