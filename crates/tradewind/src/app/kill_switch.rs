//! The kill switch: sets the latch in memory first, then on disk, then in the engine.
//!
//! The latch at the gate stops orders. The file keeps them stopped over a restart. The command informs the engine and
//! its subscribers. Every kill has a number. A reset stores the latest number when its command is queued for the engine,
//! both under one lock, and clears the latch only if no kill came since. So gate and engine process kills and resets in
//! the same order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tradewind_events::{Action, Command, CommandId, CommandResult, Principal};
use tradewind_journal::{Durable, LatchFile};
use tradewind_model::Clock;
use tradewind_risk::KillLatch;
use tradewind_venues::OrderGate;

use crate::app::venue::random_command_id;
use crate::driver::DeskHandle;

/// How often the file `KILL` is checked.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Resets whose results are kept: more than the engine keeps of all commands, so that a repeated reset is recognised here, too.
const RESETS_KEPT: usize = 2_048;

/// Everything that a kill changes.
#[derive(Clone)]
pub(crate) struct KillSwitch {
    /// The gate of new orders.
    pub(crate) gate: Arc<OrderGate>,
    /// The gate's latch in memory, to clear it.
    pub(crate) latch: Arc<KillLatch>,
    /// On disk.
    pub(crate) file: Arc<LatchFile>,
    /// The engine.
    pub(crate) desk: DeskHandle,
    /// The desk's clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// Kills and resets since the start.
    pub(crate) history: Arc<Mutex<KillHistory>>,
    /// Whether the disk may not have the last kill. It is set before the latch is.
    pub(crate) unsaved: Arc<AtomicBool>,
    /// Resets in progress; they finish even if their caller stops waiting.
    pub(crate) tasks: TaskTracker,
}

/// Kills and resets since the start.
#[derive(Debug, Default)]
pub(crate) struct KillHistory {
    kills: u64,
    resets: VecDeque<(CommandId, Option<CommandResult>)>,
}

/// A reset that is queued for the engine.
struct PendingReset {
    answer: oneshot::Receiver<CommandResult>,
    kills: u64,
}

impl std::fmt::Debug for KillSwitch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KillSwitch")
            .field("set", &self.latch.is_set())
            .finish_non_exhaustive()
    }
}

impl KillSwitch {
    /// Executes a command. A kill takes effect before the engine processes it; a reset after the engine has accepted it.
    ///
    /// A reset that has begun is finished, also when this future is dropped.
    pub(crate) async fn command(&self, command: Command) -> Option<CommandResult> {
        match &command.action {
            Action::Kill { .. } => {
                let (answer, durable) = self.kill(command);
                answer.await.ok().map(|result| with_latch(result, durable))
            }
            Action::Reset { .. } => {
                let this = self.clone();
                let reset = self.tasks.spawn(async move { this.reset(command).await });
                reset.await.ok().flatten()
            }
            _ => self.desk.command(command).await,
        }
    }

    /// Whether the desk is killed and the disk may not know: the process must stay, for the next one would trade.
    pub(crate) fn is_in_memory_only(&self) -> bool {
        self.latch.is_set() && self.unsaved.load(Ordering::SeqCst)
    }

