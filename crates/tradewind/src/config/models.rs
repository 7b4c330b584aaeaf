//! `[models.NAME]`: what `tradewind train` makes a model of; and bots of the strategy `model:NAME`, whose rules decide on its prediction.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tradewind_events::{StrategyProcess, WakeRule};
use tradewind_model::{Interval, Parameter, Timestamp};
use tradewind_process::{FEATURE, MODEL, PREDICTION, timeframes};
use tradewind_rules::{Features, NAME, WakeText};
use tradewind_strategy::ReadUse;

use super::error::{Errors, Problem};
use super::section::Section;
use super::strategies::StrategySettings;
use super::structure::join;
use super::tree::{Node, Origin, Table, Value};
use super::user_strategies::options;
use super::values::{self, Read};
use super::{rules, show};
use crate::models::{self, ModelReference};
use crate::user_strategy::INTERPRETER;

/// The name of the prediction in a bot's rules.
const P: &str = "p";

/// A model as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSettings {
    /// Its name.
    pub name: String,
    /// Rule expressions by name.
    pub features: BTreeMap<String, String>,
    /// What it is to predict; the script's function `labels` if it is absent.
    pub label: Option<Label>,
    /// The script with `train`.
    pub script: PathBuf,
    /// The length of its candles.
    pub timeframe: Interval,
    /// What it is trained on, as `BASE/QUOTE` or with the venue before it.
    pub instruments: Vec<String>,
    /// Files or series of the catalogue; those of the instruments in the catalogue if there are none.
    pub data: Vec<PathBuf>,
    /// The first moment of the data.
    pub from: Option<Timestamp>,
    /// The first moment that is not part of it.
    pub to: Option<Timestamp>,
    /// What `train` is given as its parameters.
    pub params: serde_json::Value,
    /// The interpreter.
    pub python: String,
    /// The folder of its versions.
    pub folder: PathBuf,
}

/// `change(X, -12)`, perhaps compared: how much X changes over the next 12 candles.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// As it is written.
    pub text: String,
    /// What changes, a rule expression.
    pub of: String,
    /// Over how many candles.
    pub ahead: usize,
    /// Whether the label is 1 where the change is above this, 0 elsewhere.
    pub above: Option<f64>,
}

impl Label {
    /// Reads one.
    fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("change(")?;
        let mut depth = 1_usize;
        let mut comma = None;
        let mut end = None;
        for (place, letter) in rest.char_indices() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 1 => comma = Some(place),
                _ => {}
            }
            if depth == 0 {
                end = Some(place);
                break;
            }
        }
        let (comma, end) = (comma?, end?);
        let (of, ahead) = (rest.get(..comma)?, rest.get(comma + 1..end)?);
        let ahead: usize = ahead.trim().strip_prefix('-')?.trim().parse().ok()?;
        let behind = rest.get(end + 1..)?.trim();
        let above = match behind.strip_prefix('>') {
            None if behind.is_empty() => None,
            None => return None,
            Some(number) => Some(share(number.trim())?),
        };
        (ahead > 0 && ahead <= 100_000).then(|| Self {
            text: text.to_owned(),
            of: of.trim().to_owned(),
            ahead,
            above,
        })
    }
}

/// `0.5%` or `0.005`.
fn share(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%').unwrap_or(text);
    let value: f64 = number.parse().ok()?;
    let value = if number.len() < text.len() {
        value / 100.0
    } else {
        value
    };
    value.is_finite().then_some(value)
}

/// Reads all models.
pub(super) fn read(root: &Table, folder: &Path, errors: &Errors) -> Vec<ModelSettings> {
    let Some(Value::Table(tables)) = root.get("models").map(|node| &node.value) else {
        return Vec::new();
    };
    let each = tables.iter().filter_map(|(name, node)| {
        let path = format!("models.{name}");
        if !values::is_name(name) {
            let problem = Problem::new(
                format!("{name:?} cannot be a name"),
                "use lower-case letters, digits, - and _, a letter first, 40 at most",
            );
            errors.push(path.as_str(), Some(node.origin.clone()), problem);
            return None;
        }
        read_model(name, Section::new(&path, Some(node), errors), folder)
    });
    each.collect()
}

