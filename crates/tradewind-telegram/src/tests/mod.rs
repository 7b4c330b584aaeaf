//! Tests of the Telegram bot: the machine in virtual time against a made-up desk and Bot API (`world.rs`), the texts, and the
//! tokio shell against a stand-in Bot API over loopback (`shell.rs`).

mod commands;
mod corpus;
mod pacing;
mod shell;
mod texts;
pub(crate) mod world;
