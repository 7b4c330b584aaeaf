//! Strategies in files of the user: `python:FILE.py` or `python:FILE.py:Class`, and what the desk makes of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tradewind_events::{StrategyProcess, WakeRule};
use tradewind_model::{Interval, Parameter};
use tradewind_process::{Declaration, Declared, ProcessError, Wanted, declare};

use crate::config::parse_duration;

/// The interpreter where none is configured.
pub(crate) const INTERPRETER: &str = "python3";
/// How long an evaluation may take where nothing is configured.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);
/// The longest deadline.
pub(crate) const DEADLINE_MAX: Duration = Duration::from_secs(9);
/// What a process may map where nothing is configured.
pub(crate) const MEMORY: u64 = 4 << 30;

/// What `strategy = "python:…"` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    kind: &'static str,
    file: String,
    class: Option<String>,
}

impl Reference {
    /// Reads a strategy's name; `None` for one that names no file.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (kind, rest) = name.split_once(':')?;
        let kind = ["python", "freqtrade"]
            .into_iter()
            .find(|known| *known == kind)?;
        let is_class = |text: &str| {
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
            !text.is_empty() && text.chars().all(is_part)
        };
        let (file, class) = match rest.rsplit_once(':') {
            Some((file, class)) if is_class(class) => (file, Some(class.to_owned())),
            _ => (rest, None),
        };
        Some(Self {
            kind,
            file: file.to_owned(),
            class,
        })
    }
}

/// How a process is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessOptions {
    pub(crate) interpreter: String,
    pub(crate) deadline: Duration,
    pub(crate) memory_bytes: u64,
    pub(crate) group: Option<String>,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self {
            interpreter: INTERPRETER.to_owned(),
            deadline: DEADLINE,
            memory_bytes: MEMORY,
            group: None,
        }
    }
}

/// A strategy of a file, as the desk runs it.
#[derive(Clone, Debug)]
pub(crate) struct UserStrategy {
    pub(crate) process: StrategyProcess,
    pub(crate) wakes: Vec<WakeRule>,
    pub(crate) declaration: Declaration,
    /// With the process that declared it.
    pub(crate) declared: Declared,
}

impl UserStrategy {
    /// A version for where a number is wanted: the first 32 bits of the file's hash.
    pub(crate) fn version(&self) -> u32 {
        let digits = self.process.hash.get(..8).unwrap_or_default();
        u32::from_str_radix(digits, 16).unwrap_or_default()
    }
}

/// Loads the file in a process of its own, and reads from it what the bot needs. Paths are relative to `folder`.
pub(crate) fn load(
    reference: &Reference,
    folder: &Path,
    options: &ProcessOptions,
    parameters: &BTreeMap<String, Parameter>,
    timeframes: &[Interval],
) -> Result<UserStrategy, ProcessError> {
    let file = folder.join(&reference.file);
    let file = std::path::absolute(&file).unwrap_or(file);
    let wanted = Wanted {
        kind: reference.kind.to_owned(),
        path: file.display().to_string(),
        class: reference.class.clone(),
        interpreter: options.interpreter.clone(),
        parameters: parameters.clone(),
        timeframes: timeframes.to_vec(),
        memory_bytes: options.memory_bytes,
        features: Vec::new(),
    };
    let answer = declare(&wanted)?;
    let declaration = answer.declaration.clone();
    let has = |name: &str| declaration.callbacks.iter().any(|one| one == name);
    let uses_candles = has("on_candle") || has("signals") || declaration.warm_up > 0;
    let declared = declaration.timeframes.iter().filter(|_| uses_candles);
    let intervals: Vec<Interval> = declared
        .map(|name| name.parse().map_err(|_| garbled("a timeframe", name)))
        .collect::<Result<_, _>>()?;
    let mut wakes: Vec<WakeRule> = intervals.iter().copied().map(WakeRule::Candles).collect();
    if has("on_quote") {
        wakes.push(WakeRule::Quotes);
    }
    if let Some(every) = declaration.every.as_deref().filter(|_| has("on_timer")) {
        let every = parse_duration(every).filter(|every| every.as_secs() >= 1);
        let every = every.ok_or_else(|| ProcessError::Refused {
            problem: format!(
                "every = {:?} is no interval of a second or more",
                declaration.every
            ),
            cure: "write every = \"15m\"".to_owned(),
        });
        wakes.push(WakeRule::Every(every?));
    }
    let process = StrategyProcess {
        kind: wanted.kind,
        file: wanted.path,
        class: declaration.class.clone(),
        hash: declaration.hash.clone(),
        interpreter: wanted.interpreter,
        timeframes: intervals
            .into_iter()
            .map(|interval| (interval, declaration.warm_up))
            .collect(),
        has_signals: has("signals"),
        deadline: options.deadline,
        memory_bytes: options.memory_bytes,
        group: options.group.clone(),
    };
    Ok(UserStrategy {
        process,
        wakes,
        declaration,
        declared: answer,
    })
}

fn garbled(what: &str, value: &str) -> ProcessError {
    ProcessError::Garbled(format!("{what} {value:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_file_and_perhaps_a_class() {
        let check = |name: &str, wanted: Option<(&str, &str, Option<&str>)>| {
            let wanted =
                wanted.map(|(kind, file, class)| (kind, file.to_owned(), class.map(str::to_owned)));
            let read = Reference::parse(name);
            assert_eq!(
                read.map(|read| (read.kind, read.file, read.class)),
                wanted,
                "{name}"
            );
        };
        check("python:a.py", Some(("python", "a.py", None)));
        check(
            "python:dir/a.py:Cross",
            Some(("python", "dir/a.py", Some("Cross"))),
        );
        check(
            "freqtrade:a.py:B_2",
            Some(("freqtrade", "a.py", Some("B_2"))),
        );
        check("rsi_reversion", None);
        check("perl:a.pl", None);
    }
}
