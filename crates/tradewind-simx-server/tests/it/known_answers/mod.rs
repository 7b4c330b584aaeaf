//! The venue's documented examples, held against what we answer: the same keys both ways, values of the same kind, and
//! every example either compared or named among those left out, with the reason.

mod filters;
mod rest;
mod streams;
mod user_data;
mod ws_api;

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_testkit::test_data;

/// Keys that only come with orders of certain terms or fates, and those of what this exchange does not have: the router
/// across books (`sors` and the like).
const CONDITIONAL: [&str; 14] = [
    "sors",
    "stopPrice",
    "icebergQty",
    "trailingDelta",
    "trailingTime",
    "strategyId",
    "strategyType",
    "preventedMatchId",
    "preventedQuantity",
    "usedSor",
    "workingFloor",
    "matchType",
    "allocId",
    "v",
];

/// Keys that the pages show in some examples of a message and forget in others.
const FORGOTTEN: [&str; 5] = [
    "selfTradePreventionMode",
    "fills",
    "origClientOrderId",
    "workingTime",
    "data",
];

/// The examples of one page, and which of them were compared.
struct Examples {
    all: Vec<(String, Value)>,
    used: RefCell<BTreeSet<usize>>,
}

impl Examples {
    /// The examples of `name` that `ours` picks: what a client sends is not for us to compare.
    fn read(name: &str, ours: impl Fn(&Value) -> bool) -> Option<Self> {
        let text = std::fs::read_to_string(test_data(&format!("known_answers/{name}"))?).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let all = all["examples"].as_array().unwrap().iter();
        let all = all.filter_map(|example| {
            let json = example.get("json").filter(|json| ours(json))?;
            Some((
                example["section"].as_str().unwrap().to_owned(),
                json.clone(),
            ))
        });
        Some(Self {
            all: all.collect(),
            used: RefCell::default(),
        })
    }

    /// The n-th example of the section whose name ends so.
    fn get(&self, section: &str, n: usize) -> &Value {
        let found = self.all.iter().enumerate();
        let found = found.filter(|(_, (name, _))| is_section(name, section));
        let (index, (_, json)) = found
            .clone()
            .nth(n)
            .unwrap_or_else(|| panic!("no example {n} of {section}"));
        self.used.borrow_mut().insert(index);
        json
    }

    /// Every example was compared, but for the sections of `left_out`; and those are needed.
    fn assert_complete(&self, left_out: &[(&str, &str)]) {
        let used = self.used.borrow();
        let unused = self.all.iter().enumerate();
        let unused: Vec<&String> = unused
            .filter(|(index, _)| !used.contains(index))
            .map(|(_, (name, _))| name)
            .collect();
        for name in &unused {
            let known = left_out
                .iter()
                .any(|(section, _)| is_section(name, section));
            assert!(known, "{name} was neither compared nor left out");
        }
        for (section, reason) in left_out {
            let needed = unused.iter().any(|name| is_section(name, section));
            assert!(needed, "{section} is left out for nothing: {reason}");
        }
    }
}

fn is_section(name: &str, section: &str) -> bool {
    name == section || name.ends_with(&format!("/ {section}"))
}

fn check(wanted: &Value, found: &Value, place: &str) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) if !wanted.is_empty() => {
            let told = |key: &String| !CONDITIONAL.contains(&key.as_str());
            for (key, value) in wanted.iter().filter(|(key, _)| told(key)) {
                let found = found
                    .get(key)
                    .unwrap_or_else(|| panic!("{place} lacks {key:?}: {found:?}"));
                check(value, found, &format!("{place}.{key}"));
            }
            let extra = found.keys().find(|key| {
                told(key) && !wanted.contains_key(*key) && !FORGOTTEN.contains(&key.as_str())
            });
            assert_eq!(extra, None, "{place} has more than {wanted:?}");
        }
        (Value::Array(wanted), Value::Array(found)) => {
            for (wanted, found) in wanted.iter().zip(found) {
                check(wanted, found, &format!("{place}[]"));
            }
        }
        (wanted, found) => {
            let same = std::mem::discriminant(wanted) == std::mem::discriminant(found)
                || wanted.is_null()
                || found.is_null();
            assert!(same, "{place}: {wanted} and {found} are not of one kind");
        }
    }
}

/// A refusal has the documented code, too.
fn check_error(wanted: &Value, found: &Value, place: &str) {
    assert_eq!(wanted["code"], found["code"], "{place}");
    check(wanted, found, place);
}
