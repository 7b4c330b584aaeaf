//! Fills, which under the exchange's own word are our trades.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tradewind_storage::FillsQuery;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query, page};
use crate::routes::records;
use crate::state::ApiState;
use crate::wire::{Fill, List};

/// Which fills.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryParams {
    /// The `next` of the page before; the newest page when absent.
    before: Option<String>,
    /// How many, 1 to 1000; 100 when absent.
    limit: Option<u32>,
    /// Only this bot's.
    bot: Option<String>,
    /// Only this instrument's.
    instrument: Option<String>,
    /// Only this account's.
    account: Option<String>,
    /// Only this order's: 32 hexadecimal digits.
    client_id: Option<String>,
}

/// Fills, the latest by the venue's stamp first.
#[utoipa::path(
    get, path = "/api/v1/fills", tag = "orders", params(QueryParams),
    responses((status = 200, body = List<Fill>), (status = 400, body = ErrorAnswer))
)]
pub(crate) async fn fills(
    State(state): State<ApiState>,
    _: Caller,
    Query(wanted): Query<QueryParams>,
) -> Result<Json<List<Fill>>, ApiError> {
    let (before, limit) = page(wanted.before.as_deref(), wanted.limit)?;
    let query = FillsQuery {
        account: wanted.account,
        bot: wanted.bot,
        instrument: wanted.instrument,
        client_id: wanted.client_id,
        limit,
        before,
    };
    let fills = state.history(move |readers| readers.fills(&query)).await?;
    records::list(fills, records::fill).map(Json)
}

/// The same list by the exchange's word: what its my-trades shows of our accounts.
#[utoipa::path(
    get, path = "/api/v1/trades", tag = "orders", params(QueryParams),
    responses((status = 200, body = List<Fill>), (status = 400, body = ErrorAnswer))
)]
pub(crate) async fn trades(
    state: State<ApiState>,
    caller: Caller,
    wanted: Query<QueryParams>,
) -> Result<Json<List<Fill>>, ApiError> {
    fills(state, caller, wanted).await
}
