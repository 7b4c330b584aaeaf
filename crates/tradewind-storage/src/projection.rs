//! The writing side: events in, rows out, in one transaction with the cursor.
//!
//! What was applied is known by the cursor, so applying the same events again changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use tradewind_events::{Configuration, Event};
use tradewind_model::{BotId, EventId, Fill};

use crate::apply;
use crate::error::StorageError;
use crate::names::Configurations;
use crate::schema;

/// The database, open for writing. There is one.
#[derive(Debug)]
pub struct Projection {
    connection: Connection,
    configurations: Configurations,
    cursor: EventId,
    /// SQLite's log, and how long it may be, in bytes; `None` in memory.
    log: Option<(PathBuf, u64)>,
}

/// Bytes of SQLite's log beyond which nothing is written until the readers let it be folded in.
const LOG_MAX: u64 = 64 << 20;

impl Projection {
    /// Opens or makes the database at `path` and brings it to the current schema.
    ///
    /// # Errors
    /// [`StorageError`]; [`StorageError::Damaged`] means: remove it and start from an empty one.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            log: Some((log.into(), LOG_MAX)),
            ..Self::prepare(connection)?
        })
    }

    /// A database in memory, for tests.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn in_memory() -> Result<Self, StorageError> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut connection: Connection) -> Result<Self, StorageError> {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // A reader that stays long keeps the log from being folded in; afterwards the file shrinks again.
        connection.pragma_update(None, "journal_size_limit", LOG_MAX.cast_signed())?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::migrate(&mut connection)?;
        let cursor = read_cursor(&connection)?;
        let configurations = read_configurations(&connection)?;
        Ok(Self {
            connection,
            configurations,
            cursor,
            log: None,
        })
    }

    /// How long SQLite's log may be, in bytes, before a write is [`StorageError::LogFull`]. By default 64 MiB.
    pub fn set_log_max(&mut self, bytes: u64) {
        if let Some((_, max)) = &mut self.log {
            *max = bytes;
        }
    }

    /// A reader that stays long keeps the log from being folded in (S10). Nothing is added to one that is too long: the journal has
    /// what is missing.
    fn keep_log_short(&self) -> Result<(), StorageError> {
        let Some((path, max)) = &self.log else {
            return Ok(());
        };
        let bytes = || std::fs::metadata(path).map_or(0, |log| log.len());
        if bytes() <= *max {
            return Ok(());
        }
        // It returns whether readers were in its way.
        let fold = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(fold, [], |_| Ok(()))?;
        match bytes() {
            left if left > *max => Err(StorageError::LogFull(left)),
            _ => Ok(()),
        }
    }

    /// How long a write waits for another process's lock before it is [`StorageError::Locked`].
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn set_patience(&self, patience: Duration) -> Result<(), StorageError> {
        Ok(self.connection.busy_timeout(patience)?)
    }

    /// The last event applied; the next to apply is the one after it.
    #[must_use]
    pub const fn cursor(&self) -> EventId {
        self.cursor
    }

    /// Says what the ids of events from sequence number `from_seq` on mean.
    ///
    /// # Errors
    /// [`StorageError`]; nothing was changed.
    pub fn configure(
        &mut self,
        from_seq: u64,
        configuration: &Configuration,
    ) -> Result<(), StorageError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO configurations VALUES (?, ?)")?
            .execute(params![
                from_seq.cast_signed(),
                serde_json::to_string(configuration)?
            ])?;
        self.configurations.insert(from_seq, configuration.clone());
        Ok(())
    }

    /// Applies events that come after the cursor, in order, all or none; how many there were.
    ///
    /// # Errors
    /// [`StorageError`]; nothing was changed, and the same call may be made again.
    pub fn apply(&mut self, events: &[Arc<Event>]) -> Result<usize, StorageError> {
        let new = &events[events.partition_point(|event| event.id <= self.cursor)..];
        let Some(last) = new.last() else {
            return Ok(0);
        };
        self.keep_log_short()?;
        let transaction = self.connection.transaction()?;
        for event in new {
            let names = self.configurations.at(event.id.seq);
            apply::event(&transaction, names, event)?;
        }
        transaction
            .prepare_cached("UPDATE cursor SET seq = ?, idx = ?")?
            .execute(params![last.id.seq.cast_signed(), last.id.index])?;
        transaction.commit()?;
        self.cursor = last.id;
        Ok(new.len())
    }

    /// Adds fills from a reconciliation that have no event; returns how many were missing.
    ///
    /// # Errors
    /// [`StorageError`]; nothing was changed.
    pub fn upsert_fills(&mut self, fills: &[(Fill, Option<BotId>)]) -> Result<usize, StorageError> {
        self.upsert_fills_of(u64::MAX, fills)
    }

    /// The same for fills of a reading at sequence number `seq`, whose names are those in force then.
    ///
    /// # Errors
    /// [`StorageError`]; nothing was changed.
    pub(crate) fn upsert_fills_of(
        &mut self,
        seq: u64,
        fills: &[(Fill, Option<BotId>)],
    ) -> Result<usize, StorageError> {
        let names = self.configurations.at(seq);
        let transaction = self.connection.transaction()?;
        let mut added = 0;
        for (fill, bot) in fills {
            added += usize::from(apply::fill(&transaction, names, fill, *bot, None)?);
        }
        transaction.commit()?;
        Ok(added)
    }

    /// Forgets all but the newest `keep` events. Orders, fills, equity and the rest stay; chains of causes that reach
    /// further back end early.
    ///
    /// # Errors
    /// [`StorageError`]; nothing was changed.
    pub fn prune_events(&mut self, keep: u32) -> Result<usize, StorageError> {
        let sql = "DELETE FROM events WHERE seq <= \
                   (SELECT seq FROM events ORDER BY seq DESC, idx DESC LIMIT 1 OFFSET ?)";
        Ok(self.connection.prepare_cached(sql)?.execute([keep])?)
    }

    /// Forgets everything, so that the log can be applied from its start.
    ///
    /// # Errors
    /// [`StorageError`]; nothing was changed.
    pub fn clear(&mut self) -> Result<(), StorageError> {
        const TABLES: [&str; 10] = [
            "ledger",
            "fills",
            "orders",
            "events",
            "equity",
            "risk_events",
            "bot_errors",
            "bot_states",
            "commands",
            "configurations",
        ];
        let transaction = self.connection.transaction()?;
        for table in TABLES {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        transaction.execute("UPDATE cursor SET seq = 0, idx = 0", [])?;
        transaction.commit()?;
        self.cursor = EventId::default();
        self.configurations = Configurations::default();
        Ok(())
    }
}

fn read_cursor(connection: &Connection) -> Result<EventId, StorageError> {
    let cursor = connection.query_row("SELECT seq, idx FROM cursor", [], |row| {
        Ok(EventId {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            index: row.get(1)?,
        })
    })?;
    Ok(cursor)
}

fn read_configurations(connection: &Connection) -> Result<Configurations, StorageError> {
    let mut found = Configurations::default();
    let mut statement = connection.prepare("SELECT from_seq, body FROM configurations")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        let from_seq: i64 = row.get(0)?;
        found.insert(from_seq.cast_unsigned(), serde_json::from_str(&body)?);
    }
    Ok(found)
}
