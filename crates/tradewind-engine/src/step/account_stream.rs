//! Account streams: while one is not proved live, its account takes no new risk.
//!
//! Without a live stream, fills are reported late, so entries are refused and exits pass. The cause ends by itself once
//! the stream is up. Then every open order of the account is queried: the stream may have missed reports.

use std::time::Duration;

use tradewind_events::{AlarmKind, EventKind, Output, Outputs, StreamChange, StreamState, Timer};
use tradewind_model::{AccountId, Amount, AssetId, ClientOrderId, Side, Timestamp};
use tradewind_risk::{CauseKind, Scope, TradingState};

use super::alarms::raise;
use super::causes::{close_cause, note_contradicted, open_cause};
use super::holdings::book_unexplained;
use super::order_entry::on_order_entry;
use crate::parts::Parts;
use crate::parts::order::Order;
use crate::parts::unlisted_trades::Trader;

/// A stream that was down for longer was cut off: what rested meanwhile is old.
const PARTITION: Duration = Duration::from_secs(5);
/// Between two comparisons of an account whose stream is live.
pub(super) const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// How long after a reading the stream may report what the reading listed.
pub(super) const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// Takes what an account's stream reports. Balances are shown and announced. The ledger follows fills and
/// transfers: what comes in belongs to EXTERNAL.
pub(crate) fn on_account_stream(
    parts: &mut Parts,
    account: AccountId,
    change: &StreamChange,
    out: &mut Outputs,
) {
    if !parts.accounts.contains(account) {
        return;
    }
    match change {
        StreamChange::Connecting => move_to(parts, account, StreamState::Connecting, "", out),
        StreamChange::Down { reason } => {
            let now = parts.now();
            parts.accounts.get_mut(account).note_stream_down(now);
            move_to(parts, account, StreamState::Down, reason, out);
        }
        StreamChange::Unsure { reason } => {
            parts.accounts.get_mut(account).doubt_stream(None);
            move_to(parts, account, StreamState::Unsure, reason, out);
        }
        StreamChange::Up => {
            parts.accounts.get_mut(account).doubt_stream(None);
            await_comparison(parts, account, out);
            move_to(parts, account, StreamState::Live, "", out);
            end_partition(parts, account, out);
            query_open_orders(parts, account, out);
            read_again(parts, account, out);
        }
        StreamChange::Balances { balances, .. } => {
            let mut balances = balances.clone();
            let ids = balances.iter().map(|balance| balance.asset);
            note_contradicted(parts, account, ids, out);
            balances.retain(|balance| !parts.is_contradicted(balance.asset));
            parts.streams.set_balances(account, &balances);
            let event = EventKind::BalancesReported { account, balances };
            parts.emit(None, event, out);
        }
        StreamChange::Clock { uncertainty } => {
            let at = parts.now();
            parts.streams.set_clock(account, *uncertainty, at);
        }
        StreamChange::OrderEntry { blocked } => {
            on_order_entry(parts, account, blocked.as_deref(), out);
        }
        StreamChange::StoodStill { span } => {
            let since = parts.now() - *span;
            parts.accounts.get_mut(account).note_stream_down(since);
            let seconds = span.as_secs();
            let reason = format!("the process stood still for {seconds} s, or the machine did");
            move_to(parts, account, StreamState::Down, &reason, out);
            out.push(Output::RenewStream(account));
        }
        StreamChange::Transfer { asset, .. } if parts.is_contradicted(*asset) => {
            note_contradicted(parts, account, [*asset], out);
        }
        StreamChange::Transfer { asset, amount, .. } => {
            parts.streams.count_transfer(account);
            follow_transfer(parts, account, (*asset, *amount), out);
        }
        StreamChange::UnlistedTrade {
            symbol,
            side,
            quantity,
            price,
            client_id,
            ..
        } => {
            let side = match side {
                Side::Buy => "bought",
                Side::Sell => "sold",
            };
            let trade = format!("{side} {quantity} {symbol} at {price}");
            let trader = trader(parts, *client_id);
            on_unlisted_trade(parts, account, (trader, symbol), &trade, out);
        }
    }
}

/// Whose order a client id is.
fn trader(parts: &Parts, id: Option<ClientOrderId>) -> Trader {
    match id {
        Some(id) if parts.ids.is_foreign(id) && !parts.ids.is_former(id) => Trader::AnotherDesk,
        Some(id) if id.is_ours() => Trader::ThisDesk,
        _ => Trader::Somebody,
    }
}

/// An account traded what the desk does not list: somebody else did, or an own order of a time when the desk listed it. Who trades a lot is
/// one alarm a minute with a count.
fn on_unlisted_trade(
    parts: &mut Parts,
    account: AccountId,
    (trader, symbol): (Trader, &str),
    trade: &str,
    out: &mut Outputs,
) {
    let now = parts.now();
    let unlisted = parts.streams.unlisted();
    if let Some(before) = unlisted.count(account, (trader, symbol), now) {
        let who = trader.words();
        let before = match before {
            0 => String::new(),
            count => format!(", after {count} other trades"),
        };
        let text = format!(
            "{who} {trade}{before}, which the desk does not list: readings of the balances book it"
        );
        let place = (AlarmKind::UnlistedTrade, Some(account), None);
        raise(parts, place, text, out);
    }
    let at = parts.streams.unlisted().reading_at(account, now);
    if at == now {
        out.push(Output::Reconcile(account));
    } else {
        let timer = Timer::AccountReading(account);
        parts.timers.set_earlier(at, timer, out);
    }
}

