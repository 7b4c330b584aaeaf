//! `tradewind init`: writes a configuration with its comments.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::output::Output;
use crate::config::{DEFAULT, INTRADAY, SWING};

/// Arguments of `init`.
#[derive(Clone, Debug, Args)]
pub(super) struct InitArgs {
    /// The file to write
    #[arg(value_name = "FILE", default_value = "tradewind.toml")]
    file: PathBuf,

    /// How the desk trades: its limits and its bots
    #[arg(long, value_enum, default_value_t = Style::Demo)]
    style: Style,
}

/// A configuration to begin with.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Style {
    /// The 45 bots of `make run`, on simulated prices
    Demo,
    /// Eight bots on candles of four hours, with limits for positions that are held for days
    Swing,
    /// Eight bots on candles of 5 and 15 minutes, with limits for small and frequent trades
    Intraday,
}

impl Style {
    const fn text(self) -> &'static str {
        match self {
            Self::Demo => DEFAULT,
            Self::Swing => SWING,
            Self::Intraday => INTRADAY,
        }
    }
}

/// Writes the configuration; an existing file is never overwritten.
pub(super) fn write(args: &InitArgs, output: Output) -> anyhow::Result<()> {
    let path = args.file.display();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .with_context(|| format!("cannot create {path}; an existing file is not overwritten"))?;
    file.write_all(args.style.text().as_bytes())
        .with_context(|| format!("cannot write {path}"))?;
    if output.is_json() {
        return Ok(output.value(&json!({ "file": path.to_string() }))?);
    }
    Ok(output.line(&format!(
        "wrote {path}; edit it, then run: tradewind config check --config {path}"
    ))?)
}
