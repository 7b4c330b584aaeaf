//! Hands the driver's effects to the accounts' executors within its turn, and its events to the bus.

use std::sync::Arc;

use tradewind_bus::Bus;
use tradewind_events::{Configuration, Event, EventKind, EventType};
use tradewind_model::{AccountId, EventId, Quote, Timestamp};

use crate::app::feed_reads::FeedReads;
use crate::app::hot_path::Executors;
use crate::driver::{Effect, Outbox};

/// The live desk's effects.
#[derive(Clone, Debug)]
pub struct LiveEffects {
    executors: Executors,
    /// By instrument, the account that reads its public data: the first at its venue. `None` where no account is.
    readers: Vec<Option<AccountId>>,
    /// What reads the data of those without one.
    feeds: Option<FeedReads>,
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
            account.map(|account| account.id)
        };
        Self {
            executors,
            readers: configuration.instruments.iter().map(reader).collect(),
            feeds: None,
            bus,
        }
    }

    /// The same effects, which read the data of venues without an account there.
    #[must_use]
    pub(super) fn with_feeds(self, feeds: FeedReads) -> Self {
        Self {
            feeds: Some(feeds),
            ..self
        }
    }

    /// The account that carries out an effect; `None` if none does.
    fn account_of(&self, effect: &Effect) -> Option<AccountId> {
        match effect {
            Effect::Submit(_, order) => Some(order.terms().account),
            Effect::Cancel { account, .. }
            | Effect::Withdraw { account, .. }
            | Effect::Query { account, .. }
            | Effect::Reconcile(account)
            | Effect::Sweep(account)
            | Effect::RenewStream(account)
            | Effect::Book { account, .. } => Some(*account),
            Effect::Candles { instrument, .. } => *self.readers.get(instrument.index())?,
        }
    }
}

impl Outbox for LiveEffects {
    fn perform(&self, effect: Effect) {
        let Some(account) = self.account_of(&effect) else {
            return match &self.feeds {
                Some(feeds) => feeds.perform(&effect),
                None => tracing::error!(?effect, "Nothing reads this instrument."),
            };
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
