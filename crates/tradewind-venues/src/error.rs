//! What can go wrong with a request, by what the caller can do about it.

use std::time::Duration;

/// A request that brought no usable answer.
///
/// `binance/verdict.rs` decides what each error means for an order. An order is never sent again after an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VenueError {
    /// The venue could not be reached, or the connection broke. A later retry may succeed.
    #[error("no connection to the venue: {0}")]
    Connection(String),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The venue's limits, or our own share of them, forbid it for now.
    #[error("rate budget is closed for {} ms", .0.as_millis())]
    Limited(Duration),
    /// The venue answered that something is wrong on its side (5xx); whether the request was carried out is not known.
    #[error("the venue failed with status {status}: {text}")]
    Broken {
        /// HTTP status.
        status: u16,
        /// The venue's words, cut at 200 characters.
        text: String,
    },
    /// The venue refused the request.
    #[error("the venue refused with status {status}, code {code}: {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The venue's code, 0 where there is none.
        code: i32,
        /// The venue's words, cut at 200 characters.
        text: String,
    },
    /// The answer is not what the venue documents: we are wrong about it.
    #[error("{what} cannot be read: {why}")]
    Unreadable {
        /// Which answer.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The venue returned fewer entries than it reported: it keeps fewer, or is late. The result is not complete.
    #[error("the venue did not return all of {0}")]
    Incomplete(&'static str),
    /// The request makes no sense to this adapter: an instrument it does not have, a missing key.
    #[error("{0}")]
    Ours(String),
}

impl VenueError {
    /// Whether the same request may be sent again: never true for what could have changed something.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Connection(_) | Self::Timeout(_) | Self::Limited(_) | Self::Broken { .. }
        )
    }

    /// The venue's code, if it gave one.
    #[must_use]
    pub const fn code(&self) -> Option<i32> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "taken as it comes out of map_err"
    )]
    pub(crate) fn unreadable(what: &'static str, why: impl ToString) -> Self {
        Self::Unreadable {
            what,
            why: why.to_string(),
        }
    }
}

/// `text` cut at 200 characters: a venue's words go into journals and onto screens.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}
