//! Builders, fixtures and a harness shared by tests. No crate's code may use it, every crate's tests may.
//!
//! [`configuration`] and [`bot`] are a small desk to change to taste; [`Desk`] drives the real engine with it, moves its
//! clock and collects what comes out; [`Script`] is a strategy that says what the test tells it to. [`Storm`] makes
//! inputs of every kind from a seed, sensible and not, and [`Fingerprint`] tells two runs apart. [`test_data`] finds what is
//! too large, or not ours, to be in the repository.

mod data;
mod desk;
mod fingerprint;
mod fixtures;
mod resume;
mod script;
mod storm;

pub use data::test_data;
pub use desk::Desk;
pub use fingerprint::{Fingerprint, fingerprint_of_storm};
pub use fixtures::{
    ACCOUNT, BTC, PERPETUAL, SPOT, START, USDT, bot, candle, configuration, idle_desk, perpetual,
    quote, spot,
};
pub use resume::{Continued, Interrupted};
pub use script::{Answer, Script};
pub use storm::Storm;
