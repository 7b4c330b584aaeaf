//! The exchange of the one-time login code for the token.

use axum::extract::{FromRequest, Request, State};

use crate::auth::Verification;
use crate::error::{ApiError, ErrorAnswer};
use crate::extract::Json;
use crate::guard::{locked_out, peer};
use crate::state::ApiState;
use crate::wire::{Session, SessionRequest};

/// Exchanges the code of the login link for the token, once.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "login", request_body = SessionRequest, security(()),
    responses((status = 200, body = Session), (status = 401, body = ErrorAnswer), (status = 429, body = ErrorAnswer))
)]
pub(crate) async fn session(
    State(state): State<ApiState>,
    request: Request,
) -> Result<axum::Json<Session>, ApiError> {
    let peer = peer(&request);
    let Json(body): Json<SessionRequest> = Json::from_request(request, &state).await?;
    match state.keys.redeem(peer, &body.code) {
        Verification::Granted(token) => Ok(axum::Json(Session { token })),
        Verification::Denied => Err(ApiError::unauthorized("the login code is wrong or was used")
            .hint("start the desk again for a new link, or use the token in the data directory's file `token`")),
        Verification::LockedOut => Err(locked_out()),
    }
}
