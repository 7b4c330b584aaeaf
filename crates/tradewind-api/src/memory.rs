//! The latest events, kept for chains of causes.
//!
//! The projection has them all, a little later. Somebody who clicks on what just happened finds it here. It is bounded and
//! drops the oldest first.

use std::collections::BTreeMap;
use std::sync::Arc;

use tradewind_events::{Event, EventKind};
use tradewind_model::{BotId, EventId};

/// The latest events by id, and each bot's latest denial or order event.
#[derive(Debug)]
pub(crate) struct EventMemory {
    kept: BTreeMap<EventId, Arc<Event>>,
    latest: BTreeMap<BotId, EventId>,
    events_max: usize,
}

impl EventMemory {
    pub(crate) const fn new(events_max: usize) -> Self {
        Self {
            kept: BTreeMap::new(),
            latest: BTreeMap::new(),
            events_max,
        }
    }

    /// Takes an event, in the order of ids.
    pub(crate) fn record(&mut self, event: Arc<Event>) {
        if let Some(bot) = bot_of(&event.kind) {
            let _ = self.latest.insert(bot, event.id);
        }
        let _ = self.kept.insert(event.id, event);
        while self.kept.len() > self.events_max {
            let _ = self.kept.pop_first();
        }
    }

    pub(crate) fn event(&self, id: EventId) -> Option<Arc<Event>> {
        self.kept.get(&id).cloned()
    }

    /// The latest denial or order event of a bot.
    pub(crate) fn last_of(&self, bot: BotId) -> Option<EventId> {
        self.latest.get(&bot).copied()
    }
}

/// The bot of a denial or an order event.
pub(crate) const fn bot_of(kind: &EventKind) -> Option<BotId> {
    match kind {
        EventKind::RiskDecisionRejected { bot, .. }
        | EventKind::OrderPlaced { bot, .. }
        | EventKind::OrderAccepted { bot, .. }
        | EventKind::OrderFilled { bot, .. }
        | EventKind::OrderCancelled { bot, .. }
        | EventKind::OrderRejected { bot, .. }
        | EventKind::OrderExpired { bot, .. }
        | EventKind::OrderUnknown { bot, .. } => *bot,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::Timestamp;

    fn record(memory: &mut EventMemory, seq: u64, bot: Option<u32>) {
        let kind = bot.map_or(EventKind::DeskStopping, |bot| {
            EventKind::RiskDecisionRejected {
                bot: Some(BotId(bot)),
                account: tradewind_model::AccountId(0),
                instrument: tradewind_model::InstrumentId(0),
                side: tradewind_model::Side::Buy,
                quantity: tradewind_model::Quantity(1),
                reason: tradewind_risk::DenyReason::BotRate,
            }
        });
        memory.record(Arc::new(Event {
            id: EventId { seq, index: 0 },
            at: Timestamp::EPOCH,
            cause: None,
            kind,
        }));
    }

    #[test]
    fn the_oldest_is_forgotten_and_a_bots_latest_is_known() {
        let mut memory = EventMemory::new(2);
        record(&mut memory, 1, Some(7));
        record(&mut memory, 2, Some(7));
        record(&mut memory, 3, None);
        let event = |seq| memory.event(EventId { seq, index: 0 }).is_some();
        assert_eq!([event(1), event(2), event(3)], [false, true, true]);
        assert_eq!(memory.last_of(BotId(7)), Some(EventId { seq: 2, index: 0 }));
        assert_eq!(memory.last_of(BotId(8)), None);
    }
}
