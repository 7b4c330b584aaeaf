//! Aligned tables of the items in an answer.

use serde_json::Value;

/// How a column is read and set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// To the left.
    Text,
    /// To the right.
    Number,
    /// An instant, to the second.
    Time,
}

/// A column: its title, where its value is in an item (a JSON pointer), and its style.
pub(super) type Column = (&'static str, &'static str, Style);

/// Rows of cells under titles.
#[derive(Debug)]
pub(super) struct Table {
    columns: &'static [Column],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The items of a list answer.
    pub(super) fn of(answer: &Value, columns: &'static [Column]) -> Self {
        let items = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
        Self {
            columns,
            rows: items.iter().map(|item| row(item, columns)).collect(),
        }
    }

    /// Whether there is no row.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Title and rows, each a line; columns as wide as their widest cell.
    pub(super) fn lines(&self) -> Vec<String> {
        let titles: Vec<String> = self
            .columns
            .iter()
            .map(|(title, _, _)| (*title).to_owned())
            .collect();
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&titles]);
            cells
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        [&titles]
            .into_iter()
            .chain(&self.rows)
            .map(|row| self.line(row, &widths))
            .collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let cells = row.iter().zip(widths).zip(self.columns);
        let cells = cells.map(|((cell, width), (_, _, style))| match style {
            Style::Number => format!("{cell:>width$}"),
            Style::Text | Style::Time => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

fn row(item: &Value, columns: &[Column]) -> Vec<String> {
    let cell = |(_, pointer, style): &Column| {
        let text = text_at(item, pointer);
        if *style == Style::Time {
            to_the_second(&text)
        } else {
            text
        }
    };
    columns.iter().map(cell).collect()
}

/// The value at a JSON pointer, as text: `-` for what is absent, lists separated by commas.
pub(super) fn text_at(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .map_or_else(|| "-".to_owned(), text_of)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    }
}

/// An RFC 3339 instant without its fraction of a second.
pub(super) fn to_the_second(instant: &str) -> String {
    match instant.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => instant.to_owned(),
    }
}

/// The first digits of a hash, or all of what stands in its place: why there is none.
pub(super) fn short_hash(text: &str) -> String {
    let is_hash = text.chars().all(|digit| digit.is_ascii_hexdigit());
    text.chars().take(if is_hash { 12 } else { 80 }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        const COLUMNS: &[Column] = &[
            ("BOT", "/name", Style::Text),
            ("FILLS", "/counts/fills", Style::Number),
            ("AT", "/at", Style::Time),
        ];
        let answer = json!({ "items": [
            { "name": "btc-rsi", "counts": { "fills": 12 }, "at": "2026-03-02T10:05:00.003Z" },
            { "name": "x", "counts": {} , "at": null },
        ]});
        let table = Table::of(&answer, COLUMNS);
        let wanted = [
            "BOT      FILLS  AT",
            "btc-rsi     12  2026-03-02T10:05:00Z",
            "x            -  -",
        ];
        assert_eq!(table.lines(), wanted);
        assert!(Table::of(&json!({}), COLUMNS).is_empty());
    }

    #[test]
    fn values_become_short_texts() {
        let item = json!({ "a": true, "b": ["x", "y"], "c": "", "d": { "e": 1.5 } });
        let check = |pointer, wanted| assert_eq!(text_at(&item, pointer), wanted);
        check("/a", "yes");
        check("/b", "x, y");
        check("/c", "-");
        check("/d/e", "1.5");
        check("/none", "-");
    }
}
