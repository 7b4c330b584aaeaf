//! No sleeping in tests: a test moves the clock or waits for the thing itself.
//!
//! Where a real process must be polled, the line says why: `// tidy: sleep: REASON`, on it or right above it.

use crate::finding::Finding;
use crate::tree::{File, Tree};

const EXCUSE: &str = "// tidy: sleep: ";

/// Findings for calls to a `sleep` in test code.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|file| file.has_extension(&["rs"]))
        .flat_map(sleeps)
        .collect()
}

fn sleeps(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_tests = is_test_file(&file.path);
    let mut above = "";
    for (line, text) in file.lines() {
        // By the house's order tests come last, so everything below the attribute is a test.
        in_tests |= text.trim_start().starts_with("#[cfg(test)]");
        let excused = [text, above].iter().any(|text| {
            text.split_once(EXCUSE)
                .is_some_and(|(_, reason)| !reason.trim().is_empty())
        });
        if in_tests && calls_sleep(text) && !excused {
            let cure = format!(
                "move the clock or await the event; where neither can be, say why: {EXCUSE}REASON"
            );
            findings.push(Finding::new(&file.path, line, "a test sleeps", cure));
        }
        above = text;
    }
    findings
}

fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.starts_with("crates/tradewind-testkit/")
        || path.ends_with("/tests.rs")
}

/// Whether the code on this line calls a function whose name is exactly `sleep`; a method of that name is somebody's own.
fn calls_sleep(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let mut before_calls = code.split("sleep(").collect::<Vec<_>>();
    before_calls.pop();
    before_calls.into_iter().any(|before| {
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '"';
        !before.ends_with(is_name) && !before.ends_with("fn ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    // Put together here, so that this file holds no such call itself.
    fn call(prefix: &str) -> String {
        format!("{prefix}sleep{}\n", "(x);")
    }

    #[test]
    fn every_spelling_of_a_sleep_is_found_in_a_test() {
        for prefix in ["std::thread::", "thread::", "tokio::time::", "    "] {
            assert_finds(
                check,
                &[("crates/a/tests/t.rs", &call(prefix))],
                &["crates/a/tests/t.rs:1: a test sleeps"],
            );
        }
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        for prefix in ["advance_", "venue.", "async fn ", "// see "] {
            assert_finds(check, &[("crates/a/tests/t.rs", &call(prefix))], &[]);
        }
    }

    #[test]
    fn code_may_sleep_and_its_tests_may_not() {
        let text =
            call("tokio::time::") + "#[cfg(test)]\nmod tests {\n" + &call("tokio::time::") + "}\n";
        assert_finds(
            check,
            &[("crates/a/src/shell.rs", &text)],
            &["crates/a/src/shell.rs:4: a test sleeps"],
        );
    }

    #[test]
    fn an_excuse_needs_a_reason() {
        let excused = format!(
            "{EXCUSE}the process has no other sign of life\n{}",
            call("thread::")
        );
        assert_finds(check, &[("crates/a/tests/t.rs", &excused)], &[]);
        let empty = format!("{EXCUSE}\n{}", call("thread::"));
        assert_finds(
            check,
            &[("crates/a/tests/t.rs", &empty)],
            &["crates/a/tests/t.rs:2: a test sleeps"],
        );
    }
}
