//! Equity over time.

use axum::Json;
use axum::extract::State;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query};
use crate::routes::records::{self, Narrowed};
use crate::state::ApiState;
use crate::wire::{EquityPoint, List};

/// Equity snapshots, newest first.
#[utoipa::path(
    get, path = "/api/v1/equity", tag = "desk", params(Narrowed),
    responses((status = 200, body = List<EquityPoint>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn equity(
    State(state): State<ApiState>,
    _: Caller,
    Query(narrowed): Query<Narrowed>,
) -> Result<Json<List<EquityPoint>>, ApiError> {
    let names = state.names();
    let rows = narrowed.rows(&names)?;
    let mut points = state.desk.equity(rows.query).await?;
    let next = rows.cut(&mut points, |row| row.event);
    let items = points.iter().map(|row| records::equity(row, &names));
    Ok(Json(List {
        items: items.collect(),
        next,
    }))
}
