//! Bots in place of those of the configuration: read from a text, and compared with those in force.
//!
//! The text has `[[bots]]` alone, or is a whole configuration whose other sections say what the desk runs with. Everything
//! but the bots takes effect at a start only, so a difference there is refused rather than left out in silence.

use std::collections::BTreeMap;
use std::fmt;

use super::error::{ConfigErrors, Errors, Problem};
use super::structure::{self, join};
use super::tree::{self, Origin, Table, Value};
use super::{DeskConfig, Sources, assemble, keys, nothing_read, show};

/// The key that may change while the desk runs.
const BOTS: &str = "bots";
/// How variables begin that override single settings of bots. They belong to the bots of the file.
const BOT_OVERRIDES: &str = "TRADEWIND__BOTS";

/// How a bot differs from the one of its name that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BotChange {
    /// There was none.
    Added,
    /// There is none any more.
    Removed,
    /// Its settings differ.
    Changed(Vec<SettingChange>),
}

/// A setting of a bot that differs, both as TOML; `None` where it is not written and has no default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// Its key below the bot: `params.fast`.
    pub key: String,
    /// What is in force.
    pub before: Option<String>,
    /// What takes its place.
    pub after: Option<String>,
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, before, after } = self;
        match (before, after) {
            (Some(before), Some(after)) => write!(f, "{key} {before} -> {after}"),
            (None, Some(after)) => write!(f, "{key} = {after}"),
            (Some(before), None) => write!(f, "{key} {before} taken out"),
            (None, None) => write!(f, "{key}"),
        }
    }
}

impl fmt::Display for BotChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("added"),
            Self::Removed => f.write_str("removed"),
            Self::Changed(settings) => {
                let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
                f.write_str(&settings.join(", "))
            }
        }
    }
}

impl DeskConfig {
    /// This desk with the bots of a text.
    ///
    /// # Errors
    /// Everything that is wrong with it, and every setting besides the bots' that differs from this desk's.
    pub fn with_bots(&self, sources: &Sources<'_>) -> Result<Self, ConfigErrors> {
        let errors = Errors::default();
        let parsed = tree::parse(sources.text, &errors);
        if !errors.is_empty() {
            errors.into_result(sources.file)?;
            return Err(nothing_read(sources.file));
        }
        if parsed.is_empty() {
            let cure = "write every bot that is to run as [[bots]]";
            errors.push("", None, Problem::new("there is nothing in it", cure));
        }
        if parsed.keys().any(|key| key != BOTS) {
            return self.with_bots_of_desk(sources);
        }
        let mut tree = self.tree.clone();
        tree.extend(parsed);
        structure::complete("", &mut tree, keys::ROOT, &errors);
        let config = assemble(sources, tree, &errors);
        errors.into_result(sources.file)?;
        config.ok_or_else(|| nothing_read(sources.file))
    }

    /// This desk with the bots of a whole configuration, all else of which must be the same.
    fn with_bots_of_desk(&self, sources: &Sources<'_>) -> Result<Self, ConfigErrors> {
        let mut environment = sources.environment.clone();
        environment.retain(|name, _| !name.starts_with(BOT_OVERRIDES));
        let config = Self::read(&Sources {
            environment: &environment,
            ..*sources
        })?;
        let errors = Errors::default();
        let (known, new) = (settings(&self.tree), settings(&config.tree));
        for key in all_keys(&known, &new) {
            if key.split(['.', '[']).next() == Some(BOTS) {
                continue;
            }
            let (known, new) = (known.get(key), new.get(key));
            if known.map(|(text, _)| text) == new.map(|(text, _)| text) {
                continue;
            }
            let runs_with = known.map_or("without it", |(text, _)| text);
            let what =
                format!("the desk runs with {runs_with}, and only bots change while it runs");
            let cure =
                "write what it runs with, or leave all but [[bots]] out, or start the desk again";
            let origin = new.map(|(_, origin)| origin.clone());
            errors.push(key, origin, Problem::new(what, cure));
        }
        errors.into_result(sources.file)?;
        Ok(config)
    }

    /// The bots as they take effect, defaults included, as TOML.
    #[must_use]
    pub fn bots_text(&self) -> String {
        let bots = self.tree.get(BOTS).cloned();
        show::toml(
            &bots
                .into_iter()
                .map(|node| (BOTS.to_owned(), node))
                .collect(),
        )
    }

    /// How the bots of `new` differ from this desk's, by name: added and changed ones in the order of `new`, then removed ones.
    #[must_use]
    pub fn bot_changes(&self, new: &Self) -> Vec<(String, BotChange)> {
        let (known, listed) = (bots(&self.tree), bots(&new.tree));
        let mut changes = Vec::new();
        for (name, table) in &listed {
            let Some((_, before)) = known.iter().find(|(known, _)| known == name) else {
                changes.push((name.clone(), BotChange::Added));
                continue;
            };
            let settings = setting_changes(before, table);
            if !settings.is_empty() {
                changes.push((name.clone(), BotChange::Changed(settings)));
            }
        }
        let is_gone = |name: &String| !listed.iter().any(|(listed, _)| listed == name);
        let gone = known.into_iter().map(|(name, _)| name).filter(is_gone);
        changes.extend(gone.map(|name| (name, BotChange::Removed)));
        changes
    }
}

/// The bots of a tree by name.
fn bots(tree: &Table) -> Vec<(String, &Table)> {
    let Some(Value::List(items)) = tree.get(BOTS).map(|node| &node.value) else {
        return Vec::new();
    };
    let tables = items.iter().filter_map(|node| match &node.value {
        Value::Table(table) => Some(table),
        _ => None,
    });
    let named = tables.filter_map(|table| match &table.get("id")?.value {
        Value::Text(name) => Some((name.clone(), table)),
        _ => None,
    });
    named.collect()
}

fn setting_changes(before: &Table, after: &Table) -> Vec<SettingChange> {
    let (before, after) = (settings(before), settings(after));
    let text = |of: &Settings, key: &str| of.get(key).map(|(text, _)| text.clone());
    let changes = all_keys(&before, &after)
        .into_iter()
        .map(|key| SettingChange {
            key: key.to_owned(),
            before: text(&before, key),
            after: text(&after, key),
        });
    changes.filter(|one| one.before != one.after).collect()
}

/// Settings by path, each as TOML and with its origin.
type Settings = BTreeMap<String, (String, Origin)>;

fn all_keys<'a>(one: &'a Settings, other: &'a Settings) -> Vec<&'a str> {
    let mut keys: Vec<&str> = one.keys().chain(other.keys()).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn settings(tree: &Table) -> Settings {
    let mut found = Settings::new();
    collect("", tree, &mut found);
    found
}

fn collect(path: &str, table: &Table, found: &mut Settings) {
    for (name, node) in table {
        let path = join(path, name);
        match &node.value {
            Value::Table(table) => collect(&path, table, found),
            value => {
                found.insert(path, (show::inline(value), node.origin.clone()));
            }
        }
    }
}
