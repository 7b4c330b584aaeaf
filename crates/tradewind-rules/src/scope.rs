//! The names that rules know, and the nearest one to a name they do not.

use std::collections::BTreeMap;

use tradewind_indicators::CATALOGUE;
use tradewind_strategy::nearest;

use crate::program::{ClockValue, Field, MarketValue, PositionValue};
use crate::unit::{PRICE, Unit, VOLUME};

pub(crate) const FIELDS: [(&str, Field, Unit); 5] = [
    ("open", Field::Open, PRICE),
    ("high", Field::High, PRICE),
    ("low", Field::Low, PRICE),
    ("close", Field::Close, PRICE),
    ("volume", Field::Volume, VOLUME),
];

pub(crate) const MARKET: [(&str, MarketValue, Unit); 5] = [
    ("bid", MarketValue::Bid, PRICE),
    ("ask", MarketValue::Ask, PRICE),
    ("mid", MarketValue::Mid, PRICE),
    ("spread", MarketValue::Spread, Unit::Share),
    ("tick", MarketValue::Tick, PRICE),
];

pub(crate) const POSITION: [(&str, PositionValue, Unit); 5] = [
    ("position.profit", PositionValue::Profit, Unit::Share),
    ("position.entry", PositionValue::Entry, PRICE),
    ("position.bars", PositionValue::Bars, Unit::Index),
    ("position.age", PositionValue::Age, Unit::Time),
    ("position.quantity", PositionValue::Quantity, VOLUME),
];

pub(crate) const CLOCK: [(&str, ClockValue, Unit); 3] = [
    ("hour", ClockValue::Hour, Unit::Index),
    ("minute", ClockValue::Minute, Unit::Index),
    ("weekday", ClockValue::Weekday, Unit::Index),
];

/// Functions besides the indicators, each as it is called.
const FUNCTIONS: [(&str, &str); 16] = [
    ("abs", "abs(x)"),
    ("sqrt", "sqrt(x)"),
    ("log", "log(x)"),
    ("min", "min(a, b)"),
    ("max", "max(a, b)"),
    ("change", "change(x)"),
    ("cross_above", "cross_above(a, b)"),
    ("cross_below", "cross_below(a, b)"),
    ("at_entry", "at_entry(atr(14))"),
    ("rank", "rank(roc(30))"),
    ("of", "of(\"BTC/USDT\", close)"),
    ("series", "series(\"house.fear\", max_age = 1h)"),
    ("book.imbalance", "book.imbalance(5)"),
    ("book.bids", "book.bids(5)"),
    ("book.asks", "book.asks(5)"),
    ("within", "x in 1..2"),
];

/// How a function that is no indicator is called.
pub(crate) fn usage(name: &str) -> Option<&'static str> {
    let mut all = FUNCTIONS.iter();
    all.find(|(known, _)| *known == name)
        .map(|(_, usage)| *usage)
}

fn values<'a>() -> impl Iterator<Item = &'a str> {
    let fields = FIELDS.iter().map(|(name, _, _)| *name);
    let market = MARKET.iter().map(|(name, _, _)| *name);
    let position = POSITION.iter().map(|(name, _, _)| *name);
    let clock = CLOCK.iter().map(|(name, _, _)| *name);
    fields.chain(market).chain(position).chain(clock)
}

/// The cure for an unknown value.
pub(crate) fn value_cure(name: &str, lets: &BTreeMap<String, String>) -> String {
    let is_function = CATALOGUE.iter().any(|entry| entry.name == name);
    if is_function || usage(name).is_some() {
        return format!("call it: {name}(…)");
    }
    let mut known: Vec<&str> = values().collect();
    known.extend(lets.keys().map(String::as_str));
    match nearest(name, known) {
        Some(near) => format!("did you mean {near}?"),
        None if name.starts_with("position.") => {
            "there are position.profit, position.entry, position.bars, position.age and position.quantity".to_owned()
        }
        None => "write a name of let, or one of open, high, low, close, volume, bid, ask, mid, spread, hour, minute, weekday, position.profit".to_owned(),
    }
}

/// The cure for an unknown function.
pub(crate) fn function_cure(name: &str) -> String {
    let indicators = CATALOGUE.iter().map(|entry| entry.name);
    let functions = FUNCTIONS.iter().map(|(name, _)| *name);
    match nearest(name, indicators.chain(functions)) {
        Some(near) => format!("did you mean {near}?"),
        None => "docs/indicators.md and docs/rules.md list all functions".to_owned(),
    }
}
