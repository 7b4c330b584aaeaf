//! What a check found: where, what, and how to cure it, on one line that an editor can jump to.

use std::fmt;

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    what: String,
    cure: String,
}

impl Finding {
    /// A finding at `path:line`. `cure` says what to do, in the imperative.
    pub(crate) fn new(
        path: &str,
        line: usize,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            cure: cure.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.what, self.cure
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_with_place_fault_and_cure() {
        let finding = Finding::new("src/a.rs", 7, "no header", "open with //!");
        assert_eq!(finding.to_string(), "src/a.rs:7: no header: open with //!");
    }
}
