//! What each kind of input does: the sequence of calls on the parts.
//!
//! Every function takes all parts and the outputs. The files depend on each other in one direction:
//!
//! ```text
//! retries <- sizing, risk_context, causes, budgets, equity, funding, positions, requests
//!   <- submission, protection <- target <- exits, reports
//!   <- lifecycle <- evaluation <- market_data, candles
//!   <- takeover, commands, configure
//! ```

pub(crate) mod account_stream;
mod budgets;
pub(crate) mod candles;
pub(crate) mod causes;
pub(crate) mod commands;
pub(crate) mod configure;
pub(crate) mod equity;
pub(crate) mod evaluation;
pub(crate) mod exits;
pub(crate) mod flatten;
pub(crate) mod funding;
pub(crate) mod lifecycle;
pub(crate) mod market_data;
pub(crate) mod positions;
pub(crate) mod protection;
pub(crate) mod reports;
mod requests;
mod retries;
mod risk_context;
mod sizing;
pub(crate) mod submission;
pub(crate) mod takeover;
mod target;
