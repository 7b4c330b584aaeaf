//! The control port: the operator's side of a running exchange, on an address and behind a token of its own.
//!
//! It listens on loopback only. What can be asked is the table in [`routes`]; what it does is a [`ServerHandle`]'s, so a
//! test that embeds a server needs no port. Every failure has one shape: `{"error": {"code", "message", "hint"}}`.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use data_encoding::HEXLOWER;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::faults::{Command, CommandError, FaultErrors, FaultScript, read_body};
use crate::handle::{NotRunning, ServerHandle};
use crate::options::ServerError;

/// No script is longer.
const BODY_BYTES_MAX: usize = 1 << 20;
/// An exchange that does not answer within this is too busy.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const TOKEN_BYTES: usize = 32;

/// A control port that holds its address and knows its token.
pub struct ControlPort {
    listener: TcpListener,
    address: SocketAddr,
    token: String,
    check: TokenCheck,
}

/// Why there is no control port.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Whoever reaches it owns the exchange, so others must not even try.
    #[error("the control port listens on loopback only, not on {0}; use 127.0.0.1:PORT")]
    NotLoopback(SocketAddr),
    /// A token that can be guessed.
    #[error("a control token has at least 16 characters")]
    ShortToken,
    /// The address is taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The system has no randomness for a token.
    #[error("the system gives no random numbers")]
    Randomness,
}

impl fmt::Debug for ControlPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPort")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl ControlPort {
    /// Takes `address`, with the token given or a new one.
    ///
    /// # Errors
    /// The address is not on loopback or not free, or the token is shorter than 16 characters.
    pub fn bind(address: SocketAddr, token: Option<String>) -> Result<Self, ControlError> {
        if !address.ip().is_loopback() {
            return Err(ControlError::NotLoopback(address));
        }
        let token = match token {
            Some(token) if token.len() < 16 => return Err(ControlError::ShortToken),
            Some(token) => token,
            None => random_token()?,
        };
        let listen = |source| ControlError::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        Ok(Self {
            address: listener.local_addr().map_err(listen)?,
            listener,
            check: TokenCheck::new(&token)?,
            token,
        })
    }

    /// The address it listens on.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The token, for the start line. It goes into `Authorization: Bearer TOKEN`.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

fn random_token() -> Result<String, ControlError> {
    let mut bytes = [0; TOKEN_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| ControlError::Randomness)?;
    Ok(HEXLOWER.encode(&bytes))
}

/// Compares tokens in a time that tells nothing about them: under a key nobody knows, by their tags.
#[derive(Clone)]
struct TokenCheck {
    key: hmac::Key,
    tag: hmac::Tag,
}

impl TokenCheck {
    fn new(token: &str) -> Result<Self, ControlError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| ControlError::Randomness)?;
        let tag = hmac::sign(&key, token.as_bytes());
        Ok(Self { key, tag })
    }

    fn accepts(&self, headers: &HeaderMap) -> bool {
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        given
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|token| {
                hmac::verify(&self.key, token.as_bytes(), self.tag.as_ref()).is_ok()
            })
    }
}

/// Serves the port until `shutdown`; for ever when there is none. Returns only when it fails.
pub(crate) async fn serve(
    port: Option<ControlPort>,
    handle: ServerHandle,
    shutdown: CancellationToken,
) -> ServerError {
    let Some(port) = port else {
        return std::future::pending().await;
    };
    let router = routes(port.check).with_state(handle);
    let served = async {
        let listener = tokio::net::TcpListener::from_std(port.listener)?;
        axum::serve(listener, router)
            .with_graceful_shutdown(shutdown.cancelled_owned())
            .await
    };
    match served.await {
        Ok(()) => std::future::pending().await,
        Err(error) => ServerError::Serve(error),
    }
}

fn routes(check: TokenCheck) -> Router<ServerHandle> {
    Router::new()
        .route("/state", get(state))
        .route("/pause", post(pause))
        .route("/step", post(step))
        .route("/faults", post(add_faults).delete(clear_faults))
        // /trade, /cancel, /fill, /deposit, /withdraw, /filters, /halt
        .route("/{act}", post(act))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(check, guard))
        .fallback(|| async {
            failure(
                StatusCode::NOT_FOUND,
                "unknown_path",
                "there is no such path",
                "see docs/faults.md",
            )
        })
}

