//! User data streams: what happened to an account's orders and balances, told to whoever subscribed.
//!
//! An event is encoded once for each account and wrapped for each subscription. It is handed over only after what it
//! tells of is on disk; the exchange's task sees to that.

use std::collections::BTreeMap;

use serde::Serialize;
use tradewind_model::{AccountId, Instrument, Liquidity, Timestamp, VenueOrderId};
use tradewind_simx::{
    BalanceChange, ClientId, EndReason, Exchange, Execution, ListReport, Order, OrderEvent,
    OrderRef, OrderReport,
};

use crate::decimals;
use crate::rest::{
    PreventedMatch, TimeUnit, contingency, expiry_reason, kind, list_id, list_status, self_trade,
    side, status, time_in_force, trailing_time,
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
    /// The unit of its stamps.
    unit: TimeUnit,
}

impl UserStreams {
    /// Begins to send `account`'s events; `None` when the connection has them already.
    pub(crate) fn subscribe(
        &mut self,
        connection: ConnectionId,
        account: AccountId,
        unit: TimeUnit,
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
        listeners.push(Subscription {
            connection,
            id,
            unit,
        });
        Some(id)
    }

    /// Ends one subscription of a connection, or all of them.
    fn unsubscribe(&mut self, connection: ConnectionId, id: Option<u64>) -> Vec<Subscription> {
        let ends = |listener: &Subscription| {
            listener.connection == connection && id.is_none_or(|id| listener.id == id)
        };
        let mut ended = Vec::new();
        for listeners in self.subscriptions.values_mut() {
            ended.extend(listeners.extract_if(.., |listener| ends(listener)));
        }
        ended
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
        send(&ended, frames, |unit| {
            text(&Terminated {
                e: "eventStreamTerminated",
                event_time: unit.stamp(now),
            })
        });
        ended.len()
    }

    /// A connection's subscriptions.
    pub(crate) fn subscriptions(&self, connection: ConnectionId) -> impl Iterator<Item = u64> {
        let all = self.subscriptions.values().flatten();
        all.filter(move |listener| listener.connection == connection)
            .map(|listener| listener.id)
    }

    /// Whose events a subscription carries.
    pub(crate) fn account_of(&self, connection: ConnectionId, id: u64) -> Option<AccountId> {
        let carries =
            |listener: &Subscription| listener.connection == connection && listener.id == id;
        let mut all = self.subscriptions.iter();
        all.find_map(|(account, listeners)| listeners.iter().any(carries).then_some(*account))
    }

    /// A connection is gone.
    pub(crate) fn close(&mut self, connection: ConnectionId) {
        drop(self.unsubscribe(connection, None));
        self.next_ids.remove(&connection);
    }

    /// Tells of one report.
    pub(crate) fn on_report(
        &self,
        teller: &Teller<'_>,
        report: &OrderReport,
        prevented: Option<&PreventedMatch>,
        frames: &mut Frames,
    ) {
        let Some(listeners) = self.listeners(report.order.account) else {
            return;
        };
        let instruments = teller.exchange.instruments();
        if let Some(instrument) = instruments.get(report.order.instrument.index()) {
            send(listeners, frames, |unit| {
                teller.execution_report(report, prevented, instrument, unit)
            });
        }
    }

    /// Tells that a list began or is done.
    pub(crate) fn on_list(&self, teller: &Teller<'_>, report: &ListReport, frames: &mut Frames) {
        if let Some(listeners) = self.listeners(report.list.account) {
            send(listeners, frames, |unit| teller.list_status(report, unit));
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
                send(listeners, frames, |unit| {
                    teller.account_position(account, changes, unit)
                });
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
            send(listeners, frames, |unit| {
                teller.balance_update(deposit, unit)
            });
        }
    }

    fn listeners(&self, account: AccountId) -> Option<&[Subscription]> {
        self.subscriptions
            .get(&account)
            .filter(|listeners| !listeners.is_empty())
            .map(Vec::as_slice)
    }
}

