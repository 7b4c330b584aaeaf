//! Keys and tokens are in no output: neither in files, nor in logs, nor in answers of the API or of commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::desk::{Desk, command, within};
use crate::exchange::{Exchange, KEY, SECRET};
use crate::live::{configuration, live};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    };
    entries.flat_map(below).collect()
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes
        .windows(secret.len())
        .any(|part| part == secret.as_bytes())
}

/// I19: a desk that traded, was refused and crashed.
#[test]
fn no_output_of_a_live_desk_holds_its_keys_or_its_token() {
    let (at_venue, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let folder = folder.path();
    let exchange = Exchange::begun(at_venue.path(), &["--listen", "127.0.0.1:0"]);
    let config = configuration(folder, &exchange.address);
    let mut desk = Desk::start_from(folder, live(folder, &config));
    within(Duration::from_secs(60), "fills", || {
        (desk.all("fills").len() >= 5).then_some(())
    });
    let token = fs::read_to_string(folder.join("token")).unwrap();
    let secrets = [KEY, SECRET, token.trim()];
    assert!(holds(token.as_bytes(), token.trim()));
    let is_clean = |what: &str, bytes: &[u8]| {
        for secret in secrets {
            assert!(!holds(bytes, secret), "{what} holds {secret}");
        }
    };
    for path in [
        "/api/v1/status",
        "/api/v1/config",
        "/api/v1/risk",
        "/api/v1/feeds",
        "/api/v1/balances",
        "/api/v1/logs",
        "/api/v1/openapi.json",
        "/metrics",
        "/readyz",
    ] {
        let answer = desk.ask(&format!("GET {path}"), "").unwrap();
        assert!(answer.status < 500, "{path}: {answer:?}");
        is_clean(path, answer.body.as_bytes());
    }
    let commands: [&[&str]; 5] = [
        &["doctor"],
        &["status"],
        &["risk"],
        &["config", "show", "--config", &config],
        &["bots"],
    ];
    for arguments in commands {
        let output = command(folder, arguments);
        is_clean(
            &arguments.join(" "),
            &[output.stdout, output.stderr].concat(),
        );
    }
    desk.crash();
    // A key that the venue refuses, and one that is not there.
    let refused = live(folder, &config)
        .env("BINANCE_API_SECRET", "planted-secret")
        .output()
        .unwrap();
    let said = [refused.stdout, refused.stderr].concat();
    assert!(!said.is_empty() && !holds(&said, "planted-secret"));
    is_clean("a refused start", &said);

    let files = files(folder);
    assert!(files.len() > 5, "{files:?}");
    for path in files.iter().filter(|path| !path.ends_with("token")) {
        let name = path.display().to_string();
        is_clean(&name, &fs::read(path).unwrap());
    }
}
