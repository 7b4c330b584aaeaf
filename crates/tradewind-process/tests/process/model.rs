//! A model that was trained in a process of its own, and rules that decide on its predictions.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tradewind_events::{BotConfig, StrategyProcess};
use tradewind_model::{Candle, CarriedOut, Decision, Interval, Parameter, PositionState, Ppm};
use tradewind_process::{
    FEATURE, MODEL, ModelStrategy, Processes, Wanted, declare, training_command,
};
use tradewind_rules::{ClauseText, RuleText};
use tradewind_strategy::{Strategy as _, StrategyError, View};
use tradewind_testkit::{bot, candle};

use crate::world::shown;

/// Learns the mean of the feature, and predicts 1 below it.
const THRESHOLD: &str = r#"
class Threshold:
    def __init__(self, at):
        self.at = at

    def predict(self, rows):
        return [1.0 if row[0] < self.at else 0.0 for row in rows]

def train(features, labels, params):
    column = features["price"]
    at = sum(column) / len(column) + params["more"]
    return Threshold(at), {"at": at, "labels": sum(labels)}
"#;

/// Has a script train on two rows whose feature is 8 and 12. Returns its result.
fn train(folder: &Path, source: &str) -> Value {
    let text = "instrument,time,open,high,low,close,volume,feature:price,label\nx,1,1,1,1,1,1,8,1\nx,2,1,1,1,1,1,12,0\n";
    train_on(folder, source, text)
}

