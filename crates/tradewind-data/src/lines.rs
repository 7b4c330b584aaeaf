//! Lines of a file with their numbers, so that an error can name its place.

use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::input;

/// No line is longer: not even a snapshot of a whole book.
const LINE_MAX: u64 = 16 << 20;

/// The lines of one file, unpacked if it is packed.
pub struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    text: String,
    number: u64,
    whole: bool,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("path", &self.path)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be read, or is packed in a way that is not read.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Ok(Self::over(path, input::open(path)?))
    }

    pub(crate) fn over(path: &Path, reader: Box<dyn BufRead + Send>) -> Self {
        Self {
            path: path.to_owned(),
            reader,
            text: String::new(),
            number: 0,
            whole: true,
        }
    }

    /// Advances to the next line that is not blank; false at the end.
    ///
    /// # Errors
    /// The file is badly packed, no text, or cannot be read on.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        loop {
            let mut bytes = std::mem::take(&mut self.text).into_bytes();
            bytes.clear();
            self.number += 1;
            let mut limited = (&mut self.reader).take(LINE_MAX);
            let read = limited.read_until(b'\n', &mut bytes);
            read.map_err(|error| input::packing(&self.path, self.number, error))?;
            if bytes.is_empty() {
                return Ok(false);
            }
            self.whole = bytes.last() == Some(&b'\n');
            if !self.whole && bytes.len() as u64 >= LINE_MAX {
                return Err(self.error("the line is longer than 16 MiB; it is no table"));
            }
            self.text = String::from_utf8(bytes).map_err(|_| {
                self.error("it is no UTF-8 text; save it as UTF-8, or convert it: iconv -f latin1 -t utf8 FILE > OUT.csv")
            })?;
            if self.text.trim_end().contains('\r') {
                return Err(self.error("its lines end in carriage returns alone; convert them: tr '\\r' '\\n' < FILE > OUT.csv"));
            }
            if !self.text.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    /// The line it stands at.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim_end_matches(['\n', '\r'])
    }

    /// Its number, counted from 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whether the line ended as lines do; false for a last line that the file may have been cut off in.
    pub(crate) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Something is wrong with this line.
    #[must_use]
    pub fn error(&self, reason: &str) -> DataError {
        DataError::line(&self.path, self.number, reason)
    }
}
