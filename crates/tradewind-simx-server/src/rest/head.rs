//! What a REST call takes from an HTTP request, and the header fields of its answer, whoever speaks HTTP.

use std::net::IpAddr;

use super::{ApiError, Method, RestAnswer, RestRequest, TimeUnit};

/// The longest body that is read.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;
/// The type of every body.
pub(crate) const CONTENT_TYPE: &str = "application/json;charset=UTF-8";
/// The header fields that a call reads.
pub(crate) const KEY_FIELD: &str = "x-mbx-apikey";
pub(crate) const UNIT_FIELD: &str = "x-mbx-time-unit";

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) key: Option<&'a str>,
    pub(crate) unit: Option<&'a str>,
}

impl RestRequest {
    /// The request of a client at `address`; `None` as body is one that is too long.
    ///
    /// # Errors
    /// The method or the unit is unknown, or the body is too long.
    pub(crate) fn read(
        address: IpAddr,
        head: Head<'_>,
        body: Option<&[u8]>,
    ) -> Result<Self, ApiError> {
        let method = Method::read(head.method)?;
        let body = body.ok_or(ApiError {
            status: 413,
            ..ApiError::UNKNOWN
        })?;
        Ok(Self {
            address,
            method,
            path: head.path.to_owned(),
            query: head.query.to_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
            key: head.key.map(str::to_owned),
            unit: head.unit.map_or(Ok(TimeUnit::default()), TimeUnit::read)?,
        })
    }
}

impl Method {
    fn read(name: &str) -> Result<Self, ApiError> {
        match name {
            "GET" => Ok(Self::Get),
            "POST" => Ok(Self::Post),
            "PUT" => Ok(Self::Put),
            "DELETE" => Ok(Self::Delete),
            _ => Err(ApiError {
                status: 405,
                ..ApiError::NOT_FOUND
            }),
        }
    }
}

impl RestAnswer {
    /// Its header fields behind the type of its body.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let weight = u64::from(self.used_weight);
        let orders = self.orders.map(|orders| {
            [
                ("x-mbx-order-count-10s", u64::from(orders.ten_seconds)),
                ("x-mbx-order-count-1d", u64::from(orders.day)),
            ]
        });
        [
            ("x-mbx-used-weight", weight),
            ("x-mbx-used-weight-1m", weight),
        ]
        .into_iter()
        .chain(orders.into_iter().flatten())
        .chain(
            self.retry_after_seconds
                .map(|seconds| ("retry-after", seconds)),
        )
    }
}
