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
    pub(super) fn create(path: &Path, secrets: &[String], output: Output) -> anyhow::Result<Self> {
        let file = File::create(path);
        let file = file.with_context(|| format!("cannot create {}", path.display()))?;
        let secrets = secrets.iter().flat_map(|secret| parts(secret));
        Ok(Self {
            file,
            secrets: secrets.collect(),
            output,
        })
    }

    /// Writes down a step and prints it.
    pub(super) fn write(&mut self, step: &str, result: &str, facts: &Value) -> anyhow::Result<()> {
        let facts = self.redacted(facts);
        let line = json!({
            "v": 1, "at": now().to_string(), "step": step, "result": result, "facts": facts,
        });
        writeln!(self.file, "{line}").context("writing the transcript")?;
        self.file.sync_data().context("writing the transcript")?;
        if self.output.is_json() {
            return Ok(self.output.text(&format!("{line}\n"))?);
        }
        Ok(self
            .output
            .line(&format!("{result:<9} {step:<14} {facts}"))?)
    }

    /// The value without secrets in its texts and names. As JSON text a key of several lines would not be found.
    fn redacted(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.redacted_text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.redacted(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter();
                let redacted = |(name, value): (&String, &Value)| {
                    (self.redacted_text(name), self.redacted(value))
                };
                Value::Object(fields.map(redacted).collect())
            }
            other => other.clone(),
        }
    }

    fn redacted_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), REDACTED);
        }
        without_signatures(&text)
    }
}

/// The secret as a whole, and each line of a private key. Its line ends may be written as `\n`.
fn parts(secret: &str) -> Vec<String> {
    let secret = secret.trim();
    let lines = secret.split('\n').flat_map(|line| line.split("\\n"));
    let is_secret = |line: &&str| !line.is_empty() && !line.starts_with("-----");
    let lines = lines.map(str::trim).filter(is_secret);
    let parts = std::iter::once(secret).chain(lines);
    let mut parts: Vec<String> = parts.map(str::to_owned).collect();
    parts.retain(|part| !part.is_empty());
    parts.dedup();
    parts
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
        let mut transcript = Transcript::create(&path, &secrets, Output::new(true)).unwrap();
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

    #[test]
    fn no_line_of_a_private_key_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("certify.jsonl");
        let begin = "-----BEGIN PRIVATE KEY-----";
        for key in [
            format!("{begin}\nMC4CAQAw\nBQYDK2Vw\n-----END PRIVATE KEY-----\n"),
            format!("{begin}\\nMC4CAQAw\\nBQYDK2Vw\\n-----END PRIVATE KEY-----"),
        ] {
            let mut transcript =
                Transcript::create(&path, std::slice::from_ref(&key), Output::new(true)).unwrap();
            let facts = json!({
                "whole": format!("<{}>", key.trim()), "line": ["BQYDK2Vw"], "MC4CAQAw": { "count": 1 },
            });
            transcript.write("start", "failed", &facts).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let line: Value = serde_json::from_str(&text).unwrap();
            let wanted = json!({
                "whole": "<[redacted]>", "line": ["[redacted]"], "[redacted]": { "count": 1 },
            });
            assert_eq!(line["facts"], wanted);
        }
    }
}
