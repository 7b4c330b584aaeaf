//! The desk's driver under a clock that is moved, with a venue that fills every order whole at the touch.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tradewind_driver::{Driver, Effect, Effects, Journal as DriverJournal};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{
    AccountState, BotState, CommandId, CommandResult, Configuration, EvaluationRequest, Event,
    Input, Intent, Started,
};
use tradewind_journal::{Disk, Journal, Options};
use tradewind_model::{
    Amount, AssetId, BotId, ExecutionReport, Fill, Liquidity, ManualClock, Money, OrderTerms,
    Quote, ReportKind, Timestamp, TradeId, VenueOrderId,
};

use crate::world::{News, START, World};

/// The desk under test.
pub(crate) struct Desk {
    pub(crate) driver: Driver<Arc<ManualClock>, Inputs, Venue>,
}

/// A journal, or none.
pub(crate) struct Inputs {
    pub(crate) journal: Option<(RefCell<Journal>, TempDir)>,
    /// Inputs between two writes.
    each: usize,
    /// Whether intents and events are journaled too, as a desk does.
    with_outcomes: bool,
    unwritten: usize,
}

impl Inputs {
    fn new(written_each: Option<usize>) -> Self {
        let journal = written_each.map(|_| {
            let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
            let options = Options::default();
            let (journal, _) = Journal::open(Arc::new(Disk), dir.path(), &options, START).unwrap();
            (RefCell::new(journal), dir)
        });
        Self {
            journal,
            each: written_each.unwrap_or_default(),
            with_outcomes: false,
            unwritten: 0,
        }
    }
}

impl DriverJournal for Inputs {
    type Error = Infallible;

    const INPUTS_PER_WRITE: usize = 1;

    fn append_input(&mut self, seq: u64, at: Timestamp, input: &Input) -> Result<(), Infallible> {
        if let Some((journal, _)) = &mut self.journal {
            journal.get_mut().append_input(seq, at, input).unwrap();
            self.unwritten += 1;
        }
        Ok(())
    }

    fn append_intent(
        &mut self,
        seq: u64,
        at: Timestamp,
        intent: &Intent,
    ) -> Result<(), Infallible> {
        if let Some((journal, _)) = self.journal.as_mut().filter(|_| self.with_outcomes) {
            journal.get_mut().append_intent(seq, at, intent).unwrap();
        }
        Ok(())
    }

