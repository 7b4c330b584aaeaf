//! The course of a candle: the points at which its market is quoted, from its open to its close.
//!
//! The quotes stand at the open, at a quarter of the interval, at its half and a millisecond before its end, in the order
//! open, low, high, close where the candle rises and open, high, low, close where it falls. Where a stop lies in the
//! candle the low comes first: if the target lies in it as well, the stop wins. On the way from one point to the next the
//! course halts at each level where the engine closes a position, so that the position is closed there and not at the
//! extreme, and where a waiting buy is filled.
//!
//! It is a course that could have been, not the one that was: nothing else is filled inside a candle. `link.rs` holds that.

use std::time::Duration;

use tradewind_model::{BotId, Instrument, InstrumentId, Price, Timestamp};

use crate::levels::{ExitLevels, Levels};
use crate::point::{CandlePoint, Level, Width};
use crate::source::CandleStart;

/// The close's quote comes this long before the end.
const BEFORE_END: Duration = Duration::from_millis(1);
const POINTS: usize = 4;

/// A candle being played.
#[derive(Clone, Debug)]
struct Course {
    start: CandleStart,
    width: Width,
    /// Open, the extreme that comes first, the other one, close.
    points: [(Timestamp, Price); POINTS],
    /// How many of the points are passed.
    passed: usize,
    /// Positions and their levels right after the open, once the order of the extremes is chosen.
    at_open: Option<Vec<ExitLevels>>,
    /// Where it stands.
    last: (Timestamp, Price),
}

impl Course {
    fn new(start: CandleStart, rules: &Instrument) -> Self {
        let candle = &start.candle;
        let length = candle.interval.duration();
        let point = |after, price| (candle.open_time + after, price);
        let points = [
            point(Duration::ZERO, candle.open),
            point(length / 4, candle.high),
            point(length / 2, candle.low),
            point(length - BEFORE_END, candle.close),
        ];
        Self {
            width: Width::of(rules, start.half_spread),
            points,
            passed: 0,
            at_open: None,
            last: points[0],
            start,
        }
    }

    /// See [`Courses::choose`].
    fn choose(&mut self, levels: &Levels) -> Option<Vec<(BotId, Price)>> {
        if self.passed != 1 || self.at_open.is_some() {
            return None;
        }
        let exits: Vec<_> = levels.exits(self.instrument()).copied().collect();
        let candle = &self.start.candle;
        let stopped = |exit: &&ExitLevels| {
            let level = exit.stop.filter(|stop| *stop < candle.open);
            level.is_some_and(|stop| stop >= candle.low)
        };
        if candle.close >= candle.open || exits.iter().any(|exit| stopped(&exit)) {
            (self.points[1].1, self.points[2].1) = (candle.low, candle.high);
        }
        let contested = exits.iter().filter(stopped).filter_map(|exit| {
            let target = exit.target.filter(|target| *target > candle.open)?;
            (target <= candle.high).then_some((exit.bot, target))
        });
        let contested = contested.collect();
        self.at_open = Some(exits);
        Some(contested)
    }

    const fn instrument(&self) -> InstrumentId {
        self.start.candle.instrument
    }

    /// When the next point is, with these levels on the way.
    fn next_at(&self, levels: &Levels) -> Timestamp {
        let halt = self.next_halt(levels).map(|price| self.time_of(price));
        halt.unwrap_or(self.points[self.passed].0)
    }

    /// Advances to the next point.
    fn advance(&mut self, levels: &Levels) -> CandlePoint {
        let is_open = self.passed == 0;
        let halt = self.next_halt(levels);
        let closed = levels.exits(self.instrument()).filter_map(|exit| {
            let level = if is_open {
                self.beyond(exit)
            } else {
                let (price, level) = self.crossed(exit)?;
                (Some(price) == halt).then_some(level)
            };
            level.map(|level| (exit.bot, level))
        });
        let exits = closed.collect();
        if let Some(price) = halt {
            self.last = (self.time_of(price), price);
        } else {
            self.last = self.points[self.passed];
            self.passed += 1;
        }
        CandlePoint {
            at: self.last.0,
            instrument: self.instrument(),
            price: self.last.1,
            is_open,
            exits,
            width: self.width,
        }
    }

