//! A model that was trained in a process of its own, and rules that decide on its predictions.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tradewind_events::{BotConfig, StrategyProcess};
use tradewind_model::{CarriedOut, Decision, Interval, Parameter, PositionState, Ppm};
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
    let script = folder.join("train.py");
    fs::write(&script, source).unwrap();
    let rows = folder.join("rows.csv");
    let text = "instrument,time,open,high,low,close,volume,feature:price,label\nx,1,1,1,1,1,1,8,1\nx,2,1,1,1,1,1,12,0\n";
    fs::write(&rows, text).unwrap();
    let job = json!({
        "script": script, "rows": rows, "features": ["price"], "has_label": true, "params": { "more": 0 }, "out": folder,
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
            when: "p > 0.5".to_owned(),
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

#[test]
fn a_prediction_that_is_late_decides_nothing_and_the_next_one_does() {
    let folder = TempDir::new().unwrap();
    let source = THRESHOLD.to_owned()
        + r#"
def predict(model, features):
    while features["price"] == 9.0:
        pass
    return model.predict([[features["price"]]])[0]
"#;
    train(folder.path(), &source);
    let bot = bot_of(folder.path(), Duration::from_secs(1));
    let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
    let late = decide(&mut strategy, 0, 900).unwrap();
    assert!(matches!(late, Decision::Hold { .. }), "{late:?}");
    assert!(is_entry(&decide(&mut strategy, 1, 800).unwrap()));
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
fn a_model_that_was_trained_again_in_its_place_is_refused() {
    let folder = TempDir::new().unwrap();
    train(folder.path(), THRESHOLD);
    let bot = bot_of(folder.path(), Duration::from_secs(5));
    train(
        folder.path(),
        &THRESHOLD.replace("+ params", "+ 7 + params"),
    );
    let mut strategy = ModelStrategy::new(&bot, &Processes::default()).unwrap();
    let error = strategy.load().unwrap_err().to_string();
    assert!(
        error.contains("has changed since the desk started"),
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
        "import nothing_of_that_name",
        &["ModuleNotFoundError", "install it for"],
    );
}
