//! How the desk starts and stops, top to bottom.
//!
//! Start: directory, latch and identity; the API's address; the embedded exchange, except with `--live`; venues and what they list; journal;
//! engine; market data; the account's stream; then the first two inputs, after which the engine reads the accounts and
//! starts the bots in order. The engine is the one of the last run, recovered from the journal, if there was one. Stop: the reverse, with a deadline.

mod account_state;
mod account_stream;
pub(crate) mod api_server;
pub(crate) mod bans;
mod boot_clock;
mod bots;
mod build;
mod candidates;
mod clock_watch;
mod closed_while_down;
mod closing;
mod component_watch;
mod components;
mod confirmation;
mod current;
mod data_dir;
mod descriptors;
mod desk;
pub(crate) mod desk_time;
mod difference;
mod echoes;
mod effects;
mod executor;
mod feed_reads;
mod feeds;
pub mod hot_path;
mod house;
mod kill_switch;
mod live;
mod logs;
mod mirror;
mod notify;
mod order_entry;
mod parts;
pub(crate) mod reading;
mod recorded_venue;
pub(crate) mod recorder;
mod recordings;
mod recovery;
mod rules;
mod runs;
mod shutdown_summary;
mod signals;
mod sinks;
mod source_positions;
mod start;
mod supervisor;
mod take_profits;
mod telegram;
mod unanswered;
pub(crate) mod venue;
mod watchdog;

use anyhow::Context;

use crate::cli::RunOptions;
pub(crate) use recovery::recover_before;
use start::Desk;

/// Runs a desk until it is stopped.
///
/// # Errors
/// The reason why it cannot start, or why it stopped.
pub fn run(options: RunOptions) -> anyhow::Result<()> {
    let logs = logs::install()?;
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("A TLS provider was installed before.");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let run_for = options.run_for;
        let mut desk = match Desk::start(options, logs).await {
            Ok(desk) => desk,
            Err(error) => return signals::in_order(error),
        };
        let reason = desk.until_stopped(run_for).await;
        desk.stop(reason).await
    })
}
