//! Writes a recording: lines into blocks, blocks into files of a limited size and age.
//!
//! A block is written by one call once it is full or a second old, so a process that is killed loses that much at most. When
//! the disk refuses, the file is cut back to its last whole block, the block that waits is kept, and what comes beyond it is
//! counted as lost; the writer tries again every few seconds and then writes down what was lost. It has no clock: its caller
//! brings the time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tradewind_model::Timestamp;

use super::block;
use super::reader::{cut, lock};
use crate::error::DataError;
use crate::time;

/// How often a disk that refused is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// A block that waits for the disk is this many times as long as others before lines are lost.
const WAITING_MAX: usize = 4;

/// Where blocks go.
pub trait Disk {
    /// Begins a file; it must not exist.
    ///
    /// # Errors
    /// The file system's.
    fn create(&mut self, name: &str) -> io::Result<()>;

    /// Appends a block to the file. When it fails, nothing of the block is left in it.
    ///
    /// # Errors
    /// The file system's.
    fn append(&mut self, block: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// The file system's.
    fn sync(&mut self) -> io::Result<()>;
}

/// How a recording is written.
#[derive(Clone, Debug)]
pub struct RecordingSettings {
    /// What its files begin with.
    pub name: String,
    /// A file that is as long is closed, and the next one begun.
    pub rotate_bytes: u64,
    /// A file that is as old is closed, and the next one begun.
    pub rotate_after: Duration,
    /// A block of so much text is written.
    pub block_bytes: usize,
    /// A block that is as old is written.
    pub block_after: Duration,
    /// Bytes that are left free on the disk for others.
    pub free_min: u64,
    /// The most that the files in the folder may have together.
    pub total_max: u64,
}

impl RecordingSettings {
    /// Files of 256 MiB or an hour, blocks of 256 KiB or a second, as much as the disk takes.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            rotate_bytes: 256 << 20,
            rotate_after: Duration::from_secs(3_600),
            block_bytes: 256 << 10,
            block_after: Duration::from_secs(1),
            free_min: 0,
            total_max: u64::MAX,
        }
    }
}

/// Frames that are not in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// How many.
    pub frames: u64,
    /// When the first of them was received.
    pub from: Timestamp,
    /// When the last of them was received.
    pub to: Timestamp,
}

impl Loss {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            frames: self.frames + other.frames,
            from: self.from.min(other.from),
            to: self.to.max(other.to),
        }
    }
}

/// What a writer has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingStatus {
    /// Lines on the disk.
    pub lines: u64,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Files that were begun.
    pub files: u64,
    /// Frames that were lost, for whatever reason.
    pub lost: u64,
    /// What the disk said last, while it refuses.
    pub refused: Option<String>,
}

#[derive(Debug)]
struct Open {
    began: Timestamp,
    bytes: u64,
    last: Timestamp,
    /// Whether what each file begins with is in it.
    is_headed: bool,
}

/// The block that is being filled.
#[derive(Debug)]
struct Filling {
    text: Vec<u8>,
    lines: u32,
    /// Of them those that are frames, which count when they are lost.
    frames: u64,
    began: Timestamp,
    first: Timestamp,
    last: Timestamp,
}

/// Writes a recording.
#[derive(Debug)]
pub struct RecordingWriter<D> {
    disk: D,
    settings: RecordingSettings,
    open: Option<Open>,
    /// Notes that each file after the first one begins with: without them it could not be read by itself.
    heading: Vec<String>,
    filling: Filling,
    lost: Option<Loss>,
    retry_at: Timestamp,
    status: RecordingStatus,
}

impl<D: Disk> RecordingWriter<D> {
    /// A writer that has written nothing.
    pub const fn new(disk: D, settings: RecordingSettings) -> Self {
        Self {
            disk,
            settings,
            open: None,
            heading: Vec::new(),
            filling: Filling::new(),
            lost: None,
            retry_at: Timestamp::EPOCH,
            status: RecordingStatus {
                lines: 0,
                bytes: 0,
                files: 0,
                lost: 0,
                refused: None,
            },
        }
    }

    /// Adds a frame that was received at `at`: one line of JSON without its end. `now` is the writer's time.
    pub fn frame(&mut self, at: Timestamp, frame: &[u8], now: Timestamp) {
        if self.status.refused.is_some()
            && self.filling.text.len() >= self.settings.block_bytes * WAITING_MAX
        {
            return self.lose(Loss {
                frames: 1,
                from: at,
                to: at,
            });
        }
        self.filling.line(at, frame, now);
        self.filling.frames += 1;
        if self.filling.text.len() >= self.settings.block_bytes {
            self.write(now);
        }
    }

    /// Adds a line about the recording itself, which is no frame.
    pub fn note(&mut self, at: Timestamp, note: &[u8], now: Timestamp) {
        self.filling.line(at, note, now);
    }

