//! WebSockets on the socket's side: upgrades, and the loop that serves one connection.
//!
//! The protocol of a connection is in `streams/connection.rs` and `ws_api`, its heartbeats in `streams/life.rs`; here
//! are the reads, the writes and their time-outs.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::response::Response;
use axum::routing::any;
use futures_util::SinkExt as _;

use crate::core::In;
use crate::exchange_task::{Letter, Parcel, WireEnd, wire};
use crate::faults::{Stroke, WireKind};
use crate::http;
use crate::line::{Peer as Client, Switch};
use crate::options::Limits;
use crate::rest::{Params, TimeUnit};
use crate::server::Shared;
use crate::streams::connection::{Effect, Form, MarketConnection};
use crate::streams::frames::Frame;
use crate::streams::life::{Due, Life, Pacing};
use crate::streams::{ConnectionId, Wish};
use crate::ws_api::Asker;

/// A reader that takes no byte for this long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// No message of a client comes near it.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// How long, and how much, is read and thrown away behind a close frame of ours.
const LINGER_WITHIN: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: usize = 1 << 20;

/// The paths that are WebSockets.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/ws", any(raw))
        .route("/ws/", any(raw))
        .route("/ws/{*streams}", any(raw_streams))
        .route("/stream", any(combined))
        .route("/ws-api/v3", any(api))
}

async fn raw(
    state: State<Shared>,
    ConnectInfo(client): ConnectInfo<Client>,
    query: RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    market(state.0, client, upgrade, &query, Ask::Raw(String::new()))
}

async fn raw_streams(
    state: State<Shared>,
    ConnectInfo(client): ConnectInfo<Client>,
    Path(streams): Path<String>,
    query: RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    market(state.0, client, upgrade, &query, Ask::Raw(streams))
}

async fn combined(
    state: State<Shared>,
    ConnectInfo(client): ConnectInfo<Client>,
    query: RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    market(state.0, client, upgrade, &query, Ask::Combined)
}

/// How a market-data connection asks for its first streams.
enum Ask {
    /// In the path, each to be sent as it is.
    Raw(String),
    /// In the query, to be sent with their names.
    Combined,
}

fn market(
    shared: Shared,
    client: Client,
    upgrade: WebSocketUpgrade,
    RawQuery(query): &RawQuery,
    ask: Ask,
) -> Response {
    let params = Params::from_form(query.as_deref().unwrap_or_default(), "").unwrap_or_default();
    let admitted = shared.admit(client.address.ip());
    let unit = match admitted.and_then(|()| TimeUnit::wanted(&params)) {
        Ok(unit) => unit,
        Err(error) => return http::refuse(&error),
    };
    let (streams, form) = match ask {
        Ask::Raw(streams) => (streams, Form::Raw),
        Ask::Combined => {
            let streams = params.text("streams").unwrap_or_default();
            (streams.to_owned(), Form::Combined)
        }
    };
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX);
    upgrade.on_upgrade(async move |socket| {
        let tracked = shared.connections.clone();
        tracked
            .track_future(serve(
                socket,
                shared,
                client.switch,
                Peer::market(&streams, form, unit),
            ))
            .await;
    })
}

async fn api(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<Client>,
    RawQuery(query): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let params = Params::from_form(&query.unwrap_or_default(), "").unwrap_or_default();
    let admitted = shared.admit(peer.address.ip());
    let unit = match admitted.and_then(|()| TimeUnit::wanted(&params)) {
        Ok(unit) => unit,
        Err(error) => return http::refuse(&error),
    };
    let is = |name: &str, value: &str| {
        params
            .text(name)
            .is_some_and(|text| text.eq_ignore_ascii_case(value))
    };
    let asker = Asker {
        connection: shared.next_connection(),
        address: peer.address.ip(),
        unit,
        rate_limits: !is("returnRateLimits", "false"),
    };
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX);
    upgrade.on_upgrade(async move |socket| {
        let tracked = shared.connections.clone();
        tracked
            .track_future(serve(socket, shared, peer.switch, Peer::Api(asker)))
            .await;
    })
}

/// Which protocol a connection speaks.
enum Peer {
    Market(MarketConnection, Vec<Effect>, TimeUnit),
    Api(Asker),
}

impl Peer {
    fn market(streams: &str, form: Form, unit: TimeUnit) -> Self {
        let mut effects = Vec::new();
        let market = MarketConnection::open(streams, form, &mut effects);
        Self::Market(market, effects, unit)
    }

