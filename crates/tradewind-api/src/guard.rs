//! What every request passes before a route sees it, outermost first: headers that pages need, whose request it is, how
//! long it may take, and whether it may be made at all. The default is no.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::auth::Verification;
use crate::error::ApiError;
use crate::extract::Caller;
use crate::listener::Peer;
use crate::state::ApiState;

/// What a page of ours may load: what comes from here, and nothing inline.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    ),
];

/// Puts the headers on that keep pages of ours to themselves.
pub(crate) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        let _ = headers.insert(name, value);
    }
    // Answers of the API are never cached; only files named by a hash of their content are.
    let _ = headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Turns away what is not addressed to us or comes from a page of another site.
pub(crate) async fn addressed(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let foreign = |code, what: &str| {
        ApiError::new(
            StatusCode::FORBIDDEN,
            code,
            format!("this {what} is not served here"),
        )
        .hint("use the address the desk printed at its start")
        .into_response()
    };
    if !state.hosts.knows_host(request.headers(), request.uri()) {
        return foreign("foreign_host", "host");
    }
    if !state.hosts.knows_origin(request.headers()) {
        return foreign("foreign_origin", "origin");
    }
    next.run(request).await
}

/// Bounds the time until an answer begins; a stream may then continue.
pub(crate) async fn in_time(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let answer = tokio::time::timeout(state.request_timeout, next.run(request)).await;
    answer.unwrap_or_else(|_| ApiError::timeout().into_response())
}

/// Passes open routes, and requests with the token.
pub(crate) async fn authorized(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    if is_open(request.method(), request.uri().path()) {
        return next.run(request).await;
    }
    let Some(token) = bearer(request.headers()) else {
        return ApiError::unauthorized("this route needs a token").into_response();
    };
    match state.keys.check_token(peer(&request), token) {
        Verification::Granted(name) => {
            let _ = request.extensions_mut().insert(Caller(name.to_owned()));
            next.run(request).await
        }
        Verification::Denied => ApiError::unauthorized("the token is wrong").into_response(),
        Verification::LockedOut => locked_out().into_response(),
    }
}

/// The answer to a peer that is locked out.
pub(crate) fn locked_out() -> ApiError {
    let message = "too many wrong tokens from your address";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "locked_out", message).hint("wait a minute")
}

/// The address a request came from.
pub(crate) fn peer(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<Peer>>();
    peer.map_or(
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        |ConnectInfo(Peer(address))| address.ip(),
    )
}

/// The whole list of what needs no token: health, the exchange of the login code, and the dashboard's own files, which
/// hold nothing of the desk. Whatever is added under `/api` is closed unless it is named here.
fn is_open(method: &Method, path: &str) -> bool {
    match path {
        "/api/v1/session" => method == Method::POST,
        "/metrics" | "/api" => false,
        _ => !path.starts_with("/api/"),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let only = given.next().filter(|_| given.next().is_none())?;
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_is_open() {
        let open = |method, path| is_open(&method, path);
        assert!(open(Method::GET, "/healthz") && open(Method::GET, "/assets/index-1a2b.js"));
        assert!(open(Method::POST, "/api/v1/session"));
        for path in [
            "/api",
            "/api/",
            "/api/v1/session",
            "/api/v1/status",
            "/api/v2/x",
            "/metrics",
        ] {
            assert!(!open(Method::GET, path), "{path}");
        }
        assert!(!open(Method::POST, "/api/v1/session/"));
    }
}
