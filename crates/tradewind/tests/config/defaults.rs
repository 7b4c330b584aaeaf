//! The default configuration: what it promises to users and to the first minutes of a run.

use std::collections::{BTreeMap, BTreeSet};

use tradewind::config::{BotSettings, DEFAULT, DeskConfig, Listing, schema};
use tradewind_model::{Amount, Sizer, Stop};

use crate::read;

fn default() -> DeskConfig {
    DeskConfig::load(None, &BTreeMap::new(), Listing::Generated).unwrap()
}

#[test]
fn it_has_45_bots_on_25_instruments_with_every_strategy() {
    let config = default();
    assert_eq!(config.bots.len(), 45);
    assert_eq!(config.instrument_names().len(), 25);
    let used: BTreeSet<&str> = config
        .bots
        .iter()
        .map(|bot| bot.strategy.name.as_str())
        .collect();
    // One compares with a second venue and one follows an outside process: this desk has neither.
    let offered = tradewind_strategy::catalogue()
        .iter()
        .filter(|info| !info.for_tests && !["cross_venue_spread", "external"].contains(&info.name));
    assert_eq!(used, offered.map(|info| info.name).collect());
    assert!(config.limits.missing().is_none());
}

#[test]
fn its_budgets_fit_the_account_and_its_orders_the_limits() {
    let config = default();
    let limit = config.limits.order_value_max.unwrap();
    let budgets: Amount = config.bots.iter().map(|bot| bot.budget).sum();
    assert!(budgets < Amount::whole(60_000), "{budgets}");
    let too_large = config.bots.iter().filter(|bot| full_position(bot) > limit);
    let names: Vec<&str> = too_large.map(|bot| bot.id.as_str()).collect();
    assert_eq!(
        names,
        ["large-momentum", "link-rsi", "sol-macd"],
        "they are there to be denied, in a market that rises or falls"
    );
}

/// What a full signal buys, in the quote asset.
fn full_position(bot: &BotSettings) -> Amount {
    match (bot.sizer, bot.exit.stop) {
        (Sizer::Share(share), _) => bot.budget.share(share).unwrap(),
        (Sizer::RiskToStop(risk), Stop::Distance(stop)) => {
            bot.budget.mul_div(risk.0.into(), stop.0.into()).unwrap()
        }
        (sizer, _) => panic!("{}: this test does not know {sizer:?}", bot.id),
    }
}

#[test]
fn what_it_shows_reads_back_as_the_same() {
    let config = default();
    let again = read(&config.show()).unwrap();
    assert_eq!(again.bots, config.bots);
    assert_eq!(again.show(), config.show());
    assert_eq!(config.show_json()["bots"][0]["id"], "memes-momentum");
}

#[test]
fn the_schema_knows_every_key_of_it() {
    let schema = schema();
    let text: toml::Table = DEFAULT.parse().unwrap();
    for (section, value) in &text {
        let known = &schema["properties"][section];
        assert!(known.is_object(), "{section}");
        let keys = value.as_table().filter(|_| known["properties"].is_object());
        for key in keys.into_iter().flat_map(toml::Table::keys) {
            assert!(known["properties"][key].is_object(), "{section}.{key}");
        }
    }
    let bot = &schema["properties"]["bots"]["items"];
    assert_eq!(bot["properties"]["lane"]["default"], "inline");
    assert_eq!(bot["additionalProperties"], false);
}

#[test]
fn the_complete_file_of_the_documentation_is_valid() {
    let page = include_str!("../../../../docs/configuration.md");
    let (_, block) = page.split_once("```toml\n").unwrap();
    let (text, _) = block.split_once("```").unwrap();
    let config = read(text).unwrap();
    assert_eq!(config.bots.len(), 1);
    assert!(config.limits.missing().is_none());
}
