//! What a configuration may say and what it may not: each mistake with its path, its line and its cure.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod applied;
mod candle_history;
mod defaults;
mod feeds;
mod first_minutes;
mod market;
mod mistakes;
mod python;
mod resolving;
mod rules;
mod steered;
mod templates;
mod universe;
mod values;

use std::collections::BTreeMap;

use tradewind::config::{ConfigErrors, DeskConfig, Listing, Sources};

/// A desk that is in order.
const BASE: &str = include_str!("base.toml");

fn read_with(text: &str, environment: &[(&str, &str)]) -> Result<DeskConfig, ConfigErrors> {
    let environment: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    DeskConfig::read(&Sources {
        file: "test.toml",
        text,
        environment: &environment,
        listing: Listing::Generated,
    })
}

fn read(text: &str) -> Result<DeskConfig, ConfigErrors> {
    read_with(text, &[])
}

/// [`BASE`] with `from`, which must be in it, replaced by `to`, everywhere.
fn changed(from: &str, to: &str) -> String {
    assert!(BASE.contains(from), "{from:?} is not in base.toml");
    BASE.replace(from, to)
}

/// The errors of a text, one a line, as people see them.
fn errors(text: &str) -> Vec<String> {
    match read(text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.errors.iter().map(ToString::to_string).collect(),
    }
}
