//! A recorded session with one thing changed.
//!
//! The recorded venue answered the orders that were sent, not those that a changed desk would have sent. So the recorded market is played
//! twice in front of the matching core of the backtest: with the configuration as it was, and with the change. What
//! differs between the two comes from the change alone; what the first differs in from the record shows how far the model is from the venue.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use tradewind_backtest::{HistoryEvent, Latency, Setup, run_to_view};
use tradewind_engine::StrategySource;
use tradewind_events::{Configuration, DeskView, Event, EventKind, Input};
use tradewind_journal::{JournalError, Reader, Record, StoreKind};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, Candle, InstrumentId, Interval, MarketEvent, Timestamp,
};
use tradewind_simx::{ExchangeConfig, FeeSchedule, Fees, FillModel};

use crate::replay::change::Change;
use crate::replay::verify::{CannotReplay, strategies, with_cure};

/// How a bot fared. Money is in the quote asset of its instruments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Signals.
    pub signals: u64,
    /// Orders.
    pub orders: u64,
    /// Orders that risk refused.
    pub denials: u64,
    /// Fills.
    pub fills: u64,
    /// Realised profit and loss.
    pub realized: Amount,
    /// Unrealised at the end; not known of the record.
    pub unrealized: Amount,
}

/// A session as it was recorded, and played twice.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The first moment that was played.
    pub from: Timestamp,
    /// The last.
    pub until: Timestamp,
    /// Starts of the desk in the record; both plays run through.
    pub starts: u64,
    /// Inputs whose numbers are missing: both plays go on as if they had never been.
    pub missing: u64,
    /// How orders were filled.
    pub fills: FillModel,
    /// Of each bot, by name: as recorded, played as configured, and played with the change.
    pub bots: Vec<(String, [Figures; 3])>,
    /// Bots whose strategies are files: no process is started, so that they decide nothing in both plays.
    pub silent: Vec<String>,
}

/// Plays the session that `reader` reads, without and with `changes`.
///
/// # Errors
/// [`CannotReplay`]: the journal cannot be read or played, or a change cannot be made.
pub fn what_if(reader: &Reader, changes: &[Change]) -> anyhow::Result<WhatIf> {
    let session = Session::read(reader).map_err(|error| with_cure(error.into()))?;
    let Some(configuration) = &session.configuration else {
        return Err(refused("the journal holds no start of a desk".to_owned()));
    };
    let mut changed = (**configuration).clone();
    for change in changes {
        change.apply(&mut changed).map_err(refused)?;
    }
    let source = strategies();
    let before = session.play(reader, &source, (**configuration).clone())?;
    let after = session.play(reader, &source, changed)?;
    let figures = |view: &DeskView, bot: BotId| {
        let found = view.bots.iter().find(|one| one.bot == bot);
        found.map_or_else(Figures::default, |bot| Figures {
            signals: bot.signals,
            orders: bot.orders,
            denials: bot.denials,
            fills: bot.fills,
            realized: bot.realized,
            unrealized: bot.unrealized,
        })
    };
    let bots = configuration.bots.iter().map(|bot| {
        let recorded = session.figures.get(&bot.id).copied().unwrap_or_default();
        let played = [&before, &after].map(|view| figures(view, bot.id));
        (bot.name.clone(), [recorded, played[0], played[1]])
    });
    let silent = configuration
        .bots
        .iter()
        .filter(|bot| bot.process.is_some());
    Ok(WhatIf {
        from: session.from.unwrap_or_default(),
        until: before.at,
        starts: session.starts,
        missing: session.missing.get(),
        fills: FillModel::QuoteTouch,
        bots: bots.collect(),
        silent: silent.map(|bot| bot.name.clone()).collect(),
    })
}

fn refused(problem: String) -> anyhow::Error {
    anyhow::Error::new(CannotReplay {
        problem,
        cure: "tradewind replay --help shows what can be changed".to_owned(),
    })
}

/// What is read of a session before it is played.
#[derive(Debug, Default)]
struct Session {
    configuration: Option<Box<Configuration>>,
    /// By account and asset, at the first reading.
    balances: Vec<(AccountId, AssetId, Amount)>,
    past: BTreeMap<(InstrumentId, Interval, Timestamp), Candle>,
    from: Option<Timestamp>,
    starts: u64,
    /// Counted by each play.
    missing: Cell<u64>,
    figures: BTreeMap<BotId, Figures>,
}

