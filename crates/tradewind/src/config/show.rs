//! The configuration as it takes effect, printed: as TOML in the order of the table of keys, or as JSON.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::keys::{BOT, Key, Kind, ROOT};
use super::structure::join;
use super::tree::{Node, Origin, Table, Value};

/// The tree as TOML. Values from the environment have a comment.
pub(super) fn toml(tree: &Table) -> String {
    let mut text = String::new();
    for key in ROOT {
        if let Some(node) = tree.get(key.name) {
            write_root(&mut text, key, node);
        }
    }
    text
}

fn write_root(text: &mut String, key: &Key, node: &Node) {
    match (key.kind, &node.value) {
        (Kind::Table(keys), Value::Table(table)) => write_table(text, key.name, keys, table),
        (Kind::Named(keys), Value::Table(tables)) => {
            for (name, node) in tables {
                if let Value::Table(table) = &node.value {
                    write_table(text, &join(key.name, name), keys, table);
                }
            }
        }
        (_, Value::List(items)) => {
            for item in items {
                if let Value::Table(table) = &item.value {
                    begin(text, "[[bots]]");
                    write_keys(text, BOT, &without_what_rules_set(table));
                }
            }
        }
        _ => {}
    }
}

/// A bot's table without the keys in whose place rules have their own.
fn without_what_rules_set(bot: &Table) -> Table {
    let mut shown = bot.clone();
    if bot.contains_key("rules") {
        for key in ["sizer", "exit", "params"] {
            shown.remove(key);
        }
        let most = shown.get("max_positions");
        if most.is_some_and(|node| node.origin == Origin::Default) {
            shown.remove("max_positions");
        }
    }
    shown
}

fn write_table(text: &mut String, path: &str, keys: &[Key], table: &Table) {
    begin(text, &format!("[{path}]"));
    write_keys(text, keys, table);
}

fn begin(text: &mut String, header: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(header);
    text.push('\n');
}

fn write_keys(text: &mut String, keys: &[Key], table: &Table) {
    for key in keys {
        let Some(node) = table.get(key.name) else {
            continue;
        };
        let line = match &node.origin {
            Origin::Environment(name) => {
                format!("{} = {}  # {name}", key.name, inline(&node.value))
            }
            _ => format!("{} = {}", key.name, inline(&node.value)),
        };
        writeln!(text, "{line}").expect("writing to a String cannot fail");
    }
}

pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Integer(text) | Value::Float(text) | Value::Date(text) => text.clone(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|item| inline(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".to_owned(),
        Value::Table(table) => {
            let entry = |(name, node): (&String, &Node)| {
                format!("{} = {}", key_text(name), inline(&node.value))
            };
            let entries: Vec<_> = table.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A text in TOML's quotes, which escape as JSON's do.
fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

fn key_text(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// The tree as JSON.
pub(super) fn json(tree: &Table) -> Json {
    let entries = tree
        .iter()
        .map(|(name, node)| (name.clone(), json_value(&node.value)));
    Json::Object(entries.collect::<Map<_, _>>())
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Text(text) | Value::Float(text) | Value::Date(text) => Json::from(text.as_str()),
        Value::Integer(text) => text
            .parse::<i64>()
            .map_or_else(|_| Json::from(text.as_str()), Json::from),
        Value::Flag(flag) => Json::from(*flag),
        Value::List(items) => items.iter().map(|item| json_value(&item.value)).collect(),
        Value::Table(table) => json(table),
    }
}
