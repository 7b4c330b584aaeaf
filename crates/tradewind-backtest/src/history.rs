//! A source with the courses of its candles: what the driver plays, one step at a time.

use tradewind_model::{BotId, Instrument, InstrumentId, MarketEvent, Price, Timestamp};

use crate::course::Course;
use crate::error::BacktestError;
use crate::levels::Levels;
use crate::point::CandlePoint;
use crate::source::{HistoryEvent, Source};

/// What is played next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Something the market did.
    Market(MarketEvent),
    /// A point of a candle's course.
    Candle(CandlePoint),
}

/// Positions of an instrument whose stop and target both lie in one candle, with their targets.
pub(crate) type Contested = (InstrumentId, Vec<(BotId, Price)>);

#[derive(Debug)]
pub(crate) struct History<'a, S> {
    source: &'a mut S,
    instruments: Vec<Instrument>,
    next: Option<(Timestamp, HistoryEvent)>,
    /// Candles being played, at most one a file.
    courses: Vec<Course>,
    has_candles: bool,
}

impl<'a, S: Source> History<'a, S> {
    pub(crate) fn new(
        source: &'a mut S,
        instruments: Vec<Instrument>,
    ) -> Result<Self, BacktestError> {
        let next = source.next_event()?;
        Ok(Self {
            source,
            instruments,
            next,
            courses: Vec::new(),
            has_candles: false,
        })
    }

    /// The next step, with these levels in force.
    #[inline]
    pub(crate) fn next(
        &mut self,
        levels: &Levels,
    ) -> Result<Option<(Timestamp, Step)>, BacktestError> {
        loop {
            if let Some(index) = self.next_course(levels) {
                let point = self.courses[index].advance(levels);
                if self.courses[index].is_over() {
                    self.courses.remove(index);
                }
                return Ok(Some((point.at, Step::Candle(point))));
            }
            let Some((at, event)) = self.next.take() else {
                return Ok(None);
            };
            self.next = self.source.next_event()?;
            match event {
                HistoryEvent::Market(event) => return Ok(Some((at, Step::Market(event)))),
                HistoryEvent::CandleStart(start) => {
                    self.has_candles = true;
                    let rules = self.instruments.get(start.candle.instrument.index());
                    self.courses
                        .extend(rules.map(|rules| Course::new(start, rules)));
                }
            }
        }
    }

    /// The course whose next point comes before everything else.
    #[inline]
    fn next_course(&self, levels: &Levels) -> Option<usize> {
        let points = self.courses.iter().map(|course| course.next_at(levels));
        let (at, index) = points.zip(0..).min()?;
        let first = self.next.as_ref().is_none_or(|(next, _)| at <= *next);
        first.then_some(index)
    }

    /// Whether candles are played: only then do levels matter.
    #[inline]
    pub(crate) const fn has_candles(&self) -> bool {
        self.has_candles
    }

    /// When the next step is.
    pub(crate) fn next_at(&self, levels: &Levels) -> Option<Timestamp> {
        let points = self.courses.iter().map(|course| course.next_at(levels));
        points.chain(self.next.as_ref().map(|(at, _)| *at)).min()
    }

    /// Chooses the order of the extremes of a candle that has opened; `None` if every order is chosen.
    pub(crate) fn choose(&mut self, levels: &Levels) -> Option<Contested> {
        self.courses
            .iter_mut()
            .find_map(|course| Some((course.instrument(), course.choose(levels)?)))
    }
}
