//! Reads recordings back: block by block, from a time on, up to where a file is whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tradewind_model::Timestamp;

use super::block::{self, HEAD, Head};
use crate::error::DataError;

/// The blocks of a file, from its beginning or from a time on.
#[derive(Debug)]
pub struct Blocks {
    path: PathBuf,
    file: BufReader<File>,
    /// Where the next block begins.
    at: u64,
    length: u64,
    bytes: Vec<u8>,
}

/// One step through a file.
enum Step {
    Block(Head),
    /// The file ends with a whole block.
    End,
    /// What begins here is no whole block, but may have been the beginning of one.
    Torn,
    /// What begins here is something else.
    Other,
}

impl Blocks {
    /// Opens a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let io = |source| DataError::io(path, source);
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        Ok(Self {
            path: path.to_owned(),
            file: BufReader::new(file),
            at: 0,
            length,
            bytes: Vec::new(),
        })
    }

    /// Goes to the first block that has lines of `at` or later. Only heads are read on the way.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn seek(&mut self, at: Timestamp) -> io::Result<()> {
        while let Step::Block(head) = self.step()? {
            if head.last >= at {
                break;
            }
            self.at += u64::from(head.bytes);
        }
        Ok(())
    }

    /// The lines of the next block; `None` at the end and where the file is torn.
    ///
    /// # Errors
    /// A block whose checksum or number of lines is wrong.
    pub fn next_block(&mut self) -> io::Result<Option<String>> {
        let Step::Block(head) = self.step()? else {
            return Ok(None);
        };
        self.unpack(&head).map(Some)
    }

    fn step(&mut self) -> io::Result<Step> {
        if self.at == self.length {
            return Ok(Step::End);
        }
        let mut head = Vec::with_capacity(HEAD);
        self.file.seek(SeekFrom::Start(self.at))?;
        (&mut self.file).take(HEAD as u64).read_to_end(&mut head)?;
        if head.len() < HEAD {
            let is_ours = block::MAGIC
                .iter()
                .zip(&head)
                .all(|(one, other)| one == other);
            return Ok(if is_ours { Step::Torn } else { Step::Other });
        }
        Ok(match block::head(&head) {
            Some(head) if self.at + u64::from(head.bytes) <= self.length => Step::Block(head),
            Some(_) => Step::Torn,
            None => Step::Other,
        })
    }

    /// Whether a block begins anywhere behind this place: then what is here is damage, and no torn end.
    fn has_head_behind(&mut self) -> Result<bool, DataError> {
        let io = |source| DataError::io(&self.path, source);
        self.file.seek(SeekFrom::Start(self.at)).map_err(io)?;
        let mut window = Vec::new();
        loop {
            let read = (&mut self.file).take(1 << 16).read_to_end(&mut window);
            let is_end = read.map_err(io)? == 0;
            if window
                .windows(HEAD)
                .any(|bytes| block::head(bytes).is_some())
            {
                return Ok(true);
            }
            if is_end {
                return Ok(false);
            }
            window.drain(..window.len().saturating_sub(HEAD - 1));
        }
    }

    fn unpack(&mut self, head: &Head) -> io::Result<String> {
        self.bytes.resize(head.bytes as usize, 0);
        self.file.seek(SeekFrom::Start(self.at))?;
        self.file.read_exact(&mut self.bytes)?;
        self.at += u64::from(head.bytes);
        block::unpack(&self.bytes, head)
    }
}

/// What a file of a recording holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Blocks that are whole.
    pub blocks: u64,
    /// Their lines.
    pub lines: u64,
    /// The first time in them.
    pub first: Option<Timestamp>,
    /// The last time in them.
    pub last: Option<Timestamp>,
    /// Bytes of the whole blocks at the beginning.
    pub whole_bytes: u64,
    /// Bytes behind them, which are no whole block: what was being written when its writer was killed.
    pub torn_bytes: u64,
    /// Whether it is a recording, even if it is empty or torn within its first block.
    pub is_recording: bool,
}

