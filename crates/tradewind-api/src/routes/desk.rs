//! What the desk wrote down about itself: log, audit, tokens, configuration.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tradewind_events::EventType;
use utoipa::IntoParams;

use crate::auth::OPERATOR;
use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query, Rows};
use crate::routes::records::Narrowed;
use crate::state::ApiState;
use crate::wire::{AuditEntry, ConfigAnswer, List, LogLine, Token};

/// How many lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lines {
    /// How many, 1 to 1000; 100 when absent.
    limit: Option<u32>,
}

/// The newest lines of the log, newest first.
#[utoipa::path(get, path = "/api/v1/logs", tag = "desk", params(Lines), responses((status = 200, body = List<LogLine>)))]
pub(crate) async fn logs(
    State(state): State<ApiState>,
    _: Caller,
    Query(lines): Query<Lines>,
) -> Result<Json<List<LogLine>>, ApiError> {
    let rows = Rows::new(None, lines.limit)?;
    let items = state.desk.logs(rows.query.limit - 1);
    Ok(Json(List { items, next: None }))
}

/// Commands and what came of them, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "desk", params(Narrowed),
    responses((status = 200, body = List<AuditEntry>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn audit(
    State(state): State<ApiState>,
    _: Caller,
    Query(narrowed): Query<Narrowed>,
) -> Result<Json<List<AuditEntry>>, ApiError> {
    let names = state.names();
    let rows = narrowed.rows(&names)?;
    let commands = state.desk.past_events(&[EventType::Command], rows.query);
    let mut commands = commands.await?;
    let next = rows.cut(&mut commands, |event| event.id);
    let items = commands
        .iter()
        .filter_map(|event| AuditEntry::new(event, &names));
    Ok(Json(List {
        items: items.collect(),
        next,
    }))
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
