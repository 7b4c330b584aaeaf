//! Causes of trading states: opened, closed and announced.

use tradewind_events::{EventKind, Outputs, StorageHealth};
use tradewind_risk::{Cause, CauseKind, Clearing, Scope, TradingState};

use super::retries::retry;
use crate::parts::Parts;

/// Opens a cause that ends by itself, and announces it if it is new.
pub(crate) fn open_cause(
    parts: &mut Parts,
    scope: Scope,
    state: TradingState,
    reason: CauseKind,
    out: &mut Outputs,
) {
    open(parts, scope, state, reason, Clearing::Itself, out);
}

/// Opens a cause that a person must end, and announces it if it is new.
pub(crate) fn open_until_cleared(
    parts: &mut Parts,
    scope: Scope,
    state: TradingState,
    reason: CauseKind,
    out: &mut Outputs,
) {
    open(parts, scope, state, reason, Clearing::Person, out);
}

fn open(
    parts: &mut Parts,
    scope: Scope,
    state: TradingState,
    reason: CauseKind,
    clearing: Clearing,
    out: &mut Outputs,
) {
    let cause = Cause {
        scope,
        state,
        reason,
        since: parts.now(),
        clearing,
    };
    if parts.states.open(cause.clone()) {
        let cause = Some(cause);
        let changed = EventKind::TradingStateChanged {
            scope,
            state,
            cause,
        };
        parts.emit(None, changed, out);
    }
}

/// Ends a cause. If it was open, announces the state that its scope has now.
pub(crate) fn close_cause(parts: &mut Parts, scope: Scope, reason: &CauseKind, out: &mut Outputs) {
    let before = parts.states.at(scope);
    if parts.states.close(scope, reason) {
        let changed = EventKind::TradingStateChanged {
            scope,
            state: parts.states.at(scope),
            cause: None,
        };
        parts.emit(None, changed, out);
        if !before.lets_exit() {
            retry(parts, None, out);
        }
    }
}

/// The event log's writer fell behind, or caught up.
pub(crate) fn on_storage(parts: &mut Parts, health: StorageHealth, out: &mut Outputs) {
    let reason = CauseKind::EventLogBehind;
    match health {
        StorageHealth::Behind => {
            open_cause(parts, Scope::Desk, TradingState::Halted, reason, out);
        }
        StorageHealth::Writing => close_cause(parts, Scope::Desk, &reason, out),
    }
}

/// The desk shuts down: entries are cancelled and refused.
pub(crate) fn on_stopping(parts: &mut Parts, out: &mut Outputs) {
    let state = TradingState::Reducing;
    open_cause(parts, Scope::Desk, state, CauseKind::Stopping, out);
    parts.orders.cancel_entries(None, out);
    parts.emit(None, EventKind::DeskStopping, out);
}
