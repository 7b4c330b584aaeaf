//! Documents as feeds write them: elements with attributes and texts in ASCII marks, and no entity, comment or instruction.
//!
//! It reads less than the library, and that in the same way: what it does not take is for the library to read or to refuse.

use std::borrow::Cow;

use super::{ATTRIBUTES_MAX, Walk, XMLNS};

/// Most attributes of an element that is taken here.
const FEW: usize = 16;
const _: () = assert!(FEW < ATTRIBUTES_MAX, "few are never too many");

/// A byte of a name.
const NAME: u8 = 1;
/// A byte that ends what a text or a value has plainly.
const MARK: u8 = 2;
/// The same for a value only.
const SPACE: u8 = 4;

/// What each byte may be.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => NAME,
            b'\t' | b'\n' | b'\r' => SPACE,
            0..b' ' | b'<' | b'&' | b']' => MARK,
            _ => 0,
        };
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

const fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

/// Reads a whole document.
///
/// Nothing is returned for one that is not plain, whatever the walk has had of it.
pub(super) fn read<'a>(document: &'a str, walk: &mut Walk<'_, 'a>) -> Option<()> {
    let mut scan = Scan {
        document,
        bytes: document.as_bytes(),
        at: 0,
        open: Vec::new(),
    };
    if document.starts_with("<?xml ") {
        scan.at = document.find("?>")? + 2;
    }
    while scan.at < document.len() {
        match (scan.bytes[scan.at], scan.bytes.get(scan.at + 1)) {
            (b'<', Some(b'/')) => scan.end_tag(walk)?,
            (b'<', _) => scan.start_tag(walk)?,
            _ => scan.text(walk)?,
        }
    }
    walk.is_over.then_some(())
}

struct Scan<'a> {
    document: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Names of the elements that are open.
    open: Vec<&'a str>,
}

impl<'a> Scan<'a> {
    fn text(&mut self, walk: &mut Walk<'_, 'a>) -> Option<()> {
        let from = self.at;
        let rest = self.bytes.get(from..)?;
        let length = rest.iter().position(|byte| is(*byte, MARK));
        self.at += length.unwrap_or(rest.len());
        let has_ended = self.bytes.get(self.at).is_none_or(|byte| *byte == b'<');
        let text = self.document.get(from..self.at).filter(|_| has_ended)?;
        // Texts that children part are put together by the library's reader.
        let is_first = walk
            .open
            .last()
            .is_none_or(|element| element.text.text.is_empty());
        let text = Some(text).filter(|_| is_first)?;
        walk.text(Cow::Borrowed(text), Some(from)).ok()
    }

    fn end_tag(&mut self, walk: &mut Walk<'_, 'a>) -> Option<()> {
        self.at += 2;
        let (name, _) = self.name()?;
        self.expect(b'>')?;
        let is_open = self.open.pop() == Some(name);
        walk.end().ok().filter(|()| is_open)
    }

    fn start_tag(&mut self, walk: &mut Walk<'_, 'a>) -> Option<()> {
        self.at += 1;
        let (name, at) = self.name()?;
        walk.start(name, Some(at)).ok()?;
        let mut names = [""; FEW];
        let mut count = 0;
        loop {
            let from = self.at;
            while matches!(self.byte()?, b' ' | b'\t' | b'\n' | b'\r') {
                self.at += 1;
            }
            match self.byte()? {
                b'>' => {
                    self.at += 1;
                    self.open.push(name);
                    return Some(());
                }
                b'/' => {
                    self.at += 1;
                    self.expect(b'>')?;
                    return walk.end().ok();
                }
                _ if self.at == from => return None,
                _ => {}
            }
            let (name, _) = self.name()?;
            let is_known = names.get(..count)?.contains(&name);
            *names.get_mut(count).filter(|_| !is_known)? = name;
            count += 1;
            self.expect(b'=')?;
            let (value, at) = self.value()?;
            if !name.starts_with(XMLNS) {
                walk.attribute(name, value, Some(at));
            }
        }
    }

    /// A name and its place.
    fn name(&mut self) -> Option<(&'a str, usize)> {
        let from = self.at;
        let rest = self.bytes.get(from..)?;
        self.at += rest.iter().position(|byte| !is(*byte, NAME))?;
        // A name begins with a letter.
        let is_name = rest.first().is_some_and(u8::is_ascii_alphabetic);
        let name = self.document.get(from..self.at).filter(|_| is_name)?;
        Some((name, from))
    }

    /// A value between its quotes, and its place.
    fn value(&mut self) -> Option<(&'a str, usize)> {
        let quote = self.byte()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let from = self.at + 1;
        let rest = self.bytes.get(from..)?;
        let ends = |byte: &u8| *byte == quote || is(*byte, MARK | SPACE);
        let length = rest.iter().position(ends)?;
        self.at = from + length;
        self.expect(quote)?;
        Some((self.document.get(from..from + length)?, from))
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let is_there = self.byte()? == byte;
        self.at += usize::from(is_there);
        is_there.then_some(())
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}