/// Gives each listener the event in its unit; encoded once for each.
fn send(listeners: &[Subscription], frames: &mut Frames, event: impl Fn(TimeUnit) -> String) {
    let (mut millis, mut micros) = (None, None);
    for listener in listeners {
        let encoded = match listener.unit {
            TimeUnit::Milliseconds => &mut millis,
            TimeUnit::Microseconds => &mut micros,
        };
        let encoded = encoded.get_or_insert_with(|| event(listener.unit));
        frames.push((listener.connection, wrapped(listener.id, encoded)));
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
    prevented: Option<Prevented<'a>>,
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
    #[serde(rename = "eR", skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'static str>,
}

/// What did not trade because both orders were of one account.
#[derive(Serialize)]
struct Prevented<'a> {
    #[serde(rename = "v")]
    id: u64,
    #[serde(rename = "A")]
    quantity: String,
    #[serde(rename = "B")]
    last_quantity: String,
    #[serde(rename = "u")]
    trade_group: u64,
    #[serde(rename = "U")]
    counter_order: u64,
    #[serde(rename = "Cs")]
    counter_symbol: &'a str,
    #[serde(rename = "pl")]
    would_be_quantity: String,
    #[serde(rename = "pL")]
    would_be_price: String,
    #[serde(rename = "pY")]
    would_be_quote: String,
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
    fn execution_report(
        &self,
        report: &OrderReport,
        prevented_match: Option<&PreventedMatch>,
        instrument: &Instrument,
        unit: TimeUnit,
    ) -> String {
        let order = &report.order;
        let fill = if let OrderEvent::Filled(fill) = &report.event {
            Some(fill)
        } else {
            None
        };
        let (client_id, original) = names(report);
        let or_zero = |text: Option<String>| text.unwrap_or_else(|| ZERO.to_owned());
        text(&ExecutionReport {
            e: "executionReport",
            event_time: unit.stamp(self.now),
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
            transaction_time: unit.stamp(report.at),
            t: fill
                .and_then(|fill| i64::try_from(fill.trade_id.0).ok())
                .unwrap_or(-1),
            prevented: prevented_match.map(|one| self.prevented(one, order, instrument)),
            execution_id: report.id,
            w: order.is_open() && order.working_since.is_some(),
            m: fill.is_some_and(|fill: &Execution| fill.liquidity == Liquidity::Maker),
            ignored: false,
            created: unit.stamp(order.created_at),
            quote_filled: decimals::amount(order.quote_filled),
            last_quote: or_zero(fill.map(|fill| decimals::amount(fill.quote))),
            quote_wanted: decimals::amount(order.quote_wanted),
            working_time: order.working_since.map(|at| unit.stamp(at)),
            self_trade_prevention: self_trade(order.self_trade),
            trailing_time: trailing_time(order).map(|at| at.map_or(-1, |at| unit.stamp(at))),
            strategy: order.labels.strategy,
            strategy_kind: order.labels.strategy_kind,
            expiry_reason: expiry_reason(order),
        })
    }

    /// Of an order that ended because it met its own account: what did not trade, and with whom.
    fn prevented(
        &self,
        one: &PreventedMatch,
        order: &Order,
        instrument: &Instrument,
    ) -> Prevented<'_> {
        let counterpart = one.counterpart(order);
        let left = decimals::quantity(instrument, order.remaining());
        let common = order.remaining().min(counterpart.remaining());
        let worth = instrument.notional(one.price, common).unwrap_or_default();
        Prevented {
            id: one.id,
            quantity: left.clone(),
            last_quantity: left,
            trade_group: one.id,
            counter_order: counterpart.id.0,
            counter_symbol: self.symbols.name(order.instrument),
            would_be_quantity: decimals::quantity(instrument, common),
            would_be_price: decimals::price(instrument, one.price),
            would_be_quote: decimals::amount(worth),
        }
    }

    fn list_status(&self, report: &ListReport, unit: TimeUnit) -> String {
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
            event_time: unit.stamp(self.now),
            s: symbol,
            g: list.id.0,
            c: contingency(list.kind),
            l: last_step,
            orders_are,
            r: "NONE",
            client_id: list.client_id.as_str(),
            transaction_time: unit.stamp(report.at),
            orders: list.orders().iter().filter_map(member).collect(),
        })
    }

    fn account_position(
        &self,
        account: AccountId,
        changes: &[BalanceChange],
        unit: TimeUnit,
    ) -> String {
        let own = changes.iter().filter(|change| change.account == account);
        let balances = own.map(|change| PositionBalance {
            a: self.symbols.asset(change.asset),
            f: decimals::amount(change.free),
            l: decimals::amount(change.locked),
        });
        text(&AccountPosition {
            e: "outboundAccountPosition",
            event_time: unit.stamp(self.now),
            u: unit.stamp(self.now),
            balances: balances.collect(),
        })
    }

    fn balance_update(&self, deposit: &Deposit<'_>, unit: TimeUnit) -> String {
        text(&BalanceUpdate {
            e: "balanceUpdate",
            event_time: unit.stamp(self.now),
            a: deposit.asset,
            d: decimals::amount(deposit.amount),
            cleared: unit.stamp(self.now),
        })
    }
}

/// The report's `c` and `C`: a cancel has a name of its own and the order's moves to `C`.
fn names(report: &OrderReport) -> (&str, &str) {
    let order = report.order.client_id.as_str();
    match &report.event {
        OrderEvent::Cancelled {
            cancel_id: Some(cancel),
        } => (ClientId::as_str(cancel), order),
        OrderEvent::Cancelled { cancel_id: None } => (order, order),
        OrderEvent::Amended { former_id, .. } => (order, ClientId::as_str(former_id)),
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
