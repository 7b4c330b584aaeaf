//! Laws of every indicator, by way of the catalogue: a new row is covered without a new test.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tradewind_indicators::{
    AnyIndicator, Bar, CATALOGUE, Entry, IndicatorError, InputKind, MAX_MAGNITUDE, Ohlcv, Pair,
    Sample, build, find,
};

use crate::series::{candles, sample, standing};

/// A quarter of the customary periods, so that all warm up within a few inputs.
fn short(entry: &Entry) -> Vec<f64> {
    let shorten = |parameter: &tradewind_indicators::Parameter| {
        if parameter.is_whole {
            (parameter.default / 4.0).ceil().max(parameter.min)
        } else {
            parameter.default
        }
    };
    entry.parameters.iter().map(shorten).collect()
}

fn made(entry: &Entry) -> AnyIndicator {
    entry
        .build(&short(entry))
        .unwrap_or_else(|error| panic!("{}: {error}", entry.name))
}

fn bits(indicator: &AnyIndicator) -> Option<Vec<u64>> {
    let lines = indicator.value()?;
    Some(lines.as_slice().iter().map(|line| line.to_bits()).collect())
}

/// Whether an average by volume has no value, since nothing was traded in the candles that it covers.
fn has_no_volume(entry: &Entry, volumes: &[f64], period: usize) -> bool {
    let covered = match entry.name {
        "vwap" => volumes,
        "vwma" | "rolling_vwap" => &volumes[volumes.len().saturating_sub(period)..],
        _ => return false,
    };
    covered.iter().all(|volume| *volume == 0.0)
}

#[test]
fn names_are_unique_and_every_row_is_whole() {
    assert!(CATALOGUE.len() >= 60, "{} indicators", CATALOGUE.len());
    let names: BTreeSet<_> = CATALOGUE.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), CATALOGUE.len(), "a name occurs twice");
    for entry in CATALOGUE {
        let indicator = entry.build(&entry.defaults()).unwrap();
        assert!(indicator.warm_up() >= 1, "{}", entry.name);
        assert!(!entry.outputs.is_empty(), "{}", entry.name);
        assert!(find(entry.name).is_some());
    }
}

#[test]
fn the_first_value_comes_with_input_number_warm_up() {
    for entry in CATALOGUE {
        for parameters in [short(entry), entry.defaults()] {
            let mut indicator = entry.build(&parameters).unwrap();
            let warm_up = indicator.warm_up();
            let mut volumes = Vec::new();
            for (count, candle) in (1..=warm_up + 20).zip(candles(11)) {
                let lines = indicator.update(sample(entry.input, candle)).unwrap();
                volumes.push(candle.volume);
                assert_eq!(
                    lines.is_some(),
                    count >= warm_up && !has_no_volume(entry, &volumes, warm_up),
                    "{} at {count}",
                    entry.name
                );
                let count = lines.map_or(entry.outputs.len(), |lines| lines.as_slice().len());
                assert_eq!(count, entry.outputs.len(), "{}", entry.name);
            }
        }
    }
}

#[test]
fn the_least_parameters_work_and_one_less_is_refused() {
    for entry in CATALOGUE {
        for (i, parameter) in entry.parameters.iter().enumerate() {
            let mut parameters = entry.defaults();
            parameters[i] = parameter.min;
            let mut indicator = match entry.build(&parameters) {
                Ok(indicator) => indicator,
                // A slow period of one cannot have a faster one below it.
                Err(IndicatorError::FastNotBelowSlow { .. }) => continue,
                Err(error) => panic!("{}: {error}", entry.name),
            };
            let warm_up = indicator.warm_up();
            let mut volumes = Vec::new();
            for (count, candle) in (1..=warm_up + 20).zip(candles(12)) {
                let lines = indicator.update(sample(entry.input, candle)).unwrap();
                volumes.push(candle.volume);
                assert_eq!(
                    lines.is_some(),
                    count >= warm_up && !has_no_volume(entry, &volumes, warm_up),
                    "{} at {count}",
                    entry.name
                );
            }
            let refused = [
                parameter.min - 1.0,
                parameter.max + 1.0,
                f64::NAN,
                f64::INFINITY,
            ];
            for value in refused {
                parameters[i] = value;
                let error = entry.build(&parameters).unwrap_err();
                assert!(
                    matches!(error, IndicatorError::ParameterOutOfRange { .. }),
                    "{} with {value}: {error}",
                    entry.name
                );
            }
            parameters[i] = parameter.min + 0.5;
            assert_eq!(
                parameter.is_whole,
                matches!(
                    entry.build(&parameters),
                    Err(IndicatorError::ParameterOutOfRange { .. })
                ),
                "{}: half an observation",
                entry.name
            );
        }
        let too_many = [entry.defaults(), vec![1.0]].concat();
        let error = entry.build(&too_many).unwrap_err();
        assert!(matches!(error, IndicatorError::WrongParameterCount { .. }));
    }
    assert_eq!(
        build("no such", &[]).unwrap_err(),
        IndicatorError::UnknownIndicator
    );
}

