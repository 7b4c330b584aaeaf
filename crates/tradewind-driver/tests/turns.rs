//! Turns of the driver over a journal and effects that record their calls.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tradewind_driver::{Batch, Driver, Effect, Effects, Journal};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{
    AccountState, Action, Command, CommandId, CommandResult, EvaluationRequest, Event, EventKind,
    Input, Intent, Principal, Started,
};
use tradewind_model::{
    Amount, BotId, ClientOrderId, Clock, Depth, EventId, FeedHealth, ManualClock, OrderKind,
    Quantity, Quote, Side, Timestamp, Trade, TradeId,
};
use tradewind_risk::Scope;
use tradewind_testkit::{ACCOUNT, SPOT, START, USDT, candle, configuration, quote};

/// What happened, in order.
type Log = Rc<RefCell<Vec<String>>>;

struct WrittenDown {
    log: Log,
    unwritten: usize,
    /// Syncs that have begun and not ended; the test ends them.
    syncing: Rc<RefCell<Option<u64>>>,
    durable: Rc<RefCell<u64>>,
    last: u64,
    inline: bool,
}

impl WrittenDown {
    fn note(&self, what: impl Into<String>) {
        self.log.borrow_mut().push(what.into());
    }
}

impl Journal for WrittenDown {
    type Error = Infallible;

    const INPUTS_PER_WRITE: usize = 256;

    fn append_input(&mut self, seq: u64, _: Timestamp, input: &Input) -> Result<(), Infallible> {
        self.unwritten += 1;
        self.last = seq;
        let text = format!("{input:?}");
        let name = text.split(|letter: char| !letter.is_alphanumeric()).next();
        self.note(format!("input {}", name.unwrap_or_default()));
        Ok(())
    }

    fn append_intent(&mut self, _: u64, _: Timestamp, _: &Intent) -> Result<(), Infallible> {
        self.note("intent");
        Ok(())
    }

    fn append_event(&mut self, _: &Event) -> Result<(), Infallible> {
        Ok(())
    }

    fn write(&mut self) -> Result<(), Infallible> {
        if std::mem::take(&mut self.unwritten) > 0 {
            self.note("write");
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        self.note("sync");
        if self.inline {
            *self.durable.borrow_mut() = self.last;
        } else {
            *self.syncing.borrow_mut() = Some(self.last);
        }
        Ok(())
    }

    fn durable(&self) -> u64 {
        *self.durable.borrow()
    }
}

struct Noted {
    log: Log,
    answers: VecDeque<Input>,
}

impl Noted {
    fn note(&self, what: impl Into<String>) {
        self.log.borrow_mut().push(what.into());
    }
}

impl Effects for Noted {
    fn perform(&mut self, _: Timestamp, effect: Effect) {
        match effect {
            Effect::Submit(..) => self.note("submit"),
            Effect::Cancel { .. } => self.note("cancel"),
            Effect::Withdraw { .. } => self.note("withdraw"),
            Effect::Query { .. } => self.note("query"),
            Effect::Reconcile(account) => {
                self.note("reconcile");
                let state = AccountState {
                    account,
                    balances: vec![(USDT, Amount::whole(100_000))],
                    open_orders: Vec::new(),
                    fills: Vec::new(),
                };
                self.answers.push_back(Input::Account(Box::new(state)));
            }
            Effect::Sweep(_) => self.note("sweep"),
            Effect::RenewStream(_) => self.note("renew stream"),
            Effect::Candles { .. } => self.note("candles"),
            Effect::Book { .. } => self.note("book"),
        }
    }

    fn publish(&mut self, event: &Event) {
        if matches!(event.kind, EventKind::OrderPlaced { .. }) {
            self.note("event order_placed");
        }
    }

    fn reply(&mut self, _: CommandId, result: CommandResult) {
        match result {
            CommandResult::Accepted(_) => self.note("reply"),
            CommandResult::Killed { durable, .. } => self.note(format!("killed {durable}")),
            CommandResult::Refused(why) => panic!("{why}"),
        }
    }

    fn evaluate(&mut self, _: Box<EvaluationRequest>) {
        self.note("evaluate");
    }

    fn reset(&mut self, _: BotId) {}

    fn wants_quotes(&self) -> bool {
        true
    }

    fn publish_quote(&mut self, id: EventId, _: Timestamp, quote: &Quote) {
        self.note(format!("quote {} under {}", quote.bid.0, id.seq));
    }

