//! Why a backtest could not be run.

use std::path::PathBuf;

use tradewind_data::{CatalogueError, DataError};
use tradewind_model::InstrumentKind;

/// Why a backtest could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BacktestError {
    /// A file cannot be read, or a line of it is malformed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The catalogue cannot be read, or does not have a series.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
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
