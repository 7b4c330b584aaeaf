//! The user data stream as a [`Protocol`]: one subscription on the WebSocket API, signed.
//!
//! The subscription is the topic [`Topic::Account`], so what keeps market data alive keeps this alive too. Source:
//! user-data-stream.md and web-socket-api.md of the venue's documentation, July 2026.

use std::borrow::Cow;
use std::sync::Arc;

use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::value::RawValue;
use tradewind_model::{
    AccountId, ExecutionReport, Fill, Instrument, Liquidity, Money, OrderStatus, RejectReason,
    ReportKind, Timestamp, TradeId, VenueOrderId,
};

use super::answers::{amount, client_id, price, quantity, side, status, traded};
use super::assets::Assets;
use super::requests::Params;
use super::session::Message;
use super::signing::Signer;
use super::symbols::SymbolTable;
use crate::address::Address;
use crate::error::{VenueError, cut};
use crate::protocol::{Ignored, Incoming, Protocol, ProtocolError, Topic};
use crate::sink::{AssetBalance, UserEvent};
use crate::websocket::WebSocket;

/// All that a connection for an account's events needs.
#[derive(Clone, Debug)]
pub(super) struct UserSettings {
    pub(super) address: Address,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) signer: Signer,
    pub(super) account: AccountId,
    pub(super) symbols: Arc<SymbolTable>,
    pub(super) assets: Arc<Assets>,
}

/// A connection for one account's events.
#[derive(Debug)]
pub struct UserProtocol {
    settings: UserSettings,
    socket: Option<WebSocket>,
}

impl UserProtocol {
    pub(super) const fn new(settings: UserSettings) -> Self {
        Self {
            settings,
            socket: None,
        }
    }

    fn socket(&mut self) -> Result<&mut WebSocket, ProtocolError> {
        self.socket
            .as_mut()
            .ok_or_else(|| ProtocolError("not connected".to_owned()))
    }
}

impl UserSettings {
    fn subscription(&self, request: u64) -> String {
        serde_json::json!({
            "id": request,
            "method": "userDataStream.subscribe.signature",
            "params": self.signer.message(Params::default()),
        })
        .to_string()
    }

    pub(super) fn decode(&self, text: &str, out: &mut impl FnMut(Incoming<UserEvent>)) {
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
            return out(Incoming::Ignored(Ignored::Malformed));
        };
        match envelope {
            Envelope {
                event: Some(event), ..
            } => self.event(event.get(), out),
            Envelope {
                id: Some(request),
                status: Some(200),
                ..
            } => out(Incoming::Acked { request }),
            Envelope {
                id: Some(request),
                error,
                ..
            } => out(Incoming::Refused {
                request,
                reason: error.map_or_else(String::new, |error| {
                    cut(&format!("{} {}", error.code, error.msg))
                }),
            }),
            Envelope { .. } => out(Incoming::Ignored(Ignored::NotWanted)),
        }
    }

    fn event(&self, text: &str, out: &mut impl FnMut(Incoming<UserEvent>)) {
        let Ok(kind) = serde_json::from_str::<Kind<'_>>(text) else {
            return out(Incoming::Ignored(Ignored::Malformed));
        };
        let read = match kind.e.as_ref() {
            "executionReport" => self.execution(text),
            "outboundAccountPosition" => self.position(text),
            "balanceUpdate" | "externalLockUpdate" => self.transfer(text, &kind.e),
            "serverShutdown" | "eventStreamTerminated" => return out(Incoming::ClosingSoon),
            _ => return out(Incoming::Ignored(Ignored::NotWanted)),
        };
        match read {
            Ok(Some(event)) => out(Incoming::Event {
                topic: Topic::Account(self.account),
                sequence: None,
                event,
            }),
            Ok(None) => out(Incoming::Ignored(Ignored::WrongSymbol)),
            Err(error) => {
                // A report that cannot be read is not lost: the sweep and the resync read what it told.
                tracing::error!(%error, kind = %kind.e, "An account event cannot be read");
                out(Incoming::Ignored(Ignored::Malformed));
            }
        }
    }

    fn execution(&self, text: &str) -> Result<Option<UserEvent>, VenueError> {
        let execution: Execution<'_> = serde_json::from_str(text)
            .map_err(|error| VenueError::unreadable("execution report", error))?;
        let Some(instrument) = self.symbols.find(execution.s.as_bytes()) else {
            return Ok(None);
        };
        let report = execution.report(self.account, instrument, &self.assets)?;
        Ok(Some(UserEvent::Report(Box::new(report))))
    }

    fn position(&self, text: &str) -> Result<Option<UserEvent>, VenueError> {
        let position: Position<'_> = serde_json::from_str(text)
            .map_err(|error| VenueError::unreadable("account position", error))?;
        let balance = |balance: &PositionBalance<'_>| {
            Ok(AssetBalance {
                asset: self.assets.intern(&balance.a),
                free: amount(&balance.f)?,
                locked: amount(&balance.l)?,
            })
        };
        let balances: Result<Vec<_>, VenueError> = position.balances.iter().map(balance).collect();
        Ok(Some(UserEvent::Balances {
            account: self.account,
            balances: balances?,
            at: Timestamp::from_millis(position.u),
        }))
    }

    /// A lock from outside moves an amount within a balance, which the position event tells; only deposits count here.
    fn transfer(&self, text: &str, kind: &str) -> Result<Option<UserEvent>, VenueError> {
        let transfer: TransferEvent<'_> = serde_json::from_str(text)
            .map_err(|error| VenueError::unreadable("balance update", error))?;
        if kind != "balanceUpdate" {
            return Ok(None);
        }
        Ok(Some(UserEvent::Transfer {
            account: self.account,
            asset: self.assets.intern(&transfer.a),
            amount: amount(&transfer.d)?,
            at: Timestamp::from_millis(transfer.at),
        }))
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(borrow, default)]
    error: Option<ErrorAnswer<'a>>,
    #[serde(borrow, default)]
    event: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ErrorAnswer<'a> {
    code: i64,
    #[serde(borrow)]
    msg: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    e: Cow<'a, str>,
}

