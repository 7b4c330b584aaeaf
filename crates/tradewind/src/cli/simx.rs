//! `tradewind simx`: the simulated exchange alone, for public clients and for desks in other processes.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tradewind_simx_server::{AccountSpec, Limits, MarketChoice, Server, ServerOptions, SimClock};

use super::output::Output;

/// Arguments of `simx`.
#[derive(Clone, Debug, Args)]
pub(super) struct SimxArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9443")]
    listen: SocketAddr,

    /// An account and its key, such as key:secret:USDT=10000,BTC=1; may be repeated
    #[arg(long = "account", value_name = "KEY:SECRET:BALANCES")]
    accounts: Vec<AccountSpec>,

    /// Seed of the generated market
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// Whether to enforce the venue's request limits: venue or off
    #[arg(long, value_name = "LIMITS", default_value = "venue")]
    limits: Limits,

    /// Folder to keep accounts, orders and trades in; without it they are gone when the exchange stops
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Serves until it is told to stop.
pub(super) fn run(args: &SimxArgs, output: Output) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let server = Server::bind(ServerOptions {
        listen: args.listen,
        data_dir: args.keep.clone(),
        accounts: args.accounts.clone(),
        market: MarketChoice::Generated { seed: args.seed },
        limits: args.limits,
        clock: SimClock::system(),
    })?;
    announce(args, server.local_addr(), output)?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let serving = server.run(shutdown);
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => return Ok(served?),
            told = told_to_stop() => told?,
        }
        stop.cancel();
        Ok(serving.await?)
    })
}

fn announce(args: &SimxArgs, address: SocketAddr, output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        let facts = json!({ "listen": address.to_string(), "seed": args.seed, "accounts": args.accounts.len() });
        return Ok(output.value(&facts)?);
    }
    output.line(&format!(
        "The simulated exchange listens on http://{address} and ws://{address}: SIMULATED market, seed {}, {} accounts",
        args.seed,
        args.accounts.len()
    ))?;
    Ok(output.line("Ctrl-C stops it")?)
}

/// Waits for SIGINT or SIGTERM.
async fn told_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.context("cannot listen for SIGINT")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