    fn append_event(&mut self, event: &Event) -> Result<(), Infallible> {
        if let Some((journal, _)) = self.journal.as_mut().filter(|_| self.with_outcomes) {
            journal.get_mut().append_event(event).unwrap();
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), Infallible> {
        if let Some((journal, _)) = &mut self.journal
            && self.unwritten >= self.each
        {
            journal.get_mut().flush().unwrap();
            self.unwritten = 0;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn durable(&self) -> u64 {
        u64::MAX
    }
}

/// Answers every request at once.
pub(crate) struct Venue {
    world: World,
    quotes: Vec<Option<Quote>>,
    usdt: AssetId,
    answers: VecDeque<Input>,
    /// Orders so far, all of them filled.
    orders: u64,
}

impl Effects for Venue {
    fn perform(&mut self, now: Timestamp, effect: Effect) {
        match effect {
            Effect::Submit(intent, _) => self.fill(now, &intent.terms),
            Effect::Reconcile(account) | Effect::Sweep(account) => {
                self.answers
                    .push_back(Input::Account(Box::new(AccountState {
                        account,
                        balances: vec![(self.usdt, Amount::whole(100_000))],
                        open_orders: Vec::new(),
                        fills: Vec::new(),
                    })));
            }
            Effect::Candles {
                instrument,
                interval,
                count,
            } => {
                let history = self.world.history(instrument, interval, count);
                self.answers.push_back(Input::Candles(Box::new(history)));
            }
            Effect::Cancel { .. }
            | Effect::Withdraw { .. }
            | Effect::Query { .. }
            | Effect::RenewStream(_)
            | Effect::Book { .. } => {}
        }
    }

    fn next_answer(&mut self, answer: &mut Input) -> bool {
        let next = self.answers.pop_front();
        next.is_some_and(|next| {
            *answer = next;
            true
        })
    }

    fn publish(&mut self, _: &Event) {}

    fn reply(&mut self, _: CommandId, _: CommandResult) {}

    fn evaluate(&mut self, _: Box<EvaluationRequest>) {}

    fn reset(&mut self, _: BotId) {}
}

impl Desk {
    /// A desk whose account holds 100,000 USDT and whose bots wait for their turn to start.
    pub(crate) fn start(
        configuration: Configuration,
        written_each: Option<usize>,
        world: World,
    ) -> Self {
        Self::start_with(configuration, Inputs::new(written_each), world)
    }

    /// The same with a journal that holds intents and events too, to be replayed.
    pub(crate) fn start_recorded(
        configuration: Configuration,
        written_each: usize,
        world: World,
    ) -> Self {
        let inputs = Inputs {
            with_outcomes: true,
            ..Inputs::new(Some(written_each))
        };
        Self::start_with(configuration, inputs, world)
    }

    fn start_with(configuration: Configuration, journal: Inputs, world: World) -> Self {
        let strategies = StrategySource::new(|bot| {
            tradewind_strategy::build(&bot.strategy, &bot.parameters, bot.instruments.len())
        });
        let venue = Venue {
            world,
            quotes: vec![None; configuration.instruments.len()],
            usdt: configuration.report_asset,
            answers: VecDeque::new(),
            orders: 0,
        };
        let clock = Arc::new(ManualClock::new(START));
        let mut driver = Driver::new(Engine::new(strategies), clock, journal, venue);
        let Ok(()) = driver.handle(&Input::Configured(Box::new(configuration)));
        let Ok(()) = driver.handle(&Input::Started(Started {
            instance: 7,
            epoch: 1,
            killed: false,
            former: Vec::new(),
        }));
        Self { driver }
    }

    pub(crate) fn next_second(&mut self) -> News {
        self.driver.effects_mut().world.next_second()
    }

    /// The part that is timed: each quote as a turn of its own, with all that follows from it.
    pub(crate) fn quotes(&mut self, quotes: &[(Timestamp, Quote)]) -> Duration {
        let started = Instant::now();
        for (at, quote) in quotes {
            self.driver.clock().advance_to(*at);
            self.driver.effects_mut().quotes[quote.instrument.index()] = Some(*quote);
            let Ok(()) = self.driver.handle(&Input::Quote(*quote));
        }
        started.elapsed()
    }

    /// Moves the clock to `until` and rings what is due by then.
    pub(crate) fn ring(&mut self, until: Timestamp) {
        let Ok(()) = self.driver.run_until(until);
    }

    pub(crate) fn input(&mut self, input: &Input) {
        let Ok(()) = self.driver.handle(input);
    }

    /// How many bots are at work.
    pub(crate) fn running(&self) -> usize {
        let bots = self.driver.engine().view().bots;
        let running = bots.iter().filter(|bot| bot.state == BotState::Running);
        running.count()
    }

    pub(crate) const fn orders(&self) -> u64 {
        self.driver.effects().orders
    }
}

impl Venue {
    fn fill(&mut self, now: Timestamp, terms: &OrderTerms) {
        self.orders += 1;
        let quote = self.quotes[terms.instrument.index()].unwrap();
        let fill = Fill {
            account: terms.account,
            instrument: terms.instrument,
            trade_id: TradeId(self.orders),
            venue_order_id: VenueOrderId(self.orders),
            client_id: terms.client_id,
            side: terms.side,
            price: terms
                .kind
                .limit()
                .unwrap_or(quote.opposite_side(terms.side)),
            quantity: terms.quantity,
            fee: Money {
                asset: self.usdt,
                amount: Amount::ZERO,
            },
            liquidity: Liquidity::Taker,
            event_time: now,
        };
        self.answers
            .push_back(Input::Report(Box::new(ExecutionReport {
                account: terms.account,
                instrument: terms.instrument,
                client_id: terms.client_id,
                venue_order_id: Some(fill.venue_order_id),
                kind: ReportKind::Filled(fill),
                cumulative: Some(terms.quantity),
                event_time: Some(now),
            })));
    }
}
