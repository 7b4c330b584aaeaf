//! How a bot's targets become orders: sizer, exit plan and order policy, as they are written.

use std::time::Duration;

use tradewind_model::{
    ExitPlan, LimitPolicy, OnTimeout, OrderPolicy, Ppm, Sizer, Stop, TakeProfitBy,
};

use super::error::{Errors, Problem};
use super::keys::POLICY;
use super::section::Section;
use super::structure;
use super::tree::{Node, Value};
use super::values::{self, Read};

/// `{ share = "50%" }`, `{ fixed = "0.01" }`, `{ risk_to_stop = "1%" }` or `{ volatility_target = "1%" }`.
pub(super) fn sizer(node: &Node) -> Read<Sizer> {
    const CURE: &str = "write one of { share = \"50%\" }, { fixed = 0.01 }, { risk_to_stop = \"1%\" }, { volatility_target = \"1%\" }";
    let table = values::table(node).map_err(|problem| Problem::new(problem.what, CURE))?;
    let mut entries = table.iter();
    let (Some((name, value)), None) = (entries.next(), entries.next()) else {
        return Err(Problem::new("a sizer has exactly one key", CURE));
    };
    match name.as_str() {
        "share" => values::ratio(value).map(Sizer::Share),
        "fixed" => values::amount(value).map(Sizer::Fixed),
        "risk_to_stop" => values::ratio(value).map(Sizer::RiskToStop),
        "volatility_target" => values::ratio(value).map(Sizer::VolatilityTarget),
        other => Err(Problem::new(format!("no sizer {other:?}"), CURE)),
    }
}

/// The exit plan in `section`, which is the bot's `exit` table.
pub(super) fn exit(section: Section<'_>) -> Option<ExitPlan> {
    let stop = section.get("stop", stop);
    let optional = |key| section.get(key, values::ratio);
    let take_profit_by = section.get("take_profit_order", |node| {
        let choices = [
            ("market", TakeProfitBy::Market),
            ("limit", TakeProfitBy::Limit),
        ];
        values::choice(node, &choices)
    });
    let plan = ExitPlan {
        stop: Stop::None,
        take_profit: optional("take_profit"),
        take_profit_by: take_profit_by?,
        trailing: optional("trailing"),
        time: section.get("time", values::duration),
        profit_by_age: profit_by_age(section),
    };
    let plan = ExitPlan {
        stop: stop?,
        ..plan
    };
    if plan.take_profit_by == TakeProfitBy::Limit {
        let mistake = if plan.trailing.is_some() {
            Some((
                "\"limit\" cannot go with trailing: the venue moves no pair of orders, so each step would leave the position without a stop",
                "take trailing out, or write \"market\"",
            ))
        } else if plan.take_profit.is_none() || plan.stop == Stop::None {
            Some((
                "\"limit\" needs a take_profit and a stop: the venue keeps the two as a pair",
                "give both, or write \"market\"",
            ))
        } else {
            None
        };
        if let Some((what, cure)) = mistake {
            section.complain("take_profit_order", Problem::new(what, cure));
        }
    }
    Some(plan)
}

fn stop(node: &Node) -> Read<Stop> {
    const CURE: &str = "write a share of the entry price such as \"2%\", or \"none\"";
    if node.value == Value::Text("none".to_owned()) {
        return Ok(Stop::None);
    }
    match values::ratio(node) {
        Ok(distance) if distance < Ppm::ONE => Ok(Stop::Distance(distance)),
        Ok(_) => Err(Problem::new("a stop at price 0 is none", CURE)),
        Err(problem) => Err(Problem::new(problem.what, CURE)),
    }
}

fn profit_by_age(section: Section<'_>) -> Vec<(Duration, Ppm)> {
    let steps = section
        .items("profit_by_age", |node| {
            let cure = "write pairs such as [\"30m\", \"1%\"]";
            let Value::List(pair) = &node.value else {
                return Err(Problem::new("not a pair of an age and a gain", cure));
            };
            let [age, gain] = pair.as_slice() else {
                return Err(Problem::new("not a pair of an age and a gain", cure));
            };
            Ok((values::duration_or_zero(age)?, values::ratio(gain)?))
        })
        .unwrap_or_default();
    if !steps.is_sorted_by(|earlier, later| earlier.0 < later.0) {
        let problem = Problem::new("the ages do not ascend", "put the youngest first");
        section.complain("profit_by_age", problem);
    }
    steps
}

/// The policy in `node`: a word, or a table with the word as its type.
pub(super) fn policy(path: &str, node: &Node, errors: &Errors) -> Option<OrderPolicy> {
    let mut table = match &node.value {
        Value::Table(table) => table.clone(),
        _ => [("type".to_owned(), node.clone())].into(),
    };
    structure::complete(path, &mut table, POLICY, errors);
    let whole = Node {
        value: Value::Table(table),
        origin: node.origin.clone(),
    };
    read_policy(Section::new(path, Some(&whole), errors))
}

fn read_policy(section: Section<'_>) -> Option<OrderPolicy> {
    #[derive(Clone, Copy, PartialEq)]
    enum Type {
        Market,
        Limit,
        PostOnly,
    }
    let kind = section.get("type", |node| {
        let choices = [
            ("market", Type::Market),
            ("limit", Type::Limit),
            ("post_only", Type::PostOnly),
        ];
        values::choice(node, &choices)
    });
    let offset = section.get("offset", values::offset);
    let timeout = section.get("timeout", values::duration);
    let chases = section.get("chases", values::count);
    let then = section.get("then", |node| {
        let choices = [("cancel", OnTimeout::Cancel), ("cross", OnTimeout::Cross)];
        values::choice(node, &choices)
    });
    let limit = LimitPolicy {
        offset: offset?,
        post_only: kind? == Type::PostOnly,
        timeout,
        chases: chases?,
        then: then?,
        own_price: false,
    };
    if kind? == Type::Market {
        return Some(OrderPolicy::Market);
    }
    if limit.timeout.is_none() && (limit.chases > 0 || limit.then == OnTimeout::Cross) {
        let what = "missing, but chases or then need it";
        section.complain("timeout", Problem::new(what, "write timeout = \"20s\""));
    }
    Some(OrderPolicy::Limit(limit))
}
