//! Whether orders of an account can leave for its venue, as the desk's edges find it.
//!
//! Where none can, exits cannot either: the account is HALTED, and the cause names what keeps them here. It ends by itself. Then
//! exits leave at once, and entries after a minute.

use std::time::Duration;

use tradewind_events::{Outputs, Timer};
use tradewind_model::AccountId;
use tradewind_risk::{CauseKind, Scope, TradingState};

use super::causes::{close_cause, open_cause};
use crate::parts::Parts;

/// How long orders must be able to leave before anything is entered again.
const CLEAN: Duration = Duration::from_secs(60);

/// Orders of an account can leave, or cannot for a reason.
pub(super) fn on_order_entry(
    parts: &mut Parts,
    account: AccountId,
    blocked: Option<&str>,
    out: &mut Outputs,
) {
    let (scope, timer) = (Scope::Account(account), Timer::OrdersClean(account));
    let (before, settling) = (open_blocks(parts, scope), CauseKind::OrdersSettling);
    let now = blocked.map(CauseKind::orders_blocked);
    if let Some(cause) = &now {
        open_cause(parts, scope, TradingState::Halted, cause.clone(), out);
        close_cause(parts, scope, &settling, out);
        parts.timers.cancel(timer, out);
    } else if !before.is_empty() {
        open_cause(parts, scope, TradingState::Reducing, settling, out);
        let at = parts.now() + parts.deadline(CLEAN);
        parts.timers.set(at, timer, out);
    }
    for cause in before.iter().filter(|cause| Some(*cause) != now.as_ref()) {
        close_cause(parts, scope, cause, out);
    }
}

/// Orders could leave for long enough.
pub(crate) fn on_clean(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let scope = Scope::Account(account);
    close_cause(parts, scope, &CauseKind::OrdersSettling, out);
}

/// A new start of the desk finds out anew whether orders can leave. The minute that follows a block lasts.
pub(super) fn forget(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    on_order_entry(parts, account, None, out);
}

/// What keeps the account's orders here now.
fn open_blocks(parts: &Parts, scope: Scope) -> Vec<CauseKind> {
    let causes = parts.states.causes().iter();
    let blocks = causes.filter(|cause| {
        cause.scope == scope && matches!(cause.reason, CauseKind::OrdersBlocked(_))
    });
    blocks.map(|cause| cause.reason.clone()).collect()
}
