//! A line cut into cells.

/// The cells of one row, in a buffer that is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    text: String,
    spans: Vec<(usize, usize)>,
}

impl Cells {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
    }

    /// Adds a cell.
    pub(crate) fn push(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.spans.push((start, self.text.len()));
    }

    /// Cuts a line at a separator. A cell in double quotes may contain it.
    pub(crate) fn cut(&mut self, line: &str, separator: u8) {
        self.clear();
        self.text.push_str(line);
        let bytes = line.as_bytes();
        let mut start = 0;
        let mut quoted = false;
        for (at, &byte) in bytes.iter().enumerate() {
            if byte == b'"' {
                quoted = !quoted;
            } else if byte == separator && !quoted {
                self.spans.push(trimmed(bytes, start, at));
                start = at + 1;
            }
        }
        self.spans.push(trimmed(bytes, start, bytes.len()));
    }

    pub(crate) const fn len(&self) -> usize {
        self.spans.len()
    }

    pub(crate) fn get(&self, place: usize) -> Option<&str> {
        let (start, end) = *self.spans.get(place)?;
        self.text.get(start..end)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.spans
            .iter()
            .map(|(start, end)| self.text.get(*start..*end).unwrap_or_default())
    }

    /// Drops empty cells at the end until `width` are left.
    pub(crate) fn shorten(&mut self, width: usize) {
        while self.len() > width && self.spans.last().is_some_and(|(start, end)| start == end) {
            self.spans.pop();
        }
    }
}

/// A cell without the spaces and the quotes around it.
const fn trimmed(bytes: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    while start < end && bytes[start].is_ascii_whitespace() {
        start += 1;
    }
    while start < end && bytes[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    if end - start >= 2 && bytes[start] == b'"' && bytes[end - 1] == b'"' {
        (start + 1, end - 1)
    } else {
        (start, end)
    }
}

/// The separator of a line: what cuts it into three cells at least. A decimal comma is no separator where there is another.
pub(crate) fn separator(line: &str) -> Option<u8> {
    let mut cells = Cells::default();
    [b'\t', b';', b'|', b','].into_iter().find(|separator| {
        cells.cut(line, *separator);
        cells.len() >= 3
    })
}
