//! `tradewind config`: checks the configuration, prints the settings in force, prints the schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::Output;
use crate::config::{ConfigErrors, DeskConfig, Listing, LoadError, ModelSettings, schema};

/// The file that is used when none is named, if it is there.
const USUAL: &str = "tradewind.toml";

/// Selects the configuration.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigFile {
    /// Configuration [default: ./tradewind.toml if it is there, else the built-in one]
    #[arg(
        long,
        value_name = "FILE",
        env = "TRADEWIND_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads it, with the environment's overrides.
    pub(super) fn load(&self, listing: Listing) -> Result<DeskConfig, LoadError> {
        DeskConfig::load(self.path().as_deref(), &environment(), listing)
    }

    /// Reads its models alone: bots may wait for versions that are still to be made.
    pub(super) fn load_models(&self) -> Result<Vec<ModelSettings>, LoadError> {
        DeskConfig::load_models(self.path().as_deref(), &environment())
    }

    fn path(&self) -> Option<PathBuf> {
        let usual = || Path::new(USUAL).is_file().then(|| PathBuf::from(USUAL));
        self.config.clone().or_else(usual)
    }
}

/// The environment; what is not Unicode cannot be an override.
pub(super) fn environment() -> BTreeMap<String, String> {
    let variables = std::env::vars_os();
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    variables.filter_map(text).collect()
}

/// Arguments of `config`.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    action: ConfigAction,
}

#[derive(Clone, Debug, Subcommand)]
enum ConfigAction {
    /// Print every error in it; exit code 4 if there is one
    Check {
        #[command(flatten)]
        file: ConfigFile,
        /// For recorded data or a real venue: do not compare instruments with those of the embedded exchange
        #[arg(long)]
        any_instrument: bool,
    },
    /// Print the settings in force: the file, overrides of the environment, defaults
    Show {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Print its JSON schema, for editors
    Schema,
}

/// Executes the command.
pub(super) fn execute(args: &ConfigArgs, output: Output) -> anyhow::Result<()> {
    match &args.action {
        ConfigAction::Check {
            file,
            any_instrument,
        } => {
            let listing = if *any_instrument {
                Listing::Unknown
            } else {
                Listing::Generated
            };
            in_order(&file.load(listing)?, output)
        }
        ConfigAction::Show { file } => show(&file.load(Listing::Unknown)?, output),
        ConfigAction::Schema => Ok(output.text(&format!("{:#}\n", schema()))?),
    }
}

fn in_order(config: &DeskConfig, output: Output) -> anyhow::Result<()> {
    let (bots, instruments) = (config.bots.len(), config.instrument_names().len());
    let accounts = config.accounts.len();
    if output.is_json() {
        let facts = json!({ "file": config.file, "ok": true, "bots": bots, "instruments": instruments, "accounts": accounts });
        return Ok(output.value(&facts)?);
    }
    Ok(output.line(&format!(
        "{} is valid: bots {bots}, instruments {instruments}, accounts {accounts}",
        config.file
    ))?)
}

fn show(config: &DeskConfig, output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        return Ok(output.value(&config.show_json())?);
    }
    Ok(output.text(&config.show())?)
}

/// Errors of a configuration, for scripts.
pub(super) fn errors_json(errors: &ConfigErrors) -> Value {
    let each = errors.errors.iter().map(|error| {
        let origin = error.origin.as_ref().map(ToString::to_string);
        json!({ "path": error.path, "origin": origin, "problem": error.problem, "cure": error.cure })
    });
    json!({ "file": errors.file, "ok": false, "errors": each.collect::<Vec<_>>() })
}
