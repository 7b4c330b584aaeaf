//! Migrations: numbered SQL files, each applied once, in a transaction with its number.
//!
//! The number is SQLite's own `user_version`. A migration that has shipped is never edited; the next one changes it.

use rusqlite::Connection;

use crate::error::StorageError;

/// All migrations in order; the first makes schema 1.
const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_projection.sql")];

/// The schema this release works with.
#[expect(clippy::cast_possible_truncation, reason = "there are few migrations")]
pub(crate) const VERSION: u32 = MIGRATIONS.len() as u32;

/// Brings a database to [`VERSION`].
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StorageError> {
    let found = version(connection)?;
    let missing = MIGRATIONS
        .get(found as usize..)
        .ok_or(StorageError::Newer {
            found,
            known: VERSION,
        })?;
    for (number, sql) in (found + 1..).zip(missing) {
        let transaction = connection.transaction()?;
        let migrated = transaction.execute_batch(sql);
        migrated.map_err(|error| match StorageError::from(error) {
            StorageError::Database(error) => StorageError::Schema(error),
            other => other,
        })?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// The schema a database has; 0 for a new one.
fn version(connection: &Connection) -> Result<u32, StorageError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_migrated_once_and_a_newer_one_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), VERSION);
        connection
            .pragma_update(None, "user_version", VERSION + 1)
            .unwrap();
        let refused = migrate(&mut connection).unwrap_err();
        assert!(matches!(refused, StorageError::Newer { found, .. } if found == VERSION + 1));
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE fills (x)").unwrap();
        assert!(migrate(&mut connection).is_err());
        assert_eq!(version(&connection).unwrap(), 0);
        let tables: u32 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(tables, 1);
    }
}
