//! The REST client for everything but new orders: within the budget, within a time-out, errors by what a caller can do.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tradewind_model::{Clock, Timestamp};

use super::requests::Params;
use super::signing::{ApiKey, Signer};
use super::verdict::error_body;
use crate::address::Address;
use crate::backoff::Backoff;
use crate::budget::{Admission, Priority, RateBudget};
use crate::clock_offset::{ClockOffset, OffsetSample};
use crate::error::{VenueError, cut};
use crate::limits::Limits;
use crate::wire::http::{HttpError, Method, Request};
use crate::wire::{Connector, HttpPool, LinkError, within};

/// Full exchange information is about 16 MiB; a longer answer is not the requested one.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Attempts at a request that only reads.
const READ_ATTEMPTS: u32 = 3;
/// "Timestamp for this request is outside of the recvWindow", or ahead of the venue's clock.
const CODE_TIMESTAMP: i32 = -1021;
/// How long a limit without `Retry-After` is respected.
const DEFAULT_BLOCK: Duration = Duration::from_secs(60);

/// How a request is authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    Public,
    Signed,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: Cow<'static, str>,
    pub(crate) params: Params,
    pub(crate) security: Security,
    pub(crate) priority: Priority,
    pub(crate) weight: u64,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// One account's way to the venue's REST interface.
#[derive(Debug)]
pub(crate) struct Rest {
    pool: HttpPool,
    key: Option<ApiKey>,
    window_ms: u64,
    within: Duration,
    order_within: Duration,
    clock: Arc<dyn Clock>,
    offset: Arc<Mutex<ClockOffset>>,
    budget: Arc<Mutex<RateBudget>>,
    backoff: Mutex<Backoff>,
    clock_doubted: Notify,
    /// The venue found a time stamp wrong, and its clock was not read since.
    clock_refused: AtomicBool,
}

/// What a [`Rest`] is made of.
pub(crate) struct RestSettings {
    pub(crate) address: Address,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) key: Option<ApiKey>,
    pub(crate) window_ms: u64,
    pub(crate) within: Duration,
    pub(crate) order_within: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) offset: Arc<Mutex<ClockOffset>>,
    pub(crate) budget: Arc<Mutex<RateBudget>>,
    pub(crate) seed: u64,
}

impl Rest {
    pub(crate) fn new(settings: RestSettings) -> Self {
        Self {
            pool: HttpPool::new(settings.connector, settings.address, ANSWER_BYTES_MAX),
            key: settings.key,
            window_ms: settings.window_ms,
            within: settings.within,
            order_within: settings.order_within,
            clock: settings.clock,
            offset: settings.offset,
            budget: settings.budget,
            backoff: Mutex::new(Backoff::new(
                Duration::from_millis(250),
                Duration::from_secs(2),
                settings.seed,
            )),
            clock_doubted: Notify::new(),
            clock_refused: AtomicBool::new(false),
        }
    }

    /// Closes idle connections as soon as the venue does. Never resolves.
    pub(crate) async fn watch_idle(&self) {
        self.pool.watch_idle().await;
    }

    /// Sends a request that only reads. It is repeated after transient failures, as far as the budget of repetitions lets it: it
    /// changes nothing.
    ///
    /// The first error is the one returned: it names the cause.
    pub(crate) async fn read(&self, call: &Call) -> Result<Vec<u8>, VenueError> {
        let mut first = match self.read_once(call).await {
            Err(error) if error.is_transient() => error,
            Err(error) if error.code() == Some(CODE_TIMESTAMP) => {
                self.sync_clock().await?;
                return self.read_once(call).await;
            }
            done => return done,
        };
        for _ in 1..READ_ATTEMPTS {
            // A closed budget names its own wait, which this request has already taken part of.
            if matches!(first, VenueError::Limited(_)) {
                return Err(first);
            }
            let now = self.pool.connector().now();
            if !lock(&self.budget).retries().take(now) {
                tracing::debug!("Too many reads are repeated already");
                return Err(first);
            }
            let wait = lock(&self.backoff).next_wait();
            self.pool.connector().sleep(wait).await;
            match self.read_once(call).await {
                Ok(body) => {
                    lock(&self.backoff).reset();
                    return Ok(body);
                }
                Err(error) if error.is_transient() => tracing::debug!(%error, "Read failed again"),
                Err(error) => first = error,
            }
            if !first.is_transient() {
                break;
            }
        }
        Err(first)
    }

    async fn read_once(&self, call: &Call) -> Result<Vec<u8>, VenueError> {
        let answer = self.send(call).await?;
        if answer.status < 500 && !matches!(answer.status, 418 | 429) {
            lock(&self.budget).retries().answered();
        }
        match answer.status {
            200..=299 => Ok(answer.body),
            status @ 400..=499 => {
                let reason = error_body(&answer.body);
                let (code, text) = reason.map_or_else(
                    || (0, cut(&String::from_utf8_lossy(&answer.body))),
                    |reason| (reason.code, reason.text),
                );
                Err(VenueError::Refused { status, code, text })
            }
            status => Err(VenueError::Broken {
                status,
                text: cut(&String::from_utf8_lossy(&answer.body)),
            }),
        }
    }

