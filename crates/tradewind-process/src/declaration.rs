//! Loading a strategy's file, and what it declares.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tradewind_events::StrategyProcess;
use tradewind_model::{Interval, Parameter};

use crate::LOAD_DEADLINE;
use crate::child::Process;
use crate::error::ProcessError;
use crate::frame::Kind;
use crate::host::Host;

/// What a strategy's file declares.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Declaration {
    /// The name of its class.
    pub class: String,
    /// The intervals of its candles; the first is the one that it decides on.
    pub timeframes: Vec<String>,
    /// How many closed candles it has before its first decision.
    pub warm_up: u32,
    /// The interval of its timer.
    pub every: Option<String>,
    /// The callbacks that it has.
    pub callbacks: Vec<String>,
    /// Its parameters by name.
    pub params: BTreeMap<String, DeclaredParameter>,
    /// What is wrong with the parameters that were given.
    pub problems: Vec<ParameterProblem>,
    /// SHA-256 of the file, in hexadecimal digits.
    pub hash: String,
    /// The interpreter's version.
    pub python: String,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DeclaredParameter {
    /// Its default.
    pub default: Value,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// The values that it may have.
    pub choices: Option<Vec<Value>>,
    /// What it is for.
    pub about: String,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ParameterProblem {
    /// Its name.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to write.
    pub cure: String,
}

/// What is to be loaded.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// `python`, `freqtrade` or `model`.
    pub kind: String,
    /// The file; of a model the folder of its version.
    pub path: String,
    /// The class; the only one where it is absent.
    pub class: Option<String>,
    /// The interpreter.
    pub interpreter: String,
    /// Parameters as configured.
    pub parameters: BTreeMap<String, Parameter>,
    /// Intervals in place of the strategy's own; none for those.
    pub timeframes: Vec<Interval>,
    /// What the process may map, in bytes.
    pub memory_bytes: u64,
    /// Names of a model's features, in the order of its rows.
    pub features: Vec<String>,
}

impl Wanted {
    pub(crate) fn of(process: &StrategyProcess, parameters: &BTreeMap<String, Parameter>) -> Self {
        Self {
            kind: process.kind.clone(),
            path: process.file.clone(),
            class: Some(process.class.clone()),
            interpreter: process.interpreter.clone(),
            parameters: parameters.clone(),
            timeframes: process
                .timeframes
                .iter()
                .map(|(interval, _)| *interval)
                .collect(),
            memory_bytes: process.memory_bytes,
            features: Vec::new(),
        }
    }

    fn body(&self) -> Vec<u8> {
        let params: BTreeMap<&String, Value> = self
            .parameters
            .iter()
            .map(|(name, value)| (name, parameter(value)))
            .collect();
        let timeframes: Vec<&str> = self.timeframes.iter().map(|one| one.name()).collect();
        let body = json!({
            "kind": self.kind,
            "path": self.path,
            "class": self.class,
            "params": params,
            "timeframes": timeframes,
            "features": self.features,
        });
        body.to_string().into_bytes()
    }
}

/// A parameter as JSON. A whole number stays whole.
fn parameter(value: &Parameter) -> Value {
    match value {
        Parameter::Number(number) => number
            .as_whole()
            .map_or_else(|| Value::from(number.to_f64()), Value::from),
        Parameter::Text(text) => Value::from(text.clone()),
        Parameter::Flag(flag) => Value::from(*flag),
    }
}

/// A declaration with the process that made it, which a bot may be given.
#[derive(Clone, Debug)]
pub struct Declared {
    /// What the file declares.
    pub declaration: Declaration,
    pub(crate) host: Host,
}

/// Loads a file in a process of its own and returns what it declares.
///
/// # Errors
/// An interpreter that cannot be run; a file that is no strategy, with the cure.
pub fn declare(wanted: &Wanted) -> Result<Declared, ProcessError> {
    let process = StrategyProcess {
        interpreter: wanted.interpreter.clone(),
        memory_bytes: wanted.memory_bytes,
        ..StrategyProcess::default()
    };
    let host = Host::default();
    let mut state = host.lock();
    let (process, _) = state.process(&wanted.path, &process)?;
    let declaration = load(process, 0, wanted)?;
    drop(state);
    Ok(Declared { declaration, host })
}

/// Loads a file in a process.
pub(crate) fn load(
    process: &mut Process,
    bot: u16,
    wanted: &Wanted,
) -> Result<Declaration, ProcessError> {
    #[derive(Deserialize)]
    struct Refusal {
        problem: String,
        cure: String,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loaded {
        Refused { error: Refusal },
        Loaded(Box<Declaration>),
    }
    let answer = process.request(Kind::Load, bot, wanted.body(), LOAD_DEADLINE)?;
    let garbled = |text: String| ProcessError::Garbled(text);
    if answer.kind != Kind::Loaded {
        return Err(garbled(format!("{:?} in place of LOADED", answer.kind)));
    }
    match serde_json::from_slice(&answer.body).map_err(|error| garbled(error.to_string()))? {
        Loaded::Loaded(declaration) => Ok(*declaration),
        Loaded::Refused { error } => Err(ProcessError::Refused {
            problem: error.problem,
            cure: error.cure,
        }),
    }
}
