//! What is wrong with rules: where, what, and the cure.

use std::fmt;

/// Characters of a rule from its first on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// Place of the first character, from 0.
    pub(crate) start: usize,
    /// Place behind the last one.
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the beginning of one to the end of the other.
    pub(crate) const fn to(self, other: Self) -> Self {
        Self::new(self.start, other.end)
    }
}

/// One mistake in rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The key it is in: `enter[0].when`.
    pub place: String,
    /// Column within the rule's text, from 1; none where the whole value is meant.
    pub column: Option<usize>,
    /// What is wrong, a fragment.
    pub problem: String,
    /// What to write instead.
    pub cure: String,
}

impl RuleError {
    pub(crate) fn new(place: &str, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            place: place.to_owned(),
            column: None,
            problem: problem.into(),
            cure: cure.into(),
        }
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.column = Some(span.start + 1);
        self
    }

    /// What is wrong, with its column.
    #[must_use]
    pub fn what(&self) -> String {
        match self.column {
            Some(column) => format!("column {column}: {}", self.problem),
            None => self.problem.clone(),
        }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what(), self.cure)
    }
}

/// A mistake in a text whose key is known to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) span: Span,
    pub(crate) problem: String,
    pub(crate) cure: String,
}

impl Mistake {
    pub(crate) fn new(span: Span, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            span,
            problem: problem.into(),
            cure: cure.into(),
        }
    }

    pub(crate) fn within(self, place: &str) -> RuleError {
        RuleError::new(place, self.problem, self.cure).at(self.span)
    }
}