    fn next_answer(&mut self, answer: &mut Input) -> bool {
        self.answers.pop_front().is_some_and(|next| {
            *answer = next;
            true
        })
    }
}

struct Rig {
    driver: Driver<Arc<ManualClock>, WrittenDown, Noted>,
    log: Log,
    syncing: Rc<RefCell<Option<u64>>>,
    durable: Rc<RefCell<u64>>,
    commands: CommandId,
}

impl Rig {
    /// A desk without bots that was started and has read its account. Syncs end within the call or by the test.
    fn new(inline: bool) -> Self {
        let log = Log::default();
        let (syncing, durable) = (Rc::default(), Rc::default());
        let journal = WrittenDown {
            log: Rc::clone(&log),
            unwritten: 0,
            syncing: Rc::clone(&syncing),
            durable: Rc::clone(&durable),
            last: 0,
            inline,
        };
        let effects = Noted {
            log: Rc::clone(&log),
            answers: VecDeque::new(),
        };
        let engine = Engine::new(StrategySource::built_in());
        let clock = Arc::new(ManualClock::new(START));
        let mut rig = Self {
            driver: Driver::new(engine, clock, journal, effects),
            log,
            syncing,
            durable,
            commands: 0,
        };
        let started = Started {
            instance: 7,
            epoch: 1,
            killed: false,
            former: Vec::new(),
        };
        let Ok(()) = rig
            .driver
            .handle(&Input::Configured(Box::new(configuration())));
        let Ok(()) = rig.driver.handle(&Input::Started(started));
        rig.turn(Batch {
            quotes: vec![quote(SPOT, 10_000, 10_001, START)],
            ..Batch::default()
        });
        rig.taken();
        rig
    }

    fn turn(&mut self, mut batch: Batch) -> Batch {
        let Ok(()) = self.driver.turn(&mut batch);
        batch
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.borrow_mut())
    }

    fn command(&mut self, action: Action) -> Input {
        self.commands += 1;
        Input::Command(Box::new(Command {
            id: self.commands,
            principal: Principal::Local,
            issued_at: START,
            expires_at: None,
            action,
        }))
    }

    fn order(&mut self) -> Input {
        self.command(Action::PlaceOrder {
            account: ACCOUNT,
            instrument: SPOT,
            side: Side::Buy,
            quantity: Quantity(100_000),
            kind: OrderKind::Market,
        })
    }

    fn only_order(&self) -> ClientOrderId {
        let orders = self.driver.engine().view().orders;
        orders.last().expect("an order is open").terms.client_id
    }
}

fn trade(id: u64) -> Input {
    Input::Trade(Trade {
        instrument: SPOT,
        taker: Side::Buy,
        id: TradeId(id),
        price: tradewind_model::Price(10_000),
        quantity: Quantity(1),
        event_time: None,
        received_at: START,
    })
}

#[test]
fn an_intent_is_synced_before_its_order_and_an_answer_comes_after_its_events() {
    let mut rig = Rig::new(true);
    let order = rig.order();
    rig.turn(Batch {
        control: [order].into(),
        ..Batch::default()
    });
    assert_eq!(
        rig.taken(),
        [
            "input Command",
            "intent",
            "write",
            "sync",
            "submit",
            "event order_placed",
            "reply",
        ]
    );
}

#[test]
fn an_order_waits_for_a_sync_that_runs_elsewhere_and_nothing_else_does() {
    let mut rig = Rig::new(false);
    let order = rig.order();
    rig.turn(Batch {
        control: [order].into(),
        ..Batch::default()
    });
    assert!(!rig.taken().contains(&"submit".to_owned()));
    rig.turn(Batch {
        quotes: vec![quote(SPOT, 10_002, 10_003, START)],
        ..Batch::default()
    });
    let seq = rig.driver.engine().seq();
    assert_eq!(
        rig.taken(),
        [
            "input Quote".to_owned(),
            "write".to_owned(),
            format!("quote 10002 under {seq}"),
        ]
    );
    *rig.durable.borrow_mut() = rig.syncing.borrow().expect("a sync began");
    rig.turn(Batch::default());
    assert_eq!(rig.taken(), ["submit"]);
}

/// H04: an order that waits for its sync when its part of the desk is killed never leaves.
#[test]
fn an_order_that_is_cancelled_while_it_waits_for_its_sync_never_leaves() {
    let kill = Action::KillScope {
        scope: Scope::Account(ACCOUNT),
        reason: "drill".to_owned(),
    };
    for (by, answer) in [(None, "reply"), (Some(kill), "killed true")] {
        let mut rig = Rig::new(false);
        let order = rig.order();
        rig.turn(Batch {
            control: [order].into(),
            ..Batch::default()
        });
        rig.taken();
        let by = by.unwrap_or_else(|| Action::CancelOrder(rig.only_order()));
        let cancel = rig.command(by);
        rig.turn(Batch {
            control: [cancel].into(),
            ..Batch::default()
        });
        *rig.durable.borrow_mut() = rig.syncing.borrow().expect("a sync began");
        rig.turn(Batch::default());
        let taken = rig.taken();
        let has = |what: &str| taken.iter().any(|taken| taken == what);
        assert!(!has("submit") && !has("cancel"), "{taken:?}");
        assert!(has("input Report") && has(answer), "{taken:?}");
        assert!(rig.driver.engine().view().orders.is_empty());
    }
}