fn read_model(name: &str, section: Section<'_>, folder: &Path) -> Option<ModelSettings> {
    let features = section.entries("features", |name, node| {
        rules::is_name(name)?;
        values::text(node)
    });
    let timeframe = section.get("timeframe", values::interval);
    let label = optional(section, "label", |node| {
        const CURE: &str = "write \"change(close, -12)\" or \"change(close, -12) > 0.5%\", or leave it out and write labels in the script";
        let text = values::text(node)?;
        Label::parse(&text).ok_or_else(|| Problem::new(format!("{text:?} is no label"), CURE))
    });
    let script = section.get("script", values::text);
    let instruments = section.items("instruments", values::text);
    let data = section.items("data", values::text);
    let from = optional(section, "from", moment);
    let to = optional(section, "to", moment);
    let python = optional(section, "python", values::text);
    let params = section.node("params").map(|node| &node.value);
    let params = match params {
        Some(Value::Table(table)) => show::json(table),
        _ => serde_json::json!({}),
    };
    let (features, timeframe) = (features?, timeframe?);
    let features: BTreeMap<String, String> = features.into_iter().collect();
    if let Err(mistakes) = Features::compile(&features, timeframe) {
        for mistake in mistakes {
            let key = mistake.place.clone();
            section.complain(&key, Problem::new(mistake.what(), mistake.cure));
        }
        return None;
    }
    let label = label?;
    if let Some(label) = &label {
        let of = BTreeMap::from([("label".to_owned(), label.of.clone())]);
        if let Err(mistakes) = Features::compile(&of, timeframe) {
            for mistake in mistakes {
                section.complain("label", Problem::new(mistake.what(), mistake.cure));
            }
            return None;
        }
    }
    let (instruments, data) = (instruments?, data?);
    if instruments.is_empty() && data.is_empty() {
        let cure =
            "write instruments = [\"BTC/USDT\"] of the catalogue, or data = [\"BTC_USDT-1h.csv\"]";
        section.complain("instruments", Problem::new("nothing to train on", cure));
        return None;
    }
    let is_series = |name: &String| name.starts_with("catalogue:");
    let path = |name: String| {
        if is_series(&name) {
            name.into()
        } else {
            folder.join(name)
        }
    };
    let interpreter = python?.map(|text| match text.contains('/') {
        true => folder.join(text).display().to_string(),
        false => text,
    });
    Some(ModelSettings {
        name: name.to_owned(),
        features,
        label,
        script: folder.join(script?),
        timeframe,
        instruments,
        data: data.into_iter().map(path).collect(),
        from: from?,
        to: to?,
        params,
        python: interpreter.unwrap_or_else(|| INTERPRETER.to_owned()),
        folder: models::folder_of(folder, name),
    })
}

/// The value of a key that may be absent.
fn optional<T>(
    section: Section<'_>,
    key: &str,
    read: impl Fn(&Node) -> Read<T>,
) -> Option<Option<T>> {
    match section.node(key) {
        None => Some(None),
        Some(_) => section.get(key, read).map(Some),
    }
}

fn moment(node: &Node) -> Read<Timestamp> {
    let text = values::text(node)?;
    let read = text
        .parse()
        .or_else(|_| format!("{text}T00:00:00Z").parse());
    read.map_err(|_| {
        let cure = "write a date or a time, such as \"2024-10-01\" or \"2024-10-01T12:00:00Z\"";
        Problem::new(format!("{text:?} is no time"), cure)
    })
}

