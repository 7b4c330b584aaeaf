//! The catalogue: complete, and true of what it lists.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_model::{Interval, Parameter};
use tradewind_strategy::{BuildError, DefaultValue, ParameterInfo, build, catalogue, info};

use crate::market::parameters;

/// Files beside the strategies' own that hold none.
const SHARED: [&str; 7] = [
    "mod",
    "candle_feed",
    "crossing",
    "fault",
    "position_phase",
    "prices",
    "saved",
];

#[test]
fn every_file_of_a_strategy_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/builtin");
    let files = std::fs::read_dir(folder).unwrap();
    let stems = files.map(|file| {
        let path = file.unwrap().path();
        path.file_stem().unwrap().to_string_lossy().into_owned()
    });
    let written: BTreeSet<String> = stems
        .filter(|stem| !SHARED.contains(&stem.as_str()))
        .collect();
    let listed: BTreeSet<String> = catalogue()
        .iter()
        .map(|info| info.name.to_owned())
        .collect();
    assert_eq!(written, listed);
    assert_eq!(listed.len(), catalogue().len(), "each name once");
}

#[test]
fn every_strategy_can_be_built_with_its_defaults_written_out() {
    for info in catalogue() {
        let defaults: BTreeMap<String, Parameter> = info
            .parameters
            .iter()
            .map(|parameter| (parameter.name.to_owned(), parameter.default.into()))
            .collect();
        let named = build(info.name, &defaults, 3).unwrap();
        let unnamed = build(info.name, &BTreeMap::new(), 3).unwrap();
        assert_eq!(named.timeframes(), unnamed.timeframes(), "{}", info.name);
        assert_eq!(named.save(), unnamed.save(), "{}", info.name);
    }
}

#[test]
fn every_description_is_there_and_every_default_in_range() {
    for info in catalogue() {
        assert!(info.description.ends_with('.'), "{}", info.name);
        assert_eq!(
            info.name.starts_with("fault_"),
            info.for_tests,
            "{}",
            info.name
        );
        for parameter in info.parameters {
            assert!(!parameter.description.is_empty(), "{}", parameter.name);
            assert!(is_in_range(parameter), "{} {}", info.name, parameter.name);
        }
    }
}

fn is_in_range(parameter: &ParameterInfo) -> bool {
    let default = match parameter.default {
        DefaultValue::Whole(whole) => f64::from(whole),
        DefaultValue::Number(number) => number.to_f64(),
        DefaultValue::Interval(_) => return parameter.min.is_none() && parameter.max.is_none(),
    };
    let (Some(min), Some(max)) = (parameter.min, parameter.max) else {
        return false;
    };
    min.to_f64() <= default && default <= max.to_f64()
}

#[test]
fn intervals_are_the_timeframes_in_the_same_order() {
    for info in catalogue() {
        let strategy = build(info.name, &BTreeMap::new(), 1).unwrap();
        let timeframes = strategy.timeframes();
        let wanted: Vec<Interval> = timeframes.iter().map(|warm_up| warm_up.interval).collect();
        let listed: Vec<Interval> = info.intervals().map(|(_, interval)| interval).collect();
        assert_eq!(listed, wanted, "{}", info.name);
    }
    let names: Vec<_> = info("rsi_trend")
        .unwrap()
        .intervals()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["interval", "trend_interval"]);
}

#[test]
fn an_unknown_strategy_is_answered_with_the_nearest_or_with_all() {
    let text_of = |name| info(name).unwrap_err().to_string();
    assert_eq!(
        text_of("ma_corss"),
        "no strategy \"ma_corss\"; did you mean ma_cross?"
    );
    assert_eq!(
        text_of("astrology"),
        "no strategy \"astrology\"; there are ma_cross, rsi_reversion, bollinger_reversion, macd, donchian_breakout, \
         rsi_trend, momentum_timer, cross_venue_spread, external"
    );
}

#[test]
fn all_that_is_wrong_with_the_parameters_is_told_at_once() {
    let given = [
        ("entry", "80"),
        ("exit", "20"),
        ("interval", "1h"),
        ("trend_interval", "5m"),
        ("period", "1"),
        ("colour", "blue"),
    ];
    let error = build("rsi_trend", &parameters(&given), 1).unwrap_err();
    assert!(matches!(&error, BuildError::Parameters(errors) if errors.len() == 4));
    assert_eq!(
        error.to_string(),
        "params.colour: no such parameter; there are interval, trend_interval, period, trend_period, entry, exit\n\
         params.entry: 80 is not below exit = 20; make the entry level the lower one\n\
         params.period: 1 is out of range; use a whole number from 2 to 500\n\
         params.trend_interval: 5m is not above interval = 1h; make the trend's candles the longer ones"
    );
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
    for (name, given) in [
        ("ma_cross", [("fast", "20"), ("slow", "20")]),
        ("macd", [("fast", "27"), ("slow", "26")]),
        ("rsi_reversion", [("entry", "55"), ("exit", "55")]),
    ] {
        let error = build(name, &parameters(&given), 1).unwrap_err().to_string();
        assert!(error.contains("is not below"), "{name}: {error}");
    }
}
