//! Equity over time.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tradewind_model::Timestamp;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query, account_named, page};
use crate::routes::records;
use crate::state::ApiState;
use crate::wire::{EquityPoint, List};

/// Which stretch of which account.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryParams {
    /// Which account; may be left out if there is only one.
    account: Option<String>,
    /// From when on; all there is when absent.
    since: Option<String>,
    /// How many points at most, 1 to 1000; 100 when absent. More are thinned evenly.
    limit: Option<u32>,
}

/// Equity of an account over time, newest first.
#[utoipa::path(
    get, path = "/api/v1/equity", tag = "desk", params(QueryParams),
    responses((status = 200, body = List<EquityPoint>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn equity(
    State(state): State<ApiState>,
    _: Caller,
    Query(wanted): Query<QueryParams>,
) -> Result<Json<List<EquityPoint>>, ApiError> {
    let names = state.names();
    let account = account_named(&names, wanted.account.as_deref())?
        .name
        .clone();
    let since = wanted
        .since
        .as_deref()
        .map(str::parse::<Timestamp>)
        .transpose();
    let since = since.map_err(|error| ApiError::bad_request(format!("since: {error}")))?;
    let since = since.unwrap_or(Timestamp::EPOCH);
    let (_, limit) = page(None, wanted.limit)?;
    let of = account.clone();
    let rows = state
        .history(move |readers| readers.equity(&of, since, limit))
        .await?;
    let items = rows.into_iter().rev();
    Ok(Json(List {
        items: items.map(|row| records::equity(row, &account)).collect(),
        next: None,
    }))
}
