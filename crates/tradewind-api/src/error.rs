//! The error type of the API: a status, a stable code, a message and a hint.
//!
//! What is our own fault is logged in full and shown as nothing.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::desk::{ApplyBotsError, DeskError};

/// The shape of every error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorAnswer {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// A stable code to branch on.
    #[schema(examples("unknown_bot"))]
    pub code: String,
    /// What went wrong, as text.
    pub message: String,
    /// How to fix it; empty if there is no hint.
    pub hint: String,
}

/// An error on its way to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: String::new(),
        }
    }

    /// Its status.
    #[cfg(test)]
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The same error with advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
            .hint("GET /api/v1/openapi.json lists all that is")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this address has no such method",
        )
        .hint("GET /api/v1/openapi.json lists the methods")
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
            .hint("send `Authorization: Bearer TOKEN` with the token in the data directory's file `token`")
    }

    pub(crate) fn unknown_bot(name: &str) -> Self {
        let message = format!("there is no bot {name:?}");
        Self::new(StatusCode::NOT_FOUND, "unknown_bot", message).hint("GET /api/v1/bots lists them")
    }

    pub(crate) fn unknown_instrument(name: &str) -> Self {
        let message = format!("there is no instrument {name:?}");
        Self::new(StatusCode::NOT_FOUND, "unknown_instrument", message)
            .hint("GET /api/v1/config lists them; they are written like binance:BTC/USDT")
    }

    pub(crate) fn unknown_account(name: &str) -> Self {
        let message = format!("there is no account {name:?}");
        Self::new(StatusCode::NOT_FOUND, "unknown_account", message)
            .hint("GET /api/v1/config lists them")
    }

    pub(crate) fn unknown_venue(name: &str) -> Self {
        let message = format!("there is no venue {name:?}");
        Self::new(StatusCode::NOT_FOUND, "unknown_venue", message)
            .hint("GET /api/v1/config lists them")
    }

    pub(crate) fn refused(message: String) -> Self {
        Self::new(StatusCode::CONFLICT, "refused", message)
    }

    pub(crate) fn timeout() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "timeout",
            "the desk did not answer in time",
        )
        .hint("a command may still be carried out: send it again with the same Idempotency-Key")
    }

    /// Something of ours broke: the log has it, the client learns nothing.
    pub(crate) fn internal(what: &dyn std::fmt::Display) -> Self {
        tracing::error!(error = %what, "a request could not be answered");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something of ours broke",
        )
        .hint("see the desk's log")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorAnswer {
            error: ErrorBody {
                code: self.code.to_owned(),
                message: self.message,
                hint: self.hint,
            },
        };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            let _ = response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<DeskError> for ApiError {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Timeout => Self::timeout(),
            DeskError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                error.to_string(),
            ),
        }
    }
}

impl From<ApplyBotsError> for ApiError {
    fn from(error: ApplyBotsError) -> Self {
        let message = error.to_string();
        match error {
            ApplyBotsError::Wrong(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_bots", message)
                    .hint("nothing was changed: mend the bots and apply them again")
            }
            ApplyBotsError::Refused(_) => Self::refused(message),
            ApplyBotsError::Unavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "the body is larger than 1 MiB",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the body is not declared as JSON",
            )
            .hint("send `Content-Type: application/json`"),
            _ => Self::bad_request(rejection.body_text()),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request(rejection.body_text())
    }
}
