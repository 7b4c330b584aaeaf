//! Strategies to begin with: what is written works as it is.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{expect, json, stderr, stdout, tradewind, written};

#[test]
fn a_new_strategy_in_python_passes_its_own_test() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let output = tradewind(dir, &["new", "strategy", "two_means", "--python"]);
    expect(&output, 0);
    assert!(
        stdout(&output).starts_with("wrote two_means/two_means.py\n"),
        "{}",
        stdout(&output)
    );
    let test = Command::new("python3")
        .arg("two_means/test_two_means.py")
        .current_dir(dir)
        .env("TRADEWIND", env!("CARGO_BIN_EXE_tradewind"))
        .output()
        .unwrap();
    assert!(test.status.success(), "{}", stderr(&test));
    // The name of a folder that is there is not taken.
    let again = tradewind(dir, &["new", "strategy", "two_means", "--python"]);
    expect(&again, 1);
    assert!(stderr(&again).contains("an existing one is not written into"));
    let bad = tradewind(dir, &["new", "strategy", "../x", "--python"]);
    expect(&bad, 1);
    assert!(
        stderr(&bad).contains("use small letters"),
        "{}",
        stderr(&bad)
    );
    expect(&tradewind(dir, &["new", "strategy", "none"]), 2);
    for taken in ["buy", "none", "random"] {
        let output = tradewind(dir, &["new", "strategy", taken, "--python"]);
        expect(&output, 1);
        assert!(stderr(&output).contains("choose another, such as my_"));
    }
}

#[test]
fn a_new_strategy_in_rust_needs_the_source_and_names_itself() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    let without = tradewind(dir, &["new", "strategy", "mine", "--rust"]);
    expect(&without, 1);
    assert!(
        stderr(&without).contains("write --repository DIR"),
        "{}",
        stderr(&without)
    );
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let repository = repository.to_str().unwrap();
    let arguments = [
        "new",
        "strategy",
        "mine",
        "--rust",
        "--repository",
        repository,
    ];
    expect(&tradewind(dir, &arguments), 0);
    let source = fs::read_to_string(dir.join("mine/src/main.rs")).unwrap();
    assert!(
        source.contains("name: \"mine\"") && !source.contains("close_above_open"),
        "{source}"
    );
    assert!(
        fs::read_to_string(dir.join("mine/Cargo.toml"))
            .unwrap()
            .contains("name = \"mine\"")
    );
}

const ROWS: &str = "from tradewind import Param, Strategy, ta\n\nclass Rows(Strategy):\n    warm_up = 20\n    n = Param(10, min=2, max=20)\n\n    \
    def indicators(self, df, ctx):\n        df['mean'] = ta.sma(df['close'], self.n)\n        df['ahead'] = list(df['close'][1:]) + [0.0]\n        return df\n\n    \
    def signals(self, df, ctx):\n        up = [c > m for c, m in zip(df['close'], df['mean'])]\n        \
    return {'enter': up, 'exit': [c < m for c, m in zip(df['close'], df['mean'])], 'enter_tag': 'up'}\n";

#[test]
fn a_backtest_of_a_file_says_what_is_wrong_with_it() {
    let dir = TempDir::new().unwrap();
    let mut candles = "time,open,high,low,close,volume\n".to_owned();
    for index in 0..400_i64 {
        let close = 30_000 + (index % 40 - 20).abs() * 20;
        let time = 1_704_067_200 + index * 300;
        candles += &format!("{time},{close},{},{},{close},10\n", close + 5, close - 5);
    }
    written(&dir, "BTC_USDT-5m.csv", &candles);
    written(&dir, "rows.py", ROWS);
    let python = String::from_utf8(
        Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output()
            .unwrap()
            .stdout,
    )
    .unwrap();
    let run = |strategy: &str, more: &[&str]| {
        let arguments = [
            "--json",
            "backtest",
            "--data",
            "BTC_USDT-5m.csv",
            "--strategy",
            strategy,
            "--python",
            python.trim(),
        ];
        tradewind(dir.path(), &[&arguments, more].concat())
    };
    let output = run("python:rows.py", &[]);
    expect(&output, 0);
    assert!(json(&output)["positions_closed"].as_u64().unwrap() > 3);
    let said = stderr(&output);
    assert!(
        said.contains("warning: simx:BTC/USDT: look-ahead: column ahead at 2024-01-01T"),
        "{said}"
    );
    let fails = |output: &std::process::Output, wanted: &str| {
        expect(output, 1);
        assert!(stderr(output).contains(wanted), "{}", stderr(output));
    };
    fails(
        &run("python:rows.py", &["--param", "n=50"]),
        "--param n: 50 is refused; write a number from 2 up to 20",
    );
    fails(
        &run("python:rows.py:Row", &[]),
        "has no strategy 'Row'; its strategies are: Rows",
    );
    written(&dir, "bad.py", &ROWS.replace("up = [", "up = 1 / 0 or ["));
    fails(
        &run("python:bad.py", &[]),
        "its process raised ZeroDivisionError: division by zero (line 13, in signals)",
    );
    // Over trades alone the engine builds candles, and a process is handed none.
    let header = "timestamp_ms,trade_id,price,quantity,buyer_maker\n";
    let trade = |index: i64| {
        let millis = (1_704_067_200 + index) * 1_000;
        format!("{millis},{index},30000.0,1,True\n")
    };
    let trades: String = (1..900).map(trade).collect();
    written(&dir, "btcusdt-trades.csv", &(header.to_owned() + &trades));
    let arguments = [
        "backtest",
        "--data",
        "btcusdt-trades.csv",
        "--strategy",
        "python:rows.py",
    ];
    let python = ["--python", python.trim()];
    fails(
        &tradewind(dir.path(), &[&arguments[..], &python].concat()),
        "is handed all candles before the run, and this data has none",
    );
}

#[test]
fn new_rules_are_in_order_and_say_what_is_wrong_with_them() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    expect(
        &tradewind(dir, &["new", "strategy", "breakout", "--rules"]),
        0,
    );
    let check = ["config", "check", "--config", "breakout/tradewind.toml"];
    let output = tradewind(dir, &check);
    expect(&output, 0);
    assert!(stdout(&output).contains("bots 1"), "{}", stdout(&output));
    let file = dir.join("breakout/tradewind.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("id = \"breakout\""), "{text}");
    fs::write(&file, text.replace("highest(high, 20)", "higest(high, 20)")).unwrap();
    let output = tradewind(dir, &check);
    expect(&output, 4);
    let said = stderr(&output);
    assert!(said.contains("did you mean highest?"), "{said}");
}
