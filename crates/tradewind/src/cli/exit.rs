//! Ends a command: one line about the error, and a stable exit code.

use std::io;
use std::process::ExitCode;

use serde_json::json;

use tradewind_simx_server::FaultErrors;

use super::output::Output;
use crate::config::{ConfigErrors, LoadError};
use crate::replay::CannotReplay;

/// No desk is running, or none answers.
#[derive(Debug, thiserror::Error)]
#[error("{problem}; {cure}")]
pub struct NoDesk {
    /// The problem.
    pub problem: String,
    /// What to do.
    pub cure: String,
}

/// The desk did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TimedOut(pub String);

/// The command printed its findings and ends with code 1 without a further message.
#[derive(Debug, thiserror::Error)]
#[error("problems were found")]
pub(super) struct ProblemsFound;

/// Prints the error and returns the exit code.
pub(super) fn finish(output: Output, result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if reader_left(&error) {
        return ExitCode::SUCCESS;
    }
    let code = code_of(&error);
    if !error.is::<ProblemsFound>() {
        complain(output, &error, code);
    }
    ExitCode::from(code)
}

fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<NoDesk>() {
        3
    } else if error.is::<ConfigErrors>() || error.is::<LoadError>() || error.is::<FaultErrors>() {
        4
    } else if error.is::<TimedOut>() {
        5
    } else if error.is::<CannotReplay>() {
        2
    } else {
        1
    }
}

/// Whether the reader of standard output, such as `head`, has closed it.
fn reader_left(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn complain(output: Output, error: &anyhow::Error, code: u8) {
    let errors = match error.downcast_ref::<LoadError>() {
        Some(LoadError::Wrong(errors)) => Some(errors),
        _ => error.downcast_ref::<ConfigErrors>(),
    };
    match errors {
        Some(errors) if output.is_json() => {
            output.complain(&super::config::errors_json(errors).to_string())
        }
        Some(errors) => output.complain(&errors.to_string()),
        None if output.is_json() => {
            let line = json!({ "error": { "message": format!("{error:#}"), "exit": code } });
            output.complain(&line.to_string());
        }
        None => output.complain(&format!("tradewind: {error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_failure_has_its_code() {
        let check = |error: anyhow::Error, wanted| assert_eq!(code_of(&error), wanted, "{error}");
        let no_desk = NoDesk {
            problem: String::new(),
            cure: String::new(),
        };
        let wrong = ConfigErrors {
            file: String::new(),
            errors: Vec::new(),
        };
        check(anyhow::anyhow!("anything"), 1);
        check(no_desk.into(), 3);
        check(anyhow::Error::from(wrong.clone()).context("starting"), 4);
        check(LoadError::Wrong(wrong).into(), 4);
        check(TimedOut(String::new()).into(), 5);
    }
}
