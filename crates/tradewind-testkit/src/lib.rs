//! Builders, fixtures and a harness shared by tests. Only tests may use it.
//!
//! [`configuration`] and [`bot`] are a small desk that tests can change. [`Desk`] drives the real engine with it, moves
//! its clock and collects its outputs. [`Script`] is a strategy whose answers the test has written. [`Storm`] makes
//! inputs of every kind from a seed, valid and invalid. [`Fingerprint`] finds differences between two runs.
//! [`test_data`] finds data that is too large for the repository, or is not ours to publish.

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
pub use script::{Answer, ReadSeen, Script};
pub use storm::Storm;
