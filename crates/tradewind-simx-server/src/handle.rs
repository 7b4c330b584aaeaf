//! Looking into a running server, and acting as its operator. For tests, the embedding desk and the control port.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tradewind_simx::Action;

use crate::core::In;
use crate::exchange_task::{Letter, Mailbox, Status};
use crate::faults::{Command, CommandError, FaultScript};

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

    /// Moves a held market on by `span` of its own time; another market is left alone.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub fn step(&self, span: Duration) -> Result<(), NotRunning> {
        self.post(Letter::Input(In::Step { span }))
    }

    /// Does what only the operator may, and says what came of it. A refused command has changed nothing.
    ///
    /// # Errors
    /// [`NotRunning`]; inside, why the command was refused.
    pub async fn command(
        &self,
        command: Command,
    ) -> Result<Result<Value, CommandError>, NotRunning> {
        self.ask(|reply| Letter::Command(command, reply)).await
    }

    /// Adds faults, whose times count from now, and says how many there was room for.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub async fn add_faults(&self, script: FaultScript) -> Result<usize, NotRunning> {
        self.ask(|reply| Letter::Faults(Some(script), reply)).await
    }

    /// Takes all faults back: halts and filters they set are lifted, connections are let in again.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub async fn clear_faults(&self) -> Result<(), NotRunning> {
        self.ask(|reply| Letter::Faults(None, reply))
            .await
            .map(|_| ())
    }

    /// Everything there is to tell: time, market, counters, each fault with how often it was reached, accounts.
    ///
    /// # Errors
    /// [`NotRunning`].
    pub async fn state(&self) -> Result<Value, NotRunning> {
        self.ask(Letter::State).await
    }

    async fn ask<T>(
        &self,
        letter: impl FnOnce(oneshot::Sender<T>) -> Letter,
    ) -> Result<T, NotRunning> {
        let (reply, answer) = oneshot::channel();
        self.post(letter(reply))?;
        answer.await.map_err(|_| NotRunning)
    }

    fn post(&self, letter: Letter) -> Result<(), NotRunning> {
        self.mailbox.post(letter).map_err(|_| NotRunning)
    }
}
