//! The strategies of `docs/rules.md` compile as they stand there, and trade.

use std::collections::BTreeMap;

use toml::{Table, Value};
use tradewind_model::Decision;
use tradewind_rules::{AddText, ClauseText, ParamText, RuleText, Rules, WakeText};

use super::market::{BASE, Market};

const DOCUMENT: &str = include_str!("../../../../docs/rules.md");

/// The blocks of rules, in order; the first stands in a bot's table.
fn blocks() -> Vec<Table> {
    let parts = DOCUMENT.split("```toml\n").skip(1);
    let texts = parts.filter_map(|part| part.split("```").next());
    let tables = texts.map(|text| text.parse::<Table>().unwrap());
    let rules = tables.map(|table| match table.get("bots") {
        Some(Value::Array(bots)) => bots[0].as_table().unwrap().clone(),
        _ => table,
    });
    rules.collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn clauses(table: &Table, key: &str) -> Vec<ClauseText> {
    let clause = |value: &Value| match value {
        Value::Table(one) => ClauseText {
            tag: one.get("tag").map(text),
            when: text(&one["when"]),
        },
        other => ClauseText {
            tag: None,
            when: text(other),
        },
    };
    match table.get(key) {
        None => Vec::new(),
        Some(Value::Array(all)) => all.iter().map(clause).collect(),
        Some(one) => vec![clause(one)],
    }
}

fn rules(table: &Table) -> RuleText {
    let number = |value: &Value| value.to_string().parse().unwrap();
    let param = |value: &Value| ParamText {
        value: number(&value["value"]),
        min: value.get("min").map(number),
        max: value.get("max").map(number),
    };
    let adds = table.get("add").and_then(Value::as_array);
    let adds = adds.into_iter().flatten().map(|add| AddText {
        clause: ClauseText {
            tag: None,
            when: text(&add["when"]),
        },
        size: text(&add["size"]),
        max: add["max"].as_integer().unwrap().try_into().unwrap(),
    });
    let named = |key: &str| {
        table
            .get(key)
            .and_then(Value::as_table)
            .cloned()
            .unwrap_or_default()
    };
    RuleText {
        timeframe: Some(BASE),
        wake: match table.get("wake").map(text).as_deref() {
            None => WakeText::Candles,
            Some("quotes") => WakeText::Quotes,
            Some(_) => WakeText::Timer,
        },
        lets: named("let")
            .iter()
            .map(|(name, of)| (name.clone(), text(of)))
            .collect(),
        params: named("params")
            .iter()
            .map(|(name, of)| (name.clone(), param(of)))
            .collect::<BTreeMap<_, _>>(),
        enter: clauses(table, "enter"),
        exit: clauses(table, "exit"),
        add: adds.collect(),
        stop: table.get("stop").map(text),
        size: table.get("size").map(text),
        price: table
            .get("order")
            .and_then(|order| order.get("price"))
            .map(text),
        roi: Vec::new(),
    }
}

#[test]
fn every_strategy_of_the_document_compiles_as_it_stands() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 6, "one at the top and five");
    for block in &blocks {
        if let Err(errors) = Rules::compile(&rules(block)) {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            panic!("{block}\n{}", lines.join("\n"));
        }
    }
}

#[test]
fn the_breakout_of_the_document_trades() {
    let breakout = &blocks()[0];
    let mut market = Market::new(&rules(breakout));
    let mut entries = 0;
    for index in 0..2_000_u32 {
        // A trend, and a wave around it.
        let wave = f64::from((index * 37) % 100) / 20.0;
        let trend = f64::from((index % 400).min(400 - index % 400)) * 3.0;
        let decision = market.close(500.0 + trend + wave);
        entries += u32::from(matches!(&decision, Decision::Target(_)));
        if market.plan.stop != tradewind_model::Stop::None && index % 400 > 250 {
            market.position = tradewind_model::PositionState::default();
            market.exposure = tradewind_model::Ppm::ZERO;
            market.plan = tradewind_model::ExitPlan::default();
        }
    }
    assert!(entries > 2, "{entries}");
}
