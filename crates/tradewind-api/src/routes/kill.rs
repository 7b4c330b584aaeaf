//! The kill switch and its reset.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tradewind_events::Action;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{self, Caller};
use crate::reset::LIFETIME;
use crate::routes::commands::Issuer;
use crate::state::ApiState;
use crate::wire::{CommandAnswer, KillRequest, ResetNonce, ResetRequest};

/// The longest reason, in bytes.
const REASON_MAX: usize = 500;

/// Kills: nothing new leaves until a reset.
#[utoipa::path(
    post, path = "/api/v1/kill", tag = "risk", request_body = KillRequest,
    responses((status = 200, body = CommandAnswer), (status = 400, body = ErrorAnswer))
)]
pub(crate) async fn kill(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(request): extract::Json<KillRequest>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let action = Action::Kill {
        reason: reason(request.reason)?,
        flatten: request.flatten,
    };
    issuer.command(&state, action).await
}

/// A nonce for one reset.
#[utoipa::path(get, path = "/api/v1/reset", tag = "risk", responses((status = 200, body = ResetNonce)))]
pub(crate) async fn nonce(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<ResetNonce>, ApiError> {
    let nonce = state.nonces.issue();
    Ok(Json(ResetNonce {
        nonce: nonce.map_err(|error| ApiError::internal(&error))?,
        expires_in_seconds: LIFETIME.as_secs(),
    }))
}

/// Lifts the kill latch.
#[utoipa::path(
    post, path = "/api/v1/reset", tag = "risk", request_body = ResetRequest,
    responses((status = 200, body = CommandAnswer), (status = 403, description = "The nonce is wrong, used or too old.", body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn reset(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(request): extract::Json<ResetRequest>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let reason = reason(request.reason)?;
    if !state.nonces.take(&request.nonce) {
        let message = "the nonce is wrong, used or too old";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "bad_nonce", message)
            .hint("GET /api/v1/reset gives a new one"));
    }
    issuer.command(&state, Action::Reset { reason }).await
}

/// A reason that is not empty.
pub(super) fn reason(reason: String) -> Result<String, ApiError> {
    if reason.trim().is_empty() || reason.len() > REASON_MAX {
        let message = format!("reason: needs 1 to {REASON_MAX} bytes of text");
        return Err(ApiError::bad_request(message));
    }
    Ok(reason)
}