    /// Each file from the next one on begins with these notes.
    pub fn head_with(&mut self, notes: Vec<String>) {
        self.heading = notes;
    }

    /// Writes down that frames were lost before they came here, or does so once the disk takes lines again.
    pub fn lose(&mut self, loss: Loss) {
        self.status.lost += loss.frames;
        self.lost = Some(self.lost.map_or(loss, |known| known.and(loss)));
    }

    /// Time has passed: writes a block that is old enough, and tries a disk again that refused.
    pub fn tick(&mut self, now: Timestamp) {
        let is_old = now.since(self.filling.began) >= self.settings.block_after;
        if self.lost.is_some() || self.filling.lines > 0 && is_old {
            self.write(now);
        }
    }

    /// Writes what is left and makes it durable; `false` if the disk did not take it.
    pub fn finish(&mut self, now: Timestamp) -> bool {
        self.retry_at = Timestamp::EPOCH;
        self.write(now);
        let unwritten = self.filling.frames;
        if unwritten > 0 {
            self.status.lost += unwritten;
        }
        self.status.refused.is_none() && self.disk.sync().is_ok()
    }

    /// What it has done.
    pub const fn status(&self) -> &RecordingStatus {
        &self.status
    }

    fn write(&mut self, now: Timestamp) {
        if self.status.refused.is_some() && now < self.retry_at {
            return;
        }
        match self.write_block(now) {
            Ok(()) => self.status.refused = None,
            Err(error) => {
                self.status.refused = Some(error.to_string());
                self.retry_at = now + RETRY_AFTER;
            }
        }
    }

    fn write_block(&mut self, now: Timestamp) -> io::Result<()> {
        if self.filling.lines > 0 {
            self.append(now)?;
        }
        // What was lost came after the block that waited, so it stands behind it.
        if let Some(Loss { frames, from, to }) = self.lost {
            let (first, last) = (from.as_nanos(), to.as_nanos());
            let note = format!(
                r#"{{"stream":"tradewind@lost","data":{{"frames":{frames},"from":{first},"to":{last}}}}}"#
            );
            self.filling.line(to, note.as_bytes(), now);
            let appended = self.append(now);
            if appended.is_err() {
                self.filling = Filling::new();
            }
            appended?;
            self.lost = None;
        }
        Ok(())
    }

    fn append(&mut self, now: Timestamp) -> io::Result<()> {
        self.rotate(now)?;
        self.head(now)?;
        let Filling {
            text,
            lines,
            first,
            last,
            ..
        } = &self.filling;
        let block = block::pack(text, *lines, *first, *last)?;
        self.disk.append(&block)?;
        let bytes = block.len() as u64;
        if let Some(open) = &mut self.open {
            open.bytes += bytes;
            open.last = *last;
        }
        self.status.bytes += bytes;
        self.status.lines += u64::from(*lines);
        self.filling = Filling::new();
        Ok(())
    }

    /// Writes what a file begins with that was just begun.
    fn head(&mut self, now: Timestamp) -> io::Result<()> {
        let Some(open) = self.open.as_mut().filter(|open| !open.is_headed) else {
            return Ok(());
        };
        if !self.heading.is_empty() {
            let mut head = Filling::new();
            for note in &self.heading {
                head.line(self.filling.first, note.as_bytes(), now);
            }
            let block = block::pack(&head.text, head.lines, head.first, head.last)?;
            self.disk.append(&block)?;
            open.bytes += block.len() as u64;
            self.status.bytes += block.len() as u64;
            self.status.lines += u64::from(head.lines);
        }
        open.is_headed = true;
        Ok(())
    }

    /// Begins a file if there is none, or the one there is is full. Frames of one read have one time and stay in one file.
    fn rotate(&mut self, now: Timestamp) -> io::Result<()> {
        let RecordingSettings {
            rotate_bytes,
            rotate_after,
            ..
        } = self.settings;
        if let Some(open) = &self.open {
            let is_full = open.bytes >= rotate_bytes || now.since(open.began) >= rotate_after;
            if !is_full || self.filling.first <= open.last {
                return Ok(());
            }
            self.disk.sync()?;
        }
        let stamp = time::compact(self.filling.first);
        self.disk
            .create(&format!("{}-{stamp}", self.settings.name))?;
        self.status.files += 1;
        self.open = Some(Open {
            began: now,
            bytes: 0,
            last: Timestamp::EPOCH,
            // In the first one they stand where they became known.
            is_headed: self.status.files == 1,
        });
        Ok(())
    }
}

impl Filling {
    const fn new() -> Self {
        Self {
            text: Vec::new(),
            lines: 0,
            frames: 0,
            began: Timestamp::EPOCH,
            first: Timestamp::EPOCH,
            last: Timestamp::EPOCH,
        }
    }