#[test]
fn a_refused_input_changes_nothing() {
    for entry in CATALOGUE {
        let mut indicator = made(entry);
        for (i, candle) in candles(13).take(60).enumerate() {
            let before = indicator.clone();
            for refused in refusals(entry.input, candle) {
                let result = indicator.update(refused);
                assert!(result.is_err(), "{} took {refused:?}", entry.name);
                assert_eq!(indicator, before, "{} at {i}", entry.name);
            }
            indicator.update(sample(entry.input, candle)).unwrap();
        }
    }
}

/// Samples that are broken in each of their numbers, and samples of a kind that has less.
fn refusals(kind: InputKind, candle: Ohlcv) -> Vec<Sample> {
    let mut refused = Vec::new();
    for broken in [f64::NAN, f64::NEG_INFINITY, MAX_MAGNITUDE * 1.001] {
        let bar = candle.bar();
        let pair = Pair { x: 1.0, y: broken };
        match kind {
            InputKind::Value => refused.push(Sample::Value(broken)),
            InputKind::Bar => refused.extend([
                Sample::Bar(Bar {
                    high: broken,
                    ..bar
                }),
                Sample::Bar(Bar { low: broken, ..bar }),
                Sample::Bar(Bar {
                    close: broken,
                    ..bar
                }),
            ]),
            InputKind::Ohlcv => refused.extend([
                Sample::Ohlcv(Ohlcv {
                    open: broken,
                    ..candle
                }),
                Sample::Ohlcv(Ohlcv {
                    close: broken,
                    ..candle
                }),
                Sample::Ohlcv(Ohlcv {
                    volume: broken,
                    ..candle
                }),
            ]),
            InputKind::Pair => refused.push(Sample::Pair(pair)),
        }
    }
    let (upside_down, below) = (candle.high + 1.0, candle.low - 1.0);
    match kind {
        InputKind::Value => refused.push(Sample::Pair(Pair { x: 1.0, y: 1.0 })),
        InputKind::Bar => refused.extend([
            Sample::Value(1.0),
            Sample::Bar(Bar {
                low: upside_down,
                ..candle.bar()
            }),
        ]),
        InputKind::Ohlcv => refused.extend([
            Sample::Value(1.0),
            Sample::Bar(candle.bar()),
            Sample::Ohlcv(Ohlcv {
                open: below,
                ..candle
            }),
            Sample::Ohlcv(Ohlcv {
                close: below,
                ..candle
            }),
            Sample::Ohlcv(Ohlcv {
                volume: -1.0,
                ..candle
            }),
        ]),
        InputKind::Pair => refused.extend([Sample::Value(1.0), Sample::Ohlcv(candle)]),
    }
    refused
}

#[test]
fn what_is_restored_continues_bit_for_bit() {
    for entry in CATALOGUE {
        let mut original = made(entry);
        for (i, candle) in candles(14).take(80).enumerate() {
            if i % 9 == 0 || i == original.warm_up() {
                let bytes = rmp_serde::to_vec_named(&original).unwrap();
                let mut restored: AnyIndicator = rmp_serde::from_slice(&bytes).unwrap();
                assert_eq!(restored, original, "{} at {i}", entry.name);
                let mut ahead = original.clone();
                for next in candles(15).take(40) {
                    let next = sample(entry.input, next);
                    restored.update(next).unwrap();
                    ahead.update(next).unwrap();
                    assert_eq!(bits(&restored), bits(&ahead), "{} at {i}", entry.name);
                }
            }
            original.update(sample(entry.input, candle)).unwrap();
        }
    }
}

#[test]
fn a_market_that_does_not_move_gives_finite_lines() {
    for entry in CATALOGUE {
        for (price, volume) in [(0.1, 0.0), (1e-8, 5.0), (46_319.07, 1e-3), (0.0, 0.0)] {
            let mut indicator = made(entry);
            for _ in 0..200 {
                let lines = indicator
                    .update(sample(entry.input, standing(price, volume)))
                    .unwrap();
                let lines = lines.iter().flat_map(|lines| lines.as_slice());
                assert!(lines.copied().all(f64::is_finite), "{}", entry.name);
            }
        }
    }
}