    /// Waits for the resets in progress.
    async fn finish_resets(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn kill(&self, command: Command) -> (oneshot::Receiver<CommandResult>, Durable) {
        // Before the lock, too: its holder may be writing to the disk.
        self.set(&command.action);
        self.latch_and_submit(&mut self.history(), command)
    }

    /// Sets the latch in memory and on disk and queues the kill for the engine. The caller holds the lock of `history`.
    fn latch_and_submit(
        &self,
        history: &mut KillHistory,
        command: Command,
    ) -> (oneshot::Receiver<CommandResult>, Durable) {
        history.kills += 1;
        self.set(&command.action);
        let (reason, by) = (
            reason_of(&command.action),
            principal_name(&command.principal),
        );
        let durable = self.file.kill(reason, &by, self.clock.now());
        if durable == Durable::No {
            tracing::error!(
                "Killed, but the latch is not on disk yet: do not restart the process until it is."
            );
        } else {
            self.unsaved.store(false, Ordering::SeqCst);
        }
        (self.desk.give(command), durable)
    }

    /// Sets the gate's latch. A kill that flattens leaves it open for orders that close positions; the engine ends that.
    fn set(&self, action: &Action) {
        self.unsaved.store(true, Ordering::SeqCst);
        if let Action::Kill { flatten: true, .. } = action {
            self.gate.flatten();
        } else {
            self.gate.kill();
        }
    }

    async fn reset(&self, command: Command) -> Option<CommandResult> {
        let Some(PendingReset { answer, kills }) = self.begin_reset(&command) else {
            return self.repeated_reset(command).await;
        };
        let result = match answer.await.ok()? {
            CommandResult::Accepted(_) => self.lift(&command, kills).await,
            other @ (CommandResult::Refused(_) | CommandResult::Killed { .. }) => other,
        };
        let mut history = self.history();
        let known = history.resets.iter_mut().find(|(id, _)| *id == command.id);
        if let Some((_, kept)) = known {
            *kept = Some(result.clone());
        }
        Some(result)
    }

    /// Queues a reset for the engine; `None` if it was queued before.
    fn begin_reset(&self, command: &Command) -> Option<PendingReset> {
        let mut history = self.history();
        if history.resets.iter().any(|(id, _)| *id == command.id) {
            return None;
        }
        history.resets.push_back((command.id, None));
        if history.resets.len() > RESETS_KEPT {
            history.resets.pop_front();
        }
        let (answer, kills) = (self.desk.give(command.clone()), history.kills);
        Some(PendingReset { answer, kills })
    }

    /// A repeated reset gets the first result and does not clear the latch again.
    async fn repeated_reset(&self, command: Command) -> Option<CommandResult> {
        let before = self
            .history()
            .resets
            .iter()
            .find(|(id, _)| *id == command.id)
            .and_then(|(_, result)| result.clone());
        match before {
            Some(result) => Some(result),
            None => self.desk.command(command).await,
        }
    }

    /// Clears the latch after the engine has accepted the reset, unless a kill came since the reset was queued.
    ///
    /// A latch that cannot be cleared on disk stays set, and the engine is killed again.
    async fn lift(&self, command: &Command, kills: u64) -> CommandResult {
        let (error, killed) = {
            let mut history = self.history();
            if history.kills != kills {
                return CommandResult::Refused("the desk was killed again meanwhile".to_owned());
            }
            let (reason, by) = (
                reason_of(&command.action),
                principal_name(&command.principal),
            );
            self.unsaved.store(true, Ordering::SeqCst);
            match self.file.reset(reason, &by, self.clock.now()) {
                Ok(()) => {
                    self.latch.clear();
                    self.unsaved.store(false, Ordering::SeqCst);
                    return CommandResult::Accepted(None);
                }
                Err(error) => {
                    let again = self.kill_command(
                        // A different id than the reset's. It is never the id of another command.
                        !command.id,
                        "the latch cannot be cleared on disk",
                    );
                    (error, self.latch_and_submit(&mut history, again).0)
                }
            }
        };
        tracing::error!(%error, "The latch cannot be cleared on disk and stays set.");
        if killed.await.is_err() {
            tracing::error!("The engine stopped before it was killed again.");
        }
        CommandResult::Refused(format!("the latch cannot be cleared on disk: {error}"))
    }

    fn kill_command(&self, id: CommandId, reason: &str) -> Command {
        Command {
            id,
            principal: Principal::Local,
            issued_at: self.clock.now(),
            expires_at: None,
            action: Action::Kill {
                reason: reason.to_owned(),
                flatten: false,
                include_external: false,
            },
        }
    }

    fn history(&self) -> MutexGuard<'_, KillHistory> {
        // A panic under the lock leaves at worst a reset without a result, which does not clear the latch.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills the desk when the file `KILL` appears in the data directory.
    ///
    /// # Errors
    /// The operating system has no randomness.
    pub(crate) async fn watch(self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    self.finish_resets().await;
                    return Ok(());
                }
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
            if self.latch.lets(true) && self.file.is_touched() {
                let killed = self.kill_command(random_command_id()?, "KILL was touched");
                self.command(killed).await;
            }
        }
    }
}

