//! The time that sockets and waits live by, apart from what any clock shows.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A wait.
pub type Sleeping<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Real time. Whatever waits for time to pass is given one of these, so that a simulation can pass it.
pub trait RealTime: fmt::Debug + Send + Sync + 'static {
    /// Monotonic time since an origin of its own.
    fn now(&self) -> Duration;

    /// Resolves after `wait`.
    fn sleep(&self, wait: Duration) -> Sleeping<'_>;
}

/// Waits for `wait`; for ever if there is none.
pub async fn sleep_or_never(time: &dyn RealTime, wait: Option<Duration>) {
    match wait {
        Some(wait) => time.sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// The time of tokio's runtime, in which its waits must be made.
#[derive(Clone, Copy, Debug)]
pub struct TokioTime {
    origin: Instant,
}

impl Default for TokioTime {
    fn default() -> Self {
        let origin = Instant::now();
        Self { origin }
    }
}

impl RealTime for TokioTime {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep(&self, wait: Duration) -> Sleeping<'_> {
        Box::pin(sleep(wait))
    }
}
