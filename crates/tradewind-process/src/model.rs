//! A strategy whose rules decide on the prediction of a trained model.
//!
//! The desk computes the model's features from candles by the code that training went through, a row at each close, and sends it to
//! the process. The prediction is the series [`PREDICTION`] of the rules. No answer in time is no prediction: what is unknown opens
//! nothing and closes nothing.

use std::collections::BTreeMap;

use tradewind_events::{BotConfig, StrategyProcess};
use tradewind_model::{
    Candle, CarriedOut, Decimal, Decision, Interval, Parameter, Reason, SeriesNumber, Timestamp,
};
use tradewind_rules::{FeatureRows, Features};
use tradewind_strategy::{
    BuildError, Explained, ParameterError, RestoreError, Strategy, StrategyError, View, WarmUp,
};

use crate::declaration::{Wanted, load};
use crate::error::ProcessError;
use crate::frame::{Frame, Kind, Reader};
use crate::host::{Host, Processes};

/// The kind of a process that holds a model.
pub const MODEL: &str = StrategyProcess::MODEL;
/// The series by which rules read the prediction.
pub const PREDICTION: &str = "model:prediction";
/// How the names of parameters begin that hold the expressions of features.
pub const FEATURE: &str = "feature.";

/// A model at work.
#[derive(Debug)]
pub struct ModelStrategy {
    name: String,
    bot: u16,
    process: StrategyProcess,
    wanted: Wanted,
    host: Host,
    /// The start of the process that has this model.
    generation: Option<u64>,
    rows: FeatureRows,
    rules: Box<dyn Strategy>,
    frames: Frames,
    /// By slot: an own candle that waits for the others of its close.
    waiting: Vec<Option<Candle>>,
}

/// Which candles are whose.
#[derive(Debug)]
struct Frames {
    base: Interval,
    rows: Vec<Interval>,
    rules: Vec<Interval>,
}

impl ModelStrategy {
    /// The strategy of a bot. Its process starts with the first prediction.
    ///
    /// # Errors
    /// Rules or features that are wrong: the configuration has refused them before.
    pub fn new(bot: &BotConfig, processes: &Processes) -> Result<Self, BuildError> {
        let process = bot.process.as_deref().cloned().unwrap_or_default();
        let (features, parameters) = split(&bot.parameters);
        let base = process.base();
        let features = Features::compile(&features, base).map_err(|errors| {
            let error = |error: tradewind_rules::RuleError| ParameterError {
                path: error.place.clone(),
                problem: error.what(),
                cure: error.cure,
            };
            BuildError::Parameters(errors.into_iter().map(error).collect())
        })?;
        let instruments = bot.instruments.len();
        let rules = tradewind_rules::build(tradewind_rules::NAME, &parameters, instruments)?;
        let of = |warm_ups: Vec<WarmUp>| warm_ups.iter().map(|one| one.interval).collect();
        let frames = Frames {
            base,
            rows: of(features.timeframes()),
            rules: of(rules.timeframes()),
        };
        let wanted = Wanted {
            features: features.names().to_vec(),
            ..Wanted::of(&process, &BTreeMap::new())
        };
        Ok(Self {
            name: bot.name.clone(),
            bot: u16::try_from(bot.id.0).unwrap_or(u16::MAX),
            wanted,
            host: processes.of(&process),
            process,
            generation: None,
            rows: FeatureRows::new(features, instruments),
            rules,
            frames,
            waiting: vec![None; instruments],
        })
    }

    /// Loads the model, if that was not done yet, so that the first prediction does not wait for it.
    ///
    /// # Errors
    /// What went wrong; the process was killed.
    pub fn load(&mut self) -> Result<(), ProcessError> {
        let host = self.host.clone();
        let mut state = host.lock();
        if let Some(generation) = self.generation {
            if state.running(generation).is_some() {
                return Ok(());
            }
            self.generation = None;
        }
        let loaded = match state.process(&self.name, &self.process) {
            Ok((process, generation)) => {
                let declared = load(process, self.bot, &self.wanted);
                declared.map(|declared| (declared, generation))
            }
            Err(error) => Err(error),
        };
        let checked = loaded.and_then(|(declared, generation)| {
            if declared.hash == self.process.hash {
                return Ok(generation);
            }
            Err(ProcessError::Refused {
                problem: format!("{} has changed since the desk started", self.process.file),
                cure: "train a version of its own, and start the desk again".to_owned(),
            })
        });
        match checked {
            Ok(generation) => {
                self.generation = Some(generation);
                Ok(())
            }
            Err(error) => {
                state.kill(&self.name, &error);
                Err(error)
            }
        }
    }

