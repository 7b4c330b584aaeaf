//! The desk's log, its commands, its tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::number::Instant;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When, by the wall clock.
    pub at: Instant,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub level: String,
    /// The part of the desk that wrote it.
    pub target: String,
    /// What it wrote.
    pub message: String,
}

/// A command and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// The `command` event.
    pub event: String,
    /// When it was carried out.
    pub at: Instant,
    /// The command's id: 32 hexadecimal digits.
    pub command: String,
    /// Who gave it: `token:operator`, `telegram:42`, `local`.
    pub principal: String,
    /// The action, as text.
    pub action: String,
    /// Whether it was done or begun.
    pub accepted: bool,
    /// The order that was made, or why it was refused.
    pub result: Option<String>,
}

/// A token, without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
}
