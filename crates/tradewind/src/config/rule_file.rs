//! A file of rules by itself, as `tradewind backtest --rules FILE` takes it: the keys of a bot that are rules, its timeframe and
//! what wakes it.

use std::collections::BTreeMap;
use std::path::Path;

use tradewind_events::WakeRule;
use tradewind_model::{ExitPlan, Interval, OrderPolicy, Parameter};
use tradewind_rules::Rules;

use super::error::{ConfigErrors, Errors};
use super::section::Section;
use super::tree::{self, Node, Origin, Table, Value};
use super::{handling, rules, strategies};

/// Rules of a file, ready to run.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The parameters of the strategy `rules`.
    pub parameters: BTreeMap<String, Parameter>,
    /// What wakes the bot.
    pub wakes: Vec<WakeRule>,
    /// How its positions are guarded.
    pub exit: ExitPlan,
    /// How its intents become orders.
    pub policy: OrderPolicy,
}

impl RuleFile {
    /// Reads a file of this name. `usual` is the length of candles where the file names none.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &str, text: &str, usual: Option<Interval>) -> Result<Self, ConfigErrors> {
        let errors = Errors::default();
        let table = tree::parse(text, &errors);
        let read = errors.is_empty().then(|| bot(table, usual, &errors));
        errors.into_result(file)?;
        read.flatten().ok_or_else(|| super::nothing_read(file))
    }
}

/// Reads the table as that of a bot which has nothing but rules.
fn bot(table: Table, usual: Option<Interval>, errors: &Errors) -> Option<RuleFile> {
    let node = |value| Node {
        value,
        origin: Origin::Default,
    };
    let usual = usual.map(|interval| node(Value::Text(interval.name().to_owned())));
    let mut bot = Table::from([
        ("strategy".to_owned(), node(Value::Text("rules".to_owned()))),
        ("rules".to_owned(), node(Value::Table(table))),
    ]);
    rules::gather_bot("", &mut bot, "", errors);
    bot.entry("timeframes".to_owned())
        .or_insert_with(|| node(Value::List(usual.into_iter().collect())));
    let policy = bot.remove("policy");
    let whole = node(Value::Table(bot));
    let section = Section::new("", Some(&whole), errors);
    let strategy = strategies::read("", section, (false, Path::new("")), errors)?;
    let policy = match policy {
        Some(node) => handling::policy("order", &node, errors)?,
        None => OrderPolicy::Market,
    };
    let rules = Rules::compile(strategy.rules.as_ref()?).ok()?;
    Some(RuleFile {
        exit: rules.exit_plan(),
        policy: rules.policy(policy),
        parameters: strategy.parameters,
        wakes: strategy.wakes,
    })
}
