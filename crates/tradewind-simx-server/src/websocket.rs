//! One WebSocket connection without its socket: what its path opens, what follows a message, when it pings and ends.
//!
//! [`Session`] is a state machine. `sockets.rs` runs it on a real socket, `virtual_server/` on bytes in memory. The
//! protocols are in `streams/connection.rs` and `ws_api`, heartbeats and limits in `streams/life.rs`.

use std::net::IpAddr;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::core::In;
use crate::faults::WireKind;
use crate::options::Limits;
use crate::rest::{ApiError, Params, TimeUnit};
use crate::streams::connection::{Effect, Form, MarketConnection};
use crate::streams::life::{Due, Life, Pacing};
use crate::streams::{ConnectionId, Wish, frames};
use crate::ws_api::Asker;

/// The longest message that a client may send.
pub(crate) const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// How long a connection is read behind a close frame of the server.
pub(crate) const LINGER_WITHIN: Duration = Duration::from_secs(1);
/// The close frame of a server that shuts down.
pub(crate) const SHUTDOWN: Due = Due::Close(1001, "Server shutdown");

/// What a path opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Market data as it is; the path names the first streams, with slashes between.
    Raw(String),
    /// Market data with the streams' names; the query names the first streams.
    Combined,
    /// The WebSocket API.
    Api,
}

impl Target {
    /// What `path` opens; `None` when it is no WebSocket.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/ws" => Some(Self::Raw(String::new())),
            "/stream" => Some(Self::Combined),
            "/ws-api/v3" => Some(Self::Api),
            _ => {
                let streams = percent_decode_str(path.strip_prefix("/ws/")?);
                Some(Self::Raw(streams.decode_utf8_lossy().into_owned()))
            }
        }
    }
}

/// Who opens a connection, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) connection: ConnectionId,
    pub(crate) address: IpAddr,
    /// Monotonic time since the server's origin.
    pub(crate) now: Duration,
}

