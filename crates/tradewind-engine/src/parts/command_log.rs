//! The last commands and their results, so that a command that arrives twice is carried out once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tradewind_events::{CommandId, CommandResult};

/// How many commands are kept.
const KEPT: usize = 1_024;

/// A command's id and its result.
pub(crate) type Answered = (CommandId, CommandResult);

/// Results of the last commands, by id.
#[derive(Debug, Default)]
pub(crate) struct CommandLog {
    results: BTreeMap<CommandId, Arc<Answered>>,
    /// Oldest first. A snapshot shares them.
    order: VecDeque<Arc<Answered>>,
}

impl CommandLog {
    /// Notes the result of a command that is new. The oldest is dropped beyond 1,024.
    pub(crate) fn note(&mut self, id: CommandId, result: CommandResult) {
        let answered = Arc::new((id, result));
        self.results.insert(id, Arc::clone(&answered));
        self.order.push_back(answered);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.results.remove(&oldest.0);
        }
    }

    /// The last commands with their results, oldest first.
    pub(crate) fn answered(&self) -> impl Iterator<Item = Arc<Answered>> + '_ {
        self.order.iter().cloned()
    }

    /// The result of a command that was received before.
    pub(crate) fn result(&self, id: CommandId) -> Option<&CommandResult> {
        self.results.get(&id).map(|answered| &answered.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_commands_are_kept_and_the_oldest_dropped() {
        let mut log = CommandLog::default();
        for id in 0..1_025 {
            log.note(id, CommandResult::Accepted(None));
        }
        assert!(log.result(0).is_none());
        assert!(log.result(1).is_some() && log.result(1_024).is_some());
        let ids: Vec<CommandId> = log.answered().map(|answered| answered.0).collect();
        assert_eq!((ids.len(), ids[0], ids[1_023]), (1_024, 1, 1_024));
    }
}
