//! Extractors that fail in the API's one error shape, and the reading of names in requests.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tradewind_events::BotConfig;
use tradewind_model::{Account, Instrument};
use tradewind_storage::PageToken;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::state::ApiState;
use crate::wire::Names;

/// Rows per page by default.
const ROWS: u32 = 100;

/// How many rows a page may have.
const ROWS_MAX: u32 = 1_000;

/// A JSON body.
#[derive(Debug, FromRequest)]
#[from_request(via(axum::Json), rejection(ApiError))]
pub(crate) struct Json<T>(pub(crate) T);

/// The query string.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub(crate) struct Query<T>(pub(crate) T);

/// Parts of the path.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(crate) struct Path<T>(pub(crate) T);

/// A JSON body that may be left out; without one it is the default.
#[derive(Debug)]
pub(crate) struct Optional<T>(pub(crate) T);

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for Optional<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let typed = request.headers().contains_key(header::CONTENT_TYPE);
        let length = request.headers().get(header::CONTENT_LENGTH);
        if !typed && length.is_none_or(|length| length.as_bytes() == b"0") {
            return Ok(Self(T::default()));
        }
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

/// The principal of a request; the guard sets it after checking the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller(pub(crate) String);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>();
        caller
            .cloned()
            .ok_or_else(|| ApiError::unauthorized("this route needs a token"))
    }
}

/// Which page of a history.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paged {
    /// The `next` of the page before; the newest page when absent.
    pub(crate) before: Option<String>,
    /// How many rows, 1 to 1000; 100 when absent.
    pub(crate) limit: Option<u32>,
}

/// Where a page of history begins, and how many rows it has.
pub(crate) fn page(
    before: Option<&str>,
    limit: Option<u32>,
) -> Result<(Option<PageToken>, u32), ApiError> {
    let bad_page = |message: String| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_page", message)
            .hint("give `next` of the page before as `before`, and a `limit` of 1 to 1000")
    };
    let before = before.map(str::parse).transpose();
    let before = before.map_err(|error| bad_page(format!("before: {error}")))?;
    let limit = limit.unwrap_or(ROWS);
    if !(1..=ROWS_MAX).contains(&limit) {
        let message = format!("limit: {limit} is not within 1 and {ROWS_MAX}");
        return Err(bad_page(message));
    }
    Ok((before, limit))
}

/// The bot of this name.
pub(crate) fn bot_named<'a>(names: &'a Names, name: &str) -> Result<&'a BotConfig, ApiError> {
    names
        .find_bot(name)
        .ok_or_else(|| ApiError::unknown_bot(name))
}

/// The instrument of this name.
pub(crate) fn instrument_named<'a>(
    names: &'a Names,
    name: &str,
) -> Result<&'a Instrument, ApiError> {
    let instrument = names.find_instrument(name);
    instrument.ok_or_else(|| ApiError::unknown_instrument(name))
}

/// The account of this name, or the only one if none is named.
pub(crate) fn account_named<'a>(
    names: &'a Names,
    name: Option<&str>,
) -> Result<&'a Account, ApiError> {
    let accounts = &names.configuration().accounts;
    match (name, accounts.as_slice()) {
        (Some(name), _) => {
            let account = names.find_account(name);
            account.ok_or_else(|| ApiError::unknown_account(name))
        }
        (None, [only]) => Ok(only),
        (None, _) => Err(ApiError::bad_request(
            "account: there are several, name one",
        )),
    }
}
