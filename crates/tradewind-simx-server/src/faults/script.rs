//! Reads a script: `[[fault]]` tables in TOML, or the same in JSON.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::reader::Reader;

/// Faults one script may hold, and one server at a time.
pub(super) const FAULTS_MAX: usize = 1_000;

/// What is to go wrong, in the order in which it was written.
#[derive(Clone, Debug, Default)]
pub struct FaultScript {
    pub(super) faults: Vec<Fault>,
}

/// Everything that is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultErrors(pub Vec<String>);

impl fmt::Display for FaultErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for FaultErrors {}

impl FaultScript {
    /// Whether nothing goes wrong.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many faults there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.faults.len()
    }
}

impl FromStr for FaultScript {
    type Err = FaultErrors;

    /// Reads TOML, or JSON: `{"fault": […]}` or the list alone.
    ///
    /// # Errors
    /// All that is wrong, each with the fault's number and name; unknown keys with the nearest known one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let document = document(text)?;
        let mut errors = Vec::new();
        let tables = tables(&document, &mut errors);
        if tables.len() > FAULTS_MAX {
            errors.push(format!("more than {FAULTS_MAX} faults"));
        }
        let mut faults = Vec::new();
        for (place, table) in tables.iter().take(FAULTS_MAX).enumerate() {
            let number = place + 1;
            let name = table
                .get("name")
                .and_then(Value::as_str)
                .map(|name| format!(" ({name})"));
            let mut reader =
                Reader::new(table, format!("fault {number}{}", name.unwrap_or_default()));
            faults.extend(Fault::read(&mut reader, number));
            reader.finish(&mut errors);
        }
        if errors.is_empty() {
            Ok(Self { faults })
        } else {
            Err(FaultErrors(errors))
        }
    }
}

fn document(text: &str) -> Result<Value, FaultErrors> {
    let from_json = serde_json::from_str(text);
    if let Ok(document) = from_json {
        return Ok(document);
    }
    let reason = match from_json {
        Err(error) if text.trim_start().starts_with('{') => format!("no JSON: {error}"),
        _ => match toml::from_str(text) {
            Ok(document) => return Ok(document),
            Err(error) => format!("no TOML: {}", error.to_string().trim_end()),
        },
    };
    Err(FaultErrors(vec![reason]))
}

fn tables<'a>(document: &'a Value, errors: &mut Vec<String>) -> Vec<&'a Map<String, Value>> {
    let list = match document {
        Value::Object(root) => {
            for key in root.keys().filter(|key| *key != "fault") {
                errors.push(format!("unknown key {key:?}; faults are [[fault]] tables"));
            }
            root.get("fault")
        }
        other => Some(other),
    };
    let list = match list {
        None => return Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => {
            errors.push("faults are a list: [[fault]]".to_owned());
            return Vec::new();
        }
    };
    let tables: Vec<_> = list.iter().filter_map(Value::as_object).collect();
    if tables.len() < list.len() {
        errors.push("each fault is a table".to_owned());
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn toml_and_json_say_the_same() {
        let toml = "[[fault]]\ndo = \"drop\"\nframe = \"executionReport/TRADE\"\nnth = 2\n";
        let json = r#"{"fault":[{"do":"drop","frame":"executionReport/TRADE","nth":2}]}"#;
        let list = r#"[{"do":"drop","frame":"executionReport/TRADE","nth":2}]"#;
        let shown = |text: &str| format!("{:?}", text.parse::<FaultScript>().unwrap());
        assert_eq!(shown(toml), shown(json));
        assert_eq!(shown(toml), shown(list));
        assert!("".parse::<FaultScript>().unwrap().is_empty());
    }

    #[test]
    fn all_errors_are_told_at_once() {
        let text = r#"
            [[fault]]
            name = "lost"
            do = "drp"
            [[fault]]
            do = "drop"
            symbl = "BTCUSDT"
            nth = 0
            chance = 2
            [[fault]]
            do = "delay"
            [[fault]]
            do = "halt"
            symbol = "BTCUSDT"
            status = "HALTED"
            [[fault]]
            do = "refuse"
            on = "frame"
        "#;
        let FaultErrors(errors) = text.parse::<FaultScript>().unwrap_err();
        let all = errors.join("\n");
        for wanted in [
            "fault 1 (lost): no fault \"drp\", did you mean \"drop\"?",
            "fault 2: unknown key \"symbl\", did you mean \"symbol\"?",
            "fault 2: nth and every count from 1",
            "fault 2: chance must be between 0 and 1",
            "fault 3: by is missing",
            "fault 4: no status \"HALTED\", did you mean \"HALT\"?",
            "fault 5: on must be time here",
        ] {
            assert!(all.contains(wanted), "{wanted} is not in\n{all}");
        }
        assert_eq!(errors.len(), 7, "{all}");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", key in "[a-z-]{0,10}", value in "[-0-9a-z\"\\[\\],.]{0,20}") {
            drop(text.parse::<FaultScript>());
            for verb in ["price", "clock", "answer", "mutate", "trade"] {
                drop(format!("[[fault]]\ndo = \"{verb}\"\n{key} = {value}\n").parse::<FaultScript>());
            }
        }
    }
}
