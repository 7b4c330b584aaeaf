//! The last commands and their results, so that a command that arrives twice is carried out once.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::{CommandId, CommandResult};

/// How many commands are kept.
const KEPT: usize = 1_024;

/// Results of the last commands, by id.
#[derive(Debug, Default)]
pub(crate) struct CommandLog {
    results: BTreeMap<CommandId, CommandResult>,
    /// Oldest first.
    order: VecDeque<CommandId>,
}

impl CommandLog {
    /// Notes the result of a command. The oldest is dropped beyond 1,024.
    pub(crate) fn note(&mut self, id: CommandId, result: CommandResult) {
        if self.results.insert(id, result).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.results.remove(&oldest);
        }
    }

    /// The last commands with their results, oldest first.
    pub(crate) fn results(&self) -> impl Iterator<Item = (CommandId, CommandResult)> + '_ {
        let ids = self.order.iter();
        ids.filter_map(|id| Some((*id, self.result(*id)?.clone())))
    }

    /// The result of a command that was received before.
    pub(crate) fn result(&self, id: CommandId) -> Option<&CommandResult> {
        self.results.get(&id)
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
        log.note(7, CommandResult::Accepted(None));
        assert!(log.result(0).is_none());
        assert!(log.result(1).is_some() && log.result(1_024).is_some());
        let ids: Vec<CommandId> = log.results().map(|(id, _)| id).collect();
        assert_eq!((ids.len(), ids[0], ids[1_023]), (1_024, 1, 1_024));
    }
}
