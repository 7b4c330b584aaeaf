//! Words of an earlier private dialect, which CONTRIBUTING.md replaces with plain ones. Two tables: the words with their
//! replacements, and the folders that are not rewritten yet.

use crate::finding::Finding;
use crate::tree::{File, Tree};

/// Files that are checked.
const EXTENSIONS: [&str; 5] = ["rs", "md", "ts", "tsx", "toml"];

/// Paths that are not rewritten yet, and files that must name the words. Remove a line when its folder is done.
const NOT_DONE: [&str; 5] = [
    "CONTRIBUTING.md",
    "crates/tradewind-simx/",
    "crates/tradewind-simx-server/",
    "crates/tradewind/tests/",
    "xtask/src/checks/dialect.rs",
];

/// Names of code: matched as whole words, with their case.
const NAMES: [(&str, &str); 17] = [
    ("Admitted", "AuthorizedMessage"),
    ("Backed", "MirrorSink"),
    ("Backing", "MirrorHealth"),
    ("Face", "ApiServer"),
    ("Ground", "DataDir"),
    ("Hearing", "CommandHandler"),
    ("Moment", "StepContext"),
    ("Opinion", "RuleOutput"),
    ("Stance", "PositionPhase"),
    ("Tally", "TypeCounts or Counters"),
    ("Told", "the name of its content"),
    ("Wish", "OrderRequest or SubscriptionChange"),
    ("admit", "authorize"),
    ("asked", "requested, or the name of its content"),
    ("farewell", "shutdown_summary"),
    ("heard", "received"),
    ("told", "the name of its content"),
];

/// Phrases: matched as whole words in any case, in code and prose.
const PHRASES: [(&str, &str); 16] = [
    ("built anew", "rebuilt"),
    ("chat remote", "Telegram bot"),
    ("for want of", "because there is no"),
    ("goes on", "continues"),
    ("is asked", "is requested or evaluated"),
    ("asked for", "requested"),
    ("is heard", "is received"),
    ("is told", "is sent or reported"),
    ("are told", "are sent or reported"),
    ("was told", "was sent or reported"),
    ("were told", "were sent or reported"),
    ("last words", "shutdown summary"),
    ("said no", "gave no signal, or refused"),
    ("stands still", "stops"),
    ("what came of", "the result of"),
    ("whoever", "the caller, the user or the process, by name"),
];

/// Findings for each word of the dialect outside [`NOT_DONE`].
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let done = tree.files().filter(|file| {
        file.has_extension(&EXTENSIONS) && !NOT_DONE.iter().any(|path| file.path.starts_with(path))
    });
    done.flat_map(findings).collect()
}

fn findings(file: &File) -> Vec<Finding> {
    let is_code = file.has_extension(&["rs", "ts", "tsx"]);
    let mut findings = Vec::new();
    for (line, text) in file.lines() {
        let lower = text.to_lowercase();
        // A serialised name is a contract.
        let is_name = is_code && !text.contains("serde(rename");
        let names = NAMES
            .iter()
            .filter(|(word, _)| is_name && holds(text, word));
        let phrases = PHRASES.iter().filter(|(phrase, _)| holds(&lower, phrase));
        findings.extend(names.chain(phrases).map(|(word, plain)| {
            let problem = format!("{word:?} is a word of the old dialect");
            Finding::new(&file.path, line, problem, format!("write: {plain}"))
        }));
    }
    findings
}

/// Whether `text` has `word` between characters that are no part of an identifier.
fn holds(text: &str, word: &str) -> bool {
    let is_part = |letter: Option<char>| letter.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + word.len()..);
        !is_part(before) && !is_part(after.and_then(|text| text.chars().next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::assert_finds;

    #[test]
    fn a_name_is_refused_in_code_and_a_phrase_everywhere() {
        let code = "//! x\nstruct Face;\n// The bot Is Asked.\n";
        assert_finds(
            check,
            &[
                ("crates/a/src/lib.rs", code),
                ("docs/a.md", "Face\nit is told\n"),
            ],
            &[
                "crates/a/src/lib.rs:2: \"Face\" is a word",
                "crates/a/src/lib.rs:3: \"is asked\" is a word",
                "docs/a.md:2: \"is told\" is a word",
            ],
        );
    }

    #[test]
    fn parts_of_words_and_folders_that_are_not_done_pass() {
        assert!(!holds("struct Surface; fn untold() {}", "Face"));
        assert!(!holds("struct Surface; fn untold() {}", "told"));
        let later = "//! What it is told.\nstruct Face;\n";
        assert_finds(check, &[("crates/tradewind-simx/src/a.rs", later)], &[]);
    }
}
