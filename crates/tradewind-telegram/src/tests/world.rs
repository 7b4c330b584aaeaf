//! A mock desk, a mock Bot API, and a clock that the test moves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_events::{
    Command, CommandResult, Configuration, DeskView, Event, EventKind, EventType, ExitView,
    FeedView, PositionView, Principal,
};
use tradewind_model::{
    AccountId, Amount, BotId, ClientOrderId, EventId, FeedHealth, Fill, InstrumentId, Liquidity,
    Money, OrderStatus, OwnerId, Price, Quantity, Quote, Side, SideMode, Timestamp, TradeId,
    VenueOrderId,
};

use crate::client::Failure;
use crate::machine::{Batch, In, Machine, Out, StepContext};
use crate::options::{Notify, Options};
use crate::progress::Progress;
use crate::wire::Update;

pub(super) const USER: i64 = 1_111_111;
pub(super) const CHAT: i64 = 1_111_111;
/// The clock on the wall at the start; the desk's is years behind, as with recorded data.
pub(super) const WALL: i64 = 1_800_000_000;
const DESK: i64 = 1_700_000_000;

pub(super) fn options() -> Options {
    let on = [
        EventType::OrderFilled,
        EventType::CircuitBreakerFired,
        EventType::QueueOverflow,
        EventType::KillSwitch,
    ];
    let mut notify: BTreeMap<_, _> = on.into_iter().map(|each| (each, Notify::On)).collect();
    notify.insert(EventType::BotError, Notify::Silent);
    notify.insert(EventType::OrderPlaced, Notify::Off);
    Options {
        users: [USER].into(),
        chat: Some(CHAT),
        api_url: "http://127.0.0.1:1".into(),
        token: "42:SECRET".to_owned().into(),
        stale_after: Duration::from_secs(30),
        notify,
        seed: 7,
    }
}

/// A client for loopback, with a TLS configuration that trusts nobody.
pub(crate) fn http() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy();
    client.build().unwrap()
}

pub(super) fn configuration() -> Configuration {
    tradewind_testkit::idle_desk(&["btc-rsi", "btc-cross"])
}

/// BTC/USDT at 60,000.00 to 60,000.50, and half a bitcoin bought by hand.
pub(super) fn view() -> DeskView {
    let quote = Quote {
        instrument: InstrumentId(0),
        bid: Price(6_000_000),
        ask: Price(6_000_050),
        bid_quantity: Quantity(100_000),
        ask_quantity: Quantity(100_000),
        event_time: None,
        received_at: Timestamp::EPOCH,
    };
    let position = PositionView {
        side_mode: SideMode::Net,
        margin: Amount::ZERO,
        account: AccountId(0),
        owner: OwnerId::Unallocated,
        instrument: InstrumentId(0),
        quantity: Quantity(50_000),
        cost: Amount::whole(30_000),
        entry_price: None,
        opened_at: Timestamp::EPOCH,
        unrealized: None,
        realized: Amount::ZERO,
        exit: ExitView::default(),
        protected: Quantity::ZERO,
    };
    let feed = FeedView {
        instrument: InstrumentId(0),
        health: FeedHealth::Live,
        quote: Some(quote),
        quotes: 1,
        trades: 0,
        candles: 0,
    };
    DeskView {
        positions: vec![position],
        feeds: vec![feed],
        ..DeskView::default()
    }
}

pub(super) fn fill(number: u64) -> EventKind {
    let fill = Fill {
        account: AccountId(0),
        instrument: InstrumentId(0),
        trade_id: TradeId(number),
        venue_order_id: VenueOrderId(number),
        client_id: ClientOrderId(1),
        side: Side::Buy,
        price: Price(6_000_000 + i64::try_from(number).unwrap()),
        quantity: Quantity(1_000),
        fee: Money {
            asset: tradewind_model::AssetId(1),
            amount: "0.6".parse().unwrap(),
        },
        liquidity: Liquidity::Taker,
        event_time: Timestamp::EPOCH,
    };
    EventKind::OrderFilled {
        fill,
        bot: Some(BotId(0)),
        status: OrderStatus::Filled,
        cumulative: Quantity(1_000),
    }
}

pub(super) fn killed(reason: &str) -> EventKind {
    EventKind::KillSwitch {
        reason: reason.into(),
        principal: Principal::Local,
    }
}

/// A text message of the listed user, sent so many seconds before the world began.
pub(super) fn message(update: i64, age: i64, text: &str) -> Value {
    json!({
        "update_id": update,
        "message": {
            "message_id": update, "date": WALL - age, "text": text,
            "chat": { "id": USER, "type": "private" }, "from": { "id": USER, "is_bot": false },
        },
    })
}

/// A message that arrived at the user's phone.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) at: Duration,
    pub(super) text: String,
    pub(super) is_silent: bool,
}

