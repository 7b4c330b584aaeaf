//! The configuration: `tradewind.toml`, the environment's overrides, and the defaults, read once into typed values.
//!
//! All errors are reported at once, each with its path, its line and how to fix it ([`ConfigErrors`]). Numbers are
//! read exactly from their text. Secrets are never in the file: it names the environment variables that hold them.
//!
//! The way through: `tree.rs` keeps what was written and where, `environment.rs` lays the overrides over it,
//! `structure.rs` holds it against the table of `keys.rs`, the section files read the values, and `resolve.rs` turns
//! names into ids once the venues' instruments are known. A [`DeskConfig`] does not change after it was read.

mod accounts;
mod applied;
mod bots;
mod desk;
mod environment;
mod error;
mod handling;
mod keys;
mod limits;
mod models;
mod nearest;
mod protections;
mod reference;
mod resolve;
mod rule_file;
mod rules;
mod schema;
mod section;
mod show;
mod sources;
mod stable_ids;
mod strategies;
mod structure;
mod tree;
mod universe;
mod user_strategies;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use tradewind_risk::Limits;

pub use accounts::{AccountSettings, AccountSource, ReferenceSettings, VenueSettings};
pub use applied::{BotChange, SettingChange};
pub use bots::{BotSettings, Listing};
pub use desk::{
    ApiSettings, DeskSettings, Durability, EngineSettings, Notify, OnExit, SimulationSettings,
    TelegramSettings,
};
pub use error::{ConfigError, ConfigErrors};
pub use models::{Label, ModelSettings};
pub use resolve::AbsentInstruments;
pub use rule_file::RuleFile;
pub use schema::schema;
pub use sources::{SourceInstrument, SourceSettings};
pub use stable_ids::{StableConfiguration, keep_ids};
pub use strategies::StrategySettings;
pub use tree::Origin;
pub use universe::{CANDIDATES_MAX, UniverseSettings};
pub use values::{format_duration, parse_duration, parse_ratio};

use error::Errors;
use section::Section;

/// The configuration that is used when there is no file: 45 bots on 25 instruments of the embedded exchange.
pub const DEFAULT: &str = include_str!("../../config/default.toml");

/// A desk that holds positions for days, as `tradewind init --style swing` writes it.
pub const SWING: &str = include_str!("../../config/swing.toml");

/// A desk that holds positions for minutes to hours, as `tradewind init --style intraday` writes it.
pub const INTRADAY: &str = include_str!("../../config/intraday.toml");

/// What [`DEFAULT`] is called in errors.
pub const DEFAULT_NAME: &str = "the default configuration";

/// A desk as configured.
#[derive(Clone, Debug, PartialEq)]
pub struct DeskConfig {
    /// What it was read from.
    pub file: String,
    /// The desk as a whole.
    pub desk: DeskSettings,
    /// The engine's thread.
    pub engine: EngineSettings,
    /// The HTTP API.
    pub api: ApiSettings,
    /// Venues by name; a venue's place is its id.
    pub venues: Vec<VenueSettings>,
    /// House sources by name; their ids are those behind the venues'.
    pub sources: Vec<SourceSettings>,
    /// Accounts by name; an account's place is its id.
    pub accounts: Vec<AccountSettings>,
    /// Limits, none missing.
    pub limits: Limits,
    /// The embedded exchange.
    pub simulation: SimulationSettings,
    /// The Telegram bot, if it is configured.
    pub telegram: Option<TelegramSettings>,
    /// Bots in the order of the file; a bot's place is its id.
    pub bots: Vec<BotSettings>,
    /// Models that `tradewind train` makes.
    pub models: Vec<ModelSettings>,
    tree: tree::Table,
}

/// What a configuration is read from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Name of the file, as errors are to show it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Environment variables; those that begin with `TRADEWIND__` override the file.
    pub environment: &'a BTreeMap<String, String>,
    /// What the names of instruments are held against.
    pub listing: Listing,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// Its path.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It has errors.
    #[error(transparent)]
    Wrong(#[from] ConfigErrors),
}

impl DeskConfig {
    /// Reads the file at `path`, or the default configuration without one.
    ///
    /// # Errors
    /// [`LoadError`], with everything that is wrong.
    pub fn load(
        path: Option<&Path>,
        environment: &BTreeMap<String, String>,
        listing: Listing,
    ) -> Result<Self, LoadError> {
        let (file, text) = text_of(path)?;
        let sources = Sources {
            file: &file,
            text: &text,
            environment,
            listing,
        };
        Ok(Self::read(&sources)?)
    }

