//! Engine, executor and venue under one virtual clock.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use tradewind_events::{AccountState, Configuration, Input, Output, StreamChange};
use tradewind_model::{
    Amount, BotId, Interval, OrderPolicy, Ppm, Stop, StopOrders, Timestamp, TradeId,
};
use tradewind_testkit::{
    ACCOUNT, Answer, BTC, Desk, SPOT, Script, USDT, bot, configuration, quote, spot,
};
use tradewind_venues::execution::{
    AccountSnapshot, ExecutionVenue, Executor, ExecutorInput, ExecutorOutput, ExecutorSettings,
    RequestId, TradeCursor, VenueRequest, VenueResponse, Waits,
};
use tradewind_venues::{RetryLimits, VenueError};

use crate::venue::{Answers, DirectVenue};

/// Between a request and its arrival, and between an answer and its arrival.
const LATENCY: Duration = Duration::from_millis(40);
/// Between two quotes.
const QUOTE_EVERY: Duration = Duration::from_secs(1);

/// What is on its way.
#[derive(Debug)]
enum Arrival {
    Venue(RequestId, VenueRequest),
    Executor(RequestId, VenueResponse),
    Engine(Input),
}

/// A desk of one bot, its executor and its venue.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) executor: Executor,
    pub(crate) venue: DirectVenue,
    /// Everything that crossed the executor's border, with its time.
    pub(crate) trace: String,
    answers: Answers,
    script: Script,
    on_the_way: BTreeMap<(Timestamp, u64), Arrival>,
    sent: u64,
    taken: usize,
    /// Of this many answers to orders the last one is lost; zero loses none.
    answers_lost_every: u64,
    orders: u64,
}

impl World {
    /// A desk whose account has 100,000 `USDT`, before its account was read.
    pub(crate) fn start(answers_lost_every: u64) -> Self {
        Self::configured(small(), answers_lost_every)
    }

    /// The same with a stop in the bot's exit plan, far away, and one at the venue beyond it.
    pub(crate) fn with_stops(answers_lost_every: u64) -> Self {
        let mut configuration = small();
        configuration.bots[0].exit.stop = Stop::Distance(Ppm(100_000));
        configuration.instruments[0].stop_orders = StopOrders::Market;
        configuration.venue_stop_distance = Some(Ppm(1_250_000));
        Self::configured(configuration, answers_lost_every)
    }

    fn configured(configuration: Configuration, answers_lost_every: u64) -> Self {
        let (script, answers) = (Script::default(), Answers::default());
        let settings = ExecutorSettings {
            account: ACCOUNT,
            rate: configuration.limits.account_order_rate,
            instruments: vec![TradeCursor {
                instrument: SPOT,
                base: BTC,
                quote: USDT,
                from: TradeId(0),
            }],
            waits: Waits::default(),
            retries: RetryLimits::default(),
            seed: 0,
        };
        let balances = [(USDT, Amount::whole(100_000))];
        let mut world = Self {
            desk: Desk::unreconciled(configuration, script.strategies()),
            executor: Executor::new(settings),
            venue: DirectVenue::new(vec![spot()], &balances, answers.clone()),
            trace: String::new(),
            answers,
            script,
            on_the_way: BTreeMap::new(),
            sent: 0,
            taken: 0,
            answers_lost_every,
            orders: 0,
        };
        let up = Input::AccountStream {
            account: ACCOUNT,
            change: Box::new(StreamChange::Up),
        };
        world.travel(Arrival::Engine(up));
        world.effects();
        world
    }

    /// Lets time pass; every second there is a quote, and the bot turns around on every tenth.
    pub(crate) fn run(&mut self, span: Duration) {
        let until = self.desk.now + span;
        let mut second = 0;
        while self.desk.now < until {
            second += 1;
            self.advance_to(self.desk.now + QUOTE_EVERY);
            if second % 10 == 0 {
                let exposure = if second % 20 == 0 { 0 } else { 300_000 };
                self.script.say(BotId(0), Answer::target(exposure));
            }
            self.quote(second);
        }
    }

    /// Lets what is on its way arrive and every query end.
    pub(crate) fn settle(&mut self) {
        for second in 0..120 {
            self.advance_to(self.desk.now + QUOTE_EVERY);
            self.quote(second);
        }
    }

    fn quote(&mut self, second: i64) {
        let mid = 10_000 + (second * 37) % 101 - 50;
        let quote = quote(SPOT, mid - 1, mid + 1, self.desk.now);
        self.venue.at(self.desk.now);
        self.venue.quote(&quote);
        self.stream();
        self.desk.input(&Input::Quote(quote));
        self.effects();
    }

