//! The event stream, and single events with what led to them.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tradewind_model::EventId;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Path, Query};
use crate::routes::why::chain_of;
use crate::sse::{Client, Start, Types};
use crate::state::ApiState;
use crate::wire::EventAnswer;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryParams {
    /// Names of types, separated by commas; all if absent.
    types: Option<String>,
}

/// The stream of events.
///
/// Server-sent events: `id` is `seq.index`, `event` the type, `data` an `Event`. Lossless types are resumed after
/// `Last-Event-ID`; prices are the latest of each instrument every 100 ms.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params(QueryParams, ("Last-Event-ID" = Option<String>, Header, description = "The last id received: the stream continues after it.")),
    responses(
        (status = 200, description = "A stream of events.", content_type = "text/event-stream", body = crate::wire::Event),
        (status = 429, description = "All places are taken.", body = ErrorAnswer),
    )
)]
pub(crate) async fn stream(
    State(state): State<ApiState>,
    _: Caller,
    Query(wanted): Query<QueryParams>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let types = wanted.types.as_deref().map_or(Ok(Types::ALL), Types::named);
    let types = types.map_err(|name| {
        ApiError::bad_request(format!("types: there is no event type {name:?}"))
            .hint("docs/api.md lists them")
    })?;
    let start = start(&headers)?;
    let seat = state.hub.seat(&types).ok_or_else(|| {
        let message = "as many streams are open as may be";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", message)
    })?;
    let client = Client::new(state, seat, types, start);
    let chunks = futures_util::stream::unfold(client, |mut client| async move {
        let chunk = client.next().await?;
        Some((Ok::<_, Infallible>(chunk), client))
    });
    let kind = HeaderValue::from_static("text/event-stream");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(chunks)).into_response())
}

/// One event and what led to it.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "events",
    params(("id" = String, Path, description = "`seq.index`.")),
    responses((status = 200, body = EventAnswer), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn one(
    State(state): State<ApiState>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<axum::Json<EventAnswer>, ApiError> {
    let id: EventId = id
        .parse()
        .map_err(|error| ApiError::bad_request(format!("id: {error}")))?;
    let (chain, complete) = chain_of(&state, id).await?;
    if chain.is_empty() {
        return Err(unknown_event(id));
    }
    Ok(axum::Json(EventAnswer { chain, complete }))
}

/// The answer for an unknown event.
pub(crate) fn unknown_event(id: EventId) -> ApiError {
    let message = format!("there is no event {id}, or it is no longer kept");
    ApiError::new(StatusCode::NOT_FOUND, "unknown_event", message)
}

fn start(headers: &HeaderMap) -> Result<Start, ApiError> {
    let Some(last) = headers.get("last-event-id") else {
        return Ok(Start::Now);
    };
    let id = last.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Start::After)
        .ok_or_else(|| ApiError::bad_request("Last-Event-ID: not an event id such as 1234.0"))
}
