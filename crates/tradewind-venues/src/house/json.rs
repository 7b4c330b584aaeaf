//! JSON by a mapping: one pass, numbers as they were written, everything else checked and skipped.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::mapping::{Fields, Mapping};
use crate::protocol::Ignored;
use crate::wire::json::is_too_deep;

/// The paths of a mapping as a tree, so that a message is walked once.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths {
    /// The fields that lie here.
    fields: Vec<usize>,
    below: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug)]
struct Step {
    name: String,
    /// The same as a place in a list, if it is one.
    place: Option<usize>,
    paths: Paths,
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
        root
    }

    fn step(&mut self, name: &str) -> &mut Self {
        let known = self.below.iter().position(|step| step.name == name);
        let at = known.unwrap_or_else(|| {
            self.below.push(Step {
                name: name.to_owned(),
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

    /// The fields that lie here.
    pub(super) fn fields(&self) -> &[usize] {
        &self.fields
    }

    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        let found = self.below.iter().find(|step| step.name == name);
        found.map(|step| &step.paths)
    }

    pub(super) fn find_place(&self, place: usize) -> Option<&Self> {
        let found = self.below.iter().find(|step| step.place == Some(place));
        found.map(|step| &step.paths)
    }

    /// Places of a list that are looked at; what follows them is only checked.
    fn places(&self) -> usize {
        let places = self.below.iter().filter_map(|step| step.place);
        places.max().map_or(0, |last| last.saturating_add(1))
    }

    /// What `bytes`, one JSON object or list, has at the paths.
    ///
    /// # Errors
    /// [`Ignored::Malformed`] for bytes that are not JSON in UTF-8, or nested deeper than 32.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Result<Fields<'a>, Ignored> {
        if is_too_deep(bytes) {
            return Err(Ignored::Malformed);
        }
        let mut found = Fields::default();
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let walk = Walk(self, &mut found);
        walk.deserialize(&mut json)
            .map_err(|_| Ignored::Malformed)?;
        json.end().map_err(|_| Ignored::Malformed)?;
        Ok(found)
    }
}

struct Walk<'p, 'f, 'a>(&'p Paths, &'f mut Fields<'a>);

impl<'a> DeserializeSeed<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        if self.0.fields.is_empty() {
            return json.deserialize_any(self);
        }
        let raw = <&RawValue>::deserialize(json)?.get();
        match raw.as_bytes().first() {
            Some(b'"') => {
                let text: Text<'a> = serde_json::from_str(raw).map_err(serde::de::Error::custom)?;
                for field in &self.0.fields {
                    self.1.set(*field, text.0.clone());
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                for field in &self.0.fields {
                    self.1.set(*field, Cow::Borrowed(raw));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// A string that is copied only if it has escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'a>>()? {
            match self.0.find(&name) {
                Some(paths) => map.next_value_seed(Walk(paths, &mut *self.1))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        for place in 0..self.0.places() {
            let next = match self.0.find_place(place) {
                Some(paths) => list.next_element_seed(Walk(paths, &mut *self.1))?,
                None => list.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if next.is_none() {
                return Ok(());
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::mapping::Field;
    use proptest::prelude::*;

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
        assert_eq!(format!("{found:?}"), format!("{wanted:?}"));
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
        assert_eq!(format!("{:?}", found.unwrap()), format!("{wanted:?}"));
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
        assert_eq!(format!("{nothing:?}"), format!("{:?}", Fields::default()));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _answer = paths().read(&bytes);
        }
    }
}