/// An execution report, field names as the venue spells them where they cannot be confused.
#[derive(Deserialize)]
struct Execution<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    #[serde(borrow, rename = "c")]
    client_id: Cow<'a, str>,
    #[serde(borrow, default, rename = "C")]
    original_client_id: Cow<'a, str>,
    #[serde(borrow, rename = "S")]
    side: Cow<'a, str>,
    #[serde(borrow, rename = "x")]
    happened: Cow<'a, str>,
    #[serde(borrow, rename = "X")]
    status: Cow<'a, str>,
    #[serde(borrow, default, rename = "r")]
    reason: Cow<'a, str>,
    #[serde(rename = "i")]
    order_id: u64,
    #[serde(borrow, rename = "l")]
    last_quantity: Cow<'a, str>,
    #[serde(borrow, rename = "z")]
    cumulative: Cow<'a, str>,
    #[serde(borrow, rename = "L")]
    last_price: Cow<'a, str>,
    #[serde(borrow, default, rename = "n")]
    commission: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "N")]
    commission_asset: Option<Cow<'a, str>>,
    #[serde(rename = "T")]
    at: i64,
    #[serde(rename = "t")]
    trade_id: i64,
    #[serde(rename = "m")]
    is_maker: bool,
}

#[derive(Deserialize)]
struct Position<'a> {
    u: i64,
    #[serde(borrow, rename = "B")]
    balances: Vec<PositionBalance<'a>>,
}

#[derive(Deserialize)]
struct PositionBalance<'a> {
    #[serde(borrow)]
    a: Cow<'a, str>,
    #[serde(borrow)]
    f: Cow<'a, str>,
    #[serde(borrow)]
    l: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TransferEvent<'a> {
    #[serde(borrow)]
    a: Cow<'a, str>,
    #[serde(borrow)]
    d: Cow<'a, str>,
    #[serde(rename = "T")]
    at: i64,
}

