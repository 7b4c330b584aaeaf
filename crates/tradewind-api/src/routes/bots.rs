//! Bots: the list, one of them, starting, pausing and stopping it, and others in their place.

use axum::Json;
use axum::extract::State;
use tradewind_events::{Action, DeskView, StopMode as InnerMode};
use tradewind_model::OwnerId;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{self, Caller, Optional, Path, bot_named};
use crate::routes::commands::Issuer;
use crate::state::ApiState;
use crate::wire::{
    ApplyBots, Bot, BotAnswer, BotSettings, BotsAnswer, CommandAnswer, Names, Order, Position,
    StopBot, StopMode, ViewList,
};

/// All bots, in the order of the configuration.
#[utoipa::path(get, path = "/api/v1/bots", tag = "bots", responses((status = 200, body = ViewList<Bot>)))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<ViewList<Bot>>, ApiError> {
    let (view, names) = state.look().await?;
    let bots = view.bots.iter().filter_map(|bot| {
        let settings = names.configuration().bots.get(bot.bot.index())?;
        Some(Bot::new(bot, settings, &names))
    });
    Ok(Json(ViewList::whole(&view, bots.collect())))
}

/// Puts the bots of a text in place of those in force: all of what differs, or nothing. Other bots are not touched.
#[utoipa::path(
    put, path = "/api/v1/bots", tag = "bots", request_body = ApplyBots,
    responses(
        (status = 200, body = BotsAnswer), (status = 409, body = ErrorAnswer),
        (status = 422, body = ErrorAnswer, description = "All that is wrong with the bots, a line each, with its place.")
    )
)]
pub(crate) async fn apply(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(body): extract::Json<ApplyBots>,
) -> Result<Json<BotsAnswer>, ApiError> {
    let dry_run = body.dry_run;
    let applied = issuer.apply_bots(&state, body).await?;
    Ok(Json(BotsAnswer {
        applied: !dry_run && !applied.changes.is_empty(),
        revision: applied.revision,
        changes: applied.changes,
    }))
}

/// One bot with its settings, positions and open orders.
#[utoipa::path(
    get, path = "/api/v1/bots/{name}", tag = "bots",
    params(("name" = String, Path, description = "The bot's name.")),
    responses((status = 200, body = BotAnswer), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn one(
    State(state): State<ApiState>,
    _: Caller,
    Path(name): Path<String>,
) -> Result<Json<BotAnswer>, ApiError> {
    let (view, names) = state.look().await?;
    let settings = bot_named(&names, &name)?;
    let positions = view.positions.iter();
    let orders = view.orders.iter();
    Ok(Json(BotAnswer {
        seq: view.seq,
        at: view.at.into(),
        bot: one_of(&view, &name, &names)?,
        settings: BotSettings::new(settings, &names),
        positions: positions
            .filter(|position| position.owner == OwnerId::Bot(settings.id))
            .map(|position| Position::new(position, &names))
            .collect(),
        orders: orders
            .filter(|order| order.bot == Some(settings.id))
            .map(|order| Order::open(order, &names))
            .collect(),
    }))
}

/// A bot of the view by its name.
pub(crate) fn one_of(view: &DeskView, name: &str, names: &Names) -> Result<Bot, ApiError> {
    let settings = bot_named(names, name)?;
    let bot = view.bots.iter().find(|bot| bot.bot == settings.id);
    let bot = bot.ok_or_else(|| ApiError::unknown_bot(name))?;
    Ok(Bot::new(bot, settings, names))
}

/// Starts a bot that is stopped or paused.
#[utoipa::path(
    post, path = "/api/v1/bots/{name}/start", tag = "bots",
    params(("name" = String, Path, description = "The bot's name.")),
    responses((status = 200, body = CommandAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn start(
    State(state): State<ApiState>,
    issuer: Issuer,
    Path(name): Path<String>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let bot = bot_named(&state.names(), &name)?.id;
    issuer.command(&state, Action::StartBot(bot)).await
}

/// Pauses a bot: no entries, exits run.
#[utoipa::path(
    post, path = "/api/v1/bots/{name}/pause", tag = "bots",
    params(("name" = String, Path, description = "The bot's name.")),
    responses((status = 200, body = CommandAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn pause(
    State(state): State<ApiState>,
    issuer: Issuer,
    Path(name): Path<String>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let bot = bot_named(&state.names(), &name)?.id;
    issuer.command(&state, Action::PauseBot(bot)).await
}

/// Stops a bot: its entries are cancelled.
#[utoipa::path(
    post, path = "/api/v1/bots/{name}/stop", tag = "bots",
    params(("name" = String, Path, description = "The bot's name.")),
    request_body(content = Option<StopBot>, description = "What becomes of its positions; they are kept without a body."),
    responses((status = 200, body = CommandAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn stop(
    State(state): State<ApiState>,
    issuer: Issuer,
    Path(name): Path<String>,
    Optional(body): Optional<StopBot>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let bot = bot_named(&state.names(), &name)?.id;
    let mode = match body.mode {
        StopMode::Keep => InnerMode::Keep,
        StopMode::Close => InnerMode::Close,
    };
    issuer.command(&state, Action::StopBot { bot, mode }).await
}
