//! Telegram: notifications out, commands in.
//!
//! The Telegram bot, the least trusted interface of the desk: anybody can write to it, it can be hours late, and
//! the Bot API may stall for as long as it likes. So it holds nothing the desk waits for. Events come over queues of its
//! own on the bus; commands go the way those of the API go, with the update's number as their identity.
//!
//! [`Telegram`] is a thin tokio shell. What is decided is decided in `machine.rs`, which has no socket and no clock: start
//! there, then `command_handler.rs` (executes commands) and `outbox.rs` (sends messages). Every text
//! is written in `render.rs` and `notice.rs`. It is not a webhook and links no other API than Telegram's own.

mod authorize;
mod backoff;
mod client;
mod command_handler;
mod counts;
mod desk;
mod digest;
mod inbox;
mod machine;
mod markup;
mod names;
mod notice;
mod options;
mod outbox;
mod poller;
mod progress;
mod proposal;
mod render;
mod request;
mod run;
mod wire;

#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use desk::{Answer, Desk, DeskError};
pub use options::{Notify, Options};
pub use progress::{Progress, ProgressFile, ProgressStore};
pub use run::{Telegram, TelegramError};