/// The engine's answer to a kill, with what became of the latch on disk.
fn with_latch(result: CommandResult, latch: Durable) -> CommandResult {
    match result {
        CommandResult::Killed { open_orders, .. } => CommandResult::Killed {
            open_orders,
            durable: latch != Durable::No,
        },
        other => other,
    }
}

/// The reason of a kill, a reset or a clearance.
const fn reason_of(action: &Action) -> &str {
    match action {
        Action::Kill { reason, .. }
        | Action::ClearRisk { reason, .. }
        | Action::Reset { reason }
        | Action::KillScope { reason, .. }
        | Action::ResetScope { reason, .. } => reason.as_str(),
        _ => "",
    }
}

/// A principal in words.
pub(crate) fn principal_name(principal: &Principal) -> String {
    match principal {
        Principal::Token(name) => format!("token {name}"),
        Principal::Telegram(user) => format!("telegram {user}"),
        Principal::Local => "this machine".to_owned(),
        Principal::Rule => "a rule of the configuration".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::InputQueues;
    use crate::driver::input_queues::Taken;
    use std::path::Path;
    use tradewind_events::Input;
    use tradewind_journal::{MemoryStorage, Storage};
    use tradewind_model::{DeskClock, ManualClock, Timestamp};

    const ACCEPTED: CommandResult = CommandResult::Accepted(None);

    struct Rig {
        kill: KillSwitch,
        disk: MemoryStorage,
    }

    fn rig() -> Rig {
        let disk = MemoryStorage::new();
        let storage: Arc<dyn Storage> = Arc::new(disk.clone());
        let file = LatchFile::new(storage, Path::new("data"), Path::new("data/journal"));
        file.open(Timestamp::EPOCH).unwrap();
        let latch = Arc::new(KillLatch::default());
        let kill = KillSwitch {
            gate: OrderGate::new(Arc::clone(&latch), Arc::<ManualClock>::default()),
            latch,
            file: Arc::new(file),
            desk: DeskHandle::new(Arc::new(InputQueues::new(0))),
            clock: Arc::new(DeskClock::system()),
            history: Arc::default(),
            unsaved: Arc::default(),
            tasks: TaskTracker::new(),
        };
        Rig { kill, disk }
    }

    impl Rig {
        /// Submits a command and runs every task until it waits for the engine.
        async fn give(&self, command: Command) -> tokio::task::JoinHandle<Option<CommandResult>> {
            let kill = self.kill.clone();
            let given = self
                .kill
                .tasks
                .spawn(async move { kill.command(command).await });
            settled().await;
            given
        }

        /// The engine accepts everything that waits; the ids in the order in which it saw them.
        fn engine_accepts(&self) -> Vec<CommandId> {
            let mut taken = Taken::default();
            self.kill.desk.queues().take(&mut taken);
            let ids = taken.batch.control.iter().map(|input| match input {
                Input::Command(command) => command.id,
                other => panic!("not a command: {other:?}"),
            });
            let ids: Vec<CommandId> = ids.collect();
            for id in &ids {
                self.kill.desk.answer(*id, &ACCEPTED);
            }
            ids
        }

        fn is_latched(&self) -> (bool, bool) {
            let on_disk = self.kill.file.read(Timestamp::EPOCH).killed;
            (self.kill.latch.is_set(), on_disk)
        }

        async fn killed(id: CommandId) -> Self {
            let rig = rig();
            let killed = rig.give(rig.kill.kill_command(id, "trouble")).await;
            assert_eq!(rig.is_latched(), (true, true));
            rig.engine_accepts();
            assert_eq!(killed.await.unwrap(), Some(ACCEPTED));
            rig
        }

        fn reset_command(&self, id: CommandId) -> Command {
            let reason = "over".to_owned();
            let action = Action::Reset { reason };
            Command {
                action,
                ..self.kill.kill_command(id, "")
            }
        }
    }

    /// Runs every other task of the test's thread until it waits.
    async fn settled() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_reset_lifts_memory_and_disk_once_the_engine_agreed() {
        let rig = Rig::killed(1).await;
        let reset = rig.give(rig.reset_command(2)).await;
        assert_eq!(rig.is_latched(), (true, true));
        rig.engine_accepts();
        assert_eq!(reset.await.unwrap(), Some(ACCEPTED));
        assert_eq!(rig.is_latched(), (false, false));
    }

    #[tokio::test]
    async fn a_reset_given_again_lifts_no_later_kill() {
        let rig = Rig::killed(1).await;
        let reset = rig.give(rig.reset_command(2)).await;
        rig.engine_accepts();
        reset.await.unwrap();
        let killed = rig.give(rig.kill.kill_command(3, "more trouble")).await;
        rig.engine_accepts();
        killed.await.unwrap();
        let again = rig.give(rig.reset_command(2)).await;
        rig.engine_accepts();
        assert_eq!(again.await.unwrap(), Some(ACCEPTED));
        assert_eq!(rig.is_latched(), (true, true));
    }

    #[tokio::test]
    async fn a_kill_between_the_engines_answer_and_the_lift_stands() {
        let rig = Rig::killed(1).await;
        let reset = rig.give(rig.reset_command(2)).await;
        let killed = rig.give(rig.kill.kill_command(3, "more trouble")).await;
        assert_eq!(rig.engine_accepts(), [2, 3]);
        assert!(matches!(
            reset.await.unwrap(),
            Some(CommandResult::Refused(_))
        ));
        assert_eq!(killed.await.unwrap(), Some(ACCEPTED));
        assert_eq!(rig.is_latched(), (true, true));
    }

    #[tokio::test]
    async fn a_reset_nobody_waits_for_any_more_is_carried_out() {
        let rig = Rig::killed(1).await;
        let reset = rig.give(rig.reset_command(2)).await;
        reset.abort();
        settled().await;
        rig.engine_accepts();
        rig.kill.finish_resets().await;
        assert_eq!(rig.is_latched(), (false, false));
    }

    #[tokio::test]
    async fn a_latch_that_cannot_be_lifted_on_disk_kills_the_engine_again() {
        let rig = Rig::killed(1).await;
        let reset = rig.give(rig.reset_command(2)).await;
        rig.disk.fail_syncs(true);
        assert_eq!(rig.engine_accepts(), [2]);
        settled().await;
        assert_eq!(rig.engine_accepts(), [!2]);
        assert!(matches!(
            reset.await.unwrap(),
            Some(CommandResult::Refused(_))
        ));
        assert!(rig.kill.latch.is_set());
    }

    /// P04: the watchdog must not end the only process that knows of a kill.
    #[tokio::test]
    async fn a_kill_is_in_memory_only_until_the_disk_has_it() {
        let rig = rig();
        assert!(!rig.kill.is_in_memory_only());
        rig.disk.fail_syncs(true);
        rig.give(rig.kill.kill_command(1, "trouble")).await;
        assert!(rig.kill.is_in_memory_only());
        rig.disk.fail_syncs(false);
        rig.give(rig.kill.kill_command(2, "trouble")).await;
        assert!(!rig.kill.is_in_memory_only());
        let reset = rig.give(rig.reset_command(3)).await;
        rig.engine_accepts();
        assert_eq!(reset.await.unwrap(), Some(ACCEPTED));
        assert!(!rig.kill.is_in_memory_only());
    }

    #[test]
    fn a_kill_is_in_memory_only_while_the_disk_hangs() {
        let rig = rig();
        rig.disk.hang_syncs(true);
        std::thread::scope(|scope| {
            let killing = rig.kill.clone();
            let killed = scope.spawn(move || killing.kill(killing.kill_command(1, "trouble")).1);
            while !rig.kill.latch.is_set() {
                std::thread::yield_now();
            }
            let is_in_memory_only = rig.kill.is_in_memory_only();
            rig.disk.hang_syncs(false);
            assert_eq!(killed.join().unwrap(), Durable::Yes);
            assert!(is_in_memory_only);
        });
        assert!(!rig.kill.is_in_memory_only());
    }
}