/// The same on the rows of a table, which has the labels unless the script makes them.
fn train_on(folder: &Path, source: &str, text: &str) -> Value {
    let script = folder.join("train.py");
    fs::write(&script, source).unwrap();
    let rows = folder.join("rows.csv");
    fs::write(&rows, text).unwrap();
    let job = json!({
        "script": script, "rows": rows, "features": ["price"], "has_label": text.contains("label"), "params": { "more": 0 },
        "out": folder,
    });
    let file = folder.join("job.json");
    fs::write(&file, job.to_string()).unwrap();
    training_command("python3", &file)
        .unwrap()
        .output()
        .unwrap();
    let text = fs::read_to_string(folder.join("result.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A bot that enters where the model predicts more than a half.
fn bot_of(folder: &Path, deadline: Duration) -> BotConfig {
    bot_with(folder, deadline, "p > 0.5")
}

/// A bot that enters by a rule of `p`.
fn bot_with(folder: &Path, deadline: Duration, enter: &str) -> BotConfig {
    let wanted = Wanted {
        kind: MODEL.to_owned(),
        path: folder.display().to_string(),
        interpreter: "python3".to_owned(),
        memory_bytes: 1 << 30,
        features: vec!["price".to_owned()],
        ..Wanted::default()
    };
    let declared = declare(&wanted).unwrap().declaration;
    let rules = RuleText {
        timeframe: Some(Interval::Minute1),
        lets: [("p".to_owned(), "series(\"model.prediction\")".to_owned())].into(),
        enter: vec![ClauseText {
            tag: Some("cheap".to_owned()),
            when: enter.to_owned(),
        }],
        stop: Some("2%".to_owned()),
        ..RuleText::default()
    };
    let mut parameters = rules.to_parameters();
    let close = Parameter::Text("close".to_owned());
    parameters.insert(format!("{FEATURE}price"), close);
    BotConfig {
        parameters,
        process: Some(Box::new(StrategyProcess {
            kind: MODEL.to_owned(),
            file: wanted.path,
            class: "m@1".to_owned(),
            hash: declared.hash,
            interpreter: wanted.interpreter,
            timeframes: vec![(Interval::Minute1, 0)],
            deadline,
            memory_bytes: 1 << 30,
            ..StrategyProcess::default()
        })),
        ..bot(0)
    }
}

/// What is decided at a close, in counts of a cent, without a position.
fn decide(strategy: &mut ModelStrategy, place: i64, close: i64) -> Result<Decision, StrategyError> {
    let closed = candle(place, close);
    let shown = shown(&closed, PositionState::default(), CarriedOut::All);
    let view = View {
        exposure: Ppm::ZERO,
        ..shown
    };
    strategy.on_candle(&view, &closed)
}

fn is_entry(decision: &Decision) -> bool {
    matches!(decision, Decision::Target(target) if target.exposure > Ppm::ZERO)
}

#[test]
fn rules_decide_on_what_a_trained_model_predicts() {
    let folder = TempDir::new().unwrap();
    let result = train(folder.path(), THRESHOLD);
    assert_eq!(result["metrics"], json!({ "at": 10.0, "labels": 1.0 }));
    let bot = bot_of(folder.path(), Duration::from_secs(5));
    let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
    assert!(!is_entry(&decide(&mut strategy, 0, 1_100).unwrap()));
    let entry = decide(&mut strategy, 1, 900).unwrap();
    assert!(is_entry(&entry), "{entry:?}");
    let Decision::Target(target) = entry else {
        panic!("no target");
    };
    assert_eq!(target.reason.to_string(), "cheap: p > 0.5 (p 1)");
    assert!(!is_entry(&decide(&mut strategy, 2, 1_001).unwrap()));
}

/// As [`THRESHOLD`], but never done where the price is 9.
fn slow_at_nine() -> String {
    THRESHOLD.to_owned()
        + r#"
def predict(model, features):
    while features["price"] == 9.0:
        pass
    return model.predict([[features["price"]]])[0]
"#
}

#[test]
fn a_prediction_that_is_late_decides_nothing_and_the_next_one_does() {
    let folder = TempDir::new().unwrap();
    train(folder.path(), &slow_at_nine());
    let processes = Processes::default();
    // The second would enter without the prediction.
    for enter in ["p > 0.5", "p > 0.5 or close > 8.5"] {
        let bot = bot_with(folder.path(), Duration::from_secs(1), enter);
        let mut strategy = ModelStrategy::new(&bot, &processes).unwrap();
        let late = decide(&mut strategy, 0, 900).unwrap();
        assert!(matches!(late, Decision::Hold { .. }), "{late:?}");
        assert!(is_entry(&decide(&mut strategy, 1, 800).unwrap()));
    }
    let bot = bot_with(folder.path(), Duration::from_secs(1), "p > 0.5");
    let mut strategy = ModelStrategy::new(&bot, &processes).unwrap();
    let closed = candle(0, 900);
    let held = shown(&closed, PositionState::default(), CarriedOut::All);
    let late = strategy.on_candle(&held, &closed).unwrap();
    assert!(
        matches!(late, Decision::Wait { .. }),
        "with a position: {late:?}"
    );
}

#[test]
fn the_third_late_prediction_in_a_row_is_a_fault() {
    let folder = TempDir::new().unwrap();
    train(folder.path(), &slow_at_nine());
    let bot = bot_of(folder.path(), Duration::from_millis(300));
    let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
    for (place, close) in [(0, 900), (1, 900), (2, 800), (3, 900), (4, 900)] {
        assert!(decide(&mut strategy, place, close).is_ok(), "{place}");
    }
    assert!(decide(&mut strategy, 5, 900).is_err());
}

#[test]
fn rules_on_longer_candles_decide_on_the_same_prediction_whichever_comes_first() {
    let folder = TempDir::new().unwrap();
    train(folder.path(), THRESHOLD);
    let enter = "p > 0.5 and (close > 8)@5m";
    let bot = bot_with(folder.path(), Duration::from_secs(5), enter);
    let long = |place: i64, close: i64| Candle {
        interval: Interval::Minute5,
        ..candle(place, close)
    };
    let run = |is_base_first: bool| {
        let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
        let mut decided = Vec::new();
        for place in 0..15 {
            // It predicts 1 below 10, at the close of the second long candle and at no other.
            let base = candle(place, if place == 9 { 900 } else { 1_100 });
            let mut closing = vec![base];
            if place % 5 == 4 {
                closing.push(long(place - 4, base.close.0));
            }
            if !is_base_first {
                closing.reverse();
            }
            for closed in closing {
                let shown = shown(&closed, PositionState::default(), CarriedOut::All);
                let view = View {
                    exposure: Ppm::ZERO,
                    ..shown
                };
                let decision = strategy.on_candle(&view, &closed).unwrap();
                if is_entry(&decision) {
                    decided.push(place);
                }
            }
        }
        decided
    };
    assert_eq!(run(true), [9]);
    assert_eq!(run(false), [9]);
}

#[test]
fn what_the_rules_know_is_kept_over_a_restart() {
    let folder = TempDir::new().unwrap();
    train(folder.path(), THRESHOLD);
    let enter = "cross_above(p, 0.5)";
    let bot = bot_with(folder.path(), Duration::from_secs(5), enter);
    let processes = Processes::default();
    let mut before = ModelStrategy::new(&bot, &processes).unwrap();
    let closed = candle(0, 1_100);
    let fed = shown(&closed, PositionState::default(), CarriedOut::Nothing);
    before.on_candle(&fed, &closed).unwrap();
    assert_eq!(before.take_state(), None, "candles of the past come again");
    assert!(!is_entry(&decide(&mut before, 1, 1_100).unwrap()));
    let state = before.take_state().unwrap();
    let mut after = ModelStrategy::new(&bot, &processes).unwrap();
    after.restore(&state).unwrap();
    assert!(is_entry(&decide(&mut after, 2, 900).unwrap()));
    let mut without = ModelStrategy::new(&bot, &processes).unwrap();
    assert!(!is_entry(&decide(&mut without, 2, 900).unwrap()));
}

#[test]
fn nothing_of_a_changed_version_is_run() {
    for file in ["train.py", "model.pkl"] {
        let folder = TempDir::new().unwrap();
        train(folder.path(), THRESHOLD);
        let bot = bot_of(folder.path(), Duration::from_secs(5));
        let mark = folder.path().join("was_run");
        let run = format!("open({:?}, 'w').close()", mark.display().to_string());
        let text = match file {
            "train.py" => format!("{THRESHOLD}\n{run}\n"),
            // A pickle of protocol 0 that calls exec.
            _ => format!("cbuiltins\nexec\n(V{run}\ntR."),
        };
        fs::write(folder.path().join(file), text).unwrap();
        let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
        let error = strategy.load().unwrap_err().to_string();
        assert!(
            error.contains("has changed since it was trained"),
            "{error}"
        );
        assert!(!mark.exists(), "{file} was run");
    }
}

#[test]
fn a_model_of_one_class_is_no_certainty() {
    let folder = TempDir::new().unwrap();
    let source = "class One:\n    def predict_proba(self, rows):\n        return [[1.0] for row in rows]\n\n\
         def train(features, labels, params):\n    return One()\n";
    train(folder.path(), source);
    let bot = bot_of(folder.path(), Duration::from_secs(5));
    let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
    let error = decide(&mut strategy, 0, 900).unwrap_err().to_string();
    assert!(error.contains("knows one class alone"), "{error}");
    let knows = source.replace("class One:\n", "class One:\n    classes_ = [0.0]\n");
    let result = train(folder.path(), &knows).to_string();
    assert!(result.contains("knows the class 0.0 alone"), "{result}");
}

#[test]
fn labels_of_a_script_see_one_instrument_at_a_time_with_every_candle() {
    let source = r#"
def labels(features, candles):
    close = candles["close"]
    return [later / now - 1 for now, later in zip(close, close[1:])] + [None]

def train(features, labels, params, candles):
    return 1, {"labels": labels, "price": features["price"], "of": list(zip(candles["instrument"], candles["time"]))}
"#;
    // In the order of time; the feature of y is unknown at 1.
    let rows = "instrument,time,open,high,low,close,volume,feature:price\nx,1,1,1,1,100,1,5\ny,1,1,1,1,10,1,NaN\n\
         x,2,1,1,1,110,1,6\ny,2,1,1,1,20,1,7\nx,3,1,1,1,220,1,8\ny,3,1,1,1,30,1,9\n";
    let folder = TempDir::new().unwrap();
    let result = train_on(folder.path(), source, rows);
    let metrics = &result["metrics"];
    let labels: Vec<f64> = metrics["labels"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_f64)
        .map(|label| (label * 1_000.0).round())
        .collect();
    assert_eq!(labels, [100.0, 1_000.0, 500.0], "{result}");
    assert_eq!(metrics["of"], json!([["x", 1], ["x", 2], ["y", 2]]));
    assert_eq!(metrics["price"], json!([5.0, 6.0, 7.0]));
}

#[test]
fn an_exception_is_a_fault_that_names_its_line() {
    let folder = TempDir::new().unwrap();
    let source =
        THRESHOLD.to_owned() + "\ndef predict(model, features):\n    return features['no']\n";
    train(folder.path(), &source);
    let bot = bot_of(folder.path(), Duration::from_secs(5));
    let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
    let error = decide(&mut strategy, 0, 900).unwrap_err().to_string();
    assert!(
        error.contains("KeyError: 'no'") && error.contains("line 15"),
        "{error}"
    );
}

#[test]
fn what_is_wrong_with_a_script_is_said_with_its_cure() {
    let check = |source: &str, wanted: &[&str]| {
        let folder = TempDir::new().unwrap();
        let result = train(folder.path(), source).to_string();
        assert!(
            wanted.iter().all(|part| result.contains(part)),
            "{source}: {result}"
        );
    };
    check("", &["no function train", "write def train"]);
    check(
        "def train(f, l, p):\n    return None",
        &["returned no model"],
    );
    check(
        "def train(f, l, p):\n    1 / 0",
        &["ZeroDivisionError", "line 2", "correct the script"],
    );
    check(
        "def train(f, l, p):\n    return lambda: 1",
        &["cannot be pickled", "class at the top"],
    );
    check(
        "def train(f, l, p):\n    return 1, {'x': {1}}",
        &["metrics are no JSON"],
    );
    check(
        "def train(f, l, p):\n    raise SystemExit(0)",
        &["train raised SystemExit", "line 2"],
    );
    check(
        "import nothing_of_that_name",
        &["ModuleNotFoundError", "install it for"],
    );
    let folder = TempDir::new().unwrap();
    let rows = "instrument,time,open,high,low,close,volume,feature:price\nx,1,1,1,1,1,1,8\n";
    let source = "def train(f, l, p):\n    return 1\n\ndef labels(f, c):\n    return ['up']";
    let result = train_on(folder.path(), source, rows).to_string();
    assert!(result.contains("labels raised ValueError"), "{result}");
}
