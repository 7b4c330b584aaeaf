//! Laws that hold for any input whatever.

use proptest::prelude::*;
use tradewind_indicators::{Bar, Bollinger, Highest, Lowest, Rsi, Sma, StandardDeviation};

use crate::{
    any::{Any, SPECS},
    series::{deviation, flat, is_close, mean},
};

/// Any bits at all, bars in order of any size, and plausible ones.
fn any_bar() -> impl Strategy<Value = Bar> {
    let bits = proptest::num::f64::ANY;
    let chaos = (bits, bits, bits).prop_map(|(high, low, close)| Bar { high, low, close });
    let huge = (-1e100..1e100, -1e100..1e100, -1e100..1e100).prop_map(in_order);
    let tiny = (-1e-300..1e-300, -1e-300..1e-300, -1e-300..1e-300).prop_map(in_order);
    let plausible = (1.0..1.01, 1.0..1.01, 1.0..1.01).prop_map(in_order);
    prop_oneof![1 => chaos, 1 => huge, 1 => tiny, 4 => plausible, 1 => Just(flat(1.0))]
}

/// Series of those, and series that stand still.
fn bars() -> impl Strategy<Value = Vec<Bar>> {
    let standing = (1e-8..1e8, 0_usize..60).prop_map(|(price, count)| vec![flat(price); count]);
    prop_oneof![4 => prop::collection::vec(any_bar(), 0..120), 1 => standing]
}

fn in_order((a, b, c): (f64, f64, f64)) -> Bar {
    let mut prices = [a, b, c];
    prices.sort_by(f64::total_cmp);
    let [low, close, high] = prices;
    Bar { high, low, close }
}

fn prices() -> impl Strategy<Value = Vec<f64>> {
    (1e-8..1e8).prop_flat_map(|level: f64| prop::collection::vec(level..level * 1.5, 1..200))
}

proptest! {
    #[test]
    fn whatever_comes_the_answer_is_finite_and_a_refusal_changes_nothing(
        bars in bars(),
    ) {
        for spec in SPECS {
            let mut indicator = Any::parse(spec);
            let mut accepted = 0;
            for &bar in &bars {
                let before = indicator.clone();
                if let Ok(lines) = indicator.update(bar) {
                    accepted += 1;
                    prop_assert_eq!(lines.is_some(), accepted >= indicator.warm_up(), "{}", spec);
                    prop_assert!(lines.into_iter().flatten().all(f64::is_finite), "{}", spec);
                } else {
                    prop_assert_eq!(&indicator, &before, "{}", spec);
                }
            }
        }
    }

    #[test]
    fn values_keep_to_their_ranges(bars in bars()) {
        let mut rsi = Rsi::new(5).unwrap();
        let mut bollinger = Bollinger::new(5, 2.0).unwrap();
        let [mut atr, mut donchian] = ["atr:5", "donchian:5"].map(Any::parse);
        for bar in bars {
            if let Ok(Some(value)) = rsi.update(bar.close) {
                prop_assert!((0.0..=100.0).contains(&value));
                prop_assert!(rsi.has_moved() || value == 0.0);
            }
            if let Ok(Some(bands)) = bollinger.update(bar.close) {
                prop_assert!(bands.lower <= bands.middle && bands.middle <= bands.upper);
            }
            if let Ok(Some(lines)) = atr.update(bar) {
                prop_assert!(lines[0] >= 0.0);
            }
            if let Ok(Some(lines)) = donchian.update(bar) {
                prop_assert!(lines[1] <= bar.close && bar.close <= lines[0]);
            }
        }
    }

    #[test]
    fn windows_equal_a_naive_computation(prices in prices(), period in 1_u32..40) {
        let n = period as usize;
        let mut sma = Sma::new(period).unwrap();
        let mut spread = StandardDeviation::new(period).unwrap();
        let (mut highest, mut lowest) = (Highest::new(period).unwrap(), Lowest::new(period).unwrap());
        for (i, &price) in prices.iter().enumerate() {
            let got = [
                sma.update(price).unwrap(),
                spread.update(price).unwrap(),
                highest.update(price).unwrap(),
                lowest.update(price).unwrap(),
            ];
            let [Some(average), Some(width), Some(high), Some(low)] = got else {
                prop_assert!(i + 1 < n && got.iter().all(Option::is_none));
                continue;
            };
            let window = &prices[i + 1 - n..=i];
            prop_assert!(is_close(average, mean(window), 1e-14));
            prop_assert!((width - deviation(window)).abs() <= 1e-14 * average);
            prop_assert!(window.contains(&high) && window.iter().all(|&price| price <= high));
            prop_assert!(window.contains(&low) && window.iter().all(|&price| price >= low));
        }
    }

    #[test]
    fn a_reset_indicator_is_as_new(bars in bars()) {
        for spec in SPECS {
            let mut used = Any::parse(spec);
            for &bar in &bars {
                let _refused = used.update(bar).is_err();
            }
            used.reset();
            prop_assert_eq!(used.value(), None);
            let mut fresh = Any::parse(spec);
            for &bar in &bars {
                prop_assert_eq!(used.update(bar).ok(), fresh.update(bar).ok(), "{}", spec);
            }
        }
    }
}
