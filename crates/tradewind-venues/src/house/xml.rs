//! XML by a mapping: a document whose root has messages as its children, and says where the next reading begins.
//!
//! The same paths as for JSON lead through it: each name is that of an element, the last one perhaps of an attribute, and a
//! number is the place of a child element. What comes first counts. There is no DTD, no entity but the five of XML and
//! characters by number, so a document cannot grow when it is read and cannot name another.
//!
//! A document is read whole before anything of it counts. Most are so plain that a scan over their bytes reads them
//! ([`plain`]); where one is not, the library reads it from its beginning.

mod plain;
mod tape;

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::json::Paths;
use super::mapping::{Field, Mapping};
use crate::protocol::Ignored;
pub(super) use tape::Tape;

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

/// A text of the document, with its place there if it is written as it is meant.
#[derive(Clone, Debug, Default)]
struct Text<'a> {
    text: Cow<'a, str>,
    at: Option<usize>,
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
    text: Text<'a>,
}

impl Element<'_, '_> {
    fn wants_text(&self) -> bool {
        let has_fields = |paths: &Paths| !paths.fields().is_empty();
        self.word.is_some() || self.paths.is_some_and(has_fields)
    }
}

impl Tape {
    /// Reads a document in place of the last one.
    ///
    /// # Errors
    /// [`Ignored::Malformed`] for text that is no document of this kind.
    pub(super) fn read(
        &mut self,
        text: &str,
        (paths, mapping): (&Paths, &Mapping),
    ) -> Result<Envelope, Ignored> {
        let mut walk = Walk::new(paths, mapping, self);
        if plain::read(text, &mut walk).is_some() {
            return Ok(walk.envelope);
        }
        let mut walk = Walk::new(paths, mapping, self);
        by_library(text, &mut walk)?;
        Ok(walk.envelope)
    }
}

fn by_library<'a>(text: &'a str, walk: &mut Walk<'_, 'a>) -> Result<(), Ignored> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|_| Ignored::Malformed)? {
            Event::Start(tag) => start(&tag, walk)?,
            Event::Empty(tag) => {
                start(&tag, walk)?;
                walk.end()?;
            }
            Event::End(_) => walk.end()?,
            Event::Text(piece) => walk.text(piece.into_inner(), None)?,
            Event::CData(piece) => walk.text(piece.into_inner(), None)?,
            Event::GeneralRef(entity) => walk.text(Cow::Owned(character(&entity)?), None)?,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(Ignored::Malformed),
            Event::Eof if walk.is_over => return Ok(()),
            Event::Eof => return Err(Ignored::Malformed),
        }
    }
}

fn start<'a>(tag: &BytesStart<'a>, walk: &mut Walk<'_, 'a>) -> Result<(), Ignored> {
    walk.start(tag.local_name().as_ref(), None)?;
    for (count, attribute) in tag.attributes().enumerate() {
        let attribute = attribute.map_err(|_| Ignored::Malformed)?;
        if count == ATTRIBUTES_MAX {
            return Err(Ignored::Malformed);
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|_| Ignored::Malformed)?;
        if !attribute.key.as_ref().starts_with(XMLNS) {
            walk.attribute(attribute.key.local_name().as_ref(), &value, None);
        }
    }
    Ok(())
}

/// What attributes begin with that say where names come from.
const XMLNS: &str = "xmlns";

/// What is known in the middle of a document.
struct Walk<'p, 'a> {
    paths: &'p Paths,
    kinds: [&'p str; 4],
    tape: &'p mut Tape,
    envelope: Envelope,
    open: Vec<Element<'p, 'a>>,
    /// The root is closed.
    is_over: bool,
}

impl<'p, 'a> Walk<'p, 'a> {
    fn new(paths: &'p Paths, mapping: &'p Mapping, tape: &'p mut Tape) -> Self {
        tape.clear();
        Self {
            paths,
            kinds: mapping.kinds(),
            tape,
            envelope: Envelope::default(),
            open: Vec::new(),
            is_over: false,
        }
    }

    /// An element begins; its name may have a place in the document.
    fn start(&mut self, name: &str, at: Option<usize>) -> Result<(), Ignored> {
        if self.is_over || self.open.len() == DEPTH_MAX {
            return Err(Ignored::Malformed);
        }
        let depth = self.open.len();
        let mut element = Element::default();
        if depth == 1 {
            let mut words = ["from", "next", "more"].into_iter();
            element.word = words.find(|word| *word == name);
            if element.word.is_none() {
                element.paths = Some(self.paths);
                // The name of the element may be the kind of the message.
                if self.kinds.contains(&name) {
                    self.tape.put(&[Field::Kind as usize], name, at);
                }
            }
        } else if let Some(parent) = self.open.last_mut() {
            let place = parent.children;
            parent.children += 1;
            let below = parent.paths;
            element.paths = below.and_then(|paths| paths.find(name).or(paths.find_place(place)));
        }
        self.open.push(element);
        Ok(())
    }

    /// An attribute of the element that began last.
    fn attribute(&mut self, name: &str, value: &str, at: Option<usize>) {
        if let [_root] = self.open.as_slice() {
            return self.envelope.take(name, value);
        }
        let paths = self.open.last().and_then(|element| element.paths);
        if let Some(found) = paths.and_then(|paths| paths.find(name)) {
            self.tape.put(found.fields(), value, at);
        }
    }

    fn text(&mut self, piece: Cow<'a, str>, at: Option<usize>) -> Result<(), Ignored> {
        match self.open.last_mut() {
            None if piece.trim().is_empty() => Ok(()),
            None => Err(Ignored::Malformed),
            Some(element) => {
                if element.wants_text() && element.text.text.is_empty() {
                    element.text = Text { text: piece, at };
                } else if element.wants_text() {
                    element.text.at = None;
                    element.text.text.to_mut().push_str(&piece);
                }
                Ok(())
            }
        }
    }

    fn end(&mut self) -> Result<(), Ignored> {
        let element = self.open.pop().ok_or(Ignored::Malformed)?;
        let text = element.text.text.trim_start();
        let lead = element.text.text.len() - text.len();
        let (text, at) = (text.trim_end(), element.text.at.map(|at| at + lead));
        if let Some(word) = element.word {
            self.envelope.take(word, text);
            return Ok(());
        }
        if let Some(paths) = element.paths
            && !text.is_empty()
        {
            self.tape.put(paths.fields(), text, at);
        }
        match self.open.len() {
            0 => self.is_over = true,
            1 => {
                self.envelope.messages += 1;
                self.tape.end();
            }
            _ => {}
        }
        Ok(())
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
mod tests;
