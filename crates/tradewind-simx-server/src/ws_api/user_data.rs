//! User data streams: what happened to an account's orders and balances, told to whoever subscribed.
//!
//! An event is encoded once for each account and wrapped for each subscription. It is handed over only after what it
//! tells of is on disk; the exchange's task sees to that.

use std::collections::BTreeMap;

use serde::Serialize;
use tradewind_model::{AccountId, Liquidity, Timestamp};
use tradewind_simx::{BalanceChange, ClientId, Exchange, Execution, OrderEvent, OrderReport};

use crate::decimals;
use crate::rest::{kind, side, status, time_in_force};
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

    /// Ends one subscription of a connection, or all of them.
    pub(crate) fn unsubscribe(&mut self, connection: ConnectionId, id: Option<i64>) {
        let ends = |listener: &Subscription| {
            listener.connection == connection
                && id.is_none_or(|id| i64::try_from(listener.id) == Ok(id))
        };
        self.subscriptions
            .values_mut()
            .for_each(|listeners| listeners.retain(|listener| !ends(listener)));
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
        self.unsubscribe(connection, None);
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
        let text = format!("{{\"subscriptionId\":{},\"event\":{event}}}", listener.id);
        frames.push((listener.connection, Frame::from(text)));
    }
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
    stop_price: &'static str,
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
    v: u64,
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
    #[serde(rename = "W")]
    working_time: i64,
    #[serde(rename = "V")]
    self_trade_prevention: &'static str,
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
            o: kind(order.kind),
            f: time_in_force(order.kind),
            q: decimals::quantity(instrument, order.quantity),
            p: or_zero(
                order
                    .kind
                    .limit()
                    .map(|price| decimals::price(instrument, price)),
            ),
            stop_price: ZERO,
            iceberg_quantity: ZERO,
            g: -1,
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
            v: report.id,
            execution_id: report.id,
            w: order.is_open(),
            m: fill.is_some_and(|fill: &Execution| fill.liquidity == Liquidity::Maker),
            ignored: false,
            created: order.created_at.as_millis(),
            quote_filled: decimals::amount(order.quote_filled),
            last_quote: or_zero(fill.map(|fill| decimals::amount(fill.quote))),
            quote_wanted: decimals::amount(order.quote_wanted),
            working_time: order.created_at.as_millis(),
            self_trade_prevention: "NONE",
        }))
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

/// The report's `c` and `C`: a cancel has a name of its own and the order's moves to `C`.
fn names(report: &OrderReport) -> (&str, &str) {
    let order = report.order.client_id.as_str();
    match &report.event {
        OrderEvent::Cancelled {
            cancel_id: Some(cancel),
        } => (ClientId::as_str(cancel), order),
        OrderEvent::Cancelled { cancel_id: None } => (order, order),
        OrderEvent::Accepted | OrderEvent::Filled(_) | OrderEvent::Expired(_) => (order, ""),
    }
}

const fn execution_type(event: OrderEvent) -> &'static str {
    match event {
        OrderEvent::Accepted => "NEW",
        OrderEvent::Filled(_) => "TRADE",
        OrderEvent::Cancelled { .. } => "CANCELED",
        OrderEvent::Expired(tradewind_simx::EndReason::SelfTrade) => "TRADE_PREVENTION",
        OrderEvent::Expired(_) => "EXPIRED",
    }
}

fn text(event: &impl Serialize) -> String {
    serde_json::to_string(event).expect("an event is made of texts and numbers")
}
