//! A desk made of a view, a bus, a log in memory and a projection in a folder.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tradewind_api::wire::{Component, LogLine, Mode, Queue};
use tradewind_api::{
    About, Answer, Desk, DeskError, Health, StageTimes, VenueBalance, VenueBalances,
};
use tradewind_bus::{Bus, EventLog, Subscription, SubscriptionOptions};
use tradewind_events::{Action, Command, CommandResult, Configuration, DeskView, Event};
use tradewind_model::{
    AccountId, Amount, AssetId, Candle, EventId, InstrumentId, Interval, Timestamp,
};
use tradewind_storage::{Projection, Readers};

use super::world;

/// A log in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryLog(Mutex<Vec<Arc<Event>>>);

impl EventLog for MemoryLog {
    fn read_after(&self, after: EventId, limit: usize) -> io::Result<Vec<Arc<Event>>> {
        let events = self.0.lock().unwrap();
        let start = events.partition_point(|event| event.id <= after);
        Ok(events[start..].iter().take(limit).cloned().collect())
    }
}

#[derive(Debug)]
pub(crate) struct FakeDesk {
    pub(crate) bus: Bus,
    log: Arc<MemoryLog>,
    readers: Arc<Readers>,
    configuration: Arc<Configuration>,
    pub(crate) view: Mutex<Arc<DeskView>>,
    pub(crate) commands: Mutex<Vec<Command>>,
    pub(crate) answer: Mutex<Result<CommandResult, DeskError>>,
    pub(crate) venue_btc: Mutex<Option<Amount>>,
    pub(crate) ready: Mutex<bool>,
    _folder: TempDir,
}

impl FakeDesk {
    pub(crate) fn new() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tradewind.db");
        let configuration = world::configuration();
        let mut projection = Projection::open(&path).unwrap();
        projection.configure(0, &configuration).unwrap();
        let past = world::past();
        projection.apply(&past).unwrap();
        let log = Arc::new(MemoryLog(Mutex::new(past)));
        Arc::new(Self {
            bus: Bus::new(Arc::<MemoryLog>::clone(&log)),
            log,
            readers: Arc::new(Readers::new(&path)),
            configuration: Arc::new(configuration),
            view: Mutex::new(Arc::new(world::view())),
            commands: Mutex::default(),
            answer: Mutex::new(Ok(CommandResult::Accepted(None))),
            venue_btc: Mutex::default(),
            ready: Mutex::new(true),
            _folder: folder,
        })
    }

    /// Writes an event to the log and announces it, as the driver does.
    pub(crate) fn publish(&self, event: &Arc<Event>) {
        if event.kind.event_type().delivery() != tradewind_events::Delivery::Latest {
            self.log.0.lock().unwrap().push(Arc::clone(event));
        }
        self.bus.publish(event);
    }

    pub(crate) fn actions(&self) -> Vec<Action> {
        let commands = self.commands.lock().unwrap();
        commands
            .iter()
            .map(|command| command.action.clone())
            .collect()
    }
}

impl Desk for FakeDesk {
    fn about(&self) -> About {
        About {
            version: "0.1.0".into(),
            started_at: world::at(0),
            mode: Mode {
                name: "SIMULATED".into(),
                seed: Some(42),
                speed: tradewind_api::wire::Decimal("1".into()),
                note: "Simulated market, seed 42. The strategies have no edge.".into(),
            },
        }
    }

    fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(&self.configuration)
    }

    fn now(&self) -> Timestamp {
        world::at(301)
    }

    fn view(&self) -> Answer<'_, Result<Arc<DeskView>, DeskError>> {
        let view = Arc::clone(&self.view.lock().unwrap());
        Box::pin(async { Ok(view) })
    }

    fn command(&self, command: Command) -> Answer<'_, Result<CommandResult, DeskError>> {
        self.commands.lock().unwrap().push(command);
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async { answer })
    }

    fn subscribe(&self, options: SubscriptionOptions) -> Subscription {
        self.bus.subscribe(options)
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::<MemoryLog>::clone(&self.log)
    }

    fn history(&self) -> Arc<Readers> {
        Arc::clone(&self.readers)
    }

    fn candles(
        &self,
        instrument: InstrumentId,
        _: Interval,
        _: u32,
    ) -> Answer<'_, Result<Vec<Candle>, DeskError>> {
        let candles = if instrument == world::BTC {
            Ok(vec![world::candle()])
        } else {
            Err(DeskError::Unavailable("the venue".into()))
        };
        Box::pin(async { candles })
    }

    fn venue_balances(&self) -> Vec<VenueBalances> {
        let Some(btc) = *self.venue_btc.lock().unwrap() else {
            return Vec::new();
        };
        let balance = |asset, free, locked| VenueBalance {
            asset: AssetId(asset),
            free,
            locked,
        };
        vec![VenueBalances {
            account: AccountId(0),
            read_at: world::at(299),
            view: Arc::clone(&self.view.lock().unwrap()),
            balances: vec![
                balance(0, btc, Amount::ZERO),
                balance(
                    1,
                    "445053.3811".parse().unwrap(),
                    "3091.49".parse().unwrap(),
                ),
                balance(2, Amount::ZERO, Amount::ZERO),
            ],
        }]
    }

    fn queues(&self) -> Vec<Queue> {
        vec![Queue {
            name: "lane.quotes".into(),
            class: "latest".into(),
            depth: 0,
            capacity: 25,
            high_water: 4,
            published: 30_100,
            delivered: 29_992,
            conflated: 108,
            dropped: 0,
        }]
    }

    fn health(&self) -> Health {
        let mut engine = StageTimes {
            name: "engine".into(),
            ..StageTimes::default()
        };
        engine.record(3);
        Health {
            ready: *self.ready.lock().unwrap(),
            components: vec![Component {
                name: "venue binance".into(),
                healthy: true,
                message: "connected, 25 of 25 streams".into(),
                ..Component::default()
            }],
            stages: vec![engine],
            engine_thread_time: Some(Duration::from_millis(2_500)),
            feed_messages: vec![("quotes".into(), 30_100)],
            ..Health::default()
        }
    }

    fn logs(&self, limit: usize) -> Vec<LogLine> {
        let line = LogLine {
            at: world::at(0).into(),
            level: "INFO".into(),
            target: "tradewind::app".into(),
            message: "45 bots, 25 instruments".into(),
        };
        vec![line; limit.min(2)]
    }
}
