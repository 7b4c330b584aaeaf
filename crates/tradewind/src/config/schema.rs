//! The configuration's JSON schema, made from the table of keys.

use serde_json::{Map, Value, json};

use super::keys::{Key, Kind, Presence, ROOT};
use super::tree::parse_value;
use super::{show, tree};

/// JSON Schema (2020-12) of `tradewind.toml`, for editors. The desk's own checks go further: they know strategies,
/// ranges and what refers to what.
#[must_use]
pub fn schema() -> Value {
    let mut schema = table(ROOT);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("tradewind.toml");
    schema
}

fn table(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let required: Vec<&str> = keys
        .iter()
        .filter(|key| key.presence == Presence::Required)
        .map(|key| key.name)
        .collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn property(key: &Key) -> Value {
    let mut schema = kind(key.kind);
    schema["description"] = json!(key.about);
    if let (Presence::Default(text), false) = (key.presence, matches!(key.kind, Kind::Table(_))) {
        let node = parse_value(text, &tree::Origin::Default);
        let whole = tree::Table::from([(String::new(), node)]);
        schema["default"] = show::json(&whole)[""].take();
    }
    schema
}

fn kind(kind_of_value: Kind) -> Value {
    match kind_of_value {
        Kind::Text | Kind::Name => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count => json!({ "type": "integer", "minimum": 0 }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Duration => json!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$" }),
        Kind::Ratio => json!({ "type": ["number", "string"], "exclusiveMinimum": 0, "maximum": 1 }),
        Kind::Offset => {
            json!({ "type": ["number", "string"], "exclusiveMinimum": -1, "exclusiveMaximum": 1 })
        }
        Kind::Amount => json!({ "type": ["number", "string"], "exclusiveMinimum": 0 }),
        Kind::Rate => {
            json!({ "type": "string", "pattern": "^[0-9]+/[0-9]*[a-z]+( burst [0-9]+)?$" })
        }
        Kind::Address => json!({ "type": "string", "pattern": ":[0-9]+$" }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        Kind::List(item) => json!({ "type": "array", "items": kind(*item) }),
        Kind::Free(form) => json!({ "$comment": form }),
        Kind::Table(keys) => table(keys),
        Kind::Named(keys) => json!({ "type": "object", "additionalProperties": table(keys) }),
        Kind::Tables(keys) => json!({ "type": "array", "items": table(keys) }),
        Kind::Open(value) => json!({ "type": "object", "additionalProperties": kind(*value) }),
    }
}
