//! What the messages of a document have, kept until all of it was read.

use crate::house::mapping::{Field, Fields};

/// The texts of a document's messages in their order. It is kept for the next document, so that a message allocates nothing.
#[derive(Debug, Default)]
pub(in crate::house) struct Tape {
    pieces: Vec<Piece>,
    /// Texts that the document has in another form, such as with entities.
    decoded: String,
    /// Fields that the message has that is read.
    set: u32,
}

/// A text of a field, from byte to byte, or the end of a message.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Written { field: u8, from: u32, to: u32 },
    Decoded { field: u8, from: u32, to: u32 },
    End,
}

const _: () = assert!(Field::ALL.len() <= 32, "each field has a bit");

impl Tape {
    pub(in crate::house) const fn new() -> Self {
        Self {
            pieces: Vec::new(),
            decoded: String::new(),
            set: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.decoded.clear();
        self.set = 0;
    }

    /// Sets those of `fields` that are not set yet to `text`, which has a place in the document if it is written there.
    pub(super) fn put(&mut self, fields: &[usize], text: &str, at: Option<usize>) {
        for field in fields {
            let bit = 1 << field;
            if self.set & bit == 0 {
                self.set |= bit;
                self.push(*field, text, at);
            }
        }
    }

    fn push(&mut self, field: usize, text: &str, at: Option<usize>) {
        let place = |from: usize| {
            let to = u32::try_from(from + text.len());
            let field = u8::try_from(field);
            (
                field.unwrap_or(u8::MAX),
                u32::try_from(from).unwrap_or(u32::MAX),
                to.unwrap_or(u32::MAX),
            )
        };
        let piece = if let Some(at) = at {
            let (field, from, to) = place(at);
            Piece::Written { field, from, to }
        } else {
            let (field, from, to) = place(self.decoded.len());
            self.decoded.push_str(text);
            Piece::Decoded { field, from, to }
        };
        self.pieces.push(piece);
    }

    /// The message ends.
    pub(super) fn end(&mut self) {
        self.set = 0;
        self.pieces.push(Piece::End);
    }

    /// Hands each message of the document that was read to `on`.
    pub(in crate::house) fn messages<'a>(
        &'a self,
        document: &'a str,
        mut on: impl FnMut(&Fields<'a>),
    ) {
        let mut fields = Fields::default();
        for piece in &self.pieces {
            let (within, field, from, to) = match *piece {
                Piece::Written { field, from, to } => (document, field, from, to),
                Piece::Decoded { field, from, to } => (self.decoded.as_str(), field, from, to),
                Piece::End => {
                    on(&fields);
                    fields = Fields::default();
                    continue;
                }
            };
            let text = within.get(from as usize..to as usize);
            fields.set(usize::from(field), text.unwrap_or_default().into());
        }
    }
}
