//! The latest events, kept for chains of causes.
//!
//! The log has every event but prices. A price that led to a signal is kept here beside it, and with it the latest event
//! of each bot. The driver feeds it as it announces; it is bounded and forgets the oldest first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tradewind_events::{Event, EventKind};
use tradewind_model::{BotId, EventId};

/// Prices that have not led to anything yet; a signal follows its price within the same input or the next few.
const PRICES: usize = 1_024;

/// The latest events by id.
#[derive(Debug)]
pub struct EventMemory {
    kept: BTreeMap<EventId, Arc<Event>>,
    prices: VecDeque<Arc<Event>>,
    latest: BTreeMap<BotId, EventId>,
    events_max: usize,
}

impl EventMemory {
    /// A memory of `events_max` events.
    #[must_use]
    pub const fn new(events_max: usize) -> Self {
        Self {
            kept: BTreeMap::new(),
            prices: VecDeque::new(),
            latest: BTreeMap::new(),
            events_max,
        }
    }

    /// Takes an event, in the order of ids.
    pub fn record(&mut self, event: &Arc<Event>) {
        if matches!(event.kind, EventKind::PriceUpdate(_)) {
            if self.prices.len() >= PRICES {
                let _ = self.prices.pop_front();
            }
            self.prices.push_back(Arc::clone(event));
            return;
        }
        if let Some(cause) = event.cause {
            self.keep_price(cause);
        }
        if let Some(bot) = bot_of(&event.kind) {
            let _ = self.latest.insert(bot, event.id);
        }
        self.keep(Arc::clone(event));
    }

    /// An event, if it is still remembered.
    #[must_use]
    pub fn event(&self, id: EventId) -> Option<Arc<Event>> {
        let price = || self.prices.iter().rev().find(|price| price.id == id);
        self.kept.get(&id).or_else(price).cloned()
    }

    /// The latest denial or order event of a bot.
    #[must_use]
    pub fn last_of(&self, bot: BotId) -> Option<EventId> {
        self.latest.get(&bot).copied()
    }

    /// A price that led to something is kept as long as what it led to.
    fn keep_price(&mut self, id: EventId) {
        let price = self.prices.iter().rev().find(|price| price.id == id);
        if let Some(price) = price.cloned() {
            self.keep(price);
        }
    }

    fn keep(&mut self, event: Arc<Event>) {
        let _ = self.kept.insert(event.id, event);
        while self.kept.len() > self.events_max {
            let _ = self.kept.pop_first();
        }
    }
}

/// The bot whose denial or order an event tells of.
const fn bot_of(kind: &EventKind) -> Option<BotId> {
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
