//! XML by a mapping: a document whose root has messages as its children, and says where the next reading begins.
//!
//! The same paths as for JSON lead through it: each name is that of an element, the last one perhaps of an attribute, and a
//! number is the place of a child element. What comes first counts. There is no DTD, no entity but the five of XML and
//! characters by number, so a document cannot grow when it is read and cannot name another.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::json::Paths;
use super::mapping::{Field, Fields, Mapping};
use crate::protocol::Ignored;

/// How deep elements may lie in each other.
const DEPTH_MAX: usize = 32;

/// Most attributes of an element: each is compared with those before it.
const ATTRIBUTES_MAX: usize = 64;

/// What a document says besides its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The cursor that it begins behind.
    pub(super) from: Option<String>,
    /// The cursor that the next reading names.
    pub(super) next: Option<String>,
    /// More messages lie behind it already.
    pub(super) has_more: bool,
    /// How many messages it has.
    pub(super) messages: usize,
}

impl Envelope {
    /// Keeps `value` if `name` is one of its own words.
    fn take(&mut self, name: &str, value: &str) {
        match name {
            "from" => self.from = Some(value.to_owned()),
            "next" => self.next = Some(value.to_owned()),
            "more" => self.has_more = ["true", "1"].contains(&value),
            _ => {}
        }
    }
}

/// An element that is open.
#[derive(Default)]
struct Element<'p, 'a> {
    /// What is looked for in it; nothing where no path leads.
    paths: Option<&'p Paths>,
    /// It is a word of the envelope.
    word: Option<&'static str>,
    /// Child elements that began.
    children: usize,
    text: Cow<'a, str>,
}

/// Reads a document and hands each message to `on`.
///
/// # Errors
/// [`Ignored::Malformed`] for text that is no document of this kind; `on` may have had messages of it.
pub(super) fn read<'a>(
    text: &'a str,
    (paths, mapping): (&Paths, &Mapping),
    mut on: impl FnMut(&Fields<'a>),
) -> Result<Envelope, Ignored> {
    let mut walk = Walk {
        root: (paths, mapping),
        envelope: Envelope::default(),
        open: Vec::new(),
        fields: Fields::default(),
        is_over: false,
    };
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|_| Ignored::Malformed)? {
            Event::Start(tag) => walk.start(&tag)?,
            Event::Empty(tag) => {
                walk.start(&tag)?;
                walk.end(&mut on)?;
            }
            Event::End(_) => walk.end(&mut on)?,
            Event::Text(piece) => walk.text(piece.into_inner())?,
            Event::CData(piece) => walk.text(piece.into_inner())?,
            Event::GeneralRef(entity) => walk.text(Cow::Owned(character(&entity)?))?,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(Ignored::Malformed),
            Event::Eof if walk.is_over => return Ok(walk.envelope),
            Event::Eof => return Err(Ignored::Malformed),
        }
    }
}

struct Walk<'p, 'a> {
    root: (&'p Paths, &'p Mapping),
    envelope: Envelope,
    open: Vec<Element<'p, 'a>>,
    /// What the message that is open has.
    fields: Fields<'a>,
    /// The root is closed.
    is_over: bool,
}

impl<'p, 'a> Walk<'p, 'a> {
    fn start(&mut self, tag: &BytesStart<'a>) -> Result<(), Ignored> {
        if self.is_over || self.open.len() == DEPTH_MAX {
            return Err(Ignored::Malformed);
        }
        let name = tag.local_name();
        let name = name.as_ref();
        let depth = self.open.len();
        let (paths, mapping) = self.root;
        let mut element = Element::default();
        if depth == 1 {
            element.word = ["from", "next", "more"]
                .into_iter()
                .find(|word| *word == name);
            if element.word.is_none() {
                element.paths = Some(paths);
                self.fields = Fields::default();
                // The name of the element may be the kind of the message.
                let kinds = mapping.kinds();
                if let Some(kind) = kinds.into_iter().find(|kind| *kind == name) {
                    self.fields
                        .set(Field::Kind as usize, Cow::Owned(kind.to_owned()));
                }
            }
        } else if let Some(parent) = self.open.last_mut() {
            let place = parent.children;
            parent.children += 1;
            let below = parent.paths;
            element.paths = below.and_then(|paths| paths.find(name).or(paths.find_place(place)));
        }
        self.attributes(tag, element.paths)?;
        self.open.push(element);
        Ok(())
    }

