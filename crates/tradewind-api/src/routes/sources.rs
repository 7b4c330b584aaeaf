//! What house sources send besides prices: numbers and targets.

use axum::Json;
use axum::extract::State;

use crate::error::ApiError;
use crate::extract::Caller;
use crate::state::ApiState;
use crate::wire::{BotTarget, SeriesNumber, TargetAnswer, TargetSource, ViewList};

/// The latest number of each named series.
#[utoipa::path(get, path = "/api/v1/numbers", tag = "market", responses((status = 200, body = ViewList<SeriesNumber>)))]
pub(crate) async fn numbers(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<ViewList<SeriesNumber>>, ApiError> {
    let (view, _) = state.look().await?;
    let now = state.desk.now();
    let items = view.numbers.iter();
    let items = items.map(|number| SeriesNumber::new(number, now)).collect();
    Ok(Json(ViewList::whole(&view, items)))
}

/// The newest targets of the bots that outside processes steer, and what their sources sent.
#[utoipa::path(get, path = "/api/v1/targets", tag = "market", responses((status = 200, body = TargetAnswer)))]
pub(crate) async fn targets(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<TargetAnswer>, ApiError> {
    let (view, names) = state.look().await?;
    let is_live = |name: &str| {
        view.sources
            .iter()
            .any(|one| one.is_live && one.source == name)
    };
    let items = view.targets.iter();
    let items = items.map(|target| BotTarget::new(target, is_live(&target.source), &names));
    Ok(Json(TargetAnswer {
        seq: view.seq,
        at: view.at.into(),
        items: items.collect(),
        sources: view.sources.iter().map(TargetSource::from).collect(),
    }))
}
