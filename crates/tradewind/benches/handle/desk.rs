//! A driver for the benchmark: inputs in, timers rung, histories answered, orders filled whole at the touch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tradewind_driver::Timers;
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{AccountState, BotState, Configuration, Input, Output, Outputs, Started};
use tradewind_journal::{Disk, Journal, Options};
use tradewind_model::{
    AccountId, Amount, AssetId, ExecutionReport, Fill, Liquidity, Money, OrderTerms, Quote,
    ReportKind, Timestamp, TradeId, VenueOrderId,
};

use crate::world::{START, World};

/// The desk under test.
pub(crate) struct Desk {
    engine: Engine,
    out: Outputs,
    timers: Timers,
    now: Timestamp,
    quotes: Vec<Option<Quote>>,
    usdt: AssetId,
    written: Option<Written>,
    /// Orders so far, all of them filled.
    pub(crate) orders: u64,
}

/// A journal of all inputs.
struct Written {
    journal: Journal,
    /// Inputs between two writes.
    each: usize,
    _dir: TempDir,
}

impl Written {
    fn new(each: usize) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let options = Options::default();
        let (journal, _) = Journal::open(Arc::new(Disk), dir.path(), &options, START).unwrap();
        Self {
            journal,
            each,
            _dir: dir,
        }
    }
}

impl Desk {
    /// A desk whose account holds 100,000 USDT and whose bots wait for their turn to start.
    pub(crate) fn start(
        configuration: Configuration,
        written_each: Option<usize>,
        world: &mut World,
    ) -> Self {
        let usdt = configuration.report_asset;
        let strategies = StrategySource::new(|bot| {
            tradewind_strategy::build(&bot.strategy, &bot.parameters, bot.instruments.len())
        });
        let mut desk = Self {
            engine: Engine::new(strategies),
            out: Outputs::new(),
            timers: Timers::default(),
            now: START,
            quotes: vec![None; configuration.instruments.len()],
            usdt,
            written: written_each.map(Written::new),
            orders: 0,
        };
        desk.input(&Input::Configured(Box::new(configuration)), world);
        let started = Started {
            instance: 7,
            epoch: 1,
            killed: false,
        };
        desk.input(&Input::Started(started), world);
        let account = AccountState {
            account: AccountId(0),
            balances: vec![(usdt, Amount::whole(100_000))],
            open_orders: Vec::new(),
            fills: Vec::new(),
        };
        desk.input(&Input::Account(Box::new(account)), world);
        desk
    }

    /// The part that is timed.
    pub(crate) fn quotes(&mut self, quotes: &[(Timestamp, Quote)]) -> Duration {
        let started = Instant::now();
        for (number, (at, quote)) in quotes.iter().enumerate() {
            let input = Input::Quote(*quote);
            if let Some(written) = &mut self.written {
                let seq = self.engine.seq() + 1;
                written.journal.append_input(seq, *at, &input).unwrap();
                if number % written.each == written.each - 1 {
                    written.journal.flush().unwrap();
                }
            }
            self.engine.handle(*at, &input, &mut self.out);
        }
        let spent = started.elapsed();
        for (at, quote) in quotes {
            self.now = self.now.max(*at);
            self.quotes[quote.instrument.index()] = Some(*quote);
        }
        spent
    }

    /// Moves the clock to `until` and rings what becomes due on the way, each at its time.
    pub(crate) fn ring(&mut self, until: Timestamp, world: &mut World) {
        while let Some(due) = self.timers.next_due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            if let Some(timer) = self.timers.pop_due(due) {
                self.input(&Input::Timer(timer), world);
            }
        }
        self.now = self.now.max(until);
    }

    /// Hands the engine one input and does what comes of it.
    pub(crate) fn input(&mut self, input: &Input, world: &mut World) {
        self.handle(input);
        self.settle(world);
    }

    /// Does what the engine asked for so far, until it asks for nothing more.
    pub(crate) fn settle(&mut self, world: &mut World) {
        while !self.out.is_empty() {
            for output in std::mem::take(&mut self.out) {
                match output {
                    Output::SetTimer(at, timer) => self.timers.set(at, timer),
                    Output::CancelTimer(timer) => self.timers.cancel(timer),
                    Output::Submit(intent, _) => self.fill(&intent.terms),
                    Output::RequestCandles {
                        instrument,
                        interval,
                        count,
                    } => {
                        let history = world.history(instrument, interval, count);
                        self.handle(&Input::Candles(Box::new(history)));
                    }
                    _ => {}
                }
            }
        }
    }

    /// How many bots are at work.
    pub(crate) fn running(&self) -> usize {
        let bots = self.engine.view().bots;
        let running = bots.iter().filter(|bot| bot.state == BotState::Running);
        running.count()
    }

    fn handle(&mut self, input: &Input) {
        if let Some(written) = &mut self.written {
            let seq = self.engine.seq() + 1;
            written.journal.append_input(seq, self.now, input).unwrap();
            written.journal.flush().unwrap();
        }
        self.engine.handle(self.now, input, &mut self.out);
    }

    fn fill(&mut self, terms: &OrderTerms) {
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
            event_time: self.now,
        };
        let report = ExecutionReport {
            account: terms.account,
            instrument: terms.instrument,
            client_id: terms.client_id,
            venue_order_id: Some(fill.venue_order_id),
            kind: ReportKind::Filled(fill),
            cumulative: Some(terms.quantity),
            event_time: Some(self.now),
        };
        self.handle(&Input::Report(Box::new(report)));
    }
}
