//! Prints the fingerprint of the engine's outputs for a storm of inputs.
//!
//! `determinism [INPUTS [SEED [NUDGED]]]`: a million inputs of seed 42 by default; with `NUDGED`, one tick of
//! the first quote from that input on is changed. Two processes, and a debug and a release build, must print the same.

#![expect(clippy::print_stdout, reason = "the fingerprint is what it is run for")]

use tradewind_testkit::fingerprint_of_storm;

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|argument| argument.parse::<u64>().ok());
    let mut next = || numbers.next().flatten();
    let (inputs, seed) = (next().unwrap_or(1_000_000), next().unwrap_or(42));
    println!("{:016x}", fingerprint_of_storm(seed, inputs, next()));
}
