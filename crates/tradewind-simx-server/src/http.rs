//! REST on the socket's side: an HTTP request becomes a letter, the answer becomes an HTTP response.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tokio::sync::oneshot;

use crate::exchange_task::Letter;
use crate::faults::Reply;
use crate::line::Peer;
use crate::rest::{
    ApiError, BODY_BYTES_MAX, CONTENT_TYPE, Head, KEY_FIELD, RestAnswer, RestRequest, UNIT_FIELD,
};
use crate::server::Shared;
use crate::sockets;
use crate::websocket::Target;

/// A client whose answer is lost has hung up long before this.
pub(crate) const SILENCE: Duration = Duration::from_secs(600);

/// Answers any request; the path decides whether it opens a WebSocket.
pub(crate) async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response<Body> {
    if let Some(target) = Target::of(request.uri().path()) {
        return sockets::upgrade(shared, peer, target, request).await;
    }
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
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.ok();
    let head = Head {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        key: text(&parts.headers, KEY_FIELD),
        unit: text(&parts.headers, UNIT_FIELD),
    };
    RestRequest::read(peer.address.ip(), head, body.as_deref())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
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
    let fields = answer.fields();
    let fields: HeaderMap = fields
        .map(|(name, value)| (HeaderName::from_static(name), value.into()))
        .collect();
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.extend(fields);
    response
}
