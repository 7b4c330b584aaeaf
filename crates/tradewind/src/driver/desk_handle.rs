//! How the rest of the desk talks to the engine: by commands, and by queries that change nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tradewind_engine::Engine;
use tradewind_events::{Command, CommandId, CommandResult, DeskView};

use crate::driver::input_queues::InputQueues;

/// The answer to a command for which there is no room.
const BUSY: &str = "too many commands wait for the engine; try again in a moment";

/// Commands whose answer somebody waits for: several may, since a command may be given again before it is answered.
type Replies = BTreeMap<CommandId, Vec<oneshot::Sender<CommandResult>>>;

/// A way to the engine's thread. Clones lead to the same one.
#[derive(Clone, Debug)]
pub struct DeskHandle {
    queues: Arc<InputQueues>,
    replies: Arc<Mutex<Replies>>,
}

impl DeskHandle {
    /// A handle on these queues.
    #[must_use]
    pub fn new(queues: Arc<InputQueues>) -> Self {
        Self {
            queues,
            replies: Arc::default(),
        }
    }

    /// The queues themselves.
    #[must_use]
    pub const fn queues(&self) -> &Arc<InputQueues> {
        &self.queues
    }

    /// Gives a command and waits for the engine's answer; `None` if the engine has gone.
    pub async fn command(&self, command: Command) -> Option<CommandResult> {
        self.give(command).await.ok()
    }

    /// Gives a command at once; the engine's answer comes through what is returned. A full queue refuses it.
    pub(crate) fn give(&self, command: Command) -> oneshot::Receiver<CommandResult> {
        let (sender, receiver) = oneshot::channel();
        let id = command.id;
        // Before the command is in the queue: its answer may come at once.
        self.replies().entry(id).or_default().push(sender);
        if self.queues.command(command).is_err() {
            self.refuse_last(id);
        }
        receiver
    }

    /// Answers everybody who waits for a command.
    pub(crate) fn answer(&self, id: CommandId, result: &CommandResult) {
        for reply in self.replies().remove(&id).unwrap_or_default() {
            // The caller may have given up meanwhile; the command is done all the same.
            drop(reply.send(result.clone()));
        }
    }

    /// Refuses the giver who came last; earlier ones of the same command still wait for the engine.
    fn refuse_last(&self, id: CommandId) {
        let mut replies = self.replies();
        let waiting = replies.entry(id).or_default();
        if let Some(last) = waiting.pop() {
            drop(last.send(CommandResult::Refused(BUSY.to_owned())));
        }
        if waiting.is_empty() {
            replies.remove(&id);
        }
    }

    fn replies(&self) -> MutexGuard<'_, Replies> {
        // Nothing that runs under the lock can leave it half changed.
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The desk as of now; `None` if the engine has gone or too many queries wait.
    pub async fn view(&self) -> Option<DeskView> {
        self.look(Engine::view).await
    }

    /// What `look` sees in the engine between two turns; `None` if the engine has gone or too many queries wait.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.queues.query(Box::new(move |engine| {
            // The caller may have given up meanwhile.
            drop(sender.send(look(engine)));
        }));
        receiver.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::input_queues::COMMANDS_MAX;
    use tradewind_events::{Action, Principal};
    use tradewind_model::Timestamp;

    fn command(id: CommandId) -> Command {
        Command {
            id,
            principal: Principal::Local,
            issued_at: Timestamp::EPOCH,
            expires_at: None,
            action: Action::Reset {
                reason: "over".to_owned(),
            },
        }
    }

    #[tokio::test]
    async fn everybody_who_gave_a_command_gets_its_answer() {
        let desk = DeskHandle::new(Arc::new(InputQueues::new(0)));
        let (first, again) = (desk.give(command(7)), desk.give(command(7)));
        let result = CommandResult::Accepted(None);
        desk.answer(7, &result);
        assert_eq!(
            (first.await.unwrap(), again.await.unwrap()),
            (result.clone(), result)
        );
    }

    #[tokio::test]
    async fn a_command_for_which_there_is_no_room_is_refused_at_once() {
        let desk = DeskHandle::new(Arc::new(InputQueues::new(0)));
        let first = desk.give(command(0));
        let waiting: Vec<_> = (1..COMMANDS_MAX)
            .map(|id| desk.give(command(id as CommandId)))
            .collect();
        // The same command again: the one before it still waits for the engine.
        let refused = desk.command(command(0)).await;
        assert_eq!(refused, Some(CommandResult::Refused(BUSY.to_owned())));
        desk.answer(0, &CommandResult::Accepted(None));
        assert_eq!(first.await.unwrap(), CommandResult::Accepted(None));
        drop(waiting);
    }
}
