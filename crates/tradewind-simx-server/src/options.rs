//! What can be chosen about a server, once, when it is bound, and why binding can fail.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use crate::accounts::AccountSpec;
use crate::mirror::Mirror;
use crate::recorded::{Recording, RecordingError};
use tradewind_model::Clock;
use tradewind_simx::FillModel;

/// All choices.
#[derive(Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where accounts, orders and trades are kept, synced before they are acknowledged; `None` keeps them in memory only.
    pub data_dir: Option<PathBuf>,
    /// Accounts that exist. One that is in `data_dir` already keeps its balances; a new one gets those named here.
    pub accounts: Vec<AccountSpec>,
    /// Where prices come from.
    pub market: MarketChoice,
    /// Whether request weight and order counts are enforced.
    pub limits: Limits,
    /// When waiting orders fill. A `data_dir` keeps the model it was first used with.
    pub fill: FillModel,
    /// Finished orders and executions that each account keeps: [`HISTORY`](crate::HISTORY), or more. A `data_dir` keeps the
    /// number it was first used with.
    pub history: u32,
    /// The exchange's time.
    pub clock: Arc<dyn Clock>,
}

/// Where prices come from.
#[derive(Debug)]
pub enum MarketChoice {
    /// The generated market of 25 instruments.
    Generated {
        /// Same seed, same market. A `data_dir` keeps the seed it was first used with.
        seed: u64,
    },
    /// Recorded data, played by the clock. The clock should start at [`Recording::starts_at`], or where an earlier run
    /// with the same `data_dir` stopped ([`saved_position`](crate::saved_position)).
    Recorded(Box<Recording>),
    /// Another venue's market, as its embedder reads it.
    Mirror(Box<Mirror>),
}

/// Whether the venue's limits are enforced. They are counted and shown in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limits {
    /// As the venue does: 6,000 weight a minute, 100 orders in 10 seconds, 5 messages a second on a market stream.
    #[default]
    Venue,
    /// Never.
    Off,
}

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "venue" => Ok(Self::Venue),
            "off" => Ok(Self::Off),
            other => Err(format!("no limits {other:?}; there are venue and off")),
        }
    }
}

/// Why a server cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The folder with the exchange's state cannot be used.
    #[error("cannot keep the exchange's state in {}", folder.display())]
    Storage {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An account names an asset that is not traded here.
    #[error("there is no asset {asset}; there are {known}")]
    UnknownAsset {
        /// The name.
        asset: String,
        /// The assets there are.
        known: String,
    },
    /// A key is for the account of one that is not there.
    #[error("there is no key {owner}, so {key} cannot be on its account; name {owner} first")]
    UnknownOwner {
        /// The key that shares.
        key: String,
        /// Whose account it would be on.
        owner: String,
    },
    /// A public key cannot be used.
    #[error("cannot use the public key of {key} in {}", path.display())]
    PublicKey {
        /// The API key it belongs to.
        key: String,
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The recorded data cannot be used.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Serving ended with an error of the system.
    #[error("the listener failed")]
    Serve(#[source] std::io::Error),
    /// The exchange's own thread ended before it was told to.
    #[error("the exchange stopped: {0}")]
    Stopped(String),
}
