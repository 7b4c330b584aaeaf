//! What an answer says about the venue's limits, whichever way it came: headers over HTTP, fields over a WebSocket.

use std::time::Duration;

use reqwest::header::HeaderMap;

/// The venue's own count, and its wish to be left alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Request weight used in the venue's minute.
    pub(crate) used_weight: Option<u64>,
    /// How long nothing is to be sent.
    pub(crate) retry_after: Option<Duration>,
}

impl Limits {
    /// As headers tell it.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        Self {
            used_weight: number("x-mbx-used-weight-1m"),
            retry_after: number("retry-after").map(Duration::from_secs),
        }
    }
}
