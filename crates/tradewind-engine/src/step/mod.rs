//! What each kind of input does: the sequence of calls on the parts of the state.

pub(crate) mod commands;
pub(crate) mod evaluation;
pub(crate) mod exits;
pub(crate) mod funding;
pub(crate) mod lifecycle;
pub(crate) mod market_data;
pub(crate) mod reports;
pub(crate) mod sizing;
pub(crate) mod submission;
pub(crate) mod takeover;
pub(crate) mod target;
