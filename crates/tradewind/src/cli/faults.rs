//! Arguments for latency, faults and the control port of a simulated exchange, embedded or alone.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use tradewind_simx_server::{Conduct, ControlPort, FaultScript, Latencies};

/// The control port of the embedded exchange.
#[derive(Clone)]
pub struct Control {
    /// Its loopback address.
    pub address: SocketAddr,
    /// The bearer token.
    pub token: String,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Arguments of `simx` and `run`.
#[derive(Clone, Debug, Args)]
pub(super) struct FaultArgs {
    /// Script of faults of the simulated exchange: [[fault]] tables, see docs/faults.md
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// Latency of messages, such as request=2ms,report=lognormal(3ms,0.5); legs: request, match, report, market
    #[arg(long, value_name = "LATENCIES", default_value = "")]
    latency: Latencies,

    /// Loopback address of the control port: faults, pause, deposits, halts; token from SIMX_CONTROL_TOKEN, or a new one
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
}

impl FaultArgs {
    /// Reads the script, before the exchange accepts connections.
    pub(super) fn config(&self, seed: u64) -> anyhow::Result<Conduct> {
        let faults = self.faults.as_deref().map(script).transpose()?;
        Ok(Conduct {
            seed,
            latencies: self.latency,
            faults: faults.unwrap_or_default(),
        })
    }

    /// Binds the control port, if there is to be one.
    pub(super) fn control_port(&self) -> anyhow::Result<Option<ControlPort>> {
        let port = self
            .control
            .map(|address| ControlPort::bind(address, token()));
        Ok(port.transpose()?)
    }

    /// The control port of a desk's exchange. The desk prints no token, so the environment must have one.
    pub(super) fn desk_control(&self) -> anyhow::Result<Option<Control>> {
        let control = self.control.map(|address| {
            let token = token().context("--control needs a token: set SIMX_CONTROL_TOKEN")?;
            Ok(Control { address, token })
        });
        control.transpose()
    }
}

fn token() -> Option<String> {
    std::env::var("SIMX_CONTROL_TOKEN").ok()
}

fn script(path: &Path) -> anyhow::Result<FaultScript> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the fault script {}", path.display()))?;
    let script: Result<FaultScript, _> = text.parse();
    script.with_context(|| format!("the fault script {} has errors", path.display()))
}
