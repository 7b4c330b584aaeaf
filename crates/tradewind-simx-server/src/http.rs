//! REST on the socket's side: an HTTP request becomes a letter, the answer becomes an HTTP response.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use tokio::sync::oneshot;

use crate::exchange_task::Letter;
use crate::faults::Reply;
use crate::line::Peer;
use crate::rest::{ApiError, Method, RestAnswer, RestRequest, TimeUnit};
use crate::server::Shared;

/// No request of this interface comes near it.
const BODY_BYTES_MAX: usize = 64 << 10;
/// A client whose answer is lost has hung up long before this.
const SILENCE: Duration = Duration::from_secs(600);

/// Answers any request that is no WebSocket.
pub(crate) async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response<Body> {
    let reply = match read(&peer, request).await {
        Ok(request) => ask(&shared, request).await,
        Err(error) => Err(error),
    };
    match reply.unwrap_or_else(|error| Reply::Sent(RestAnswer::refusal(&error))) {
        Reply::Sent(answer) => respond(answer),
        Reply::Cut(answer, bytes) => {
            peer.switch.cut_after(bytes);
            respond(answer)
        }
        Reply::HungUp => hang_up(&peer),
        Reply::Silence => {
            tokio::select! {
                () = tokio::time::sleep(SILENCE) => {}
                () = shared.shutdown.cancelled() => {}
            }
            hang_up(&peer)
        }
    }
}

/// An answer of which nothing arrives.
fn hang_up(peer: &Peer) -> Response<Body> {
    peer.switch.cut_after(0);
    Response::new(Body::empty())
}

async fn read(peer: &Peer, request: Request) -> Result<RestRequest, ApiError> {
    let (parts, body) = request.into_parts();
    let method = match parts.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        _ => {
            return Err(ApiError {
                status: 405,
                ..ApiError::NOT_FOUND
            });
        }
    };
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await;
    let body = body.map_err(|_| ApiError {
        status: 413,
        ..ApiError::UNKNOWN
    })?;
    Ok(RestRequest {
        address: peer.address.ip(),
        method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        key: text(&parts.headers, "x-mbx-apikey"),
        unit: match text(&parts.headers, "x-mbx-time-unit") {
            Some(unit) => TimeUnit::read(&unit)?,
            None => TimeUnit::default(),
        },
    })
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

async fn ask(shared: &Shared, request: RestRequest) -> Result<Reply, ApiError> {
    let (reply, answer) = oneshot::channel();
    shared.mailbox.post(Letter::Rest(request, reply))?;
    answer.await.map_err(|_| ApiError::SHUTTING_DOWN)
}

/// Refuses a request that is no letter to the exchange.
pub(crate) fn refuse(error: &ApiError) -> Response<Body> {
    respond(RestAnswer::refusal(error))
}

fn respond(answer: RestAnswer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=UTF-8"),
    );
    headers.insert("x-mbx-used-weight", answer.used_weight.into());
    headers.insert("x-mbx-used-weight-1m", answer.used_weight.into());
    if let Some(orders) = answer.orders {
        headers.insert("x-mbx-order-count-10s", orders.ten_seconds.into());
        headers.insert("x-mbx-order-count-1d", orders.day.into());
    }
    if let Some(seconds) = answer.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
