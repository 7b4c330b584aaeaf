//! A configuration as a tree of values that know where they came from, with the text of every number kept.
//!
//! TOML readers turn `0.05` into the nearest binary fraction. Here a number stays the text it was written as until
//! somebody who knows its unit reads it exactly.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::{DeTable, DeValue, Error};

use super::error::{Errors, Problem};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The file; both count from 1, columns in characters.
    File {
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// An environment variable of this name.
    Environment(String),
    /// Nobody wrote it: it is the key's default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { line, column } => write!(f, "line {line}, column {column}"),
            Self::Environment(name) => f.write_str(name),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The keys of a table.
pub(super) type Table = BTreeMap<String, Node>;

/// A value. Numbers are text: without underscores and plus, otherwise as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(String),
    Float(String),
    Flag(bool),
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

impl Value {
    /// What it is, in words, for a complaint that it should be something else.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text(text) => format!("the text {text:?}"),
            Self::Integer(text) | Self::Float(text) => format!("the number {text}"),
            Self::Flag(flag) => format!("{flag}"),
            Self::Date(text) => format!("the date {text}"),
            Self::List(_) => "a list".to_owned(),
            Self::Table(_) => "a table".to_owned(),
        }
    }
}

impl Node {
    /// An empty table for a missing one.
    pub(super) const fn empty_table() -> Self {
        Self {
            value: Value::Table(Table::new()),
            origin: Origin::Default,
        }
    }
}

/// Reads a whole file. Every fault of its syntax is noted; the tree is then not to be used.
pub(super) fn parse(text: &str, errors: &Errors) -> Table {
    let (table, faults) = DeTable::parse_recoverable(text);
    let places = SourceMap::new(text);
    for fault in &faults {
        let origin = fault.span().map(|span| places.at(span.start));
        errors.push("", origin, syntax_problem(fault));
    }
    places.table(table.get_ref())
}

/// Reads the value of an environment variable; text that is not a TOML value is a string.
pub(super) fn parse_value(text: &str, origin: &Origin) -> Node {
    let places = SourceMap {
        line_starts: Vec::new(),
        text,
        fixed: Some(origin.clone()),
    };
    match DeValue::parse(text) {
        Ok(value) => places.node(value.get_ref(), 0),
        Err(_) => Node {
            value: Value::Text(text.to_owned()),
            origin: origin.clone(),
        },
    }
}

fn syntax_problem(fault: &Error) -> Problem {
    let message = fault.message().replace('\n', ", ");
    Problem::new(
        format!("not TOML: {message}"),
        "fix the syntax; nothing else was checked",
    )
}

/// Turns byte offsets into lines and columns, and the parser's values into ours.
struct SourceMap<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    fixed: Option<Origin>,
}

impl<'t> SourceMap<'t> {
    fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            text,
            line_starts: std::iter::once(0)
                .chain(breaks.map(|(at, _)| at + 1))
                .collect(),
            fixed: None,
        }
    }

    fn at(&self, offset: usize) -> Origin {
        if let Some(origin) = &self.fixed {
            return origin.clone();
        }
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        Origin::File {
            line,
            column: before.chars().count() + 1,
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Table {
        let entry = |key: &toml::Spanned<_>, value: &toml::Spanned<DeValue<'_>>| {
            self.node(value.get_ref(), key.span().start)
        };
        table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), entry(key, value)))
            .collect()
    }

    fn node(&self, value: &DeValue<'_>, offset: usize) -> Node {
        Node {
            value: self.value(value),
            origin: self.at(offset),
        }
    }

    fn value(&self, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => {
                Value::Integer(number.as_str().trim_start_matches('+').to_owned())
            }
            DeValue::Integer(number) => Value::Text(number.to_string()),
            DeValue::Float(number) => {
                Value::Float(number.as_str().trim_start_matches('+').to_owned())
            }
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(items) => Value::List(
                items
                    .iter()
                    .map(|item| self.node(item.get_ref(), item.span().start))
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table)),
        }
    }
}
