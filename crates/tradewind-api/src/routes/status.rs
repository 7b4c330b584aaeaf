//! The desk at a glance.

use axum::Json;
use axum::extract::State;

use crate::error::ApiError;
use crate::extract::Caller;
use crate::state::ApiState;
use crate::wire::{Status, StatusExtra};

/// The desk at a glance.
#[utoipa::path(get, path = "/api/v1/status", tag = "desk", responses((status = 200, body = Status)))]
pub(crate) async fn status(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<Status>, ApiError> {
    let (view, names) = state.look().await?;
    let about = state.desk.about();
    let health = state.desk.health();
    let extra = StatusExtra {
        version: about.version,
        started_at: about.started_at.into(),
        uptime_seconds: state.started.elapsed().as_secs(),
        mode: about.mode,
        ready: health.ready,
        components: health.components,
    };
    Ok(Json(Status::new(&view, extra, &names)))
}