    /// Moves the clock from one thing that happens to the next.
    fn advance_to(&mut self, until: Timestamp) {
        loop {
            let arrives = self.on_the_way.first_key_value().map(|((at, _), _)| *at);
            let next = [arrives, self.executor.wake_at()]
                .into_iter()
                .flatten()
                .min();
            let Some(at) = next.filter(|at| *at <= until) else {
                break;
            };
            self.desk.advance(at.since(self.desk.now));
            self.effects();
            if arrives == Some(at) {
                self.arrive();
            } else {
                self.execute(ExecutorInput::Tick);
            }
        }
        self.desk.advance(until.since(self.desk.now));
        self.effects();
    }

    fn arrive(&mut self) {
        let Some((_, arrival)) = self.on_the_way.pop_first() else {
            return;
        };
        match arrival {
            Arrival::Venue(id, request) => {
                self.venue.at(self.desk.now);
                self.venue.begin(id, request);
                for (id, response) in self.answers.take() {
                    let response = self.perhaps_lost(response);
                    self.travel(Arrival::Executor(id, response));
                }
                self.stream();
            }
            Arrival::Executor(id, response) => {
                self.execute(ExecutorInput::Response(id, response));
            }
            Arrival::Engine(input) => {
                self.desk.input(&input);
                self.effects();
            }
        }
    }

    fn perhaps_lost(&mut self, response: VenueResponse) -> VenueResponse {
        if !matches!(response, VenueResponse::Submitted(_)) || self.answers_lost_every == 0 {
            return response;
        }
        self.orders += 1;
        if self.orders.is_multiple_of(self.answers_lost_every) {
            VenueResponse::Failed(VenueError::Timeout(LATENCY))
        } else {
            response
        }
    }

    /// Sends what the account's stream reports. While answers are lost so is the stream: only a query finds out then.
    fn stream(&mut self) {
        for report in self.venue.take_stream() {
            if self.answers_lost_every == 0 {
                self.travel(Arrival::Engine(Input::Report(Box::new(report))));
            }
        }
    }

    fn travel(&mut self, arrival: Arrival) {
        self.sent += 1;
        let at = self.desk.now + LATENCY;
        self.on_the_way.insert((at, self.sent), arrival);
    }

    /// Hands the engine's new outputs to the executor.
    fn effects(&mut self) {
        while let Some(output) = self.desk.log.get(self.taken).cloned() {
            self.taken += 1;
            let input = match output {
                Output::Submit(intent, order) => ExecutorInput::Submit(order, intent.bot),
                Output::Cancel {
                    instrument,
                    client_id,
                    ..
                } => ExecutorInput::Cancel {
                    instrument,
                    client_id,
                },
                Output::Withdraw { client_id, .. } => ExecutorInput::Withdraw(client_id),
                Output::Query {
                    instrument,
                    client_id,
                    ..
                } => ExecutorInput::Query {
                    instrument,
                    client_id,
                },
                Output::Reconcile(_) => ExecutorInput::ReadAccount,
                Output::Sweep(_) => ExecutorInput::SweepAccount,
                _ => continue,
            };
            self.execute(input);
        }
    }

    fn execute(&mut self, input: ExecutorInput) {
        let mut out = Vec::new();
        let now = self.desk.now;
        writeln!(self.trace, "{now} > {input:?}").unwrap();
        self.executor.handle(now, input, &mut out);
        for output in out {
            writeln!(self.trace, "{now} < {output:?}").unwrap();
            match output {
                ExecutorOutput::Begin(id, request) => self.travel(Arrival::Venue(id, request)),
                ExecutorOutput::Report(report) => {
                    self.desk.input(&Input::Report(Box::new(report)));
                }
                ExecutorOutput::Account(read) => {
                    self.desk.input(&Input::Account(Box::new(account(read))));
                }
                ExecutorOutput::Candles { .. }
                | ExecutorOutput::Book { .. }
                | ExecutorOutput::Withdraw(_)
                | ExecutorOutput::Fault(_) => {}
            }
        }
        self.effects();
    }
}

/// One instrument and one bot that is woken by quotes and enters at market.
fn small() -> Configuration {
    let mut bot = bot(0);
    bot.policy = OrderPolicy::Market;
    bot.wakes
        .retain(|wake| *wake != tradewind_events::WakeRule::Candles(Interval::Minute1));
    let mut configuration = configuration();
    configuration.instruments = vec![spot()];
    configuration.fee = Ppm(1_000);
    configuration.bots = vec![bot];
    configuration
}

/// The account as the engine takes it over at its first start: nothing was traded before.
fn account(read: AccountSnapshot) -> AccountState {
    AccountState {
        account: read.account,
        balances: read
            .balances
            .iter()
            .map(|held| (held.asset, held.free + held.locked))
            .collect(),
        open_orders: Vec::new(),
        fills: read.fills.into_iter().map(|fill| (fill, None)).collect(),
    }
}
