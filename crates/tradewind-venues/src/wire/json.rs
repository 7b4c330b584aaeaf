//! A scanner for JSON objects that borrows everything and allocates nothing.
//!
//! It is made for stream frames: keys and values are taken in the order they come, and unused ones are skipped. It
//! checks skipped values loosely and returned ones strictly. Any bytes at all give an answer or [`Malformed`].

use serde::Deserialize;

use crate::error::VenueError;

/// Not JSON, or nested deeper than 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

pub(crate) const DEPTH_MAX: usize = 32;

/// Whether a text nests deeper than that, for readers that would follow it further. A bracket within a string is none.
pub(crate) fn is_too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' if depth == DEPTH_MAX => return true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Reads JSON that nests no deeper than 32; `what` names the answer in an error.
pub(crate) fn parse<'a, T: Deserialize<'a>>(
    what: &'static str,
    body: &'a [u8],
) -> Result<T, VenueError> {
    if is_too_deep(body) {
        return Err(VenueError::unreadable(what, "nested too deep"));
    }
    serde_json::from_slice(body).map_err(|error| VenueError::unreadable(what, error))
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Between quotes, escapes as they were written.
    Text(&'a [u8]),
    /// A number as it was written.
    Number(&'a [u8]),
    True,
    False,
    Null,
    /// An object; the cursor stands before its brace.
    Object,
    /// A whole array, brackets included.
    Array(&'a [u8]),
}

/// A place in a frame.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Steps into the object that comes next.
    pub(crate) fn enter(&mut self) -> Result<(), Malformed> {
        self.space();
        self.expect(b'{')
    }

    /// The next key of the object, or `None` at its end, which is stepped over.
    pub(crate) fn key(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        self.space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.space();
        }
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                Ok(None)
            }
            Some(b'"') => {
                let key = self.text()?;
                self.space();
                self.expect(b':')?;
                Ok(Some(key))
            }
            _ => Err(Malformed),
        }
    }

    /// A place before the first element of what [`Value::Array`] holds.
    pub(crate) const fn of_array(array: &'a [u8]) -> Self {
        Self {
            bytes: array,
            at: 1,
        }
    }

    /// The next element of the array, or `None` at its end, which is stepped over.
    pub(crate) fn element(&mut self) -> Result<Option<Value<'a>>, Malformed> {
        self.space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.space();
        }
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(None);
        }
        self.value().map(Some)
    }

    /// The next value. An object is not stepped into: [`enter`](Self::enter) or [`skip`](Self::skip) it.
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Malformed> {
        self.space();
        match self.peek() {
            Some(b'"') => self.text().map(Value::Text),
            Some(b'{') => Ok(Value::Object),
            Some(b'[') => self.take().map(Value::Array),
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number())),
            Some(b't') => self.word(b"true", Value::True),
            Some(b'f') => self.word(b"false", Value::False),
            Some(b'n') => self.word(b"null", Value::Null),
            _ => Err(Malformed),
        }
    }

    /// Steps over the object or array that comes next.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'{' | b'[') => {
                    depth += 1;
                    if depth > DEPTH_MAX {
                        return Err(Malformed);
                    }
                    self.at += 1;
                }
                Some(b'}' | b']') => {
                    self.at += 1;
                    depth = depth.checked_sub(1).ok_or(Malformed)?;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                Some(b'"') => {
                    self.text()?;
                }
                Some(_) if depth > 0 => self.at += 1,
                _ => return Err(Malformed),
            }
        }
    }

    /// Steps over the object or array that comes next and returns it.
    pub(crate) fn take(&mut self) -> Result<&'a [u8], Malformed> {
        self.space();
        let from = self.at;
        self.skip()?;
        self.bytes.get(from..self.at).ok_or(Malformed)
    }

    fn text(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b'"')?;
        let from = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let text = self.bytes.get(from..self.at).ok_or(Malformed)?;
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        Err(Malformed)
    }

    fn number(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn word(&mut self, word: &[u8], value: Value<'a>) -> Result<Value<'a>, Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Malformed);
        }
        self.at += word.len();
        Ok(value)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

type Pair<'a> = (&'a [u8], &'a [u8]);

/// The values of an array of texts and arrays, one after the other: `[["1.5","2"],["3","4"]]`.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Pairs<'a> {
    /// `array` is what [`Value::Array`] holds.
    pub(crate) fn new(array: &'a [u8]) -> Self {
        Self {
            cursor: Cursor {
                bytes: array,
                at: 1,
            },
        }
    }

    fn pair(&mut self) -> Result<Option<Pair<'a>>, Malformed> {
        let cursor = &mut self.cursor;
        cursor.space();
        if cursor.peek() == Some(b',') {
            cursor.at += 1;
            cursor.space();
        }
        if cursor.peek() == Some(b']') {
            return Ok(None);
        }
        cursor.expect(b'[')?;
        cursor.space();
        let price = cursor.text()?;
        cursor.space();
        cursor.expect(b',')?;
        cursor.space();
        let quantity = cursor.text()?;
        cursor.space();
        cursor.expect(b']')?;
        Ok(Some((price, quantity)))
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<Pair<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pair().transpose()
    }
}

/// How digits finer than the unit are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finer {
    /// They must be zeros.
    Refused,
    /// They are cut off.
    Cut,
}

/// Reads a plain non-negative decimal as a count of 10^-`decimals` units.
pub(crate) fn fixed(text: &[u8], decimals: u8, finer: Finer) -> Option<i64> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, &[][..]),
    };
    if whole.is_empty() || (point.is_some() && fraction.is_empty()) {
        return None;
    }
    let places = usize::from(decimals);
    let kept = fraction.get(..places.min(fraction.len()))?;
    let rest = fraction.get(kept.len()..)?;
    let bad = |byte: &u8| match finer {
        Finer::Refused => *byte != b'0',
        Finer::Cut => !byte.is_ascii_digit(),
    };
    if rest.iter().any(bad) {
        return None;
    }
    let value = digits(digits(0, whole)?, kept)?;
    let missing = u32::try_from(places - kept.len()).ok()?;
    value.checked_mul(10_i64.checked_pow(missing)?)
}