/// Reads the strategy of the bot at `path` whose rules decide on a model's prediction.
pub(super) fn read_bot(
    (path, name): (&str, &str),
    reference: &ModelReference,
    section: Section<'_>,
    folder: &Path,
    errors: &Errors,
) -> Option<StrategySettings> {
    let given = options(section, folder);
    let version = match models::open(folder, reference) {
        Ok(version) => version,
        Err((problem, cure)) => {
            section.complain("strategy", Problem::new(problem, cure));
            return None;
        }
    };
    let base = version.timeframe;
    let intervals = section.items("timeframes", values::interval)?;
    if !intervals.is_empty() && intervals != [base] {
        let what = format!("the model was trained on {base} candles");
        section.complain(
            "timeframes",
            Problem::new(what, format!("write [\"{base}\"], or leave it out")),
        );
    }
    if section.node("wake").is_some() {
        let problem = Problem::new("a model predicts at each close of its candles", "remove it");
        section.complain("wake", problem);
    }
    let whole = with_prediction(section, path, errors)?;
    let of_rules = Section::new(path, Some(&whole), errors);
    let compiled = rules::read(path, of_rules, (Some(base), WakeText::Candles), errors)?;
    if let Some(other) = compiled.others().first() {
        let what = format!("rules over a model read {other}");
        section.complain("rules", Problem::new(what, "leave of() out"));
        return None;
    }
    let mut parameters = compiled.text().to_parameters();
    let built = tradewind_rules::build(NAME, &parameters, 1).ok()?;
    let features = match Features::compile(&version.features, base) {
        Ok(features) => features,
        Err(mistakes) => {
            let first = mistakes.first().map(tradewind_rules::RuleError::what);
            let what = format!("a feature of the model: {}", first.unwrap_or_default());
            let cure = format!("train it again: tradewind train {}", reference.name);
            section.complain("strategy", Problem::new(what, cure));
            return None;
        }
    };
    let all = timeframes(&features, built.as_ref());
    for (feature, text) in &version.features {
        let text = Parameter::Text(text.clone());
        parameters.insert(format!("{FEATURE}{feature}"), text);
    }
    let options = given?;
    let interpreter = match section.node("python") {
        Some(_) => options.interpreter,
        None => version.python,
    };
    Some(StrategySettings {
        name: name.to_owned(),
        version: version.version,
        parameters,
        wakes: all
            .iter()
            .map(|one| WakeRule::Candles(one.interval))
            .collect(),
        reads: ReadUse::default(),
        process: Some(StrategyProcess {
            kind: MODEL.to_owned(),
            file: version.folder.display().to_string(),
            class: format!("{}@{}", reference.name, version.version),
            hash: version.hash,
            interpreter,
            timeframes: all.iter().map(|one| (one.interval, one.candles)).collect(),
            has_signals: false,
            deadline: options.deadline,
            memory_bytes: options.memory_bytes,
            group: options.group,
        }),
        rules: Some(compiled.text().clone()),
    })
}

/// The bot's table, in whose rules `p` stands for the prediction.
fn with_prediction(section: Section<'_>, path: &str, errors: &Errors) -> Option<Node> {
    let node = section.node("rules")?;
    let Value::Table(mut rules) = node.value.clone() else {
        return None;
    };
    let origin = Origin::Default;
    let lets = rules.entry("let".to_owned()).or_insert_with(|| Node {
        value: Value::Table(Table::new()),
        origin: origin.clone(),
    });
    if let Value::Table(lets) = &mut lets.value {
        if let Some(taken) = lets.get(P) {
            let problem = Problem::new("p is the model's prediction", "choose another name");
            errors.push(join(path, "let.p"), Some(taken.origin.clone()), problem);
            return None;
        }
        let text = format!("series(\"{}\")", PREDICTION.replace(':', "."));
        let value = Value::Text(text);
        lets.insert(
            P.to_owned(),
            Node {
                value,
                origin: origin.clone(),
            },
        );
    }
    let rules = Node {
        value: Value::Table(rules),
        origin: node.origin.clone(),
    };
    Some(Node {
        value: Value::Table(Table::from([("rules".to_owned(), rules)])),
        origin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_change_over_candles_to_come() {
        let check = |text: &str, wanted: Option<(&str, usize, Option<f64>)>| {
            let read = Label::parse(text);
            let read = read
                .as_ref()
                .map(|read| (read.of.as_str(), read.ahead, read.above));
            assert_eq!(read, wanted, "{text}");
        };
        check("change(close, -12)", Some(("close", 12, None)));
        check(
            "change(sma(close, 5), -3) > 0.5%",
            Some(("sma(close, 5)", 3, Some(0.005))),
        );
        check("change(close,-1)>0", Some(("close", 1, Some(0.0))));
        check("change(close, 12)", None);
        check("change(close, -0)", None);
        check("change(close)", None);
        check("change(close, -12) < 1%", None);
        check("close", None);
    }
}