/// The world around a machine.
#[derive(Debug)]
pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) now: Duration,
    /// What the Bot API does with messages; `None` takes them.
    pub(super) trouble: Option<Failure>,
    /// Whether commands get no answer; they wait in `unanswered`.
    pub(super) is_engine_stalled: bool,
    pub(super) unanswered: Vec<Batch>,
    pub(super) view: DeskView,
    pub(super) delivered: Vec<Delivered>,
    pub(super) attempts: u32,
    pub(super) commands: Vec<Command>,
    pub(super) kept: Vec<Progress>,
    /// The offset of the poll that is under way.
    pub(super) polling: Option<Option<i64>>,
    pub(super) is_stopped: bool,
    configuration: Arc<Configuration>,
    events: u64,
}

impl World {
    pub(super) fn new() -> Self {
        Self::after(Progress::default())
    }

    /// A world after a restart.
    pub(super) fn after(progress: Progress) -> Self {
        let mut world = Self {
            machine: Machine::new(options(), progress, 42),
            now: Duration::ZERO,
            trouble: None,
            is_engine_stalled: false,
            unanswered: Vec::new(),
            view: view(),
            delivered: Vec::new(),
            attempts: 0,
            commands: Vec::new(),
            kept: Vec::new(),
            polling: None,
            is_stopped: false,
            configuration: Arc::new(configuration()),
            events: 0,
        };
        world.put(In::Tick);
        world
    }

    /// Answers the poll under way with these updates.
    pub(super) fn receive(&mut self, updates: &[Value]) {
        assert!(self.polling.take().is_some(), "no poll is under way");
        self.put(In::Polled(Ok(updates
            .iter()
            .filter_map(Update::read)
            .collect())));
    }

    /// One message, written now; the answers to it.
    pub(super) fn say(&mut self, update: i64, text: &str) -> String {
        self.say_late(update, 0, text)
    }

    /// The same, some seconds old.
    pub(super) fn say_late(&mut self, update: i64, age: i64, text: &str) -> String {
        let age = age - i64::try_from(self.now.as_secs()).unwrap();
        let before = self.delivered.len();
        self.receive(&[message(update, age, text)]);
        self.advance(Duration::from_secs(5));
        let answers = self.delivered[before..]
            .iter()
            .map(|each| each.text.clone());
        answers.collect::<Vec<_>>().join("\n")
    }

    pub(super) fn announce(&mut self, kind: EventKind) {
        self.events += 1;
        let event = Event {
            id: EventId {
                seq: self.events,
                index: 0,
            },
            at: self.desk(),
            cause: None,
            kind,
        };
        self.put(In::Event(Arc::new(event)));
    }

    /// Moves the clock, stopping at each deadline of the machine.
    pub(super) fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(deadline) = self.machine.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.put(In::Tick);
        }
        self.now = end;
    }

    pub(super) fn put(&mut self, input: In) {
        let mut inputs = VecDeque::from([input]);
        let mut out = Vec::new();
        while let Some(input) = inputs.pop_front() {
            self.machine.handle(&self.context(), input, &mut out);
            for out in out.drain(..) {
                inputs.extend(self.perform(out));
            }
        }
    }

    fn perform(&mut self, out: Out) -> Option<In> {
        match out {
            Out::Stop => self.is_stopped = true,
            Out::Keep(progress) => self.kept.push(progress),
            Out::Poll(offset) => {
                assert!(self.polling.is_none(), "one poll at a time");
                match &self.trouble {
                    Some(failure) => return Some(In::Polled(Err(failure.clone()))),
                    None => self.polling = Some(offset),
                }
            }
            Out::Send(message) => {
                self.attempts += 1;
                if let Some(failure) = &self.trouble {
                    return Some(In::Sent(Err(failure.clone())));
                }
                let text = message.text.plain();
                self.delivered.push(Delivered {
                    at: self.now,
                    text,
                    is_silent: message.is_silent,
                });
                return Some(In::Sent(Ok(())));
            }
            Out::ReadView(request) => {
                return Some(In::View(request, Ok(Arc::new(self.view.clone()))));
            }
            Out::Execute(batch) => {
                self.kept.extend(batch.keep);
                let commands = batch.commands.iter().map(|(_, command)| command.clone());
                self.commands.extend(commands);
                if self.is_engine_stalled {
                    self.unanswered.push(batch);
                } else {
                    return Some(answered(batch));
                }
            }
        }
        None
    }

    fn desk(&self) -> Timestamp {
        Timestamp::from_secs(DESK) + self.now
    }

    fn context(&self) -> StepContext {
        StepContext {
            elapsed: self.now,
            wall: Timestamp::from_secs(WALL) + self.now,
            desk: self.desk(),
            configuration: Arc::clone(&self.configuration),
        }
    }
}

/// The answer to a batch all of whose commands were accepted.
pub(super) fn answered(batch: Batch) -> In {
    let results = batch
        .commands
        .iter()
        .map(|_| Ok(CommandResult::Accepted(None)))
        .collect();
    In::Results(batch, results)
}