/// Reads a whole non-negative number.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    digits(0, text).and_then(|value| u64::try_from(value).ok())
}

fn digits(start: i64, text: &[u8]) -> Option<i64> {
    text.iter().try_fold(start, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(i64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tradewind_model::{format_fixed, parse_fixed};

    #[test]
    fn d09_depth_is_counted_outside_of_texts_only() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let check =
            |text: &str, wanted: bool| assert_eq!(is_too_deep(text.as_bytes()), wanted, "{text}");
        check(&nested(DEPTH_MAX), false);
        check(&nested(DEPTH_MAX + 1), true);
        check(&format!("{0}{0}", nested(DEPTH_MAX)), false);
        check(&format!(r#"{{"a\"{}":1}}"#, "{".repeat(100)), false);
        check(&format!(r#"{{"a\\":{}}}"#, nested(DEPTH_MAX)), true);
        check("]]]]", false);
    }

    #[test]
    fn an_object_is_read_key_by_key() {
        let text = br#" { "a" : "x\"y" , "b":-12.5e3,"c":[[1,"]"],{}], "d":{"e":{}},"f":null,"g":true,"h":false } "#;
        let mut cursor = Cursor::new(text);
        cursor.enter().unwrap();
        let mut seen = Vec::new();
        while let Some(key) = cursor.key().unwrap() {
            let value = cursor.value().unwrap();
            if value == Value::Object {
                cursor.skip().unwrap();
            }
            seen.push((key, value));
        }
        let wanted: Vec<(&[u8], Value<'_>)> = vec![
            (b"a", Value::Text(br#"x\"y"#)),
            (b"b", Value::Number(b"-12.5e3")),
            (b"c", Value::Array(br#"[[1,"]"],{}]"#)),
            (b"d", Value::Object),
            (b"f", Value::Null),
            (b"g", Value::True),
            (b"h", Value::False),
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn an_array_is_read_element_by_element() {
        let mut cursor = Cursor::of_array(br#"[ "a" ,1.50, {"b":[2]},["c"] ]"#);
        assert_eq!(cursor.element(), Ok(Some(Value::Text(b"a"))));
        assert_eq!(cursor.element(), Ok(Some(Value::Number(b"1.50"))));
        assert_eq!(cursor.element(), Ok(Some(Value::Object)));
        assert_eq!(cursor.take(), Ok(br#"{"b":[2]}"#.as_slice()));
        assert_eq!(cursor.element(), Ok(Some(Value::Array(br#"["c"]"#))));
        assert_eq!(cursor.element(), Ok(None));
        assert_eq!(Cursor::of_array(b"[").element(), Err(Malformed));
    }

    #[test]
    fn nesting_beyond_32_is_refused() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert!(Cursor::new(&nested(32)).value().is_ok());
        assert_eq!(Cursor::new(&nested(33)).value(), Err(Malformed));
    }

    #[test]
    fn pairs_are_read_and_anything_else_is_not() {
        let levels: Result<Vec<_>, _> = Pairs::new(br#"[["1.5","2"], ["3","4"]]"#).collect();
        assert_eq!(
            levels,
            Ok(vec![
                (b"1.5".as_slice(), b"2".as_slice()),
                (b"3".as_slice(), b"4".as_slice())
            ])
        );
        assert_eq!(Pairs::new(b"[]").count(), 0);
        assert!(Pairs::new(br#"[["1.5"]]"#).any(|pair| pair.is_err()));
        assert!(Pairs::new(br"[[1,2]]").any(|pair| pair.is_err()));
    }

    #[test]
    fn finer_digits_are_refused_or_cut() {
        assert_eq!(fixed(b"25.42618900", 5, Finer::Refused), None);
        assert_eq!(fixed(b"25.42618900", 5, Finer::Cut), Some(2_542_618));
        assert_eq!(fixed(b"0.00000900", 5, Finer::Cut), Some(0));
        assert_eq!(fixed(b"25.4261x", 5, Finer::Cut), None);
        assert_eq!(fixed(b"25.426180x", 5, Finer::Cut), None);
    }

    proptest! {
        #[test]
        fn numbers_agree_with_the_strict_scanner(text in "[0-9]{0,12}(\\.[0-9]{0,10})?", decimals in 0_u8..10) {
            let wanted = parse_fixed(&text, decimals).ok().and_then(|value| i64::try_from(value).ok());
            prop_assert_eq!(fixed(text.as_bytes(), decimals, Finer::Refused), wanted);
        }

        #[test]
        fn what_is_printed_is_read_back(value in 0_i64..i64::MAX, decimals in 0_u8..19) {
            let text = format_fixed(i128::from(value), decimals);
            prop_assert_eq!(fixed(text.as_bytes(), decimals, Finer::Refused), Some(value));
            prop_assert_eq!(fixed(text.as_bytes(), decimals, Finer::Cut), Some(value));
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut cursor = Cursor::new(&bytes);
            while cursor.value().is_ok_and(|value| value != Value::Object) && cursor.at < bytes.len() {}
            let _read: Vec<_> = Pairs::new(&bytes).take(50).collect();
            let _number = fixed(&bytes, 8, Finer::Cut);
            let mut array = Cursor::of_array(&bytes);
            while array.element().is_ok_and(|element| element.is_some_and(|value| value != Value::Object)) {}
        }
    }
}
