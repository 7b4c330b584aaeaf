//! Rows of a JSON array, `[[1727740800000,1,2,1,2,5],...]` or `[{"time":...},...]`, read as they come: numbers keep their text.

use std::io::{self, BufRead};

use crate::cells::Cells;

/// Rows of an array of arrays or of flat objects.
pub(crate) struct JsonRows {
    reader: Box<dyn BufRead + Send>,
    row: u64,
    /// Names of the first object; empty for arrays.
    names: Vec<String>,
    ended: bool,
}

/// Why there is no next row.
pub(crate) enum JsonFault {
    Io(io::Error),
    Shape(&'static str),
}

impl From<io::Error> for JsonFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

const SHAPE: &str = "read is a JSON array of rows, [[time,open,high,low,close,volume],...] or [{\"time\":...,\"open\":...},...]; write it so, as jq -s . FILE > OUT.json does of single lines, or as CSV";
const CUT: &str = "the JSON is cut off here; fetch it again";
const CELL_MAX: usize = 4_096;

impl JsonRows {
    /// Begins at the first character that is no space.
    pub(crate) fn new(reader: Box<dyn BufRead + Send>) -> Self {
        Self {
            reader,
            row: 0,
            names: Vec::new(),
            ended: false,
        }
    }

    pub(crate) const fn row(&self) -> u64 {
        self.row
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Reads the next row; false at the end.
    pub(crate) fn next(&mut self, cells: &mut Cells) -> Result<bool, JsonFault> {
        cells.clear();
        if self.ended {
            return Ok(false);
        }
        let first = self.row == 0;
        self.row += 1;
        if first {
            self.expect(b'[')?;
        }
        match self.mark()? {
            b']' => return self.end(),
            b',' if !first => {}
            mark if first => return self.open(mark, cells),
            _ => return Err(JsonFault::Shape(SHAPE)),
        }
        let mark = self.mark()?;
        self.open(mark, cells)
    }

    fn end(&mut self) -> Result<bool, JsonFault> {
        self.ended = true;
        loop {
            let Some(byte) = self.peek()? else {
                return Ok(false);
            };
            if !byte.is_ascii_whitespace() {
                return Err(JsonFault::Shape(
                    "there is more after the end of the JSON array; one file holds one",
                ));
            }
            self.reader.consume(1);
        }
    }

    fn open(&mut self, mark: u8, cells: &mut Cells) -> Result<bool, JsonFault> {
        match mark {
            b'[' => self.array(cells)?,
            b'{' => self.object(cells)?,
            _ => return Err(JsonFault::Shape(SHAPE)),
        }
        Ok(true)
    }

    fn array(&mut self, cells: &mut Cells) -> Result<(), JsonFault> {
        if !self.names.is_empty() {
            return Err(JsonFault::Shape(SHAPE));
        }
        loop {
            let cell = self.value()?;
            cells.push(&cell);
            match self.mark()? {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(JsonFault::Shape(SHAPE)),
            }
        }
    }

    /// All objects have the keys of the first, in its order.
    fn object(&mut self, cells: &mut Cells) -> Result<(), JsonFault> {
        let first = self.row == 1;
        let mut place = 0;
        loop {
            self.expect(b'"')?;
            let name = self.string()?;
            self.expect(b':')?;
            if first {
                self.names.push(name);
            } else if self.names.get(place) != Some(&name) {
                return Err(JsonFault::Shape(
                    "its keys are not those of the first row, in their order; write all rows alike",
                ));
            }
            place += 1;
            let cell = self.value()?;
            cells.push(&cell);
            match self.mark()? {
                b',' => {}
                b'}' => return Ok(()),
                _ => return Err(JsonFault::Shape(SHAPE)),
            }
        }
    }

    fn value(&mut self) -> Result<String, JsonFault> {
        let first = self.mark()?;
        if first == b'"' {
            return self.string();
        }
        if matches!(first, b'[' | b'{' | b']' | b'}' | b',') {
            return Err(JsonFault::Shape(SHAPE));
        }
        let mut text = vec![first];
        loop {
            let byte = self.peek()?.ok_or(JsonFault::Shape(CUT))?;
            if matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace() {
                return String::from_utf8(text).map_err(|_| JsonFault::Shape(SHAPE));
            }
            if text.len() == CELL_MAX {
                return Err(JsonFault::Shape(SHAPE));
            }
            text.push(byte);
            self.reader.consume(1);
        }
    }

    /// What stands before the closing quote. An escape is in no name and no number that is read: it is kept as it is.
    fn string(&mut self) -> Result<String, JsonFault> {
        let mut text = Vec::new();
        loop {
            let byte = self.peek()?.ok_or(JsonFault::Shape(CUT))?;
            self.reader.consume(1);
            let escaped = text.last() == Some(&b'\\');
            if byte == b'"' && !escaped {
                return String::from_utf8(text)
                    .map_err(|_| JsonFault::Shape("it is no UTF-8 text; save it as UTF-8"));
            }
            if text.len() == CELL_MAX {
                return Err(JsonFault::Shape(SHAPE));
            }
            text.push(byte);
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), JsonFault> {
        if self.mark()? == wanted {
            Ok(())
        } else {
            Err(JsonFault::Shape(SHAPE))
        }
    }

    /// The next byte that is no space.
    fn mark(&mut self) -> Result<u8, JsonFault> {
        loop {
            let byte = self.peek()?.ok_or(JsonFault::Shape(CUT))?;
            self.reader.consume(1);
            if !byte.is_ascii_whitespace() {
                return Ok(byte);
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.reader.fill_buf()?.first().copied())
    }
}
