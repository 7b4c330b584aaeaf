//! `TRADEWIND__SECTION__KEY=value`: environment variables that override the file.
//!
//! Two underscores stand for the dot of a path, names are taken in lower case, and a bot is named by its number, as in
//! the errors: `TRADEWIND__BOTS__3__BUDGET=500`. The value is TOML where it can be, a text otherwise.

use std::collections::BTreeMap;

use super::error::{Errors, Problem};
use super::tree::{Node, Origin, Table, Value, parse_value};

const PREFIX: &str = "TRADEWIND__";

/// Writes every override of `environment` into `root`.
pub(super) fn apply(root: &mut Table, environment: &BTreeMap<String, String>, errors: &Errors) {
    for (name, text) in environment {
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let origin = Origin::Environment(name.clone());
        let steps: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        if let Err(problem) = set(root, &steps, parse_value(text, &origin)) {
            errors.push(steps.join("."), Some(origin), problem);
        }
    }
}

fn set(table: &mut Table, steps: &[String], value: Node) -> Result<(), Problem> {
    let Some((first, rest)) = steps.split_first().filter(|(first, _)| !first.is_empty()) else {
        return Err(Problem::new(
            "the name of the variable ends too early",
            "write TRADEWIND__SECTION__KEY",
        ));
    };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return Ok(());
    }
    let origin = value.origin.clone();
    let next = table.entry(first.clone()).or_insert_with(|| Node {
        value: Value::Table(Table::new()),
        origin,
    });
    set_below(next, first, rest, value)
}

fn set_below(node: &mut Node, name: &str, steps: &[String], value: Node) -> Result<(), Problem> {
    match &mut node.value {
        Value::Table(table) => set(table, steps, value),
        Value::List(items) => {
            let length = items.len();
            let index = steps.first().and_then(|step| step.parse::<usize>().ok());
            let item = index.and_then(|index| items.get_mut(index));
            match (item, steps.split_first()) {
                (Some(item), Some((_, []))) => {
                    *item = value;
                    Ok(())
                }
                (Some(item), Some((step, rest))) => set_below(item, step, rest, value),
                _ => Err(Problem::new(
                    format!("{name} has no such entry"),
                    format!("it has {length}, counted from 0"),
                )),
            }
        }
        other => Err(Problem::new(
            format!("{name} is {}, which has no keys", other.describe()),
            "check the name of the variable",
        )),
    }
}
