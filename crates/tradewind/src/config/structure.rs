//! Holds a tree against the table of keys: refuses unknown keys, names missing ones, fills in defaults.

use super::error::{Errors, Problem};
use super::keys::{Key, Kind, Presence};
use super::nearest::nearest;
use super::rules;
use super::tree::{Node, Origin, Table, Value, parse_value};

/// Checks `table` and everything below it, and fills in what has a default. `path` is empty at the root.
pub(super) fn complete(path: &str, table: &mut Table, keys: &[Key], errors: &Errors) {
    refuse_unknown(path, table, keys, errors);
    for key in keys {
        let path = join(path, key.name);
        if !table.contains_key(key.name) {
            match absent(&path, key, errors) {
                Some(node) => table.insert(key.name.to_owned(), node),
                None => continue,
            };
        }
        if let Some(node) = table.get_mut(key.name) {
            descend(&path, node, key.kind, errors);
        }
    }
}

/// A key's path below `parent`.
pub(super) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

fn refuse_unknown(path: &str, table: &Table, keys: &[Key], errors: &Errors) {
    for (name, node) in table {
        if keys.iter().any(|key| key.name == name) {
            continue;
        }
        errors.push(
            join(path, name),
            Some(node.origin.clone()),
            Problem::new("unknown key", unknown_cure(name, &names(table, keys))),
        );
    }
}

/// The keys that a table may have. Rules stand in their bot's table.
fn names(table: &Table, keys: &[Key]) -> Vec<&'static str> {
    let strategy = table.get("strategy").map(|node| &node.value);
    let has_rules = matches!(strategy, Some(Value::Text(name)) if rules::has_rules(name));
    let of_rules = rules::KEYS.iter().copied().filter(|_| has_rules);
    keys.iter().map(|key| key.name).chain(of_rules).collect()
}

fn unknown_cure(name: &str, names: &[&'static str]) -> String {
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if holds_secret(name) => {
            "secrets are not kept in files: name an environment variable in key_env and secret_env"
                .to_owned()
        }
        None => format!("the keys here are {}", names.join(", ")),
    }
}

fn holds_secret(name: &str) -> bool {
    ["key", "secret", "token", "password"]
        .iter()
        .any(|word| name.contains(word))
}

/// The value of a missing key. A required table counts as empty, so that each missing key in it is named.
fn absent(path: &str, key: &Key, errors: &Errors) -> Option<Node> {
    match (key.presence, key.kind) {
        (Presence::Required, Kind::Table(keys))
            if keys.iter().all(|key| key.presence == Presence::Required) =>
        {
            Some(Node::empty_table())
        }
        (Presence::Required, _) => {
            errors.push(path, None, missing(key));
            None
        }
        (Presence::Optional, _) => None,
        (Presence::Default(text), _) => Some(parse_value(text, &Origin::Default)),
    }
}

fn missing(key: &Key) -> Problem {
    let written = match key.kind {
        Kind::Named(_) | Kind::Tables(_) => key.example.to_owned(),
        _ => format!("{} = {}", key.name, key.example),
    };
    Problem::new("missing", format!("write {written} ({})", key.about))
}

fn descend(path: &str, node: &mut Node, kind: Kind, errors: &Errors) {
    let origin = node.origin.clone();
    let wrong = |wanted: &str, value: &Value| {
        let what = format!("{} is not {wanted}", value.describe());
        errors.push(path, Some(origin.clone()), Problem::new(what, "change it"));
    };
    match (kind, &mut node.value) {
        (Kind::Table(keys), Value::Table(table)) => complete(path, table, keys, errors),
        (Kind::Named(keys), Value::Table(tables)) => {
            for (name, node) in tables {
                descend(&join(path, name), node, Kind::Table(keys), errors);
            }
        }
        (Kind::Tables(keys), Value::List(items)) => {
            for (index, node) in items.iter_mut().enumerate() {
                descend(&format!("{path}[{index}]"), node, Kind::Table(keys), errors);
            }
        }
        (Kind::Open(_), Value::Table(_)) => {}
        (Kind::Table(_) | Kind::Named(_) | Kind::Open(_), value) => wrong("a table", value),
        (Kind::Tables(_), value) => wrong("a list of tables, written [[…]]", value),
        _ => {}
    }
}
