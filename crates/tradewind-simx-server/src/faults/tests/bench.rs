//! A server without sockets, on a clock that the test moves.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tradewind_model::{ManualClock, Timestamp};
use tradewind_simx::FillModel;

use crate::core::{In, Out};
use crate::faults::{Conduct, DoorState, Reply, Stroke, Target, WireKind};
use crate::front::Front;
use crate::options::{Limits, MarketChoice, ServerOptions};
use crate::rest::{Method, RestAnswer, RestRequest, TimeUnit, sign_hmac};
use crate::startup;
use crate::streams::ConnectionId;
use crate::streams::connection::{Effect, Form};
use crate::ws_api::Asker;

/// Six seconds before a minute ends.
pub(super) const START: Timestamp = Timestamp::from_secs(1_700_000_034);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const STEP: Duration = Duration::from_millis(100);
pub(super) const MARKET: ConnectionId = ConnectionId(1);
const COMBINED: ConnectionId = ConnectionId(2);
pub(super) const API: ConnectionId = ConnectionId(3);

/// A server, its clock, and all that came out.
pub(super) struct Bench {
    pub(super) front: Front,
    pub(super) now: Timestamp,
    pub(super) tokens: u64,
    pub(super) frames: Vec<(ConnectionId, String)>,
    pub(super) replies: Vec<(u64, Reply)>,
    pub(super) strokes: Vec<(Target, Stroke)>,
    pub(super) door: DoorState,
}