    fn line(&mut self, at: Timestamp, frame: &[u8], now: Timestamp) {
        if self.lines == 0 {
            (self.began, self.first, self.last) = (now, at, at);
        }
        (self.first, self.last) = (self.first.min(at), self.last.max(at));
        self.lines += 1;
        let stamp = at.as_nanos().to_string();
        self.text.extend_from_slice(stamp.as_bytes());
        self.text.push(b' ');
        // A line end within JSON is space.
        let plain = |byte: &u8| match byte {
            b'\n' | b'\r' => b' ',
            byte => *byte,
        };
        self.text.extend(frame.iter().map(plain));
        self.text.push(b'\n');
    }
}

/// Files in a folder.
#[derive(Debug)]
pub struct FolderDisk {
    folder: PathBuf,
    file: Option<File>,
    length: u64,
    /// A part of a block may stand behind `length`.
    is_torn: bool,
    free_min: u64,
    total_max: u64,
    /// Bytes in all files of the folder.
    total: u64,
    _lock: File,
}

/// What was found at the end of a file of a former run.
#[derive(Debug)]
pub struct Former {
    /// The file.
    pub path: PathBuf,
    /// How many bytes were cut off, or why the file was left as it is.
    pub cut: Result<u64, DataError>,
}

impl FolderDisk {
    /// Opens or makes a folder, and cuts off what a writer that was killed left torn at the end of a file. Returns the files
    /// that were cut, and those that are damaged: they stay as they are, and do not keep a recorder from its work.
    ///
    /// # Errors
    /// The folder cannot be used, or another recorder is at work in it.
    pub fn open(
        folder: PathBuf,
        settings: &RecordingSettings,
    ) -> Result<(Self, Vec<Former>), DataError> {
        let io = |source| DataError::io(&folder, source);
        fs::create_dir_all(&folder).map_err(io)?;
        let lock = lock(&folder)?;
        let mut former = Vec::new();
        for entry in fs::read_dir(&folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_none_or(|ending| ending != "gz") {
                continue;
            }
            let cut = match cut(&path) {
                Ok(None | Some(0)) => continue,
                Ok(Some(bytes)) => Ok(bytes),
                Err(error) => Err(error),
            };
            former.push(Former { path, cut });
        }
        former.sort_by(|one, other| one.path.cmp(&other.path));
        let total = total_of(&folder).map_err(io)?;
        let disk = Self {
            free_min: settings.free_min,
            total_max: settings.total_max,
            total,
            folder,
            file: None,
            length: 0,
            is_torn: false,
            _lock: lock,
        };
        Ok((disk, former))
    }
}

/// Bytes of the recording's files in a folder.
fn total_of(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|end| end == "gz") {
            total += entry.metadata()?.len();
        }
    }
    Ok(total)
}

impl FolderDisk {
    /// Refuses a block for which there is no room beside what others need.
    fn make_sure_of_room(&mut self, bytes: u64) -> io::Result<()> {
        if self.total.saturating_add(bytes) > self.total_max {
            // Somebody may have moved files away.
            self.total = total_of(&self.folder)?;
        }
        if self.total.saturating_add(bytes) > self.total_max {
            let most = self.total_max >> 20;
            return Err(io::Error::other(format!(
                "the recording has the {most} MiB that it may have; move its older files away"
            )));
        }
        if self.free_min > 0 {
            let disk = rustix::fs::statvfs(&self.folder)?;
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if free < self.free_min.saturating_add(bytes) {
                let least = self.free_min >> 20;
                return Err(io::Error::new(
                    io::ErrorKind::StorageFull,
                    format!("less than {least} MiB of the disk are free, which are left to others"),
                ));
            }
        }
        Ok(())
    }
}

impl Disk for FolderDisk {
    fn create(&mut self, name: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        let create = |name: &str| options.open(self.folder.join(format!("{name}.gz")));
        let mut created = create(name);
        // An attempt that failed behind its creation, or another run, has left a file of this name.
        for number in 2_u32.. {
            match created {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    created = create(&format!("{name}-{number}"));
                }
                _ => break,
            }
        }
        let file = created?;
        File::open(&self.folder)?.sync_all()?;
        (self.file, self.length, self.is_torn) = (Some(file), 0, false);
        Ok(())
    }

    fn append(&mut self, block: &[u8]) -> io::Result<()> {
        self.make_sure_of_room(block.len() as u64)?;
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        if self.is_torn {
            file.set_len(self.length)?;
        }
        self.is_torn = true;
        if let Err(error) = file.write_all(block) {
            self.is_torn = file.set_len(self.length).is_err();
            return Err(error);
        }
        self.is_torn = false;
        self.length += block.len() as u64;
        self.total += block.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}

#[cfg(test)]
mod tests;
