//! `tradewind simx`: the simulated exchange alone, for public clients and for desks in other processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tradewind_journal::DirectoryLock;
use tradewind_model::{Clock, DeskClock, Ppm, Timestamp};
use tradewind_simx::FillModel;
use tradewind_simx_server::{
    AccountSpec, Conduct, ControlPort, HISTORY, Limits, MarketChoice, OrderLog, Recording, Server,
    ServerOptions, saved_position,
};

use super::faults::FaultArgs;
use super::output::Output;
use crate::app::desk_time::clock_after;

/// Arguments of `simx`.
#[derive(Clone, Debug, Args)]
pub(super) struct SimxArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9443")]
    listen: SocketAddr,

    /// An account and its key, such as key:secret:USDT=10000,BTC=1; may be repeated
    ///
    /// Instead of a secret, @public.pem names the public key of Ed25519 or RSA signatures. A key trades and nothing more,
    /// from one address, unless brackets say otherwise: eye[read]:secret only reads, boss[withdraw,open]:secret could
    /// withdraw, from anywhere, and eye[read,of=desk]:secret is a second key on the account that desk opened.
    #[arg(long = "account", value_name = "KEY:SECRET:BALANCES")]
    accounts: Vec<AccountSpec>,

    /// Seed of the generated market
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,

    /// Whether to enforce the venue's request limits: venue or off
    #[arg(long, value_name = "LIMITS", default_value = "venue")]
    limits: Limits,

    /// How resting orders are filled: touch, queue or trade-through
    #[arg(long, value_name = "MODEL", default_value = "queue")]
    fill: FillModel,

    /// Finished orders and executions that each account keeps; more take memory
    #[arg(long, value_name = "N", default_value_t = HISTORY)]
    history: u32,

    /// Play recorded data: a capture, a candle file, or a folder of them
    #[arg(long, value_name = "PATH", conflicts_with = "seed")]
    data: Option<PathBuf>,

    /// Speed of the market: 10 is ten times real time
    #[arg(long, value_name = "N", default_value = "1", value_parser = super::run::speed)]
    speed: Ppm,

    #[command(flatten)]
    faults: FaultArgs,
}

/// Serves until a signal. With a `data_dir` accounts, orders and trades are kept there; without one they are lost when the
/// exchange stops.
pub(super) fn run(args: &SimxArgs, data_dir: Option<&Path>, output: Output) -> anyhow::Result<()> {
    let _lock = data_dir.map(DirectoryLock::acquire).transpose()?;
    let fault_config = args.faults.config(args.seed)?;
    let (market, clock) = market(args, data_dir)?;
    let mut server = Server::bind(ServerOptions {
        listen: args.listen,
        data_dir: data_dir.map(Path::to_owned),
        accounts: args.accounts.clone(),
        market,
        limits: args.limits,
        fill: args.fill,
        history: args.history,
        clock,
    })?;
    let control = args.faults.control_port()?;
    announce(
        args,
        server.local_addr(),
        &fault_config,
        control.as_ref(),
        output,
    )?;
    server = server.with_conduct(fault_config);
    if let Some(control) = control {
        server = server.with_control(control);
    }
    if output.is_json() {
        server = server.with_order_log(OrderLog::to(std::io::stdout())?);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let serving = server.run(shutdown);
        tokio::pin!(serving);
        tokio::select! {
            served = &mut serving => return Ok(served?),
            signal = stop_signal() => signal?,
        }
        stop.cancel();
        Ok(serving.await?)
    })
}

/// Where prices come from, and the clock that goes with it.
fn market(
    args: &SimxArgs,
    data_dir: Option<&Path>,
) -> anyhow::Result<(MarketChoice, Arc<dyn Clock>)> {
    let saved = data_dir.map(saved_position).transpose()?.flatten();
    let Some(path) = &args.data else {
        let clock = clock_after(saved.unwrap_or(Timestamp::EPOCH), args.speed);
        return Ok((MarketChoice::Generated { seed: args.seed }, Arc::new(clock)));
    };
    let recording = Recording::open(path)?;
    for note in recording.notes() {
        tracing::info!("{note}");
    }
    let origin = saved.unwrap_or_else(|| recording.starts_at());
    let clock = Arc::new(DeskClock::new(origin, args.speed));
    Ok((MarketChoice::Recorded(Box::new(recording)), clock))
}

fn announce(
    args: &SimxArgs,
    address: SocketAddr,
    fault_config: &Conduct,
    control: Option<&ControlPort>,
    output: Output,
) -> anyhow::Result<()> {
    let accounts = args.accounts.len();
    let market = match &args.data {
        Some(path) => format!("recorded data from {}", path.display()),
        None => format!("generated market, seed {}", args.seed),
    };
    if output.is_json() {
        let facts = json!({
            "listen": address.to_string(), "market": market, "accounts": accounts,
            "fill": args.fill.to_string(),
            "latency": fault_config.latencies.to_string(), "faults": fault_config.faults.len(),
            "control": control.map(|port| json!({ "address": port.local_addr().to_string(), "token": port.token() })),
        });
        return Ok(output.value(&facts)?);
    }
    let line = format!(
        "SIMULATED exchange on http://{address} and ws://{address}: {market}; fills: {}; accounts: {accounts}",
        args.fill
    );
    output.line(&line)?;
    if !fault_config.latencies.is_none() || !fault_config.faults.is_empty() {
        output.line(&format!(
            "latency: {}; faults: {}",
            fault_config.latencies,
            fault_config.faults.len()
        ))?;
    }
    if let Some(port) = control {
        let (address, token) = (port.local_addr(), port.token());
        output.line(&format!("control on http://{address}, token {token}"))?;
    }
    Ok(output.line("press Ctrl-C to stop")?)
}

/// Waits for SIGINT or SIGTERM.
pub(super) async fn stop_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt.context("cannot listen for SIGINT")?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
