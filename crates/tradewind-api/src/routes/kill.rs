//! The kill switch and its reset.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tradewind_events::Action;
use tradewind_risk::Scope;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{self, Caller};
use crate::reset::LIFETIME;
use crate::routes::commands::Issuer;
use crate::routes::risk::scope;
use crate::state::ApiState;
use crate::wire::{self, CommandAnswer, KillRequest, ResetNonce, ResetRequest};

/// The longest reason, in bytes.
const REASON_MAX: usize = 500;

/// Kills: nothing new leaves until a reset, for the whole desk or a part of it.
#[utoipa::path(
    post, path = "/api/v1/kill", tag = "risk", request_body = KillRequest,
    responses((status = 200, body = CommandAnswer), (status = 400, body = ErrorAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn kill(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(request): extract::Json<KillRequest>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let reason = reason(request.reason)?;
    let (flatten, include_external) = (request.flatten, request.include_external);
    if include_external && !flatten {
        let message = "include_external: needs flatten".to_owned();
        return Err(ApiError::bad_request(message));
    }
    // The whole desk is killed without a look at it.
    let action = match part(&state, request.scope).await? {
        None => Action::Kill {
            reason,
            flatten,
            include_external,
        },
        Some(_) if flatten => {
            let message = "flatten: closes the positions of the whole desk only".to_owned();
            return Err(ApiError::bad_request(message));
        }
        Some(scope) => Action::KillScope { scope, reason },
    };
    issuer.command(&state, action).await
}

/// The part of the desk that is meant; `None` for all of it.
async fn part(state: &ApiState, named: Option<wire::Scope>) -> Result<Option<Scope>, ApiError> {
    let Some(named) = named.filter(|named| named.kind != wire::ScopeKind::Desk) else {
        return Ok(None);
    };
    let (_, names) = state.look().await?;
    scope(&names, &named).map(Some)
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

/// Lifts the kill latch, or the kill of a part of the desk. Its accounts must have been read from their venue since, and agree
/// with the books.
#[utoipa::path(
    post, path = "/api/v1/reset", tag = "risk", request_body = ResetRequest,
    responses((status = 200, body = CommandAnswer), (status = 403, description = "The nonce is wrong, used or too old.", body = ErrorAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
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
    let action = match part(&state, request.scope).await? {
        None => Action::Reset { reason },
        Some(scope) => Action::ResetScope { scope, reason },
    };
    issuer.command(&state, action).await
}

/// A reason that is not empty.
pub(super) fn reason(reason: String) -> Result<String, ApiError> {
    if reason.trim().is_empty() || reason.len() > REASON_MAX {
        let message = format!("reason: needs 1 to {REASON_MAX} bytes of text");
        return Err(ApiError::bad_request(message));
    }
    Ok(reason)
}
