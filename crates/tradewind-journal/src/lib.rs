//! The append-only journal, the kill latch and the storage seam beneath them.
//!
//! Records of the engine are written here before they take effect outside: inputs, intents and events, in one sequence
//! and two stores. *Truth* is kept; *market data* is rotated. Beside it lie the files a start needs before anything
//! else: the latch, the identity, the lock, the address of the running desk.
//!
//! This crate does not depend on the engine. Everything but the lock writes through [`Storage`], whose in-memory
//! twin can crash at a named point. Start with [`Journal`] for writing, [`Reader`] for reading, and `frame.rs` for the
//! bytes.

mod archive;
mod desk_file;
mod error;
mod event_log;
mod frame;
mod frames;
mod home;
mod identity;
mod inspect;
mod journal;
mod latch;
mod lock;
mod market;
mod market_store;
mod reader;
mod record;
mod records;
mod replace;
mod reserve;
mod segment;
mod snapshot;
mod space;
mod state_file;
mod storage;
mod store;
mod sync;
mod sync_thread;

pub use desk_file::{DeskFile, RunningDesk};
pub use error::{JournalError, Refusal};
pub use event_log::EventReader;
pub use home::Home;
pub use identity::{FormerInstance, Identity, IdentityView};
pub use inspect::Segment;
pub use journal::{Journal, Options, Recovery, TornTail};
pub use latch::{Durable, LatchFile, LatchState};
pub use lock::{DirectoryLock, LockError};
pub use market_store::MarketFault;
pub use reader::{Coverage, Reader, RecoveryTail, TailRecords};
pub use record::{Record, Stamped};
pub use records::{RecordPlace, Records};
pub use replace::replace;
pub use reserve::make_room;
pub use segment::{SegmentHeader, StoreKind};
pub use snapshot::{Snapshot, SnapshotPart, SnapshotPlace};
pub use state_file::StateFile;
pub use storage::{
    CrashPoint, Disk, Loss, MemoryStorage, OpenMode, Storage, StorageFault, StorageFile,
};
pub use sync::Syncer;
pub use sync_thread::SyncThread;
