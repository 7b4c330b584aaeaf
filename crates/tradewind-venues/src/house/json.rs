//! JSON by a mapping: one pass over the bytes, which are borrowed; what no path leads to is checked and passed.

use std::borrow::Cow;

use super::mapping::{Fields, Mapping};
use crate::protocol::Ignored;
use crate::wire::json::DEPTH_MAX;

/// Slots of an index by name.
const SLOTS: usize = 32;

/// The paths of a mapping as a tree, so that a message is walked once.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    /// The fields that lie here.
    fields: Vec<usize>,
    /// In the order of their slots.
    below: Vec<Step>,
    /// Where the steps of each slot begin.
    slots: [u8; SLOTS],
    /// Places of a list that are looked at; what follows them is only checked.
    places: usize,
}

/// One step of a path.
#[derive(Clone, Debug)]
struct Step {
    name: String,
    slot: usize,
    /// The same as a place in a list, if it is one.
    place: Option<usize>,
    paths: Paths,
}

/// Names of a mapping rarely share all of this.
fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let byte = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or(0));
    (bytes.len() * 5 + byte(bytes.first()) * 3 + byte(bytes.last()) * 7) % SLOTS
}

impl Paths {
    pub(super) fn new(mapping: &Mapping) -> Self {
        let mut root = Self::default();
        for (index, path) in mapping.paths.iter().enumerate() {
            let mut at = &mut root;
            for name in path.split('.') {
                at = at.step(name);
            }
            at.fields.push(index);
        }
        root.index();
        root
    }

    fn step(&mut self, name: &str) -> &mut Self {
        let known = self.below.iter().position(|step| step.name == name);
        let at = known.unwrap_or_else(|| {
            self.below.push(Step {
                name: name.to_owned(),
                slot: slot(name),
                place: name
                    .parse()
                    .ok()
                    .filter(|place: &usize| place.to_string() == name),
                paths: Self::default(),
            });
            self.below.len() - 1
        });
        &mut self.below[at].paths
    }

    fn index(&mut self) {
        self.below.sort_by_key(|step| step.slot);
        for (slot, first) in self.slots.iter_mut().enumerate() {
            let before = self.below.partition_point(|step| step.slot < slot);
            *first = u8::try_from(before).unwrap_or(u8::MAX);
        }
        let places = self.below.iter().filter_map(|step| step.place);
        self.places = places.max().map_or(0, |last| last.saturating_add(1));
        for step in &mut self.below {
            step.paths.index();
        }
    }

    /// The fields that lie here.
    pub(super) fn fields(&self) -> &[usize] {
        &self.fields
    }

    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        let slot = slot(name);
        let steps = self.below.get(usize::from(self.slots[slot])..)?;
        let mut steps = steps.iter().take_while(|step| step.slot == slot);
        steps.find(|step| step.name == name).map(|step| &step.paths)
    }

    pub(super) fn find_place(&self, place: usize) -> Option<&Self> {
        if place >= self.places {
            return None;
        }
        let found = self.below.iter().find(|step| step.place == Some(place));
        found.map(|step| &step.paths)
    }

    /// What `bytes`, one JSON object or list, has at the paths.
    ///
    /// # Errors
    /// [`Ignored::Malformed`] for bytes that are not JSON in UTF-8, or nested deeper than 32.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Result<Fields<'a>, Ignored> {
        let text = std::str::from_utf8(bytes).map_err(|_| Ignored::Malformed)?;
        let mut fields = Fields::default();
        let mut walk = Walk {
            text,
            at: 0,
            depth: 0,
            fields: &mut fields,
        };
        walk.document(self).ok_or(Ignored::Malformed)?;
        Ok(fields)
    }
}

/// A walk through one text. Each step is `None` for what is not JSON.
struct Walk<'a, 'f> {
    text: &'a str,
    at: usize,
    /// Objects and lists that are open.
    depth: usize,
    fields: &'f mut Fields<'a>,
}

