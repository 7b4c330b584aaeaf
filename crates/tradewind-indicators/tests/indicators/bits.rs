//! The same series gives the same bits, whatever the build.

use crate::{
    any::{Any, SPECS},
    series::walk,
};

/// FNV-1a over every line of every indicator on 5,000 bars. A change of this number is a change of every
/// recorded backtest: make it knowingly.
const EXPECTED: u64 = 0xf763_8bd3_20d0_e72d;

#[test]
fn outputs_are_the_same_bits_in_every_build() {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for spec in SPECS {
        let mut indicator = Any::parse(spec);
        for bar in walk(7).take(5_000) {
            for line in indicator.update(bar).unwrap().into_iter().flatten() {
                for byte in line.to_bits().to_le_bytes() {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
    }
    assert_eq!(
        hash, EXPECTED,
        "the bits of some indicator changed: {hash:#018x}"
    );
}
