//! The history's steps into the shared driver, while the clock jumps from step to step.
//!
//! At one moment reports come first, then timers, then the market. An order sent with no latency meets the book as the
//! last market event left it, and its reports are handled before the next event is read. Candles are played along their
//! courses (`course.rs`), which halt where the engine closes a position.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use tradewind_driver::{Driver, NoJournal};
use tradewind_engine::{Engine, StrategySource};
use tradewind_events::{DeskView, Input, Started, Timer};
use tradewind_model::{Clock, FeedHealth, ManualClock, MarketEvent, Timestamp};
use tradewind_simx::MarketEvent as ExchangeEvent;

use crate::course::Courses;
use crate::effects::DirectEffects;
use crate::error::BacktestError;
use crate::point::CandlePoint;
use crate::report::Report;
use crate::setup::Setup;
use crate::source::{HistoryEvent, Source};

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
    let (report, _) = run_to_view(setup, strategies, source)?;
    Ok(report)
}

/// The same, with the desk as it is at the end.
///
/// # Errors
/// As [`run`].
pub fn run_to_view(
    setup: Setup,
    strategies: StrategySource,
    source: &mut impl Source,
) -> Result<(Report, DeskView), BacktestError> {
    let setup = setup.checked()?;
    let first = source.next_event()?;
    let started_at = first.as_ref().map(|(at, _)| *at).unwrap_or_default();
    let mut backtest = Backtest::start(setup, strategies, started_at)?;
    if let Some((at, event)) = &first {
        let Ok(()) = backtest.first_event(*at, event);
    }
    while let Some((at, event)) = source.next_event()? {
        let Ok(()) = backtest.event(at, &event);
    }
    let Ok(()) = backtest.play_candles(Timestamp::MAX);
    let Ok(ended) = backtest.finish(started_at);
    Ok(ended)
}

/// The desk in front of the matching core. Nothing is journaled, so that no step can fail.
struct Backtest {
    driver: Driver<Arc<ManualClock>, NoJournal, DirectEffects>,
    courses: Courses,
}

impl Backtest {
    /// Hands in the engine's first inputs: what it is, and that it starts.
    fn start(
        setup: Setup,
        strategies: StrategySource,
        at: Timestamp,
    ) -> Result<Self, BacktestError> {
        let configured = Input::Configured(Box::new(setup.configuration.clone()));
        let clock = Arc::new(ManualClock::new(at));
        let bots = setup.configuration.bots.iter();
        let sources = bots.filter_map(|bot| Some(bot.external.as_ref()?.source.clone()));
        let sources: BTreeSet<String> = sources.collect();
        let courses = Courses::new(setup.configuration.instruments.clone());
        let effects = DirectEffects::new(setup)?;
        let mut driver = Driver::new(Engine::new(strategies), clock, NoJournal, effects);
        let Ok(()) = driver.handle(&configured);
        let Ok(()) = driver.handle(&Input::Started(Started {
            instance: 0,
            epoch: 1,
            killed: false,
            former: Vec::new(),
        }));
        // What a file has is what its source sent: the source was there all the time.
        for source in sources {
            let Ok(()) = driver.handle(&Input::SourceHealth {
                source: source.into(),
                health: FeedHealth::Live,
            });
        }
        Ok(Self { driver, courses })
    }

    /// The same as [`event`](Self::event), out of line.
    #[cold]
    fn first_event(&mut self, at: Timestamp, event: &HistoryEvent) -> Result<(), Infallible> {
        self.event(at, event)
    }

    /// An event of the history, with everything that is due before it.
    #[inline(always)]
    fn event(&mut self, at: Timestamp, event: &HistoryEvent) -> Result<(), Infallible> {
        if !self.courses.is_empty() {
            self.play_candles(at)?;
        }
        match event {
            HistoryEvent::Market(event) => self.market(at, event),
            HistoryEvent::CandleStart(start) => {
                self.courses.start(*start);
                self.driver.effects_mut().levels.opened();
                Ok(())
            }
            HistoryEvent::Number(point) => self.outside(at, &Input::Series(point.clone())),
            HistoryEvent::Target(target) => self.outside(at, &Input::Target(target.clone())),
        }
    }

