//! User data streams: what happened to an account's orders and balances, told to whoever subscribed.
//!
//! An event is encoded once for each account and wrapped for each subscription. It is handed over only after what it
//! tells of is on disk; the exchange's task sees to that.

use std::collections::BTreeMap;

use serde::Serialize;
use tradewind_model::{AccountId, Instrument, Liquidity, Timestamp, VenueOrderId};
use tradewind_simx::{
    BalanceChange, ClientId, EndReason, Exchange, Execution, ListReport, OrderEvent, OrderRef,
    OrderReport,
};

use crate::decimals;
use crate::rest::{
    contingency, kind, list_id, list_status, self_trade, side, status, time_in_force, trailing_time,
};
use crate::streams::frames::Frame;
use crate::streams::{ConnectionId, Frames};
use crate::symbols::Symbols;

/// Who listens to which account.
#[derive(Debug, Default)]
pub(crate) struct UserStreams {
    subscriptions: BTreeMap<AccountId, Vec<Subscription>>,
    next_ids: BTreeMap<ConnectionId, u64>,
}

#[derive(Clone, Copy, Debug)]
struct Subscription {
    connection: ConnectionId,
    id: u64,
}

impl UserStreams {
    /// Begins to send `account`'s events; `None` when the connection has them already.
    pub(crate) fn subscribe(
        &mut self,
        connection: ConnectionId,
        account: AccountId,
    ) -> Option<u64> {
        let listeners = self.subscriptions.entry(account).or_default();
        if listeners
            .iter()
            .any(|listener| listener.connection == connection)
        {
            return None;
        }
        let next = self.next_ids.entry(connection).or_default();
        let id = *next;
        *next += 1;
        listeners.push(Subscription { connection, id });
        Some(id)
    }

    /// Ends one subscription of a connection, or all of them; their ids.
    fn unsubscribe(&mut self, connection: ConnectionId, id: Option<u64>) -> Vec<u64> {
        let ends = |listener: &Subscription| {
            listener.connection == connection && id.is_none_or(|id| listener.id == id)
        };
        let mut ended = Vec::new();
        for listeners in self.subscriptions.values_mut() {
            ended.extend(listeners.extract_if(.., |listener| ends(listener)));
        }
        ended.iter().map(|listener| listener.id).collect()
    }

    /// Ends one subscription of an open connection, or all of them, and tells it so; how many.
    pub(crate) fn end(
        &mut self,
        now: Timestamp,
        connection: ConnectionId,
        id: Option<u64>,
        frames: &mut Frames,
    ) -> usize {
        let ended = self.unsubscribe(connection, id);
        let event = text(&Terminated {
            e: "eventStreamTerminated",
            event_time: now.as_millis(),
        });
        for id in &ended {
            frames.push((connection, wrapped(*id, &event)));
        }
        ended.len()
    }

    /// A connection's subscriptions.
    pub(crate) fn subscriptions(&self, connection: ConnectionId) -> impl Iterator<Item = u64> {
        let all = self.subscriptions.values().flatten();
        all.filter(move |listener| listener.connection == connection)
            .map(|listener| listener.id)
    }

    /// A connection is gone.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        drop(self.unsubscribe(connection, None));
        self.next_ids.remove(&connection);
    }

    /// Tells of one report.
    pub(crate) fn on_report(&self, teller: &Teller<'_>, report: &OrderReport, frames: &mut Frames) {
        let Some(listeners) = self.listeners(report.order.account) else {
            return;
        };
        if let Some(event) = teller.execution_report(report) {
            send(listeners, &event, frames);
        }
    }

    /// Tells that a list began or is done.
    pub(crate) fn on_list(&self, teller: &Teller<'_>, report: &ListReport, frames: &mut Frames) {
        if let Some(listeners) = self.listeners(report.list.account) {
            send(listeners, &teller.list_status(report), frames);
        }
    }

    /// Tells each account of its balances that changed, in one event.
    pub(crate) fn on_balances(
        &self,
        teller: &Teller<'_>,
        changes: &[BalanceChange],
        frames: &mut Frames,
    ) {
        let mut accounts: Vec<AccountId> = changes.iter().map(|change| change.account).collect();
        accounts.dedup();
        for account in accounts {
            if let Some(listeners) = self.listeners(account) {
                send(
                    listeners,
                    &teller.account_position(account, changes),
                    frames,
                );
            }
        }
    }

    /// Tells of a deposit.
    pub(crate) fn on_deposit(
        &self,
        teller: &Teller<'_>,
        deposit: &Deposit<'_>,
        frames: &mut Frames,
    ) {
        if let Some(listeners) = self.listeners(deposit.account) {
            send(listeners, &teller.balance_update(deposit), frames);
        }
    }

    fn listeners(&self, account: AccountId) -> Option<&[Subscription]> {
        self.subscriptions
            .get(&account)
            .filter(|listeners| !listeners.is_empty())
            .map(Vec::as_slice)
    }
}

