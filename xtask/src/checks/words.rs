//! Words that must not be there: unfinished code, silenced tests and lints, paths of one machine.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// What is looked for, in which files, and what to say. Split literals keep this file from finding itself.
const WORDS: [(&str, &[&str], &str, &str); 6] = [
    (
        concat!("to", "do!("),
        &["rs"],
        "unfinished code",
        "write it, or leave it out and say so in the README",
    ),
    (
        concat!("unimple", "mented!("),
        &["rs"],
        "unfinished code",
        "write it, or leave it out and say so in the README",
    ),
    (
        concat!("#[ign", "ore"),
        &["rs"],
        "a test that does not run",
        "assert what happens today and say that it is wrong",
    ),
    (
        concat!(".on", "ly("),
        &["ts", "tsx"],
        "a test that hides the others",
        "remove the .only",
    ),
    (
        concat!("/wo", "rk/"),
        &[],
        "a path of one machine",
        "make it relative, or take it from the environment",
    ),
    (
        concat!("/ro", "ot/"),
        &[],
        "a path of one machine",
        "make it relative, or take it from the environment",
    ),
];

/// Openings of attributes that switch a lint off.
const SILENCERS: [&str; 4] = [
    concat!("#[al", "low("),
    concat!("#![al", "low("),
    concat!("#[exp", "ect("),
    concat!("#![exp", "ect("),
];

/// Findings for each word and for each lint that is switched off without a reason.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .flat_map(|file| [words(file), silenced_lints(file)].concat())
        .collect()
}

fn words(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (word, extensions, what, cure) in WORDS {
        if extensions.is_empty() || file.has_extension(extensions) {
            let hits = file.lines().filter(|(_, line)| line.contains(word));
            findings.extend(hits.map(|(line, _)| {
                Finding::new(&file.path, line, format!("{word} is {what}"), cure)
            }));
        }
    }
    findings
}

fn silenced_lints(file: &File) -> Vec<Finding> {
    if !file.has_extension(&["rs"]) || file.is_generated() {
        return Vec::new();
    }
    let opens = |line: &str| {
        SILENCERS
            .iter()
            .any(|silencer| line.trim_start().starts_with(silencer))
    };
    let silent = file
        .lines()
        .filter(|(line, text)| opens(text) && !attribute_from(file, *line).contains("reason = "));
    silent
        .map(|(line, _)| {
            Finding::new(
                &file.path,
                line,
                "a lint is silenced without a reason",
                "write #[expect(LINT, reason = \"…\")]",
            )
        })
        .collect()
}

/// The attribute that opens on `line`, which may run over several.
fn attribute_from(file: &File, line: usize) -> String {
    let mut attribute = String::new();
    for text in file.text.lines().skip(line - 1) {
        attribute.push_str(text);
        if text.contains(")]") {
            break;
        }
    }
    attribute
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn every_word_is_found_in_the_files_it_is_meant_for() {
        for (word, extensions, what, _) in WORDS {
            let path = format!("a.{}", extensions.first().unwrap_or(&"md"));
            let text = format!("//! x\n{word}\n");
            assert_finds(
                check,
                &[(&path, &text)],
                &[&format!("{path}:2: {word} is {what}")],
            );
        }
    }

    #[test]
    fn prose_may_name_a_macro() {
        let text = format!("No {} here.\n", WORDS[0].0);
        assert_finds(check, &[("CONTRIBUTING.md", &text)], &[]);
    }

    #[test]
    fn a_lint_is_silenced_with_a_reason_only() {
        for silencer in SILENCERS {
            let bare = format!("{silencer}dead_code)]\n");
            assert_finds(check, &[("a.rs", &bare)], &["a.rs:1: a lint is silenced"]);
            let reasoned = format!("    {silencer}\n    dead_code,\n    reason = \"why\",\n)]\n");
            assert_finds(check, &[("a.rs", &reasoned)], &[]);
        }
    }
}
