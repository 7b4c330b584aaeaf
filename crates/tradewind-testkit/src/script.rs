//! A strategy whose answers a test has written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tradewind_engine::StrategySource;
use tradewind_model::{
    BotId, Candle, CarriedOut, Decision, Depth, ExitPlan, FeedHealth, InstrumentId, LastEntry,
    Number, Ppm, Price, Quote, Reason, Target, Trade,
};
use tradewind_strategy::{ReadUse, Reading, RestoreError, Strategy, StrategyError, View, WarmUp};

/// What a scripted strategy does when it is evaluated.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Decides.
    Decide(Decision),
    /// Returns an error.
    Fail(&'static str),
    /// Panics.
    Panic(&'static str),
}

impl Answer {
    /// A target of this share of its budget, in parts per million.
    #[must_use]
    pub const fn target(exposure: i64) -> Self {
        Self::Decide(Decision::Target(Target {
            adds: false,
            exposure: Ppm(exposure),
            limit: None,
            exit: None,
            reason: Reason::plain("the script says so"),
        }))
    }

    /// A target that adds to the position that is held, with a plan of its own.
    #[must_use]
    pub fn add(exposure: i64, exit: Option<ExitPlan>) -> Self {
        Self::Decide(Decision::Target(Target {
            adds: true,
            exposure: Ppm(exposure),
            limit: None,
            exit: exit.map(Box::new),
            reason: Reason::plain("the script adds"),
        }))
    }

    /// The same with a price not to trade beyond and a plan of its own.
    #[must_use]
    pub fn guarded(exposure: i64, limit: Option<i64>, exit: Option<ExitPlan>) -> Self {
        Self::Decide(Decision::Target(Target {
            adds: false,
            exposure: Ppm(exposure),
            limit: limit.map(Price),
            exit: exit.map(Box::new),
            reason: Reason::plain("the script says so"),
        }))
    }
}

#[derive(Debug, Default)]
struct Lines {
    /// Answers still to be given, by bot; the last of them for every bot.
    answers: VecDeque<(BotId, Answer)>,
    /// Bots that panic on each evaluation.
    broken: Vec<BotId>,
    candles: Vec<(BotId, Candle)>,
    /// Which decisions would be carried out, by the view that came with each candle.
    carried_out: Vec<(BotId, CarriedOut)>,
    last_entries: Vec<(BotId, LastEntry)>,
    evaluated: Vec<BotId>,
    reads: Vec<ReadSeen>,
    /// The number of the series `house:fear` at each bot's last quote.
    numbers: BTreeMap<BotId, Option<Number>>,
}

/// What a scripted strategy was shown of an instrument that its bot only reads.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadSeen {
    /// The bot.
    pub bot: BotId,
    /// The instrument that it was to decide on.
    pub traded: InstrumentId,
    /// The instrument that it reads.
    pub read: InstrumentId,
    /// How far that one's data could be trusted.
    pub health: FeedHealth,
    /// Its quote.
    pub quote: Option<Quote>,
    /// Its book.
    pub depth: Option<Depth>,
    /// Its latest trades.
    pub trades: Vec<Trade>,
    /// The candle that closed.
    pub candle: Option<Candle>,
}

/// The answers of every scripted bot of a desk. A clone is the same script.
#[derive(Clone, Debug, Default)]
pub struct Script {
    lines: Arc<Mutex<Lines>>,
    warm_up: Vec<WarmUp>,
    answers_history: bool,
    read_use: ReadUse,
}

impl Script {
    /// A script for strategies that are fed with these candles.
    #[must_use]
    pub fn with_candles(warm_up: Vec<WarmUp>) -> Self {
        Self {
            warm_up,
            ..Self::default()
        }
    }

    /// The same script, which answers on past candles, too.
    #[must_use]
    pub fn answering_history(self) -> Self {
        Self {
            answers_history: true,
            ..self
        }
    }

    /// The same script, which uses this of what its bots only read.
    #[must_use]
    pub fn reading(self, read_use: ReadUse) -> Self {
        Self { read_use, ..self }
    }

    /// What it was shown of instruments that its bots only read, oldest first.
    #[must_use]
    pub fn reads(&self) -> Vec<ReadSeen> {
        self.with(|lines| lines.reads.clone())
    }

    /// Adds the answer for an evaluation of `bot`. Answers are used in order; a bot without an answer holds.
    pub fn say(&self, bot: BotId, answer: Answer) {
        self.with(|lines| lines.answers.push_back((bot, answer)));
    }

