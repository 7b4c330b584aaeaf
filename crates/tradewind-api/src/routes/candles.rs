//! Candles with our fills and stops on them.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tradewind_model::{Interval, OwnerId, Timestamp};
use tradewind_storage::FillsQuery;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorAnswer};
use crate::extract::{Caller, Query, bot_named, instrument_named};
use crate::routes::records;
use crate::state::ApiState;
use crate::wire::{Candle, CandleAnswer, FillMarker, Position};

/// Number of candles by default.
const CANDLES: u32 = 200;
/// How many candles, and how many fills, at most.
const ROWS_MAX: u32 = 1_000;

/// Which candles.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueryParams {
    /// Of what: `binance:BTC/USDT`.
    instrument: String,
    /// How long: `1m`, `4h`, `1d`; `1m` when absent.
    interval: Option<String>,
    /// How many, 1 to 1000; 200 when absent.
    limit: Option<u32>,
    /// Only this bot's fills and positions.
    bot: Option<String>,
}

/// Closed candles from the venue, oldest first, with our fills and stops.
#[utoipa::path(
    get, path = "/api/v1/candles", tag = "market", params(QueryParams),
    responses((status = 200, body = CandleAnswer), (status = 404, body = ErrorAnswer))
)]
pub(crate) async fn candles(
    State(state): State<ApiState>,
    _: Caller,
    Query(wanted): Query<QueryParams>,
) -> Result<Json<CandleAnswer>, ApiError> {
    let (view, names) = state.look().await?;
    let instrument = instrument_named(&names, &wanted.instrument)?;
    let bot = wanted.bot.as_deref();
    let bot = bot.map(|name| bot_named(&names, name)).transpose()?;
    let bot = bot.map(|bot| bot.id);
    let (interval, limit) = span(&wanted)?;
    let candles = state.desk.candles(instrument.id, interval, limit).await?;
    let query = FillsQuery {
        bot: wanted.bot,
        instrument: Some(wanted.instrument),
        limit: ROWS_MAX,
        ..FillsQuery::default()
    };
    let fills = state.history(move |readers| readers.fills(&query)).await?;
    let first = candles
        .first()
        .map_or(Timestamp::EPOCH, |candle| candle.open_time);
    let fills = fills.items.into_iter();
    let fills = fills
        .filter(|row| row.event_time >= first)
        .map(records::fill);
    let positions = view.positions.iter().filter(|position| {
        position.instrument == instrument.id
            && bot.is_none_or(|bot| position.owner == OwnerId::Bot(bot))
    });
    Ok(Json(CandleAnswer {
        seq: view.seq,
        at: view.at.into(),
        instrument: instrument.name.clone(),
        interval: interval.to_string(),
        items: candles.iter().map(|one| Candle::new(one, &names)).collect(),
        next: None,
        fills: fills
            .map(|fill| fill.map(FillMarker::from))
            .collect::<Result<_, _>>()?,
        positions: positions.map(|one| Position::new(one, &names)).collect(),
    }))
}

fn span(wanted: &QueryParams) -> Result<(Interval, u32), ApiError> {
    let interval = wanted.interval.as_deref().unwrap_or("1m").parse();
    let interval = interval.map_err(|error| ApiError::bad_request(format!("interval: {error}")))?;
    let limit = wanted.limit.unwrap_or(CANDLES);
    if !(1..=ROWS_MAX).contains(&limit) {
        let message = format!("limit: {limit} is not within 1 and {ROWS_MAX}");
        return Err(ApiError::bad_request(message));
    }
    Ok((interval, limit))
}
