//! Errors of a configuration: all at once, each with its place and how to fix it.

use std::cell::RefCell;
use std::fmt;

use super::tree::Origin;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where, in the words of the file: `bots[3].params.fast`; empty for the file as a whole.
    pub path: String,
    /// The line or the variable; `None` for something that is missing.
    pub origin: Option<Origin>,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub cure: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.as_str(), &self.origin) {
            ("", None) => {}
            ("", Some(origin)) => write!(f, "{origin}: ")?,
            (path, None) => write!(f, "{path}: ")?,
            (path, Some(origin)) => write!(f, "{path} ({origin}): ")?,
        }
        write!(f, "{}; {}", self.problem, self.cure)
    }
}

/// Everything that is wrong with a configuration, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    /// Name of the file, as it was given.
    pub file: String,
    /// The errors.
    pub errors: Vec<ConfigError>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = match self.errors.len() {
            1 => "1 error".to_owned(),
            many => format!("{many} errors"),
        };
        write!(f, "{count} in {}", self.file)?;
        self.errors
            .iter()
            .try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// A value that cannot be taken: what is wrong with it and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) what: String,
    pub(super) cure: String,
}

impl Problem {
    pub(super) fn new(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cure: cure.into(),
        }
    }
}

/// Collects errors while the configuration is read; reading continues after each.
#[derive(Debug, Default)]
pub(super) struct Errors {
    list: RefCell<Vec<ConfigError>>,
}

impl Errors {
    /// Notes a problem at `path`.
    pub(super) fn push(&self, path: impl Into<String>, origin: Option<Origin>, problem: Problem) {
        self.list.borrow_mut().push(ConfigError {
            path: path.into(),
            origin,
            problem: problem.what,
            cure: problem.cure,
        });
    }

    /// Whether nothing was noted.
    pub(super) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    /// What was noted, as one error about `file`: lines first, then variables, then what is missing.
    pub(super) fn into_result(self, file: &str) -> Result<(), ConfigErrors> {
        let mut errors = self.list.into_inner();
        errors.sort_by_key(|error| match &error.origin {
            Some(Origin::File { line, column }) => (0, *line, *column),
            Some(Origin::Environment(_) | Origin::Default) => (1, 0, 0),
            None => (2, 0, 0),
        });
        if errors.is_empty() {
            return Ok(());
        }
        Err(ConfigErrors {
            file: file.to_owned(),
            errors,
        })
    }
}