    /// What a house source sent, with everything that is due before it.
    #[cold]
    fn outside(&mut self, at: Timestamp, input: &Input) -> Result<(), Infallible> {
        self.driver.run_until(at)?;
        self.driver.handle(input)
    }

    /// Lets everything happen that is due before an event of the market, and then the event: at the exchange first.
    #[inline]
    fn market(&mut self, at: Timestamp, event: &MarketEvent) -> Result<(), Infallible> {
        self.driver.run_until(at)?;
        let MarketEvent::Quote(quote) = event else {
            return self.market_other(event);
        };
        let now = self.driver.clock().now();
        let effects = self.driver.effects_mut();
        effects.counters.quotes += 1;
        effects.link.quote(now, quote);
        if !effects.link.arrived.is_empty() {
            self.driver.settle()?;
        }
        // A quote owns nothing: to drop the input would only cost each quote a call.
        self.driver.handle(&ManuallyDrop::new(Input::Quote(*quote)))
    }

    /// Plays the courses of candles, and what is due meanwhile, up to `until`.
    #[cold]
    fn play_candles(&mut self, until: Timestamp) -> Result<(), Infallible> {
        loop {
            let (engine, effects) = self.driver.engine_and_effects();
            effects.levels.refresh(engine, &effects.configuration);
            let Some(next) = self.courses.next_at(&effects.levels) else {
                return Ok(());
            };
            let due = self.driver.next_due();
            let effects = self.driver.effects_mut();
            if let Some(due) = due.filter(|due| *due <= next.min(until)) {
                self.driver.run_until(due)?;
            } else if let Some((instrument, contested)) = self.courses.choose(&effects.levels) {
                effects.ambiguity.candle(instrument, contested);
            } else if next > until {
                return Ok(());
            } else if let Some(point) = self.courses.advance(&effects.levels) {
                self.driver.clock().advance_to(point.at);
                self.candle_point(point)?;
            }
        }
    }

    fn candle_point(&mut self, point: CandlePoint) -> Result<(), Infallible> {
        let quote = point.desk_quote();
        let now = self.driver.clock().now();
        let effects = self.driver.effects_mut();
        effects.counters.quotes += 1;
        effects.link.enter_point(now, point);
        self.driver.settle()?;
        self.driver.handle(&Input::Quote(quote))?;
        let effects = self.driver.effects_mut();
        effects.link.leave_point();
        effects.levels.quoted();
        Ok(())
    }

    fn market_other(&mut self, event: &MarketEvent) -> Result<(), Infallible> {
        let now = self.driver.clock().now();
        let effects = self.driver.effects_mut();
        let input = match event {
            MarketEvent::Quote(quote) => Input::Quote(*quote),
            MarketEvent::Trade(trade) => {
                effects.counters.trades += 1;
                effects.link.market(now, ExchangeEvent::Trade(*trade));
                Input::Trade(*trade)
            }
            MarketEvent::Candle(candle) => {
                effects.counters.candles += 1;
                // A strategy is fed with whole ones.
                if candle.complete {
                    effects.candles.keep(candle);
                }
                Input::Candle(*candle)
            }
            MarketEvent::Depth(depth) => {
                effects.link.market(now, ExchangeEvent::Levels(depth));
                Input::Depth(depth.clone())
            }
            MarketEvent::Health {
                instrument, health, ..
            } => Input::Health {
                instrument: *instrument,
                health: *health,
                received_at: None,
            },
        };
        self.driver.settle()?;
        self.driver.handle(&input)
    }

    /// What is still under way arrives, one last valuation, and the report.
    fn finish(mut self, started_at: Timestamp) -> Result<(Report, DeskView), Infallible> {
        while let Some(at) = self.driver.effects().link.next_at() {
            self.driver.clock().advance_to(at);
            self.driver.deliver()?;
        }
        self.driver.handle(&Input::Timer(Timer::Equity))?;
        let (engine, NoJournal, effects) = self.driver.finish()?;
        let view = engine.view();
        let report = Report::new(
            &effects.configuration,
            effects.link.models(),
            started_at,
            &view,
            &effects.link.exchange,
            effects.counters,
            &effects.ambiguity,
        );
        Ok((report, view))
    }
}
