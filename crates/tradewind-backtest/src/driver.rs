//! The driver: hands the engine its inputs and carries its outputs out, while the clock jumps from event to event.
//!
//! At one moment reports come first, then timers, then the market. An order sent with no latency meets the book as the
//! last market event left it, and its reports are handled before the next event is read. Candles are played along their
//! courses (`course.rs`), which halt where the engine closes a position.

use std::collections::VecDeque;

use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{Configuration, Input, Output, Outputs, Started};
use tradewind_model::{MarketEvent, Timestamp};
use tradewind_simx::MarketEvent as ExchangeEvent;

use crate::candle_cache::CandleCache;
use crate::counters::Counters;
use crate::course::Courses;
use crate::error::BacktestError;
use crate::levels::{Ambiguity, Levels};
use crate::link::{Link, Request};
use crate::point::CandlePoint;
use crate::report::Report;
use crate::setup::Setup;
use crate::source::{HistoryEvent, Source};
use crate::timers::Timers;

/// Runs `setup`'s desk over `source`, to its end, and reports.
///
/// # Errors
/// A setup that cannot be run, or what is wrong with the data.
///
/// ```
/// use tradewind_backtest::{BenchmarkSeries, benchmark_setup, run};
///
/// let report = run(benchmark_setup(), &mut BenchmarkSeries::new(2_000))?;
/// assert_eq!((report.quotes, report.denials.len()), (2_000, 0));
/// # Ok::<(), tradewind_backtest::BacktestError>(())
/// ```
pub fn run(setup: Setup, source: &mut impl Source) -> Result<Report, BacktestError> {
    run_with(setup, StrategySource::built_in(), source)
}

/// The same with strategies from elsewhere.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    setup: Setup,
    strategies: StrategySource,
    source: &mut impl Source,
) -> Result<Report, BacktestError> {
    let mut driver = Driver::new(setup.checked()?, strategies)?;
    let mut next = source.next_event()?;
    let started_at = next.as_ref().map(|(at, _)| *at).unwrap_or_default();
    driver.start(started_at);
    while let Some((at, event)) = next {
        if !driver.courses.is_empty() {
            driver.play_candles(at);
        }
        match &event {
            HistoryEvent::Market(event) => driver.market(at, event),
            HistoryEvent::CandleStart(start) => driver.courses.start(*start),
        }
        next = source.next_event()?;
    }
    driver.play_candles(Timestamp::MAX);
    Ok(driver.finish(started_at))
}

struct Driver {
    engine: Engine,
    link: Link,
    timers: Timers,
    candles: CandleCache,
    configuration: Configuration,
    now: Timestamp,
    /// When a timer, or something under way, is due next.
    due: Timestamp,
    outputs: Outputs,
    /// The other buffer: outputs being carried out while new ones come.
    batch: Outputs,
    answers: VecDeque<Input>,
    /// The one report input, its box used again and again.
    report: Input,
    courses: Courses,
    levels: Levels,
    ambiguity: Ambiguity,
    counters: Counters,
}

impl Driver {
    fn new(setup: Setup, strategies: StrategySource) -> Result<Self, BacktestError> {
        Ok(Self {
            engine: Engine::new(strategies),
            link: Link::new(&setup)?,
            timers: Timers::default(),
            candles: CandleCache::default(),
            now: Timestamp::EPOCH,
            due: Timestamp::MAX,
            outputs: Outputs::new(),
            batch: Outputs::new(),
            answers: VecDeque::new(),
            report: Input::Stopping,
            courses: Courses::new(setup.configuration.instruments.clone()),
            levels: Levels::default(),
            ambiguity: Ambiguity::default(),
            counters: Counters::new(setup.fills_kept),
            configuration: setup.configuration,
        })
    }

    /// The engine's first inputs: what it is, and that it starts.
    fn start(&mut self, at: Timestamp) {
        self.now = at;
        let configured = Input::Configured(Box::new(self.configuration.clone()));
        self.handle(&configured);
        self.handle(&Input::Started(Started {
            instance: 0,
            epoch: 1,
            killed: false,
        }));
    }

    #[inline]
    fn market(&mut self, at: Timestamp, event: &MarketEvent) {
        if at >= self.due {
            self.catch_up(at);
        }
        self.now = self.now.max(at);
        match event {
            MarketEvent::Quote(quote) => {
                self.counters.quotes += 1;
                self.link.quote(self.now, quote);
                if !self.link.arrived.is_empty() {
                    self.settle();
                }
                self.handle(&Input::Quote(*quote));
            }
            other => self.market_other(other),
        }
    }

    /// Plays the courses of candles, and what is due meanwhile, up to `until`.
    #[cold]
    fn play_candles(&mut self, until: Timestamp) {
        loop {
            self.levels.refresh(&self.engine, &self.configuration);
            let Some(next) = self.courses.next_at(&self.levels) else {
                return;
            };
            if self.due <= next.min(until) {
                self.catch_up(self.due);
            } else if let Some((instrument, contested)) = self.courses.choose(&self.levels) {
                self.ambiguity.candle(instrument, contested);
            } else if next > until {
                return;
            } else if let Some(point) = self.courses.advance(&self.levels) {
                self.now = self.now.max(point.at);
                self.candle_point(point);
            }
        }
    }

