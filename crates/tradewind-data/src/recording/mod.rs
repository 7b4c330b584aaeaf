//! Recordings: the frames of a feed as they were received, written while they come.
//!
//! A recording is a folder of captures: files that [`Lines`](crate::Lines) reads as any other capture. A file is a row of
//! blocks, each a gzip member with a checksum of its own. The head of a block says how long it is and which times it covers,
//! so a time is found without reading what lies before it (`block.rs`). [`RecordingWriter`] writes blocks through a
//! [`Disk`] and survives a full one; [`examine`] says what a file holds and where it is torn.

mod block;
mod reader;
mod writer;

pub use reader::{Blocks, Examined, examine, repair};
pub use writer::{
    Disk, FolderDisk, Former, Loss, RecordingSettings, RecordingStatus, RecordingWriter,
};
