//! Strategies written as rules: `enter = "close > highest(high, 20)[1]"`.
//!
//! Rules are text ([`RuleText`]), checked and compiled once ([`Rules::compile`]), and evaluated incrementally: each distinct value
//! once a candle and timeframe, over the indicators of `tradewind-indicators`. `docs/rules.md` describes the language.
//!
//! The way of a rule: `token.rs` splits it, `parse.rs` makes a tree (`syntax.rs`), `lower.rs` and `call.rs` check it and make steps
//! (`program.rs`), `compile.rs` puts clauses, stop and sizes together. At run time `lane.rs` takes candles, `state.rs` passes them
//! through the lanes, `evaluate.rs` computes one evaluation and `strategy.rs` decides.
//!
//! A value is known or *unknown*: while warming up, without data, after x/0. Logic is of three values. What is unknown opens nothing
//! and closes nothing.

mod call;
mod compile;
mod error;
mod evaluate;
mod explain;
mod features;
mod lane;
mod lower;
mod parse;
mod program;
mod scope;
mod settle;
mod state;
mod strategy;
mod syntax;
mod text;
mod token;
mod unit;

#[cfg(test)]
mod naive;

use std::collections::BTreeMap;

use tradewind_model::Parameter;
use tradewind_strategy::{BuildError, ParameterError, Strategy};

pub use compile::{Rules, Size};
pub use error::RuleError;
pub use features::{FeatureRows, Features};
pub use strategy::VERSION;
pub use text::{AddText, ClauseText, ParamText, ProfitByAge, RuleText, WakeText};

/// The name of the strategy whose rules are in its parameters.
pub const NAME: &str = "rules";

/// Makes the strategy called `name`: rules, or a built-in one.
///
/// # Errors
/// [`BuildError`] with all errors.
pub fn build(
    name: &str,
    parameters: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    if name != NAME {
        return tradewind_strategy::build(name, parameters, instruments);
    }
    let rules = compile(parameters)?;
    let strategy = strategy::RuleStrategy::new(rules, parameters.clone(), instruments);
    Ok(Box::new(strategy))
}

/// Checks the rules that are written in the parameters of a strategy.
///
/// # Errors
/// [`BuildError`] with all errors.
pub fn compile(parameters: &BTreeMap<String, Parameter>) -> Result<Rules, BuildError> {
    let text = RuleText::from_parameters(parameters).map_err(|name| {
        BuildError::Parameters(vec![ParameterError {
            path: format!("params.{name}"),
            problem: "no such parameter of these rules".to_owned(),
            cure: "write it under params with its value, and $NAME where it is used".to_owned(),
        }])
    })?;
    Rules::compile(&text).map_err(|errors| {
        let error = |error: RuleError| ParameterError {
            path: error.place.clone(),
            problem: error.what(),
            cure: error.cure,
        };
        BuildError::Parameters(errors.into_iter().map(error).collect())
    })
}
