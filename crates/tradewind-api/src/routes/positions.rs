//! Positions: closing one, and giving one to a bot.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tradewind_events::{Action, AdoptedFrom, Adoption};
use tradewind_model::OwnerId;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{self, Caller, Query, account_named, bot_named, instrument_named};
use crate::routes::commands::Issuer;
use crate::routes::orders::bad_number;
use crate::state::ApiState;
use crate::wire::{self, AdoptPosition, ClosePosition, CommandAnswer, Position, ViewList};

/// Filter by bot.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryParams {
    /// Only this bot's.
    bot: Option<String>,
}

/// Positions that are not flat.
#[utoipa::path(
    get, path = "/api/v1/positions", tag = "positions", params(QueryParams),
    responses((status = 200, body = ViewList<Position>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Caller,
    Query(wanted): Query<QueryParams>,
) -> Result<Json<ViewList<Position>>, ApiError> {
    let (view, names) = state.look().await?;
    let bot = wanted.bot.as_deref();
    let bot = bot.map(|name| bot_named(&names, name)).transpose()?;
    let positions = view
        .positions
        .iter()
        .filter(|position| bot.is_none_or(|bot| position.owner == OwnerId::Bot(bot.id)));
    let items = positions.map(|position| Position::new(position, &names));
    Ok(Json(ViewList::whole(&view, items.collect())))
}

/// Closes a position at market.
#[utoipa::path(
    post, path = "/api/v1/positions/close", tag = "positions", request_body = ClosePosition,
    responses((status = 200, body = CommandAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn close(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(position): extract::Json<ClosePosition>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let names = state.names();
    let bot = position.bot.as_deref();
    let bot = bot.map(|name| bot_named(&names, name)).transpose()?;
    // A bot's position lies on the bot's own account.
    let account = match (position.account.as_deref(), bot) {
        (None, Some(bot)) => bot.account,
        (name, _) => account_named(&names, name)?.id,
    };
    let action = Action::ClosePosition {
        account,
        bot: bot.map(|bot| bot.id),
        instrument: instrument_named(&names, &position.instrument)?.id,
    };
    issuer.command(&state, action).await
}

/// Gives a bot a position out of what the account holds and no bot has. No order is made and no money moves.
#[utoipa::path(
    post, path = "/api/v1/positions/adopt", tag = "positions", request_body = AdoptPosition,
    responses((status = 200, body = CommandAnswer), (status = 400, body = ErrorAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn adopt(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(position): extract::Json<AdoptPosition>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let names = state.names();
    let instrument = instrument_named(&names, &position.instrument)?;
    let price = |field: &str, written: &wire::Decimal| {
        let price = instrument.parse_price(&written.0);
        price.map_err(|error| bad_number(field, &error))
    };
    let quantity = instrument.parse_quantity(&position.quantity.0);
    let stop = position.stop.as_ref().map(|stop| price("stop", stop));
    let adoption = Adoption {
        bot: bot_named(&names, &position.bot)?.id,
        instrument: instrument.id,
        quantity: quantity.map_err(|error| bad_number("quantity", &error))?,
        from: match position.from {
            wire::AdoptedFrom::External => AdoptedFrom::External,
            wire::AdoptedFrom::Unallocated => AdoptedFrom::Unallocated,
        },
        cost: price("cost", &position.cost)?,
        stop: stop.transpose()?,
    };
    issuer.command(&state, Action::Adopt(adoption)).await
}