impl Session {
    fn read(reader: &Reader) -> Result<Self, JournalError> {
        let mut session = Self::default();
        let mut market = reader.records(StoreKind::Market)?;
        let first = market.find_map(|found| match found {
            Ok(stamped) if matches!(stamped.record, Record::Input(_)) => Some(Ok(stamped.at)),
            Err(error) => Some(Err(error)),
            Ok(_) => None,
        });
        session.from = first.transpose()?;
        let mut read = BTreeSet::new();
        for found in reader.records(StoreKind::Truth)? {
            match found?.record {
                Record::Input(Input::Configured(configuration)) => {
                    session.starts += 1;
                    // Ids stay the same, and a later one knows all bots of an earlier one.
                    session.configuration = Some(configuration);
                }
                Record::Input(Input::Account(state)) if read.insert(state.account) => {
                    let balances = state.balances.iter();
                    let balances = balances.map(|(asset, amount)| (state.account, *asset, *amount));
                    session.balances.extend(balances);
                }
                Record::Input(Input::Candles(history)) => session.keep(&history.candles),
                Record::Event(event) => session.count(&event),
                _ => {}
            }
        }
        Ok(session)
    }

    /// Keeps the candles that had closed before the first moment.
    fn keep(&mut self, candles: &[Candle]) {
        let Some(from) = self.from else { return };
        for candle in candles {
            if candle.open_time + candle.interval.duration() <= from {
                let key = (candle.instrument, candle.interval, candle.open_time);
                self.past.insert(key, *candle);
            }
        }
    }

    fn count(&mut self, event: &Event) {
        let mut of = |bot: Option<BotId>, count: fn(&mut Figures)| {
            if let Some(bot) = bot {
                count(self.figures.entry(bot).or_default());
            }
        };
        match &event.kind {
            EventKind::SignalGenerated { bot, .. } => of(Some(*bot), |one| one.signals += 1),
            EventKind::OrderPlaced { bot, .. } => of(*bot, |one| one.orders += 1),
            EventKind::RiskDecisionRejected { bot, .. } => of(*bot, |one| one.denials += 1),
            EventKind::OrderFilled { bot, .. } => of(*bot, |one| one.fills += 1),
            EventKind::PositionClosed {
                bot: Some(bot),
                realized,
                ..
            } => self.figures.entry(*bot).or_default().realized += *realized,
            _ => {}
        }
    }

    fn play(
        &self,
        reader: &Reader,
        source: &impl Fn() -> StrategySource,
        configuration: Configuration,
    ) -> anyhow::Result<DeskView> {
        let rates = Fees {
            maker: configuration.fee,
            taker: configuration.fee,
        };
        let setup = Setup {
            configuration,
            balances: self.balances.clone(),
            exchange: ExchangeConfig {
                fill_model: FillModel::QuoteTouch,
                fees: FeeSchedule {
                    rates,
                    ..FeeSchedule::default()
                },
                ..ExchangeConfig::backtest()
            },
            latency: Latency::default(),
            fills_kept: 0,
            past: self.past.values().copied().collect(),
        };
        let fault = RefCell::new(None);
        self.missing.set(0);
        let mut last = None;
        let mut inputs = reader.inputs().map_err(|error| with_cure(error.into()))?;
        let mut events = std::iter::from_fn(|| {
            loop {
                let stamped = match inputs.next()? {
                    Ok(stamped) => stamped,
                    Err(error) => {
                        fault.replace(Some(error));
                        return None;
                    }
                };
                let expected = last.replace(stamped.seq).map_or(stamped.seq, |seq| seq + 1);
                let missing = stamped.seq.saturating_sub(expected);
                self.missing.set(self.missing.get() + missing);
                if let Record::Input(input) = stamped.record
                    && let Some(event) = market(input)
                {
                    return Some((stamped.at, HistoryEvent::Market(event)));
                }
            }
        });
        let played = run_to_view(setup, source(), &mut events);
        if let Some(error) = fault.take() {
            return Err(with_cure(error.into()));
        }
        let (_, view) = played.map_err(|error| refused(error.to_string()))?;
        Ok(view)
    }
}

fn market(input: Input) -> Option<MarketEvent> {
    Some(match input {
        Input::Quote(quote) => MarketEvent::Quote(quote),
        Input::Trade(trade) => MarketEvent::Trade(trade),
        Input::Candle(candle) => MarketEvent::Candle(candle),
        Input::Depth(depth) => MarketEvent::Depth(depth),
        Input::Health {
            instrument, health, ..
        } => MarketEvent::Health {
            instrument,
            health,
            reason: String::new(),
        },
        _ => return None,
    })
}
