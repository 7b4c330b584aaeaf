//! Reads one table of a script or of a control request: every key once, all errors at once.

use std::str::FromStr;
use std::time::Duration;

use serde_json::{Map, Value};
use tradewind_simx::parse_span;

use super::command::CommandError;
use crate::nearest::did_you_mean;

/// Reads the body of a control request; `place` is how errors name it.
///
/// # Errors
/// [`CommandError::Malformed`] with all that is wrong.
pub(crate) fn read_body<T>(
    body: &str,
    place: &str,
    read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, CommandError> {
    let table = serde_json::from_str::<Map<String, Value>>(body)
        .map_err(|error| CommandError::Malformed(vec![format!("no JSON object: {error}")]))?;
    let (mut reader, mut errors) = (Reader::new(&table, place.to_owned()), Vec::new());
    let found = read(&mut reader);
    reader.finish(&mut errors);
    found
        .filter(|_| errors.is_empty())
        .ok_or(CommandError::Malformed(errors))
}

/// A table that is being read.
pub(crate) struct Reader<'a> {
    table: &'a Map<String, Value>,
    /// How errors name the table.
    place: String,
    asked: Vec<&'static str>,
    errors: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(table: &'a Map<String, Value>, place: String) -> Self {
        Self {
            table,
            place,
            asked: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Notes that something is wrong.
    pub(crate) fn wrong(&mut self, what: &str) {
        self.errors.push(format!("{}: {what}", self.place));
    }

    /// The value of `key`, whatever it is.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.table.get(key)
    }

    /// A text; a number is taken as its text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => self.expected(key, "a text"),
        }
    }

    /// A whole number, not negative.
    pub(crate) fn count(&mut self, key: &'static str) -> Option<u64> {
        match self.value(key)?.as_u64() {
            Some(count) => Some(count),
            None => self.expected(key, "a whole number, not negative"),
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<bool> {
        match self.value(key)?.as_bool() {
            Some(flag) => Some(flag),
            None => self.expected(key, "true or false"),
        }
    }

    /// A span such as `2s`.
    pub(crate) fn span(&mut self, key: &'static str) -> Option<Duration> {
        match self.value(key)?.as_str().and_then(parse_span) {
            Some(span) => Some(span),
            None => self.expected(key, "a span such as \"250ms\", \"2s\", \"10m\" or \"1d\""),
        }
    }

    /// Anything that is read from a text and says itself what is wrong with it.
    pub(crate) fn parsed<T: FromStr<Err: ToString>>(&mut self, key: &'static str) -> Option<T> {
        match self.text(key)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(&format!("{key}: {}", error.to_string()));
                None
            }
        }
    }

    /// One of the words of `choices`.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        self.wrong(&format!(
            "no {key} {text:?}, {}",
            did_you_mean(&text, &words)
        ));
        None
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, key: &'static str) -> Option<String> {
        let text = self.text(key);
        self.required(key, text)
    }

    /// Says that `key` is needed, unless it was found or is there and was complained about.
    pub(crate) fn required<T>(&mut self, key: &'static str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.table.contains_key(key) {
            self.wrong(&format!("{key} is missing"));
        }
        found
    }

    /// Says that `key` holds something else than it should.
    pub(crate) fn expected<T>(&mut self, key: &'static str, what: &str) -> Option<T> {
        self.wrong(&format!("{key} must be {what}"));
        None
    }

    /// Complains about every key nobody asked for, and hands the errors over.
    pub(crate) fn finish(mut self, errors: &mut Vec<String>) {
        self.asked.sort_unstable();
        self.asked.dedup();
        let asked = self.asked.clone();
        for key in self
            .table
            .keys()
            .filter(|key| !asked.contains(&key.as_str()))
        {
            self.wrong(&format!(
                "unknown key {key:?}, {}",
                did_you_mean(key, &asked)
            ));
        }
        errors.append(&mut self.errors);
    }
}
