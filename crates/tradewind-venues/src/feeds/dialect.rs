//! What each venue calls its readings over REST, and how often it lets itself be read.

use std::borrow::Cow;
use std::time::Duration;

use tradewind_model::{Candle, Instrument, Interval, Timestamp};

use crate::binance::requests::Params;
use crate::binance::rest::{Call, Security};
use crate::budget::Priority;
use crate::error::VenueError;
use crate::rules::{ListedFor, Listings};
use crate::wire::http::Method;
use crate::{bybit, coinbase, kraken, okx};

/// The moment before a time, for venues that count an end among what it ends.
const TICK: Duration = Duration::from_nanos(1);

/// A venue whose market data is read without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Okx,
    Bybit,
    Kraken,
    Coinbase,
}

impl Dialect {
    /// Requests in a minute: OKX takes 20 in 2 s of each kind, Bybit 600 in 5 s of all, Kraken about one a second, Coinbase ten.
    pub(super) const fn requests_per_minute(self) -> u64 {
        match self {
            Self::Okx => 600,
            Self::Bybit => 1_200,
            Self::Kraken => 60,
            Self::Coinbase => 600,
        }
    }

    /// Least time between two requests.
    pub(super) const fn spacing(self) -> Duration {
        match self {
            Self::Okx | Self::Coinbase => Duration::from_millis(125),
            Self::Bybit => Duration::from_millis(50),
            Self::Kraken => Duration::from_secs(1),
        }
    }

    /// Least time between two connections of its streams: OKX takes 3 a second from an address; the others' limits are far off.
    pub(super) const fn connection_spacing(self) -> Option<Duration> {
        match self {
            Self::Okx => Some(Duration::from_millis(350)),
            Self::Bybit | Self::Kraken | Self::Coinbase => None,
        }
    }

    /// How long nothing is to be requested after this refusal, where that is not said by its status alone.
    pub(super) fn blocks(self, refusal: &VenueError) -> Option<Duration> {
        let VenueError::Refused { status, code, text } = refusal else {
            return None;
        };
        match (self, *status, *code) {
            // "Too many requests", in an answer that is in order otherwise.
            (Self::Okx, 200, 50_011) => Some(Duration::from_secs(2)),
            (Self::Bybit, 200, 10_006) => Some(Duration::from_secs(5)),
            // "Access too frequent": the address is let in again after ten minutes.
            (Self::Bybit, 403, _) => Some(Duration::from_secs(600)),
            (Self::Kraken, 200, _) if text.contains("Too many requests") => {
                Some(Duration::from_secs(15))
            }
            (Self::Kraken, 200, _) if text.contains("Rate limit exceeded") => {
                Some(Duration::from_secs(15))
            }
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
            Self::Kraken => reading("/0/public/AssetPairs", Params::default()),
            Self::Coinbase => reading(
                "/api/v3/brokerage/market/products",
                Params::of("product_type", "SPOT"),
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
            Self::Kraken => kraken::decode_listings(body, desk),
            Self::Coinbase => coinbase::decode_listings(body, desk),
        }
    }

    /// Whether its streams have candles of this interval.
    pub(super) fn streams(self, interval: Interval) -> bool {
        match self {
            Self::Okx => okx::has_candles(interval),
            Self::Bybit => bybit::has_candles(interval),
            Self::Kraken => kraken::has_candles(interval),
            Self::Coinbase => coinbase::has_candles(interval),
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
        now: Timestamp,
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
            // It gives the newest 720 and no others.
            Self::Kraken => reading(
                "/0/public/OHLC",
                Params::of("pair", &kraken::rest_name(symbol))
                    .with_number("interval", interval.duration().as_secs() / 60),
            ),
            Self::Coinbase => {
                let end = before.map_or(now, |before| interval.open_time(before - TICK));
                let count = u32::try_from(limit(350)).unwrap_or(1).saturating_sub(1);
                let start = end - interval.duration() * count;
                let path = format!("/api/v3/brokerage/market/products/{symbol}/candles");
                let params = Params::of("granularity", coinbase::granularity(interval))
                    .with_number("start", start.as_millis() / 1_000)
                    .with_number("end", end.as_millis() / 1_000);
                reading(path, params)
            }
        }
    }

    pub(super) fn decode_candles(
        self,
        body: &[u8],
        instrument: &Instrument,
        interval: Interval,
        now: Timestamp,
    ) -> Result<Vec<Candle>, VenueError> {
        match self {
            Self::Okx => okx::decode_candles(body, instrument, interval),
            Self::Bybit => bybit::decode_candles(body, instrument, interval),
            Self::Kraken => kraken::decode_candles(body, instrument, interval),
            Self::Coinbase => coinbase::decode_candles(body, instrument, interval, now),
        }
    }
}

fn reading(path: impl Into<Cow<'static, str>>, params: Params) -> Call {
    Call {
        method: Method::Get,
        path: path.into(),
        params,
        security: Security::Public,
        priority: Priority::Data,
        weight: 1,
    }
}
