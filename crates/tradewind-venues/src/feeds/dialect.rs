//! What each venue calls its readings over REST, and how often it lets itself be read.

use std::time::Duration;

use tradewind_model::{Candle, Instrument, Interval, Timestamp};

use crate::binance::requests::Params;
use crate::binance::rest::{Call, Security};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::rules::{ListedFor, Listings};
use crate::wire::http::Method;
use crate::{bybit, okx};

/// A venue whose market data is read without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Okx,
    Bybit,
}

impl Dialect {
    /// Requests in a minute: OKX takes 20 in 2 s of each kind, Bybit 600 in 5 s of all.
    pub(super) const fn requests_per_minute(self) -> u64 {
        match self {
            Self::Okx => 600,
            Self::Bybit => 1_200,
        }
    }

    /// Least time between two requests.
    pub(super) const fn spacing(self) -> Duration {
        match self {
            Self::Okx => Duration::from_millis(125),
            Self::Bybit => Duration::from_millis(50),
        }
    }

    /// How long nothing is to be requested after this refusal, where that is not said by its status alone.
    pub(super) fn blocks(self, refusal: &VenueError) -> Option<Duration> {
        let VenueError::Refused { status, code, .. } = refusal else {
            return None;
        };
        match (self, *status, *code) {
            // "Too many requests", in an answer that is in order otherwise.
            (Self::Okx, 200, 50_011) => Some(Duration::from_secs(2)),
            (Self::Bybit, 200, 10_006) => Some(Duration::from_secs(5)),
            // "Access too frequent": the address is let in again after ten minutes.
            (Self::Bybit, 403, _) => Some(Duration::from_secs(600)),
            _ => None,
        }
    }

    pub(super) fn listings(self) -> Call {
        match self {
            Self::Okx => reading("/api/v5/public/instruments", Params::of("instType", "SPOT")),
            Self::Bybit => reading(
                "/v5/market/instruments-info",
                Params::of("category", "spot"),
            ),
        }
    }

    pub(super) fn decode_listings(
        self,
        body: &[u8],
        desk: ListedFor<'_>,
    ) -> Result<Listings, VenueError> {
        match self {
            Self::Okx => okx::decode_listings(body, desk),
            Self::Bybit => bybit::decode_listings(body, desk),
        }
    }

    /// A page of candles that begin before a time, or the newest ones. About as many as are `wanted`, as far as a page goes; one
    /// more is requested, since the newest may be open.
    pub(super) fn candles(
        self,
        symbol: &str,
        interval: Interval,
        before: Option<Timestamp>,
        wanted: usize,
    ) -> Call {
        let limit = |most: usize| u64::try_from(wanted.saturating_add(1).min(most)).unwrap_or(1);
        match self {
            Self::Okx => {
                let channel = okx::candle_channel(interval);
                let bar = channel.strip_prefix("candle").unwrap_or(&channel);
                let params = Params::of("instId", symbol).with("bar", bar);
                match before {
                    // The newest ones have an address of their own; the history's may be a moment late with them.
                    None => reading(
                        "/api/v5/market/candles",
                        params.with_number("limit", limit(300)),
                    ),
                    Some(before) => reading(
                        "/api/v5/market/history-candles",
                        params
                            .with_number("after", before.as_millis())
                            .with_number("limit", limit(100)),
                    ),
                }
            }
            Self::Bybit => {
                let channel = bybit::candle_channel(interval);
                let name = channel.strip_prefix("kline.").unwrap_or(&channel);
                let params = Params::of("category", "spot")
                    .with("symbol", symbol)
                    .with("interval", name)
                    .with_number("limit", limit(1_000));
                let params = match before {
                    None => params,
                    Some(before) => params.with_number("end", before.as_millis() - 1),
                };
                reading("/v5/market/kline", params)
            }
        }
    }

    pub(super) fn decode_candles(
        self,
        body: &[u8],
        instrument: &Instrument,
        interval: Interval,
    ) -> Result<Vec<Candle>, VenueError> {
        match self {
            Self::Okx => okx::decode_candles(body, instrument, interval),
            Self::Bybit => bybit::decode_candles(body, instrument, interval),
        }
    }
}

fn reading(path: &'static str, params: Params) -> Call {
    Call {
        method: Method::Get,
        path,
        params,
        security: Security::Public,
        priority: Priority::Data,
        weight: 1,
    }
}
