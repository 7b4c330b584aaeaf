//! A model from its configuration to a backtest: trained in Python without any library, kept as versions, traded by rules.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::{expect, json, stderr, stdout, tradewind_with};

const SCRIPT: &str = r#"
class Threshold:
    def __init__(self, at):
        self.at = at

    def predict_proba(self, rows):
        return [[0.1, 0.9] if row[0] < self.at else [0.9, 0.1] for row in rows]

def train(features, labels, params):
    low = [value for value, label in zip(features["r"], labels) if label > 0.5]
    return Threshold(sum(low) / len(low) + params["more"]), {"rises": len(low), "rows": len(labels)}
"#;

const MODEL: &str = r#"
[models.swing]
features = { r = "rsi(14)", up = "(close > sma(5))@1h" }
label = "change(close, -12) > 0.5%"
script = "train.py"
timeframe = "5m"
data = ["BTC_USDT-5m.csv"]
to = "2024-01-05"
params = { more = 5 }
"#;

const BOT: &str = r#"
[[bots]]
id = "swing"
strategy = "model:swing"
account = "paper"
instruments = ["BTC/USDT"]
budget = 500
enter = "p > 0.6"
exit = "p < 0.2 and position.profit > 1%"
stop = "4%"
"#;

/// Runs the built binary where `python3` is found.
fn tradewind(dir: &Path, arguments: &[&str]) -> Output {
    let path = ("PATH", "/usr/local/bin:/usr/bin:/bin");
    tradewind_with(dir, arguments, &[path])
}

/// Closes that swing once in four hours around 30,000.
fn candles(folder: &Path, count: u32) {
    let mut text = "time,open,high,low,close,volume\n".to_owned();
    let mut before = 30_000.0;
    for index in 0..count {
        let close = 30_000.0 + 600.0 * (f64::from(index) / 48.0 * std::f64::consts::TAU).sin();
        let (high, low) = (f64::max(before, close) + 5.0, f64::min(before, close) - 5.0);
        let at = 1_704_067_200 + u64::from(index) * 300;
        writeln!(text, "{at},{before:.2},{high:.2},{low:.2},{close:.2},10").unwrap();
        before = close;
    }
    fs::write(folder.join("BTC_USDT-5m.csv"), text).unwrap();
}

/// A desk of a new strategy with the model, and the bot in place of its own.
fn prepare(dir: &Path) {
    expect(&tradewind(dir, &["new", "strategy", "swing", "--rules"]), 0);
    let text = fs::read_to_string(dir.join("swing/tradewind.toml")).unwrap();
    let desk = text.split_once("[[bots]]").unwrap().0;
    fs::write(dir.join("tradewind.toml"), format!("{desk}{MODEL}{BOT}")).unwrap();
    fs::write(dir.join("train.py"), SCRIPT).unwrap();
    candles(dir, 2_000);
}

#[test]
fn a_model_is_trained_kept_and_traded() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    prepare(dir);
    let config = ["--config", "tradewind.toml"];
    let missing = tradewind(dir, &[&["config", "check"][..], &config].concat());
    expect(&missing, 4);
    assert!(
        stderr(&missing).contains("run tradewind train swing"),
        "{}",
        stderr(&missing)
    );
    let trained = tradewind(dir, &[&["train"][..], &config].concat());
    expect(&trained, 0);
    let said = stdout(&trained);
    assert!(said.contains("swing: version 1 of"), "{said}");
    let text = fs::read_to_string(dir.join("models/swing/1/model.json")).unwrap();
    let facts: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(facts["until"], "2024-01-05T00:00:00Z");
    assert_eq!(facts["features"]["r"], "rsi(14)");
    // Four days less what warms up and the twelve candles that a label lacks.
    let rows = facts["rows"].as_u64().unwrap();
    assert!((900..4 * 288 - 12).contains(&rows), "{rows}");
    assert_eq!(facts["metrics"]["rows"], rows);
    let csv = fs::read_to_string(dir.join("models/swing/1/rows.csv")).unwrap();
    let last = csv.lines().last().unwrap();
    let last: i64 = last.split(',').nth(1).unwrap().parse().unwrap();
    // 2024-01-05 less an hour: the label of this row is of the last close.
    assert_eq!(last, (1_704_412_800 - 3_600) * 1_000_000_000);
    let backtest = [
        &[
            "--json",
            "backtest",
            "--bot",
            "swing",
            "--data",
            "BTC_USDT-5m.csv",
        ][..],
        &config,
    ]
    .concat();
    let first = tradewind(dir, &backtest);
    expect(&first, 0);
    let report = json(&first);
    assert!(
        report["positions_closed"].as_u64().unwrap() >= 3,
        "{report:#}"
    );
    let fill = report["newest_fills"][0]["reason"].as_str().unwrap();
    assert!(fill.starts_with("p > 0.6 (p 0.9"), "{fill}");
    expect(
        &tradewind(dir, &[&["train", "swing"][..], &config].concat()),
        0,
    );
    assert!(dir.join("models/swing/2/model.pkl").is_file());
    let pinned = fs::read_to_string(dir.join("tradewind.toml")).unwrap();
    let pinned = pinned.replace("model:swing\"", "model:swing@3\"");
    fs::write(dir.join("tradewind.toml"), pinned).unwrap();
    let refused = tradewind(dir, &[&["config", "check"][..], &config].concat());
    expect(&refused, 4);
    assert!(
        stderr(&refused).contains("its versions are 1, 2"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn what_keeps_a_model_from_being_trained_is_said_and_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path();
    prepare(dir);
    let config = ["--config", "tradewind.toml"];
    let whole = fs::read_to_string(dir.join("tradewind.toml")).unwrap();
    let check = |from: &str, to: &str, code: i32, wanted: &str| {
        assert!(whole.contains(from), "{from}");
        fs::write(dir.join("tradewind.toml"), whole.replacen(from, to, 1)).unwrap();
        let output = tradewind(dir, &[&["train", "swing"][..], &config].concat());
        expect(&output, code);
        assert!(
            stderr(&output).contains(wanted),
            "{to}: {}",
            stderr(&output)
        );
    };
    check("rsi(14)", "rsy(14)", 4, "no function \"rsy\"");
    check("r = \"rsi(14)\"", "r = \"bid\"", 4, "no past candle has");
    check("change(close, -12)", "change(close, 12)", 4, "is no label");
    check(
        "to = \"2024-01-05\"",
        "to = \"2024-01-01T01:00:00Z\"",
        1,
        "take more data",
    );
    check("script = \"train.py\"", "script = \"no.py\"", 1, "no.py");
    fs::write(
        dir.join("train.py"),
        "def train(features, labels, params):\n    raise ValueError('no')\n",
    )
    .unwrap();
    check("params", "params", 1, "ValueError: no (line 2)");
    let kept = fs::read_dir(dir.join("models/swing")).unwrap().count();
    assert_eq!(kept, 0, "no version is left");
    let unknown = tradewind(dir, &[&["train", "other"][..], &config].concat());
    expect(&unknown, 1);
    assert!(
        stderr(&unknown).contains("there are swing"),
        "{}",
        stderr(&unknown)
    );
}