impl Execution<'_> {
    fn report(
        &self,
        account: AccountId,
        instrument: &Instrument,
        assets: &Assets,
    ) -> Result<ExecutionReport, VenueError> {
        Ok(ExecutionReport {
            account,
            instrument: instrument.id,
            client_id: self.our_id(),
            venue_order_id: Some(VenueOrderId(self.order_id)),
            kind: self.kind(account, instrument, assets)?,
            cumulative: Some(quantity(instrument, &self.cumulative)?),
            event_time: Some(Timestamp::from_millis(self.at)),
        })
    }

    /// A cancel has an id of its own in `c`; the order's is then in `C`.
    fn our_id(&self) -> tradewind_model::ClientOrderId {
        if self.original_client_id.is_empty() {
            client_id(&self.client_id)
        } else {
            client_id(&self.original_client_id)
        }
    }

    /// A word we do not know, in either place, leaves the order's fate to a query.
    fn kind(
        &self,
        account: AccountId,
        instrument: &Instrument,
        assets: &Assets,
    ) -> Result<ReportKind, VenueError> {
        let Some(status) = status(&self.status) else {
            return Ok(ReportKind::Unknown);
        };
        Ok(match self.happened.as_ref() {
            "NEW" | "REPLACED" => ReportKind::Accepted,
            "TRADE" => ReportKind::Filled(self.fill(account, instrument, assets)?),
            "CANCELED" => ReportKind::Cancelled,
            "EXPIRED" => ReportKind::Expired,
            "TRADE_PREVENTION" if status == OrderStatus::Expired => ReportKind::Expired,
            "REJECTED" => ReportKind::Rejected(RejectReason {
                code: 0,
                text: cut(&self.reason),
            }),
            _ => ReportKind::Unknown,
        })
    }

    fn fill(
        &self,
        account: AccountId,
        instrument: &Instrument,
        assets: &Assets,
    ) -> Result<Fill, VenueError> {
        let unreadable = |why: &str| VenueError::unreadable("execution report", why);
        let fee_asset = self.commission_asset.as_deref();
        Ok(Fill {
            account,
            instrument: instrument.id,
            trade_id: TradeId(
                u64::try_from(self.trade_id).map_err(|_| unreadable("a trade without an id"))?,
            ),
            venue_order_id: VenueOrderId(self.order_id),
            client_id: self.our_id(),
            side: side(&self.side).ok_or_else(|| unreadable("no side"))?,
            price: price(instrument, &self.last_price)?,
            quantity: traded(instrument, &self.last_quantity)?,
            fee: Money {
                asset: fee_asset.map_or(instrument.quote, |name| assets.intern(name)),
                amount: amount(self.commission.as_deref().unwrap_or("0"))?,
            },
            liquidity: if self.is_maker {
                Liquidity::Maker
            } else {
                Liquidity::Taker
            },
            event_time: Timestamp::from_millis(self.at),
        })
    }
}

impl Protocol for UserProtocol {
    type Message = Message;
    type Event = UserEvent;

    async fn connect(&mut self) -> Result<(), ProtocolError> {
        let settings = &self.settings;
        self.socket = Some(WebSocket::connect(&settings.address, "", &settings.tls).await?);
        Ok(())
    }

    async fn subscribe(&mut self, request: u64, _topics: &[Topic]) -> Result<(), ProtocolError> {
        let text = self.settings.subscription(request);
        self.socket()?.send(text).await
    }

    async fn unsubscribe(&mut self, request: u64, _topics: &[Topic]) -> Result<(), ProtocolError> {
        let text = serde_json::json!({"id": request, "method": "userDataStream.unsubscribe"});
        self.socket()?.send(text.to_string()).await
    }

    async fn ping(&mut self) -> Result<(), ProtocolError> {
        self.socket()?.ping().await
    }

    async fn receive(&mut self) -> Result<Message, ProtocolError> {
        self.socket()?.receive().await.map(Message::from)
    }

    async fn disconnect(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
    }

    fn decode(
        &self,
        message: &Message,
        _received_at: Timestamp,
        out: &mut impl FnMut(Incoming<UserEvent>),
    ) -> usize {
        match message {
            Message::Text(text) => {
                self.settings.decode(text, out);
                text.len()
            }
            Message::Pong => {
                out(Incoming::Pong);
                0
            }
            Message::Other => {
                out(Incoming::Ignored(Ignored::NotWanted));
                0
            }
        }
    }
}
