//! What the desk wrote down about itself: log, audit, tokens, configuration.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::OPERATOR;
use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Paged, Query, page};
use crate::routes::records;
use crate::state::ApiState;
use crate::wire::{AuditEntry, ConfigAnswer, List, LogLine, Token};

/// How many lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogQuery {
    /// How many, 1 to 1000; 100 when absent.
    limit: Option<u32>,
}

/// The newest lines of the log, newest first.
#[utoipa::path(get, path = "/api/v1/logs", tag = "desk", params(LogQuery), responses((status = 200, body = List<LogLine>)))]
pub(crate) async fn logs(
    State(state): State<ApiState>,
    _: Caller,
    Query(lines): Query<LogQuery>,
) -> Result<Json<List<LogLine>>, ApiError> {
    let (_, limit) = page(None, lines.limit)?;
    let items = state.desk.logs(limit as usize);
    Ok(Json(List { items, next: None }))
}

/// Commands and their results, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "desk", params(Paged),
    responses((status = 200, body = List<AuditEntry>), (status = 400, body = ErrorAnswer))
)]
pub(crate) async fn audit(
    State(state): State<ApiState>,
    _: Caller,
    Query(paged): Query<Paged>,
) -> Result<Json<List<AuditEntry>>, ApiError> {
    let (before, limit) = page(paged.before.as_deref(), paged.limit)?;
    let names = state.names();
    let query = state.history(move |readers| readers.audit(limit, before));
    records::list(query.await?, |row| records::audit_entry(row, &names)).map(Json)
}

/// The names of the tokens. There is one so far.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "desk", responses((status = 200, body = List<Token>)))]
pub(crate) async fn tokens(_: Caller) -> Json<List<Token>> {
    let scopes = ["read", "operate", "trade", "kill", "reset"];
    let operator = Token {
        name: OPERATOR.to_owned(),
        scopes: scopes.map(str::to_owned).to_vec(),
    };
    Json(List {
        items: vec![operator],
        next: None,
    })
}

/// The configuration in force, without secrets.
#[utoipa::path(get, path = "/api/v1/config", tag = "desk", responses((status = 200, body = ConfigAnswer)))]
pub(crate) async fn config(State(state): State<ApiState>, _: Caller) -> Json<ConfigAnswer> {
    Json(ConfigAnswer::new(&state.names()))
}
