//! `tradewind init`: writes the default configuration with its comments.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::output::Output;
use crate::config::DEFAULT;

/// Arguments of `init`.
#[derive(Clone, Debug, Args)]
pub(super) struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "tradewind.toml")]
    file: PathBuf,
}

/// Writes the default configuration; an existing file is never overwritten.
pub(super) fn write(args: &InitArgs, output: Output) -> anyhow::Result<()> {
    let path = args.file.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .with_context(|| format!("cannot create {path}; an existing file is not overwritten"))?;
    file.write_all(DEFAULT.as_bytes())
        .with_context(|| format!("cannot write {path}"))?;
    if output.is_json() {
        return Ok(output.value(&json!({ "file": path.to_string() }))?);
    }
    Ok(output.line(&format!(
        "wrote {path}; edit it, then run: tradewind config check --config {path}"
    ))?)
}
