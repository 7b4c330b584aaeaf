//! Why a bot did what it did: the chain of events from the latest back to the quote or candle it began with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bot::Bot;
use super::event::Event;
use super::number::Instant;

/// Why a bot is where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhyAnswer {
    /// The last input the view contains.
    pub seq: u64,
    /// Time of that input.
    pub at: Instant,
    /// The bot with its last reason and its last denial.
    pub bot: Bot,
    /// The bot's latest denial or order event and, each after the one it caused, the events that led to it; empty if it did nothing yet.
    pub chain: Vec<Event>,
    /// Whether the chain reaches its beginning: nothing in it is missing from the log.
    pub complete: bool,
}

/// An event and what led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventAnswer {
    /// The event itself first, then its cause, the cause's cause, and so on.
    pub chain: Vec<Event>,
    /// Whether the chain reaches its beginning: nothing in it is missing from the log.
    pub complete: bool,
}
