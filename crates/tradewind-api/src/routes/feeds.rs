//! Feeds and queues: how well data flows.

use axum::Json;
use axum::extract::State;

use crate::desk::StageTimes;
use crate::error::ApiError;
use crate::extract::Caller;
use crate::state::ApiState;
use crate::wire::{Feed, QueueAnswer, Stage, ViewList};

/// The feed of each instrument.
#[utoipa::path(get, path = "/api/v1/feeds", tag = "market", responses((status = 200, body = ViewList<Feed>)))]
pub(crate) async fn feeds(
    State(state): State<ApiState>,
    _: Caller,
) -> Result<Json<ViewList<Feed>>, ApiError> {
    let (view, names) = state.look().await?;
    let mut problems = state.desk.feed_problems();
    let items = view
        .feeds
        .iter()
        .map(|feed| Feed::new(feed, &names, problems.remove(&feed.instrument)));
    Ok(Json(ViewList::whole(&view, items.collect())))
}

/// Queues with their depths and drops, and how long each stage takes.
#[utoipa::path(get, path = "/api/v1/queues", tag = "desk", responses((status = 200, body = QueueAnswer)))]
pub(crate) async fn queues(State(state): State<ApiState>, _: Caller) -> Json<QueueAnswer> {
    let mut stages = state.desk.health().stages;
    stages.push(state.hub.times());
    Json(QueueAnswer {
        at: state.desk.now().into(),
        items: state.desk.queues(),
        next: None,
        stages: stages.iter().map(stage).collect(),
    })
}

fn stage(times: &StageTimes) -> Stage {
    Stage {
        name: times.name.clone(),
        count: times.count(),
        p50_us: times.percentile_us(50),
        p99_us: times.percentile_us(99),
        max_us: times.max_us,
    }
}
