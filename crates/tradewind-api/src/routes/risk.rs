//! Risk: limits, states and causes, and what risk did.

use axum::Json;
use axum::extract::State;
use tradewind_events::EventType;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query};
use crate::routes::records::Narrowed;
use crate::state::ApiState;
use crate::wire::{List, RiskAnswer, RiskEvent};

/// What counts as an event of risk.
const TYPES: &[EventType] = &[
    EventType::RiskDecisionRejected,
    EventType::CircuitBreakerFired,
    EventType::TradingStateChanged,
    EventType::KillSwitch,
    EventType::KillSwitchReset,
];

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
    get, path = "/api/v1/risk/events", tag = "risk", params(Narrowed),
    responses((status = 200, body = List<RiskEvent>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn events(
    State(state): State<ApiState>,
    _: Caller,
    Query(narrowed): Query<Narrowed>,
) -> Result<Json<List<RiskEvent>>, ApiError> {
    let names = state.names();
    let rows = narrowed.rows(&names)?;
    let mut events = state.desk.past_events(TYPES, rows.query).await?;
    let next = rows.cut(&mut events, |event| event.id);
    let items = events
        .iter()
        .filter_map(|event| RiskEvent::new(event, &names));
    Ok(Json(List {
        items: items.collect(),
        next,
    }))
}