    fn attributes(
        &mut self,
        tag: &BytesStart<'a>,
        paths: Option<&'p Paths>,
    ) -> Result<(), Ignored> {
        for (count, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|_| Ignored::Malformed)?;
            if count == ATTRIBUTES_MAX {
                return Err(Ignored::Malformed);
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| Ignored::Malformed)?;
            if attribute.key.as_ref().starts_with("xmlns") {
                continue;
            }
            let name = attribute.key.local_name();
            if self.open.is_empty() {
                self.envelope.take(name.as_ref(), &value);
            } else if let Some(found) = paths.and_then(|paths| paths.find(name.as_ref())) {
                for field in found.fields() {
                    self.fields
                        .set_first(*field, || Cow::Owned(value.clone().into_owned()));
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, piece: Cow<'a, str>) -> Result<(), Ignored> {
        match self.open.last_mut() {
            None if piece.trim().is_empty() => Ok(()),
            None => Err(Ignored::Malformed),
            Some(element) => {
                let is_wanted = element.word.is_some()
                    || element
                        .paths
                        .is_some_and(|paths| !paths.fields().is_empty());
                if is_wanted && element.text.is_empty() {
                    element.text = piece;
                } else if is_wanted {
                    element.text.to_mut().push_str(&piece);
                }
                Ok(())
            }
        }
    }

    fn end(&mut self, on: &mut impl FnMut(&Fields<'a>)) -> Result<(), Ignored> {
        let element = self.open.pop().ok_or(Ignored::Malformed)?;
        if let Some(word) = element.word {
            self.envelope.take(word, element.text.trim());
            return Ok(());
        }
        if let Some(paths) = element.paths
            && !element.text.trim().is_empty()
        {
            let text = &element.text;
            for field in paths.fields() {
                self.fields.set_first(*field, || trimmed(text));
            }
        }
        match self.open.len() {
            0 => self.is_over = true,
            1 => {
                self.envelope.messages += 1;
                on(&self.fields);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A text without the space around it, borrowed if it was.
fn trimmed<'a>(text: &Cow<'a, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The character that a reference stands for: by number, or one of the five that XML knows.
fn character(entity: &BytesRef<'_>) -> Result<String, Ignored> {
    let by_number = entity.resolve_char_ref().map_err(|_| Ignored::Malformed)?;
    match by_number {
        Some(character) => Ok(character.to_string()),
        None => {
            let known = resolve_predefined_entity(entity);
            known.map(str::to_owned).ok_or(Ignored::Malformed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The fields of each message, and the envelope.
    fn read_all(mapping: &Mapping, text: &str) -> Result<(Vec<String>, Envelope), Ignored> {
        let mut all = Vec::new();
        let paths = Paths::new(mapping);
        let envelope = read(text, (&paths, mapping), |fields| all.push(fields.shown()))?;
        Ok((all, envelope))
    }

    #[test]
    fn elements_and_attributes_are_fields_and_the_root_says_what_is_next() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <feed from="7" next="a&amp;9" more="true"><!-- prices -->
              <quote symbol="BTC/USDT" sequence="8"><bid>60000.5</bid><ask> 60001&#46;5 </ask><bid_size><![CDATA[1.5]]></bid_size></quote>
              <m:message xmlns:m="urn:x" kind="trade" price='1'/>
            </feed>"#;
        let (all, envelope) = read_all(&Mapping::default(), text).unwrap();
        assert_eq!(
            all,
            [
                "kind=quote symbol=BTC/USDT bid=60000.5 ask=60001.5 bid_size=1.5 sequence=8",
                "kind=trade price=1"
            ]
        );
        let wanted = Envelope {
            from: Some("7".to_owned()),
            next: Some("a&9".to_owned()),
            has_more: true,
            messages: 2,
        };
        assert_eq!(envelope, wanted);
    }

    #[test]
    fn paths_lead_through_elements_and_places_and_the_first_counts() {
        let mut mapping = Mapping::default();
        for (field, path) in [
            (Field::Bid, "bids.0.price"),
            (Field::BidSize, "bids.0.size"),
            (Field::Ask, "asks.level"),
            (Field::Symbol, "market.id"),
        ] {
            path.clone_into(&mut mapping.paths[field as usize]);
        }
        let text = r#"<r><next>12</next><book><market id="A"/><bids><level price="5" size="1"/><level price="4" size="9"/></bids>
            <asks><level>6</level><level>7</level></asks></book></r>"#;
        let (all, envelope) = read_all(&mapping, text).unwrap();
        assert_eq!(all, ["symbol=A bid=5 ask=6 bid_size=1"]);
        assert_eq!(envelope.next.as_deref(), Some("12"));
    }

    #[test]
    fn what_grows_or_leads_elsewhere_is_refused() {
        let refused = |text: &str| {
            assert_eq!(
                read_all(&Mapping::default(), text).map(|_| ()),
                Err(Ignored::Malformed),
                "{text}"
            );
        };
        refused("<!DOCTYPE feed><feed/>");
        refused(
            r#"<!DOCTYPE f [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><f><quote bid="&b;"/></f>"#,
        );
        refused(r#"<!DOCTYPE f SYSTEM "file:///etc/passwd"><f/>"#);
        refused(r#"<f><quote bid="&b;"/></f>"#);
        refused("<f><quote><bid>&xxe;</bid></quote></f>");
        refused("<f><quote><bid>&#0;</bid></quote></f>");
        refused("");
        refused("words");
        refused("<f>");
        refused("<f></g>");
        refused("<f/><f/>");
        refused("<f/>words");
        refused(r#"<f><quote bid="1" bid="2"/></f>"#);
        refused(&format!("{}{}", "<f>".repeat(33), "</f>".repeat(33)));
        let many: Vec<String> = (0..65).map(|place| format!("a{place}='1'")).collect();
        refused(&format!("<f><quote {}/></f>", many.join(" ")));
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "(<|/|>|a|b|=|'|\"|&|;|!|\\?|\\[|\\]|-| |#){0,60}") {
            let _answer = read_all(&Mapping::default(), &text);
        }
    }
}