    /// The event that announces the end, in the connection's own form.
    fn shutdown_event(&self, millis: i64) -> String {
        let event = format!("{{\"e\":\"serverShutdown\",\"E\":{millis}}}");
        match self {
            Self::Market(market, ..) if market.form() == Form::Combined => {
                crate::streams::frames::combined("!serverShutdown", &event)
            }
            Self::Market(..) => event,
            Self::Api(_) => format!("{{\"event\":{event}}}"),
        }
    }
}

/// One connection, and everything needed to serve it.
struct Connection {
    id: ConnectionId,
    shared: Shared,
    socket: WebSocket,
    wire: WireEnd,
    life: Life,
    peer: Peer,
    /// Why it is being closed, once it is.
    dismissed: Option<&'static str>,
    /// Whether the last thing it was sent is a close frame.
    closed: bool,
}

/// The connection is over.
struct Over;

/// Serves one connection until either side ends it.
async fn serve(socket: WebSocket, shared: Shared, switch: Arc<Switch>, peer: Peer) {
    let id = if let Peer::Api(asker) = &peer {
        asker.connection
    } else {
        shared.next_connection()
    };
    let kind = match peer {
        Peer::Market(..) => WireKind::Market,
        Peer::Api(_) => WireKind::Api,
    };
    let (wire, end) = wire(kind, switch);
    let pacing = match (&peer, shared.limits) {
        (Peer::Market(..), Limits::Venue) => Pacing::Limited,
        _ => Pacing::Free,
    };
    let life = Life::new(shared.elapsed(), pacing);
    let mailbox = shared.mailbox.clone();
    let mut connection = Connection {
        id,
        shared,
        socket,
        wire: end,
        life,
        peer,
        dismissed: None,
        closed: false,
    };
    if mailbox.post(Letter::Connect(id, wire)).is_ok() {
        // However it ended, the end is the same.
        drop(connection.run().await);
    }
    drop(mailbox.post(Letter::Input(In::Close { connection: id })));
    if connection.closed {
        connection.linger().await;
    }
}

impl Connection {
    async fn run(&mut self) -> Result<(), Over> {
        self.begin().await?;
        let (cut, shutdown) = (self.wire.cut.clone(), self.shared.shutdown.clone());
        loop {
            let wake = self.shared.instant(self.life.wakes_at());
            tokio::select! {
                biased;
                () = cut.cancelled() => return Err(Over),
                () = shutdown.cancelled() => return self.announce_shutdown().await,
                parcel = self.wire.receive() => self.open(parcel.ok_or(Over)?).await?,
                message = self.socket.recv() => self.on_message(message).await?,
                () = tokio::time::sleep_until(wake) => self.on_wake().await?,
            }
        }
    }

    async fn begin(&mut self) -> Result<(), Over> {
        match &mut self.peer {
            Peer::Api(asker) => {
                let (connection, address) = (asker.connection, asker.address);
                self.tell(In::OpenWsApi {
                    connection,
                    address,
                })
            }
            Peer::Market(market, effects, unit) => {
                let (form, unit) = (market.form(), *unit);
                let effects = std::mem::take(effects);
                self.tell(In::Form {
                    connection: self.id,
                    wish: Wish { form, unit },
                })?;
                self.apply(effects)
            }
        }
    }

