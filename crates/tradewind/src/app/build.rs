//! Which program and which settings run (P09), and what differs from the last start.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use ring::digest::{Context, SHA256, digest};
use serde_json::Value;
use tradewind_events::Build;

/// Hexadecimal digits that are kept of the hash of one setting.
const DIGITS: usize = 16;
/// In place of the hash of a program that cannot be read.
const UNREADABLE: &str = "unreadable";

/// The executable that runs. On Linux the file itself, even if another has taken its place since.
fn executable() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
}

/// SHA-256 of the running executable, in hexadecimal digits; [`UNREADABLE`] and why if it cannot be read.
pub(crate) fn hash_of_binary() -> String {
    hash_of(executable())
}

fn hash_of(executable: io::Result<PathBuf>) -> String {
    let hash = || -> io::Result<String> {
        let mut file = File::open(executable?)?;
        let (mut context, mut buffer) = (Context::new(&SHA256), vec![0; 1 << 20]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hex(context.finish().as_ref())),
                length => context.update(&buffer[..length]),
            }
        }
    };
    hash().unwrap_or_else(|error| {
        tracing::warn!(%error, "The running program cannot be read: nobody can tell which one it is.");
        format!("{UNREADABLE}: {error}")
    })
}

/// The build of a start, compared with that of the start before.
pub(crate) fn build(binary: String, settings: &Value, before: Option<&Build>) -> Build {
    let settings = hashes(settings);
    let whole = settings
        .iter()
        .fold(String::new(), |mut whole, (key, hash)| {
            // Writing to a text does not fail.
            writeln!(whole, "{key} {hash}").ok();
            whole
        });
    let changed = before.map_or_else(Vec::new, |before| changed(before, &binary, &settings));
    Build {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        binary,
        configuration: hex(digest(&SHA256, whole.as_bytes()).as_ref()),
        settings,
        changed,
    }
}

/// What differs: the binary, and settings that were changed, added or taken away.
fn changed(before: &Build, binary: &str, settings: &BTreeMap<String, String>) -> Vec<String> {
    // What cannot be read may be another program each time.
    let is_other = before.binary != binary || binary.starts_with(UNREADABLE);
    let other = is_other.then(|| "binary".to_owned());
    let keys = before.settings.keys();
    let gone = keys.filter(|key| !settings.contains_key(*key));
    let differs = |(key, hash): &(&String, &String)| before.settings.get(*key) != Some(*hash);
    let new = settings.iter().filter(differs).map(|(key, _)| key);
    let mut keys: Vec<String> = new.chain(gone).cloned().collect();
    keys.sort();
    other.into_iter().chain(keys).collect()
}

/// The hash of each setting by its key. Tables in a list go by their `id` or `name`.
fn hashes(settings: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    add(settings, String::new(), &mut found);
    found
}

fn add(value: &Value, key: String, found: &mut BTreeMap<String, String>) {
    let under = |name: &str| match key.is_empty() {
        true => name.to_owned(),
        false => format!("{key}.{name}"),
    };
    match value {
        Value::Object(table) => {
            for (name, inner) in table {
                add(inner, under(name), found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, item) in items.iter().enumerate() {
                let named = ["id", "name"]
                    .into_iter()
                    .find_map(|name| item[name].as_str());
                let name = named.map_or_else(|| place.to_string(), str::to_owned);
                add(item, under(&name), found);
            }
        }
        _ => {
            let mut hash = hex(digest(&SHA256, value.to_string().as_bytes()).as_ref());
            hash.truncate(DIGITS);
            found.insert(key, hash);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// P09: a start says which settings differ from the last one's, by key; values are nowhere.
    #[test]
    fn what_differs_from_the_last_start_is_named_by_key_and_shows_no_value() {
        let before = json!({
            "desk": { "durability": "process" },
            "bots": [{ "id": "a", "budget": "SECRET1" }, { "id": "b", "budget": 1 }],
        });
        let after = json!({
            "desk": { "durability": "power" },
            "bots": [{ "id": "b", "budget": 1 }, { "id": "a", "budget": "SECRET2" }],
            "limits": { "spread": "0.01" },
        });
        let first = build("aa".to_owned(), &before, None);
        assert!(first.changed.is_empty());
        let same = build("aa".to_owned(), &before, Some(&first));
        assert!(same.changed.is_empty());
        assert_eq!(same.configuration, first.configuration);
        let other = build("bb".to_owned(), &after, Some(&first));
        let wanted = [
            "binary",
            "bots.a.budget",
            "desk.durability",
            "limits.spread",
        ];
        assert_eq!(other.changed, wanted);
        assert_ne!(other.configuration, first.configuration);
        assert!(!format!("{other:?}").contains("SECRET"));
        let back = build("bb".to_owned(), &before, Some(&other));
        assert_eq!(back.changed, wanted[1..]);
    }

    #[test]
    fn the_binary_that_runs_has_a_hash() {
        assert_eq!(hash_of_binary().len(), 64);
    }

    /// A program that cannot be read is shown as that, and is not taken for the one of the last start.
    #[test]
    fn a_binary_that_cannot_be_read_says_so_and_is_no_known_one() {
        let gone = hash_of(Ok(PathBuf::from("/nowhere/tradewind")));
        assert!(gone.starts_with("unreadable: "), "{gone}");
        let first = build(gone.clone(), &json!({}), None);
        assert_eq!(build(gone, &json!({}), Some(&first)).changed, ["binary"]);
    }
}
