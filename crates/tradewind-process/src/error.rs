//! Why a process gave no answer.

use std::time::Duration;

/// What went wrong with a strategy's process. The text follows the words "its process".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The interpreter cannot be run.
    #[error("{interpreter} cannot be run: {reason}")]
    Interpreter {
        /// As configured.
        interpreter: String,
        /// Why.
        reason: String,
    },
    /// The file is no strategy.
    #[error("{problem}; {cure}")]
    Refused {
        /// What is wrong.
        problem: String,
        /// What to do about it.
        cure: String,
    },
    /// It had not answered when its time was over, and was killed.
    #[error("was killed after {0:?} without an answer")]
    Overrun(Duration),
    /// It ended by itself.
    #[error("ended: {0}")]
    Ended(String),
    /// The strategy raised an exception.
    #[error("raised {0}")]
    Raised(String),
    /// What it sent is no answer.
    #[error("sent what is no answer: {0}")]
    Garbled(String),
    /// The process of its group was killed or ended because of another bot.
    #[error("was shared with the group {group:?}, and {because}")]
    Group {
        /// The group.
        group: String,
        /// What happened to it, with the name of the bot.
        because: String,
    },
}
