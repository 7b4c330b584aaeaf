//! Risk: limits, states and causes, and what risk did.

use axum::Json;
use axum::extract::State;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Paged, Query, page};
use crate::routes::records;
use crate::state::ApiState;
use crate::wire::{List, RiskAnswer, RiskEvent};

/// Limits, states and open causes.
#[utoipa::path(get, path = "/api/v1/risk", tag = "risk", responses((status = 200, body = RiskAnswer)))]
pub(crate) async fn risk(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<RiskAnswer>, ApiError> {
    let (view, names) = state.look().await?;
    Ok(Json(RiskAnswer::new(&view, &names)))
}

/// Denials, breakers, changes of state, kills and resets, newest first.
#[utoipa::path(
    get, path = "/api/v1/risk/events", tag = "risk", params(Paged),
    responses((status = 200, body = List<RiskEvent>), (status = 400, body = ErrorAnswer))
)]
pub(crate) async fn events(
    State(state): State<ApiState>,
    _: Caller,
    Query(paged): Query<Paged>,
) -> Result<Json<List<RiskEvent>>, ApiError> {
    let (before, limit) = page(paged.before.as_deref(), paged.limit)?;
    let query = state.history(move |readers| readers.risk_events(limit, before));
    records::list(query.await?, |row| Ok(records::risk_event(row))).map(Json)
}
