//! Reads the events of an account. Pure, and defined for any bytes.
//!
//! An event of an order that cannot be read is never guessed: the order is reported as unknown, and queried.
//! Source: user-data-stream.md of the venue's documentation, July 2026.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    AccountId, ExecutionReport, Fill, Instrument, Liquidity, Money, OrderStatus, RejectReason,
    ReportKind, Timestamp, TradeId, VenueOrderId,
};

use super::answers::{amount, client_id, price, quantity, side, status, traded};
use super::assets::Assets;
use crate::error::{VenueError, cut};
use crate::protocol::{Ignored, Incoming, Topic};
use crate::sink::{AssetBalance, UnlistedTrade, UserEvent};
use crate::symbols::SymbolTable;
use crate::wire::json;

/// Reads the events of one account's stream.
#[derive(Clone, Debug)]
pub struct AccountReader {
    /// Whose events they are.
    pub account: AccountId,
    /// The instruments in use.
    pub symbols: Arc<SymbolTable>,
    /// Gives assets their ids.
    pub assets: Arc<Assets>,
}

impl AccountReader {
    /// Reads one text message and classifies it.
    pub fn decode(&self, text: &[u8], out: &mut impl FnMut(Incoming<UserEvent>)) {
        if json::is_too_deep(text) {
            return out(Incoming::Ignored(Ignored::Malformed));
        }
        let Ok(envelope) = serde_json::from_slice::<Envelope<'_>>(text) else {
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
            "balanceUpdate" => self.transfer(text),
            "serverShutdown" | "eventStreamTerminated" => return out(Incoming::ClosingSoon),
            // `listStatus` repeats its orders' reports. A lock from outside moves an amount within a balance; the
            // position event reports that.
            _ => return out(Incoming::Ignored(Ignored::NotWanted)),
        };
        match read {
            Ok(Some(event)) => self.event_out(event, out),
            Ok(None) => out(Incoming::Ignored(Ignored::WrongSymbol)),
            Err(error) => {
                tracing::error!(%error, kind = %kind.e, "An account event cannot be read");
                match self.whose(text) {
                    Some(report) => self.event_out(UserEvent::Report(Box::new(report)), out),
                    // Its content is not lost either: the sweep and the resync read it.
                    None => out(Incoming::Ignored(Ignored::Malformed)),
                }
            }
        }
    }

    fn event_out(&self, event: UserEvent, out: &mut impl FnMut(Incoming<UserEvent>)) {
        out(Incoming::Event {
            topic: Topic::Account(self.account),
            sequence: None,
            event,
        });
    }

    /// V18: finds at least the order of a report that cannot be read. The order is then unknown, and queried.
    fn whose(&self, text: &str) -> Option<ExecutionReport> {
        let whose: Whose<'_> = serde_json::from_str(text).ok()?;
        let instrument = self.symbols.find(whose.s.as_bytes())?;
        let original = whose.original_client_id.filter(|id| !id.is_empty());
        Some(ExecutionReport {
            account: self.account,
            instrument: instrument.id,
            client_id: client_id(&original.unwrap_or(whose.client_id)),
            venue_order_id: None,
            kind: ReportKind::Unknown,
            cumulative: None,
            event_time: None,
        })
    }

    fn execution(&self, text: &str) -> Result<Option<UserEvent>, VenueError> {
        let execution: Execution<'_> = serde_json::from_str(text)
            .map_err(|error| VenueError::unreadable("execution report", error))?;
        let Some(instrument) = self.symbols.find(execution.s.as_bytes()) else {
            return Ok(execution.unlisted(self.account));
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

    fn transfer(&self, text: &str) -> Result<Option<UserEvent>, VenueError> {
        let transfer: TransferEvent<'_> = serde_json::from_str(text)
            .map_err(|error| VenueError::unreadable("balance update", error))?;
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

/// An execution report's order, however little of the rest can be read.
#[derive(Deserialize)]
struct Whose<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    #[serde(borrow, rename = "c")]
    client_id: Cow<'a, str>,
    #[serde(borrow, default, rename = "C")]
    original_client_id: Option<Cow<'a, str>>,
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
    /// A trade in an instrument that the desk does not list. Other news of its orders concern nobody here.
    fn unlisted(&self, account: AccountId) -> Option<UserEvent> {
        let side = side(&self.side).filter(|_| self.happened == "TRADE")?;
        Some(UserEvent::UnlistedTrade(Box::new(UnlistedTrade {
            account,
            symbol: cut(&self.s),
            client_id: self.our_id(),
            trade_id: self.trade_id,
            side,
            quantity: cut(&self.last_quantity),
            price: cut(&self.last_price),
            at: Timestamp::from_millis(self.at),
        })))
    }

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

    /// V18: a word we do not know, in either place, leaves the order's fate to a query, and is an alarm.
    fn kind(
        &self,
        account: AccountId,
        instrument: &Instrument,
        assets: &Assets,
    ) -> Result<ReportKind, VenueError> {
        let Some(status) = status(&self.status) else {
            return Ok(self.not_understood());
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
            _ => self.not_understood(),
        })
    }

    fn not_understood(&self) -> ReportKind {
        let (execution, status) = (cut(&self.happened), cut(&self.status));
        tracing::error!(execution, status, order = %self.our_id(), "An execution report is not understood");
        if is_on(Mutation::UnknownWordCancels) {
            return ReportKind::Cancelled;
        }
        ReportKind::Unknown
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::instrument;
    use serde_json::{Value, json};
    use tradewind_model::Side;

    const OURS: &str = "54570000000100000007000000000001";

    fn read(event: &Value) -> Vec<Incoming<UserEvent>> {
        let reader = AccountReader {
            account: AccountId(3),
            symbols: Arc::new(
                SymbolTable::new([("BTCUSDT".to_owned(), instrument(2, 2, 5))]).unwrap(),
            ),
            assets: Arc::default(),
        };
        let mut seen = Vec::new();
        let frame = json!({"subscriptionId": 0, "event": event}).to_string();
        reader.decode(frame.as_bytes(), &mut |incoming| seen.push(incoming));
        seen
    }

    fn execution(happened: &str, status: &str) -> Value {
        json!({
            "e": "executionReport", "E": 9, "s": "BTCUSDT", "c": OURS, "S": "BUY", "o": "STOP_LOSS_LIMIT", "f": "GTC",
            "q": "1.5", "p": "2.00", "P": "2.50", "d": 10, "D": 1, "F": "0", "g": 12, "C": "", "x": happened, "X": status,
            "r": "NONE", "i": 7, "l": "0.5", "z": "0.5", "L": "2.00", "n": "0.1", "N": "BNB", "T": 8, "t": 56, "I": 4,
            "w": true, "m": false, "M": false, "O": 5, "Z": "1", "Y": "1", "Q": "0", "W": 6, "V": "NONE", "v": 3,
            "fromTheFuture": {"deep": []},
        })
    }

    fn report(event: &Value) -> ExecutionReport {
        match read(event).remove(0) {
            Incoming::Event {
                event: UserEvent::Report(report),
                ..
            } => *report,
            other => panic!("{event}: {other:?}"),
        }
    }

    #[test]
    fn each_execution_says_what_happened_and_a_new_word_that_we_do_not_know() {
        let check = |happened: &str, status: &str, wanted: &str| {
            let report = report(&execution(happened, status));
            assert_eq!(report.client_id.to_string(), OURS);
            let kind = match report.kind {
                ReportKind::Filled(fill) => format!("Filled {}", fill.trade_id.0),
                ReportKind::Rejected(reason) => format!("Rejected {}", reason.text),
                kind => format!("{kind:?}"),
            };
            assert_eq!(kind, wanted, "{happened} {status}");
        };
        check("NEW", "NEW", "Accepted");
        check("NEW", "PENDING_NEW", "Accepted");
        check("REPLACED", "NEW", "Accepted");
        check("TRADE", "PARTIALLY_FILLED", "Filled 56");
        check("TRADE", "FILLED", "Filled 56");
        check("CANCELED", "CANCELED", "Cancelled");
        check("EXPIRED", "EXPIRED", "Expired");
        check("TRADE_PREVENTION", "EXPIRED_IN_MATCH", "Expired");
        check("REJECTED", "REJECTED", "Rejected NONE");
        // V18.
        check("TRADE_PREVENTION", "NEW", "Unknown");
        check("CALCULATED", "NEW", "Unknown");
        check("TRADE", "DREAMING", "Unknown");
        check("", "", "Unknown");
    }

    #[test]
    fn v18_a_report_that_cannot_be_read_leaves_its_order_unknown() {
        let broken = [
            ("l", json!(0.5)),
            ("z", json!("much")),
            ("z", Value::Null),
            ("t", json!(-1)),
            ("i", json!("7")),
            ("S", json!("BOTH")),
            ("l", json!("-0.5")),
            ("l", json!("0")),
            ("L", json!("1e400")),
            ("X", json!(4)),
        ];
        for (field, value) in broken {
            let mut event = execution("TRADE", "PARTIALLY_FILLED");
            event[field] = value;
            let report = report(&event);
            assert_eq!(report.kind, ReportKind::Unknown, "{event}");
            assert_eq!(report.client_id.to_string(), OURS, "{event}");
        }
    }

    #[test]
    fn a_cancel_is_reported_under_the_orders_own_id() {
        let mut event = execution("CANCELED", "CANCELED");
        (event["c"], event["C"]) = (json!("an id of the cancel"), json!(OURS));
        assert_eq!(report(&event).client_id.to_string(), OURS);
        event["z"] = json!(0);
        let unread = report(&event);
        assert_eq!(
            (unread.kind, unread.client_id.to_string().as_str()),
            (ReportKind::Unknown, OURS)
        );
    }

    #[test]
    fn other_events_are_left_alone_or_announce_the_end() {
        let check = |event: Value, wanted: Incoming<UserEvent>| {
            assert_eq!(read(&event), [wanted], "{event}");
        };
        let not_wanted = || Incoming::Ignored(Ignored::NotWanted);
        check(
            json!({"e": "listStatus", "E": 1, "s": "BTCUSDT", "g": 2, "c": "OCO", "l": "EXEC_STARTED", "L": "EXECUTING"}),
            not_wanted(),
        );
        check(
            json!({"e": "externalLockUpdate", "E": 1, "a": "BTC", "d": "1", "T": 1}),
            not_wanted(),
        );
        check(json!({"e": "somethingNew"}), not_wanted());
        check(
            json!({"e": "eventStreamTerminated", "E": 1}),
            Incoming::ClosingSoon,
        );
        check(
            json!({"e": "serverShutdown", "E": 1}),
            Incoming::ClosingSoon,
        );
        let mut elsewhere = execution("NEW", "NEW");
        elsewhere["s"] = json!("DOGEUSDT");
        check(elsewhere, Incoming::Ignored(Ignored::WrongSymbol));
        let mut traded = execution("TRADE", "FILLED");
        traded["s"] = json!("DOGEUSDT");
        let trade = UnlistedTrade {
            account: AccountId(3),
            symbol: "DOGEUSDT".to_owned(),
            client_id: OURS.parse().unwrap(),
            trade_id: 56,
            side: Side::Buy,
            quantity: "0.5".to_owned(),
            price: "2.00".to_owned(),
            at: Timestamp::from_millis(8),
        };
        let event = Incoming::Event {
            topic: Topic::Account(AccountId(3)),
            sequence: None,
            event: UserEvent::UnlistedTrade(Box::new(trade)),
        };
        check(traded, event);
        check(json!({"e": 5}), Incoming::Ignored(Ignored::Malformed));
        check(json!(5), Incoming::Ignored(Ignored::Malformed));
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        check(
            json!({"e": "somethingNew", "x": deep}),
            Incoming::Ignored(Ignored::Malformed),
        );
    }
}
