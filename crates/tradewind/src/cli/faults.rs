//! How a simulated exchange is to behave: its latency, its faults, and the operator's hand on it. The same for the
//! exchange alone and for the one that a desk embeds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use tradewind_simx_server::{Conduct, ControlPort, FaultScript, Latencies};

/// The operator's door to the exchange that a desk embeds.
#[derive(Clone)]
pub struct Control {
    /// Where it listens, on the loopback.
    pub address: SocketAddr,
    /// What opens it.
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
    /// What is to go wrong at the simulated exchange: a script of [[fault]] tables, see docs/faults.md
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// How long messages take, such as request=2ms,report=lognormal(3ms,0.5); legs: request, match, report, market
    #[arg(long, value_name = "LATENCIES", default_value = "")]
    latency: Latencies,

    /// Loopback address for the exchange's operator: faults, pause, deposits, halts; token from SIMX_CONTROL_TOKEN, or a new one
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
}

impl FaultArgs {
    /// Reads the script, before anybody is let in.
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

    /// Where a desk's exchange takes its operator's orders. A desk prints no token, so there has to be one.
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
        .with_context(|| format!("cannot read the faults in {}", path.display()))?;
    let script: Result<FaultScript, _> = text.parse();
    script.with_context(|| format!("the faults in {} are wrong", path.display()))
}
