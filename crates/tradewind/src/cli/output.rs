//! The one place that prints. Facts go to standard output, errors to standard error.
//!
//! Texts come from venues and users: control characters are replaced before they reach a terminal.

use std::io::{self, Write as _};

use serde_json::Value;

use super::table::Table;

/// Where facts go, and in which form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    /// JSON, or text for people.
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether facts are to be JSON.
    pub(super) const fn is_json(self) -> bool {
        self.json
    }

    /// Prints one line of text.
    pub(super) fn line(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", harmless(text))?;
        out.flush()
    }

    /// Prints text as it is, which must be ours.
    pub(super) fn text(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Prints one line of JSON.
    pub(super) fn value(self, value: &Value) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{value}")?;
        out.flush()
    }

    /// Prints a table, or `empty` in place of one without rows.
    pub(super) fn table(self, table: &Table, empty: &str) -> io::Result<()> {
        if table.is_empty() {
            return self.line(empty);
        }
        table.lines().iter().try_for_each(|line| self.line(line))
    }

    /// Prints to standard error. A closed standard error is not a failure.
    pub(super) fn complain(self, text: &str) {
        let lines: Vec<String> = text.lines().map(harmless).collect();
        drop(writeln!(io::stderr().lock(), "{}", lines.join("\n")));
    }
}

/// `text` without control characters.
fn harmless(text: &str) -> String {
    let shown = |character: char| match character {
        character if character.is_control() => '\u{fffd}',
        // Marks that turn the reading direction round.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        character => character,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_upon_is_replaced() {
        assert_eq!(
            harmless("a\u{1b}[31mb\r\u{202e}c"),
            "a\u{fffd}[31mb\u{fffd}\u{fffd}c"
        );
        assert_eq!(
            harmless("RSI 44, needs < 30 · größer"),
            "RSI 44, needs < 30 · größer"
        );
    }
}