/// Reads a file to its end and compares every checksum.
///
/// # Errors
/// It cannot be read, or a block within it is damaged.
pub fn examine(path: &Path) -> Result<Examined, DataError> {
    let mut blocks = Blocks::open(path)?;
    let mut found = Examined {
        is_recording: true,
        ..Examined::default()
    };
    let at_block = |number: u64, error: io::Error| {
        let number = number + 1;
        DataError::file(path, format!("block {number} is damaged ({error})"))
    };
    loop {
        match blocks
            .step()
            .map_err(|source| DataError::io(path, source))?
        {
            Step::Block(head) => {
                if let Err(error) = blocks.unpack(&head) {
                    // A last block that is not what it says was being written when the power went.
                    if blocks.at < blocks.length {
                        return Err(at_block(found.blocks, error));
                    }
                    found.torn_bytes = blocks.length - found.whole_bytes;
                    return Ok(found);
                }
                found.blocks += 1;
                found.lines += u64::from(head.lines);
                found.first = Some(
                    found
                        .first
                        .map_or(head.first, |first| first.min(head.first)),
                );
                found.last = found.last.max(Some(head.last));
                found.whole_bytes = blocks.at;
            }
            Step::End => return Ok(found),
            Step::Torn => {
                found.torn_bytes = blocks.length - blocks.at;
                return Ok(found);
            }
            Step::Other if found.blocks == 0 => {
                found.is_recording = false;
                return Ok(found);
            }
            Step::Other if !blocks.has_head_behind()? => {
                found.torn_bytes = blocks.length - blocks.at;
                return Ok(found);
            }
            Step::Other => {
                let no_head = io::Error::new(io::ErrorKind::InvalidData, "it has no head");
                return Err(at_block(found.blocks, no_head));
            }
        }
    }
}

/// Looks at the end of a file: only heads are read on the way, and the last block is unpacked. What is behind the whole blocks
/// is torn, unless a block follows it. `None` for a file that is no recording.
fn torn(path: &Path) -> Result<Option<Examined>, DataError> {
    let mut blocks = Blocks::open(path)?;
    let io = |source| DataError::io(path, source);
    let (mut found, mut last) = (Examined::default(), None);
    while let Step::Block(head) = blocks.step().map_err(io)? {
        last = Some((blocks.at, head));
        blocks.at += u64::from(head.bytes);
    }
    found.whole_bytes = blocks.at;
    match blocks.step().map_err(io)? {
        Step::Other if last.is_none() => return Ok(None),
        Step::Other if blocks.has_head_behind()? => {
            return Err(DataError::file(path, "it is damaged before its end"));
        }
        Step::End => {
            if let Some((at, head)) = last {
                blocks.at = at;
                if blocks.unpack(&head).is_err() {
                    found.whole_bytes = at;
                }
            }
        }
        _ => {}
    }
    found.torn_bytes = blocks.length - found.whole_bytes;
    Ok(Some(found))
}

/// Takes the recording in a folder for oneself: as long as the lock is held nobody else records there or cuts its files.
///
/// # Errors
/// Somebody does.
pub(super) fn lock(folder: &Path) -> Result<File, DataError> {
    let io = |source| DataError::io(folder, source);
    let lock = File::create(folder.join("lock")).map_err(io)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DataError::file(
            folder,
            "a recorder is at work in it; stop it, or name another folder",
        )),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

/// Cuts off what is torn at the end of a file; returns how many bytes.
///
/// # Errors
/// It cannot be read or changed, is damaged before its end, is no recording, or its folder is being recorded into.
pub fn repair(path: &Path) -> Result<u64, DataError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let _lock = lock(folder.unwrap_or(Path::new(".")))?;
    let cut = cut(path)?;
    cut.ok_or_else(|| DataError::file(path, "it is no recording"))
}

/// The same under a lock that is held; `None` for a file that is no recording.
pub(super) fn cut(path: &Path) -> Result<Option<u64>, DataError> {
    let Some(found) = torn(path)? else {
        return Ok(None);
    };
    if found.torn_bytes > 0 {
        let io = |source| DataError::io(path, source);
        let file = OpenOptions::new().write(true).open(path).map_err(io)?;
        file.set_len(found.whole_bytes).map_err(io)?;
        file.sync_all().map_err(io)?;
    }
    Ok(Some(found.torn_bytes))
}
