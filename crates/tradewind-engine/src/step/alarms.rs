//! Alarms: what a person should look at, and that changes no state by itself.

use tradewind_events::{AlarmKind, EventKind, Outputs};
use tradewind_model::{AccountId, InstrumentId, Side};

use crate::parts::Parts;
use crate::parts::order::Order;

/// Announces and counts an alarm.
pub(crate) fn raise(
    parts: &mut Parts,
    (alarm, account, instrument): (AlarmKind, Option<AccountId>, Option<InstrumentId>),
    text: String,
    out: &mut Outputs,
) {
    parts.counters.alarm();
    let event = EventKind::Alarm {
        alarm,
        account,
        instrument,
        text,
    };
    parts.emit(None, event, out);
}

/// An alarm about an order.
pub(super) fn raise_about(
    parts: &mut Parts,
    (alarm, order): (AlarmKind, &Order),
    what: &str,
    out: &mut Outputs,
) {
    let terms = order.terms();
    let instrument = parts.config.instrument(terms.instrument);
    let quantity = instrument.quantity_text(terms.quantity);
    let text = format!(
        "order {} that {} {quantity} {}: {what}",
        terms.client_id,
        match terms.side {
            Side::Buy => "buys",
            Side::Sell => "sells",
        },
        instrument.name
    );
    let place = (alarm, Some(terms.account), Some(terms.instrument));
    raise(parts, place, text, out);
}
