//! Components of the desk outside of the engine that hang: an alarm, and a cause that stops no order.

use tradewind_events::{AlarmKind, Outputs};
use tradewind_risk::{CauseKind, Scope, TradingState};

use super::alarms::raise;
use super::causes::{close_cause, open_cause};
use crate::parts::Parts;

/// A component hangs, or works again.
pub(crate) fn on_component(
    parts: &mut Parts,
    name: &str,
    problem: Option<&str>,
    out: &mut Outputs,
) {
    let cause = CauseKind::component_hangs(name);
    let Some(problem) = problem else {
        return close_cause(parts, Scope::Desk, &cause, out);
    };
    let mut causes = parts.states.causes().iter();
    if causes.any(|known| known.reason == cause) {
        return;
    }
    open_cause(parts, Scope::Desk, TradingState::Active, cause, out);
    let text = format!("the component {name}: {problem}");
    raise(parts, (AlarmKind::ComponentHangs, None, None), text, out);
}

/// A new start of the process has components of its own.
pub(super) fn forget(parts: &mut Parts, out: &mut Outputs) {
    let causes = parts.states.causes().iter();
    let hangs = causes.filter(|cause| matches!(cause.reason, CauseKind::ComponentHangs(_)));
    let hangs: Vec<CauseKind> = hangs.map(|cause| cause.reason.clone()).collect();
    for cause in hangs {
        close_cause(parts, Scope::Desk, &cause, out);
    }
}