async fn guard(State(check): State<TokenCheck>, request: Request, next: Next) -> Response<Body> {
    if check.accepts(request.headers()) {
        return next.run(request).await;
    }
    let hint = "send Authorization: Bearer TOKEN with the token of the start line, or of SIMX_CONTROL_TOKEN";
    failure(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "the token is missing or wrong",
        hint,
    )
}

type Answer = Result<Value, Failure>;

async fn state(State(handle): State<ServerHandle>) -> Response<Body> {
    answer(handle.state()).await
}

async fn pause(State(handle): State<ServerHandle>, body: String) -> Response<Body> {
    answer(async move {
        let paused = read_body(&body, "body", |reader| {
            let paused = reader.flag("paused");
            reader.required("paused", paused)
        })?;
        if paused {
            handle.pause()
        } else {
            handle.resume()
        }?;
        Ok::<_, Failure>(json!({ "paused": paused }))
    })
    .await
}

async fn step(State(handle): State<ServerHandle>, body: String) -> Response<Body> {
    answer(async move {
        let millis = read_body(&body, "body", |reader| {
            let millis = reader.count("millis");
            reader.required("millis", millis)
        })?;
        let status = handle.status().await?;
        if !status.paused {
            return Err(Failure::of(CommandError::Malformed(vec![
                "only a paused market moves by steps; POST /pause first".to_owned(),
            ])));
        }
        handle.step(Duration::from_millis(millis))?;
        Ok(json!({ "millis": millis }))
    })
    .await
}

async fn add_faults(State(handle): State<ServerHandle>, body: String) -> Response<Body> {
    answer(async move {
        let script: FaultScript = body.parse()?;
        let (wanted, added) = (script.len(), handle.add_faults(script).await?);
        Ok::<_, Failure>(json!({ "added": added, "refused": wanted - added }))
    })
    .await
}

async fn clear_faults(State(handle): State<ServerHandle>) -> Response<Body> {
    answer(async move {
        handle.clear_faults().await?;
        Ok::<_, Failure>(json!({ "added": 0 }))
    })
    .await
}

async fn act(
    State(handle): State<ServerHandle>,
    Path(verb): Path<String>,
    body: String,
) -> Response<Body> {
    answer(async move {
        let command = Command::from_json(&verb, &body)?;
        Ok::<_, Failure>(handle.command(command).await??)
    })
    .await
}

/// What went wrong, as it is told.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: &'static str,
}

impl Failure {
    fn of(error: impl Into<Self>) -> Self {
        error.into()
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        let (status, code, hint) = match &error {
            CommandError::Malformed(_) => (
                StatusCode::BAD_REQUEST,
                "malformed",
                "docs/faults.md has an example of each request",
            ),
            CommandError::Unknown { .. } => (
                StatusCode::NOT_FOUND,
                "unknown",
                "GET /state lists accounts and symbols",
            ),
            CommandError::Number { .. } => (
                StatusCode::BAD_REQUEST,
                "number",
                "decimals are texts within the symbol's precision",
            ),
            CommandError::Refused { .. } => (
                StatusCode::CONFLICT,
                "refused",
                "the exchange would refuse a client the same",
            ),
        };
        Self {
            status,
            code,
            message: error.to_string(),
            hint,
        }
    }
}

impl From<FaultErrors> for Failure {
    fn from(errors: FaultErrors) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "malformed",
            message: errors.to_string(),
            hint: "docs/faults.md has a script for each fault",
        }
    }
}

impl From<NotRunning> for Failure {
    fn from(error: NotRunning) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "not_running",
            message: error.to_string(),
            hint: "try again in a moment",
        }
    }
}

async fn answer<E: Into<Failure>>(asked: impl Future<Output = Result<Value, E>>) -> Response<Body> {
    let answered = tokio::time::timeout(ANSWER_WITHIN, asked).await;
    let outcome: Answer = match answered {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(NotRunning.into()),
    };
    match outcome {
        Ok(value) => (
            [(header::CONTENT_TYPE, "application/json")],
            value.to_string(),
        )
            .into_response(),
        Err(error) => failure(error.status, error.code, &error.message, error.hint),
    }
}

fn failure(status: StatusCode, code: &str, message: &str, hint: &str) -> Response<Body> {
    let body = json!({ "error": { "code": code, "message": message, "hint": hint } });
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}
