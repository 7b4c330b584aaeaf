//! Entry points for `examples/fuzz` of the binary: bytes in, whether they were understood out. No part of the interface.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tradewind_model::{ManualClock, Timestamp};
use tradewind_simx::FillModel;

use crate::core::{Core, In, Out};
use crate::options::{Limits, MarketChoice, ServerOptions};
use crate::persist::Record;
use crate::rest::{Method, RestRequest, TimeUnit, sign_hmac};
use crate::startup;
use crate::streams::ConnectionId;
use crate::streams::connection::{Form, MarketConnection};
use crate::ws_api::Asker;

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A whole server without sockets, with the account `key:secret`.
pub struct Door(Core);

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Door(..)")
    }
}

impl Door {
    /// A server that has just started; `None` if it could not, which no input is to blame for.
    #[must_use]
    pub fn open() -> Option<Self> {
        let options = ServerOptions {
            listen: (HERE, 0).into(),
            data_dir: None,
            accounts: vec!["key:secret:USDT=100000,BTC=2".parse().ok()?],
            market: MarketChoice::Generated { seed: 7 },
            limits: Limits::Off,
            fill: FillModel::Book,
            history: crate::HISTORY,
            clock: Arc::new(ManualClock::new(START)),
        };
        startup::start(&options)
            .ok()
            .map(|started| Self(started.core))
    }

    /// A signed REST request: `METHOD PATH PARAMETERS`. Whether it was answered with success.
    pub fn rest(&mut self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let mut words = text.splitn(3, ' ');
        let method = match words.next() {
            Some("POST") => Method::Post,
            Some("DELETE") => Method::Delete,
            _ => Method::Get,
        };
        let path = words.next().unwrap_or_default().to_owned();
        let given = words.next().unwrap_or_default();
        let payload = format!("{given}&timestamp={}", START.as_millis());
        let signature = sign_hmac("secret", &payload);
        let request = RestRequest {
            address: HERE,
            method,
            path,
            query: format!("{payload}&signature={signature}"),
            body: String::new(),
            key: Some("key".to_owned()),
            unit: TimeUnit::Milliseconds,
        };
        self.0.handle(START, In::Rest { token: 1, request });
        let answers = self.0.take_out(Out::default()).answers;
        answers.iter().any(|(_, answer)| answer.status == 200)
    }

    /// A text on a connection to the WebSocket API. Whether it was answered with success.
    pub fn ws_api(&mut self, bytes: &[u8]) -> bool {
        let asker = Asker {
            connection: ConnectionId(1),
            address: HERE,
            unit: TimeUnit::Milliseconds,
            rate_limits: true,
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.0.handle(START, In::WsApi { asker, text });
        let frames = self.0.take_out(Out::default()).frames;
        frames
            .iter()
            .any(|(_, frame)| frame.to_string().contains(r#""status":200"#))
    }
}

/// A text on a market-data connection. Whether it had an effect.
#[must_use]
pub fn market_request(bytes: &[u8]) -> bool {
    let mut effects = Vec::new();
    let mut connection = MarketConnection::open("btcusdt@trade", Form::Raw, &mut effects);
    let before = effects.len();
    connection.on_text(&String::from_utf8_lossy(bytes), &mut effects);
    effects.len() > before + 1
}

/// A record of the log on disk. Whether it is one; one that is must be written as it was read.
#[must_use]
pub fn record(bytes: &[u8]) -> bool {
    let Ok(record) = Record::decode(bytes) else {
        return false;
    };
    let again = Record::decode(&record.encode());
    assert_eq!(again.ok(), Some(record), "written as it was read");
    true
}
