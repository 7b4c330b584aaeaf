//! Feeding the monitors, and what becomes of their verdicts: causes that are opened and closed.

use tradewind_events::Outputs;
use tradewind_model::BotId;
use tradewind_risk::{CauseKind, Clearing, Observation, Verdict};

use super::causes::{close_cause, open_cause, open_until_cleared};
use crate::parts::Parts;

/// An order is sent for a bot.
pub(super) fn on_order(parts: &mut Parts, bot: Option<BotId>, out: &mut Outputs) {
    observe_cancels(parts, out);
    if let Some(bot) = bot {
        observe(parts, Observation::Message(bot), out);
    }
}

/// Feeds the monitors with the cancels that were sent since the last time.
pub(super) fn observe_cancels(parts: &mut Parts, out: &mut Outputs) {
    for bot in parts.orders.take_cancels() {
        observe(parts, Observation::Message(bot), out);
    }
}

/// Feeds the monitors. True if an account's alarm of a daily loss is opened by it.
pub(super) fn observe(parts: &mut Parts, observed: Observation, out: &mut Outputs) -> bool {
    let mut verdicts = Vec::new();
    let now = parts.now();
    let limits = &parts.config.limits;
    parts
        .monitors
        .observe(now, &observed, limits, &mut verdicts);
    let alarm = |verdict: &Verdict| verdict.is_open && verdict.reason == CauseKind::DailyLossAlarm;
    let is_alarm = verdicts.iter().any(alarm);
    for verdict in verdicts {
        apply(parts, verdict, out);
    }
    is_alarm
}

fn apply(parts: &mut Parts, verdict: Verdict, out: &mut Outputs) {
    let Verdict {
        scope,
        reason,
        state,
        clearing,
        is_open,
    } = verdict;
    match (is_open, clearing) {
        (false, _) => close_cause(parts, scope, &reason, out),
        (true, Clearing::Itself) => open_cause(parts, scope, state, reason, out),
        (true, Clearing::Person) => open_until_cleared(parts, scope, state, reason, out),
    }
}
