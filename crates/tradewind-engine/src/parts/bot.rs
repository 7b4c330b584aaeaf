//! A bot at run time: its state, its strategy, and what it keeps per instrument.

use std::collections::VecDeque;
use std::fmt;

use tradewind_events::{BotConfig, BotState};
use tradewind_indicators::{Atr, Bar};
use tradewind_model::{
    Candle, ClientOrderId, EventId, ExitPlan, Instrument, InstrumentId, Interval, PositionState,
    Ppm, Reason, Sizer, Target, Timestamp,
};
use tradewind_risk::{RecentOrders, TokenBucket};
use tradewind_strategy::{Strategy, WarmUp};

use crate::parts::exit_monitor::ExitMonitor;

/// Where a bot's strategy lives.
pub(crate) enum Runner {
    /// Here; `None` while it is being called, or was lost to a panic.
    Inline(Option<Box<dyn Strategy>>),
    /// In another lane.
    Remote {
        /// The request it has not answered yet.
        pending: Option<Pending>,
        /// Number of its last request.
        last_request: u64,
        /// Number of the last request before its strategy was built anew; answers up to it are of the old one.
        reset_at: u64,
    },
}

impl Runner {
    /// Number of the last request to another lane.
    pub(crate) const fn last_request(&self) -> u64 {
        match self {
            Self::Inline(_) => 0,
            Self::Remote { last_request, .. } => *last_request,
        }
    }
}

/// A request to another lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) request: u64,
    pub(crate) slot: usize,
    pub(crate) cause: Option<EventId>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(strategy) => f.debug_tuple("Inline").field(strategy).finish(),
            Self::Remote {
                pending,
                last_request,
                reset_at,
            } => f
                .debug_struct("Remote")
                .field("pending", pending)
                .field("last_request", last_request)
                .field("reset_at", reset_at)
                .finish(),
        }
    }
}

/// A bot.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) config: BotConfig,
    pub(crate) state: BotState,
    pub(crate) state_reason: String,
    pub(crate) since: Timestamp,
    pub(crate) runner: Runner,
    /// What its strategy wants to be fed with.
    pub(crate) warm_ups: Vec<WarmUp>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) rate: TokenBucket,
    pub(crate) recent: RecentOrders,
    /// Times of the last panics and overruns.
    pub(crate) faults: VecDeque<Timestamp>,
    /// Whether it was paused when it failed, and is to be so again when it is back.
    pub(crate) resumes_paused: bool,
    /// When its own interval is due next.
    pub(crate) next_timer: Option<Timestamp>,
    pub(crate) stats: Stats,
}

/// What a bot keeps per instrument.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) instrument: InstrumentId,
    /// Open time of the last candle it was fed, per interval.
    fed: Vec<(Interval, Timestamp)>,
    /// Intervals of which past candles were asked for.
    pub(crate) awaiting: Vec<Interval>,
    /// Its position, copied from the portfolio whenever it changes.
    pub(crate) position: PositionState,
    pub(crate) guard: Option<ExitMonitor>,
    /// The plan the next position is guarded by.
    pub(crate) exit: ExitPlan,
    /// Its one order at work.
    pub(crate) working: Option<ClientOrderId>,
    /// What it wants once that order has ended.
    pub(crate) next: Option<(Target, Option<EventId>)>,
    /// The exposure it asked for last.
    pub(crate) exposure: Ppm,
    /// Average true range of its shortest candles, if its sizer needs it.
    pub(crate) range: Option<Atr>,
}

/// Counted since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    pub(crate) reason: Reason,
    pub(crate) reason_slot: Option<usize>,
    pub(crate) last_wake: Option<Timestamp>,
    pub(crate) wakes: u64,
    pub(crate) signals: u64,
    pub(crate) orders: u64,
    pub(crate) fills: u64,
    pub(crate) denials: u64,
    pub(crate) last_denial: Option<String>,
    pub(crate) errors: u64,
    pub(crate) skipped: u64,
    pub(crate) lateness_max_nanos: u64,
}

/// True range over this many candles sizes a volatility target.
const RANGE_PERIOD: u32 = 14;

impl Bot {
    pub(crate) fn new(config: BotConfig) -> Self {
        let range = match config.sizer {
            Sizer::VolatilityTarget(_) => Atr::new(RANGE_PERIOD).ok(),
            Sizer::Fixed(_) | Sizer::Share(_) | Sizer::RiskToStop(_) => None,
        };
        let slots = config
            .instruments
            .iter()
            .map(|&instrument| Slot::new(instrument, &config.exit, range.clone()));
        Self {
            state: BotState::Stopped,
            state_reason: "not started".to_owned(),
            since: Timestamp::EPOCH,
            runner: Runner::Inline(None),
            warm_ups: Vec::new(),
            slots: slots.collect(),
            rate: TokenBucket::default(),
            recent: RecentOrders::default(),
            faults: VecDeque::new(),
            resumes_paused: false,
            next_timer: None,
            stats: Stats::default(),
            config,
        }
    }

    /// Whether its strategy is asked.
    pub(crate) const fn is_awake(&self) -> bool {
        matches!(self.state, BotState::Running | BotState::Paused)
    }

    pub(crate) fn is_warm(&self) -> bool {
        self.slots.iter().all(|slot| slot.awaiting.is_empty())
    }

    /// How many positions and entries it has.
    pub(crate) fn engaged(&self) -> usize {
        self.slots
            .iter()
            .filter(|slot| !slot.position.quantity.is_zero() || slot.working.is_some())
            .count()
    }
}

impl Slot {
    fn new(instrument: InstrumentId, exit: &ExitPlan, range: Option<Atr>) -> Self {
        Self {
            instrument,
            fed: Vec::new(),
            awaiting: Vec::new(),
            position: PositionState::default(),
            guard: None,
            exit: exit.clone(),
            working: None,
            next: None,
            exposure: Ppm::ZERO,
            range,
        }
    }

    /// Forgets what it was fed, before its strategy is built anew.
    pub(crate) fn forget_candles(&mut self) {
        self.fed.clear();
        self.awaiting.clear();
        if let Some(range) = &mut self.range {
            range.reset();
        }
    }

    /// How a candle fits behind the last one.
    pub(crate) fn classify(&self, candle: &Candle) -> CandleOrder {
        let Some((_, last)) = self
            .fed
            .iter()
            .find(|(interval, _)| *interval == candle.interval)
        else {
            return CandleOrder::Next;
        };
        if candle.open_time <= *last {
            return CandleOrder::Old;
        }
        if candle.open_time == *last + candle.interval.duration() {
            CandleOrder::Next
        } else {
            CandleOrder::Gap
        }
    }

    /// Notes that the strategy is fed this candle.
    pub(crate) fn note(&mut self, candle: &Candle, instrument: &Instrument) {
        match self
            .fed
            .iter_mut()
            .find(|(interval, _)| *interval == candle.interval)
        {
            Some(entry) => entry.1 = candle.open_time,
            None => self.fed.push((candle.interval, candle.open_time)),
        }
        let shortest = self.fed.iter().map(|(interval, _)| *interval).min();
        if let Some(range) = self
            .range
            .as_mut()
            .filter(|_| shortest == Some(candle.interval))
        {
            let price = |price| instrument.price_f64(price);
            let bar = Bar {
                high: price(candle.high),
                low: price(candle.low),
                close: price(candle.close),
            };
            if range.update(bar).is_err() {
                range.reset();
            }
        }
    }
}

/// Where a candle stands relative to the last one fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CandleOrder {
    /// Right behind it, or the first.
    Next,
    /// Fed already, or older.
    Old,
    /// Some are missing between.
    Gap,
}