/// A message of the client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message<'a> {
    Text(&'a str),
    Binary,
    Ping,
    Pong(&'a [u8]),
    Close,
}

/// What follows a message.
#[derive(Debug)]
pub(crate) enum Step {
    /// The exchange gets this input.
    Input(In),
    /// The client gets this control frame.
    Send(Due),
    /// The WebSocket library has queued a control frame, which is to be written.
    Flush,
    /// The same, and then the connection ends.
    FlushAndEnd,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    connection: ConnectionId,
    unit: TimeUnit,
    protocol: Protocol,
    life: Life,
    /// Why the server closes it, once that is decided.
    dismissed: Option<&'static str>,
}

#[derive(Debug)]
enum Protocol {
    Market {
        market: MarketConnection,
        /// What the first streams lead to, until the connection begins.
        first: Vec<Effect>,
    },
    Api(Asker),
}

impl Session {
    /// A connection to `target` that the server has admitted.
    ///
    /// # Errors
    /// The query names a unit of time that there is not.
    pub(crate) fn open(
        target: Target,
        query: &str,
        client: Client,
        limits: Limits,
    ) -> Result<Self, ApiError> {
        let params = Params::from_form(query, "").unwrap_or_default();
        let unit = TimeUnit::wanted(&params)?;
        let protocol = match target {
            Target::Raw(streams) => Protocol::market(&streams, Form::Raw),
            Target::Combined => {
                let streams = params.text("streams").unwrap_or_default();
                Protocol::market(streams, Form::Combined)
            }
            Target::Api => Protocol::Api(Asker {
                connection: client.connection,
                address: client.address,
                unit,
                rate_limits: params
                    .text("returnRateLimits")
                    .is_none_or(|wanted| !wanted.eq_ignore_ascii_case("false")),
            }),
        };
        let pacing = match (&protocol, limits) {
            (Protocol::Market { .. }, Limits::Venue) => Pacing::Limited,
            _ => Pacing::Free,
        };
        Ok(Self {
            connection: client.connection,
            unit,
            protocol,
            life: Life::new(client.now, pacing),
            dismissed: None,
        })
    }

    /// The inputs with which it begins.
    pub(crate) fn begin(&mut self) -> Vec<In> {
        let (connection, unit) = (self.connection, self.unit);
        match &mut self.protocol {
            Protocol::Api(asker) => vec![In::OpenWsApi {
                connection,
                address: asker.address,
            }],
            Protocol::Market { market, first } => {
                let form = market.form();
                let effects = std::mem::take(first);
                let wish = Wish { form, unit };
                let mut inputs = vec![In::Form { connection, wish }];
                inputs.extend(wishes(connection, unit, effects));
                inputs
            }
        }
    }

    /// What follows `message`.
    pub(crate) fn on_message(&mut self, now: Duration, message: Message<'_>) -> Option<Step> {
        if self.dismissed.is_some() {
            return None;
        }
        if let Some(Due::Close(code, reason)) = self.life.on_message(now) {
            return Some(self.dismiss(code, reason));
        }
        match message {
            Message::Text(text) => self.on_text(text).map(Step::Input),
            Message::Pong(payload) => {
                self.life.on_pong(payload);
                None
            }
            Message::Ping => Some(Step::Flush),
            Message::Binary => Some(Step::Send(Due::Close(1003, "Only text is taken"))),
            // Without an answer to its close frame the client takes the end for a broken connection.
            Message::Close => Some(Step::FlushAndEnd),
        }
    }

    /// Reads no further messages. The exchange closes the connection behind the answers that are pending.
    fn dismiss(&mut self, code: u16, reason: &'static str) -> Step {
        self.dismissed = Some(reason);
        let connection = self.connection;
        Step::Input(In::Dismiss { connection, code })
    }

    fn on_text(&mut self, text: &str) -> Option<In> {
        match &mut self.protocol {
            Protocol::Api(asker) => Some(In::WsApi {
                asker: *asker,
                text: text.to_owned(),
            }),
            Protocol::Market { market, .. } => {
                let mut effects = Vec::new();
                market.on_text(text, &mut effects);
                wishes(self.connection, self.unit, effects)
            }
        }
    }

    /// The control frame that is due at `now`, one at a time.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Due> {
        self.life.poll(now)
    }

    /// When [`poll`](Self::poll) has something next.
    pub(crate) fn wakes_at(&self) -> Duration {
        self.life.wakes_at()
    }

    pub(crate) const fn connection(&self) -> ConnectionId {
        self.connection
    }

    pub(crate) const fn kind(&self) -> WireKind {
        match self.protocol {
            Protocol::Market { .. } => WireKind::Market,
            Protocol::Api(_) => WireKind::Api,
        }
    }

    /// The close frame with this status, and the reason that is known for it.
    pub(crate) fn close_frame(&self, code: u16) -> Due {
        Due::Close(code, self.dismissed.unwrap_or("Scripted"))
    }

    /// The event that announces the server's end, in the connection's own form.
    pub(crate) fn shutdown_event(&self, millis: i64) -> String {
        let event = format!("{{\"e\":\"serverShutdown\",\"E\":{millis}}}");
        match &self.protocol {
            Protocol::Market { market, .. } if market.form() == Form::Combined => {
                frames::combined("!serverShutdown", &event)
            }
            Protocol::Market { .. } => event,
            Protocol::Api(_) => format!("{{\"event\":{event}}}"),
        }
    }
}

impl Protocol {
    fn market(streams: &str, form: Form) -> Self {
        let mut first = Vec::new();
        let market = MarketConnection::open(streams, form, &mut first);
        Self::Market { market, first }
    }
}

/// A request's effects as one input: the exchange answers behind the frames that were pending before it.
fn wishes(connection: ConnectionId, unit: TimeUnit, effects: Vec<Effect>) -> Option<In> {
    (!effects.is_empty()).then_some(In::Wishes {
        connection,
        unit,
        effects,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_opens_what_the_venue_serves_there() {
        for (path, target) in [
            ("/ws", Some(Target::Raw(String::new()))),
            ("/ws/", Some(Target::Raw(String::new()))),
            (
                "/ws/btcusdt%40trade/b@depth",
                Some(Target::Raw("btcusdt@trade/b@depth".to_owned())),
            ),
            ("/stream", Some(Target::Combined)),
            ("/ws-api/v3", Some(Target::Api)),
            ("/ws-api/v4", None),
            ("/wsx", None),
            ("/api/v3/time", None),
        ] {
            assert_eq!(Target::of(path), target, "{path}");
        }
    }
}
