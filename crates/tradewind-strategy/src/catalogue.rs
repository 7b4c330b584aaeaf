//! The built-in strategies by name.
//!
//! The one list: a strategy that is not in it does not exist for the desk.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use tradewind_indicators::IndicatorError;
use tradewind_model::{Interval, Parameter};

use crate::builtin;
use crate::nearest::nearest;
use crate::parameter_info::{DefaultValue, ParameterInfo};
use crate::parameters::ParameterError;
use crate::strategy::Strategy;

/// All built-in strategies; those for tests come last.
#[must_use]
pub fn catalogue() -> &'static [StrategyInfo] {
    &CATALOGUE
}

/// Strategies of programs that link the desk, by name.
static ADDED: OnceLock<Vec<StrategyInfo>> = OnceLock::new();

/// Adds strategies to the built-in ones, for the whole program: call it once, before anything else. They are found by [`info`] and
/// [`build`], so that a configuration may name them.
///
/// # Errors
/// [`AlreadyAdded`] at a second call, and for a name that there is already.
pub fn add(strategies: Vec<StrategyInfo>) -> Result<(), AlreadyAdded> {
    let mut names: Vec<&str> = strategies
        .iter()
        .chain(&CATALOGUE)
        .map(|info| info.name)
        .collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.array_windows().find(|[one, other]| one == other) {
        return Err(AlreadyAdded(format!("two strategies are called {twice}")));
    }
    let again = |_| AlreadyAdded("strategies were added before".to_owned());
    ADDED.set(strategies).map_err(again)
}

/// Strategies that cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; add all strategies at once, each with a name of its own")]
pub struct AlreadyAdded(String);

/// The strategy called `name`.
///
/// # Errors
/// [`BuildError::UnknownStrategy`], with the nearest name there is.
pub fn info(name: &str) -> Result<&'static StrategyInfo, BuildError> {
    let added = ADDED.get().map_or(&[][..], Vec::as_slice);
    let found = CATALOGUE.iter().chain(added).find(|info| info.name == name);
    found.ok_or_else(|| BuildError::UnknownStrategy {
        name: name.to_owned(),
        nearest: nearest(name, offered()),
    })
}

/// Makes the strategy called `name` for a bot of so many instruments; parameters not given take their defaults.
///
/// # Errors
/// [`BuildError`] with all errors.
pub fn build(
    name: &str,
    parameters: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    (info(name)?.build)(parameters, instruments)
}

static CATALOGUE: [StrategyInfo; 12] = [
    builtin::ma_cross::INFO,
    builtin::rsi_reversion::INFO,
    builtin::bollinger_reversion::INFO,
    builtin::macd::INFO,
    builtin::donchian_breakout::INFO,
    builtin::rsi_trend::INFO,
    builtin::momentum_timer::INFO,
    builtin::cross_venue_spread::INFO,
    builtin::external::INFO,
    builtin::fault_panic::INFO,
    builtin::fault_divide::INFO,
    builtin::fault_slow::INFO,
];

/// A strategy as people see it.
#[derive(Clone, Copy, Debug)]
pub struct StrategyInfo {
    /// Its name in a configuration.
    pub name: &'static str,
    /// Grows when its rule or its saved state changes; state of another version is refused.
    pub version: u32,
    /// What it does, in a sentence.
    pub description: &'static str,
    /// What it is evaluated on.
    pub wakes_on: WakesOn,
    /// Its parameters.
    pub parameters: &'static [ParameterInfo],
    /// Whether it is broken on purpose, to show that a bot's fault is that bot's fault. A configuration is to refuse
    /// it unless such strategies were allowed.
    pub for_tests: bool,
    /// Makes one.
    pub build: Builder,
}

/// Makes a strategy from its parameters, for so many instruments.
pub type Builder = fn(&BTreeMap<String, Parameter>, usize) -> Result<Box<dyn Strategy>, BuildError>;

impl StrategyInfo {
    /// Its candles' lengths by the parameter that sets each, shortest role first; empty if it reads none.
    pub fn intervals(&self) -> impl Iterator<Item = (&'static str, Interval)> {
        self.parameters
            .iter()
            .filter_map(|info| match info.default {
                DefaultValue::Interval(interval) => Some((info.name, interval)),
                DefaultValue::Whole(_) | DefaultValue::Number(_) => None,
            })
    }
}

/// What a strategy is evaluated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakesOn {
    /// Each quote.
    Quotes,
    /// The close of each candle of its intervals.
    Candles,
    /// The bot's own interval.
    Timer,
    /// Any of these.
    Anything,
}

/// Why a strategy could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no strategy of this name.
    #[error("no strategy {name:?}; {}", unknown_cure(*nearest))]
    UnknownStrategy {
        /// The requested name.
        name: String,
        /// The one that was probably meant.
        nearest: Option<&'static str>,
    },
    /// Parameters are wrong; all that are.
    #[error("{}", Lines(.0))]
    Parameters(Vec<ParameterError>),
    /// An indicator refused what the parameters allowed.
    #[error(transparent)]
    Indicator(#[from] IndicatorError),
}

/// Names to offer: not those for tests.
fn offered() -> impl Iterator<Item = &'static str> {
    let real = CATALOGUE.iter().filter(|info| !info.for_tests);
    real.map(|info| info.name)
}

fn unknown_cure(nearest: Option<&'static str>) -> String {
    match nearest {
        Some(name) => format!("did you mean {name}?"),
        None => format!("there are {}", offered().collect::<Vec<_>>().join(", ")),
    }
}

/// One error a line.
struct Lines<'a>(&'a [ParameterError]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            let new_line = if place == 0 { "" } else { "\n" };
            write!(f, "{new_line}{error}")?;
        }
        Ok(())
    }
}