impl<'a> Walk<'a, '_> {
    fn document(&mut self, paths: &Paths) -> Option<()> {
        self.value(Some(paths))?;
        self.space();
        (self.at == self.text.len()).then_some(())
    }

    fn value(&mut self, paths: Option<&Paths>) -> Option<()> {
        self.space();
        let fields = paths.map(Paths::fields).unwrap_or_default();
        let from = self.at;
        match self.peek()? {
            b'"' => {
                let text = self.string()?;
                for field in fields {
                    self.fields.set(*field, text.read()?);
                }
            }
            b'{' => self.object(paths)?,
            b'[' => self.list(paths)?,
            b'-' | b'0'..=b'9' => {
                self.number()?;
                let number = self.text.get(from..self.at)?;
                for field in fields {
                    self.fields.set(*field, number.into());
                }
            }
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            b'n' => self.word("null")?,
            _ => return None,
        }
        Some(())
    }

    fn object(&mut self, paths: Option<&Paths>) -> Option<()> {
        self.open()?;
        if self.closes(b'}') {
            return Some(());
        }
        loop {
            self.space();
            if self.peek()? != b'"' {
                return None;
            }
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            let below = match paths {
                Some(paths) => paths.find(&name.read()?),
                None => None,
            };
            self.value(below)?;
            if self.closes(b'}') {
                return Some(());
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self, paths: Option<&Paths>) -> Option<()> {
        self.open()?;
        if self.closes(b']') {
            return Some(());
        }
        for place in 0.. {
            self.value(paths.and_then(|paths| paths.find_place(place)))?;
            if self.closes(b']') {
                break;
            }
            self.expect(b',')?;
        }
        Some(())
    }

    fn open(&mut self) -> Option<()> {
        self.at += 1;
        self.depth += 1;
        (self.depth <= DEPTH_MAX).then_some(())
    }

    fn closes(&mut self, with: u8) -> bool {
        self.space();
        let closes = self.peek() == Some(with);
        if closes {
            self.at += 1;
            self.depth -= 1;
        }
        closes
    }

    /// A string, whose first quote comes next.
    fn string(&mut self) -> Option<Text<'a>> {
        let from = self.at;
        let mut has_escapes = false;
        self.at += 1;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
            let plain = rest.iter().position(is_special)?;
            self.at += plain;
            match rest.get(plain)? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
        self.at += 1;
        Some(Text {
            quoted: self.text.get(from..self.at)?,
            has_escapes,
        })
    }

    fn escape(&mut self) -> Option<()> {
        let kind = self.text.as_bytes().get(self.at + 1)?;
        self.at += 2;
        match kind {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
                self.at += 4;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        self.passes(b"-");
        if !self.passes(b"0") {
            self.digits()?;
        }
        if self.passes(b".") {
            self.digits()?;
        }
        if self.passes(b"eE") {
            self.passes(b"+-");
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn passes(&mut self, one_of: &[u8]) -> bool {
        let is_there = self.peek().is_some_and(|byte| one_of.contains(&byte));
        self.at += usize::from(is_there);
        is_there
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += word.len();
        rest.starts_with(word.as_bytes()).then_some(())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.passes(&[byte]).then_some(())
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// A string between its quotes, which were found to be well placed.
struct Text<'a> {
    quoted: &'a str,
    has_escapes: bool,
}

impl<'a> Text<'a> {
    /// What it means. It is copied only if it has escapes.
    fn read(&self) -> Option<Cow<'a, str>> {
        if self.has_escapes {
            return serde_json::from_str(self.quoted).ok().map(Cow::Owned);
        }
        let end = self.quoted.len() - 1;
        self.quoted.get(1..end).map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::mapping::Field;
    use proptest::prelude::*;
    use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
    use serde_json::value::RawValue;

    fn paths() -> Paths {
        let mut mapping = Mapping::default();
        for (field, path) in [
            (Field::Kind, "type"),
            (Field::Bid, "data.bids.0.0"),
            (Field::BidSize, "data.bids.0.1"),
            (Field::Symbol, "data.market"),
        ] {
            mapping.paths[field as usize] = path.to_owned();
        }
        Paths::new(&mapping)
    }

    #[test]
    fn paths_lead_through_objects_and_lists_to_texts_as_they_were_written() {
        let text = br#"{"x":[{"type":1}],"data":{"bids":[[61837.630000000000001,"1.5"],["7","8"]],"market":"A\u002fB"},"type":"book"}"#;
        let found = paths().read(text).unwrap();
        let mut wanted = Fields::default();
        for (field, text) in [
            (Field::Kind, "book"),
            (Field::Bid, "61837.630000000000001"),
            (Field::BidSize, "1.5"),
            (Field::Symbol, "A/B"),
        ] {
            wanted.set(field as usize, text.into());
        }
        assert_eq!(found.shown(), wanted.shown());
    }

    #[test]
    fn several_fields_may_lie_on_one_path_and_lists_go_on_behind_them() {
        let mut mapping = Mapping::default();
        for field in [Field::Bid, Field::Ask, Field::Price] {
            mapping.paths[field as usize] = "p.1".to_owned();
        }
        let paths = Paths::new(&mapping);
        let found = paths.read(br#"{"p":[1,"2",[3],{"4":5}],"side":"buy"}"#);
        let mut wanted = Fields::default();
        for field in [Field::Bid, Field::Ask, Field::Price] {
            wanted.set(field as usize, "2".into());
        }
        wanted.set(Field::Side as usize, "buy".into());
        assert_eq!(found.unwrap().shown(), wanted.shown());
        // What lies behind the last place is checked all the same.
        assert!(paths.read(br#"{"p":[1,"2",x]}"#).is_err());
        assert!(paths.read(br#"{"p":[1]}"#).is_ok());
    }

    #[test]
    fn what_is_not_json_is_malformed_whatever_was_found_before() {
        let paths = paths();
        let refused = |text: &[u8]| assert!(paths.read(text).is_err(), "{text:?}");
        refused(b"");
        refused(b"{");
        refused(br#"{"type":"book"} x"#);
        refused(br#"{"type":"book",}"#);
        refused(br#"{"type":book}"#);
        refused(b"{\"type\":\"\xff\"}");
        refused(&[vec![b'['; 33], vec![b']'; 33]].concat());
        assert!(
            paths
                .read(&[vec![b'['; 32], vec![b']'; 32]].concat())
                .is_ok()
        );
        let nothing = paths.read(br#"{"type":null,"data":true}"#).unwrap();
        assert_eq!(nothing.shown(), "");
    }

    /// An object's members in their order, one of a name beside another.
    struct Members<'a>(Vec<(String, &'a RawValue)>);

    impl<'de> Deserialize<'de> for Members<'de> {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            struct All;
            impl<'de> Visitor<'de> for All {
                type Value = Members<'de>;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut all = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        all.push(member);
                    }
                    Ok(Members(all))
                }
            }
            from.deserialize_map(All)
        }
    }

    /// What the library finds at the paths; `None` where it cannot read a text or a name that is looked at.
    fn by_library_at<'a>(raw: &'a RawValue, paths: &Paths, found: &mut Fields<'a>) -> Option<()> {
        let text = raw.get();
        match text.as_bytes()[0] {
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                for (name, value) in members {
                    if let Some(below) = paths.find(&name) {
                        by_library_at(value, below, found)?;
                    }
                }
            }
            b'[' => {
                let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                for (place, value) in list.into_iter().enumerate() {
                    if let Some(below) = paths.find_place(place) {
                        by_library_at(value, below, found)?;
                    }
                }
            }
            b'"' => {
                for field in paths.fields() {
                    let text: String = serde_json::from_str(text).ok()?;
                    found.set(*field, text.into());
                }
            }
            b'-' | b'0'..=b'9' => {
                for field in paths.fields() {
                    found.set(*field, text.into());
                }
            }
            _ => {}
        }
        Some(())
    }

    #[test]
    fn a_name_may_come_twice_and_an_escape_anywhere() {
        let found = |text: &str| {
            paths()
                .read(text.as_bytes())
                .map(|found| found.shown())
                .ok()
        };
        let book = found(r#"{"type":"book"}"#);
        assert!(book.is_some());
        for same in [
            r#"{"type":"quote","type":"book"}"#,
            r#"{"type":"\u0061","type":"x","type":"b\u006fok"}"#,
            r#"{"type":"\u0061","type":"book"}"#,
            r#"{"t\u0079pe":"book"}"#,
            r#"{"meta":{"\ud800":1,"x":"\ud800"},"type":"book"}"#,
        ] {
            assert_eq!(found(same), book, "{same}");
        }
        assert_eq!(found(r#"{"type":"\ud800"}"#), None);
        assert_eq!(found(r#"{"\ud800":1,"type":"book"}"#), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _answer = paths().read(&bytes);
        }

        /// Pieces of JSON, put together as JSON or not.
        #[test]
        fn json_is_what_the_library_takes_for_it(
            pieces in proptest::collection::vec(
                prop_oneof![
                    "[\\[\\]{},: \n]",
                    "\"(type|data|a|\\\\[nu\"x/]|\\\\u00[4g]1|\\\\ud800|\\\\udc00|ü|\u{1}){0,2}\":?",
                    "\"(type|data|market)\":",
                    "-?(0|1|23|01)(\\.|\\.5)?([eE][+-]?[07]?)?",
                    "(true|false|null|tru)",
                    Just("{\"type\":\"book\"}".to_owned()),
                    Just(",\"data\":[1,2.5]".to_owned()),
                ],
                0..8,
            ),
            wrapped in 0..4,
        ) {
            let text = pieces.concat();
            let text = match wrapped {
                0 => text,
                1 => format!("[{text}]"),
                2 => format!("{{\"x\":{text}}}"),
                _ => format!("{{\"type\":\"quote\",\"data\":{{\"market\":{text}}}}}"),
            };
            let by_library = serde_json::from_str::<&RawValue>(&text);
            let paths = paths();
            let read = paths.read(text.as_bytes());
            let mut wanted = Fields::default();
            let is_read = by_library.is_ok_and(|raw| by_library_at(raw, &paths, &mut wanted).is_some());
            prop_assert_eq!(read.is_ok(), is_read, "{}", text);
            if let Ok(found) = read {
                prop_assert_eq!(found.shown(), wanted.shown(), "{}", text);
            }
        }
    }
}