    /// The levels of a position that hold inside this candle: those right after the open, since a trailing stop that the
    /// course moves, or the target of a position that a waiting order opens, may have been passed before.
    fn standing(&self, exit: &ExitLevels) -> ExitLevels {
        let at_open = self.at_open.iter().flatten();
        let same = |known: &&ExitLevels| (known.bot, known.opened_at) == (exit.bot, exit.opened_at);
        at_open
            .copied()
            .find(|known| same(&known))
            .unwrap_or(ExitLevels {
                target: None,
                ..*exit
            })
    }

    /// The level that the open lies at or beyond.
    fn beyond(&self, exit: &ExitLevels) -> Option<Level> {
        let open = self.start.candle.open;
        if exit.stop.is_some_and(|stop| open <= stop) {
            Some(Level::Stop)
        } else if exit.target.is_some_and(|target| target <= open) {
            Some(Level::Target)
        } else {
            None
        }
    }

    /// The level of a position that lies on the way to the next point, that point included.
    fn crossed(&self, exit: &ExitLevels) -> Option<(Price, Level)> {
        let (from, to) = (self.last.1, self.points[self.passed].1);
        let exit = self.standing(exit);
        if to < from {
            let stop = exit.stop.filter(|stop| to <= *stop && *stop < from)?;
            Some((stop, Level::Stop))
        } else {
            let target = exit
                .target
                .filter(|target| from < *target && *target <= to)?;
            Some((target, Level::Target))
        }
    }

    /// The first price on the way to the next point at which a position is closed or a waiting buy filled.
    fn next_halt(&self, levels: &Levels) -> Option<Price> {
        let (from, to) = (self.last.1, self.points[self.passed].1);
        let exits = levels.exits(self.instrument());
        let exits = exits.filter_map(|exit| self.crossed(exit).map(|(price, _)| price));
        let buys = levels.buys(self.instrument());
        let buys = buys.map(|limit| self.width.reaching_buy(limit));
        exits
            .chain(buys.filter(|price| to <= *price && *price < from))
            .min_by_key(|price| price.0.abs_diff(from.0))
    }

    /// When a straight move to the next point passes `price`.
    fn time_of(&self, price: Price) -> Timestamp {
        let ((start, from), (end, to)) = (self.last, self.points[self.passed]);
        let share = |counts: i64| u128::from(counts.abs_diff(from.0));
        let span = end.since(start).as_nanos() * share(price.0) / share(to.0).max(1);
        start + Duration::from_nanos(u64::try_from(span).unwrap_or(0))
    }
}

/// The candles that are being played, at most one a file.
#[derive(Debug)]
pub(crate) struct Courses {
    instruments: Vec<Instrument>,
    courses: Vec<Course>,
}

impl Courses {
    pub(crate) const fn new(instruments: Vec<Instrument>) -> Self {
        Self {
            instruments,
            courses: Vec::new(),
        }
    }

    /// A candle begins. One of an unknown instrument is ignored.
    pub(crate) fn start(&mut self, start: CandleStart) {
        let rules = self.instruments.get(start.candle.instrument.index());
        self.courses
            .extend(rules.map(|rules| Course::new(start, rules)));
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.courses.is_empty()
    }

    /// When the next point of any of them is.
    pub(crate) fn next_at(&self, levels: &Levels) -> Option<Timestamp> {
        let courses = self.courses.iter();
        courses.map(|course| course.next_at(levels)).min()
    }

    /// Advances to that point; `None` if there is none.
    pub(crate) fn advance(&mut self, levels: &Levels) -> Option<CandlePoint> {
        let courses = (0..).zip(&self.courses);
        let (index, _) = courses.min_by_key(|(_, course)| course.next_at(levels))?;
        let point = self.courses[index].advance(levels);
        if self.courses[index].passed == POINTS {
            self.courses.remove(index);
        }
        Some(point)
    }

    /// Chooses the order of the extremes of a candle that has opened; `None` if every order is chosen. Gives the positions
    /// whose stop and target both lie in the candle, with their targets: if there are any, the candle is ambiguous.
    pub(crate) fn choose(
        &mut self,
        levels: &Levels,
    ) -> Option<(InstrumentId, Vec<(BotId, Price)>)> {
        let mut courses = self.courses.iter_mut();
        courses.find_map(|course| Some((course.instrument(), course.choose(levels)?)))
    }
}
