//! Calls the Bot API: one POST, one answer, one failure whose variant decides the reaction.
//!
//! The token is part of the address, so no address and no error of the client that carries one leaves this file.

use std::error::Error;
use std::time::Duration;

use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;

use crate::machine::Message;
use crate::wire::{Envelope, GetUpdates, LinkPreviewOptions, SendMessage, Update};

/// How long the Bot API may hold a poll for which there is no news.
const LONG_POLL: Duration = Duration::from_secs(25);
/// How much longer than that an answer may take.
const GRACE: Duration = Duration::from_secs(10);
/// How long a message may take.
const SEND: Duration = Duration::from_secs(10);
/// Updates taken at once.
const UPDATES_MAX: u32 = 50;
/// Longest answer read: fifty messages of the largest size are below it.
const BODY_MAX: usize = 4 << 20;

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// No answer, or none that makes sense, or the server's own trouble. Worth another try.
    #[error("the Bot API cannot be reached: {0}")]
    Unreachable(String),
    /// Too many requests.
    #[error("the Bot API requires a pause of {} s", .0.as_secs())]
    Busy(Duration),
    /// Somebody else polls with the same token.
    #[error("another program polls with this token")]
    Conflict,
    /// The token is not valid, or no longer.
    #[error("the Bot API does not know this token")]
    Unauthorized,
    /// The chat takes no messages from this bot.
    #[error("the chat takes no messages: {0}")]
    Blocked(String),
    /// The request itself is wrong.
    #[error("the Bot API refused: {0}")]
    Refused(String),
}

/// The Bot API for one token.
#[derive(Clone, Debug)]
pub(crate) struct BotApi {
    http: reqwest::Client,
    base: String,
    token: SecretString,
}

impl BotApi {
    pub(crate) fn new(http: reqwest::Client, base: &str, token: SecretString) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { http, base, token }
    }

    /// The bot's own number, which is the part of the token that is no secret.
    pub(crate) fn bot_number(&self) -> u64 {
        let token = self.token.expose_secret();
        let number = token.split(':').next().unwrap_or_default();
        number.parse().unwrap_or_default()
    }

    /// Waits for updates from `offset` on.
    pub(crate) async fn updates(&self, offset: Option<i64>) -> Result<Vec<Update>, Failure> {
        let body = GetUpdates {
            offset,
            timeout: LONG_POLL.as_secs(),
            limit: UPDATES_MAX,
            allowed_updates: ["message"],
        };
        let result = self.call("getUpdates", &body, LONG_POLL + GRACE).await?;
        let list = result
            .as_array()
            .ok_or_else(|| Failure::Unreachable("the answer is no list of updates".to_owned()))?;
        Ok(list.iter().filter_map(Update::read).collect())
    }

    /// Sends a message.
    pub(crate) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let plain = message.is_plain.then(|| message.text.plain());
        let body = SendMessage {
            chat_id: message.chat,
            text: plain.as_deref().unwrap_or_else(|| message.text.html()),
            parse_mode: plain.is_none().then_some("HTML"),
            disable_notification: message.is_silent,
            link_preview_options: LinkPreviewOptions { is_disabled: true },
        };
        self.call("sendMessage", &body, SEND).await.map(drop)
    }

    async fn call(
        &self,
        method: &str,
        body: &impl Serialize,
        timeout: Duration,
    ) -> Result<Value, Failure> {
        let address = format!("{}/bot{}/{method}", self.base, self.token.expose_secret());
        let request = self.http.post(address).json(body).timeout(timeout);
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status().as_u16();
        let body = self.read(response).await?;
        let envelope: Envelope = serde_json::from_slice(&body)
            .map_err(|_| self.failure(status, "the answer is not the Bot API's", None))?;
        if envelope.ok {
            return Ok(envelope.result);
        }
        let retry_after = envelope.parameters.and_then(|each| each.retry_after);
        let description = envelope.description.unwrap_or_default();
        Err(self.failure(
            envelope.error_code.unwrap_or(status),
            &description,
            retry_after,
        ))
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unreachable(error))?
        {
            if body.len() + chunk.len() > BODY_MAX {
                return Err(Failure::Unreachable("the answer is too long".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn failure(&self, code: u16, description: &str, retry_after: Option<u64>) -> Failure {
        let description = self.masked(&format!("{code} {description}"));
        match code {
            // A token of the wrong shape is answered 404: the address is then not one of the Bot API's.
            401 | 404 => Failure::Unauthorized,
            403 => Failure::Blocked(description),
            409 => Failure::Conflict,
            429 => Failure::Busy(Duration::from_secs(
                retry_after.unwrap_or(5).clamp(1, 3_600),
            )),
            400 | 413 => Failure::Refused(description),
            _ => Failure::Unreachable(description),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Failure::Unreachable(self.masked(&text))
    }

    /// The text without the token, should it be in there all the same.
    fn masked(&self, text: &str) -> String {
        let token = self.token.expose_secret();
        let text = if token.is_empty() {
            text.to_owned()
        } else {
            text.replace(token, "***")
        };
        text.chars().take(300).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> BotApi {
        BotApi::new(
            crate::tests::world::http(),
            "http://127.0.0.1:1/",
            "42:SECRET".to_owned().into(),
        )
    }

    #[test]
    fn each_error_of_the_bot_api_says_what_to_do() {
        let cases = [
            (409, None, Failure::Conflict),
            (401, None, Failure::Unauthorized),
            (404, None, Failure::Unauthorized),
            (429, Some(5), Failure::Busy(Duration::from_secs(5))),
            (429, None, Failure::Busy(Duration::from_secs(5))),
            (
                429,
                Some(u64::MAX),
                Failure::Busy(Duration::from_secs(3_600)),
            ),
            (500, None, Failure::Unreachable("500 said".to_owned())),
            (502, None, Failure::Unreachable("502 said".to_owned())),
            (400, None, Failure::Refused("400 said".to_owned())),
            (403, None, Failure::Blocked("403 said".to_owned())),
        ];
        for (code, retry_after, expected) in cases {
            assert_eq!(api().failure(code, "said", retry_after), expected);
        }
    }

    #[tokio::test]
    async fn the_token_is_in_no_error_and_no_debug_text() {
        let api = api();
        let failure = api.updates(None).await.unwrap_err();
        let echoed = api.failure(400, "Bad Request: /bot42:SECRET/sendMessage", None);
        for text in [
            format!("{failure} {failure:?}"),
            format!("{echoed:?}"),
            format!("{api:?}"),
        ] {
            assert!(!text.contains("SECRET"), "{text}");
        }
        assert_eq!(api.bot_number(), 42);
    }
}
