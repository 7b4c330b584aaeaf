//! What can be chosen about a server, once, when it is bound, and why binding can fail.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use tradewind_model::{Amount, NumberError};

use crate::clock::SimClock;
use crate::mirror::Mirror;
use crate::recorded::{Recording, RecordingError};

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
    /// The exchange's time.
    pub clock: SimClock,
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

/// An account and the key that trades on it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountSpec {
    /// API key: letters, digits, `-` and `_`, 128 at most.
    pub key: String,
    /// Secret of its HMAC-SHA256 signatures.
    pub secret: String,
    /// What it has when it is opened: asset names and amounts.
    pub balances: Vec<(String, Amount)>,
}

impl fmt::Debug for AccountSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountSpec")
            .field("key", &self.key)
            .field("balances", &self.balances)
            .finish_non_exhaustive()
    }
}

/// Why a text describes no account. It never repeats the text, since that holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountSpecError {
    /// Not `KEY:SECRET` or `KEY:SECRET:ASSET=AMOUNT,…`.
    #[error("an account reads KEY:SECRET:USDT=10000,BTC=1")]
    Shape,
    /// An amount that is no number.
    #[error("the balance of {asset} is no amount")]
    Amount {
        /// Of what.
        asset: String,
        /// Why not.
        #[source]
        source: NumberError,
    },
}

impl FromStr for AccountSpec {
    type Err = AccountSpecError;

    /// Reads `KEY:SECRET:USDT=10000,BTC=1`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let (Some(key), Some(secret)) = (part(), part()) else {
            return Err(AccountSpecError::Shape);
        };
        let balances = part().map_or(Ok(Vec::new()), |list| {
            list.split(',').map(balance).collect()
        })?;
        Ok(Self {
            key: key.to_owned(),
            secret: secret.to_owned(),
            balances,
        })
    }
}

fn balance(text: &str) -> Result<(String, Amount), AccountSpecError> {
    let (asset, amount) = text.split_once('=').ok_or(AccountSpecError::Shape)?;
    let amount = amount.parse().map_err(|source| AccountSpecError::Amount {
        asset: asset.to_owned(),
        source,
    })?;
    Ok((asset.to_owned(), amount))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_read_from_one_text() {
        let account: AccountSpec = "key:secret:USDT=10000,BTC=0.5".parse().unwrap();
        assert_eq!(account.key, "key");
        assert_eq!(account.balances[1], ("BTC".into(), "0.5".parse().unwrap()));
        assert_eq!("key:secret".parse::<AccountSpec>().unwrap().balances, []);
        assert_eq!("key".parse::<AccountSpec>(), Err(AccountSpecError::Shape));
        assert!("key:secret:USDT=1e5".parse::<AccountSpec>().is_err());
        assert!(!format!("{account:?}").contains("secret\""));
    }
}
