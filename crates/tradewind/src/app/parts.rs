//! Functions that start the desk's other parts under the supervisor. `start.rs` calls them in order.

use std::sync::Arc;
use std::time::Duration;

use tradewind_bus::{Bus, Class, EventLog, SubscriptionOptions, TypeSet};
use tradewind_events::{
    Action, AlarmKind, BotConfig, Configuration, Delivery, Event, EventType, Input,
};
use tradewind_journal::{EventReader, Reader, Record, StoreKind};
use tradewind_model::{AccountId, Clock, EventId};
use tradewind_storage::{HistoryItem, Writer};
use tradewind_venues::MarketData;

use crate::app::difference::{Difference, VenueState};
use crate::app::rules::{Halts, PriceDoubts, Rules};
use crate::app::supervisor::Supervisor;
use crate::app::venue::Venues;
use crate::driver::{DeskHandle, InputQueues};

/// Between two checks for lost events of subscribers.
const OVERFLOWS_EVERY: Duration = Duration::from_millis(500);

/// The writer of the database looks for what was announced at the latest after this.
const NUDGE_EVERY: Duration = Duration::from_secs(30);

pub(crate) fn strategy_factory() -> crate::driver::evaluation::LaneFactory {
    Arc::new(|bot| tradewind_rules::build(&bot.strategy, &bot.parameters, bot.instruments.len()))
}

pub(super) fn start_differences(
    supervisor: &mut Supervisor,
    venues: &Venues,
    desk: &DeskHandle,
    clock: &Arc<dyn Clock>,
) -> Vec<VenueState> {
    let mut all = Vec::new();
    for (account, venue) in (0..).map(AccountId).zip(&venues.accounts) {
        let state = VenueState::default();
        let difference = Difference {
            account,
            venue: Arc::clone(venue),
            desk: desk.clone(),
            clock: Arc::clone(clock),
            state: state.clone(),
        };
        supervisor.keep("difference", move |stop| difference.clone().run(stop));
        all.push(state);
    }
    all
}

/// Reads the rules of each venue's instruments again when they may have changed.
pub(super) fn start_rules(
    supervisor: &mut Supervisor,
    venues: &Venues,
    bus: &Bus,
    (queues, configuration): (&Arc<InputQueues>, &Configuration),
) {
    for (account, venue) in (0..).map(AccountId).zip(&venues.accounts) {
        let at = configuration.accounts.get(account.index());
        let instruments = configuration.instruments.iter();
        let there = instruments.filter(|one| at.is_some_and(|at| at.venue == one.venue));
        let halts = Halts::of(there);
        let venue: Arc<dyn MarketData> = Arc::clone(venue) as _;
        let (queues, bus) = (Arc::clone(queues), bus.clone());
        supervisor.keep("rules", move |stop| {
            let types = TypeSet::from_iter([EventType::OrderRejected]);
            let rejections = bus.subscribe(SubscriptionOptions::new("rules", Class::Drop, types));
            let rules = Rules {
                venue: Arc::clone(&venue),
                queues: Some(Arc::clone(&queues)),
                rejections: Some((rejections, account)),
                halts: halts.clone(),
                prices: PriceDoubts::default(),
                recorded: None,
            };
            rules.run(stop)
        });
    }
    for feed in &venues.feeds {
        let (venue, queues) = (Arc::clone(feed.data()), Arc::clone(queues));
        let recorded = feed.recorded();
        supervisor.keep("rules", move |stop| {
            let rules = Rules {
                venue: Arc::clone(&venue),
                queues: Some(Arc::clone(&queues)),
                rejections: None,
                halts: Halts::default(),
                prices: PriceDoubts::default(),
                recorded: recorded.clone(),
            };
            rules.run(stop)
        });
    }
}

