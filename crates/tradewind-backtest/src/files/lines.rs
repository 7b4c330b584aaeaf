//! Lines of a file with their numbers, unpacked if it is packed, so that an error can name its place.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tradewind_simx::recorded::LineError;

use crate::error::BacktestError;

const BUFFER: usize = 1 << 16;

/// The lines of one file.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    line: String,
    number: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, BacktestError> {
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        let file = BufReader::with_capacity(BUFFER, file);
        let packed = path.extension().is_some_and(|extension| extension == "gz");
        let reader: Box<dyn BufRead> = if packed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        Ok(Self {
            path: path.to_owned(),
            reader,
            line: String::new(),
            number: 0,
        })
    }

    /// Advances to the next line that is not blank; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool, BacktestError> {
        loop {
            self.line.clear();
            self.number += 1;
            match self.reader.read_line(&mut self.line) {
                Ok(0) => return Ok(false),
                Ok(_) if self.line.trim().is_empty() => {}
                Ok(_) => return Ok(true),
                Err(error) if is_content(&error) => {
                    return Err(self.error("it is no UTF-8 text, or badly packed"));
                }
                Err(error) => return Err(io_error(&self.path, error)),
            }
        }
    }

    /// The line it stands at.
    pub(super) fn text(&self) -> &str {
        self.line.trim_end()
    }

    /// What a parser made of this line.
    pub(super) fn judge<T>(&self, read: Result<T, LineError>) -> Result<T, BacktestError> {
        read.map_err(|error| self.error(&error.to_string()))
    }

    /// Something is wrong with this line.
    pub(super) fn error(&self, reason: &str) -> BacktestError {
        BacktestError::Malformed {
            path: self.path.clone(),
            line: self.number,
            reason: reason.to_owned(),
        }
    }
}

fn is_content(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

fn io_error(path: &Path, source: io::Error) -> BacktestError {
    BacktestError::Io {
        path: path.to_owned(),
        source,
    }
}
