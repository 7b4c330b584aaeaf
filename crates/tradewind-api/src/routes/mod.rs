//! The routes, one file a resource, and the one table that joins them.

mod assets;
mod balances;
mod bots;
mod candles;
mod commands;
mod desk;
mod equity;
mod events;
mod feeds;
mod fills;
mod health;
mod kill;
mod orders;
mod positions;
mod records;
mod risk;
mod session;
mod sources;
mod status;
mod why;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::guard;
use crate::openapi::Document;
use crate::state::ApiState;

/// The largest body that is read.
const BODY_MAX: usize = 1024 * 1024;

/// Everything that is served.
pub(crate) fn router(state: ApiState) -> Router {
    let (api, document) = api();
    let document = get(move || async move { axum::Json(document) });
    let compressible = SizeAbove::new(1_024).and(NotForContentType::SSE);
    api.route("/api/v1/openapi.json", document)
        .fallback(assets::serve)
        .method_not_allowed_fallback(|| async { ApiError::method_not_allowed() })
        .with_state(state.clone())
        .layer(DefaultBodyLimit::max(BODY_MAX))
        // The last added is the first passed.
        .layer(from_fn_with_state(state.clone(), guard::in_time))
        .layer(from_fn_with_state(state.clone(), guard::authorized))
        .layer(from_fn_with_state(state, guard::addressed))
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .compress_when(compressible),
        )
        .layer(from_fn(guard::headers))
}

/// The routes that the contract describes, with the contract.
fn api() -> (Router<ApiState>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(session::session))
        .routes(routes!(status::status))
        .routes(routes!(bots::list, bots::apply))
        .routes(routes!(bots::one))
        .routes(routes!(bots::start))
        .routes(routes!(bots::pause))
        .routes(routes!(bots::stop))
        .routes(routes!(orders::list, orders::place))
        .routes(routes!(orders::cancel))
        .routes(routes!(fills::fills))
        .routes(routes!(fills::trades))
        .routes(routes!(positions::list))
        .routes(routes!(positions::close))
        .routes(routes!(positions::adopt))
        .routes(routes!(balances::balances))
        .routes(routes!(equity::equity))
        .routes(routes!(candles::candles))
        .routes(routes!(risk::risk))
        .routes(routes!(risk::clear))
        .routes(routes!(risk::events))
        .routes(routes!(feeds::feeds))
        .routes(routes!(feeds::queues))
        .routes(routes!(sources::numbers))
        .routes(routes!(sources::targets))
        .routes(routes!(events::stream))
        .routes(routes!(events::one))
        .routes(routes!(why::why))
        .routes(routes!(kill::kill))
        .routes(routes!(kill::nonce, kill::reset))
        .routes(routes!(desk::logs))
        .routes(routes!(desk::audit))
        .routes(routes!(desk::tokens))
        .routes(routes!(desk::config))
        .split_for_parts()
}

/// The contract as a document.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    api().1
}