    /// Reads the models of a file and nothing else: bots may wait for versions that are still to be made.
    ///
    /// # Errors
    /// [`LoadError`], with everything that is wrong with them.
    pub fn load_models(
        path: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Vec<ModelSettings>, LoadError> {
        let (file, text) = text_of(path)?;
        let errors = Errors::default();
        let mut tree = tree::parse(&text, &errors);
        environment::apply(&mut tree, environment, &errors);
        tree.retain(|key, _| key == "models");
        let models = keys::ROOT.iter().filter(|key| key.name == "models");
        let models: Vec<keys::Key> = models.copied().collect();
        structure::complete("", &mut tree, &models, &errors);
        let folder = Path::new(&file).parent().unwrap_or(Path::new(""));
        let read = models::read(&tree, folder, &errors);
        errors.into_result(&file)?;
        Ok(read)
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it. Where the text is not TOML, nothing else is looked at.
    pub fn read(sources: &Sources<'_>) -> Result<Self, ConfigErrors> {
        let errors = Errors::default();
        let mut tree = tree::parse(sources.text, &errors);
        if !errors.is_empty() {
            errors.into_result(sources.file)?;
            return Err(nothing_read(sources.file));
        }
        environment::apply(&mut tree, sources.environment, &errors);
        accounts::add_addresses(&mut tree);
        rules::gather(&mut tree, sources.file, &errors);
        structure::complete("", &mut tree, keys::ROOT, &errors);
        accounts::demand_durability(&mut tree);
        let config = assemble(sources, tree, &errors);
        errors.into_result(sources.file)?;
        config.ok_or_else(|| nothing_read(sources.file))
    }

    /// The whole configuration as it takes effect, defaults and overrides included, as TOML. There are no secrets in
    /// it: a configuration holds none.
    #[must_use]
    pub fn show(&self) -> String {
        show::toml(&self.tree)
    }

    /// The same as JSON; numbers are texts where TOML's are not whole.
    #[must_use]
    pub fn show_json(&self) -> serde_json::Value {
        show::json(&self.tree)
    }
}

/// The name and the text of a file, or of the default configuration.
fn text_of(path: Option<&Path>) -> Result<(String, String), LoadError> {
    let Some(path) = path else {
        return Ok((DEFAULT_NAME.to_owned(), DEFAULT.to_owned()));
    };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Unreadable {
        path: name.clone(),
        source,
    })?;
    Ok((name, text))
}

/// Stands for a configuration that could not be read although no error was noted, which is a fault of this module.
fn nothing_read(file: &str) -> ConfigErrors {
    ConfigErrors {
        file: file.to_owned(),
        errors: vec![ConfigError {
            path: String::new(),
            origin: None,
            problem: "it cannot be read".to_owned(),
            cure: "please report it".to_owned(),
        }],
    }
}

fn assemble(sources: &Sources<'_>, tree: tree::Table, errors: &Errors) -> Option<DeskConfig> {
    let section = |name: &'static str| Section::new(name, tree.get(name), errors);
    let desk = DeskSettings::read(section("desk"));
    let engine = EngineSettings::read(section("engine"));
    let api = ApiSettings::read(section("api"));
    let limits = limits::read(section("limits"));
    let simulation = SimulationSettings::read(section("simulation"));
    let telegram = tree
        .get("telegram")
        .map(|_| TelegramSettings::read(section("telegram")));
    let venue_names = accounts::names(&tree, "venues");
    let account_names = accounts::names(&tree, "accounts");
    let venues = accounts::venues(&tree, errors);
    let accounts = accounts::accounts(&tree, &venue_names, &venues, errors);
    let house_sources = sources::read(&tree, &venue_names, errors);
    let context = bots::Context {
        accounts: &accounts,
        account_names: &account_names,
        venue_names: &venue_names,
        venues: &venues,
        sources: &house_sources,
        listing: sources.listing,
        test_strategies: desk.as_ref().is_some_and(|desk| desk.test_strategies),
        folder: Path::new(sources.file).parent().unwrap_or(Path::new("")),
    };
    let models = models::read(&tree, context.folder, errors);
    let bots = bots::read(&tree, context, errors);
    bots::check_shares(&bots, &accounts, errors);
    let markets: Vec<&String> = venue_names
        .iter()
        .chain(house_sources.iter().map(|one| &one.name))
        .collect();
    let references = venues.iter().flat_map(|venue| &venue.references);
    reference::check(references, &markets, errors);
    let telegram = match telegram {
        Some(read) => Some(read?),
        None => None,
    };
    Some(DeskConfig {
        file: sources.file.to_owned(),
        desk: desk?,
        engine: engine?,
        api: api?,
        venues,
        sources: house_sources,
        accounts,
        limits,
        simulation: simulation?,
        telegram,
        bots,
        models,
        tree,
    })
}