#[test]
fn the_largest_and_the_smallest_numbers_give_finite_lines() {
    let numbers = [MAX_MAGNITUDE, 1e-300, -MAX_MAGNITUDE, 0.0, 1.0, -1e-300];
    for entry in CATALOGUE {
        let mut indicator = made(entry);
        for i in 0..400 {
            let (a, b) = (numbers[i % 6], numbers[i * i % 5]);
            let candle = Ohlcv {
                open: a,
                high: a.max(b),
                low: a.min(b),
                close: b,
                volume: numbers[i % 5].abs(),
            };
            let lines = indicator.update(sample(entry.input, candle)).unwrap();
            let lines = lines.iter().flat_map(|lines| lines.as_slice());
            assert!(
                lines.copied().all(f64::is_finite),
                "{}: {:?}",
                entry.name,
                indicator.value()
            );
        }
    }
}

/// FNV-1a over every line of every indicator on 2,000 candles. A change of this number is a change of recorded
/// backtests, unless a row was added: make it knowingly.
const EXPECTED: u64 = 0x1a83_299a_c3e4_fbb9;

#[test]
fn lines_are_the_same_bits_in_every_build() {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for entry in CATALOGUE {
        let mut indicator = made(entry);
        for candle in candles(7).take(2_000) {
            indicator.update(sample(entry.input, candle)).unwrap();
            for byte in bits(&indicator)
                .into_iter()
                .flatten()
                .flat_map(u64::to_le_bytes)
            {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    assert_eq!(
        hash, EXPECTED,
        "the bits of some line changed: {hash:#018x}"
    );
}

/// Candles in order of any size, candles that are not, and plausible ones.
fn any_candle() -> impl Strategy<Value = Ohlcv> {
    let in_order = |(a, b, c, d, volume): (f64, f64, f64, f64, f64)| {
        let mut prices = [a, b, c, d];
        prices.sort_by(f64::total_cmp);
        let [low, open, close, high] = prices;
        let (open, close) = if volume.to_bits() % 2 == 0 {
            (open, close)
        } else {
            (close, open)
        };
        Ohlcv {
            open,
            high,
            low,
            close,
            volume,
        }
    };
    let bits = proptest::num::f64::ANY;
    let chaos = (bits, bits, bits, bits, bits).prop_map(in_order);
    let wide = |limit: f64| {
        let price = -limit..limit;
        (
            price.clone(),
            price.clone(),
            price.clone(),
            price,
            0.0..limit,
        )
    };
    let huge = wide(1e100).prop_map(in_order);
    let tiny = wide(1e-300).prop_map(in_order);
    let price = 1.0..1.01;
    let plausible =
        (price.clone(), price.clone(), price.clone(), price, 0.0..9.0).prop_map(in_order);
    prop_oneof![1 => chaos, 1 => huge, 1 => tiny, 4 => plausible, 1 => Just(standing(1.0, 1.0))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_input_gives_finite_lines_or_a_refusal_without_effect(
        candles in prop::collection::vec(any_candle(), 0..120),
    ) {
        for entry in CATALOGUE {
            let mut indicator = made(entry);
            let mut volumes = Vec::new();
            for &candle in &candles {
                let before = indicator.clone();
                if let Ok(lines) = indicator.update(sample(entry.input, candle)) {
                    volumes.push(candle.volume);
                    let warm_up = indicator.warm_up();
                    let is_warm = volumes.len() >= warm_up && !has_no_volume(entry, &volumes, warm_up);
                    prop_assert_eq!(lines.is_some(), is_warm, "{}", entry.name);
                    let mut lines = lines.iter().flat_map(|lines| lines.as_slice());
                    prop_assert!(lines.all(|line| line.is_finite()), "{}", entry.name);
                } else {
                    prop_assert_eq!(&indicator, &before, "{}", entry.name);
                }
            }
        }
    }

    #[test]
    fn a_reset_one_is_as_new(candles in prop::collection::vec(any_candle(), 0..80)) {
        for entry in CATALOGUE {
            let (mut used, mut fresh) = (made(entry), made(entry));
            for &candle in &candles {
                let _refused = used.update(sample(entry.input, candle)).is_err();
            }
            used.reset();
            prop_assert_eq!(used.value(), None, "{}", entry.name);
            for &candle in &candles {
                let next = sample(entry.input, candle);
                let (left, right) = (used.update(next).ok(), fresh.update(next).ok());
                prop_assert_eq!(left, right, "{}", entry.name);
            }
        }
    }
}
