//! Rules as their users see them: mistakes with their cures, decisions, and what the built-in strategies decide.

mod decisions;
mod document;
mod market;
mod mistakes;
mod twins;
