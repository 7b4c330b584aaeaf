//! State between updates: the progress, the saved progress, and orders that wait for their confirmation.
//!
//! Updates are handled in `command_handler.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tradewind_events::CommandId;
use tradewind_model::Timestamp;

use crate::command_handler::CommandHandler;
use crate::counts::Counts;
use crate::machine::Out;
use crate::options::Options;
use crate::outbox::Outbox;
use crate::progress::Progress;
use crate::proposal::Proposal;
use crate::request::OrderRequest;

/// A request for the desk's view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ViewRequest {
    /// For `/status`.
    Status { user: i64 },
    /// To size and value an order.
    Order { from: Source, order: OrderRequest },
}

/// The message of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) update: i64,
    pub(crate) user: i64,
    /// Its age when it was handled, by the wall clock.
    pub(crate) age: Duration,
}

/// An order that waits for its confirmation.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Its update, from which its command id is made, however often it is confirmed.
    pub(crate) update: i64,
    pub(crate) proposal: Proposal,
    pub(crate) code: String,
    pub(crate) until: Duration,
}

#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) users: BTreeSet<i64>,
    pub(crate) stale_after: Duration,
    bot_number: u64,
    pub(crate) progress: Progress,
    pub(crate) kept: Progress,
    /// Entries up to this update may have been executed before the restart.
    pub(crate) entries_before: Option<i64>,
    /// Batches of stops and kills without an answer.
    pub(crate) unanswered: u32,
    /// At most one order per user.
    pub(crate) pending: BTreeMap<i64, Pending>,
}

impl Inbox {
    pub(crate) fn new(progress: Progress, bot_number: u64, options: &Options) -> Self {
        Self {
            users: options.users.clone(),
            stale_after: options.stale_after,
            bot_number,
            progress,
            kept: progress,
            entries_before: progress.entry,
            unanswered: 0,
            pending: BTreeMap::new(),
        }
    }

    /// Whether no stop or kill is unanswered, so that its update may be confirmed to Telegram.
    pub(crate) const fn is_settled(&self) -> bool {
        self.unanswered == 0
    }

    pub(crate) const fn progress(&self) -> Progress {
        self.progress
    }

    /// The progress if it differs from the saved one.
    pub(crate) fn take_changed_progress(&mut self) -> Option<Progress> {
        let is_changed = self.kept != self.progress;
        self.kept = self.progress;
        is_changed.then_some(self.progress)
    }

    /// A handler for one input.
    pub(crate) const fn handler<'a>(
        &'a mut self,
        outbox: &'a mut Outbox,
        counts: &'a mut Counts,
        out: &'a mut Vec<Out>,
    ) -> CommandHandler<'a> {
        CommandHandler {
            inbox: self,
            outbox,
            counts,
            out,
        }
    }

    pub(crate) fn command_id(&self, update: i64, index: usize) -> CommandId {
        /// "tg".
        const TAG: u128 = 0x7467;
        const BITS_48: u64 = (1 << 48) - 1;
        let bot = u128::from(self.bot_number & BITS_48);
        let update = u128::from(update.cast_unsigned() & BITS_48);
        TAG << 112 | bot << 64 | update << 16 | (index as u128 & 0xffff)
    }

    pub(crate) fn expiry(&self, from: Source, desk: Timestamp) -> Timestamp {
        desk + self.stale_after.saturating_sub(from.age)
    }
}
