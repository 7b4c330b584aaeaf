//! An indicator saved in the middle of a series continues unchanged.

use tradewind_indicators::{Ema, Sma};

use crate::{
    any::{Any, SPECS},
    series::walk,
};

fn saved_and_restored(indicator: &Any) -> Any {
    let bytes = rmp_serde::to_vec_named(indicator).expect("an indicator serialises");
    rmp_serde::from_slice(&bytes).expect("what was saved is restored")
}

#[test]
fn a_restored_indicator_continues_bit_for_bit() {
    for spec in SPECS {
        let mut original = Any::parse(spec);
        for (i, bar) in walk(5).take(60).enumerate() {
            let mut restored = saved_and_restored(&original);
            assert_eq!(restored, original, "{spec} at {i}");
            let mut ahead = original.clone();
            for next in walk(6).take(30) {
                let (left, right) = (restored.update(next).unwrap(), ahead.update(next).unwrap());
                let bits = |lines: Option<Vec<f64>>| {
                    lines.map(|l| l.into_iter().map(f64::to_bits).collect::<Vec<_>>())
                };
                assert_eq!(bits(left), bits(right), "{spec} at {i}");
            }
            original.update(bar).unwrap();
        }
    }
}

#[test]
fn a_state_of_another_shape_is_refused() {
    let bytes = rmp_serde::to_vec_named(&Sma::new(5).unwrap()).unwrap();
    assert!(rmp_serde::from_slice::<Sma>(&bytes).is_ok());
    assert!(rmp_serde::from_slice::<Ema>(&bytes).is_err());
    assert!(rmp_serde::from_slice::<Sma>(&bytes[..bytes.len() - 1]).is_err());
}
