//! The start of a desk in its world, by the functions and in the order of `tradewind run`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tradewind::app::hot_path::{HotPath, LiveEffects, Responses, Tasks, account_state, recover};
use tradewind::config::{AbsentInstruments, DeskConfig, Listing, Sources, keep_ids};
use tradewind::driver::{
    DeskHandle, DriverParts, EvaluationLanes, InputQueues, IntentSafety, LatencyStages,
};
use tradewind_bus::Bus;
use tradewind_engine::{Recovery, StrategySource};
use tradewind_events::{Configuration, Input, Started};
use tradewind_journal::{Home, Identity, Journal, Loss, Options};
use tradewind_model::{AccountId, AssetTable, Clock, VenueId};
use tradewind_risk::KillLatch;
use tradewind_venues::execution::{RESPONSES_MAX, RequestId, VenueResponse};
use tradewind_venues::{
    ApiKey, Assets, BookSource, MarketSink, OrderGate, RateBudget, RealTime, SourceSettings, Topic,
    Venue, VenueContext, VenueKind, VenueSettings, build,
};

use super::{Desk, JOURNAL, KEY, World};
use crate::hostile;
use crate::listener::{Log, listen};
use crate::syncs::virtual_syncs;
use crate::wall::DeskTime;
use crate::watched::Watched;

/// Longest that the start of a desk may take.
const START_WITHIN: Duration = Duration::from_secs(900);
/// Wait between two attempts to read what the venue lists.
const LIST_AGAIN: Duration = Duration::from_secs(1);

impl World {
    /// Starts a desk on the disk as it is, in the order of `start.rs`. False if it died meanwhile.
    pub(crate) fn start_desk(&mut self) -> bool {
        let survives = match self.syncs_intents() {
            true => Loss::Power { torn: 0 },
            false => Loss::Process,
        };
        self.network.use_disk(self.storage.clone(), survives);
        self.try_start().is_some()
    }

    fn try_start(&mut self) -> Option<()> {
        let config = config(self.choices.desk, self.choices.bots);
        let opened = self.latch_file().open(self.now());
        let killed = self.unless_crashed(opened)?.killed;
        self.latch = Arc::new(KillLatch::new(killed));
        let (sink, responses) = mpsc::channel(RESPONSES_MAX);
        let last_run = recover(
            &self.storage(),
            Path::new(JOURNAL),
            StrategySource::built_in,
        );
        let last_run = self.unless_crashed(last_run)?;
        let clock: Arc<dyn Clock> = Arc::new(DeskTime::start(
            self.time.clone(),
            self.host,
            last_run.now(),
        ));
        let context = self.context(last_run.configuration().assets.clone(), clock);
        let venue = self.venue(context.clone(), sink);
        let (listing, time) = (Arc::clone(&venue), self.time.clone());
        let listed = self.finish(START_WITHIN, async move {
            loop {
                if listing.server_time().await.is_ok()
                    && let Ok(listed) = listing.listings().await
                {
                    return listed;
                }
                time.sleep(LIST_AGAIN).await;
            }
        })?;
        let resolved = config.resolve(
            &listed,
            context.assets.snapshot(),
            AbsentInstruments::Refuse,
        );
        let stable = keep_ids(resolved.unwrap(), last_run.configuration()).unwrap();
        let for_engine = stable.for_engine();
        let configuration = Arc::new(stable.configuration);
        venue.use_instruments(&configuration.instruments).unwrap();
        if self.choices.books == BookSource::Diffs {
            self.watch_books(&context, &configuration)?;
        }
        let start = (last_run, Input::Configured(Box::new(for_engine)));
        self.start_hot_path(&configuration, &context, start, (venue, responses))
    }

    /// What adapters share.
    fn context(&self, assets: AssetTable, clock: Arc<dyn Clock>) -> VenueContext {
        VenueContext {
            connector: Arc::new(self.network.clone()),
            gate: OrderGate::new(Arc::clone(&self.latch), Arc::clone(&clock)),
            clock,
            budget: Arc::new(Mutex::new(RateBudget::new(6_000))),
            assets: Arc::new(Assets::new(assets)),
        }
    }

    /// The adapter of the desk's one account.
    fn venue(
        &self,
        context: VenueContext,
        sink: mpsc::Sender<(RequestId, VenueResponse)>,
    ) -> Arc<dyn Venue> {
        // It fails only once the executor has ended.
        let sink = move |id, response| drop(sink.try_send((id, response)));
        build(self.settings(), context, Arc::new(sink)).unwrap()
    }

    fn settings(&self) -> VenueSettings {
        VenueSettings {
            kind: VenueKind::Binance,
            venue: VenueId(0),
            name: "binance".to_owned(),
            account: AccountId(0),
            rest_url: "http://127.0.0.1:1".to_owned(),
            ws_url: "ws://127.0.0.1:1".to_owned(),
            ws_api_url: "ws://127.0.0.1:1/ws-api/v3".to_owned(),
            key: Some(ApiKey::new(KEY, "secret".into())),
            order_entry: self.choices.order_entry,
            books: self.choices.books,
            seed: self.choices.seed,
        }
    }

