//! Fills, which under the exchange's own word are our trades.

use axum::Json;
use axum::extract::State;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query};
use crate::routes::records::Narrowed;
use crate::state::ApiState;
use crate::wire::{Fill, List};

/// Fills, newest first.
#[utoipa::path(
    get, path = "/api/v1/fills", tag = "orders", params(Narrowed),
    responses((status = 200, body = List<Fill>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn fills(
    State(state): State<ApiState>,
    _: Caller,
    Query(narrowed): Query<Narrowed>,
) -> Result<Json<List<Fill>>, ApiError> {
    let names = state.names();
    let rows = narrowed.rows(&names)?;
    let mut fills = state.desk.fills(rows.query).await?;
    let next = rows.cut(&mut fills, |row| row.event);
    let items = fills
        .iter()
        .map(|row| Fill::new(&row.fill, row.bot, Some(row.event), &names));
    Ok(Json(List {
        items: items.collect(),
        next,
    }))
}

/// The same list by the exchange's word: what its my-trades shows of our accounts.
#[utoipa::path(
    get, path = "/api/v1/trades", tag = "orders", params(Narrowed),
    responses((status = 200, body = List<Fill>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn trades(
    state: State<ApiState>,
    caller: Caller,
    narrowed: Query<Narrowed>,
) -> Result<Json<List<Fill>>, ApiError> {
    fills(state, caller, narrowed).await
}
