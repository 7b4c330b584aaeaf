//! The desk's clock as an edge sees it: handed in, never read from the system.

use tradewind_model::Timestamp;

/// Tells the desk's time. The driver owns the clock; it may run at any speed.
///
/// Any `Fn() -> Timestamp` that can be shared is one.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

impl<F> Clock for F
where
    F: Fn() -> Timestamp + Send + Sync + 'static,
{
    fn now(&self) -> Timestamp {
        self()
    }
}
