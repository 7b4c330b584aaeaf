//! Answers to kills, which wait until the kill is durable.

use std::collections::VecDeque;
use std::time::Duration;

use tradewind_events::{CommandId, CommandResult};
use tradewind_model::Timestamp;

/// The longest that an answer waits. Then it says that the kill is not durable.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Answers that promise what is not durable yet. Each waits for a while only, so there are few.
#[derive(Debug, Default)]
pub(crate) struct HeldReplies {
    /// Oldest first.
    waiting: VecDeque<HeldReply>,
}

#[derive(Debug)]
struct HeldReply {
    /// The input that must be durable first.
    seq: u64,
    until: Timestamp,
    id: CommandId,
    result: CommandResult,
}

/// Whether an answer promises that something is durable.
pub(crate) const fn promises(result: &CommandResult) -> bool {
    matches!(result, CommandResult::Killed { durable: true, .. })
}

impl HeldReplies {
    /// Takes an answer that follows from an input up to `seq`, which is not durable.
    pub(crate) fn hold(
        &mut self,
        (seq, now): (u64, Timestamp),
        id: CommandId,
        result: CommandResult,
    ) {
        let until = now + WAIT_MAX;
        self.waiting.push_back(HeldReply {
            seq,
            until,
            id,
            result,
        });
    }

    /// The next answer that has waited enough: what it promises is durable, or its time is over.
    pub(crate) fn next(
        &mut self,
        durable: u64,
        now: Timestamp,
    ) -> Option<(CommandId, CommandResult)> {
        let is_over = |reply: &mut HeldReply| reply.seq <= durable || reply.until <= now;
        let reply = self.waiting.pop_front_if(is_over)?;
        let result = if reply.seq <= durable {
            reply.result
        } else {
            not_durable(reply.result)
        };
        Some((reply.id, result))
    }

    /// When the oldest answer has waited long enough.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.front().map(|reply| reply.until)
    }
}

fn not_durable(result: CommandResult) -> CommandResult {
    match result {
        CommandResult::Killed { open_orders, .. } => CommandResult::Killed {
            open_orders,
            durable: false,
        },
        other => other,
    }
}
