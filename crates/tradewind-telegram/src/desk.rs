//! The interface to the desk that this crate needs. The binary implements it; tests use a mock.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tradewind_bus::{Subscription, SubscriptionOptions};
use tradewind_events::{Command, CommandResult, Configuration, DeskView};
use tradewind_model::Timestamp;

/// A boxed future, so that `dyn Desk` can have async methods.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The desk as the Telegram bot sees it.
pub trait Desk: Debug + Send + Sync + 'static {
    /// The configuration in force, with the venue's current filters.
    fn configuration(&self) -> Arc<Configuration>;

    /// Now, by the desk's clock, which may be that of recorded data. Commands are stamped with it.
    fn now(&self) -> Timestamp;

    /// Now, by the clock on the wall. Telegram stamps messages with that one, so their age is measured by it.
    fn wall(&self) -> Timestamp;

    /// A snapshot of the engine's state: the newest, or one at most 100 ms old.
    fn view(&self) -> Answer<'_, Result<Arc<DeskView>, DeskError>>;

    /// Carries out a command. For a kill the latch is set before anything is waited for, so an error here does not mean
    /// that the kill did not hold. The caller waits at most 5 s and may give up at any time.
    fn command(&self, command: Command) -> Answer<'_, Result<CommandResult, DeskError>>;

    /// Subscribes to the desk's events.
    fn subscribe(&self, options: SubscriptionOptions) -> Subscription;
}

/// Why the desk has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeskError {
    /// Not in time; a command may still be carried out.
    #[error("no answer in time: it may still happen")]
    Timeout,
    /// The engine cannot be reached now.
    #[error("{0} cannot be reached")]
    Unavailable(String),
    /// The command was not executed, because its update could not be saved first.
    #[error("not executed: its update cannot be saved on disk")]
    ProgressNotSaved,
}
