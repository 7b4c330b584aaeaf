//! What each kind of input does: the sequence of calls on the parts.
//!
//! Every function takes all parts and the outputs. The files depend on each other in one direction:
//!
//! ```text
//! retries <- sizing, causes, budgets, universe, equity, funding, positions, holdings, requests <- breakers, risk_context, observation
//!   <- exit_bound, submission, stop_orders, exit_way, protection <- target <- monitoring <- exits, reports
//!   <- quiet, lifecycle <- decisions <- evaluation <- market_data, candles <- confirmation
//!   <- account_stream <- takeover, kill, adoption, commands, configure
//! ```

pub(crate) mod account_stream;
pub(crate) mod adoption;
pub(crate) mod alarms;
pub(crate) mod breakers;
pub(crate) mod budgets;
pub(crate) mod candles;
pub(crate) mod causes;
pub(crate) mod commands;
pub(crate) mod components;
pub(crate) mod configure;
pub(crate) mod confirmation;
pub(crate) mod decisions;
pub(crate) mod equity;
pub(crate) mod evaluation;
mod exit_bound;
pub(crate) mod exit_way;
pub(crate) mod exits;
pub(crate) mod flatten;
pub(crate) mod funding;
mod holdings;
pub(crate) mod kill;
pub(crate) mod lifecycle;
pub(crate) mod market_data;
pub(crate) mod monitoring;
mod observation;
pub(crate) mod order_entry;
pub(crate) mod plan_changes;
pub(crate) mod positions;
pub(crate) mod protection;
mod quiet;
pub(crate) mod reports;
mod requests;
pub(crate) mod retries;
mod risk_context;
mod sizing;
mod stop_orders;
pub(crate) mod submission;
mod take_profit;
pub(crate) mod takeover;
pub(crate) mod target;
pub(crate) mod targets;
pub(crate) mod universe;