impl Bench {
    pub(super) fn new(conduct: Conduct) -> Self {
        let options = ServerOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            data_dir: None,
            accounts: vec!["key:secret:USDT=1000000,BTC=20,BNB=5".parse().unwrap()],
            market: MarketChoice::Generated { seed: 7 },
            limits: Limits::Off,
            fill: FillModel::Book,
            history: crate::HISTORY,
            clock: Arc::new(ManualClock::new(START)),
        };
        let core = startup::start(&options).unwrap().core;
        let mut bench = Self {
            front: Front::new(core, START, conduct),
            now: START,
            tokens: 0,
            frames: Vec::new(),
            replies: Vec::new(),
            strokes: Vec::new(),
            door: DoorState::Open,
        };
        bench.pass(Duration::from_millis(1));
        bench
    }

    pub(super) fn script(text: &str) -> Self {
        Self::new(Conduct {
            seed: 1,
            faults: text.parse().unwrap(),
            ..Conduct::default()
        })
    }

    pub(super) fn pass(&mut self, span: Duration) {
        self.now = self.now + span;
        self.front.advance(self.now);
        self.gather();
    }

    pub(super) fn gather(&mut self) {
        let out = self.front.take_out(Out::default());
        self.frames.extend(
            out.frames
                .iter()
                .map(|(to, frame)| (*to, frame.to_string())),
        );
        self.replies.extend(
            out.answers
                .into_iter()
                .map(|(token, answer)| (token, Reply::Sent(answer))),
        );
        self.replies.extend(out.mischief.replies);
        self.strokes.extend(
            out.mischief
                .strokes
                .iter()
                .map(|(_, target, stroke)| (*target, *stroke)),
        );
        self.door = out.mischief.door.unwrap_or(self.door);
    }

    pub(super) fn send(&mut self, input: In) {
        self.front.handle(self.now, input);
        self.gather();
    }

    pub(super) fn ask(&mut self, method: Method, path: &str, query: &str) -> u64 {
        self.tokens += 1;
        let token = self.tokens;
        let request = RestRequest {
            address: HERE,
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            body: String::new(),
            key: Some("key".to_owned()),
            unit: TimeUnit::Milliseconds,
        };
        self.send(In::Rest { token, request });
        token
    }

    pub(super) fn signed(&mut self, method: Method, path: &str, query: &str) -> u64 {
        let payload = format!(
            "{query}&recvWindow=60000&timestamp={}",
            self.now.as_millis()
        );
        let payload = payload.trim_start_matches('&');
        self.ask(
            method,
            path,
            &format!("{payload}&signature={}", sign_hmac("secret", payload)),
        )
    }

    pub(super) fn reply(&self, token: u64) -> Option<&Reply> {
        self.replies
            .iter()
            .find(|(known, _)| *known == token)
            .map(|(_, reply)| reply)
    }

    /// The answer to a signed request that must arrive at once.
    pub(super) fn answered(&mut self, method: Method, path: &str, query: &str) -> (u16, Value) {
        let token = self.signed(method, path, query);
        self.told(token)
    }

    /// What came back for a request.
    pub(super) fn told(&self, token: u64) -> (u16, Value) {
        match self.reply(token) {
            Some(Reply::Sent(RestAnswer { status, body, .. })) => {
                (*status, serde_json::from_str(body).unwrap_or_default())
            }
            other => panic!("{token}: {other:?}"),
        }
    }

    pub(super) fn api(&mut self, method: &str, params: &[(&str, &str)]) {
        let stamp = self.now.as_millis().to_string();
        let mut pairs = vec![
            ("apiKey", "key"),
            ("recvWindow", "60000"),
            ("timestamp", &stamp),
        ];
        pairs.extend(params);
        pairs.sort_unstable();
        let payload: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let signature = sign_hmac("secret", &payload.join("&"));
        pairs.push(("signature", &signature));
        let params: serde_json::Map<String, Value> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect();
        let text =
            serde_json::json!({ "id": method, "method": method, "params": params }).to_string();
        let asker = Asker {
            connection: API,
            address: HERE,
            unit: TimeUnit::Milliseconds,
            rate_limits: false,
        };
        self.send(In::WsApi { asker, text });
    }

    pub(super) fn subscribe(&mut self, connection: ConnectionId, form: Form, names: &[&str]) {
        let mut effects = vec![Effect::Switch(form)];
        effects.extend(
            names
                .iter()
                .map(|name| Effect::Subscribe((*name).to_owned())),
        );
        effects.push(Effect::Answer(r#"{"result":null,"id":1}"#.to_owned()));
        self.send(In::Wishes {
            connection,
            unit: TimeUnit::Milliseconds,
            effects,
        });
    }

    /// Listens to everything.
    pub(super) fn listen(&mut self) {
        self.send(In::OpenWsApi {
            connection: API,
            address: HERE,
        });
        const STREAMS: [&str; 10] = [
            "btcusdt@bookTicker",
            "btcusdt@trade",
            "btcusdt@aggTrade",
            "btcusdt@kline_1m",
            "ethusdt@kline_1m",
            "btcusdt@depth@100ms",
            "btcusdt@depth5@100ms",
            "btcusdt@miniTicker",
            "btcusdt@ticker",
            "ethusdt@bookTicker",
        ];
        for (connection, wire) in [
            (MARKET, WireKind::Market),
            (COMBINED, WireKind::Market),
            (API, WireKind::Api),
        ] {
            self.front.connected(self.now, connection, wire);
            self.gather();
        }
        self.subscribe(MARKET, Form::Raw, &STREAMS);
        self.subscribe(COMBINED, Form::Combined, &STREAMS);
        self.api("userDataStream.subscribe.signature", &[]);
    }

    /// Does, over and over, all that a client does; one thing a step.
    pub(super) fn work(&mut self, span: Duration) {
        let end = self.now + span;
        let mut turn = 0_u32;
        while self.now < end {
            self.pass(STEP);
            self.take_turn(turn);
            turn += 1;
        }
        self.pass(Duration::from_secs(1));
    }

    pub(super) fn take_turn(&mut self, turn: u32) {
        let name = format!("order-{}", turn / 12);
        let order = format!("symbol=BTCUSDT&origClientOrderId={name}");
        let at_market =
            format!("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.01&newClientOrderId=m{turn}");
        match turn % 12 {
            0 => {
                self.place_waiting(&name);
            }
            1 => {
                self.signed(Method::Get, "/api/v3/order", &order);
            }
            2 => {
                self.signed(Method::Get, "/api/v3/openOrders", "symbol=BTCUSDT");
            }
            3 => {
                self.ask(Method::Get, "/api/v3/depth", "symbol=BTCUSDT&limit=50");
            }
            4 => {
                self.signed(Method::Post, "/api/v3/order", &at_market);
            }
            5 => {
                self.signed(Method::Get, "/api/v3/myTrades", "symbol=BTCUSDT");
            }
            6 => self.api(
                "order.place",
                &[
                    ("symbol", "BTCUSDT"),
                    ("side", "BUY"),
                    ("type", "MARKET"),
                    ("quantity", "0.01"),
                ],
            ),
            7 => {
                self.ask(Method::Get, "/api/v3/time", "");
            }
            8 => {
                self.signed(Method::Delete, "/api/v3/order", &order);
            }
            9 => {
                self.signed(Method::Get, "/sapi/v1/account/apiRestrictions", "");
            }
            10 => self.subscribe(
                COMBINED,
                Form::Combined,
                &["solusdt@trade", "bnbusdt@trade", "xrpusdt@trade"],
            ),
            _ => {
                self.signed(
                    Method::Post,
                    "/api/v3/order/cancelReplace",
                    "symbol=BTCUSDT",
                );
                self.signed(
                    Method::Post,
                    "/api/v3/order",
                    "symbol=BTCUSDT&side=SELL&type=STOP_LOSS_LIMIT",
                );
                self.signed(Method::Post, "/api/v3/orderList/otoco", "symbol=BTCUSDT");
            }
        }
    }

    /// A buy far below the market.
    pub(super) fn place_waiting(&mut self, name: &str) -> u64 {
        let price = self.bid() * 9 / 10;
        let query = format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price={price}&newClientOrderId={name}"
        );
        self.signed(Method::Post, "/api/v3/order", &query)
    }

    /// The bid in whole units of the quote asset.
    pub(super) fn bid(&self) -> i64 {
        let symbol = self.front.core.symbols.find("BTCUSDT").unwrap();
        let touch = self.front.core.exchange.touch(symbol).unwrap();
        let rules = &self.front.core.exchange.instruments()[symbol.index()];
        i64::try_from(rules.price_amount(touch.bid).0 / tradewind_model::Amount::ONE.0).unwrap()
    }

    pub(super) fn hits(&self) -> Vec<(String, u64)> {
        let state = self.front.state();
        let faults = state["faults"].as_array().unwrap().iter();
        faults
            .map(|fault| {
                (
                    fault["name"].as_str().unwrap().to_owned(),
                    fault["hits"].as_u64().unwrap(),
                )
            })
            .collect()
    }

    pub(super) fn events(&self, wanted: &str) -> Vec<Value> {
        let texts = self
            .frames
            .iter()
            .map(|(_, text)| text)
            .filter(|text| text.contains(wanted));
        texts
            .map(|text| serde_json::from_str(text).unwrap_or_default())
            .collect()
    }
}
