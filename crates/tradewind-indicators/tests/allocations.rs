//! An update allocates nothing, whichever indicator and wherever in its window. A binary of its own, because it
//! counts what the allocator does.

use tradewind_indicators::{AnyIndicator, Bar, CATALOGUE, InputKind, Ohlcv, Pair, Sample};

#[test]
fn an_update_allocates_nothing() {
    for entry in CATALOGUE {
        let mut fresh = entry.build(&entry.defaults()).unwrap();
        let count = 3 * u32::try_from(fresh.warm_up()).unwrap() + 300;
        let samples: Vec<_> = (0..count).map(|i| sample(entry.input, i)).collect();
        assert_eq!(allocations(&mut fresh, &samples), 0, "{}", entry.name);

        let mut used = entry.build(&entry.defaults()).unwrap();
        for &sample in &samples[..used.warm_up() / 2] {
            used.update(sample).unwrap();
        }
        let saved = rmp_serde::to_vec_named(&used).unwrap();
        let mut restored: AnyIndicator = rmp_serde::from_slice(&saved).unwrap();
        let count = allocations(&mut restored, &samples);
        assert_eq!(count, 0, "{} restored while warming up", entry.name);
    }
}

fn allocations(indicator: &mut AnyIndicator, samples: &[Sample]) -> u64 {
    let counts = allocation_counter::measure(|| {
        for &sample in samples {
            indicator.update(sample).expect("the zigzag is in order");
        }
    });
    counts.count_total
}

/// A zigzag with a drift.
fn sample(kind: InputKind, i: u32) -> Sample {
    let price = |i: u32| 100.0 + f64::from(i * 37 % 101) + f64::from(i) / 16.0;
    let (open, close) = (price(i), price(i + 1));
    let (high, low) = (open.max(close) + 1.0, open.min(close) - 1.0);
    match kind {
        InputKind::Value => Sample::Value(close),
        InputKind::Bar => Sample::Bar(Bar { high, low, close }),
        InputKind::Ohlcv => Sample::Ohlcv(Ohlcv {
            open,
            high,
            low,
            close,
            volume: f64::from(i % 13),
        }),
        InputKind::Pair => Sample::Pair(Pair { x: high, y: low }),
    }
}
