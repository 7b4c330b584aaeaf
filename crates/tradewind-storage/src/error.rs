//! What can go wrong with the database, by what the caller can do about it.

/// Why a database operation failed. Nothing that trades depends on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Somebody else holds the database: try again, nothing was done.
    #[error("the database is locked by another process")]
    Locked(#[source] rusqlite::Error),
    /// A reader has kept SQLite's log from being folded in until it was so long, in bytes: try again, nothing was done.
    #[error("a reader of the database has not ended for long: its log has {0} bytes")]
    LogFull(u64),
    /// It is not a valid database: delete it, and it is rebuilt from the journal.
    #[error("the database is damaged")]
    Damaged(#[source] rusqlite::Error),
    /// Its tables are not those of any release: delete it, and it is rebuilt from the journal.
    #[error("the database cannot be brought to the current schema")]
    Schema(#[source] rusqlite::Error),
    /// A newer release has been here.
    #[error("the database has schema {found}, this release supports {known}")]
    Newer {
        /// What it has.
        found: u32,
        /// The newest that this release supports.
        known: u32,
    },
    /// A stored text cannot be read back.
    #[error("a stored body cannot be read")]
    Body(#[from] serde_json::Error),
    /// Any other error of SQLite.
    #[error("the database refused")]
    Database(#[source] rusqlite::Error),
    /// The log could not be read.
    #[error("the event log cannot be read")]
    Log(#[source] std::io::Error),
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            _ => Self::Database(error),
        }
    }
}
