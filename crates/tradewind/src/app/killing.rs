//! The kill switch at the process's edge: memory first, then disk, then the engine.
//!
//! The latch at the gate is what stops orders; the file is what keeps them stopped over a restart; the input is how
//! the engine, and everybody who listens to it, learns of it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_events::{Action, Command, CommandResult, Principal};
use tradewind_journal::{Durable, LatchFile};
use tradewind_risk::KillLatch;
use tradewind_simx_server::SimClock;
use tradewind_venues::OrderGate;

use crate::app::venue::random_hex;
use crate::driver::DeskHandle;

/// How often somebody may have touched `KILL`.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Everything a kill has to reach.
#[derive(Clone)]
pub(crate) struct KillSwitch {
    /// In memory, at the gate.
    pub(crate) gate: Arc<OrderGate>,
    /// The same flag, to clear it.
    pub(crate) latch: Arc<KillLatch>,
    /// On disk.
    pub(crate) file: Arc<LatchFile>,
    /// The engine.
    pub(crate) desk: DeskHandle,
    /// The desk's clock.
    pub(crate) clock: Arc<SimClock>,
}

impl std::fmt::Debug for KillSwitch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KillSwitch")
            .field("set", &self.latch.is_set())
            .finish_non_exhaustive()
    }
}

impl KillSwitch {
    /// Carries out a command; a kill is in force before the engine hears of it, a reset only after it agreed.
    pub(crate) async fn command(&self, command: Command) -> Option<CommandResult> {
        match &command.action {
            Action::Kill {
                reason,
                flatten: false,
            } => {
                self.throw(reason, &command.principal);
                self.desk.command(command).await
            }
            Action::Reset { reason } => {
                let (reason, by) = (reason.clone(), name(&command.principal));
                let result = self.desk.command(command).await;
                if matches!(result, Some(CommandResult::Accepted(_))) {
                    self.lift(&reason, &by);
                }
                result
            }
            _ => self.desk.command(command).await,
        }
    }

    fn throw(&self, reason: &str, principal: &Principal) {
        self.gate.kill();
        if self.file.kill(reason, &name(principal), self.clock.now()) == Durable::No {
            tracing::error!(
                "Killed, but the latch is not on disk: keep the process up until it is."
            );
        }
    }

    fn lift(&self, reason: &str, by: &str) {
        match self.file.reset(reason, by, self.clock.now()) {
            Ok(()) => self.latch.clear(),
            Err(error) => {
                tracing::error!(%error, "The latch cannot be lifted on disk and stays set.")
            }
        }
    }

    /// Kills when somebody touches `KILL` in the data directory.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub(crate) async fn watch(self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if !self.latch.is_set() && self.file.is_touched() {
                let id = u128::from_str_radix(random_hex()?.get(..32).unwrap_or("1"), 16)?;
                let action = Action::Kill {
                    reason: "KILL was touched".to_owned(),
                    flatten: false,
                };
                let issued_at = self.clock.now();
                let command = Command {
                    id,
                    principal: Principal::Local,
                    issued_at,
                    expires_at: None,
                    action,
                };
                self.command(command).await;
            }
        }
    }
}

/// A principal in words.
pub(crate) fn name(principal: &Principal) -> String {
    match principal {
        Principal::Token(name) => format!("token {name}"),
        Principal::Telegram(user) => format!("telegram {user}"),
        Principal::Local => "this machine".to_owned(),
    }
}
