//! Class `Latest`: of each key the latest only, in the order in which the keys came.

use std::collections::{HashMap, VecDeque};

use tradewind_events::{Event, EventKind};

use super::Item;

/// What conflates with what: events of the same type about the same thing.
type Key = (u8, u32, u32);

/// A queue with one place for each key. It is bounded by the desk's configuration: instruments, intervals, bots.
#[derive(Debug, Default)]
pub(super) struct Latest {
    order: VecDeque<Key>,
    items: HashMap<Key, Item>,
}

impl Latest {
    /// Puts an event in its place; the one that was there.
    pub(super) fn push(&mut self, item: Item) -> Option<Item> {
        let key = key(&item.event);
        let replaced = self.items.insert(key, item);
        if replaced.is_none() {
            self.order.push_back(key);
        }
        replaced
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        let key = self.order.pop_front()?;
        self.items.remove(&key)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}

fn key(event: &Event) -> Key {
    let (thing, part) = match &event.kind {
        EventKind::PriceUpdate(quote) => (quote.instrument.0, 0),
        EventKind::CandleClosed(candle) => (candle.instrument.0, candle.interval as u32),
        EventKind::FeedHealthChanged { instrument, .. } => (instrument.0, 0),
        EventKind::SignalGenerated {
            bot, instrument, ..
        }
        | EventKind::TargetReceived {
            bot, instrument, ..
        } => (bot.0, instrument.0),
        EventKind::EquitySnapshot { account, .. } | EventKind::Reconciled { account, .. } => {
            (account.0, 0)
        }
        EventKind::BotStateChanged { bot, .. }
        | EventKind::BotError { bot, .. }
        | EventKind::UniverseChanged { bot, .. }
        | EventKind::BudgetChanged { bot, .. }
        | EventKind::EvaluationLate { bot, .. } => (bot.0, 0),
        // Of the rest only the latest of its type is relevant to a subscriber of this class.
        _ => (0, 0),
    };
    (event.kind.event_type() as u8, thing, part)
}
