//! The venue's limits as an answer reports them: in headers over HTTP, in fields over a WebSocket.

use std::time::Duration;

use crate::wire::http::Response;

/// The venue's own count, and how long it blocks our requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Request weight used in the venue's minute.
    pub(crate) used_weight: Option<u64>,
    /// How long nothing is to be sent.
    pub(crate) retry_after: Option<Duration>,
}

impl Limits {
    /// From a response's fields.
    pub(crate) fn of(response: &Response) -> Self {
        let number = |name: &str| response.field(name)?.parse::<u64>().ok();
        Self {
            used_weight: number("x-mbx-used-weight-1m"),
            retry_after: number("retry-after").map(Duration::from_secs),
        }
    }
}