fn send(listeners: &[Subscription], event: &str, frames: &mut Frames) {
    for listener in listeners {
        frames.push((listener.connection, wrapped(listener.id, event)));
    }
}

fn wrapped(subscription: u64, event: &str) -> Frame {
    format!("{{\"subscriptionId\":{subscription},\"event\":{event}}}").into()
}

/// Something put into an account, or taken out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deposit<'a> {
    pub(crate) account: AccountId,
    pub(crate) asset: &'a str,
    pub(crate) amount: tradewind_model::Amount,
}

/// Turns what happened into the venue's events.
pub(crate) struct Teller<'a> {
    pub(crate) now: Timestamp,
    pub(crate) exchange: &'a Exchange,
    pub(crate) symbols: &'a Symbols,
}

#[derive(Serialize)]
struct ExecutionReport<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    s: &'a str,
    c: &'a str,
    #[serde(rename = "S")]
    side: &'static str,
    o: &'static str,
    f: &'static str,
    q: String,
    p: String,
    #[serde(rename = "P")]
    stop_price: String,
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u16>,
    #[serde(rename = "F")]
    iceberg_quantity: &'static str,
    g: i64,
    #[serde(rename = "C")]
    original_client_id: &'a str,
    x: &'static str,
    #[serde(rename = "X")]
    status: &'static str,
    r: &'static str,
    i: u64,
    l: String,
    z: String,
    #[serde(rename = "L")]
    last_price: String,
    n: String,
    #[serde(rename = "N")]
    fee_asset: Option<&'a str>,
    #[serde(rename = "T")]
    transaction_time: i64,
    t: i64,
    #[serde(flatten)]
    prevented: Option<Prevented>,
    #[serde(rename = "I")]
    execution_id: u64,
    w: bool,
    m: bool,
    #[serde(rename = "M")]
    ignored: bool,
    #[serde(rename = "O")]
    created: i64,
    #[serde(rename = "Z")]
    quote_filled: String,
    #[serde(rename = "Y")]
    last_quote: String,
    #[serde(rename = "Q")]
    quote_wanted: String,
    #[serde(rename = "W", skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    #[serde(rename = "V")]
    self_trade_prevention: &'static str,
    #[serde(rename = "D", skip_serializing_if = "Option::is_none")]
    trailing_time: Option<i64>,
    #[serde(rename = "j", skip_serializing_if = "Option::is_none")]
    strategy: Option<i64>,
    #[serde(rename = "J", skip_serializing_if = "Option::is_none")]
    strategy_kind: Option<i32>,
}

/// What did not trade because both orders were of one account.
#[derive(Serialize)]
struct Prevented {
    #[serde(rename = "v")]
    id: u64,
    #[serde(rename = "A")]
    quantity: String,
    #[serde(rename = "B")]
    last_quantity: String,
}

#[derive(Serialize)]
struct ListStatus<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    s: &'a str,
    g: u64,
    c: &'static str,
    l: &'static str,
    #[serde(rename = "L")]
    orders_are: &'static str,
    r: &'static str,
    #[serde(rename = "C")]
    client_id: &'a str,
    #[serde(rename = "T")]
    transaction_time: i64,
    #[serde(rename = "O")]
    orders: Vec<Member<'a>>,
}

#[derive(Serialize)]
struct Member<'a> {
    s: &'a str,
    i: u64,
    c: String,
}

#[derive(Serialize)]
struct AccountPosition<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    u: i64,
    #[serde(rename = "B")]
    balances: Vec<PositionBalance<'a>>,
}

#[derive(Serialize)]
struct PositionBalance<'a> {
    a: &'a str,
    f: String,
    l: String,
}

#[derive(Serialize)]
struct BalanceUpdate<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    a: &'a str,
    d: String,
    #[serde(rename = "T")]
    cleared: i64,
}

#[derive(Serialize)]
struct Terminated {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
}

const ZERO: &str = "0.00000000";

