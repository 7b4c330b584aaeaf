//! Looking into a running server, and acting as its operator. For tests, the embedding desk and, later, the control port.

use tokio::sync::oneshot;
use tradewind_simx::Action;

use crate::core::In;
use crate::exchange_task::{Letter, Mailbox, Status};

/// A handle to a running [`Server`](crate::Server).
#[derive(Clone, Debug)]
pub struct ServerHandle {
    mailbox: Mailbox,
}

/// The server does not run, or is too busy to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulated exchange does not answer")]
pub struct NotRunning;

impl ServerHandle {
    pub(crate) const fn new(mailbox: Mailbox) -> Self {
        Self { mailbox }
    }

    /// How the exchange is doing.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub async fn status(&self) -> Result<Status, NotRunning> {
        let (reply, answer) = oneshot::channel();
        self.post(Letter::Counters(reply))?;
        answer.await.map_err(|_| NotRunning)
    }

    /// Does something no client can: a deposit, a halt, new filters. What is refused changes nothing.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub fn act(&self, action: Action) -> Result<(), NotRunning> {
        self.post(Letter::Input(In::Operator { action }))
    }

    /// Holds the market; orders are still taken.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub fn pause(&self) -> Result<(), NotRunning> {
        self.post(Letter::Input(In::Pause { paused: true }))
    }

    /// Lets the market go on; what fell due meanwhile happens at once.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub fn resume(&self) -> Result<(), NotRunning> {
        self.post(Letter::Input(In::Pause { paused: false }))
    }

    fn post(&self, letter: Letter) -> Result<(), NotRunning> {
        self.mailbox.post(letter).map_err(|_| NotRunning)
    }
}
