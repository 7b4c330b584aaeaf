//! What a lossless subscriber falls back on.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use tradewind_events::Event;
use tradewind_model::EventId;

/// Events on disk. The journal is one; the binary joins the two.
///
/// It holds every event of a type that is not `Latest` before that event is published.
pub trait EventLog: Debug + Send + Sync {
    /// Up to `limit` events after `after`, in order; fewer only at the end.
    ///
    /// # Errors
    /// Any error of reading. The subscriber tries again.
    fn read_after(&self, after: EventId, limit: usize) -> io::Result<Vec<Arc<Event>>>;

    /// The first sequence number that can be read: more than 1 once the oldest files were taken away.
    fn first_seq(&self) -> u64 {
        1
    }
}

/// A log with nothing in it, for a bus without lossless subscribers.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyLog;

impl EventLog for EmptyLog {
    fn read_after(&self, _after: EventId, _limit: usize) -> io::Result<Vec<Arc<Event>>> {
        Ok(Vec::new())
    }
}