/// Reports subscribers that began to lose events to the engine, which announces it.
pub(super) fn start_overflow_watch(
    supervisor: &mut Supervisor,
    bus: Bus,
    queues: Arc<InputQueues>,
) {
    supervisor.keep("overflows", move |stop| {
        let (bus, queues) = (bus.clone(), Arc::clone(&queues));
        async move {
            let mut look = tokio::time::interval(OVERFLOWS_EVERY);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    _ = look.tick() => {}
                }
                for overflow in bus.take_overflows() {
                    let subscriber = overflow.subscriber.into_boxed_str();
                    queues.control(Input::QueueOverflow {
                        subscriber,
                        dropped: overflow.dropped,
                    });
                }
                for looping in bus.take_loops() {
                    let text = format!(
                        "the handler {} causes the events that start it: {} of its events were not published",
                        looping.subscriber, looping.refused
                    );
                    tracing::error!(text, "A handler of the bus starts itself again.");
                    queues.control(Input::Alarm {
                        alarm: AlarmKind::HandlerLoop,
                        text: text.into(),
                    });
                }
            }
        }
    });
}

/// Wakes the database's writer whenever something was announced; it reads the event log itself.
pub(super) fn start_storage(supervisor: &mut Supervisor, bus: &Bus, writer: Arc<Writer>) {
    let bus = bus.clone();
    supervisor.keep("storage", move |stop| {
        let types = TypeSet::all().without(TypeSet::delivered(Delivery::Latest));
        let mut announced = bus.subscribe(SubscriptionOptions::new("storage", Class::Drop, types));
        let writer = Arc::clone(&writer);
        async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(NUDGE_EVERY) => writer.nudge(),
                    received = announced.recv() => match received {
                        Some(_) => writer.nudge(),
                        None => return Ok(()),
                    },
                }
            }
        }
    });
}

/// The journal as the event log of bus and database.
#[derive(Clone, Debug)]
pub(super) struct JournalEvents {
    pub(super) events: EventReader,
    pub(super) reader: Reader,
}

impl EventLog for JournalEvents {
    fn read_after(&self, after: EventId, limit: usize) -> std::io::Result<Vec<Arc<Event>>> {
        self.events
            .read_after(after, limit)
            .map_err(std::io::Error::other)
    }

    fn first_seq(&self) -> u64 {
        self.events.first_seq()
    }
}

impl tradewind_storage::EventSource for JournalEvents {
    fn read_after(&self, after: EventId, limit: usize) -> std::io::Result<Vec<Arc<Event>>> {
        EventLog::read_after(self, after, limit)
    }

    fn history(&self, take: &mut dyn FnMut(HistoryItem)) -> std::io::Result<()> {
        let first_seq = self.events.first_seq();
        if first_seq > 1 {
            tracing::warn!(
                first_seq,
                "The oldest files of the journal are gone; the database begins with what is left."
            );
        }
        let records = self.reader.records(StoreKind::Truth);
        let mut current = None;
        for found in records.map_err(std::io::Error::other)? {
            let found = found.map_err(std::io::Error::other)?;
            match found.record {
                Record::Input(Input::Configured(configuration)) => {
                    current = Some(configuration.clone());
                    take(HistoryItem::Configured(found.seq, configuration));
                }
                Record::Input(Input::AssetAdded { asset, name }) => {
                    let known = current.as_mut();
                    let known = known.filter(|known| known.assets.len() == asset.index());
                    if let Some(configuration) = known {
                        configuration.assets.intern(&name);
                        take(HistoryItem::Configured(found.seq, configuration.clone()));
                    }
                }
                Record::Input(Input::Command(command)) => {
                    let Action::ApplyBots(applied) = command.action else {
                        continue;
                    };
                    if let Some(configuration) = &mut current {
                        name_bots(configuration, applied.bots);
                        take(HistoryItem::Configured(found.seq, configuration.clone()));
                    }
                }
                Record::Input(Input::Account(state)) if !state.fills.is_empty() => {
                    take(HistoryItem::Fills(found.seq, state.fills));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Takes over the names of bots that were applied. Those that are not listed keep theirs: their ids are taken.
fn name_bots(configuration: &mut Configuration, bots: Vec<BotConfig>) {
    for bot in bots {
        match configuration
            .bots
            .iter_mut()
            .find(|known| known.id == bot.id)
        {
            Some(known) => *known = bot,
            None => configuration.bots.push(bot),
        }
    }
}
