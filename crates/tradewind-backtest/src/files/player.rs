//! All files of a run as one history: always the file whose next event is earliest, the first named one of equals.

use tradewind_data::{Kind, Lines};
use tradewind_model::{Instrument, MarketEvent, Timestamp};

use super::candle_feed::{CandleEvents, CandleFeed};
use super::desk::Plan;
use super::survey::{Content, Survey};
use super::tick_feed::{CaptureFeed, QuoteFeed, TradeFeed};
use crate::error::BacktestError;
use crate::source::{HistoryEvent, Source};

/// Files being played.
pub(super) struct Player {
    files: Vec<Playing>,
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
}

impl Player {
    pub(super) fn open(plan: &Plan) -> Result<Self, BacktestError> {
        let files = plan.files.iter().map(|(survey, instrument)| {
            let mut feed = open(plan, survey, instrument)?;
            let next = feed.next()?;
            Ok(Playing { feed, next })
        });
        Ok(Self {
            files: files.collect::<Result<_, BacktestError>>()?,
        })
    }
}

impl Source for Player {
    fn next_event(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        let waiting = self.files.iter_mut().filter_map(|file| {
            let at = file.next.as_ref()?.0;
            Some((at, file))
        });
        let Some((_, file)) = waiting.min_by_key(|(at, _)| *at) else {
            return Ok(None);
        };
        let after = file.feed.next()?;
        Ok(std::mem::replace(&mut file.next, after))
    }
}

impl Feed {
    fn next(&mut self) -> Result<Option<(Timestamp, HistoryEvent)>, BacktestError> {
        match self {
            Self::Candles(feed) => feed.next(),
            Self::Quotes(feed) => Ok(market(feed.next()?)),
            Self::Trades(feed) => Ok(market(feed.next()?)),
            Self::Capture(feed) => Ok(market(feed.next()?)),
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
        // Books are refused by the survey.
        (Kind::Quotes | Kind::Candles | Kind::Books, _) => {
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
