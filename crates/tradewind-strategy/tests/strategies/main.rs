//! What the built-in strategies promise: decisions worked out for small markets, laws for any market, and the known
//! answers of the crossover over a million quotes.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are tests, which clippy sees only in functions marked as such"
)]

mod catalogue;
mod cross_venue_spread;
mod crossover;
mod faults;
mod laws;
mod market;
mod position;
mod refusals;
mod tables;
mod warm_up;