    /// Sends a request once and brings its answer, whatever the status.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, VenueError> {
        let limit = match call.priority {
            Priority::Cancel | Priority::Query => self.order_within,
            Priority::Exit | Priority::Reading | Priority::Entry | Priority::Data => self.within,
        };
        let exchange = async {
            self.admitted(call.priority, call.weight, limit).await?;
            let target = self.target(call)?;
            let host = self.pool.address().authority();
            let key = match (call.security, &self.key) {
                (Security::Signed, Some(key)) => Some((KEY_FIELD, key.key())),
                _ => None,
            };
            let request = Request {
                method: call.method,
                target: &target,
                host: &host,
                fields: key.as_slice(),
                body: b"",
            };
            // Pages of history are many and slow; a cancel must not wait behind them.
            let urgent = call.priority != Priority::Data;
            let blocked = || lock(&self.budget).blocked_for(self.pool.connector().now());
            let response = self.pool.send(&request, urgent, blocked).await;
            let response = response.map_err(request_failed)?;
            let status = response.status;
            self.note_limits(status, Limits::of(&response));
            let body = response.body;
            Ok(Answer { status, body })
        };
        within(self.pool.connector(), limit, exchange)
            .await
            .unwrap_or(Err(VenueError::Timeout(limit)))
    }

    /// Waits until the budget admits a request, if that is within `patience`.
    pub(super) async fn admitted(
        &self,
        priority: Priority,
        weight: u64,
        patience: Duration,
    ) -> Result<(), VenueError> {
        let end = self.pool.connector().now() + patience;
        loop {
            let now = self.pool.connector().now();
            let admission = lock(&self.budget).acquire(now, priority, weight);
            match admission {
                Admission::Go => return Ok(()),
                Admission::Wait(wait) if now + wait >= end => {
                    return Err(VenueError::Limited(wait));
                }
                Admission::Wait(wait) => self.pool.connector().sleep(wait).await,
            }
        }
    }

    /// Records the limits that an answer reports.
    pub(super) fn note_limits(&self, status: u16, limits: Limits) {
        let now = self.pool.connector().now();
        let mut budget = lock(&self.budget);
        if let Some(used) = limits.used_weight {
            budget.reported(now, used);
        }
        if matches!(status, 418 | 429) {
            let wait = limits.retry_after.unwrap_or(DEFAULT_BLOCK);
            tracing::warn!(status, wait_s = wait.as_secs(), "Venue limits requests");
            budget.blocked(now, wait);
        }
    }

    /// Requests the venue's time and updates the clock offset.
    pub(super) async fn sync_clock(&self) -> Result<Timestamp, VenueError> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ServerTime {
            server_time: i64,
        }
        let call = Call {
            method: Method::Get,
            path: "/api/v3/time".into(),
            params: Params::default(),
            security: Security::Public,
            priority: Priority::Query,
            weight: 1,
        };
        let sent_at = self.clock.now();
        let body = self.read_once(&call).await?;
        let received_at = self.clock.now();
        let answer: ServerTime = super::answers::read("server time", &body)?;
        let venue_time = Timestamp::from_millis(answer.server_time);
        lock(&self.offset).add(OffsetSample {
            sent_at,
            venue_time,
            received_at,
        });
        self.clock_refused.store(false, Ordering::Relaxed);
        Ok(venue_time)
    }

    /// Takes note of a refusal's code: `-1021` means that our estimate of the venue's clock is wrong.
    pub(super) fn refused(&self, code: i32) {
        if code == CODE_TIMESTAMP {
            self.clock_refused.store(true, Ordering::Relaxed);
            self.clock_doubted.notify_one();
        }
    }

    /// Whether the venue found a time stamp of ours wrong, and its clock was not read since.
    pub(super) fn is_clock_refused(&self) -> bool {
        self.clock_refused.load(Ordering::Relaxed)
    }

    /// Resolves when the venue has found a time stamp of ours wrong.
    pub(super) async fn clock_doubted(&self) {
        self.clock_doubted.notified().await;
    }

    /// The venue's time now, by the measured offset.
    pub(super) fn venue_time(&self) -> Timestamp {
        lock(&self.offset).venue_time(self.clock.now())
    }

    /// What signs the account's requests.
    pub(super) fn signer(&self) -> Result<Signer, VenueError> {
        let key = self.key.clone().ok_or_else(|| {
            VenueError::Ours("the account has no key: nothing signed can be sent".to_owned())
        })?;
        Ok(Signer {
            key,
            window_ms: self.window_ms,
            clock: Arc::clone(&self.clock),
            offset: Arc::clone(&self.offset),
        })
    }

    fn target(&self, call: &Call) -> Result<String, VenueError> {
        let params = match call.security {
            Security::Public => call.params.clone(),
            Security::Signed => self.signer()?.signed(call.params.clone()),
        };
        let query = params.form();
        let separator = if query.is_empty() { "" } else { "?" };
        let path = format!("{}{separator}{query}", call.path);
        Ok(self.pool.address().target(&path))
    }
}

/// The field that names the account's key.
pub(super) const KEY_FIELD: &str = "X-MBX-APIKEY";

/// The target is left out: it carries a signature.
fn request_failed(error: LinkError) -> VenueError {
    match error {
        LinkError::Http(HttpError::Unsendable) => VenueError::Ours(error.to_string()),
        LinkError::Http(HttpError::TooLong | HttpError::Encoded) => {
            VenueError::unreadable("answer", error)
        }
        LinkError::Blocked(wait) => VenueError::Limited(wait),
        other => VenueError::Connection(other.to_string()),
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each guards a small machine whose methods cannot leave it half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