/// H04: a kill is answered once it is durable; where the disk does not take it, the answer says so.
#[test]
fn a_kill_says_that_it_is_durable_only_once_it_is() {
    let kill = || Action::KillScope {
        scope: Scope::Account(ACCOUNT),
        reason: "drill".to_owned(),
    };
    let answers = |rig: &Rig| {
        let mut taken = rig.taken();
        taken.retain(|what| what == "sync" || what.starts_with("killed"));
        taken
    };
    for is_taken in [true, false] {
        let mut rig = Rig::new(false);
        let killed = rig.command(kill());
        rig.turn(Batch {
            control: [killed].into(),
            ..Batch::default()
        });
        assert_eq!(answers(&rig), ["sync"], "the answer waits");
        let now = rig.driver.clock().now();
        if is_taken {
            *rig.durable.borrow_mut() = rig.syncing.borrow().expect("a sync began");
            rig.turn(Batch::default());
            assert_eq!(answers(&rig), ["killed true"]);
            continue;
        }
        let second = now + Duration::from_secs(1);
        assert!(rig.driver.next_due() <= Some(second));
        let Ok(()) = rig.driver.run_until(second - Duration::from_nanos(1));
        assert!(answers(&rig).is_empty());
        let Ok(()) = rig.driver.run_until(second);
        assert_eq!(answers(&rig), ["killed false"]);
    }
    let mut rig = Rig::new(true);
    let killed = rig.command(kill());
    rig.turn(Batch {
        control: [killed].into(),
        ..Batch::default()
    });
    assert_eq!(answers(&rig), ["sync", "killed true"]);
}

#[test]
fn control_comes_first_then_trades_in_order_with_candles_then_books_and_quotes() {
    let mut rig = Rig::new(true);
    let health = FeedHealth::Gap;
    let depth = Depth {
        instrument: SPOT,
        bids: Vec::new(),
        asks: Vec::new(),
        received_at: START,
    };
    let left = rig.turn(Batch {
        control: [Input::Resync].into(),
        market_lost: 3,
        market: [
            trade(1),
            Input::Candle(candle(0, 10_000)),
            Input::Health {
                instrument: SPOT,
                health,
                received_at: None,
            },
            trade(2),
        ]
        .into(),
        depths: vec![Box::new(depth)],
        quotes: vec![quote(SPOT, 10_000, 10_001, START)],
    });
    assert!(left.is_empty());
    let inputs: Vec<String> = rig
        .taken()
        .into_iter()
        .filter(|what| what.starts_with("input"))
        .collect();
    assert_eq!(
        inputs,
        [
            "input Resync",
            "input TradesLost",
            "input Trade",
            "input Candle",
            "input Health",
            "input Trade",
            "input Depth",
            "input Quote",
        ]
    );
}

#[test]
fn a_turn_takes_a_slice_of_trades_and_keeps_the_rest_and_the_quotes_behind_it() {
    let mut rig = Rig::new(true);
    let batch = Batch {
        market: (0..600).map(trade).collect(),
        quotes: vec![quote(SPOT, 10_000, 10_001, START)],
        ..Batch::default()
    };
    let batch = rig.turn(batch);
    assert_eq!((batch.market.len(), batch.quotes.len()), (344, 1));
    let batch = rig.turn(batch);
    assert_eq!((batch.market.len(), batch.quotes.len()), (88, 1));
    let batch = rig.turn(batch);
    assert!(batch.is_empty());
    let writes = rig.taken().iter().filter(|what| *what == "write").count();
    assert_eq!(writes, 3, "one write for each slice");
}

#[test]
fn an_answer_that_is_there_at_once_is_handled_in_the_same_turn() {
    let mut rig = Rig::new(true);
    let Ok(()) = rig.driver.handle(&Input::Started(Started {
        instance: 7,
        epoch: 2,
        killed: false,
        former: Vec::new(),
    }));
    assert_eq!(
        rig.taken(),
        [
            "input Started",
            "write",
            "reconcile",
            "input Account",
            "write"
        ]
    );
}

#[test]
fn timers_ring_at_their_times_when_the_clock_is_moved() {
    let mut rig = Rig::new(true);
    let due = rig.driver.next_due().expect("a timer is set");
    let Ok(()) = rig.driver.run_until(due - Duration::from_nanos(1));
    assert!(rig.taken().is_empty());
    let later = due + Duration::from_secs(60);
    let Ok(()) = rig.driver.run_until(later);
    assert!(rig.taken().iter().any(|what| what == "input Timer"));
    assert_eq!(rig.driver.clock().now(), later);
    assert!(rig.driver.engine().now() <= later);
    assert!(rig.driver.next_due() > Some(later));
}
