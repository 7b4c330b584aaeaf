//! A bot's strategy in a file of the user: what its file declares, and the keys that only such a bot has.

use std::path::Path;

use tradewind_process::ProcessError;
use tradewind_strategy::ReadUse;

use super::error::{Errors, Problem};
use super::section::Section;
use super::strategies::{StrategySettings, parameters};
use super::structure::join;
use super::tree::Value;
use super::values;
use crate::user_strategy::{
    DEADLINE, DEADLINE_MAX, INTERPRETER, MEMORY, ProcessOptions, Reference, load,
};

/// Keys that say how a process is run.
const KEYS: [&str; 4] = ["python", "deadline", "memory_mb", "group"];

/// Refuses the keys of a process for a bot without one.
pub(super) fn refuse_keys(section: Section<'_>) {
    for key in KEYS {
        if section.node(key).is_some() {
            let cure = "remove it, or write strategy = \"python:FILE.py\"";
            let what = "only a bot has it whose strategy is a file";
            section.complain(key, Problem::new(what, cure));
        }
    }
}

/// Loads the file of the bot at `path`.
pub(super) fn read(
    (path, name): (&str, &str),
    reference: &Reference,
    section: Section<'_>,
    folder: &Path,
    errors: &Errors,
) -> Option<StrategySettings> {
    let options = options(section, folder);
    let timeframes = section.items("timeframes", values::interval)?;
    let parameters = match section.node("params") {
        Some(_) => parameters(section)?,
        None => std::collections::BTreeMap::new(),
    };
    if section.node("wake").is_some() {
        let what = "the callbacks of a strategy in Python say when it is evaluated";
        let cure = "remove it; write on_candle, on_quote, or on_timer with every = \"15m\"";
        section.complain("wake", Problem::new(what, cure));
    }
    let loaded = match load(reference, folder, &options?, &parameters, &timeframes) {
        Ok(loaded) => loaded,
        Err(error) => {
            section.complain(key_of(&error), problem(error));
            return None;
        }
    };
    for wrong in &loaded.declaration.problems {
        let node = match section.node("params").map(|node| &node.value) {
            Some(Value::Table(table)) => table.get(&wrong.path),
            _ => None,
        };
        let origin = node.map(|node| node.origin.clone());
        let place = join(&join(path, "params"), &wrong.path);
        let problem = Problem::new(wrong.problem.as_str(), wrong.cure.as_str());
        errors.push(place, origin, problem);
    }
    if !loaded.declaration.problems.is_empty() {
        return None;
    }
    Some(StrategySettings {
        name: name.to_owned(),
        version: loaded.version(),
        parameters,
        wakes: loaded.wakes,
        reads: ReadUse::default(),
        rules: None,
        process: Some(loaded.process),
    })
}

pub(super) fn options(section: Section<'_>, folder: &Path) -> Option<ProcessOptions> {
    let given = |key: &str| section.node(key).is_some();
    let interpreter = match given("python") {
        // A path is relative to the configuration, and a bare name is looked up.
        true => section.get("python", |node| {
            let text = values::text(node)?;
            let path = folder.join(&text);
            Ok(match text.contains('/') {
                true => path.display().to_string(),
                false => text,
            })
        })?,
        false => INTERPRETER.to_owned(),
    };
    let deadline = match given("deadline") {
        true => section.get("deadline", |node| match values::duration(node)? {
            deadline if deadline <= DEADLINE_MAX => Ok(deadline),
            _ => Err(Problem::new(
                "longer than 9s",
                "write \"2s\", or up to \"9s\"",
            )),
        })?,
        false => DEADLINE,
    };
    let memory_bytes = match given("memory_mb") {
        true => section.get("memory_mb", |node| match values::count::<u32>(node)? {
            mebibytes @ 64.. => Ok(u64::from(mebibytes) << 20),
            _ => Err(Problem::new(
                "less than an interpreter needs",
                "write 64 or more",
            )),
        })?,
        false => MEMORY,
    };
    let group = match given("group") {
        true => Some(section.get("group", values::name)?),
        false => None,
    };
    Some(ProcessOptions {
        interpreter,
        deadline,
        memory_bytes,
        group,
    })
}

/// The key that an error is about.
const fn key_of(error: &ProcessError) -> &'static str {
    match error {
        ProcessError::Interpreter { .. } => "python",
        _ => "strategy",
    }
}

fn problem(error: ProcessError) -> Problem {
    match error {
        ProcessError::Refused { problem, cure } => Problem::new(problem, cure),
        ProcessError::Interpreter { .. } => Problem::new(
            error.to_string(),
            "write python = \"/path/of/a/venv/bin/python\", or install python3",
        ),
        other => Problem::new(
            format!("its process {other}"),
            "make the file load without doing work",
        ),
    }
}
