//! All files of a run as one history: always the file whose next event is earliest, the first named one of equals.

use tradewind_data::{Kind, Lines};
use tradewind_model::{Instrument, MarketEvent, Timestamp};

use super::candle_feed::{CandleEvents, CandleFeed};
use super::desk::Plan;
use super::house::HouseFeed;
use super::survey::{Content, Survey};
use super::tick_feed::{CaptureFeed, QuoteFeed, TradeFeed};
use crate::error::BacktestError;
use crate::source::{HistoryEvent, Source};

/// Files being played.
pub(super) struct Player {
    files: Vec<Playing>,
    /// When the market's first event is.
    first: Timestamp,
}

struct Playing {
    feed: Feed,
    next: Option<(Timestamp, HistoryEvent)>,
}

enum Feed {
    Candles(Box<CandleFeed>),
    Quotes(Box<QuoteFeed>),
    Trades(Box<TradeFeed>),
    Capture(Box<CaptureFeed>),
    House(HouseFeed),
}

impl Player {
    /// Plays the files of a plan with what house sources sent: what came before the market's first event at its moment, what came after
    /// its last one not at all. Of two events at one moment, the source's comes first.
    pub(super) fn open(plan: &Plan, house: Vec<HouseFeed>) -> Result<Self, BacktestError> {
        let house = house.into_iter().map(|feed| Ok(Feed::House(feed)));
        let market = plan.files.iter();
        let market = market.map(|(survey, instrument)| open(plan, survey, instrument));
        let files = house.chain(market).map(|feed| {
            let mut feed = feed?;
            let next = feed.next()?;
            Ok(Playing { feed, next })
        });
        let files: Vec<Playing> = files.collect::<Result<_, BacktestError>>()?;
        let market = files.iter().filter(|file| !file.is_house());
        let first = market.filter_map(|file| Some(file.next.as_ref()?.0)).min();
        Ok(Self {
            files,
            first: first.unwrap_or_default(),
        })
    }
}

impl Source for Player {
    fn next_event(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        let mut is_over = true;
        let waiting = self.files.iter_mut().filter_map(|file| {
            let at = file.next.as_ref()?.0;
            is_over &= file.is_house();
            Some((at, file))
        });
        let next = waiting.min_by_key(|(at, _)| *at);
        let Some((at, file)) = next.filter(|_| !is_over) else {
            return Ok(None);
        };
        let after = file.feed.next()?;
        let event = std::mem::replace(&mut file.next, after);
        Ok(event.map(|(_, event)| (at.max(self.first), event)))
    }
}

impl Playing {
    const fn is_house(&self) -> bool {
        matches!(self.feed, Feed::House(_))
    }
}

impl Feed {
    fn next(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        match self {
            Self::Candles(feed) => feed.next(),
            Self::Quotes(feed) => Ok(market(feed.next()?)),
            Self::Trades(feed) => Ok(market(feed.next()?)),
            Self::Capture(feed) => Ok(market(feed.next()?)),
            Self::House(feed) => Ok(feed.next()),
        }
    }
}

fn market(next: Option<(Timestamp, MarketEvent)>) -> Option<(Timestamp, HistoryEvent)> {
    next.map(|(at, event)| (at, event.into()))
}

fn open(plan: &Plan, survey: &Survey, instrument: &Instrument) -> Result<Feed, BacktestError> {
    let instrument = instrument.clone();
    let table = match &survey.content {
        Content::Capture { ahead_nanos } => {
            let lines = Lines::open(&survey.path)?;
            let symbol = survey.product.symbol();
            let feed = CaptureFeed::new(lines, symbol, instrument, *ahead_nanos);
            return Ok(Feed::Capture(Box::new(feed)));
        }
        Content::Table(table) => table,
    };
    let rows = table.rows()?;
    Ok(match (table.kind, table.interval) {
        (Kind::Candles, Some(interval)) => {
            let events = CandleEvents::new(instrument, interval, &plan.intervals, plan.half_spread);
            Feed::Candles(Box::new(CandleFeed::new(rows, events)))
        }
        // Books and what houses send are refused by the survey.
        (Kind::Quotes | Kind::Candles | Kind::Books | Kind::Numbers | Kind::Targets, _) => {
            Feed::Quotes(Box::new(QuoteFeed { rows, instrument }))
        }
        (Kind::Trades, _) => {
            let quotes_too =
                |(other, of): &(Survey, Instrument)| other.has_quotes && of.id == instrument.id;
            let quoted = (!plan.files.iter().any(quotes_too)).then_some(plan.half_spread);
            Feed::Trades(Box::new(TradeFeed {
                rows,
                instrument,
                quoted,
                ready: std::collections::VecDeque::new(),
            }))
        }
    })
}
