//! Risk: limits, states and causes, and what risk did.

use axum::Json;
use axum::extract::State;

use tradewind_events::Action;
use tradewind_risk::Scope;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{
    self, Caller, Paged, Query, account_named, bot_named, instrument_named, page,
};
use crate::routes::commands::Issuer;
use crate::routes::kill::reason;
use crate::routes::records;
use crate::state::ApiState;
use crate::wire::{self, ClearRisk, CommandAnswer, List, Names, RiskAnswer, RiskEvent, ScopeKind};

/// Limits, states and open causes.
#[utoipa::path(get, path = "/api/v1/risk", tag = "risk", responses((status = 200, body = RiskAnswer)))]
pub(crate) async fn risk(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<RiskAnswer>, ApiError> {
    let (view, names) = state.look().await?;
    Ok(Json(RiskAnswer::new(&view, &names)))
}

/// Ends a scope's causes that only a person may end: losses, a drawdown, an unexplained balance, a circuit breaker. It lifts no
/// kill.
#[utoipa::path(
    post, path = "/api/v1/risk/clear", tag = "risk", request_body = ClearRisk,
    responses((status = 200, body = CommandAnswer), (status = 400, body = ErrorAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn clear(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(request): extract::Json<ClearRisk>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let reason = reason(request.reason)?;
    let (_, names) = state.look().await?;
    let scope = scope(&names, &request.scope)?;
    issuer
        .command(&state, Action::ClearRisk { scope, reason })
        .await
}

/// The part of the desk of this name.
pub(super) fn scope(names: &Names, scope: &wire::Scope) -> Result<Scope, ApiError> {
    let named = || {
        let missing = || ApiError::bad_request("scope: all but the desk need a name".to_owned());
        scope.name.as_deref().ok_or_else(missing)
    };
    Ok(match scope.kind {
        ScopeKind::Desk => Scope::Desk,
        ScopeKind::Account => Scope::Account(account_named(names, Some(named()?))?.id),
        ScopeKind::Instrument => Scope::Instrument(instrument_named(names, named()?)?.id),
        ScopeKind::Bot => Scope::Bot(bot_named(names, named()?)?.id),
        ScopeKind::Venue => {
            let name = named()?;
            let venue = names.find_venue(name);
            Scope::Venue(venue.ok_or_else(|| ApiError::unknown_venue(name))?)
        }
    })
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
