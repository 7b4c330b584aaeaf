//! Why a backtest could not be run.

use std::path::PathBuf;

use tradewind_model::InstrumentKind;

/// Why a backtest could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BacktestError {
    /// The file system said no.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("{}: line {line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file does not say what is in it, or holds what cannot be played.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The strategy, or the choices around it, cannot be run on this data.
    #[error("{0}")]
    Options(String),
    /// The matching core trades spot only.
    #[error("{name}: the simulated exchange trades spot only, this is {kind:?}")]
    NotSpot {
        /// The instrument.
        name: String,
        /// Its kind.
        kind: InstrumentKind,
    },
}
