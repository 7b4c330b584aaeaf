//! Rules as their users see them: mistakes with their cures, decisions, and what the built-in strategies decide.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod decisions;
mod document;
mod features;
mod market;
mod mistakes;
mod twins;
