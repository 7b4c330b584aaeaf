//! A client of the desk's HTTP API: one request at a time, each with a time limit, answers as JSON.
//!
//! Answers are read as JSON values rather than the API's own types: unknown fields are ignored, so that a desk of
//! another version can be read.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tradewind_venues::Address;

use super::exit::{NoDesk, TimedOut};
use super::location::Location;

/// A connection to a desk.
#[derive(Debug)]
pub(super) struct Client {
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
    address: Address,
    token: SecretString,
    timeout: Duration,
    local: Option<u32>,
}

impl Client {
    /// Finds the desk and its token; nothing is sent yet.
    pub(super) fn connect(location: &Location, timeout: Duration) -> anyhow::Result<Self> {
        let address = location.address()?;
        let token = location.token(&address)?;
        let local = location.is_local().then(|| location.announced()).flatten();
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            http: http(timeout)?,
            address,
            token,
            timeout,
            local: local.map(|desk| desk.pid),
        })
    }

    /// Address of the desk.
    pub(super) const fn address(&self) -> &Address {
        &self.address
    }

    /// `GET /api/v1/{path}` with these query parameters.
    pub(super) fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let request = self
            .request(Method::GET, path)
            .query(query)
            .timeout(self.timeout);
        self.runtime.block_on(self.answer(request))
    }

    /// `POST /api/v1/{path}` with a body.
    pub(super) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .request(Method::POST, path)
            .json(body)
            .timeout(self.timeout);
        self.runtime.block_on(self.answer(request))
    }

    /// `PUT /api/v1/{path}` with a body.
    pub(super) fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .request(Method::PUT, path)
            .json(body)
            .timeout(self.timeout);
        self.runtime.block_on(self.answer(request))
    }

    /// `DELETE /api/v1/{path}`.
    pub(super) fn delete(&self, path: &str) -> anyhow::Result<Value> {
        let request = self.request(Method::DELETE, path).timeout(self.timeout);
        self.runtime.block_on(self.answer(request))
    }

    /// Reads the event stream behind the event `after`; each line of it goes to `take` until that says to stop.
    pub(super) fn stream(
        &self,
        types: Option<&str>,
        after: Option<&str>,
        mut take: impl FnMut(&str) -> anyhow::Result<Reading>,
    ) -> anyhow::Result<()> {
        let mut request = self.request(Method::GET, "events");
        if let Some(types) = types {
            request = request.query(&[("types", types)]);
        }
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after);
        }
        self.runtime.block_on(async {
            let mut response = accepted(self.send(request).await?).await?;
            let mut lines = Lines::default();
            while let Some(bytes) = self.next_chunk(&mut response).await? {
                for line in lines.feed(&bytes)? {
                    if take(&line)? == Reading::Done {
                        return Ok(());
                    }
                }
            }
            bail!("the desk ended the stream; it is stopping, or this reader was too slow")
        })
    }

    /// The next piece of a stream. The desk sends a ping every second, so silence is a timeout.
    async fn next_chunk(&self, response: &mut Response) -> anyhow::Result<Option<Vec<u8>>> {
        let next = tokio::time::timeout(self.timeout, response.chunk()).await;
        let Ok(chunk) = next else {
            return Err(TimedOut(format!("the desk at {} stopped sending", self.address)).into());
        };
        Ok(chunk
            .context("the stream was cut off")?
            .map(|bytes| bytes.to_vec()))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.address.join(&format!("/api/v1/{path}"));
        self.http
            .request(method, url)
            .bearer_auth(self.token.expose_secret())
    }

    async fn answer(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = accepted(self.send(request).await?).await?;
        let text = response
            .text()
            .await
            .context("the desk's answer was cut off")?;
        serde_json::from_str(&text).context("the desk's answer is not JSON; is this its address?")
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &reqwest::Error) -> anyhow::Error {
        let address = &self.address;
        if error.is_connect() {
            let left_by = self
                .local
                .map(|pid| format!(" (process {pid} ended without removing its desk.json)"));
            return NoDesk {
                problem: format!(
                    "no desk answers at {address}{}",
                    left_by.unwrap_or_default()
                ),
                cure: "start one with: tradewind run".to_owned(),
            }
            .into();
        }
        if error.is_timeout() {
            let seconds = self.timeout.as_secs_f32();
            return TimedOut(format!(
                "the desk at {address} did not answer within {seconds} s; a command may still be carried out"
            ))
            .into();
        }
        anyhow::anyhow!(
            "cannot connect to the desk at {address}: {}",
            without_url(error)
        )
    }
}

/// Whether to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Read the next line.
    On,
    /// Stop.
    Done,
}

/// Puts the pieces of a stream together to lines.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// A line longer than this is no event.
    const LONGEST: usize = 1 << 20;

    fn feed(&mut self, bytes: &[u8]) -> anyhow::Result<Vec<String>> {
        self.rest.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            lines.push(
                String::from_utf8_lossy(&line)
                    .trim_end_matches(['\r', '\n'])
                    .to_owned(),
            );
        }
        if self.rest.len() > Self::LONGEST {
            bail!("a line of the stream is longer than 1 MiB");
        }
        Ok(lines)
    }
}

fn http(timeout: Duration) -> anyhow::Result<reqwest::Client> {
    let tls = tradewind_venues::client_config(None)?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured((*tls).clone())
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout);
    client.build().context("cannot make an HTTP client")
}

/// The answer if the desk accepted the request; otherwise its error message.
async fn accepted(response: Response) -> anyhow::Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let body = response.text().await.unwrap_or_default();
    let said: Value = serde_json::from_str(&body).unwrap_or_default();
    let error = &said["error"];
    let message = match (error["message"].as_str(), error["hint"].as_str()) {
        (Some(message), Some(hint)) if !hint.is_empty() => format!("{message}; {hint}"),
        (Some(message), _) => message.to_owned(),
        (None, _) => format!("the desk answered {status}"),
    };
    if status == StatusCode::GATEWAY_TIMEOUT {
        return Err(TimedOut(message).into());
    }
    bail!(message)
}

/// The error and its innermost cause, without the address.
fn without_url(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// `text` as one percent-encoded segment of a path.
pub(super) fn path_segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    let escaped = |byte: u8| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_pieces() {
        let mut lines = Lines::default();
        assert_eq!(lines.feed(b"id: 1.0\r\nda").unwrap(), ["id: 1.0"]);
        assert_eq!(lines.feed(b"ta: {}\n\n").unwrap(), ["data: {}", ""]);
        assert!(lines.feed(&vec![b'x'; Lines::LONGEST + 1]).is_err());
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_a_path() {
        assert_eq!(path_segment("btc-rsi_2"), "btc-rsi_2");
        assert_eq!(path_segment("../kill?x"), "%2E%2E%2Fkill%3Fx");
    }
}