    async fn on_message(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<(), Over> {
        let message = message.and_then(Result::ok).ok_or(Over)?;
        if self.dismissed.is_some() {
            return Ok(());
        }
        if let Some(Due::Close(code, reason)) = self.life.on_message(self.shared.elapsed()) {
            return self.dismiss(code, reason);
        }
        match message {
            Message::Text(text) => self.on_text(&text).await,
            Message::Pong(payload) => {
                self.life.on_pong(&payload);
                Ok(())
            }
            // The library has queued the pong; sending anything flushes it.
            Message::Ping(_) => self.flush().await,
            Message::Binary(_) => self.obey(Due::Close(1003, "Only text is taken")).await,
            // The library has queued the answer to it; without one the client takes the end for a broken connection.
            Message::Close(_) => self.flush().await.and(Err(Over)),
        }
    }

    /// Hears nothing more, and closes behind the answers that the exchange still owes.
    fn dismiss(&mut self, code: u16, reason: &'static str) -> Result<(), Over> {
        self.dismissed = Some(reason);
        let connection = self.id;
        self.tell(In::Dismiss { connection, code })
    }

    async fn on_text(&mut self, text: &str) -> Result<(), Over> {
        match &mut self.peer {
            Peer::Api(asker) => {
                let asker = *asker;
                self.tell(In::WsApi {
                    asker,
                    text: text.to_owned(),
                })
            }
            Peer::Market(market, ..) => {
                let mut effects = Vec::new();
                market.on_text(text, &mut effects);
                self.apply(effects)
            }
        }
    }

    /// Hands a request's effects to the exchange, which answers: nothing that it owed before comes after the answer.
    fn apply(&self, effects: Vec<Effect>) -> Result<(), Over> {
        if effects.is_empty() {
            return Ok(());
        }
        let (connection, unit) = (self.id, self.unit());
        self.tell(In::Wishes {
            connection,
            unit,
            effects,
        })
    }

    async fn open(&mut self, parcel: Parcel) -> Result<(), Over> {
        match parcel {
            Parcel::Frames(frames) => self.send(frames).await,
            Parcel::Stroke(Stroke::CutAfter(bytes)) => {
                self.wire.switch.cut_after(bytes);
                if bytes == 0 { Err(Over) } else { Ok(()) }
            }
            Parcel::Stroke(Stroke::Mute) => {
                self.wire.switch.mute();
                Ok(())
            }
            Parcel::Stroke(Stroke::Close(code)) => {
                self.close(code, self.dismissed.unwrap_or("Scripted")).await
            }
            Parcel::Stroke(Stroke::Shutdown) => self.announce_shutdown().await,
        }
    }

    /// The unit of this connection's stamps.
    const fn unit(&self) -> TimeUnit {
        match &self.peer {
            Peer::Market(_, _, unit) => *unit,
            Peer::Api(asker) => asker.unit,
        }
    }

    async fn on_wake(&mut self) -> Result<(), Over> {
        match self.life.poll(self.shared.elapsed()) {
            Some(due) => self.obey(due).await,
            None => Ok(()),
        }
    }

    async fn obey(&mut self, due: Due) -> Result<(), Over> {
        match due {
            Due::Ping(payload) => self.write(vec![Message::Ping(payload.into())]).await,
            Due::Close(code, reason) => self.close(code, reason).await,
        }
    }

    async fn announce_shutdown(&mut self) -> Result<(), Over> {
        let millis = std::time::SystemTime::now()
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let event = self
            .peer
            .shutdown_event(i64::try_from(millis.as_millis()).unwrap_or(i64::MAX));
        self.send(vec![event.into()]).await?;
        self.close(1001, "Server shutdown").await
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Over> {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        self.write(vec![Message::Close(Some(frame))]).await?;
        self.closed = true;
        Err(Over)
    }

    /// Reads on behind a close frame until the peer ends, for a while. A socket that is dropped with bytes unread in it
    /// makes the peer's system throw away what the peer has not read yet: the close frame and the answers before it.
    async fn linger(&mut self) {
        let cut = self.wire.cut.clone();
        let socket = &mut self.socket;
        let read = async move {
            let mut left = LINGER_BYTES_MAX;
            while let Some(Ok(message)) = socket.recv().await {
                let Some(less) = left.checked_sub(message.into_data().len()) else {
                    return;
                };
                left = less;
            }
        };
        tokio::select! {
            biased;
            () = cut.cancelled() => {}
            _ = tokio::time::timeout(LINGER_WITHIN, read) => {}
        }
    }

    async fn send(&mut self, frames: Vec<Frame>) -> Result<(), Over> {
        self.write(frames.into_iter().map(Message::Text).collect())
            .await
    }

    async fn flush(&mut self) -> Result<(), Over> {
        self.write(Vec::new()).await
    }

    /// Writes all of `messages` and flushes once, unless the reader stands still or the connection is cut.
    async fn write(&mut self, messages: Vec<Message>) -> Result<(), Over> {
        let cut = self.wire.cut.clone();
        let socket = &mut self.socket;
        let written = async move {
            for message in messages {
                socket.feed(message).await?;
            }
            socket.flush().await
        };
        tokio::select! {
            biased;
            () = cut.cancelled() => Err(Over),
            written = tokio::time::timeout(WRITE_WITHIN, written) => written.ok().and_then(Result::ok).ok_or(Over),
        }
    }

    /// Writes to the exchange. A full mailbox ends the connection: its wishes would be lost.
    fn tell(&self, input: In) -> Result<(), Over> {
        self.shared
            .mailbox
            .post(Letter::Input(input))
            .map_err(|_| Over)
    }
}
