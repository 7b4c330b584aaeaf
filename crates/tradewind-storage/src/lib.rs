//! The SQLite projection of the event log.
