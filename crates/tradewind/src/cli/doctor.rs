//! `tradewind doctor`: checks this machine for problems and prints how to fix each.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_model::Timestamp;

use super::client::Client;
use super::config::ConfigFile;
use super::exit::ProblemsFound;
use super::location::Location;
use super::output::Output;
use super::time::now;
use crate::app::api_server::check_private;
use crate::config::{DeskConfig, Listing};

/// A host clock earlier than this was never set: 2026-01-01.
const EARLIEST: Timestamp = Timestamp::from_secs(1_767_225_600);

/// The result of one check.
#[derive(Debug)]
struct Finding {
    name: &'static str,
    sound: bool,
    message: String,
}

/// Runs every check; exit code 1 if one fails.
pub(super) fn examine(
    file: &ConfigFile,
    location: &Location,
    timeout: Duration,
    output: Output,
) -> anyhow::Result<()> {
    let config = file.load(Listing::Unknown);
    let mut findings = vec![
        version(),
        clock(),
        data_dir(&location.data_dir),
        token(location),
        latch(location),
    ];
    findings.push(match &config {
        Ok(config) => sound("configuration", format!("{} is valid", config.file)),
        Err(error) => unsound("configuration", error.to_string()),
    });
    findings.push(desk(location, config.as_ref().ok(), timeout));
    report(&findings, output)?;
    if findings.iter().all(|finding| finding.sound) {
        Ok(())
    } else {
        Err(ProblemsFound.into())
    }
}

fn report(findings: &[Finding], output: Output) -> anyhow::Result<()> {
    if output.is_json() {
        let each: Vec<Value> = findings
            .iter()
            .map(|one| json!({ "name": one.name, "ok": one.sound, "message": one.message }))
            .collect();
        return Ok(output.value(&json!({ "items": each, "next": null }))?);
    }
    for finding in findings {
        let mark = if finding.sound { "ok   " } else { "WRONG" };
        for (index, line) in finding.message.lines().enumerate() {
            let (mark, name) = if index == 0 {
                (mark, finding.name)
            } else {
                ("     ", "")
            };
            output.line(&format!("{mark}  {name:<13}  {line}"))?;
        }
    }
    Ok(())
}

fn sound(name: &'static str, message: impl Into<String>) -> Finding {
    Finding {
        name,
        sound: true,
        message: message.into(),
    }
}

fn unsound(name: &'static str, message: impl Into<String>) -> Finding {
    Finding {
        name,
        sound: false,
        message: message.into(),
    }
}

fn version() -> Finding {
    let (os, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    sound(
        "version",
        format!("tradewind {} on {os} {machine}", env!("CARGO_PKG_VERSION")),
    )
}

fn clock() -> Finding {
    let now = now();
    if now < EARLIEST {
        return unsound(
            "clock",
            format!("the host's clock says {now}; set it, or venues refuse every order"),
        );
    }
    sound("clock", format!("the host's clock says {now}"))
}

fn data_dir(dir: &Path) -> Finding {
    let shown = dir.display();
    if !dir.exists() {
        return sound(
            "data folder",
            format!("{shown} does not exist yet; the first start creates it"),
        );
    }
    let probe = dir.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => sound("data folder", format!("{shown} is writable")),
        Err(error) => unsound(
            "data folder",
            format!("{shown} is not writable ({error}); check its owner and the disk"),
        ),
    }
}

fn token(location: &Location) -> Finding {
    let path = location.token_path();
    let shown = path.display();
    if !path.exists() {
        let message = format!("{shown} does not exist yet; the first start creates it");
        return sound("token", message);
    }
    match check_private(&path) {
        Ok(()) => sound("token", format!("{shown} is readable by its owner alone")),
        Err(error) => unsound("token", error.to_string()),
    }
}

fn latch(location: &Location) -> Finding {
    let state = location.latch().read(now());
    if state.killed {
        let message = format!(
            "killed by {}: {}; clear it with: tradewind reset --reason …",
            state.by, state.reason
        );
        return unsound("kill latch", message);
    }
    sound("kill latch", "clear")
}

/// Either a desk runs and answers, or its port is free.
fn desk(location: &Location, config: Option<&DeskConfig>, timeout: Duration) -> Finding {
    if location.announced().is_some() || !location.is_local() {
        let status = Client::connect(location, timeout)
            .and_then(|client| Ok((client.address().to_string(), client.get("status", &[])?)));
        return match status {
            Ok((address, status)) => sound(
                "desk",
                format!(
                    "runs at {address}, version {}",
                    status["version"].as_str().unwrap_or("?")
                ),
            ),
            Err(error) => unsound("desk", format!("{error:#}")),
        };
    }
    let Some(config) = config else {
        return sound("desk", "is not running");
    };
    let listen = config.api.listen;
    match TcpListener::bind(listen) {
        Ok(_) => sound("desk", format!("is not running, and {listen} is free")),
        Err(error) => unsound(
            "desk",
            format!(
                "is not running, but {listen} is in use ({error}); stop the other program, or set api.listen"
            ),
        ),
    }
}
