//! Orders: open and ended ones, placing by hand, cancelling.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tradewind_events::Action;
use tradewind_model::{ClientOrderId, Instrument, OrderKind, Price, Side, TimeInForce};
use tradewind_storage::OrdersQuery;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{self, Caller, Path, Query, account_named, bot_named, instrument_named, page};
use crate::routes::commands::Issuer;
use crate::routes::records;
use crate::state::ApiState;
use crate::wire::{self, CommandAnswer, List, Names, Order, PlaceOrder, ViewList};

/// Open or ended orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Which {
    #[default]
    Open,
    Closed,
}

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryParams {
    /// `open`, all at once from the view, or `closed`, in pages from history.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    status: Which,
    /// The `next` of the page before, for closed ones.
    before: Option<String>,
    /// How many, 1 to 1000, for closed ones.
    limit: Option<u32>,
    /// Only this bot's.
    bot: Option<String>,
    /// Only this instrument's.
    instrument: Option<String>,
}

/// Orders: those that can still fill, or those that ended.
#[utoipa::path(
    get, path = "/api/v1/orders", tag = "orders", params(QueryParams),
    responses((status = 200, description = "Open ones with `seq`; closed ones as a plain list.", body = ViewList<Order>), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Caller,
    Query(wanted): Query<QueryParams>,
) -> Result<Response, ApiError> {
    match wanted.status {
        Which::Open => Ok(Json(open(&state, &wanted).await?).into_response()),
        Which::Closed => Ok(Json(closed(&state, wanted).await?).into_response()),
    }
}

async fn open(state: &ApiState, wanted: &QueryParams) -> Result<ViewList<Order>, ApiError> {
    let (view, names) = state.look().await?;
    let bot = wanted.bot.as_deref();
    let bot = bot.map(|name| bot_named(&names, name)).transpose()?;
    let instrument = wanted.instrument.as_deref();
    let instrument = instrument.map(|name| instrument_named(&names, name));
    let instrument = instrument.transpose()?;
    let orders = view.orders.iter().filter(|order| {
        bot.is_none_or(|bot| order.bot == Some(bot.id))
            && instrument.is_none_or(|one| order.terms.instrument == one.id)
    });
    let items = orders.map(|order| Order::open(order, &names)).collect();
    Ok(ViewList::whole(&view, items))
}

async fn closed(state: &ApiState, wanted: QueryParams) -> Result<List<Order>, ApiError> {
    let (before, limit) = page(wanted.before.as_deref(), wanted.limit)?;
    let query = OrdersQuery {
        open: Some(false),
        account: None,
        bot: wanted.bot,
        instrument: wanted.instrument,
        limit,
        before,
    };
    let orders = state.history(move |readers| readers.orders(&query)).await?;
    records::list(orders, records::order)
}

/// Places an order by hand; it passes the same risk gate as a bot's.
#[utoipa::path(
    post, path = "/api/v1/orders", tag = "orders", request_body = PlaceOrder,
    responses((status = 200, body = CommandAnswer), (status = 400, body = ErrorAnswer), (status = 409, description = "Denied.", body = ErrorAnswer))
)]
pub(crate) async fn place(
    State(state): State<ApiState>,
    issuer: Issuer,
    extract::Json(order): extract::Json<PlaceOrder>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let action = placing(&order, &state.names())?;
    issuer.command(&state, action).await
}

/// Cancels one of our orders.
#[utoipa::path(
    delete, path = "/api/v1/orders/{client_id}", tag = "orders",
    params(("client_id" = String, Path, description = "32 hexadecimal digits.")),
    responses((status = 200, body = CommandAnswer), (status = 404, body = ErrorAnswer), (status = 409, body = ErrorAnswer))
)]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    issuer: Issuer,
    Path(id): Path<String>,
) -> Result<Json<CommandAnswer>, ApiError> {
    let id: ClientOrderId = id
        .parse()
        .map_err(|error| ApiError::bad_request(format!("client_id: {error}")))?;
    issuer.command(&state, Action::CancelOrder(id)).await
}

/// The action of a request, every number read exactly.
fn placing(order: &PlaceOrder, names: &Names) -> Result<Action, ApiError> {
    let instrument = instrument_named(names, &order.instrument)?;
    let quantity = instrument.parse_quantity(&order.quantity.0);
    Ok(Action::PlaceOrder {
        account: account_named(names, order.account.as_deref())?.id,
        instrument: instrument.id,
        side: match order.side {
            wire::Side::Buy => Side::Buy,
            wire::Side::Sell => Side::Sell,
        },
        quantity: quantity.map_err(|error| bad_number("quantity", &error))?,
        kind: kind(order, instrument)?,
    })
}

fn kind(order: &PlaceOrder, instrument: &Instrument) -> Result<OrderKind, ApiError> {
    let time_in_force = match order.time_in_force {
        None | Some(wire::TimeInForce::GoodTillCancel) => TimeInForce::GoodTillCancel,
        Some(wire::TimeInForce::ImmediateOrCancel) => TimeInForce::ImmediateOrCancel,
        Some(wire::TimeInForce::FillOrKill) => TimeInForce::FillOrKill,
    };
    let timed = order.time_in_force.is_some();
    match order.order_type {
        wire::OrderType::Market if order.price.is_some() || timed => Err(ApiError::bad_request(
            "a market order has neither price nor time_in_force",
        )),
        wire::OrderType::Market => Ok(OrderKind::Market),
        wire::OrderType::PostOnly if timed => Err(ApiError::bad_request(
            "a post-only order has no time_in_force",
        )),
        wire::OrderType::PostOnly => {
            limit(order, instrument).map(|price| OrderKind::PostOnly { price })
        }
        wire::OrderType::Limit => limit(order, instrument).map(|price| OrderKind::Limit {
            price,
            time_in_force,
        }),
        wire::OrderType::Stop | wire::OrderType::StopLimit => Err(ApiError::bad_request(
            "stops are placed by the desk alone: an order is market, limit or post_only",
        )),
    }
}

fn limit(order: &PlaceOrder, instrument: &Instrument) -> Result<Price, ApiError> {
    let price = order.price.as_ref();
    let price = price.ok_or_else(|| ApiError::bad_request("price: this order type needs one"))?;
    instrument
        .parse_price(&price.0)
        .map_err(|error| bad_number("price", &error))
}

/// The refusal of a number.
pub(super) fn bad_number(field: &str, error: &tradewind_model::NumberError) -> ApiError {
    let message = format!("{field}: {error}");
    ApiError::new(axum::http::StatusCode::BAD_REQUEST, "bad_number", message)
        .hint("write it as plain decimal text, with at most the instrument's digits")
}
