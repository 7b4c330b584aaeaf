//! Just enough JSON to read recorded frames: a value borrowed from its line, numbers and texts as they stand.
//!
//! Escapes in texts are not undone; nothing a venue's market stream sends has any.

use super::LineError;

/// Nesting beyond this is no market frame.
const DEPTH_MAX: usize = 16;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Json<'a> {
    Object(Vec<(&'a str, Self)>),
    Array(Vec<Self>),
    Text(&'a str),
    Number(&'a str),
    Bool(bool),
    Null,
}

impl<'a> Json<'a> {
    /// Reads one value that fills all of `text`.
    pub(super) fn parse(text: &'a str) -> Result<Self, LineError> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.skip_space();
        if reader.at == text.len() {
            Ok(value)
        } else {
            Err(reader.error("something follows the JSON value"))
        }
    }

    /// The field `name` of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else {
            return None;
        };
        fields
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, LineError> {
        match self.get(name) {
            Some(Self::Text(text)) => Ok(text),
            _ => Err(LineError::new(format!("the frame has no text {name:?}"))),
        }
    }

    /// The whole number of a field.
    pub(super) fn integer<T: std::str::FromStr>(&self, name: &str) -> Result<T, LineError> {
        let number = if let Some(Self::Number(text)) = self.get(name) {
            text.parse().ok()
        } else {
            None
        };
        number.ok_or_else(|| LineError::new(format!("the frame has no whole number {name:?}")))
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Json<'a>, LineError> {
        if depth > DEPTH_MAX {
            return Err(self.error("the JSON is nested too deeply"));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => {
                Ok(Json::Number(self.take_while(|byte| {
                    byte.is_ascii_digit() || b"+-.eE".contains(&byte)
                })))
            }
            Some(b'a'..=b'z') => match self.take_while(|byte| byte.is_ascii_lowercase()) {
                "true" => Ok(Json::Bool(true)),
                "false" => Ok(Json::Bool(false)),
                "null" => Ok(Json::Null),
                _ => Err(self.error("the JSON has an unknown word")),
            },
            _ => Err(self.error("the JSON has no value here")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json<'a>, LineError> {
        let mut fields = Vec::new();
        self.at += 1;
        while !self.closes(b'}', fields.is_empty())? {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            fields.push((name, self.value(depth + 1)?));
        }
        Ok(Json::Object(fields))
    }

    fn array(&mut self, depth: usize) -> Result<Json<'a>, LineError> {
        let mut values = Vec::new();
        self.at += 1;
        while !self.closes(b']', values.is_empty())? {
            values.push(self.value(depth + 1)?);
        }
        Ok(Json::Array(values))
    }

    /// Whether the list ends here; else the comma before the next one is taken, unless it is the first.
    fn closes(&mut self, end: u8, first: bool) -> Result<bool, LineError> {
        self.skip_space();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(true);
        }
        if !first {
            self.expect(b',')?;
        }
        Ok(false)
    }

    fn string(&mut self) -> Result<&'a str, LineError> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        for byte in self.text.as_bytes().iter().skip(start) {
            match byte {
                b'"' if !escaped => {
                    let text = self.text.get(start..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => escaped = !escaped,
                _ => escaped = false,
            }
            self.at += 1;
        }
        Err(self.error("the JSON ends inside a text"))
    }

    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&belongs) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.take_while(|byte| byte.is_ascii_whitespace());
    }

    fn expect(&mut self, wanted: u8) -> Result<(), LineError> {
        if self.peek() != Some(wanted) {
            return Err(self.error(&format!("the JSON lacks a {:?}", char::from(wanted))));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn error(&self, reason: &str) -> LineError {
        LineError::new(format!("{reason} (column {})", self.at + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_are_read_and_broken_ones_named() {
        let frame = Json::parse(
            r#"{"s": "A\"B", "n": -1.5e3, "l": [["1","2"],[]], "b":true,"x":null,"o":{}}"#,
        )
        .unwrap();
        assert_eq!(frame.text("s").unwrap(), "A\\\"B");
        assert_eq!(frame.get("n"), Some(&Json::Number("-1.5e3")));
        assert!(matches!(frame.get("l"), Some(Json::Array(rows)) if rows.len() == 2));
        for (broken, column) in [
            ("{", 2),
            ("{\"a\":}", 6),
            ("[1,]", 4),
            ("\"a", 3),
            ("nul", 4),
            ("{} x", 4),
            ("", 1),
        ] {
            let error = Json::parse(broken).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("(column {column})")),
                "{broken}: {error}"
            );
        }
        assert!(Json::parse(&"[".repeat(1_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", json in "[\\[\\]{}\",:0-9a-e.\\\\-]{0,60}") {
            drop(Json::parse(&text));
            drop(Json::parse(&json));
        }
    }
}