    fn candle_point(&mut self, point: CandlePoint) {
        let quote = point.desk_quote();
        self.counters.quotes += 1;
        self.link.enter_point(self.now, point);
        self.settle();
        self.handle(&Input::Quote(quote));
        self.link.leave_point();
        self.levels.quoted();
    }

    fn market_other(&mut self, event: &MarketEvent) {
        match event {
            MarketEvent::Quote(_) => {}
            MarketEvent::Trade(trade) => {
                self.counters.trades += 1;
                self.link.market(self.now, ExchangeEvent::Trade(*trade));
                self.settle();
                self.handle(&Input::Trade(*trade));
            }
            MarketEvent::Candle(candle) => {
                self.counters.candles += 1;
                self.candles.keep(candle);
                self.handle(&Input::Candle(*candle));
            }
            MarketEvent::Depth(depth) => {
                self.link.market(self.now, ExchangeEvent::Levels(depth));
                self.settle();
                self.handle(&Input::Depth(depth.clone()));
            }
            MarketEvent::Health {
                instrument, health, ..
            } => self.handle(&Input::Health {
                instrument: *instrument,
                health: *health,
            }),
        }
    }

    /// Lets everything happen that is due at or before `until`.
    #[cold]
    fn catch_up(&mut self, until: Timestamp) {
        loop {
            let (parcel, timer) = (self.link.next_at(), self.timers.next_at());
            let next = [parcel, timer].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= until) else {
                break;
            };
            self.now = self.now.max(at);
            if parcel == Some(at) {
                self.link.deliver();
                self.settle();
            } else if let Some((_, timer)) = self.timers.pop() {
                self.handle(&Input::Timer(timer));
            }
        }
        self.look_ahead();
    }

    fn look_ahead(&mut self) {
        let next = [self.link.next_at(), self.timers.next_at()];
        self.due = next.into_iter().flatten().min().unwrap_or(Timestamp::MAX);
    }

    /// Hands the engine an input and carries out what follows from it.
    #[inline]
    fn handle(&mut self, input: &Input) {
        self.engine.handle(self.now, input, &mut self.outputs);
        if !self.outputs.is_empty() {
            self.settle();
        }
    }

    /// Carries outputs out and hands their answers in, until nothing is left to be done at this moment.
    fn settle(&mut self) {
        loop {
            while !self.outputs.is_empty() {
                std::mem::swap(&mut self.outputs, &mut self.batch);
                let mut batch = std::mem::take(&mut self.batch);
                for output in &batch {
                    self.carry_out(output);
                }
                batch.clear();
                self.batch = batch;
            }
            if let Some(report) = self.link.arrived.pop_front() {
                match &mut self.report {
                    Input::Report(place) => **place = report,
                    place => *place = Input::Report(Box::new(report)),
                }
                self.engine
                    .handle(self.now, &self.report, &mut self.outputs);
            } else if let Some(answer) = self.answers.pop_front() {
                self.engine.handle(self.now, &answer, &mut self.outputs);
            } else {
                break;
            }
        }
        self.look_ahead();
    }

    fn carry_out(&mut self, output: &Output) {
        match *output {
            Output::Event(ref event) => {
                self.counters.note(event, self.configuration.accounts.len());
                self.ambiguity.note(event, &self.configuration.instruments);
                self.levels.note(event);
            }
            Output::Submit(ref intent, ref checked) => {
                self.link.submit(self.now, intent, checked.terms());
            }
            Output::Cancel {
                account,
                instrument,
                client_id,
                ..
            } => {
                let request = Request::Cancel(account, instrument, client_id);
                self.link.send(self.now, request);
            }
            Output::Query {
                account,
                instrument,
                client_id,
            } => {
                let request = Request::Query(account, instrument, client_id);
                self.link.send(self.now, request);
            }
            Output::Reconcile(account) => {
                let state = self.link.account(account, &self.configuration);
                self.answers.push_back(Input::Account(Box::new(state)));
            }
            Output::RequestCandles {
                instrument,
                interval,
                count,
            } => {
                let history = self.candles.newest(instrument, interval, count);
                self.answers.push_back(Input::Candles(Box::new(history)));
            }
            Output::SetTimer(at, timer) => self.timers.set(at, timer),
            Output::CancelTimer(timer) => self.timers.cancel(timer),
            // Every strategy is in the engine's own lane, and nobody gives commands.
            Output::Evaluate(_) | Output::ResetLane(_) | Output::Reply(..) => {}
        }
    }

    /// What is still under way arrives, one last valuation, and the report.
    fn finish(mut self, started_at: Timestamp) -> Report {
        while let Some(at) = self.link.next_at() {
            self.now = self.now.max(at);
            self.link.deliver();
            self.settle();
        }
        self.handle(&Input::Timer(tradewind_events::Timer::Equity));
        Report::new(
            &self.configuration,
            self.link.models(),
            started_at,
            &self.engine.view(),
            &self.link.exchange,
            self.counters,
            &self.ambiguity,
        )
    }
}
