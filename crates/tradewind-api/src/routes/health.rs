//! Whether the process serves, whether the desk may trade, and the metrics.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::extract::Caller;
use crate::metrics;
use crate::state::ApiState;

/// Whether the process serves.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// Whether every account is reconciled and the desk may trade.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 503, body = String, content_type = "text/plain"))
)]
pub(crate) async fn ready(State(state): State<ApiState>) -> (StatusCode, &'static str) {
    if state.desk.health().ready {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

/// Metrics in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(crate) async fn metrics(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Response, ApiError> {
    let (view, names) = state.look().await?;
    let text = metrics::scrape(&state, view, names);
    let text = text.map_err(|error| ApiError::internal(&error))?;
    let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