    /// With `broken`, `bot` panics on each evaluation from now on; without it, no longer.
    pub fn break_bot(&self, bot: BotId, broken: bool) {
        self.with(|lines| {
            lines.broken.retain(|known| *known != bot);
            if broken {
                lines.broken.push(bot);
            }
        });
    }

    /// The candles `bot` was fed, past ones too.
    #[must_use]
    pub fn candles_of(&self, bot: BotId) -> Vec<Candle> {
        self.with(|lines| {
            let own = lines.candles.iter().filter(|(of, _)| *of == bot);
            own.map(|(_, candle)| *candle).collect()
        })
    }

    /// Which decisions would be carried out, by the view that came with each candle of `bot`.
    #[must_use]
    pub fn carried_out(&self, bot: BotId) -> Vec<CarriedOut> {
        self.with(|lines| {
            let own = lines.carried_out.iter().filter(|(of, _)| *of == bot);
            own.map(|(_, carried_out)| *carried_out).collect()
        })
    }

    /// What had become of its last entry, by the view that came with each candle of `bot`.
    #[must_use]
    pub fn last_entries(&self, bot: BotId) -> Vec<LastEntry> {
        self.with(|lines| {
            let own = lines.last_entries.iter().filter(|(of, _)| *of == bot);
            own.map(|(_, fate)| *fate).collect()
        })
    }

    /// The number of the series `house:fear` in the view of the last quote of `bot`.
    #[must_use]
    pub fn number(&self, bot: BotId) -> Option<Number> {
        self.with(|lines| lines.numbers.get(&bot).copied().flatten())
    }

    /// How often `bot` was evaluated.
    #[must_use]
    pub fn evaluations(&self, bot: BotId) -> usize {
        self.with(|lines| lines.evaluated.iter().filter(|of| **of == bot).count())
    }

    /// Where an engine takes its strategies from: every bot gets one that follows this script.
    #[must_use]
    pub fn strategies(&self) -> StrategySource {
        let script = self.clone();
        StrategySource::new(move |bot| {
            let script = script.clone();
            Ok(Box::new(Scripted {
                bot: bot.id,
                script,
            }))
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Lines) -> T) -> T {
        // A scripted panic happens outside of the lock.
        work(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Scripted {
    bot: BotId,
    script: Script,
}

impl Scripted {
    fn answer(&self) -> Result<Decision, StrategyError> {
        let bot = self.bot;
        let (answer, broken) = self.script.with(|lines| {
            lines.evaluated.push(bot);
            let place = lines.answers.iter().position(|(of, _)| *of == bot);
            let answer = place.and_then(|place| lines.answers.remove(place));
            (
                answer.map(|(_, answer)| answer),
                lines.broken.contains(&bot),
            )
        });
        assert!(!broken, "the script breaks the bot");
        match answer {
            None => Ok(Decision::Hold {
                reason: Reason::plain("no line in the script"),
            }),
            Some(Answer::Decide(decision)) => Ok(decision),
            Some(Answer::Fail(reason)) => Err(StrategyError::Other(reason.to_owned())),
            Some(Answer::Panic(words)) => panic!("{words}"),
        }
    }
}

impl Strategy for Scripted {
    fn timeframes(&self) -> Vec<WarmUp> {
        self.script.warm_up.clone()
    }

    fn reads(&self) -> ReadUse {
        self.script.read_use.clone()
    }

    fn on_read(
        &mut self,
        view: &View<'_>,
        read: &Reading<'_>,
        candle: Option<&Candle>,
    ) -> Result<Decision, StrategyError> {
        let seen = ReadSeen {
            bot: self.bot,
            traded: view.instrument.id,
            read: read.instrument.id,
            health: read.health,
            quote: read.quote.copied(),
            depth: read.depth.cloned(),
            trades: read.trades.to_vec(),
            candle: candle.copied(),
        };
        self.script.with(|lines| lines.reads.push(seen));
        self.answer()
    }

    fn on_quote(&mut self, view: &View<'_>, _quote: &Quote) -> Result<Decision, StrategyError> {
        let number = view.number("house:fear");
        self.script
            .with(|lines| lines.numbers.insert(self.bot, number));
        self.answer()
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        self.script.with(|lines| {
            lines.candles.push((self.bot, *candle));
            lines.carried_out.push((self.bot, view.carried_out));
            lines.last_entries.push((self.bot, view.last_entry));
        });
        if self.script.answers_history || view.at == candle.close_time() {
            self.answer()
        } else {
            Ok(Decision::Hold {
                reason: Reason::plain("history"),
            })
        }
    }

    fn on_timer(&mut self, _view: &View<'_>) -> Result<Decision, StrategyError> {
        self.answer()
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _state: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}
