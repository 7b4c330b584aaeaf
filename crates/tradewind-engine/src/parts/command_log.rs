//! The last commands and their results, so that a command that arrives twice is carried out once.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use tradewind_events::{CommandId, CommandResult};

/// How many commands are kept.
const KEPT: usize = 1_024;

/// Results of the last commands, by id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(CommandId, CommandResult)>")]
#[serde(into = "Vec<(CommandId, CommandResult)>")]
pub(crate) struct CommandLog {
    results: BTreeMap<CommandId, CommandResult>,
    /// Oldest first.
    order: VecDeque<CommandId>,
}

impl CommandLog {
    /// Notes what came of a command. The oldest is dropped beyond 1,024.
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

    /// What came of a command that was received before.
    pub(crate) fn result(&self, id: CommandId) -> Option<&CommandResult> {
        self.results.get(&id)
    }
}

impl From<Vec<(CommandId, CommandResult)>> for CommandLog {
    fn from(results: Vec<(CommandId, CommandResult)>) -> Self {
        let mut log = Self::default();
        for (id, result) in results {
            log.note(id, result);
        }
        log
    }
}

impl From<CommandLog> for Vec<(CommandId, CommandResult)> {
    fn from(mut log: CommandLog) -> Self {
        let results = log.order.iter().map(|id| (*id, log.results.remove(id)));
        results
            .filter_map(|(id, result)| Some((id, result?)))
            .collect()
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
        let saved: Vec<_> = log.into();
        assert_eq!((saved.len(), saved[0].0), (1_024, 1));
        assert!(CommandLog::from(saved).result(1_024).is_some());
    }
}
