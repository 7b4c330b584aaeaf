//! Hands the driver's effects to the accounts' executors within its turn, and its events to the bus.

use std::sync::Arc;

use tradewind_bus::Bus;
use tradewind_events::{Configuration, Event, EventKind, EventType};
use tradewind_model::{AccountId, EventId, InstrumentId, Quote, Timestamp};

use crate::app::hot_path::Executors;
use crate::driver::{Effect, Outbox};

/// The live desk's effects.
#[derive(Clone, Debug)]
pub struct LiveEffects {
    executors: Executors,
    /// By instrument, the account that reads its public data: the first at its venue.
    readers: Vec<AccountId>,
    bus: Bus,
}

impl LiveEffects {
    /// Effects over these executors; events go to `bus`.
    #[must_use]
    pub fn new(executors: Executors, configuration: &Configuration, bus: Bus) -> Self {
        let reader = |instrument: &tradewind_model::Instrument| {
            let account = configuration
                .accounts
                .iter()
                .find(|account| account.venue == instrument.venue);
            account.map_or(AccountId(0), |account| account.id)
        };
        Self {
            executors,
            readers: configuration.instruments.iter().map(reader).collect(),
            bus,
        }
    }

    fn reader(&self, instrument: InstrumentId) -> AccountId {
        self.readers
            .get(instrument.index())
            .copied()
            .unwrap_or_default()
    }
}

impl Outbox for LiveEffects {
    fn perform(&self, effect: Effect) {
        let account = match &effect {
            Effect::Submit(_, order) => order.terms().account,
            Effect::Cancel { account, .. }
            | Effect::Withdraw { account, .. }
            | Effect::Query { account, .. }
            | Effect::Reconcile(account)
            | Effect::Sweep(account) => *account,
            Effect::Candles { instrument, .. } => self.reader(*instrument),
        };
        match self.executors.accounts.get(account.index()) {
            Some(executor) => executor.perform(&effect),
            // The engine knows the accounts of the configuration only, and each has an executor.
            None => tracing::error!(?effect, "An account has no executor."),
        }
    }

    fn end_flattening(&self) {
        self.executors.gate.kill();
    }

    fn publish(&self, events: &[Arc<Event>]) {
        self.bus.publish_all(events);
    }

    fn wants_quotes(&self) -> bool {
        self.bus.is_wanted(EventType::PriceUpdate)
    }

    fn publish_quote(&self, id: EventId, at: Timestamp, quote: &Quote) {
        self.bus.publish(&Arc::new(Event {
            id,
            at,
            cause: None,
            kind: EventKind::PriceUpdate(*quote),
        }));
    }
}
