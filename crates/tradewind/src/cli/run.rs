//! `tradewind run`: the options with which a desk starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use tradewind_model::Ppm;
use tradewind_simx_server::Conduct;

use super::config::ConfigFile;
use super::faults::{Control, FaultArgs};
use crate::config::{DeskConfig, Listing};

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    file: ConfigFile,

    /// Play recorded data: a capture, a candle file, or a folder of them
    #[arg(long, value_name = "PATH", conflicts_with = "venue")]
    data: Option<PathBuf>,

    /// Play the recording of a venue without an account, which bots read, beside --data; both by the times of receipt
    #[arg(long, value_name = "VENUE=PATH", requires = "data", value_parser = read_from)]
    reads: Vec<(String, PathBuf)>,

    /// Speed of the simulated market: 10 is ten times real time [default: simulation.speed]
    #[arg(long, value_name = "N", conflicts_with = "venue", value_parser = speed)]
    speed: Option<Ppm>,

    /// Take prices from this venue; orders are simulated
    #[arg(long, value_name = "VENUE")]
    venue: Option<String>,

    /// Send the orders of live accounts to the venue: real money
    #[arg(long, requires = "venue", conflicts_with_all = ["faults", "latency", "control"])]
    live: bool,

    /// Confirm an account and the sum of its bots' budgets, such as "main 5000"; requested on a terminal otherwise
    #[arg(long, value_name = "ACCOUNT BUDGET", requires = "live")]
    confirm: Vec<String>,

    /// Start with the bots of the configuration, not with those that `tradewind bots apply` set
    #[arg(long)]
    bots_from_file: bool,

    #[command(flatten)]
    faults: FaultArgs,

    /// Stop after this time
    #[arg(long = "for", value_name = "DURATION", value_parser = super::duration)]
    run_for: Option<Duration>,
}

/// The options of a desk.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Its configuration, checked.
    pub config: DeskConfig,
    /// The folder of its files.
    pub data_dir: PathBuf,
    /// Where prices come from and orders go.
    pub market: MarketSource,
    /// Accounts that are confirmed to trade with real money, each with its budget: `main 5000`.
    pub confirm: Vec<String>,
    /// Latency and faults of the embedded exchange.
    pub fault_config: Conduct,
    /// The control port of the embedded exchange.
    pub control: Option<Control>,
    /// Recordings of venues without an account, by the venue's name; with recorded data only.
    pub reads: BTreeMap<String, PathBuf>,
    /// Whether the bots are those of the configuration also if others were applied to a desk of this folder.
    pub bots_from_file: bool,
    /// How long it runs; until a signal if absent.
    pub run_for: Option<Duration>,
}

/// Where prices come from and orders go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarketSource {
    /// The embedded exchange with its generated market.
    Generated {
        /// Speed as a multiple of real time.
        speed: Ppm,
    },
    /// The embedded exchange, playing recorded data.
    Recorded {
        /// A capture, a candle file, or a folder of them.
        path: PathBuf,
        /// Speed as a multiple of real time.
        speed: Ppm,
    },
    /// A venue's live prices, with the embedded exchange matching the orders.
    Venue(String),
    /// A venue, with real orders.
    Live(String),
}

impl RunArgs {
    /// Reads the configuration and builds the options.
    pub(super) fn into_options(self, data_dir: PathBuf) -> anyhow::Result<RunOptions> {
        let generated = self.data.is_none() && self.venue.is_none();
        let listing = if generated {
            Listing::Generated
        } else {
            Listing::Unknown
        };
        let config = self.file.load(listing)?;
        let speed = self.speed.unwrap_or(config.simulation.speed);
        let market = match (self.data, self.venue) {
            (Some(path), _) => MarketSource::Recorded { path, speed },
            (None, Some(venue)) => known_venue(&config, venue, self.live)?,
            (None, None) => MarketSource::Generated { speed },
        };
        Ok(RunOptions {
            fault_config: self.faults.config(config.simulation.seed)?,
            control: self.faults.desk_control()?,
            config,
            data_dir,
            market,
            confirm: self.confirm,
            bots_from_file: self.bots_from_file,
            reads: self.reads.into_iter().collect(),
            run_for: self.run_for,
        })
    }
}

fn known_venue(config: &DeskConfig, name: String, live: bool) -> anyhow::Result<MarketSource> {
    let named = config.venues.iter().find(|venue| venue.name == name);
    if named.is_some_and(|venue| !venue.kind.has_accounts()) {
        bail!(
            "{name} gives prices only: run without --venue {name}, and read it in a bot: reads = [\"{name}:BTC/USDT\"]"
        );
    }
    if !config.venues.iter().any(|venue| venue.name == name) {
        let names: Vec<&str> = config
            .venues
            .iter()
            .map(|venue| venue.name.as_str())
            .collect();
        bail!(
            "{} has no venue {name:?}; there are {}",
            config.file,
            names.join(", ")
        );
    }
    Ok(if live {
        MarketSource::Live(name)
    } else {
        MarketSource::Venue(name)
    })
}

/// Parses `VENUE=PATH`.
fn read_from(text: &str) -> Result<(String, PathBuf), String> {
    let parts = text.split_once('=');
    let parts = parts.filter(|(name, path)| !name.is_empty() && !path.is_empty());
    let (name, path) = parts.ok_or("write VENUE=PATH, such as okx=recordings/okx")?;
    Ok((name.to_owned(), PathBuf::from(path)))
}

/// Parses a speed as a multiple of real time.
pub(super) fn speed(text: &str) -> Result<Ppm, String> {
    let speed = text.parse::<Ppm>().ok().filter(|speed| *speed > Ppm::ZERO);
    speed.ok_or_else(|| "write a number above 0, such as 10 or 0.5".to_owned())
}