impl Teller<'_> {
    fn execution_report(&self, report: &OrderReport) -> Option<String> {
        let order = &report.order;
        let instrument = self.exchange.instruments().get(order.instrument.index())?;
        let fill = if let OrderEvent::Filled(fill) = &report.event {
            Some(fill)
        } else {
            None
        };
        let (client_id, original) = names(report);
        let or_zero = |text: Option<String>| text.unwrap_or_else(|| ZERO.to_owned());
        Some(text(&ExecutionReport {
            e: "executionReport",
            event_time: self.now.as_millis(),
            s: self.symbols.name(order.instrument),
            c: client_id,
            side: side(order.side),
            o: kind(order),
            f: time_in_force(order.kind),
            q: decimals::quantity(instrument, order.quantity),
            p: or_zero(
                order
                    .kind
                    .limit()
                    .map(|price| decimals::price(instrument, price)),
            ),
            stop_price: or_zero(
                order
                    .trigger
                    .and_then(|trigger| trigger.price)
                    .map(|price| decimals::price(instrument, price)),
            ),
            trailing_delta: order
                .trigger
                .and_then(|trigger| trigger.trailing)
                .map(|delta| delta.0),
            iceberg_quantity: ZERO,
            g: list_id(order.list),
            original_client_id: original,
            x: execution_type(report.event),
            status: status(order),
            r: "NONE",
            i: order.id.0,
            l: or_zero(fill.map(|fill| decimals::quantity(instrument, fill.quantity))),
            z: decimals::quantity(instrument, order.filled),
            last_price: or_zero(fill.map(|fill| decimals::price(instrument, fill.price))),
            n: fill.map_or_else(|| "0".to_owned(), |fill| decimals::amount(fill.fee.amount)),
            fee_asset: fill.map(|fill| self.symbols.asset(fill.fee.asset)),
            transaction_time: report.at.as_millis(),
            t: fill
                .and_then(|fill| i64::try_from(fill.trade_id.0).ok())
                .unwrap_or(-1),
            prevented: prevented(report, instrument),
            execution_id: report.id,
            w: order.is_open() && order.working_since.is_some(),
            m: fill.is_some_and(|fill: &Execution| fill.liquidity == Liquidity::Maker),
            ignored: false,
            created: order.created_at.as_millis(),
            quote_filled: decimals::amount(order.quote_filled),
            last_quote: or_zero(fill.map(|fill| decimals::amount(fill.quote))),
            quote_wanted: decimals::amount(order.quote_wanted),
            working_time: order.working_since.map(Timestamp::as_millis),
            self_trade_prevention: self_trade(order.self_trade),
            trailing_time: trailing_time(order).map(|at| at.map_or(-1, Timestamp::as_millis)),
            strategy: order.labels.strategy,
            strategy_kind: order.labels.strategy_kind,
        }))
    }

    fn list_status(&self, report: &ListReport) -> String {
        let list = &report.list;
        let symbol = self.symbols.name(list.instrument);
        let member = |id: &VenueOrderId| {
            let named = OrderRef::Venue(*id);
            let order = self.exchange.order(list.account, list.instrument, named)?;
            Some(Member {
                s: symbol,
                i: id.0,
                c: order.client_id.as_str().to_owned(),
            })
        };
        let (last_step, orders_are) = list_status(list.status);
        text(&ListStatus {
            e: "listStatus",
            event_time: self.now.as_millis(),
            s: symbol,
            g: list.id.0,
            c: contingency(list.kind),
            l: last_step,
            orders_are,
            r: "NONE",
            client_id: list.client_id.as_str(),
            transaction_time: report.at.as_millis(),
            orders: list.orders().iter().filter_map(member).collect(),
        })
    }

    fn account_position(&self, account: AccountId, changes: &[BalanceChange]) -> String {
        let own = changes.iter().filter(|change| change.account == account);
        let balances = own.map(|change| PositionBalance {
            a: self.symbols.asset(change.asset),
            f: decimals::amount(change.free),
            l: decimals::amount(change.locked),
        });
        text(&AccountPosition {
            e: "outboundAccountPosition",
            event_time: self.now.as_millis(),
            u: self.now.as_millis(),
            balances: balances.collect(),
        })
    }

    fn balance_update(&self, deposit: &Deposit<'_>) -> String {
        text(&BalanceUpdate {
            e: "balanceUpdate",
            event_time: self.now.as_millis(),
            a: deposit.asset,
            d: decimals::amount(deposit.amount),
            cleared: self.now.as_millis(),
        })
    }
}

/// Of an order that ended because it met its own account: all that was left of it.
fn prevented(report: &OrderReport, instrument: &Instrument) -> Option<Prevented> {
    if report.event != OrderEvent::Expired(EndReason::SelfTrade) {
        return None;
    }
    let left = decimals::quantity(instrument, report.order.remaining());
    Some(Prevented {
        id: report.id,
        quantity: left.clone(),
        last_quantity: left,
    })
}

/// The report's `c` and `C`: a cancel has a name of its own and the order's moves to `C`.
fn names(report: &OrderReport) -> (&str, &str) {
    let order = report.order.client_id.as_str();
    match &report.event {
        OrderEvent::Cancelled {
            cancel_id: Some(cancel),
        } => (ClientId::as_str(cancel), order),
        OrderEvent::Cancelled { cancel_id: None } => (order, order),
        OrderEvent::Amended { former_id } => (order, ClientId::as_str(former_id)),
        OrderEvent::Accepted
        | OrderEvent::Activated
        | OrderEvent::Filled(_)
        | OrderEvent::Expired(_) => (order, ""),
    }
}

const fn execution_type(event: OrderEvent) -> &'static str {
    match event {
        OrderEvent::Accepted | OrderEvent::Activated => "NEW",
        OrderEvent::Amended { .. } => "REPLACED",
        OrderEvent::Filled(_) => "TRADE",
        OrderEvent::Cancelled { .. } => "CANCELED",
        OrderEvent::Expired(EndReason::SelfTrade) => "TRADE_PREVENTION",
        OrderEvent::Expired(_) => "EXPIRED",
    }
}

fn text(event: &impl Serialize) -> String {
    serde_json::to_string(event).expect("an event is made of texts and numbers")
}
