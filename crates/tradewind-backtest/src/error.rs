//! Why a backtest could not be run.

use std::path::PathBuf;

use tradewind_model::InstrumentKind;

/// Why a backtest could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BacktestError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// A line is malformed.
    #[error("{}: line {line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A file's product or interval cannot be found out, or its content cannot be played.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is missing or wrong.
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