    /// Lets an adapter of its own write down the books that the exchange sends whole, beside those that the desk is given.
    fn watch_books(&mut self, context: &VenueContext, configuration: &Configuration) -> Option<()> {
        let settings = VenueSettings {
            name: "binance".to_owned(),
            books: BookSource::Top20,
            ..self.settings()
        };
        let venue = build(settings, context.clone(), Arc::new(|_, _| ())).unwrap();
        let listing = Arc::clone(&venue);
        let listed = self.finish(START_WITHIN, async move { listing.listings().await });
        listed?.unwrap();
        venue.use_instruments(&configuration.instruments).unwrap();
        let instruments = configuration.instruments.iter();
        let with_data = instruments.filter(|instrument| instrument.has_data());
        let topics: Vec<Topic> = with_data.map(|one| Topic::Depth(one.id)).collect();
        let sink: Arc<dyn MarketSink> = Arc::new(Watched::sent(&self.books));
        let settings = SourceSettings::default();
        for source in venue.market_sources(&topics, &sink, settings) {
            self.executor.start_hot("witness", |stop| async move {
                source.run(stop).await;
                Ok(())
            });
        }
        Some(())
    }

    fn start_hot_path(
        &mut self,
        configuration: &Arc<Configuration>,
        context: &VenueContext,
        (last_run, configured): (Recovery, Input),
        (venue, responses): (Arc<dyn Venue>, Responses),
    ) -> Option<()> {
        let (storage, dir) = (self.storage(), Path::new(JOURNAL));
        let identity = Identity::begin(Arc::clone(&storage), dir, Home::default(), || 1);
        let identity = self.unless_crashed(identity)?;
        let now = context.clock.now();
        let options = Options {
            reserve_bytes: self.choices.reserve_bytes,
            segment_bytes: self.choices.segment_bytes,
            ..Options::default()
        };
        let opened = Journal::open(storage, dir, &options, now);
        let (journal, recovery) = self.unless_crashed(opened)?;
        let engine = last_run.finish(recovery.last_seq, recovery.last_at);
        let clock = Arc::clone(&context.clock);
        let time: Arc<dyn RealTime> = Arc::new(self.time.clone());
        let path = HotPath {
            echoes: Arc::default(),
            retries: BTreeMap::new(),
            queues: Arc::new(InputQueues::new(configuration.instruments.len())),
            configuration: Arc::clone(configuration),
            clock: Arc::clone(&clock),
            time: Arc::clone(&time),
            gate: Arc::clone(&context.gate),
            take_over: Arc::new(account_state),
            stages: LatencyStages::default(),
        };
        let current = Arc::new(Mutex::new(Configuration::clone(configuration)));
        let named = Arc::clone(&current);
        path.follow_assets(&context.assets, move |_, name| {
            named.lock().unwrap().assets.intern(name);
        });
        let (venues, handle) = ([venue], DeskHandle::new(Arc::clone(&path.queues)));
        let executors = path.start_executors_from(
            &mut self.executor,
            &venues,
            vec![responses],
            &|account, instrument| engine.last_booked(account, instrument),
        );
        let bus = Bus::new(Arc::new(Log(journal.events())));
        listen(&bus, &mut self.executor, &self.time, &self.listened);
        let safety = match self.choices.power_safe {
            true => virtual_syncs(&mut self.executor, &self.time, &self.gray),
            false => IntentSafety::Written,
        };
        let parts = DriverParts {
            engine,
            clock,
            time,
            handle: handle.clone(),
            journal,
            safety,
            evaluations: self.lanes(configuration, &path.queues),
            effects: LiveEffects::new(executors, configuration, bus),
            stages: path.stages.clone(),
        };
        path.start_engine(&mut self.executor, parts);
        path.queues.control(configured);
        path.queues.control(Input::Started(Started {
            instance: identity.instance,
            epoch: identity.epoch,
            killed: self.latch.is_set(),
            former: Vec::new(),
        }));
        let mut sink = path.market_sink();
        if self.choices.books == BookSource::Diffs {
            sink = Arc::new(Watched::shown(&self.books, sink));
        }
        path.start_market_data(&mut self.executor, &venues, &sink);
        path.start_account_streams(&mut self.executor, &venues)
            .unwrap();
        self.desk = Some(Desk {
            handle,
            configuration: current,
            gate: Arc::clone(&context.gate),
            latch: Arc::clone(&self.latch),
            clock: Arc::clone(&context.clock),
        });
        Some(())
    }

    /// The lane of the strategy that runs outside, if there is one.
    fn lanes(
        &mut self,
        configuration: &Configuration,
        queues: &Arc<InputQueues>,
    ) -> EvaluationLanes {
        let bots = configuration.bots.iter();
        let mut outside = bots.filter(|bot| bot.name == hostile::NAME);
        let Some(bot) = outside.next() else {
            return EvaluationLanes::default();
        };
        let (executor, seed) = (&mut self.executor, self.choices.seed);
        let lane = hostile::start(executor, &self.time, queues, &self.hostility, seed);
        EvaluationLanes::default().with(bot.id, lane)
    }
}

/// A desk with the bots of this test.
fn config(desk: &str, bots: &str) -> DeskConfig {
    let (desk, _) = desk.split_once("[[bots]]").unwrap();
    let text = format!("{desk}\n{bots}");
    let sources = Sources {
        file: "bots.toml",
        text: &text,
        environment: &BTreeMap::new(),
        listing: Listing::Unknown,
    };
    DeskConfig::read(&sources).unwrap()
}