    /// The prediction of a row; `None` if something in it is unknown, the model makes none, or it does not answer in time.
    fn predict(&mut self, row: &[f64]) -> Result<Option<f64>, ProcessError> {
        if row.iter().any(|value| !value.is_finite()) {
            return Ok(None);
        }
        self.load()?;
        let count = u32::try_from(row.len()).unwrap_or(u32::MAX);
        let mut body = count.to_le_bytes().to_vec();
        for value in row {
            body.extend_from_slice(&value.to_le_bytes());
        }
        let host = self.host.clone();
        let mut state = host.lock();
        let Some(process) = state.running(self.generation.unwrap_or_default()) else {
            self.generation = None;
            return Err(ProcessError::Ended(state.last_end().to_owned()));
        };
        let answer = process.request(Kind::Predict, self.bot, body, self.process.deadline);
        let read = answer.and_then(|answer| prediction(&answer));
        match read {
            Ok(value) => Ok(Some(value).filter(|value| value.is_finite())),
            Err(error) => {
                self.generation = None;
                state.kill(&self.name, &error);
                match error {
                    ProcessError::Overrun(_) => {
                        tracing::warn!(
                            bot = self.name,
                            "The model did not answer in time. Nothing is decided on this close."
                        );
                        Ok(None)
                    }
                    error => Err(error),
                }
            }
        }
    }

    /// Has the rules decide on an own candle, with the prediction of its row.
    fn decide(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let row = self.rows.row(view);
        let predicted = self.predict(&row);
        let predicted = predicted.map_err(|error| StrategyError::Process(error.to_string()))?;
        let mut numbers = view.numbers.clone();
        if let Some(value) = predicted.and_then(decimal) {
            numbers.keep(SeriesNumber {
                name: PREDICTION,
                value,
                at: view.at,
                received_at: view.at,
                max_age: None,
            });
        }
        let view = View {
            numbers: &numbers,
            ..*view
        };
        self.rules.on_candle(&view, candle)
    }

    /// An own candle of which the others did not come is noted by the rules without a prediction.
    fn give_up_waiting(&mut self, view: &View<'_>) -> Result<(), StrategyError> {
        let waiting = self.waiting.get_mut(view.slot).and_then(Option::take);
        if let Some(candle) = waiting {
            let view = View {
                carried_out: CarriedOut::Nothing,
                ..*view
            };
            self.rules.on_candle(&view, &candle)?;
        }
        Ok(())
    }
}

/// Expressions of features by name, and the parameters of the rules.
fn split(
    parameters: &BTreeMap<String, Parameter>,
) -> (BTreeMap<String, String>, BTreeMap<String, Parameter>) {
    let mut features = BTreeMap::new();
    let mut rules = BTreeMap::new();
    for (name, value) in parameters {
        match (name.strip_prefix(FEATURE), value) {
            (Some(feature), Parameter::Text(text)) => {
                features.insert(feature.to_owned(), text.clone());
            }
            _ => {
                rules.insert(name.clone(), value.clone());
            }
        }
    }
    (features, rules)
}

fn prediction(answer: &Frame) -> Result<f64, ProcessError> {
    let garbled = |error: crate::FrameError| ProcessError::Garbled(error.to_string());
    if answer.kind != Kind::Prediction {
        return Err(ProcessError::Garbled(format!("{:?}", answer.kind)));
    }
    let mut reader = Reader::new(&answer.body);
    let bits = reader.i64().map_err(garbled)?;
    reader.end().map_err(garbled)?;
    Ok(f64::from_bits(bits.cast_unsigned()))
}

/// A prediction as a number of a series, to nine decimals.
fn decimal(value: f64) -> Option<Decimal> {
    format!("{value:.9}").parse().ok()
}

const fn hold(text: &'static str) -> Decision {
    Decision::Hold {
        reason: Reason::plain(text),
    }
}

impl Strategy for ModelStrategy {
    fn timeframes(&self) -> Vec<WarmUp> {
        timeframes(self.rows.features(), self.rules.as_ref())
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        if self.frames.rows.contains(&candle.interval) {
            self.rows.feed(view, candle);
        }
        if view.carried_out == CarriedOut::Nothing {
            return match self.frames.rules.contains(&candle.interval) {
                true => self.rules.on_candle(view, candle),
                false => Ok(hold("the candle is noted")),
            };
        }
        if view.slot >= self.waiting.len() {
            self.waiting.resize(view.slot + 1, None);
        }
        let mut decision = hold("waits for the other candles of this close");
        if candle.interval == self.frames.base {
            self.give_up_waiting(view)?;
            self.waiting[view.slot] = Some(*candle);
        } else if self.frames.rules.contains(&candle.interval) {
            decision = self.rules.on_candle(view, candle)?;
        }
        let complete: Option<Timestamp> = self.rows.complete(view.slot);
        let is_ready = |waiting: &mut Candle| Some(waiting.close_time()) == complete;
        match self.waiting[view.slot].take_if(is_ready) {
            Some(own) => self.decide(view, &own),
            None => Ok(decision),
        }
    }

    fn explain(&self, slot: usize) -> Vec<Explained> {
        self.rules.explain(slot)
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}

/// The candles of features and rules together, the own ones first.
#[must_use]
pub fn timeframes(features: &Features, rules: &dyn Strategy) -> Vec<WarmUp> {
    let mut all = features.timeframes();
    for warm_up in rules.timeframes() {
        match all.iter_mut().find(|one| one.interval == warm_up.interval) {
            Some(known) => known.candles = known.candles.max(warm_up.candles),
            None => all.push(warm_up),
        }
    }
    all
}
