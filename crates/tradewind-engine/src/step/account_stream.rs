//! Account streams: while one is not proved live, its account takes no new risk.
//!
//! Without a live stream, fills are reported late, so entries are refused and exits pass. The cause ends by itself once
//! the stream is up. Then every open order of the account is queried: the stream may have missed reports.

use tradewind_events::{EventKind, Output, Outputs, StreamChange, StreamState, Timer};
use tradewind_model::{AccountId, Amount, AssetId};
use tradewind_risk::{CauseKind, Scope, TradingState};

use super::causes::{close_cause, open_cause};
use super::holdings::book_unexplained;
use super::takeover::SWEEP_EVERY;
use crate::parts::Parts;
use crate::parts::order::Order;

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
        StreamChange::Down { reason } => move_to(parts, account, StreamState::Down, reason, out),
        StreamChange::Unsure { reason } => {
            move_to(parts, account, StreamState::Unsure, reason, out);
        }
        StreamChange::Up => {
            move_to(parts, account, StreamState::Live, "", out);
            query_open_orders(parts, account, out);
            read_again(parts, account, out);
        }
        StreamChange::Balances { balances, .. } => {
            parts.streams.set_balances(account, balances);
            let balances = balances.clone();
            let event = EventKind::BalancesReported { account, balances };
            parts.emit(None, event, out);
        }
        StreamChange::Clock { uncertainty } => {
            let at = parts.now();
            parts.streams.set_clock(account, *uncertainty, at);
        }
        StreamChange::Transfer { asset, amount, .. } => {
            parts.streams.count_transfer(account);
            follow_transfer(parts, account, (*asset, *amount), out);
        }
    }
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
