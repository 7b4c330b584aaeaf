//! The transcript: one JSON object a line, without keys, signatures or balances.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::output::Output;
use crate::cli::time::now;

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";
/// What a signed request ends with.
const SIGNATURE: &str = "signature=";

/// Where the steps are written down.
pub(super) struct Transcript {
    file: File,
    secrets: Vec<String>,
    output: Output,
}

impl Transcript {
    /// Creates the file, over one of an earlier run. What is in `secrets` is not written.
    pub(super) fn create(
        path: &Path,
        secrets: Vec<String>,
        output: Output,
    ) -> anyhow::Result<Self> {
        let file = File::create(path);
        let file = file.with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self {
            file,
            secrets,
            output,
        })
    }

    /// Writes down a step and prints it.
    pub(super) fn write(&mut self, step: &str, result: &str, facts: &Value) -> anyhow::Result<()> {
        let line = json!({
            "v": 1, "at": now().to_string(), "step": step, "result": result, "facts": facts,
        });
        let line = self.redacted(&line.to_string());
        writeln!(self.file, "{line}").context("writing the transcript")?;
        self.file.sync_data().context("writing the transcript")?;
        if self.output.is_json() {
            return Ok(self.output.text(&format!("{line}\n"))?);
        }
        let facts = self.redacted(&facts.to_string());
        Ok(self
            .output
            .line(&format!("{result:<9} {step:<14} {facts}"))?)
    }

    fn redacted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.secrets.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret.as_str(), REDACTED);
        }
        without_signatures(&text)
    }
}

/// The text without what follows `signature=`.
fn without_signatures(text: &str) -> String {
    let mut parts = text.split(SIGNATURE);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_part = |byte: char| byte.is_ascii_alphanumeric() || "%+/=_-".contains(byte);
        clean.push_str(SIGNATURE);
        clean.push_str(REDACTED);
        clean.push_str(part.trim_start_matches(is_part));
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_keys_nor_signatures_are_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("certify.jsonl");
        let secrets = vec!["the key".to_owned(), "the secret".to_owned(), String::new()];
        let mut transcript = Transcript::create(&path, secrets, Output::new(true)).unwrap();
        let said = "GET /x?a=1&signature=0aB%2F refused for the key by the secret";
        transcript
            .write("start", "failed", &json!({ "reason": said }))
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            line["facts"]["reason"],
            "GET /x?a=1&signature=[redacted] refused for [redacted] by [redacted]"
        );
        assert_eq!((&line["step"], &line["v"]), (&json!("start"), &json!(1)));
    }
}
