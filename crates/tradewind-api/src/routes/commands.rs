//! How a request becomes a command: with an id, a principal, and an end to its validity.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ring::digest::{Context, SHA256};
use tradewind_events::{Action, Command, CommandId, Principal};

use crate::desk::{BotsApplied, BotsToApply};
use crate::error::ApiError;
use crate::extract::Caller;
use crate::reset::random_u128;
use crate::state::ApiState;
use crate::wire::{ApplyBots, CommandAnswer};

/// After which a command is no longer carried out; stopping and killing are honoured at any age.
const LIFETIME: Duration = Duration::from_secs(30);
/// The longest idempotency key.
const KEY_MAX: usize = 200;

/// Who commands, and under which id.
#[derive(Debug)]
pub(crate) struct Issuer {
    caller: Caller,
    id: CommandId,
}

impl<S: Sync> FromRequestParts<S> for Issuer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let id = command_id(&caller, &parts.headers)?;
        Ok(Self { caller, id })
    }
}

impl Issuer {
    /// Gives a command and waits for the answer.
    pub(crate) async fn command(
        self,
        state: &ApiState,
        action: Action,
    ) -> Result<axum::Json<CommandAnswer>, ApiError> {
        let issued_at = state.desk.now();
        let ageless = matches!(
            action,
            Action::StopBot { .. } | Action::Kill { .. } | Action::KillScope { .. }
        );
        let command = Command {
            id: self.id,
            principal: Principal::Token(self.caller.0),
            issued_at,
            expires_at: (!ageless).then(|| issued_at + LIFETIME),
            action,
        };
        let result = state.desk.command(command).await?;
        let answer = CommandAnswer::new(self.id, issued_at.into(), result);
        answer.map(axum::Json).map_err(ApiError::refused)
    }
}

impl Issuer {
    /// Has the bots of a text applied, and waits for the answer.
    pub(crate) async fn apply_bots(
        self,
        state: &ApiState,
        body: ApplyBots,
    ) -> Result<BotsApplied, ApiError> {
        let issued_at = state.desk.now();
        let request = BotsToApply {
            id: self.id,
            principal: Principal::Token(self.caller.0),
            issued_at,
            expires_at: Some(issued_at + LIFETIME),
            file: body.file,
            text: body.text,
            dry_run: body.dry_run,
        };
        state.desk.apply_bots(request).await.map_err(ApiError::from)
    }
}

/// The id of a command: from its idempotency key and who gave it, or drawn.
fn command_id(caller: &Caller, headers: &HeaderMap) -> Result<CommandId, ApiError> {
    let Some(key) = headers.get("idempotency-key") else {
        return random_u128().map_err(|error| ApiError::internal(&error));
    };
    if key.is_empty() || key.len() > KEY_MAX {
        let message = format!("Idempotency-Key: needs 1 to {KEY_MAX} bytes");
        return Err(ApiError::bad_request(message));
    }
    let mut context = Context::new(&SHA256);
    context.update(caller.0.as_bytes());
    context.update(&[0]);
    context.update(key.as_bytes());
    let digest = context.finish();
    let id = digest.as_ref().iter().take(16);
    Ok(id.fold(0, |id, byte| id << 8 | u128::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(caller: &str, key: &str) -> Result<CommandId, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", key.parse().unwrap());
        command_id(&Caller(caller.into()), &headers)
    }

    #[test]
    fn a_key_is_one_command_for_one_caller() {
        assert_eq!(id("operator", "k1"), id("operator", "k1"));
        assert_ne!(id("operator", "k1"), id("operator", "k2"));
        assert_ne!(id("operator", "k1"), id("reader", "k1"));
        assert!(id("operator", "").is_err());
        assert!(id("operator", &"k".repeat(201)).is_err());
        let drawn = || command_id(&Caller("operator".into()), &HeaderMap::new());
        assert_ne!(drawn(), drawn());
    }
}
