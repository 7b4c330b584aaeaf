//! WebSockets on the socket's side: upgrades, and the loop that serves one connection.
//!
//! What a path opens and what follows a message is in `websocket.rs`; here are the reads, the writes and their time-outs.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};
use futures_util::SinkExt as _;

use crate::core::In;
use crate::exchange_task::{Letter, Parcel, WireEnd, wire};
use crate::faults::Stroke;
use crate::http;
use crate::line::{Peer, Switch};
use crate::server::Shared;
use crate::streams::frames::Frame;
use crate::streams::life::Due;
use crate::websocket::{
    Client, LINGER_WITHIN, MESSAGE_BYTES_MAX, Message, SHUTDOWN, Session, Step, Target,
};

/// A reader that takes no byte for this long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// How much is read and thrown away behind a close frame of the server.
const LINGER_BYTES_MAX: usize = 1 << 20;

/// Answers a request whose path opens a WebSocket.
pub(crate) async fn upgrade(
    shared: Shared,
    client: Peer,
    target: Target,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &shared).await {
        Ok(upgrade) => upgrade.max_message_size(MESSAGE_BYTES_MAX),
        Err(rejection) => return rejection.into_response(),
    };
    let opened = shared.admit(client.address.ip()).and_then(|()| {
        let opened = Client {
            connection: shared.next_connection(),
            address: client.address.ip(),
            now: shared.elapsed(),
        };
        let query = parts.uri.query().unwrap_or_default();
        Session::open(target, query, opened, shared.limits)
    });
    let session = match opened {
        Ok(session) => session,
        Err(error) => return http::refuse(&error),
    };
    upgrade.on_upgrade(async move |socket| {
        let tracked = shared.connections.clone();
        let served = serve(socket, shared, client.switch, session);
        tracked.track_future(served).await;
    })
}

/// One connection, and everything needed to serve it.
struct Connection {
    shared: Shared,
    socket: WebSocket,
    wire: WireEnd,
    session: Session,
    /// Whether the last thing it was sent is a close frame.
    closed: bool,
}

/// The connection is over.
struct Over;

/// Serves one connection until either side ends it.
async fn serve(socket: WebSocket, shared: Shared, switch: Arc<Switch>, session: Session) {
    let id = session.connection();
    let (wire, end) = wire(session.kind(), switch);
    let mailbox = shared.mailbox.clone();
    let mut connection = Connection {
        shared,
        socket,
        wire: end,
        session,
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
        for input in self.session.begin() {
            self.tell(input)?;
        }
        let (cut, shutdown) = (self.wire.cut.clone(), self.shared.shutdown.clone());
        loop {
            let wake = self.shared.instant(self.session.wakes_at());
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

    async fn on_message(
        &mut self,
        message: Option<Result<ws::Message, axum::Error>>,
    ) -> Result<(), Over> {
        let message = message.and_then(Result::ok).ok_or(Over)?;
        let received = match &message {
            ws::Message::Text(text) => Message::Text(text),
            ws::Message::Binary(_) => Message::Binary,
            ws::Message::Ping(_) => Message::Ping,
            ws::Message::Pong(payload) => Message::Pong(payload),
            ws::Message::Close(_) => Message::Close,
        };
        match self.session.on_message(self.shared.elapsed(), received) {
            None => Ok(()),
            Some(Step::Input(input)) => self.tell(input),
            Some(Step::Send(due)) => self.obey(due).await,
            Some(Step::Flush) => self.write(Vec::new()).await,
            Some(Step::FlushAndEnd) => self.write(Vec::new()).await.and(Err(Over)),
        }
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
            Parcel::Stroke(Stroke::Close(code)) => self.obey(self.session.close_frame(code)).await,
            Parcel::Stroke(Stroke::Shutdown) => self.announce_shutdown().await,
        }
    }

    async fn on_wake(&mut self) -> Result<(), Over> {
        match self.session.poll(self.shared.elapsed()) {
            Some(due) => self.obey(due).await,
            None => Ok(()),
        }
    }

    async fn obey(&mut self, due: Due) -> Result<(), Over> {
        match due {
            Due::Ping(payload) => self.write(vec![ws::Message::Ping(payload.into())]).await,
            Due::Close(code, reason) => self.close(code, reason).await,
        }
    }

    async fn announce_shutdown(&mut self) -> Result<(), Over> {
        let millis = std::time::SystemTime::now()
            .duration_since(std::time::SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let event = self
            .session
            .shutdown_event(i64::try_from(millis.as_millis()).unwrap_or(i64::MAX));
        self.send(vec![event.into()]).await?;
        self.obey(SHUTDOWN).await
    }

    async fn close(&mut self, code: u16, reason: &'static str) -> Result<(), Over> {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        self.write(vec![ws::Message::Close(Some(frame))]).await?;
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
        self.write(frames.into_iter().map(ws::Message::Text).collect())
            .await
    }

    /// Writes all of `messages` and flushes once, unless the reader stands still or the connection is cut.
    async fn write(&mut self, messages: Vec<ws::Message>) -> Result<(), Over> {
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
