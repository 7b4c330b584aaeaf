//! Causes of trading states: opened, closed and announced.

use std::time::Duration;

use tradewind_events::{AlarmKind, EventKind, Outputs, StorageHealth, Timer};
use tradewind_model::{AccountId, AssetId};
use tradewind_risk::{Cause, CauseKind, Clearing, Scope, TradingState};

use super::alarms::raise;
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
            closed: None,
        };
        parts.emit(None, changed, out);
    }
}

/// The venue reported a number that does not fit. It was not booked, so the ledger is incomplete until a person has looked.
pub(crate) fn note_absurd(parts: &mut Parts, account: AccountId, fits: bool, out: &mut Outputs) {
    if !fits {
        let (scope, state) = (Scope::Account(account), TradingState::Reducing);
        open_until_cleared(parts, scope, state, CauseKind::AbsurdNumbers, out);
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
            closed: Some(reason.clone()),
        };
        parts.emit(None, changed, out);
        if !before.lets_exit() {
            retry(parts, None, out);
        }
    }
}

/// Causes of what can be wrong with the truth's disk; one at a time.
const DISK_CAUSES: [CauseKind; 4] = [
    CauseKind::EventLogBehind,
    CauseKind::DiskReserve,
    CauseKind::DiskFull,
    CauseKind::DiskReadOnly,
];

/// How long a disk that refused must take writes before anything is entered again.
const DISK_CLEAN: Duration = Duration::from_secs(60);

/// The disk began or ceased to refuse or delay what is written.
pub(crate) fn on_storage(parts: &mut Parts, health: StorageHealth, out: &mut Outputs) {
    let open = match health {
        StorageHealth::Writing => None,
        StorageHealth::Behind => Some((TradingState::Halted, CauseKind::EventLogBehind)),
        StorageHealth::Reserve => Some((TradingState::Reducing, CauseKind::DiskReserve)),
        StorageHealth::Full => Some((TradingState::Halted, CauseKind::DiskFull)),
        StorageHealth::ReadOnly => Some((TradingState::Halted, CauseKind::DiskReadOnly)),
        StorageHealth::MarketOff => {
            let (state, reason) = (TradingState::Active, CauseKind::MarketDataNotStored);
            return open_cause(parts, Scope::Desk, state, reason, out);
        }
        StorageHealth::MarketOn => {
            return close_cause(parts, Scope::Desk, &CauseKind::MarketDataNotStored, out);
        }
    };
    if let Some((state, reason)) = &open {
        open_cause(parts, Scope::Desk, *state, reason.clone(), out);
    }
    let settling = CauseKind::DiskSettling;
    // What was only late has refused nothing.
    let refuses =
        |reason: &CauseKind| *reason != CauseKind::EventLogBehind && DISK_CAUSES.contains(reason);
    let mut causes = parts.states.causes().iter();
    let has_refused = causes.any(|cause| cause.reason == settling || refuses(&cause.reason));
    match &open {
        Some((_, reason)) if refuses(reason) => {
            close_cause(parts, Scope::Desk, &settling, out);
            parts.timers.cancel(Timer::DiskClean, out);
        }
        _ if !has_refused => {}
        // One that is late does not take writes yet: the minute begins when it does.
        Some(_) => {
            open_cause(parts, Scope::Desk, TradingState::Reducing, settling, out);
            parts.timers.cancel(Timer::DiskClean, out);
        }
        None => {
            open_cause(parts, Scope::Desk, TradingState::Reducing, settling, out);
            let at = parts.now() + parts.deadline(DISK_CLEAN);
            parts.timers.set(at, Timer::DiskClean, out);
        }
    }
    let is_over = |reason: &CauseKind| open.as_ref().is_none_or(|(_, now)| now != reason);
    for reason in DISK_CAUSES.iter().filter(|reason| is_over(reason)) {
        close_cause(parts, Scope::Desk, reason, out);
    }
}

/// The disk took writes for long enough.
pub(crate) fn on_disk_clean(parts: &mut Parts, out: &mut Outputs) {
    close_cause(parts, Scope::Desk, &CauseKind::DiskSettling, out);
}

/// An account reported assets. The ids among them that the desk's table contradicts, of which nothing can be booked, each with an alarm
/// the first time: the account is halted until a person has looked, others trade on.
pub(crate) fn note_contradicted(
    parts: &mut Parts,
    account: AccountId,
    assets: impl IntoIterator<Item = AssetId>,
    out: &mut Outputs,
) {
    let assets = assets.into_iter();
    let contradicted: Vec<AssetId> = assets
        .filter(|asset| parts.is_contradicted(*asset))
        .collect();
    for asset in contradicted {
        if parts.streams.is_accepted(account, asset) {
            continue;
        }
        if parts.streams.note_met(account, asset) {
            let venue = parts.streams.contradicted(asset).unwrap_or_default();
            let text = format!(
                "asset {} of the account is {venue:?} for its venue and {:?} for the desk: its balance is not booked before the next start \
                 has read the table anew; `tradewind risk clear` lets the account trade on without it",
                asset.index(),
                parts.config.assets.name(asset)
            );
            let place = (AlarmKind::AssetContradicted, Some(account), None);
            raise(parts, place, text, out);
        }
        let (scope, state) = (Scope::Account(account), TradingState::Halted);
        open_until_cleared(parts, scope, state, CauseKind::AssetContradicted, out);
    }
}

/// The process ended uncleanly too often: positions are kept and protected, and nothing else is done until a person has looked.
pub(crate) fn on_safe_mode(parts: &mut Parts, out: &mut Outputs) {
    let state = TradingState::Reducing;
    open_until_cleared(parts, Scope::Desk, state, CauseKind::SafeMode, out);
}

/// Another desk placed or cancelled an order on the account: the two would take each other's positions for their own.
pub(crate) fn note_foreign_desk(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let (scope, state) = (Scope::Account(account), TradingState::Halted);
    open_until_cleared(parts, scope, state, CauseKind::ForeignDesk, out);
}

/// Whether the desk is in SAFE mode.
pub(crate) fn is_safe_mode(parts: &Parts) -> bool {
    let mut causes = parts.states.causes().iter();
    causes.any(|cause| cause.reason == CauseKind::SafeMode)
}

/// The desk shuts down: entries are cancelled and refused.
pub(crate) fn on_stopping(parts: &mut Parts, out: &mut Outputs) {
    let state = TradingState::Reducing;
    open_cause(parts, Scope::Desk, state, CauseKind::Stopping, out);
    parts.orders.cancel_entries(None, out);
    parts.emit(None, EventKind::DeskStopping, out);
}
