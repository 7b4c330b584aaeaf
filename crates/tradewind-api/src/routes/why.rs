//! Why a bot is where it is, or what led to an event: causes followed back to where they begin.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tradewind_events::{Event as Inner, EventKind};
use tradewind_model::{BotId, EventId};
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query, bot_named};
use crate::memory::bot_of;
use crate::routes::bots::one_of;
use crate::routes::events::unknown_event;
use crate::state::ApiState;
use crate::wire::{Event, EventAnswer, WhyAnswer};

/// The longest chain that is followed; real ones have about five links.
const LINKS_MAX: usize = 64;
/// How far back history is searched for a bot's last deed.
const RECENT: u32 = 200;

/// Of what: one of the two.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhyQuery {
    /// A bot's name.
    bot: Option<String>,
    /// An event's id.
    event: Option<String>,
}

/// Why a bot is where it is, or what led to an event.
#[utoipa::path(
    get, path = "/api/v1/why", tag = "events", params(WhyQuery),
    responses((status = 200, description = "With `event`, only the chain.", body = WhyAnswer), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn why(
    State(state): State<ApiState>,
    _: Caller,
    Query(query): Query<WhyQuery>,
) -> Result<Response, ApiError> {
    match (query.bot, query.event) {
        (Some(name), None) => Ok(Json(why_bot(&state, &name).await?).into_response()),
        (None, Some(id)) => Ok(Json(why_event(&state, &id).await?).into_response()),
        (None, None) | (Some(_), Some(_)) => {
            Err(ApiError::bad_request("give either `bot` or `event`"))
        }
    }
}

async fn why_bot(state: &ApiState, name: &str) -> Result<WhyAnswer, ApiError> {
    let (view, names) = state.look().await?;
    let bot = bot_named(&names, name)?.id;
    let (chain, complete) = match last_event_of(state, bot, name).await? {
        Some(id) => chain_of(state, id).await?,
        None => (Vec::new(), true),
    };
    Ok(WhyAnswer {
        seq: view.seq,
        at: view.at.into(),
        bot: one_of(&view, name, &names)?,
        chain,
        complete,
    })
}

async fn why_event(state: &ApiState, id: &str) -> Result<EventAnswer, ApiError> {
    let id: EventId = id
        .parse()
        .map_err(|error| ApiError::bad_request(format!("event: {error}")))?;
    let (chain, complete) = chain_of(state, id).await?;
    if chain.is_empty() {
        return Err(unknown_event(id));
    }
    Ok(EventAnswer { chain, complete })
}

/// The latest denial or order event of a bot: of this start, or from history.
async fn last_event_of(
    state: &ApiState,
    bot: BotId,
    name: &str,
) -> Result<Option<EventId>, ApiError> {
    let remembered = state.hub.memory().last_of(bot);
    if remembered.is_some() {
        return Ok(remembered);
    }
    let name = name.to_owned();
    let past = state.history(move |readers| readers.events(Some(&name), RECENT, None));
    let past = past.await?.items;
    let telling = past.iter().find(|event| bot_of(&event.kind) == Some(bot));
    Ok(telling.map(|event| event.id))
}

/// An event, its cause, the cause's cause, and so on; and whether the last of them has none.
pub(crate) async fn chain_of(
    state: &ApiState,
    id: EventId,
) -> Result<(Vec<Event>, bool), ApiError> {
    let names = state.names();
    let mut chain = Vec::new();
    let mut next = find(state, id).await?;
    while let Some(event) = next.take() {
        chain.push(Event::new(&event, &names));
        // A cause lies before its effect: anything else would run in a circle.
        let Some(cause) = event.cause.filter(|cause| *cause < event.id) else {
            return Ok((chain, event.cause.is_none()));
        };
        if chain.len() < LINKS_MAX {
            next = find(state, cause).await?.or_else(|| price_of(&event));
        }
    }
    Ok((chain, false))
}

/// The price that a signal was decided on, which the log does not have as an event of its own.
fn price_of(signal: &Inner) -> Option<Arc<Inner>> {
    let EventKind::SignalGenerated { quote, .. } = &signal.kind else {
        return None;
    };
    Some(Arc::new(Inner {
        id: signal.cause?,
        at: signal.at,
        cause: None,
        kind: EventKind::PriceUpdate((*quote)?),
    }))
}

/// An event, from memory or from history.
async fn find(state: &ApiState, id: EventId) -> Result<Option<Arc<Inner>>, ApiError> {
    let remembered = state.hub.memory().event(id);
    if remembered.is_some() {
        return Ok(remembered);
    }
    let past = state.history(move |readers| readers.event(id)).await?;
    Ok(past.map(Arc::new))
}