/// Announces the trades that came after the last one that was announced.
pub(super) fn announce_unlisted(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let now = parts.now();
    for (trader, symbol, count) in parts.streams.unlisted().take_due(account, now) {
        let who = trader.words();
        let text = format!(
            "{who} made {count} more trades in {symbol}, which the desk does not list: readings of the balances book them"
        );
        let place = (AlarmKind::UnlistedTrade, Some(account), None);
        raise(parts, place, text, out);
    }
}

/// After a partition that was longer than [`PARTITION`], entries that still rest are older than their decision may be: they
/// are cancelled first (N11). Stops stay.
fn end_partition(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let down = parts.accounts.get_mut(account).take_stream_down();
    if down.is_some_and(|since| parts.now().since(since) > PARTITION) {
        parts.cancel_entries_of(Scope::Account(account), out);
    }
}

/// A stream that is up after a break: entries wait until the account was compared with its venue (N11). Exits do not.
fn await_comparison(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let stream = parts.streams.get(account);
    let was_broken = stream
        .is_some_and(|stream| matches!(stream.state, StreamState::Down | StreamState::Unsure));
    if was_broken && parts.accounts.get(account).is_reconciled() {
        let (scope, state) = (Scope::Account(account), TradingState::Reducing);
        open_cause(parts, scope, state, CauseKind::NotCompared, out);
    }
}

/// A reading listed own fills that nobody reported [`HEARD_WITHIN`] after it: the stream withholds something (N04, R24).
pub(super) fn doubt(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let within = parts.deadline(HEARD_WITHIN);
    let (now, record) = (parts.now(), parts.accounts.get_mut(account));
    let is_late = record.read_at().is_some_and(|at| now >= at + within);
    let (missing, is_doubted) = (record.unheard(), record.stream_doubted().is_some());
    if missing == 0 || !is_late || is_doubted || !is_live(parts, account) {
        return;
    }
    parts.accounts.get_mut(account).doubt_stream(Some(now));
    let reason = format!("a reading listed {missing} fills that it did not report");
    move_to(parts, account, StreamState::Unsure, &reason, out);
    out.push(Output::RenewStream(account));
}

/// A later reading that found nothing unheard ends the doubt.
pub(super) fn end_doubt(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let (now, record) = (parts.now(), parts.accounts.get_mut(account));
    let is_over = |since: &Timestamp| now.since(*since) >= SWEEP_EVERY / 2;
    if record.unheard() == 0 && record.stream_doubted().as_ref().is_some_and(is_over) {
        record.doubt_stream(None);
        move_to(parts, account, StreamState::Live, "", out);
    }
}

/// Whether an account's stream is live.
fn is_live(parts: &Parts, account: AccountId) -> bool {
    let stream = parts.streams.get(account);
    stream.is_some_and(|stream| stream.state == StreamState::Live)
}

/// Moves a stream to another state, announces it, and opens or ends the cause that goes with it.
fn move_to(
    parts: &mut Parts,
    account: AccountId,
    state: StreamState,
    reason: &str,
    out: &mut Outputs,
) {
    let at = parts.now();
    let Some(before) = parts.streams.change(account, state, reason, at) else {
        return;
    };
    let event = EventKind::AccountStreamChanged {
        account,
        state,
        reason: reason.to_owned(),
    };
    parts.emit(None, event, out);
    let scope = Scope::Account(account);
    if let Some(kind) = cause(state) {
        open_cause(parts, scope, TradingState::Reducing, kind, out);
    }
    if let Some(kind) = cause(before) {
        close_cause(parts, scope, &kind, out);
    }
}

/// Why entries are refused in a state; `None` where they are not.
const fn cause(state: StreamState) -> Option<CauseKind> {
    match state {
        StreamState::Absent | StreamState::Live => None,
        StreamState::Connecting => Some(CauseKind::StreamNotProved),
        StreamState::Down => Some(CauseKind::StreamDown),
        StreamState::Unsure => Some(CauseKind::StreamUnsure),
    }
}

/// A stream that is up again may have missed something: the account is compared with its venue, and swept from now on.
fn read_again(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    out.push(Output::Reconcile(account));
    let at = parts.now() + SWEEP_EVERY;
    parts.timers.set(at, Timer::AccountReading(account), out);
}

/// A deposit or a withdrawal. Before the account is taken over, its first reading contains it.
fn follow_transfer(
    parts: &mut Parts,
    account: AccountId,
    (asset, amount): (AssetId, Amount),
    out: &mut Outputs,
) {
    if parts.accounts.get(account).is_taken_over() {
        return book_unexplained(parts, account, asset, amount, out);
    }
    let event = EventKind::TransferReported {
        account,
        asset,
        amount,
    };
    parts.emit(None, event, out);
}

fn query_open_orders(parts: &Parts, account: AccountId, out: &mut Outputs) {
    let open = parts.orders.open();
    let own = open.filter(|order| order.terms().account == account);
    out.extend(own.map(Order::query));
}
