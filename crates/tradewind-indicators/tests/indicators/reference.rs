//! Every indicator of the catalogue against its reference: TA-Lib's outputs on real candles, or a naive
//! computation from the cited definition. `scripts/talib_catalogue.py` writes the fixtures.

use std::collections::{BTreeMap, BTreeSet};

use tradewind_indicators::{CATALOGUE, Entry, Ohlcv, Reference, Unit};

use crate::{
    any::{Any, parse},
    fixture::Fixture,
    naive,
    series::sample,
    talib::test_data,
};

/// The largest difference, relative to the larger of the value and its scale.
const TOLERANCE: f64 = 1e-9;
const SERIES: [&str; 3] = ["BTC_USDT-5m", "ADA_BTC-1h", "btc-perp-20211231-20220201_1m"];

#[test]
fn every_indicator_equals_its_reference() {
    let Some(differences) = differences() else {
        return;
    };
    for entry in CATALOGUE {
        let difference = differences.get(entry.name);
        assert!(difference.is_some(), "{} was not compared", entry.name);
    }
    let worst = differences.iter().max_by(|a, b| a.1.total_cmp(b.1));
    eprintln!("largest relative difference: {worst:?}");
}

#[test]
fn patterns_end_in_the_same_candles_as_talibs() {
    let Some(root) = test_data() else { return };
    for name in SERIES {
        let fixture = Fixture::read_catalogue(name);
        let candles = fixture.candles(&root);
        assert_eq!(fixture.hits.len(), 21);
        for (pattern, expected) in &fixture.hits {
            let hits = hits(pattern, &candles);
            let start = &hits[..expected.places.len().min(hits.len())];
            assert_eq!(start, expected.places, "{pattern} in {name}");
            assert_eq!(hits.len(), expected.count, "{pattern} in {name}");
            assert_eq!(
                Any::parse(pattern).warm_up(),
                expected.first + 1,
                "warm-up of {pattern}"
            );
        }
    }
}

/// Compares all, so that one run names every indicator that differs.
#[derive(Default)]
struct Comparison {
    largest: BTreeMap<&'static str, f64>,
    wrong: Vec<String>,
}

impl Comparison {
    /// Takes the difference of one line in one row.
    fn add(&mut self, name: &'static str, difference: f64, place: impl Fn() -> String) {
        let largest = self.largest.entry(name).or_default();
        if difference > TOLERANCE && *largest <= TOLERANCE {
            self.wrong.push(place());
        }
        *largest = largest.max(difference);
    }
}

/// By indicator: the largest relative difference from its reference. `None` without the candles.
pub(crate) fn differences() -> Option<BTreeMap<&'static str, f64>> {
    let root = test_data()?;
    let mut comparison = Comparison::default();
    for name in SERIES {
        let fixture = Fixture::read_catalogue(name);
        let candles = fixture.candles(&root);
        assert_eq!(candles.len(), fixture.row_count, "{name}: rows");
        let mut seen: BTreeSet<_> = fixture.hits.keys().map(String::as_str).collect();
        for pattern in fixture.hits.keys() {
            let (entry, _) = parse(pattern);
            // Compared row by row in a test of its own.
            comparison.add(entry.name, 0.0, String::new);
        }
        for (spec, columns) in &fixture.columns {
            let (entry, _) = parse(spec);
            seen.insert(entry.name);
            to_talib(&mut comparison, &fixture, &candles, spec, columns);
        }
        for entry in CATALOGUE {
            let is_talib = matches!(entry.reference, Reference::TaLib(_));
            assert_eq!(
                is_talib,
                seen.contains(entry.name),
                "{} in {name}",
                entry.name
            );
            if !is_talib {
                let some = &candles[..candles.len().min(500)];
                to_naive(&mut comparison, entry, some);
            }
        }
    }
    let Comparison { largest, wrong } = comparison;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Some(largest)
}

fn to_talib(
    comparison: &mut Comparison,
    fixture: &Fixture,
    candles: &[Ohlcv],
    spec: &str,
    columns: &[usize],
) {
    let (entry, _) = parse(spec);
    let mut indicator = Any::parse(spec);
    assert_eq!(columns.len(), entry.outputs.len(), "lines of {spec}");
    let first = columns.iter().map(|&column| fixture.first[column]).max();
    let first = first.unwrap_or_default() + 1;
    if indicator.warm_up() != first {
        comparison.wrong.push(format!(
            "{spec}: warm-up {} is not {first}",
            indicator.warm_up()
        ));
    }
    let most = most_traded(candles);
    for (row, &candle) in candles.iter().enumerate() {
        let lines = indicator
            .update_with(sample(entry.input, candle))
            .expect("recorded candles are in order");
        let (Some(lines), Some(cells)) = (lines, fixture.rows.get(&row)) else {
            continue;
        };
        for (&column, line) in columns.iter().zip(lines) {
            let Some(expected) = cells[column] else {
                continue;
            };
            let difference =
                (line - expected).abs() / scale(entry.unit, candle, most).max(expected.abs());
            comparison.add(entry.name, difference, || {
                format!("{spec} in row {row}: {line} is not {expected}")
            });
        }
    }
}

fn to_naive(comparison: &mut Comparison, entry: &Entry, candles: &[Ohlcv]) {
    let parameters = entry.defaults();
    let mut indicator = entry.build(&parameters).expect("defaults are in range");
    let expected = naive::lines(entry.name, &parameters, candles);
    let most = most_traded(candles);
    for (row, (&candle, expected)) in candles.iter().zip(expected).enumerate() {
        let lines = indicator
            .update(sample(entry.input, candle))
            .expect("recorded candles are in order");
        let lines = lines.map(|lines| lines.as_slice().to_vec());
        let (Some(lines), Some(expected)) = (&lines, &expected) else {
            assert!(
                lines.is_none() && expected.is_none(),
                "{} in row {row}: {lines:?} {expected:?}",
                entry.name
            );
            continue;
        };
        assert_eq!(lines.len(), expected.len(), "{}", entry.name);
        for (line, expected) in lines.iter().zip(expected) {
            let difference =
                (line - expected).abs() / scale(entry.unit, candle, most).max(expected.abs());
            comparison.add(entry.name, difference, || {
                format!("{} in row {row}: {line} is not {expected}", entry.name)
            });
        }
    }
}

/// What a difference is compared with when the value is smaller: the price, the largest volume, or 1.
fn scale(unit: Unit, candle: Ohlcv, most_traded: f64) -> f64 {
    match unit {
        Unit::Price => candle.close,
        Unit::PriceSquared => candle.close * candle.close,
        Unit::Number => 1.0,
        Unit::Volume => most_traded,
        Unit::Money => candle.close * most_traded,
    }
}

fn most_traded(candles: &[Ohlcv]) -> f64 {
    let volumes = candles.iter().map(|candle| candle.volume);
    volumes.fold(0.0, f64::max)
}

fn hits(pattern: &str, candles: &[Ohlcv]) -> Vec<(usize, f64)> {
    let (entry, _) = parse(pattern);
    let mut indicator = Any::parse(pattern);
    let mut hits = Vec::new();
    for (row, &candle) in candles.iter().enumerate() {
        let lines = indicator
            .update_with(sample(entry.input, candle))
            .expect("recorded candles are in order");
        let value = lines.map_or(0.0, |lines| lines[0]);
        if value != 0.0 {
            hits.push((row, value));
        }
    }
    hits
}
