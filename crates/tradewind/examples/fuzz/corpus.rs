//! The examples that inputs are made of: a few of our own for each target, and the venue's documented ones where
//! `TRADEWIND_TEST_DATA` says where they are.

use serde_json::Value;

use crate::targets::Target;

/// A target's examples; never empty.
pub(crate) fn of(target: &Target) -> Vec<Vec<u8>> {
    let mut examples: Vec<Vec<u8>> = target.own.iter().map(|own| own.to_vec()).collect();
    if let Ok(root) = std::env::var("TRADEWIND_TEST_DATA") {
        for file in target.documented {
            examples.extend(documented(&format!("{root}/known_answers/{file}")));
        }
    }
    examples
}

fn documented(path: &str) -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let document: Value = serde_json::from_str(&text).unwrap_or_default();
    let examples = document["examples"].as_array().into_iter().flatten();
    let found = examples.filter_map(|example| example.get("json"));
    let found = found.filter(|json| json.to_string().len() < 4_096);
    found.map(|json| json.to_string().into_bytes()).collect()
}
